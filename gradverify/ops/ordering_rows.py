"""The rows of the op table for order, and for numbers looked up in a table.

Where an order ties, the larger or smaller of two has a kink. Between ties the
derivative is a permutation.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import ordering_expansions as e
from gradverify.ops import ordering_shapes as s
from gradverify.ops import shapes
from gradverify.ops.row import FORWARD, Op

# fmt: off
ALONG = ("axis",)

ORDERING = (
    Op("sort",     1, FORWARD, s.sort,       (*ALONG, "descending"),    expansion=e.sort),
    Op("topk",     1, FORWARD, s.topk,       ("k", *ALONG, "largest"),  expansion=e.topk),
    Op("kthvalue", 1, FORWARD, s.kthvalue,   ("k", *ALONG, "keepdims"), expansion=e.kthvalue),
    Op("median",   1, FORWARD, s.median,     (*ALONG, "keepdims"),      expansion=e.median),
    Op("cummax",   1, FORWARD, shapes.along, ALONG,                     expansion=e.cummax),
    Op("cummin",   1, FORWARD, shapes.along, ALONG,                     expansion=e.cummin),
    Op("interp",   2, FORWARD, s.interp,     ("knots",),                expansion=e.interp),
)
# fmt: on
