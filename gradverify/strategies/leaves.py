"""Leaves that are not differentiated, and the shapes that leaves may have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from gradverify.graph import Array, Limits, data_leaf, literal_leaf
from gradverify.ops import Op, Shape
from gradverify.strategies.draft import Draft, Grown
from gradverify.strategies.params import EMPTY, SHAPES, legal_params, result_shape
from gradverify.strategies.points import DECIMAL, PLAIN

LITERALS = (3.0, 2, 0.5, 1, -1.0, 1e-3, 1.0, 2.0, -2, 10, 0.1, -0.5, 3, 0, 100.0, 1e6)


@lru_cache
def shapes(limits: Limits) -> tuple[Shape, ...]:
    """The shapes of inputs within limits.

    Scalars and vectors are listed more than once, to be drawn more often.
    """
    found = [s for s in SHAPES if len(s) in limits.ranks]
    often = [s for s in SHAPES[:4] if s in found]
    rare = [s for s in EMPTY if limits.empty and len(s) in limits.ranks]
    weighted = [*found, *often * 3, *rare]
    return tuple(weighted or [(2,) * min(limits.ranks)])


def fitting_shape(draft: Draft, row: Op, known: Shape, choice: int) -> Shape:
    """A shape for data that meet an operand of known shape."""
    menu = [known, known[::-1], known[-1:], known[:-1], ()]
    menu = [s for s in menu if len(s) in draft.limits.ranks]
    fitting = [s for s in menu if _fits(row.name, known, s)]
    return fitting[choice % len(fitting)] if fitting else known


def _fits(op: str, *known: Shape) -> bool:
    menu = legal_params(op, *known)
    return any(result_shape(op, known, params) is not None for params in menu)


def literal(choice: int) -> Grown:
    """A plain Python number."""
    value = LITERALS[choice % len(LITERALS)]
    return Grown(literal_leaf(value), value)


def data(draft: Draft, shape: Shape, choice: int) -> Grown:
    """An array of plain numbers and short decimals."""
    values = np.resize(np.roll(PLAIN + DECIMAL, -choice), math.prod(shape))
    return data_of(values.reshape(shape).astype(draft.dtype))


def data_of(value: Array) -> Grown:
    """The leaf of an array that is not differentiated."""
    return Grown(data_leaf(value), value)


def mask(draft: Draft, operands: Sequence[Shape], choice: int) -> Grown:
    """A Boolean array of the operands' common shape, or one for all entries."""
    limits = draft.limits
    shape = result_shape("add", tuple(operands), ()) or ()
    if choice % 4 == 3 and limits.broadcasting and 0 in limits.ranks:
        shape = ()
    bits = [bool(0b1011010 >> (i + choice) % 7 & 1) for i in range(math.prod(shape))]
    return data_of(np.array(bits, bool).reshape(shape))
