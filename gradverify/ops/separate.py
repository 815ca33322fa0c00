"""Which ops act on every entry alone."""

from __future__ import annotations

from gradverify.ops import OPS
from gradverify.ops import elementwise_shapes as e
from gradverify.ops import shapes as s
from gradverify.ops import special_shapes as special

# fmt: off
ENTRY_BY_ENTRY = (
    s.elementwise, s.power, s.gelu, s.clip, s.celu,
    e.shrunk, e.thresholded, e.valued, e.sloped, e.doubled,
    special.of_order, special.of_dimensions, special.hurwitz, special.incomplete,
)
# fmt: on
"""The shape rules of ops whose entries do not meet."""


def is_elementwise(op: str) -> bool:
    """Whether an entry of the result depends on one of each operand alone."""
    return OPS[op].shape in ENTRY_BY_ENTRY
