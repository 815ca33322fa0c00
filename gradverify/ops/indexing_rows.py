"""The rows of the op table for choosing, putting and moving entries."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import indexing_expansions as e
from gradverify.ops import indexing_shapes as s
from gradverify.ops import shapes
from gradverify.ops.row import FORWARD, MIXED, Op

# fmt: off
AT    = ("axis", "index")
ALONG = ("axis",)

INDEXING = (
    Op("gather",         1, FORWARD, s.gather,         AT, expansion=e.gather),
    Op("take_along_axis", 1, FORWARD, s.gather,        AT, expansion=e.gather),
    Op("scatter",        2, FORWARD, s.scatter,        AT, expansion=e.scatter),
    Op("scatter_add",    2, FORWARD, s.scatter_add,    AT, expansion=e.scatter_add),
    Op("scatter_reduce", 2, FORWARD, s.scatter_reduce, (*AT, "reduce", "include_self"), expansion=e.scatter_reduce),
    Op("index_select",   1, FORWARD, s.index_select,   AT, expansion=e.index_select),
    Op("index_add",      2, FORWARD, s.index_add,      (*AT, "alpha"), expansion=e.index_add),
    Op("index_put",      2, FORWARD, s.index_put,      ("index", "accumulate"), expansion=e.index_put),
    Op("masked_fill",    2, FORWARD, s.masked_fill,    ("value",), masks=(1,), expansion=e.masked_fill),
    Op("masked_select",  1, FORWARD, s.masked_select,  ("chosen",), expansion=e.masked_select),
    Op("segment_reduce", 1, FORWARD, s.segment_reduce, ("segments", "reduce"), expansion=e.segment_reduce),
    Op("cumprod",        1, FORWARD, shapes.along,     ALONG, expansion=e.cumprod),
    Op("logcumsumexp",   1, MIXED,   shapes.along,     ALONG, expansion=e.logcumsumexp),
    Op("diff",           1, FORWARD, s.diff,           ("n", *ALONG), expansion=e.diff),
    Op("flip",           1, FORWARD, s.flip,           ALONG, expansion=e.flip),
    Op("roll",           1, FORWARD, s.roll,           ("shift", *ALONG), expansion=e.roll),
    Op("rot90",          1, FORWARD, s.rot90,          ("k",), expansion=e.rot90),
    Op("repeat",         1, FORWARD, s.repeat,         ("repeats", *ALONG), expansion=e.repeat),
    Op("tile",           1, FORWARD, s.tile,           ("reps",), expansion=e.tile),
    Op("pad_axis",       1, FORWARD, s.pad_axis,       ("before", "after", "mode", "value"), expansion=e.pad_axis),
)
# fmt: on
