"""Arrays of Python objects (mpf, arb): what multiprecision and balls have in common.

A value of rank 0 is the bare number, because that is what NumPy's functions return for
objects.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.matrices import Matrix, plain

ARRAYS = (np.ndarray, Matrix)


def elementwise(function: Callable[..., Any], arity: int) -> Callable[..., Any]:
    """Make a function of numbers one of arrays and numbers."""
    ufunc = np.frompyfunc(function, arity, 1)

    def apply(*operands: Any) -> Any:
        for x in operands:
            if isinstance(x, ARRAYS):
                return ufunc(*map(plain, operands))
        return function(*operands)

    return apply


def lifting(number: Callable[[float], Any]) -> Callable[[Any], Any]:
    """A function from a float array to objects. Masks stay as they are."""
    convert = np.frompyfunc(lambda x: number(float(x)), 1, 1)
    return lambda x: x if x.dtype == bool else convert(x)


def sum_from(zero: Any) -> Callable[..., Any]:
    """A function that sums over axes; it gives `zero` where nothing is to be summed."""

    def total(
        x: Any, *, axis: Sequence[int] | None = None, keepdims: bool = False
    ) -> Any:
        axes = None if axis is None else tuple(axis)
        if np.size(x):
            return np.sum(plain(x), axis=axes, keepdims=keepdims)
        counts = np.sum(np.zeros(np.shape(x)), axis=axes, keepdims=keepdims)
        return np.full(np.shape(counts), zero, dtype=object)[()]

    return total


def matmul_from(zero: Any) -> Callable[[Any, Any], Any]:
    """A function for the matrix product; `zero` where nothing is to be summed."""

    def matmul(a: Any, b: Any) -> Any:
        if np.shape(a)[-1]:
            return np.matmul(a, b)
        empty = np.matmul(np.zeros(np.shape(a)), np.zeros(np.shape(b)))
        return np.full(np.shape(empty), zero, dtype=object)[()]

    return matmul


def peak_by(largest: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """A function that reduces axes by `largest`."""
    ufunc = np.frompyfunc(largest, 2, 1)

    def peak(
        x: Any, *, axis: Sequence[int] | None = None, keepdims: bool = False
    ) -> Any:
        array = np.asarray(x, dtype=object)
        for a in reversed(range(array.ndim)) if axis is None else _down(array, axis):
            array = np.asarray(ufunc.reduce(array, axis=a, keepdims=keepdims), object)
        return array[()]

    return peak


def _down(array: Any, axis: Sequence[int]) -> list[int]:
    return sorted((a % array.ndim for a in axis), reverse=True)
