"""Shape rules: operand shapes and params in, result shape or a clear error out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from gradverify.ops.row import Shape


def elementwise(*shapes: Shape) -> Shape:
    """The broadcast shape of all operands."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ValueError(
            f"shapes {' and '.join(map(str, shapes))} do not broadcast; allowed are "
            "shapes whose axes, counted from the last, are equal or 1"
        ) from None


def power(shape: Shape, *, n: float) -> Shape:
    """The operand's shape, for a finite constant exponent."""
    if isinstance(n, bool) or not isinstance(n, int | float) or not math.isfinite(n):
        raise ValueError(f"n={n!r} is no exponent; allowed is a finite int or float")
    return shape


def axes_of(shape: Shape, axis: Sequence[int] | None) -> tuple[int, ...]:
    """The reduced axes, counted from the last (so that leading axes may be added)."""
    if axis is None:
        return tuple(range(-len(shape), 0))
    bad = [a for a in axis if not -len(shape) <= a < len(shape)]
    found = tuple(sorted(a if a < 0 else a - len(shape) for a in axis if a not in bad))
    if bad or len(set(found)) != len(found):
        raise ValueError(
            f"axis={tuple(axis)} does not fit shape {shape}; allowed are distinct "
            f"axes from {-len(shape)} to {len(shape) - 1}, or None for all"
        )
    return found


def reduction(
    shape: Shape, *, axis: Sequence[int] | None = None, keepdims: bool = False
) -> Shape:
    """The shape that is left when `axis` is summed away."""
    gone = {len(shape) + a for a in axes_of(shape, axis)}
    if keepdims:
        return tuple(1 if i in gone else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in gone)


def nonempty_reduction(
    operand: Shape, *, axis: Sequence[int] | None = None, keepdims: bool = False
) -> Shape:
    """As `reduction`, for ops that have no value over zero elements."""
    result = reduction(operand, axis=axis, keepdims=keepdims)
    if math.prod(operand[a] for a in axes_of(operand, axis)) == 0:
        raise ValueError(f"shape {operand} has no element to reduce over axis={axis}")
    return result


def reshape(operand: Shape, *, shape: Sequence[int]) -> Shape:
    """The new shape, which must hold as many elements."""
    if math.prod(operand) != math.prod(shape) or any(n < 0 for n in shape):
        raise ValueError(
            f"shape={tuple(shape)} cannot hold the {math.prod(operand)} elements of "
            f"shape {operand}; allowed are shapes with as many, written out in full"
        )
    return tuple(shape)


def transpose(operand: Shape, *, axes: Sequence[int] | None = None) -> Shape:
    """The permuted shape; None reverses all axes."""
    order = tuple(reversed(range(len(operand)))) if axes is None else tuple(axes)
    if sorted(order) != list(range(len(operand))):
        raise ValueError(
            f"axes={order} is no permutation of the {len(operand)} axes of {operand}"
        )
    return tuple(operand[a] for a in order)


def broadcast_to(operand: Shape, *, shape: Sequence[int]) -> Shape:
    """The given shape, which the operand must broadcast to."""
    if elementwise(operand, tuple(shape)) != tuple(shape):
        raise ValueError(f"shape {operand} does not broadcast to shape={tuple(shape)}")
    return tuple(shape)


def matmul(a: Shape, b: Shape) -> Shape:
    """Vectors and matrices: (n)(n), (m, n)(n), (n)(n, p) and (m, n)(n, p)."""
    inner = b[-2:-1] or b
    if not (1 <= len(a) <= 2 and 1 <= len(b) <= 2) or a[-1:] != inner:
        raise ValueError(
            f"shapes {a} and {b} have no matrix product; allowed are ranks 1 and 2 "
            "with the last axis of the first as long as the first axis of the second"
        )
    return a[:-1] + (b[1:] if len(b) == 2 else ())


def variadic(*shapes: Shape) -> Shape:
    """The one shape that all operands have."""
    if len(set(shapes)) != 1:
        raise ValueError(f"operands must have one shape, not {sorted(set(shapes))}")
    return shapes[0]
