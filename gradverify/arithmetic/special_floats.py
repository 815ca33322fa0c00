"""Special functions of floats, by SciPy, which is loaded when one is first called."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Function = Callable[..., Any]


def in_doubles(function: Function) -> Function:
    """The function of `scipy.special` and a double, in the dtype of what is given.

    SciPy has no loops for long doubles. In single precision it has some, whose
    accuracy is another one: floats are computed as doubles as well.
    """

    def apply(x: Any, **params: Any) -> Any:
        from scipy import special

        wide = np.asarray(x, np.float64)
        with np.errstate(all="ignore"):
            return np.asarray(function(special, wide, **params), x.dtype)[()]

    return apply


DIGITS = 96  # bits, so that a double that is rounded from them is right
LARGE = 1e9  # where SciPy's scaled functions give up, three terms of a series are all
SMALL = 1e-9  # below it the first term of a power series is all, and SciPy may give up


def beyond(x: Any, y: Any, c: float, n: int, sign: int) -> Any:
    """y, and where x is large sqrt(c / x) times a series in 1 / x.

    sign: of the terms of odd degree, -1 for I (DLMF 10.40.1) and 1 for K (10.40.2).
    """
    large = np.where(x > LARGE, x, np.inf)
    first = sign * (4.0 * n**2 - 1.0) / (8.0 * large)
    second = first * sign * (4.0 * n**2 - 9.0) / (16.0 * large)
    return np.where(x > LARGE, np.sqrt(c / large) * (1.0 + (first + second)), y)


def _grown(x: Any) -> Any:
    """What makes exp(-x) of the exp(-|x|) of SciPy."""
    return np.exp(np.abs(x) - x)


def _scaled_k(special: Any, n: int, x: Any) -> Any:
    """exp(x) K; SciPy's K of an order from 2 on is 0 from 697 on already."""
    return beyond(x, special.kve(n, x), 0.5 * np.pi, n, 1)


# fmt: off
BESSEL: Mapping[str, Function] = {
    "j":         lambda special, n, x: special.jv(n, x),
    "y":         lambda special, n, x: special.yn(n, x),
    "i":         lambda special, n, x: special.iv(n, x),
    "k":         lambda special, n, x: _scaled_k(special, n, x) * np.exp(-x),
    "scaled i":  lambda special, n, x: special.ive(n, x) * _grown(x),
    "scaled k":  lambda special, n, x: _scaled_k(special, n, x),
    "spherical": lambda special, n, x: special.spherical_jn(n, x),
}
NAMED: Mapping[tuple[str, int], str] = {
    ("j", 0): "j0", ("j", 1): "j1", ("y", 0): "y0", ("y", 1): "y1",
    ("i", 0): "i0", ("i", 1): "i1", ("k", 0): "k0", ("k", 1): "k1",
    ("scaled i", 0): "i0e", ("scaled i", 1): "i1e",
}
"""The orders for which SciPy has faster functions, that are more accurate."""
# fmt: on


@in_doubles
def bessel(special: Any, x: Any, *, family: str, n: int) -> Any:
    """A Bessel function of integer order; near 0 by DLMF 10.7.3, 10.30.1, 10.52.1."""
    name = NAMED.get((family, n))
    if name is None:
        found = BESSEL[family](special, n, x)
    else:
        found = getattr(special, name)(x)
        found = found * _grown(x) if family == "scaled i" else found
    if family == "scaled i":
        found = beyond(x, found, 0.5 / np.pi, n, -1)
    if family in ("j", "i", "scaled i", "spherical") and n > 1:
        odd = math.prod(range(3, 2 * n + 2, 2))
        first = x**n / (odd if family == "spherical" else 2.0**n * math.factorial(n))
        first = first * np.exp(-x) if family == "scaled i" else first
        found = np.where(np.abs(x) < SMALL, first, found)
    if family == "spherical" and n == 1:
        found = np.where(np.abs(x) < SMALL, x / 3.0, found)
    return found


@in_doubles
def log_quotient(special: Any, x: Any, *, n: int) -> Any:
    """The n-th derivative of log(x) / (x - 1)."""
    near = np.abs(x - 1.0) < 0.5
    factor = (-1) ** n * math.factorial(n) / (n + 1)
    close = factor * special.hyp2f1(1 + n, 1 + n, 2 + n, 1.0 - np.where(near, x, 1.0))
    off = np.where(near, 2.0, x)
    far = np.log(off) / (off - 1.0)
    for k in range(1, n + 1):
        slope = (-1) ** (k - 1) * math.factorial(k - 1) / off**k
        far = (slope - k * far) / (off - 1.0)
    return np.where(near, close, far)


@in_doubles
def gamma_lower(special: Any, x: Any, *, a: float) -> Any:
    """The lower incomplete gamma function; of a = 1/2 near 0 it is an erf."""
    found = special.gammainc(a, x)
    return np.where(x < 1.2, special.erf(np.sqrt(x)), found) if a == 0.5 else found


@in_doubles
def gamma_upper(special: Any, x: Any, *, a: float) -> Any:
    """The upper incomplete gamma function.

    SciPy's series of log(gamma(1 + a)) lacks digits at a = 1/2, where it is an erfc.
    """
    found = special.gammaincc(a, x)
    return np.where(x < 1.2, special.erfc(np.sqrt(x)), found) if a == 0.5 else found


def gamma_orders(a: Any, x: Any, *, n: int, upper: bool) -> Any:
    """By balls, as SciPy has no derivative by a."""
    from flint import arb, ctx

    from gradverify.arithmetic import special_balls

    def of_number(s: Any, t: Any) -> float:
        found = special_balls.gamma_orders(arb(s), arb(t), n=n, upper=upper)
        return float(found.mid()) if found.is_finite() else math.nan

    wide = (np.asarray(v, np.float64) for v in (a, x))
    with ctx.workprec(DIGITS):
        found = np.vectorize(of_number, otypes=[np.float64])(*wide)
    return np.asarray(found, np.result_type(a, x))[()]


# fmt: off
SPECIAL: dict[str, Function] = {
    "bessel":       bessel,
    "erfcx":        in_doubles(lambda special, x: special.erfcx(x)),
    "log_ndtr":     in_doubles(lambda special, x: special.log_ndtr(x)),
    "erfinv":       in_doubles(lambda special, x: special.erfinv(x)),
    "erfcinv":      in_doubles(lambda special, x: special.erfcinv(x)),
    "spence":       in_doubles(lambda special, x: special.spence(x)),
    "log_quotient": log_quotient,
    "zeta":         in_doubles(lambda special, x, s: special.zeta(s, x)),
    "gamma_lower":  gamma_lower,
    "gamma_upper":  gamma_upper,
    "beta_lower":   in_doubles(lambda special, x, a, b: special.betainc(a, b, x)),
}
# fmt: on
