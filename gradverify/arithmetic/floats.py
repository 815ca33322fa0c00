"""Floats: NumPy arrays of any float dtype and any rank."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.polynomial import Polynomial

from gradverify.arithmetic import fixed_matrices
from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.special_floats import SPECIAL, gamma_orders


def sigmoid(x: Any) -> Any:
    """1/(1 + exp(-x)), with an exponential that cannot overflow."""
    small = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1.0, small)[()] / (1.0 + small)


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), accurate in both tails."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def power(x: Any, *, n: float) -> Any:
    """x**n for a constant n. An int n keeps powers of negative numbers real."""
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


def matmul(a: Any, b: Any) -> Any:
    """The matrix product. That of a column and a row has one product in each entry."""
    if np.ndim(a) == 2 == np.ndim(b) and np.shape(a)[1] == 1:
        return np.multiply(a, b)
    return np.matmul(a, b)


def along(axis: Sequence[int], chosen: Any) -> tuple[Any, ...]:
    """An index that takes a slice or places along one axis, and all of other axes."""
    return (..., chosen, *(slice(None),) * (-1 - axis[0]))


def slice_of(x: Any, *, axis: Sequence[int], start: int, stop: int) -> Any:
    """The elements from `start` up to `stop` along one axis."""
    at = axis[0] if axis[0] < 0 else axis[0] - np.ndim(x)
    return x[along((at,), slice(start, stop))]


def cumsum(x: Any, *, axis: Sequence[int]) -> Any:
    """The sums of the first elements along one axis."""
    return np.cumsum(x, axis=axis[0])


def cumsum_back(x: Any, *, axis: Sequence[int]) -> Any:
    """The sums of the last elements along one axis."""
    (a,) = axis
    return np.flip(np.cumsum(np.flip(x, a), a), a)


def pad_with(zero: Any) -> Callable[..., Any]:
    """A function that puts zeros before and after, along one axis.

    zero: what is put; None for a zero of the operand's own dtype.
    """

    def pad(x: Any, *, axis: Sequence[int], before: int, after: int) -> Any:
        (a,) = axis
        shape = [*np.shape(x)]
        shape[a] += before + after
        whole = np.zeros(shape, x.dtype) if zero is None else np.full(shape, zero)
        whole[along(axis, slice(before, before + np.shape(x)[a]))] = x
        return whole

    return pad


def take(x: Any, *, axis: Sequence[int], index: Sequence[int]) -> Any:
    """The elements at some places along one axis."""
    return np.take(x, np.asarray(index, dtype=int), axis=axis[0])


def put_into(zero: Any) -> Callable[..., Any]:
    """A function that adds up elements at their places along one axis.

    zero: what a place begins with; None for a zero of the operand's own dtype.
    """

    def put(x: Any, *, axis: Sequence[int], index: Sequence[int], length: int) -> Any:
        (a,) = axis
        shape = [*np.shape(x)]
        shape[a] = length
        whole = np.zeros(shape, x.dtype) if zero is None else np.full(shape, zero)
        np.add.at(whole, along(axis, np.asarray(index, np.intp)), x)
        return whole

    return put


def slack(x: Any, *others: Any) -> Any:
    """The first operand."""
    del others
    return x


def deviation2(x: Any, c: Any) -> Any:
    """(x - c)**2."""
    rest = x - c
    return rest * rest


def accumulate(*terms: Any) -> Any:
    """The sum of the terms, from the first to the last."""
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def of_scipy(name: str, *given: Any) -> Callable[[Any], Any]:
    """A function of `scipy.special`, in x's dtype; x stands after what is given.

    SciPy has no loops for long doubles, so that they are computed as doubles. It takes
    as long to load as all of us, and is loaded when it is first called.
    """

    def apply(x: Any) -> Any:
        from scipy import special

        narrow = x.astype(np.float64) if x.dtype == np.longdouble else x
        return np.asarray(getattr(special, name)(*given, narrow), x.dtype)[()]

    return apply


FAR_LEFT = -1e5


def polygamma(x: Any, *, n: int) -> Any:
    """The n-th derivative of digamma.

    SciPy steps from x up to 0 one by one, for hours where x is far to the left. There
    it is reflected (NIST Handbook, 5.15.6).
    """
    if not n:
        return of_scipy("psi")(x)
    of_right = of_scipy("polygamma", n)
    left = np.less(x, FAR_LEFT)
    if not np.any(left):
        return of_right(x)
    right = of_right(np.where(left, 1.0 - x, x).astype(x.dtype))
    with np.errstate(all="ignore"):  # at the poles
        slope = Polynomial(cot_slope(n))(1.0 / np.tan(np.pi * (x - np.rint(x))))
        reflected = (-1) ** n * right - np.pi ** (n + 1) * slope
    return np.where(left, reflected, right).astype(x.dtype)[()]


def cot_slope(n: int) -> list[int]:
    """The n-th derivative of cot, as the coefficients of a polynomial in cot."""
    slope = Polynomial([0.0, 1.0])
    for _ in range(n):
        slope = slope.deriv() * Polynomial([-1.0, 0.0, -1.0])
    return [int(c) for c in slope.coef]


def eigenvalues(x: Any) -> Any:
    """Real eigenvalues, sorted, in x's dtype; NaN where an entry is not finite."""
    wide = x.astype(np.float64) if x.dtype == np.longdouble else x
    if not np.isfinite(wide).all():
        return np.full(x.shape[:-1], np.nan, x.dtype)
    if np.array_equal(wide, np.swapaxes(wide, -1, -2)):
        found = np.linalg.eigvalsh(wide)
    else:
        found = np.sort(np.real(np.linalg.eigvals(wide)), axis=-1)
    return found.astype(x.dtype)


# The constants of selu, with the decimals that its paper prints.
SELU = "1.0507009873554804934193349852946"
SELU_BELOW = "1.6732632423543772848170429916717"

# The irrational constants that expansions and rules need.
CONSTANTS: Mapping[str, float] = {
    "log(2)": math.log(2.0),
    "1/log(2)": 1.0 / math.log(2.0),
    "1/log(10)": 1.0 / math.log(10.0),
    "sqrt(1/2)": math.sqrt(0.5),
    "sqrt(2/pi)": math.sqrt(2.0 / math.pi),
    "sqrt(2)": math.sqrt(2.0),
    "sqrt(pi)/2": math.sqrt(math.pi) / 2.0,
    "pi": math.pi,
    "log(pi)": math.log(math.pi),
    "log(2 pi)": math.log(2.0 * math.pi),
    "2/sqrt(pi)": 2.0 / math.sqrt(math.pi),
    "180/pi": 180.0 / math.pi,
    "pi/180": math.pi / 180.0,
    "selu": float(SELU),
    "selu below": float(SELU) * float(SELU_BELOW),
}


def scale(x: Any, *, by: str) -> Any:
    """x times the constant of that name."""
    return x * CONSTANTS[by]


# fmt: off
STRUCTURE: dict[str, Callable[..., Any]] = {
    "reshape":      reshape,
    "transpose":    transpose,
    "broadcast_to": broadcast_to,
    "matmul":       matmul,
    "sum":          total,
    "where":        where,
    "slice":        slice_of,
    "take":         take,
    "cumsum":       cumsum,
    "cumsum_back":  cumsum_back,
    "slack":        slack,
    "slack_back":   slack,
    "bent":         slack,
    "factor":       lambda x: x,
    "deviation2":   deviation2,
    "moved":        slack,
    "bent_back":    slack,
    "moved_back":   slack,
    "accumulate":   accumulate,
}

PRIMITIVES: dict[str, Callable[..., Any]] = STRUCTURE | SPECIAL | {
    "neg":       np.negative,
    "exp":       np.exp,
    "log":       np.log,
    "sin":       np.sin,
    "cos":       np.cos,
    "tanh":      np.tanh,
    "sqrt":      np.sqrt,
    "abs":       np.abs,
    "sigmoid":   sigmoid,
    "softplus":  softplus,
    "sign":      np.sign,
    "expm1":     np.expm1,
    "log1p":     np.log1p,
    "sinh":      np.sinh,
    "cosh":      np.cosh,
    "asinh":     np.arcsinh,
    "erf":       of_scipy("erf"),
    "erfc":      of_scipy("erfc"),
    "add":       np.add,
    "sub":       np.subtract,
    "mul":       np.multiply,
    "div":       np.divide,
    "pow":       np.power,
    "power":     power,
    "maximum":   np.maximum,
    "atan2":     np.arctan2,
    "hypot":     np.hypot,
    "middle":    lambda a, b: np.sqrt(a) * np.sqrt(b),
    "logaddexp": np.logaddexp,
    "step":      lambda x: np.heaviside(x, 0.5),
    "jump":      lambda x: np.heaviside(x, 0.5),
    "cbrt":      np.cbrt,
    "floor":     np.floor,
    "sech":      lambda x: 1.0 / np.cosh(x),
    "rise":      lambda x: 2.0 * sigmoid(2.0 * x),
    "eigenvalues": eigenvalues,
    "scale":     scale,
    "coefficients": fixed_matrices.in_floats,
    "log_gamma": of_scipy("gammaln"),
    "polygamma": polygamma,
    "gamma_orders": gamma_orders,
    "pad":       pad_with(None),
    "put":       put_into(None),
    "peak":      peak,
}
# fmt: on

FLOATS = Arithmetic("floats", PRIMITIVES, lambda x: x if x.ndim else x[()])


def _extended(x: Any) -> Any:
    return x if x.dtype == bool else x.astype(np.longdouble)[()]


# On most platforms a long double is wider than a double. Then its exponent keeps the
# products of a bound from overflowing. Elsewhere an overflow only makes a bound wide.
EXTENDED = Arithmetic("extended floats", PRIMITIVES, _extended, lifts_literals=True)
