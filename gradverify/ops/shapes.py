"""Shape rules: operand shapes and params in, result shape or a clear error out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Shape = tuple[int, ...]


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
    """The reduced axes, counted from the last, so that leading axes may be added
    later.
    """
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


def count_of(shape: Shape, axis: Sequence[int] | None) -> int:
    """How many elements are reduced to one."""
    return math.prod(shape[a] for a in axes_of(shape, axis))


def one_axis(shape: Shape, axis: Sequence[int] | None) -> tuple[int]:
    """The one axis that an op works along, counted from the last."""
    found = axes_of(shape, axis) if axis is not None else ()
    if len(found) != 1:
        raise ValueError(f"axis={axis} is not one axis, such as (-1,)")
    return (found[0],)


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
    if count_of(operand, axis) == 0:
        raise ValueError(f"shape {operand} has no element to reduce over axis={axis}")
    return result


def along(shape: Shape, *, axis: Sequence[int] | None = None) -> Shape:
    """The operand's shape, for an op along one axis, which must not be empty."""
    (a,) = one_axis(shape, axis)
    if shape[a] == 0:
        raise ValueError(f"shape {shape} has no element along axis={axis}")
    return shape


def spread(
    operand: Shape,
    *,
    axis: Sequence[int] | None = None,
    keepdims: bool = False,
    ddof: int = 0,
) -> Shape:
    """As `reduction`; more elements must be reduced than `ddof`."""
    result = nonempty_reduction(operand, axis=axis, keepdims=keepdims)
    count = count_of(operand, axis)
    if ddof not in (0, 1) or isinstance(ddof, bool) or count <= ddof:
        raise ValueError(
            f"ddof={ddof!r} does not fit {count} elements; allowed are 0, and 1 where "
            "there are two or more"
        )
    return result


def deviation(
    operand: Shape,
    *,
    axis: Sequence[int] | None = None,
    keepdims: bool = False,
    ddof: int = 0,
) -> Shape:
    """As `spread`, over two elements or more.

    The deviation of a single element is zero, and not smooth there.
    """
    if count_of(operand, axis) == 1:
        raise ValueError(f"axis={axis} has one element of shape {operand}; needed: two")
    return spread(operand, axis=axis, keepdims=keepdims, ddof=ddof)


def norm(
    operand: Shape, *, axis: Sequence[int] | None = None, keepdims: bool = False
) -> Shape:
    """As `reduction`, over one axis, two, or all."""
    result = nonempty_reduction(operand, axis=axis, keepdims=keepdims)
    if axis is not None and len(axis) not in (1, 2):
        raise ValueError(f"axis={axis}: allowed are one axis, two, and None for all")
    return result


def reshape(operand: Shape, *, shape: Sequence[int]) -> Shape:
    """The new shape; it must hold as many elements as the operand."""
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


def same(operand: Shape, **params: object) -> Shape:
    """The operand's shape.

    Internal ops are given legal params only, so nothing is checked.
    """
    del params
    return operand


def gelu(operand: Shape, *, approximate: str = "none") -> Shape:
    """The operand's shape.

    `approximate` has PyTorch's names: "none" for erf, or "tanh".
    """
    if approximate not in ("none", "tanh"):
        raise ValueError(f"approximate={approximate!r}; allowed are 'none' and 'tanh'")
    return operand


def clip(operand: Shape, *, low: float, high: float) -> Shape:
    """The operand's shape, for two finite numbers of which the first is smaller."""
    ends = (low, high)
    if not all(type(x) in (int, float) and math.isfinite(x) for x in ends):
        raise ValueError(f"low={low!r}, high={high!r}; allowed are finite numbers")
    if not low < high:
        raise ValueError(f"low={low!r} is not below high={high!r}")
    return operand


def celu(operand: Shape, *, alpha: float) -> Shape:
    """The operand's shape, for an alpha above 0."""
    if type(alpha) is not float or not 0 < alpha < math.inf:
        raise ValueError(f"alpha={alpha!r}; allowed is a float above 0")
    return operand


def slice_of(
    operand: Shape, *, axis: Sequence[int] | None, start: int, stop: int
) -> Shape:
    """The shape with stop - start elements along one axis."""
    (a,) = one_axis(operand, axis)
    n = operand[a]
    if {type(start), type(stop)} != {int} or not 0 <= start <= stop <= n:
        raise ValueError(
            f"start={start!r}, stop={stop!r} do not fit {n} elements; allowed are "
            f"whole numbers with 0 <= start <= stop <= {n}"
        )
    return _with_length(operand, a, stop - start)


def pad(operand: Shape, *, axis: Sequence[int], before: int, after: int) -> Shape:
    """The shape, longer along one axis by the number of zeros."""
    (a,) = one_axis(operand, axis)
    return _with_length(operand, a, before + operand[a] + after)


def _with_length(shape: Shape, axis: int, length: int) -> Shape:
    place = len(shape) + axis
    return (*shape[:place], length, *shape[place + 1 :])


def concatenate(a: Shape, b: Shape, *, axis: Sequence[int] | None) -> Shape:
    """The sum of both lengths along one axis; all other axes must be equal."""
    (at,) = one_axis(a, axis)
    if len(b) != len(a) or _with_length(b, at, a[at]) != a:
        raise ValueError(
            f"shapes {a} and {b} do not join along axis={axis}; allowed are shapes "
            "whose other axes are equal"
        )
    return _with_length(a, at, a[at] + b[at])


def stack(a: Shape, b: Shape, *, axis: Sequence[int] | None) -> Shape:
    """Two arrays of one shape along a new axis; `axis` says where the new axis goes."""
    (at,) = one_axis((1, *a), axis)
    if a != b or not a:
        raise ValueError(
            f"shapes {a} and {b} do not stack; allowed are equal ones of rank 1 or more"
        )
    place = len(a) + 1 + at
    return (*a[:place], 2, *a[place:])


def subscripts_of(subscripts: str) -> tuple[str, str, str]:
    """The indices of two operands and of the result, as in `ij,jk->ik`."""
    operands, arrow, kept = str(subscripts).partition("->")
    left, comma, right = operands.partition(",")
    for indices in (left, right, kept or left):
        is_plain = indices.isalpha() and indices.isascii()
        if not is_plain or len(set(indices)) != len(indices) or not arrow or not comma:
            raise ValueError(
                f"subscripts={subscripts!r}; allowed are those of two arrays and the "
                "result without a repeated index, such as 'ij,jk->ik'"
            )
    if not set(kept) <= set(left + right):
        raise ValueError(f"subscripts={subscripts!r} has a new index in its result")
    return left, right, kept


def einsum(a: Shape, b: Shape, *, subscripts: str) -> Shape:
    """The lengths of the result's indices."""
    left, right, kept = subscripts_of(subscripts)
    if len(left) != len(a) or len(right) != len(b):
        raise ValueError(f"subscripts={subscripts!r} do not fit shapes {a} and {b}")
    lengths = dict(zip(left, a, strict=True))
    if any(lengths.setdefault(i, n) != n for i, n in zip(right, b, strict=True)):
        raise ValueError(
            f"subscripts={subscripts!r} give an index two lengths in {a} and {b}"
        )
    return tuple(lengths[i] for i in kept)
