"""Ops that are linear in an operand: their maps of tangents, and of cotangents back.

All take any number of leading axes before the shape of an operand or a result, so that
a stack of tangents or cotangents is mapped at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.ops.shapes import Shape, axes_of, reduction


@dataclass(frozen=True)
class Linear:
    """An op that is linear in an operand x, given by its two maps.

    jvp: `(m, x_dot, y, *x, **params)` to y_dot.
    vjp: `(m, ct, y, *x, **params)` to the cotangent of x.
    Both take any number of leading axes before the shape of x or y: a stack of
    tangents or cotangents is mapped at once.
    """

    jvp: Callable[..., Any]
    vjp: Callable[..., Any]


# ---- shapes with leading axes


def leading(x: Any, rank: int) -> Shape:
    """The axes of a stack before the last `rank` axes."""
    shape = np.shape(x)
    return tuple(shape[: len(shape) - rank])


def reshaped(m: Any, x: Any, shape: Shape) -> Any:
    """x in that shape; x itself if it has that shape already."""
    return x if np.shape(x) == shape else m.reshape(x, shape=shape)


def unbroadcast(m: Any, ct: Any, shape: Shape, rank: int) -> Any:
    """The transpose of broadcasting `shape` to the last `rank` axes of ct: a sum."""
    lead, wide = leading(ct, rank), np.shape(ct)[np.ndim(ct) - rank :]
    if wide == shape:
        return ct
    padded = (1,) * (rank - len(shape)) + shape
    axes = tuple(i - rank for i in range(rank) if padded[i] == 1 != wide[i])
    if axes:
        ct = m.sum(ct, axis=axes, keepdims=True)
    return reshaped(m, ct, lead + shape)


def align(m: Any, x_dot: Any, shape: Shape, rank: int) -> Any:
    """Put axes of length 1 between the leading axes of a stack and `shape`, up to
    `rank`.
    """
    if rank <= len(shape):
        return x_dot
    lead = leading(x_dot, len(shape))
    return reshaped(m, x_dot, lead + (1,) * (rank - len(shape)) + shape)


# ---- linear maps, and their transposes


def sum_jvp(
    m: Any, x_dot: Any, y: Any, x: Any, *, axis: Any = None, keepdims: bool = False
) -> Any:
    return m.sum(x_dot, axis=axes_of(np.shape(x), axis), keepdims=keepdims)


def sum_vjp(
    m: Any, ct: Any, y: Any, x: Any, *, axis: Any = None, keepdims: bool = False
) -> Any:
    lead, shape = leading(ct, np.ndim(y)), np.shape(x)
    kept = reduction(shape, axis=axis, keepdims=True)
    ct = reshaped(m, ct, lead + kept)
    return m.broadcast_to(ct, shape=lead + shape) if kept != shape else ct


def reshape_jvp(m: Any, x_dot: Any, y: Any, x: Any, *, shape: Shape) -> Any:
    return m.reshape(x_dot, shape=leading(x_dot, np.ndim(x)) + tuple(shape))


def reshape_vjp(m: Any, ct: Any, y: Any, x: Any, *, shape: Shape) -> Any:
    return m.reshape(ct, shape=leading(ct, len(shape)) + np.shape(x))


def permutation(lead: int, rank: int, axes: Sequence[int] | None) -> tuple[int, ...]:
    """The order of all axes of a stack which permutes its last `rank` axes alone."""
    order = reversed(range(rank)) if axes is None else axes
    return tuple(range(lead)) + tuple(lead + a for a in order)


def transpose_jvp(m: Any, x_dot: Any, y: Any, x: Any, *, axes: Any = None) -> Any:
    rank = np.ndim(x)
    return m.transpose(x_dot, axes=permutation(np.ndim(x_dot) - rank, rank, axes))


def transpose_vjp(m: Any, ct: Any, y: Any, x: Any, *, axes: Any = None) -> Any:
    rank = np.ndim(x)
    order = permutation(np.ndim(ct) - rank, rank, axes)
    return m.transpose(ct, axes=tuple(order.index(i) for i in range(len(order))))


def broadcast_to_jvp(m: Any, x_dot: Any, y: Any, x: Any, *, shape: Shape) -> Any:
    lead = leading(x_dot, np.ndim(x))
    x_dot = align(m, x_dot, np.shape(x), len(shape))
    return m.broadcast_to(x_dot, shape=lead + tuple(shape))


def broadcast_to_vjp(m: Any, ct: Any, y: Any, x: Any, *, shape: Shape) -> Any:
    return unbroadcast(m, ct, np.shape(x), len(shape))


def as_matrices(m: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """A vector on the left as one row, a vector on the right as one column."""
    if np.ndim(a) == 1:
        a = m.reshape(a, shape=(1, *np.shape(a)))
    if np.ndim(b) == 1:
        b = m.reshape(b, shape=(*np.shape(b), 1))
    return a, b


def as_batch(left: Any, right: Any) -> Shape:
    """The axes of a matrix product before those of its matrices."""
    if np.ndim(left) == 2 == np.ndim(right):
        return ()
    return np.broadcast_shapes(np.shape(left)[:-2], np.shape(right)[:-2])


def swapped(m: Any, x: Any) -> Any:
    """Matrices with their rows as columns."""
    *batch, i, j = range(np.ndim(x))
    return m.transpose(x, axes=(*batch, j, i))


def matmul_jvp_left(m: Any, a_dot: Any, y: Any, a: Any, b: Any) -> Any:
    lead, (left, right) = leading(a_dot, np.ndim(a)), as_matrices(m, a, b)
    if np.ndim(a) > 1 or np.ndim(right) > 2 or not lead:
        a_dot = reshaped(m, a_dot, lead + np.shape(left))
        a_dot = align(m, a_dot, np.shape(left), np.ndim(right))
    return reshaped(m, m.matmul(a_dot, right), lead + np.shape(y))


def matmul_jvp_right(m: Any, b_dot: Any, y: Any, a: Any, b: Any) -> Any:
    lead, (left, right) = leading(b_dot, np.ndim(b)), as_matrices(m, a, b)
    b_dot = reshaped(m, b_dot, lead + np.shape(right))
    b_dot = align(m, b_dot, np.shape(right), np.ndim(left))
    return reshaped(m, m.matmul(left, b_dot), lead + np.shape(y))


def matmul_vjp_left(m: Any, ct: Any, y: Any, a: Any, b: Any) -> Any:
    lead, (left, right) = leading(ct, np.ndim(y)), as_matrices(m, a, b)
    ct = _as_product(m, ct, lead, left, right)
    a_bar = m.matmul(ct, swapped(m, right))
    a_bar = unbroadcast(m, a_bar, np.shape(left), np.ndim(a_bar) - len(lead))
    return reshaped(m, a_bar, lead + np.shape(a))


def matmul_vjp_right(m: Any, ct: Any, y: Any, a: Any, b: Any) -> Any:
    lead, (left, right) = leading(ct, np.ndim(y)), as_matrices(m, a, b)
    ct = _as_product(m, ct, lead, left, right)
    b_bar = m.matmul(swapped(m, left), ct)
    b_bar = unbroadcast(m, b_bar, np.shape(right), np.ndim(b_bar) - len(lead))
    return reshaped(m, b_bar, lead + np.shape(b))


def _as_product(m: Any, ct: Any, lead: Shape, left: Any, right: Any) -> Any:
    """A cotangent of a product in the shape of a product of matrices."""
    batch, rows, columns = (
        as_batch(left, right),
        np.shape(left)[-2],
        np.shape(right)[-1],
    )
    return reshaped(m, ct, (*lead, *batch, rows, columns))


def where_map(chosen: int) -> Linear:
    """where(mask, a, b) as a map of its operand `chosen`, 1 or 2."""

    def select(m: Any, ct: Any, y: Any, mask: Any, a: Any, b: Any) -> Any:
        # zeros in the cotangent's dtype, so that a float32 stays one
        zero = m.lift(np.zeros((), getattr(ct, "dtype", np.float64)))
        return m.where(mask, ct, zero) if chosen == 1 else m.where(mask, zero, ct)

    def jvp(m: Any, x_dot: Any, y: Any, mask: Any, a: Any, b: Any) -> Any:
        shape = np.shape((a, b)[chosen - 1])
        return select(m, align(m, x_dot, shape, np.ndim(y)), y, mask, a, b)

    def vjp(m: Any, ct: Any, y: Any, mask: Any, a: Any, b: Any) -> Any:
        shape = np.shape((a, b)[chosen - 1])
        return unbroadcast(m, select(m, ct, y, mask, a, b), shape, np.ndim(y))

    return Linear(jvp, vjp)


def slice_jvp(
    m: Any, x_dot: Any, y: Any, x: Any, *, axis: Any, start: int, stop: int
) -> Any:
    return m.slice(x_dot, axis=axes_of(np.shape(x), axis), start=start, stop=stop)


def slice_vjp(
    m: Any, ct: Any, y: Any, x: Any, *, axis: Any, start: int, stop: int
) -> Any:
    (a,) = axes_of(np.shape(x), axis)
    return m.pad(ct, axis=(a,), before=start, after=np.shape(x)[a] - stop)


def pad_jvp(
    m: Any, x_dot: Any, y: Any, x: Any, *, axis: Any, before: int, after: int
) -> Any:
    return m.pad(x_dot, axis=axes_of(np.shape(x), axis), before=before, after=after)


def pad_vjp(
    m: Any, ct: Any, y: Any, x: Any, *, axis: Any, before: int, after: int
) -> Any:
    (a,) = axes_of(np.shape(x), axis)
    stop = before + np.shape(x)[a]
    return m.slice(ct, axis=(a,), start=before, stop=stop)


def take_jvp(m: Any, x_dot: Any, y: Any, x: Any, *, axis: Any, index: Any) -> Any:
    return m.take(x_dot, axis=axes_of(np.shape(x), axis), index=index)


def take_vjp(m: Any, ct: Any, y: Any, x: Any, *, axis: Any, index: Any) -> Any:
    (a,) = axes_of(np.shape(x), axis)
    return m.put(ct, axis=(a,), index=index, length=np.shape(x)[a])


def put_jvp(
    m: Any, x_dot: Any, y: Any, x: Any, *, axis: Any, index: Any, length: int
) -> Any:
    at = axes_of(np.shape(x), axis)
    return m.put(x_dot, axis=at, index=index, length=length)


def put_vjp(
    m: Any, ct: Any, y: Any, x: Any, *, axis: Any, index: Any, length: int
) -> Any:
    return m.take(ct, axis=axes_of(np.shape(x), axis), index=index)


def cumsum_forth(m: Any, x_dot: Any, y: Any, x: Any, *, axis: Any) -> Any:
    return m.cumsum(x_dot, axis=axes_of(np.shape(x), axis))


def cumsum_back(m: Any, ct: Any, y: Any, x: Any, *, axis: Any) -> Any:
    return m.cumsum_back(ct, axis=axes_of(np.shape(x), axis))


def scaled(m: Any, ct: Any, y: Any, x: Any, *, by: str) -> Any:
    return m.scale(ct, by=by)


def slack_back_jvp(m: Any, x_dot: Any, y: Any, x: Any, size: Any) -> Any:
    return x_dot


def slack_back_vjp(m: Any, ct: Any, y: Any, x: Any, size: Any) -> Any:
    return m.slack(ct, ct * size)


def bent_back_jvp(m: Any, x_dot: Any, y: Any, x: Any) -> Any:
    return x_dot


def bent_back_vjp(m: Any, ct: Any, y: Any, x: Any) -> Any:
    return m.bent(ct, x, ct * (1.0 + m.abs(x)))


def moved_matrix(m: Any, ct: Any, y: Any, x: Any) -> Any:
    """Matrices that are off by roundings of their largest entry.

    So is what goes back to them where they are differentiated once more.
    """
    rows = float(max(np.shape(x)[-2:]))
    size = rows * m.peak(m.abs(ct), axis=(-2, -1), keepdims=True)
    return m.moved_back(m.moved(ct, size))
