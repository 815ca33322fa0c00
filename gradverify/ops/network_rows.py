"""The rows of the op table for network layers and losses."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import layer_expansions as y
from gradverify.ops import layer_shapes as s
from gradverify.ops import loss_expansions as z
from gradverify.ops import loss_shapes as t
from gradverify.ops.domains import PROBABILITIES, WEIGHTY
from gradverify.ops.row import FORWARD, MIXED, Op

# fmt: off
WINDOW = ("kernel", "stride", "padding")
MOVED  = ("stride", "padding", "dilation", "groups")
CLASS  = ("target", "weight", "reduction")
GIVEN  = ("mean", "var", "eps")

LAYERS = (
    # operands are named as in PyTorch: x, weights, bias
    Op("linear",          3, FORWARD, s.linear, expansion=y.linear),
    Op("conv1d",          3, FORWARD, s.conv1d, MOVED, expansion=y.conv),
    Op("conv2d",          3, FORWARD, s.conv2d, MOVED, expansion=y.conv),
    Op("max_pool1d",      1, FORWARD, s.max_pool1d, (*WINDOW, "dilation"), expansion=y.max_pool),
    Op("max_pool2d",      1, FORWARD, s.max_pool2d, (*WINDOW, "dilation"), expansion=y.max_pool),
    Op("avg_pool1d",      1, FORWARD, s.avg_pool1d, (*WINDOW, "count_include_pad"), expansion=y.avg_pool),
    Op("avg_pool2d",      1, FORWARD, s.avg_pool2d, (*WINDOW, "count_include_pad"), expansion=y.avg_pool),
    Op("batch_norm",      3, MIXED,   s.batch_norm, ("eps",), expansion=y.batch_norm),
    Op("batch_norm_eval", 3, MIXED,   s.batch_norm_eval, GIVEN, expansion=y.batch_norm_eval),
    Op("layer_norm",      3, MIXED,   s.layer_norm, ("eps",), expansion=y.layer_norm),
    Op("rms_norm",        2, MIXED,   s.rms_norm, ("eps",), expansion=y.rms_norm),
    Op("group_norm",      3, MIXED,   s.group_norm, ("groups", "eps"), expansion=y.group_norm),
    Op("embedding",       1, FORWARD, s.embedding, ("index",), expansion=y.embedding),
    Op("scaled_dot_product_attention", 3, MIXED,   s.attention, ("mask",), expansion=y.attention),
    Op("dropout_attention", 3, MIXED,   s.dropout_attention, ("mask", "kept", "p"), expansion=y.dropout_attention),
    Op("dropout",         2, FORWARD, s.dropout, ("p",), masks=(1,), expansion=y.dropout),
    Op("mse",             2, FORWARD, t.loss, ("reduction",), expansion=z.mse,
       formula="(x - t)**2"),
    Op("l1",              2, FORWARD, t.loss, ("reduction",), expansion=z.l1,
       formula="abs(x - t)"),
    Op("huber",           2, MIXED,   t.loss, ("delta", "reduction"), expansion=z.huber,
       formula="(x - t)**2 / 2 if abs(x - t) <= delta else delta * (abs(x - t) - delta / 2)"),
    Op("bce",             2, MIXED,   t.loss, ("reduction",), domain=PROBABILITIES, expansion=z.bce,
       formula="-t * log(x) - (1 - t) * log(1 - x)"),
    Op("bce_with_logits", 2, MIXED,   t.loss, ("reduction",), expansion=z.bce_with_logits,
       formula="log(1 + exp(x)) - t * x"),
    Op("kl_div",          2, MIXED,   t.loss, ("log_target", "reduction"), domain=WEIGHTY, expansion=z.kl_div,
       formula="exp(t) * (t - x) if log_target else t * (log(t) - x)"),
    Op("nll",             1, FORWARD, t.nll, CLASS, expansion=z.nll),
    Op("cross_entropy",   1, FORWARD, t.cross_entropy, (*CLASS, "smoothing"), expansion=z.cross_entropy),
)
# fmt: on
