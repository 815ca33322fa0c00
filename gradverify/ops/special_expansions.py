"""Expansions and rules of special functions, each in its numerically stable form.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.ops.functions import constant, lgamma

# ---- Bessel functions, each family by its recurrence (DLMF 10.6.1, 10.29.1, 10.51.2)

# How the derivative of order n goes by the orders below and above; and whether the
# function itself is added, or taken away, for the exponential that scales it.
SLOPES: Mapping[str, tuple[float, float, float]] = {
    "j": (0.5, -0.5, 0.0),
    "y": (0.5, -0.5, 0.0),
    "i": (0.5, 0.5, 0.0),
    "k": (-0.5, -0.5, 0.0),
    "scaled i": (0.5, 0.5, -1.0),
    "scaled k": (-0.5, -0.5, 1.0),
}


def bessel_partial(m: Any, y: Any, x: Any, *, family: str, n: int) -> Any:
    """The slope by neighbouring orders, which needs no division by x."""
    following = m.bessel(x, family=family, n=n + 1)
    if family == "spherical":  # by whole numbers: a third is none of any precision
        if n == 0:
            return -following
        before = m.bessel(x, family=family, n=n - 1)
        return (float(n) * before - (n + 1.0) * following) / (2.0 * n + 1.0)
    before, after, drift = SLOPES[family]
    if n == 0:  # the order -1 is that of 1, or its negative
        slope = following if after > 0 else -following
    else:
        slope = before * m.bessel(x, family=family, n=n - 1) + after * following
    return slope + drift * y if drift else slope


def sinc(m: Any, x: Any) -> Any:
    """sin(pi x) / (pi x): the spherical Bessel function of order 0."""
    return m.bessel(m.scale(x, by="pi"), family="spherical", n=0)


def bessel(family: str, n: int) -> Any:
    """The expansion of a Bessel function that may have roots.

    Code that sums or divides there, or reduces a large operand, is off by a rounding of
    the size that the function has near by.
    """

    def expansion(m: Any, x: Any) -> Any:
        size = 1.0 / m.sqrt(1.0 + m.abs(x))
        return m.slack(m.bessel(x, family=family, n=n), size)

    return expansion


def rootless(family: str, n: int) -> Any:
    """The expansion of a Bessel function without roots, but perhaps at 0."""
    return lambda m, x: m.bessel(x, family=family, n=n)


def i0e(m: Any, x: Any) -> Any:
    """exp(-|x|) I0(x), which is even and has a kink at 0."""
    return m.bessel(m.abs(x), family="scaled i", n=0)


def i1e(m: Any, x: Any) -> Any:
    """exp(-|x|) I1(x), which is odd; the slopes at 0 agree."""
    right = m.bessel(x * m.step(x), family="scaled i", n=1)
    return right - m.bessel(-x * m.step(-x), family="scaled i", n=1)


# ---- the normal distribution


def ndtr(m: Any, x: Any) -> Any:
    """The normal distribution function. The usual (1 + erf) / 2 rounds a 1."""
    tail = m.erfc(-m.scale(x, by="sqrt(1/2)"))
    return 0.5 * m.slack(tail, constant(m, 1.0))


def ndtri(m: Any, x: Any) -> Any:
    """The inverse of `ndtr`, which keeps its digits near 0."""
    return -m.scale(m.erfcinv(2.0 * x), by="sqrt(2)")


def erfcx_partial(m: Any, y: Any, x: Any) -> Any:
    """2 x y - 2 / sqrt(pi), as every library takes it; for large x both cancel."""
    return 2.0 * x * y - m.scale(0.0 * x + 1.0, by="2/sqrt(pi)")


def log_ndtr_partial(m: Any, y: Any, x: Any) -> Any:
    """The density over the distribution, without an exponential of either."""
    return m.scale(1.0 / m.erfcx(-m.scale(x, by="sqrt(1/2)")), by="sqrt(2/pi)")


def erfinv_partial(m: Any, y: Any, x: Any) -> Any:
    """sqrt(pi) / 2 exp(y²)."""
    return m.scale(m.exp(y * y), by="sqrt(pi)/2")


# ---- gamma and beta functions


def polygamma(m: Any, x: Any, *, n: int) -> Any:
    """The n-th derivative of digamma."""
    return m.polygamma(x, n=n)


def multigammaln(m: Any, x: Any, *, d: int) -> Any:
    """The logarithm of the multivariate gamma function (DLMF 35.3.4)."""
    total = m.scale(0.0 * x + d * (d - 1) / 4.0, by="log(pi)")
    for j in range(d):
        total = total + lgamma(m, x - 0.5 * j)
    return total


def betaln(m: Any, a: Any, b: Any) -> Any:
    """The logarithm of the beta function."""
    return lgamma(m, a) + lgamma(m, b) - lgamma(m, a + b)


def beta(m: Any, a: Any, b: Any) -> Any:
    """The beta function."""
    return m.exp(betaln(m, a, b))


def gammainc(m: Any, x: Any, *, a: float) -> Any:
    """The regularised lower incomplete gamma function."""
    return _of_exponential(m, m.gamma_lower(x, a=a), a * m.abs(m.log(x)) + x)


def gammaincc(m: Any, x: Any, *, a: float) -> Any:
    """The regularised upper incomplete gamma function."""
    return _of_exponential(m, m.gamma_upper(x, a=a), a * m.abs(m.log(x)) + x)


def igamma(m: Any, a: Any, x: Any) -> Any:
    """As `gammainc`, with slopes by both operands."""
    y = m.gamma_orders(a, x, n=0, upper=False)
    return _of_exponential(m, y, a * m.abs(m.log(x)) + x)


def igammac(m: Any, a: Any, x: Any) -> Any:
    """As `gammaincc`, with slopes by both operands."""
    y = m.gamma_orders(a, x, n=0, upper=True)
    return _of_exponential(m, y, a * m.abs(m.log(x)) + x)


def gamma_orders_by_a(m: Any, y: Any, a: Any, x: Any, *, n: int, upper: bool) -> Any:
    """The next derivative."""
    return m.gamma_orders(a, x, n=n + 1, upper=upper)


def gamma_orders_by_x(m: Any, y: Any, a: Any, x: Any, *, n: int, upper: bool) -> Any:
    """The n-th derivative by a of the density of the gamma distribution.

    The density is an exponential, so that this is a Bell polynomial in the derivatives
    of the exponent, times the density.
    """
    logarithm = m.log(x)
    density = m.exp((a - 1.0) * logarithm - x - m.log_gamma(a))
    slopes = [logarithm - m.polygamma(a, n=0)] if n else []
    slopes += [-m.polygamma(a, n=k) for k in range(1, n)]
    slope = bell(slopes, 1.0) * density
    return -slope if upper else slope


def bell(slopes: Sequence[Any], one: Any) -> Any:
    """The n-th derivative of exp(u), over exp(u), from the n first ones of u.

    The complete Bell polynomial (Comtet, 1974, section 3.3), over any numbers; `one` is
    their 1.
    """
    found = [one]
    for k in range(len(slopes)):
        terms = (math.comb(k, j) * found[k - j] * slopes[j] for j in range(k + 1))
        found.append(functools.reduce(operator.add, terms))
    return found[-1]


def betainc(m: Any, x: Any, *, a: float, b: float) -> Any:
    """The regularised incomplete beta function."""
    exponent = a * m.abs(m.log(x)) + b * m.abs(m.log1p(-x))
    return _of_exponential(m, m.beta_lower(x, a=a, b=b), exponent)


def _of_exponential(m: Any, y: Any, exponent: Any) -> Any:
    """y, which libraries take by an exponential, and so lose digits of its exponent.

    They compute the smaller of two parts of 1 so, and take the other as what is left.
    """
    return m.slack(y, exponent * (y * (1.0 - y)))


def gammainc_partial(m: Any, y: Any, x: Any, *, a: float) -> Any:
    """The density of the gamma distribution."""
    given = 0.0 * x + a
    return m.exp((given - 1.0) * m.log(x) - x - m.log_gamma(given))


def betainc_partial(m: Any, y: Any, x: Any, *, a: float, b: float) -> Any:
    """The density of the beta distribution."""
    one, two = (0.0 * x + v for v in (a, b))  # a - 1 and a + b may not be floats
    first, second, both = (m.log_gamma(v) for v in (one, two, one + two))
    whole = (one - 1.0) * m.log(x) + (two - 1.0) * m.log1p(-x)
    return m.exp(whole + (both - first - second))


def expit(m: Any, x: Any) -> Any:
    """1 / (1 + exp(-x)), under its other name."""
    return m.reshape(m.sigmoid(x), shape=np.shape(x))
