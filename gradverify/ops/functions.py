"""Expansions of elementwise ops into primitives, each in its numerically stable form.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LEAK = 0.01
"""The slope of leaky_relu below zero: the default of every library."""

CUBIC = 0.044715
"""The coefficient of x**3 in the tanh form of gelu (Hendrycks and Gimpel, 2016)."""

FLAT = 77.7
"""Beyond it, the tail of either form of gelu is below 1e-1000."""


def constant(m: Any, value: float) -> Any:
    """A number in a form that can be combined with any op."""
    return m.lift(np.float64(value))


def relu(m: Any, x: Any) -> Any:
    """max(x, 0)."""
    return m.maximum(x, constant(m, 0.0))


def leaky_relu(m: Any, x: Any) -> Any:
    """x above zero, a hundredth of it below."""
    return m.maximum(x, LEAK * x)


def elu(m: Any, x: Any) -> Any:
    """x above zero, exp(x) - 1 below.

    Both sides have the same slope at 0, so it is no kink.
    """
    return x * m.step(x) + m.expm1(x * m.step(-x))


def silu(m: Any, x: Any) -> Any:
    """x * sigmoid(x)."""
    return x * m.sigmoid(x)


def celu(m: Any, x: Any, *, alpha: float) -> Any:
    """x above zero, alpha (exp(x / alpha) - 1) below.

    The slopes agree, so it is no kink.
    """
    return x * m.step(x) + alpha * m.expm1(x * m.step(-x) / alpha)


def selu(m: Any, x: Any) -> Any:
    """A multiple of x above zero, of exp(x) - 1 below (Klambauer and others, 2017)."""
    above = m.scale(relu(m, x), by="selu")
    return above + m.scale(m.expm1(minimum(m, x, constant(m, 0.0))), by="selu below")


def mish(m: Any, x: Any) -> Any:
    """x * tanh(softplus(x))."""
    return x * m.tanh(m.softplus(x))


def relu6(m: Any, x: Any) -> Any:
    """x within [0, 6]."""
    return clip(m, x, low=0.0, high=6.0)


def hardtanh(m: Any, x: Any) -> Any:
    """x within [-1, 1]."""
    return clip(m, x, low=-1.0, high=1.0)


def hardswish(m: Any, x: Any) -> Any:
    """x * relu6(x + 3) / 6."""
    return x * relu6(m, x + 3.0) / 6.0


def softsign(m: Any, x: Any) -> Any:
    """x / (1 + |x|)."""
    return x / (1.0 + m.abs(x))


def log_sigmoid(m: Any, x: Any) -> Any:
    """log(sigmoid(x)), without overflow in either tail."""
    return -m.softplus(-x)


def gelu(m: Any, x: Any, *, approximate: str = "none") -> Any:
    """x times the normal distribution function, written so that its tail does not
    cancel.

    The usual formulas, 1 + erf and 1 + tanh, are wrong by a rounding of 1. Where x is
    huge, both functions are 0 or 1 in every format. Their operands overflow there long
    before x does, and a right formula still gives the right number.
    """
    near = m.step(FLAT - m.abs(x))
    inner = near * x
    if approximate == "tanh":
        bent = m.scale(inner + CUBIC * (inner * inner * inner), by="sqrt(2/pi)")
        bend = m.rise(bent)
    else:
        bend = m.erfc(-m.scale(inner, by="sqrt(1/2)"))
    far = 2.0 * ((1.0 - near) * m.step(x))
    return 0.5 * (x * (near * m.slack(bend, constant(m, 1.0)) + far))


def rise_error(d: Any, y: Any) -> Any:
    """The error of 1 - t*t, which libraries take for the derivative of 1 + tanh(x)."""
    del d
    return 16.0 * (y - 1.0) ** 2 + 1.0


def rise_error2(m: Any, d: Any, y: Any) -> Any:
    """The error of -2*t*(1 - t*t), the derivative of that."""
    del m, d
    return 34.0 * (y - 1.0) ** 2 + 4.0


def square(m: Any, x: Any) -> Any:
    """x * x."""
    return x * x


def rsqrt(m: Any, x: Any) -> Any:
    """1 / sqrt(x)."""
    return 1.0 / m.sqrt(x)


def reciprocal(m: Any, x: Any) -> Any:
    """1 / x."""
    return 1.0 / x


def exp2(m: Any, x: Any) -> Any:
    """2**x."""
    return m.exp(m.scale(x, by="log(2)"))


def log2(m: Any, x: Any) -> Any:
    """The logarithm to base 2."""
    return m.scale(m.log(x), by="1/log(2)")


def log10(m: Any, x: Any) -> Any:
    """The logarithm to base 10."""
    return m.scale(m.log(x), by="1/log(10)")


def tan(m: Any, x: Any) -> Any:
    """sin(x) / cos(x); the derivative becomes 1 + y*y, a sum without cancellation."""
    return m.sin(x) / m.cos(x)


def rooted(m: Any, x: Any, rest: Any) -> Any:
    """x, whose slope is usually taken with a root of x*x - 1 or 1 - x*x.

    The rounding of the square is all of the rest near 1. It is one of the slope alone:
    in acosh(x)**2, whose slope is finite at 1, it does not cancel as one of x does.
    """
    return m.slack_back(x, x * x / rest)


def asin(m: Any, x: Any) -> Any:
    """The angle of (sqrt(1 - x*x), x), which keeps its digits at both ends."""
    x = rooted(m, x, (1.0 - x) * (1.0 + x))
    return m.atan2(x, m.sqrt((1.0 - x) * (1.0 + x)))


def acos(m: Any, x: Any) -> Any:
    """The angle of (x, sqrt(1 - x*x))."""
    x = rooted(m, x, (1.0 - x) * (1.0 + x))
    return m.atan2(m.sqrt((1.0 - x) * (1.0 + x)), x)


def atan(m: Any, x: Any) -> Any:
    """The angle of (1, x)."""
    return m.atan2(x, constant(m, 1.0))


def acosh(m: Any, x: Any) -> Any:
    """asinh(sqrt(x*x - 1)), which keeps its digits at 1."""
    x = rooted(m, x, (x - 1.0) * (x + 1.0))
    return m.asinh(m.sqrt((x - 1.0) * (x + 1.0)))


def atanh(m: Any, x: Any) -> Any:
    """Half of log(1 + x) minus log(1 - x); the two logarithms have opposite signs."""
    return 0.5 * (m.log1p(x) - m.log1p(-x))


def lgamma(m: Any, x: Any) -> Any:
    """The logarithm of gamma.

    The usual sums (Lanczos) have terms of size 8, which cancel at 1 and 2.
    """
    size = m.abs(x)
    return m.slack(m.log_gamma(x), size * m.log1p(size) + 8.0)


def digamma(m: Any, x: Any) -> Any:
    """The derivative of lgamma.

    At its root the usual code (Cephes) subtracts ten reciprocals from a logarithm, and
    they cancel.
    """
    return m.slack(m.polygamma(x, n=0), m.log1p(m.abs(x)) + 8.0)


def minimum(m: Any, a: Any, b: Any) -> Any:
    """-max(-a, -b)."""
    return -m.maximum(-a, -b)


def clip(m: Any, x: Any, *, low: float, high: float) -> Any:
    """x within [low, high]."""
    return minimum(m, m.maximum(x, constant(m, low)), constant(m, high))
