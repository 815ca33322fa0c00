"""Operands of our engines that carry no derivative: numbers, arrays, masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.autodiff.traced import bare


def own(m: Arithmetic, value: Any, like: Any = None) -> Any:
    """An array or a number as a value of the arithmetic. Rank 0 is a bare number.

    If `like`, a value of the arithmetic, is NumPy's, the result has its dtype.
    """
    if not isinstance(value, np.ndarray | np.generic | float | int | list | tuple):
        return value
    array: Any = value if _is_constant(value) else np.array(value)
    if array.dtype == object:
        return array[()]
    wanted = getattr(like, "dtype", array.dtype)
    kind = wanted if wanted.kind == "f" else np.float64
    return m.lift(array.astype(kind, copy=False))


def _is_constant(value: Any) -> bool:
    """Whether nobody can write into an array, so that it needs no copy."""
    is_array = type(value) is np.ndarray and value.ndim > 0
    return is_array and not value.flags.writeable and value.base is None


def zeros(m: Arithmetic, shape: Sequence[int], like: Any) -> Any:
    """Zeros in the dtype of the arithmetic's value `like`."""
    dtype = getattr(like, "dtype", np.dtype(float))
    return own(m, np.zeros(shape, float if dtype.kind == "O" else dtype))


def constant(m: Arithmetic, value: Any, like: Any) -> Any:
    """What a plain value becomes beside `like`, a value of the arithmetic.

    A Python number takes the type of `like`. So it never makes a float64 of a float32.
    """
    if type(value) is float or type(value) is int:
        like = bare(like)
        kind = type(like)
        if kind is not np.ndarray:
            return kind(value)
        if like.dtype == object:
            return m.lift(np.asarray(value, np.float64))
        return like.dtype.type(value)
    if isinstance(value, np.ndarray | np.generic):
        return m.lift(value) if value.dtype.kind in "fiu" else value
    if isinstance(value, list | tuple):
        return constant(m, np.asarray(value), like)
    return value


def data(m: Arithmetic) -> Callable[[Any], Any]:
    """How an engine over `m` takes arrays: one of rank 0 as a Python number."""
    return lambda x: x.item() if x.ndim == 0 else m.lift(x)


def evaluate(m: Arithmetic, op: str, *operands: Any, **params: Any) -> Any:
    """An op on plain values alone. Python numbers alone give a Python number.

    Beside an array of floats they take its dtype, so that they never make a float64 of
    a float32.
    """
    numbers = [type(x) is float or type(x) is int for x in operands]
    floats = (x for x in operands if getattr(_dtype(x), "kind", "") == "f")
    kind = getattr(_dtype(next(floats, None)), "type", np.float64)
    values = [
        m.lift(np.asarray(x, kind)) if is_number else x
        for x, is_number in zip(operands, numbers, strict=True)
    ]
    result = m.table[op](*values, **params)
    if all(numbers) and isinstance(result, np.floating):
        return float(result)
    return result


def _dtype(value: Any) -> Any:
    return getattr(value, "dtype", None)
