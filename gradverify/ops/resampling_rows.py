"""The rows of the op table for arrays sampled at other places, and entries moved."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import resampling_expansions as e
from gradverify.ops import resampling_shapes as s
from gradverify.ops.domains import SAMPLES
from gradverify.ops.row import FORWARD, MIXED, Op

# fmt: off
SIZED = ("size", "align_corners")

RESAMPLING = (
    Op("upsample_nearest",     1, FORWARD, s.upsample, ("size", "exact"), expansion=e.upsample_nearest),
    Op("upsample_linear1d",    1, FORWARD, s.upsample1d, SIZED, expansion=e.upsample_linear),
    Op("upsample_bilinear2d",  1, FORWARD, s.upsample2d, SIZED, expansion=e.upsample_linear),
    Op("upsample_trilinear3d", 1, FORWARD, s.upsample3d, SIZED, expansion=e.upsample_linear),
    Op("upsample_bicubic2d",   1, FORWARD, s.upsample2d, SIZED, expansion=e.upsample_cubic),
    Op("grid_sample",          2, MIXED,   s.grid_sample, ("mode", "outside", "align_corners"), domain=SAMPLES, expansion=e.grid_sample),
    Op("affine_grid",          1, FORWARD, s.affine_grid, SIZED, expansion=e.affine_grid),
    Op("pixel_shuffle",        1, FORWARD, s.pixel_shuffle, ("factor",), expansion=e.pixel_shuffle),
    Op("pixel_unshuffle",      1, FORWARD, s.pixel_unshuffle, ("factor",), expansion=e.pixel_unshuffle),
    Op("channel_shuffle",      1, FORWARD, s.channel_shuffle, ("groups",), expansion=e.channel_shuffle),
)
# fmt: on
