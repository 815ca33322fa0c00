"""Floats: NumPy arrays of any float dtype, of rank 0 and more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.arithmetic import Arithmetic


def sigmoid(x: Any) -> Any:
    """1/(1 + exp(-x)), with an exponential that cannot overflow."""
    small = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1.0, small)[()] / (1.0 + small)


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), accurate in both tails."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def power(x: Any, *, n: float) -> Any:
    """x**n for a constant n; an int n keeps integer powers of negative x real."""
    if n == 2:
        return x * x
    return np.power(x, float(n))


def where(mask: Any, a: Any, b: Any) -> Any:
    """The elements of `a` where the mask is true, of `b` elsewhere."""
    return np.where(mask, a, b)[()]


def peak(x: Any, *, axis: Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """The largest element along `axis`."""
    return np.max(x, axis=None if axis is None else tuple(axis), keepdims=keepdims)


def total(x: Any, *, axis: Sequence[int] | None = None, keepdims: bool = False) -> Any:
    """The sum along `axis`."""
    return np.sum(x, axis=None if axis is None else tuple(axis), keepdims=keepdims)


def reshape(x: Any, *, shape: Sequence[int]) -> Any:
    """The same elements in another shape."""
    return np.reshape(x, tuple(shape))[()]


def transpose(x: Any, *, axes: Sequence[int] | None = None) -> Any:
    """The axes in another order."""
    return np.transpose(x, axes)[()]


def broadcast_to(x: Any, *, shape: Sequence[int]) -> Any:
    """The elements repeated to `shape`."""
    return np.broadcast_to(x, tuple(shape))[()]


def slack(x: Any, size: Any) -> Any:
    """x."""
    del size
    return x


def accumulate(*terms: Any) -> Any:
    """The sum of the terms, from the first to the last."""
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


# fmt: off
STRUCTURE: dict[str, Callable[..., Any]] = {
    "reshape":      reshape,
    "transpose":    transpose,
    "broadcast_to": broadcast_to,
    "matmul":       np.matmul,
    "sum":          total,
    "where":        where,
    "slack":        slack,
    "accumulate":   accumulate,
}

PRIMITIVES: dict[str, Callable[..., Any]] = STRUCTURE | {
    "neg":      np.negative,
    "exp":      np.exp,
    "log":      np.log,
    "sin":      np.sin,
    "cos":      np.cos,
    "tanh":     np.tanh,
    "sqrt":     np.sqrt,
    "abs":      np.abs,
    "sigmoid":  sigmoid,
    "softplus": softplus,
    "add":      np.add,
    "sub":      np.subtract,
    "mul":      np.multiply,
    "div":      np.divide,
    "pow":      np.power,
    "power":    power,
    "maximum":  np.maximum,
    "step":     lambda x: np.heaviside(x, 0.5),
    "sign":     np.sign,
    "sech":     lambda x: 1.0 / np.cosh(x),
    "peak":     peak,
}
# fmt: on

FLOATS = Arithmetic("floats", PRIMITIVES, lambda x: x if x.ndim else x[()])


def _extended(x: Any) -> Any:
    return x if x.dtype == bool else x.astype(np.longdouble)[()]


# Where the platform's long double is wider than a double, its exponent keeps the
# products of a bound from overflowing; elsewhere an overflow only makes a bound wide.
EXTENDED = Arithmetic("extended floats", PRIMITIVES, _extended, lifts_literals=True)
