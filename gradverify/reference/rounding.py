"""The few constants of the rounding model: formats, accuracies, the safety factor.

Nobody chooses a tolerance; these numbers are all that the bound is made of.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.ops.shapes import axes_of

SAFETY = 4.0
"""The factor c on every site: published accuracies are for the best code path."""


@dataclass(frozen=True)
class Format:
    """A format: unit roundoff, smallest subnormal and normal numbers, the largest."""

    unit_roundoff: float
    smallest: float
    normal: float
    largest: float


FORMATS: Mapping[str, Format] = {
    "float64": Format(
        2.0**-53, 2.0**-1074, 2.0**-1022, float(np.finfo(np.float64).max)
    ),
    "float32": Format(2.0**-24, 2.0**-149, 2.0**-126, float(np.finfo(np.float32).max)),
}


Units = tuple[tuple[str, float], ...]
"""Ops and how many units of roundoff they may be off by, in the order of the names."""

ANY_OP = "*"


@dataclass(frozen=True)
class Accuracy:
    """How an engine rounds, where it says so itself.

    form: the format that it computes in, by name; empty for the case's own.
    units: ops whose values and derivatives are declared to be off by more than usual;
        `ANY_OP` stands for all.
    """

    form: str = ""
    units: Units = ()


USUAL_ACCURACY = Accuracy()


def blocked(count: int) -> float:
    """How often a summand of a blocked sum of `count` terms is rounded, at most.

    n - 1 for a plain loop; 2 sqrt(n) covers pairwise and blocked sums, and the
    random walk of the signs in long plain ones (Higham and Mary, 2019).
    """
    return min(max(count - 1.0, 0.0), 2.0 * math.sqrt(count))


# ---- how large a rounding at a node may be, in units of the unit roundoff


def relative(units: float) -> Callable[..., Any]:
    """A result that is off by `units` roundings of itself."""
    return lambda m, y, *x, **params: units * m.abs(y)


def exact(m: Any, y: Any, *x: Any, **params: Any) -> Any:
    """A result that is not rounded."""
    return None


def of_sum(m: Any, y: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Every summand may be rounded as often as a blocked sum rounds it."""
    shape = np.shape(x)
    count = math.prod(shape[a] for a in axes_of(shape, axis))
    if count < 2:
        return None
    return blocked(count) * m.sum(m.abs(x), axis=axis, keepdims=keepdims)


def of_matmul(m: Any, y: Any, a: Any, b: Any) -> Any:
    """Every product is rounded, and then summed as a blocked sum."""
    return (1.0 + blocked(np.shape(a)[-1])) * m.matmul(m.abs(a), m.abs(b))


def of_accumulate(m: Any, y: Any, *terms: Any) -> Any:
    """A fan-out is summed in an order nobody fixed: n - 1 roundings of each term."""
    total = m.abs(terms[0])
    for term in terms[1:]:
        total = total + m.abs(term)
    return (len(terms) - 1.0) * total


def of_cumsum(m: Any, y: Any, x: Any, *, axis: Any) -> Any:
    """A scan adds one element after the other: n - 1 roundings of each."""
    return (np.shape(x)[axis[0]] - 1.0) * m.cumsum(m.abs(x), axis=axis)


def of_cumsum_back(m: Any, y: Any, x: Any, *, axis: Any) -> Any:
    """As `of_cumsum`, from the end."""
    return (np.shape(x)[axis[0]] - 1.0) * m.cumsum_back(m.abs(x), axis=axis)


def of_put(m: Any, y: Any, x: Any, *, axis: Any, index: Any, length: int) -> Any:
    """What comes to one place is added in any order: n - 1 roundings of each."""
    most = max(Counter(index).values())
    if most < 2:
        return None
    return (most - 1.0) * m.put(m.abs(x), axis=axis, index=index, length=length)


def of_logaddexp(m: Any, y: Any, a: Any, b: Any) -> Any:
    """The larger operand plus a logarithm, which may cancel."""
    return 4.0 * (m.abs(y) + m.abs(m.maximum(a, b)))


# Correctly rounded: + - * / and the square root (IEEE 754). The functions: 4 ulps at
# worst for the vector code in NumPy (its SIMD loops promise less than 4 ulps), 1 ulp
# in SLEEF, which PyTorch calls, under 1 in glibc; an ulp is up to two units. Sigmoid
# and softplus are compositions of such functions; powers cost one logarithm's error
# times the exponent, which libraries compute in extended precision.
# fmt: off
SITES: Mapping[str, Callable[..., Any]] = {
    "neg":          exact,
    "exp":          relative(4),
    "log":          relative(4),
    "sin":          relative(4),
    "cos":          relative(4),
    "tanh":         relative(8),
    "sqrt":         relative(1),
    "abs":          exact,
    "sigmoid":      relative(8),
    "softplus":     relative(8),
    "sign":         exact,
    "expm1":        relative(4),
    "log1p":        relative(4),
    "sinh":         relative(8),
    "cosh":         relative(8),
    "asinh":        relative(8),
    "erf":          relative(8),
    "erfc":         relative(8),
    "add":          relative(1),
    "sub":          relative(1),
    "mul":          relative(1),
    "div":          relative(1),
    "pow":          relative(8),
    "power":        relative(8),
    "maximum":      exact,
    "where":        exact,
    "atan2":        relative(8),
    "hypot":        relative(4),
    "logaddexp":    of_logaddexp,
    "sum":          of_sum,
    "reshape":      exact,
    "transpose":    exact,
    "broadcast_to": exact,
    "matmul":       of_matmul,
    "cumsum":       of_cumsum,
    "slice":        exact,
    "step":         exact,
    "sech":         relative(8),
    "rise":         relative(8),
    "scale":        relative(2),
    "log_gamma":    relative(8),
    "polygamma":    relative(8),
    "pad":          exact,
    "take":         exact,
    "put":          of_put,
    "cumsum_back":  of_cumsum_back,
    "peak":         exact,
    "slack":        exact,
    "slack_back":   exact,
    "deviation2":   relative(4),
    "accumulate":   of_accumulate,
}
# fmt: on

# Sums of floats are exact where they are subnormal (Hauser, 1996).
NEVER_UNDERFLOWS = frozenset(
    {"add", "sub", "sum", "cumsum", "put", "cumsum_back", "accumulate", "slack"}
)
SUMS = frozenset({"sum", "matmul", "cumsum", "put", "cumsum_back", "accumulate"})

# How far the operands of a curved op may move before its slope is another one, to the
# nearest power of ten: a radian for sin, the distance to the pole for 1/b.
# fmt: off
CURVED: Mapping[str, Callable[..., tuple[Any, ...]]] = {
    "exp":       lambda x: (1.0,),
    "log":       lambda x: (abs(x),),
    "sin":       lambda x: (1.0,),
    "cos":       lambda x: (1.0,),
    "tanh":      lambda x: (1.0,),
    "sqrt":      lambda x: (abs(x),),
    "sigmoid":   lambda x: (1.0,),
    "softplus":  lambda x: (1.0,),
    "expm1":     lambda x: (1.0,),
    "log1p":     lambda x: (abs(1.0 + x),),
    "sinh":      lambda x: (1.0,),
    "cosh":      lambda x: (1.0,),
    "asinh":     lambda x: (np.hypot(1.0, x),),
    "erf":       lambda x: (1.0 / np.hypot(1.0, x),),
    "erfc":      lambda x: (1.0 / np.hypot(1.0, x),),
    "div":       lambda a, b: (np.inf, abs(b)),
    "pow":       lambda a, b: (abs(a), 1.0),
    "power":     lambda x: (abs(x),),
    "atan2":     lambda a, b: (np.hypot(a, b), np.hypot(a, b)),
    "hypot":     lambda a, b: (np.hypot(a, b), np.hypot(a, b)),
    "logaddexp": lambda a, b: (1.0, 1.0),
    "sech":      lambda x: (1.0,),
    "rise":      lambda x: (1.0,),
    "log_gamma": lambda x: (abs(x),),
    "polygamma": lambda x: (abs(x),),
}
# fmt: on
STRAIGHT = 1.0 / 16.0  # of that, where first order still holds

# Ops whose every honest implementation is forward stable, elementwise: the loose bound
# moves the operands of all others by an ulp.
# fmt: off
FORWARD_STABLE = frozenset({
    "neg", "sqrt", "abs", "add", "sub", "mul", "div", "maximum", "where", "relu", "exp",
    "sum", "mean", "reshape", "transpose", "broadcast_to", "matmul", "sign", "square",
    "rsqrt", "reciprocal", "leaky_relu", "minimum", "hypot", "clip", "prod", "max",
    "min", "softmax", "log_softmax", "norm", "cumsum", "slice", "concatenate",
    "stack", "einsum", "relu6", "hardtanh", "linear", "conv1d", "conv2d", "max_pool1d",
    "max_pool2d", "avg_pool1d", "avg_pool2d", "embedding", "dropout", "mse", "l1",
    "nll", "cross_entropy",
})
# fmt: on
