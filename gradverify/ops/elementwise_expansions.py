"""Expansions of further elementwise ops into primitives, each in its stable form.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradverify.ops.composites import softmax
from gradverify.ops.functions import clip, relu

# ---- logarithms times a factor


def xlogy(m: Any, a: Any, b: Any) -> Any:
    """a log(b); at a = 0 its slope by a is log(b) as everywhere."""
    return a * m.log(b)


def xlog1py(m: Any, a: Any, b: Any) -> Any:
    """a log(1 + b)."""
    return a * m.log1p(b)


def entr(m: Any, x: Any) -> Any:
    """-x log(x)."""
    return -(x * m.log(x))


def logit(m: Any, x: Any) -> Any:
    """log(x) - log(1 - x), which keeps the digits of an x near 0."""
    return m.log(x) - m.log1p(-x)


# ---- activations


def softshrink(m: Any, x: Any, *, lambd: float) -> Any:
    """x moved towards 0 by lambd, and 0 where it would pass it."""
    return relu(m, x - lambd) - relu(m, -x - lambd)


def hardshrink(m: Any, x: Any, *, lambd: float) -> Any:
    """x where |x| is above lambd, else 0."""
    return x * (m.jump(x - lambd) + m.jump(-x - lambd))


def tanhshrink(m: Any, x: Any) -> Any:
    """x - tanh(x), as every library takes it; near 0 both cancel."""
    return x - m.tanh(x)


def threshold(m: Any, x: Any, *, threshold: float, value: float) -> Any:
    """x above the threshold, the value below it."""
    return x * m.jump(x - threshold) + value * m.jump(threshold - x)


def rrelu(m: Any, x: Any, *, least: float, most: float) -> Any:
    """x above zero, below it x times the middle of both slopes: evaluation mode."""
    return relu(m, x) - ((least + most) / 2.0) * relu(m, -x)


def hardsigmoid(m: Any, x: Any) -> Any:
    """relu6(x + 3) / 6."""
    return clip(m, x + 3.0, low=0.0, high=6.0) / 6.0


def prelu(m: Any, x: Any, w: Any) -> Any:
    """x above zero, below it x times the weight of its channel."""
    if np.ndim(x) > 1:
        w = m.reshape(w, shape=(*np.shape(w), *(1,) * (np.ndim(x) - 2)))
    return relu(m, x) - w * relu(m, -x)


def glu(m: Any, x: Any, *, axis: Any) -> Any:
    """The first half along an axis times the sigmoid of the second half."""
    half = np.shape(x)[axis[0]] // 2
    first = m.slice(x, axis=axis, start=0, stop=half)
    return first * m.sigmoid(m.slice(x, axis=axis, start=half, stop=2 * half))


def softmin(m: Any, x: Any, *, axis: Any) -> Any:
    """The softmax of -x."""
    return softmax(m, -x, axis=axis)


# ---- steps


def ceil(m: Any, x: Any) -> Any:
    """The least whole number that is not below x."""
    return -m.floor(-x)


def trunc(m: Any, x: Any) -> Any:
    """The whole number next to x on the side of 0."""
    return m.jump(x) * m.floor(x) - m.jump(-x) * m.floor(-x)


def nearest(m: Any, x: Any) -> Any:
    """The nearest whole number; between two there is a jump."""
    return m.floor(x + 0.5)


def heaviside(m: Any, x: Any, *, value: float) -> Any:
    """0 below 0 and 1 above it; the value, at 0 alone, is at a jump."""
    del value
    return m.jump(x)


def copysign(m: Any, a: Any, b: Any) -> Any:
    """|a| with the sign of b."""
    return m.abs(a) * (m.jump(b) - m.jump(-b))


def fmod(m: Any, a: Any, b: Any) -> Any:
    """What is left of a, with its sign, when b is taken away as often as it fits."""
    return a - b * trunc(m, a / b)


def remainder(m: Any, a: Any, b: Any) -> Any:
    """a minus the greatest whole multiple of b that leaves the sign of b."""
    return a - b * m.floor(a / b)


# ---- sums and products


def rad2deg(m: Any, x: Any) -> Any:
    """An angle in degrees."""
    return m.scale(x, by="180/pi")


def deg2rad(m: Any, x: Any) -> Any:
    """An angle in radians."""
    return m.scale(x, by="pi/180")


def nan_to_num(m: Any, x: Any) -> Any:
    """x itself, of which every number is finite here."""
    return m.reshape(x, shape=np.shape(x))


def ldexp(m: Any, x: Any, *, exponent: int) -> Any:
    """x times a power of 2."""
    return 2.0**exponent * x


def lerp(m: Any, a: Any, b: Any, w: Any) -> Any:
    """The part w of the way from a to b.

    The usual form a + w (b - a) is off by a rounding of a and of what is added. Where a
    is broadcast, it sends a sum of cotangents back, less a sum of w times them.
    """
    y = (1.0 - w) * a + w * b
    return m.slack(m.slack(y, a), w * (b - a))


def addcmul(m: Any, x: Any, a: Any, b: Any, *, value: float) -> Any:
    """x plus a multiple of a product."""
    return x + value * (a * b)


def addcdiv(m: Any, x: Any, a: Any, b: Any, *, value: float) -> Any:
    """x plus a multiple of a quotient."""
    return x + value * (a / b)


def float_power(m: Any, x: Any, *, n: float) -> Any:
    """x**n, which libraries compute in doubles."""
    return m.power(x, n=n)
