"""Shape rules of ops that put entries in order, or look them up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from gradverify.ops.checks import check_truth
from gradverify.ops.indexing_shapes import Axis, check_whole, with_length
from gradverify.ops.shapes import Shape, along, nonempty_reduction, one_axis


def sort(x: Shape, *, axis: Axis, descending: bool) -> Shape:
    """The operand's shape."""
    check_truth("descending", descending)
    return along(x, axis=axis)


def topk(x: Shape, *, k: int, axis: Axis, largest: bool) -> Shape:
    """k entries along one axis."""
    check_truth("largest", largest)
    along(x, axis=axis)
    (a,) = one_axis(x, axis)
    check_whole("k", k, 1, x[a])
    return with_length(x, a, k)


def kthvalue(x: Shape, *, k: int, axis: Axis, keepdims: bool) -> Shape:
    """One axis is reduced."""
    topk(x, k=k, axis=axis, largest=True)
    return nonempty_reduction(x, axis=axis, keepdims=keepdims)


def median(x: Shape, *, axis: Axis, keepdims: bool) -> Shape:
    """One axis is reduced."""
    along(x, axis=axis)
    return nonempty_reduction(x, axis=axis, keepdims=keepdims)


def interp(x: Shape, table: Shape, *, knots: Sequence[float]) -> Shape:
    """The shape of x; the table has a number for each of two knots or more."""
    are_floats = isinstance(knots, tuple | list) and all(
        type(k) is float and math.isfinite(k) for k in knots
    )
    rising = are_floats and all(a < b for a, b in itertools.pairwise(knots))
    if not rising or len(knots) < 2 or table != (len(knots),):
        raise ValueError(
            f"knots={knots!r} and a table of shape {table}; allowed are two rising "
            "floats or more, and a number for each"
        )
    return x
