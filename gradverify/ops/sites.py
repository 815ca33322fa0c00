"""Sites: how large the rounding at an op may be, in units of the unit roundoff."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.ops.shapes import axes_of


@dataclass(frozen=True)
class Site:
    """Where a library rounds: at the result of a primitive.

    size: `(m, y, *x, **params)` to the size of the rounding over an arithmetic `m`, in
        units of the unit roundoff; None where nothing is rounded.
    underflows: whether a result below the smallest normal number is rounded as well.
        Sums of floats are exact there (Hauser, 1996).
    adds: whether the size holds all summands, which in some order overflow first.
    """

    size: Callable[..., Any]
    underflows: bool = True
    adds: bool = False


def blocked(count: int) -> float:
    """How often a summand of a blocked sum of `count` terms is rounded, at most.

    n - 1 for a plain loop; 2 sqrt(n) covers pairwise and blocked sums, and the
    random walk of the signs in long plain ones (Higham and Mary, 2019).
    """
    return min(max(count - 1.0, 0.0), 2.0 * math.sqrt(count))


# ---- sizes


def relative(units: float) -> Site:
    """A result that is off by `units` roundings of itself."""
    return Site(lambda m, y, *x, **params: units * m.abs(y))


def nothing(m: Any, y: Any, *x: Any, **params: Any) -> Any:
    """A result that is not rounded."""
    return None


def _sum(m: Any, y: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """Every summand may be rounded as often as a blocked sum rounds it."""
    shape = np.shape(x)
    count = math.prod(shape[a] for a in axes_of(shape, axis))
    if count < 2:
        return None
    return blocked(count) * m.sum(m.abs(x), axis=axis, keepdims=keepdims)


def _matmul(m: Any, y: Any, a: Any, b: Any) -> Any:
    """Every product is rounded, and then summed as a blocked sum."""
    return (1.0 + blocked(np.shape(a)[-1])) * m.matmul(m.abs(a), m.abs(b))


def _accumulate(m: Any, y: Any, *terms: Any) -> Any:
    """A fan-out is summed in an order nobody fixed: n - 1 roundings of each term."""
    total = m.abs(terms[0])
    for term in terms[1:]:
        total = total + m.abs(term)
    return (len(terms) - 1.0) * total


def _cumsum(m: Any, y: Any, x: Any, *, axis: Any) -> Any:
    """A scan adds one element after the other: n - 1 roundings of each."""
    return (np.shape(x)[axis[0]] - 1.0) * m.cumsum(m.abs(x), axis=axis)


def _cumsum_back(m: Any, y: Any, x: Any, *, axis: Any) -> Any:
    """As `_cumsum`, from the end."""
    return (np.shape(x)[axis[0]] - 1.0) * m.cumsum_back(m.abs(x), axis=axis)


def _put(m: Any, y: Any, x: Any, *, axis: Any, index: Any, length: int) -> Any:
    """What comes to one place is added in any order: n - 1 roundings of each."""
    most = max(Counter(index).values())
    if most < 2:
        return None
    return (most - 1.0) * m.put(m.abs(x), axis=axis, index=index, length=length)


def _eigenvalues(m: Any, y: Any, x: Any) -> Any:
    """Each is off by roundings of the largest one, as many as there are."""
    largest = m.peak(m.abs(y), axis=(-1,), keepdims=True)
    return float(np.shape(y)[-1]) * largest


def _moved(m: Any, y: Any, x: Any, size: Any) -> Any:
    """What an algorithm is exact for may be off by a rounding of the size."""
    return m.abs(size)


def _logaddexp(m: Any, y: Any, a: Any, b: Any) -> Any:
    """The larger operand plus a logarithm, which may cancel."""
    return 4.0 * (m.abs(y) + m.abs(m.maximum(a, b)))


# ---- sites

# fmt: off
exact          = Site(nothing)
exact_sum      = Site(nothing, underflows=False)
rounded_sum    = Site(relative(1).size, underflows=False)
of_coefficients = Site(relative(2).size, underflows=False)
of_sum         = Site(_sum,             underflows=False, adds=True)
of_matmul      = Site(_matmul,          adds=True)
of_accumulate  = Site(_accumulate,      underflows=False, adds=True)
of_cumsum      = Site(_cumsum,          underflows=False, adds=True)
of_cumsum_back = Site(_cumsum_back,     underflows=False, adds=True)
of_put         = Site(_put,             underflows=False, adds=True)
of_logaddexp   = Site(_logaddexp)
of_eigenvalues = Site(_eigenvalues)
of_moved       = Site(_moved)
# fmt: on
