"""The rows of the op table for further convolutions and poolings, and their windows."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import layer_expansions as y
from gradverify.ops import window_expansions as e
from gradverify.ops import window_shapes as t
from gradverify.ops.domains import OF_ORDER
from gradverify.ops.row import FORWARD, MIXED, Op

# fmt: off
STEPS  = ("stride", "padding", "dilation")
BACK   = ("stride", "padding", "output_padding", "dilation", "groups")
WINDOW = ("kernel", "stride", "padding")

WINDOWS = (
    Op("conv3d",               3, FORWARD, t.conv3d, (*STEPS, "groups"), expansion=y.conv),
    Op("conv_transpose1d",     3, FORWARD, t.conv_transpose1d, BACK, expansion=e.conv_transpose),
    Op("conv_transpose2d",     3, FORWARD, t.conv_transpose2d, BACK, expansion=e.conv_transpose),
    Op("conv_transpose3d",     3, FORWARD, t.conv_transpose3d, BACK, expansion=e.conv_transpose),
    Op("max_pool3d",           1, FORWARD, t.max_pool3d, (*WINDOW, "dilation"), expansion=y.max_pool),
    Op("avg_pool3d",           1, FORWARD, t.avg_pool3d, (*WINDOW, "count_include_pad"), expansion=y.avg_pool),
    Op("adaptive_avg_pool1d",  1, FORWARD, t.adaptive1d, ("size",), expansion=e.adaptive_avg_pool),
    Op("adaptive_avg_pool2d",  1, FORWARD, t.adaptive2d, ("size",), expansion=e.adaptive_avg_pool),
    Op("adaptive_avg_pool3d",  1, FORWARD, t.adaptive3d, ("size",), expansion=e.adaptive_avg_pool),
    Op("adaptive_max_pool1d",  1, FORWARD, t.adaptive1d, ("size",), expansion=e.adaptive_max_pool),
    Op("adaptive_max_pool2d",  1, FORWARD, t.adaptive2d, ("size",), expansion=e.adaptive_max_pool),
    Op("adaptive_max_pool3d",  1, FORWARD, t.adaptive3d, ("size",), expansion=e.adaptive_max_pool),
    Op("lp_pool1d",            1, MIXED,   t.lp_pool1d, ("p", "kernel", "stride"), domain=OF_ORDER, expansion=e.lp_pool),
    Op("lp_pool2d",            1, MIXED,   t.lp_pool2d, ("p", "kernel", "stride"), domain=OF_ORDER, expansion=e.lp_pool),
    Op("fractional_max_pool2d", 1, FORWARD, t.fractional, ("kernel", "size", "samples"), expansion=e.fractional_max_pool),
    Op("max_unpool1d",         1, FORWARD, t.max_unpool1d, ("index", "kernel", "stride"), expansion=e.max_unpool),
    Op("max_unpool2d",         1, FORWARD, t.max_unpool2d, ("index", "kernel", "stride"), expansion=e.max_unpool),
    Op("unfold",               1, FORWARD, t.unfold, ("kernel", *STEPS), expansion=e.unfold),
    Op("fold",                 1, FORWARD, t.fold, ("size", "kernel", *STEPS), expansion=e.fold),
)
# fmt: on
