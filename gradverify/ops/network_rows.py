"""The rows of the op table for network layers and losses."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

import numpy as np

from gradverify.ops import layer_shapes as s
from gradverify.ops import layers as y
from gradverify.ops import loss_shapes as t
from gradverify.ops import losses as z
from gradverify.ops.row import Op


def probabilities(x: Any, t: Any, **_: Any) -> Any:
    """Where both logarithms are finite, for targets that are probabilities."""
    return np.all((x > 0) & (x < 1) & (t >= 0) & (t <= 1))


def weighty(x: Any, t: Any, *, log_target: bool, **_: Any) -> Any:
    """Where a divergence is smooth in its target: at 0 its slope is infinite."""
    return log_target or np.all(t > 0)


# fmt: off
WINDOW = ("kernel", "stride", "padding")
MOVED  = ("stride", "padding", "dilation", "groups")
CLASS  = ("target", "weight", "reduction")
GIVEN  = ("mean", "var", "eps")

LAYERS = (
    # operands are named as in PyTorch: x, weights, bias
    Op("linear",          3, s.linear, expansion=y.linear),
    Op("conv1d",          3, s.conv1d, MOVED, expansion=y.conv),
    Op("conv2d",          3, s.conv2d, MOVED, expansion=y.conv),
    Op("max_pool1d",      1, s.max_pool1d, (*WINDOW, "dilation"), expansion=y.max_pool),
    Op("max_pool2d",      1, s.max_pool2d, (*WINDOW, "dilation"), expansion=y.max_pool),
    Op("avg_pool1d",      1, s.avg_pool1d, (*WINDOW, "count_include_pad"), expansion=y.avg_pool),
    Op("avg_pool2d",      1, s.avg_pool2d, (*WINDOW, "count_include_pad"), expansion=y.avg_pool),
    Op("batch_norm",      3, s.batch_norm, ("eps",), expansion=y.batch_norm),
    Op("batch_norm_eval", 3, s.batch_norm_eval, GIVEN, expansion=y.batch_norm_eval),
    Op("layer_norm",      3, s.layer_norm, ("eps",), expansion=y.layer_norm),
    Op("rms_norm",        2, s.rms_norm, ("eps",), expansion=y.rms_norm),
    Op("group_norm",      3, s.group_norm, ("groups", "eps"), expansion=y.group_norm),
    Op("embedding",       1, s.embedding, ("index",), expansion=y.embedding),
    Op("scaled_dot_product_attention", 3, s.attention, ("mask",), expansion=y.attention),
    Op("dropout",         2, s.dropout, ("p",), masks=(1,), expansion=y.dropout),
    Op("mse",             2, t.loss, ("reduction",), expansion=z.mse),
    Op("l1",              2, t.loss, ("reduction",), expansion=z.l1),
    Op("huber",           2, t.loss, ("delta", "reduction"), expansion=z.huber),
    Op("bce",             2, t.loss, ("reduction",), domain=probabilities, expansion=z.bce),
    Op("bce_with_logits", 2, t.loss, ("reduction",), expansion=z.bce_with_logits),
    Op("kl_div",          2, t.loss, ("log_target", "reduction"), domain=weighty, expansion=z.kl_div),
    Op("nll",             1, t.nll, CLASS, expansion=z.nll),
    Op("cross_entropy",   1, t.cross_entropy, (*CLASS, "smoothing"), expansion=z.cross_entropy),
)
# fmt: on
