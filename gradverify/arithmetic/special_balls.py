"""Special functions of a ball. Each is accurate to the precision in force, or says so.

Where arb loses digits it is asked again at more precision, as long as that helps. What
is lost to the width of the operand no precision gives back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from flint import acb, arb, ctx

from gradverify.ops.special_expansions import bell

TRIES = 5  # each at as many bits more as the one before lacked
LOST = 16  # bits that a result may have less than its operand
MOST_TERMS = 20_000  # of a series
BELOW = 8  # bits below an operand's width that it is computed with

Function = Callable[..., Any]


def accurately(function: Function) -> Function:
    """The function of balls, at as much precision as its operands are worth."""

    def apply(*operands: Any, **params: Any) -> Any:
        xs, precision = [arb(x) for x in operands], ctx.prec
        worth = max(min(x.rel_accuracy_bits() for x in xs), 0)
        wanted = min(precision, worth) - LOST
        bits = min(precision, worth + BELOW)
        best, most = arb.nan(), -1
        for _ in range(TRIES):
            with ctx.workprec(bits):
                found = function(*xs, **params)
            accuracy = max(found.rel_accuracy_bits(), 0)
            helps = accuracy > most or not most
            if accuracy >= most:  # a series at more bits may enclose less tightly
                best, most = found, accuracy
            if found.is_zero() or most >= wanted or not helps:
                break
            bits += wanted - accuracy + LOST
        return +best

    return apply


def monotone(function: Function) -> Function:
    """A function that only grows, or only falls: of a ball it goes by both ends."""

    def apply(x: Any, **params: Any) -> Any:
        x = arb(x)
        if x.is_exact() or not x.is_finite():
            return function(x, **params)
        low, high = (function(end, **params) for end in (x.lower(), x.upper()))
        return low.union(high)

    return apply


# ---- Bessel functions


def _spherical(x: Any, n: int) -> Any:
    """The spherical function of the first family, by 0F1 (DLMF 10.53.1); entire."""
    factors = 1
    for k in range(3, 2 * n + 2, 2):
        factors *= k
    power = math.prod([x] * n, start=arb(1))  # arb has none of a ball around 0
    return power / factors * (-x * x / 4).hypgeom_0f1(arb(n) + arb("1.5"))


@monotone
def _second_kind(x: Any, *, n: int, scaled: bool) -> Any:
    """The modified function K of order n, or that times exp(x).

    arb takes order 0 alone without a limit in the order, which lasts for hours where x
    is about a fourth of the precision. The next order is by the Wronskian I₀K₁ + I₁K₀ =
    1/x (DLMF 10.28.2), of which the two parts are alike for large x; the others are by
    the recurrence (DLMF 10.29.1), whose parts are positive.
    """
    if not x > 0:
        return arb.nan()
    order = x.bessel_k(0, scaled=scaled)
    if n == 0:
        return order
    i0, i1 = (x.bessel_i(k, scaled=scaled) for k in (0, 1))
    following = (1 / x - i1 * order) / i0
    for k in range(1, n):
        order, following = following, order + 2 * k * following / x
    return following


# fmt: off
BESSEL: Mapping[str, Function] = {
    "j":         lambda x, n: x.bessel_j(n),
    "y":         lambda x, n: x.bessel_y(n) if x > 0 else arb.nan(),
    "i":         lambda x, n: x.bessel_i(n),
    "k":         lambda x, n: _second_kind(x, n=n, scaled=False),
    "scaled i":  lambda x, n: x.bessel_i(n, scaled=True),
    "scaled k":  lambda x, n: _second_kind(x, n=n, scaled=True),
    "spherical": _spherical,
}
# fmt: on


@accurately
def bessel(x: Any, *, family: str, n: int) -> Any:
    """A Bessel function of integer order."""
    return BESSEL[family](x, n)


# ---- the normal distribution

BEYOND = 2  # from here on, exp(x²) erfc(x) is taken by Tricomi's function


@monotone
@accurately
def erfcx(x: Any) -> Any:
    """exp(x²) erfc(x); for large x by DLMF 7.11.3, which has no exponential."""
    if x > BEYOND:
        return (x * x).hypgeom_u(arb("0.5"), arb("0.5")) / arb.pi().sqrt()
    return (x * x).exp() * x.erfc()


@monotone
@accurately
def log_ndtr(x: Any) -> Any:
    """The logarithm of the normal distribution function."""
    z = x / arb(2).sqrt()
    if x < 0:
        return (erfcx(-z) / 2).log() - z * z
    return (-(-z * z).exp() * erfcx(z) / 2).log1p()


@monotone
@accurately
def erfinv(x: Any) -> Any:
    """The inverse of erf."""
    return x.erfinv()


@monotone
@accurately
def erfcinv(x: Any) -> Any:
    """The inverse of erfc."""
    return x.erfcinv()


# ---- dilogarithm and zeta


@monotone
@accurately
def spence(x: Any) -> Any:
    """The dilogarithm of 1 - x."""
    return (1 - x).polylog(2) if x > 0 else arb.nan()


@monotone
@accurately
def log_quotient(x: Any, *, n: int) -> Any:
    """The n-th derivative of log(x) / (x - 1), by DLMF 15.4.1 and 15.5.2 around 1.

    Away from there it is that of a product; the series takes arb minutes far out.
    """
    if not x > 0:
        return arb.nan()
    if abs(x - 1) < 0.5:
        whole = (1 - x).hypgeom_2f1(1 + n, 1 + n, 2 + n)
        return (-1) ** n * arb(n).fac() / (n + 1) * whole
    logs = [
        x.log(),
        *((-1) ** (k - 1) * arb(k - 1).fac() / x**k for k in range(1, n + 1)),
    ]
    rest = [(-1) ** k * arb(k).fac() / (x - 1) ** (k + 1) for k in range(n + 1)]
    terms = (math.comb(n, k) * logs[k] * rest[n - k] for k in range(n + 1))
    return sum(terms, arb(0))


@monotone
@accurately
def zeta(x: Any, *, s: float) -> Any:
    """Hurwitz's zeta of s, as a function of its second argument."""
    return acb(s).zeta(acb(x)).real if x > 0 else arb.nan()


# ---- incomplete gamma and beta functions


@monotone
@accurately
def gamma_lower(x: Any, *, a: float) -> Any:
    """The regularised lower incomplete gamma function."""
    return x.gamma_lower(arb(a), regularized=1) if x > 0 else arb.nan()


@monotone
@accurately
def gamma_upper(x: Any, *, a: float) -> Any:
    """The regularised upper incomplete gamma function."""
    return x.gamma_upper(arb(a), regularized=1) if x > 0 else arb.nan()


@monotone
@accurately
def beta_lower(x: Any, *, a: float, b: float) -> Any:
    """The regularised incomplete beta function; beyond 1/2 by its reflection."""
    if not (x > 0 and x < 1):
        return arb.nan()
    if x > 0.5:
        return 1 - (1 - x).beta_lower(arb(b), arb(a), regularized=1)
    return x.beta_lower(arb(a), arb(b), regularized=1)


@accurately
def gamma_orders(a: Any, x: Any, *, n: int, upper: bool) -> Any:
    """The n-th derivative by a of the regularised incomplete gamma function.

    The lower one is a series of positive terms x**k exp(-x) / gamma(k + 1), where k is
    a + 0, 1, … (DLMF 8.7.1), which is differentiated term by term. What follows after
    the last term is at most three times that, with n factors that grow by less than
    1/4 as a whole.
    """
    if not (a > 0 and x > 0):
        return arb.nan()
    if n == 0 and upper:
        return x.gamma_upper(a, regularized=1)
    if 2 * x > a + MOST_TERMS:  # it would take more terms than are allowed
        return arb.nan()
    at = a + 1
    term = (a * x.log() - x - at.lgamma()).exp()
    slopes = [x.log() - at.digamma()] if n else []
    slopes += [(-1) ** k * arb(k).fac() * arb(k + 1).zeta(at) for k in range(1, n)]
    total, k, smallest = arb(0), 0, arb(2) ** (-ctx.prec - LOST)
    while True:
        total += term * bell(slopes, arb(1))
        most = term * (1 + sum(map(abs, slopes), arb(0))) ** n
        if at > 2 * x and k >= 4 * n and not most > smallest * abs(total):
            break
        if not most.is_finite() or k > MOST_TERMS:
            return arb.nan()
        term = term * x / at
        slopes = [
            u - (-1) ** j * arb(j).fac() / at ** (j + 1) for j, u in enumerate(slopes)
        ]
        at, k = at + 1, k + 1
    total += arb(0, (3 * most).abs_upper())
    return -total if upper else total


# fmt: off
SPECIAL: dict[str, Function] = {
    "bessel":       bessel,
    "erfcx":        erfcx,
    "log_ndtr":     log_ndtr,
    "erfinv":       erfinv,
    "erfcinv":      erfcinv,
    "spence":       spence,
    "log_quotient": log_quotient,
    "zeta":         zeta,
    "gamma_lower":  gamma_lower,
    "gamma_upper":  gamma_upper,
    "beta_lower":   beta_lower,
}
# fmt: on
