"""The rows of the op table for further losses, and the distance that some are made
of.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import loss_expansions as z
from gradverify.ops import loss_shapes as t
from gradverify.ops.domains import ABOVE_EPS, COUNTS
from gradverify.ops.row import FORWARD, MIXED, Op

# fmt: off
SIGNED = ("signs", "margin", "reduction")

LOSSES = (
    Op("smooth_l1",              2, MIXED,   t.smooth_l1, ("beta", "reduction"), expansion=z.smooth_l1,
       formula="(x - t)**2 / (2 * beta) if abs(x - t) <= beta else abs(x - t) - beta / 2"),
    Op("soft_margin",            1, MIXED,   t.signed, ("signs", "reduction"), expansion=z.soft_margin,
       formula="log(1 + exp(-signs * x))"),
    Op("hinge_embedding",        1, FORWARD, t.signed, SIGNED, expansion=z.hinge_embedding,
       formula="x if signs > 0 else max(margin - x, 0)"),
    Op("margin_ranking",         2, MIXED,   t.margin_ranking, SIGNED, expansion=z.margin_ranking,
       formula="max(margin - signs * (x - y), 0)"),
    Op("pairwise_distance",      2, MIXED,   t.pairwise_distance, ("p", "eps", "keepdims"), expansion=z.pairwise_distance),
    Op("cosine_embedding",       2, MIXED,   t.cosine_embedding, SIGNED, expansion=z.cosine_embedding),
    Op("triplet_margin",         3, MIXED,   t.triplet_margin, ("margin", "p", "eps", "swap", "reduction"), expansion=z.triplet_margin),
    Op("multi_margin",           1, MIXED,   t.multi_margin, ("target", "p", "margin", "weight", "reduction"), expansion=z.multi_margin),
    Op("multilabel_margin",      1, MIXED,   t.multilabel_margin, ("target", "reduction"), expansion=z.multilabel_margin),
    Op("multilabel_soft_margin", 2, MIXED,   t.multilabel_soft_margin, ("weight", "reduction"), expansion=z.multilabel_soft_margin),
    Op("poisson_nll",            2, MIXED,   t.poisson_nll, ("log_input", "full", "eps", "reduction"), domain=COUNTS, expansion=z.poisson_nll),
    Op("gaussian_nll",           3, MIXED,   t.gaussian_nll, ("full", "eps", "reduction"), domain=ABOVE_EPS, expansion=z.gaussian_nll),
    Op("soft_cross_entropy",     2, MIXED,   t.soft_cross_entropy, ("weight", "smoothing", "reduction"), expansion=z.soft_cross_entropy),
    Op("ctc",                    1, MIXED,   t.ctc, ("target", "lengths", "steps", "blank", "reduction"), expansion=z.ctc,
       formula="the CTC loss of log_softmax(x)"),
)
# fmt: on
