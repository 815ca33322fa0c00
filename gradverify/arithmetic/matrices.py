"""Large matrices of balls or of mpmath numbers, with sums and products in C.

One `arb_mat` holds the entries. Anything else runs on an array of their objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx

LARGE = 4096  # multiplications from which the way to C and back pays


@dataclass(frozen=True)
class Numbers:
    """How the objects of an arithmetic become balls, and balls such objects.

    into: from an object to its ball, exactly.
    out_of: from a ball to an object, rounded to the precision in force.
    bits: the precision at which sums and products are taken.
    """

    into: Callable[[Any], Any]
    out_of: Callable[[Any], Any]
    bits: Callable[[], int]


class Matrix:
    """It stands in place of an object array of rank 2. `whole` is the `arb_mat`."""

    __slots__ = ("numbers", "whole")
    __array_ufunc__ = None  # so that `ndarray + Matrix` asks Matrix
    ndim = 2

    def __init__(self, numbers: Numbers, whole: Any) -> None:
        self.numbers, self.whole = numbers, whole

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.whole.nrows(), self.whole.ncols()

    @property
    def size(self) -> int:
        """The number of entries."""
        return int(self.whole.nrows() * self.whole.ncols())

    def objects(self) -> Any:
        """The entries as an object array of the arithmetic's numbers."""
        result = np.empty(self.size, dtype=object)
        result[:] = [self.numbers.out_of(ball) for ball in self.whole.entries()]
        return result.reshape(self.shape)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        del dtype, copy
        return self.objects()

    def __getitem__(self, index: Any) -> Any:
        return self if index == () else self.objects()[index]

    def transpose(self, axes: Sequence[int] | None = None) -> Matrix:
        """The matrix with rows and columns exchanged; as it is for the order (0, 1)."""
        if axes is not None and [a % 2 for a in axes] == [0, 1]:
            return self
        return Matrix(self.numbers, self.whole.transpose())

    def reshape(self, shape: Sequence[int], order: str = "C") -> Any:
        """The same entries in another shape."""
        same = tuple(shape) == self.shape
        return self if same else self.objects().reshape(shape, order=order)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Matrix) and other.shape == self.shape:
            with ctx.workprec(self.numbers.bits()):
                return Matrix(self.numbers, self.whole + other.whole)
        return self.objects() + plain(other)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray | Matrix):
            return self.objects() * plain(other)
        with ctx.workprec(self.numbers.bits()):
            return Matrix(self.numbers, self.whole * self.numbers.into(other))

    def __radd__(self, other: Any) -> Any:
        return self + other

    def __rmul__(self, other: Any) -> Any:
        return self * other

    def __neg__(self) -> Matrix:
        return Matrix(self.numbers, -self.whole)

    def __sub__(self, other: Any) -> Any:
        return self.objects() - plain(other)

    def __rsub__(self, other: Any) -> Any:
        return other - self.objects()

    def __truediv__(self, other: Any) -> Any:
        return self.objects() / plain(other)

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.objects()

    def __pow__(self, other: Any) -> Any:
        return self.objects() ** plain(other)


def plain(x: Any) -> Any:
    """The array of objects if it is a matrix; anything else as it is."""
    return x.objects() if isinstance(x, Matrix) else x


def whole_of(x: Any) -> Any:
    """An array of floats or long doubles of rank 2 as an `arb_mat`, exactly."""
    high = x.astype(np.float64)
    rows, columns = x.shape
    whole = arb_mat(rows, columns, high.reshape(-1).tolist())
    low = (x - high).astype(np.float64)
    if not np.any(low):
        return whole
    with ctx.workprec(2200):  # more than any two doubles are apart
        return whole + arb_mat(rows, columns, low.reshape(-1).tolist())


def lifting_large(lift: Callable[[Any], Any], numbers: Numbers) -> Callable[[Any], Any]:
    """A function that lifts a large matrix to a `Matrix`, and all else by `lift`."""

    def apply(x: Any) -> Any:
        if x.ndim == 2 and x.size >= LARGE and x.dtype != bool:
            return Matrix(numbers, whole_of(x))
        return lift(x)

    return apply


def matmul_large(
    matmul: Callable[[Any, Any], Any], numbers: Numbers
) -> Callable[[Any, Any], Any]:
    """A function that takes a large product in C, and any other by `matmul`."""

    def apply(a: Any, b: Any) -> Any:
        rank, shape = max(np.ndim(a), np.ndim(b)), np.shape(a) + np.shape(b)[1:]
        if rank != 2 or int(np.prod(shape, dtype=int)) < LARGE:
            return matmul(plain(a), plain(b))
        with ctx.workprec(numbers.bits()):
            left = _whole(numbers, a, (1, -1))
            right = _whole(numbers, b, (-1, 1))
            product = Matrix(numbers, left * right)
        if product.size >= LARGE:
            return product
        return product.objects().reshape(np.shape(a)[:-1] + np.shape(b)[1:])

    return apply


def _whole(numbers: Numbers, x: Any, as_matrix: tuple[int, int]) -> Any:
    if isinstance(x, Matrix):
        return x.whole
    x = x.reshape(as_matrix) if x.ndim == 1 else x
    rows, columns = x.shape
    return arb_mat(rows, columns, [numbers.into(v) for v in x.reshape(-1)])


BALLS = Numbers(into=arb, out_of=lambda ball: ball, bits=lambda: int(ctx.prec))
