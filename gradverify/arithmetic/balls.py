"""Balls (python-flint `arb`): every result encloses the exact one, at any precision.

The precision in force is `flint.ctx.prec`. Outside a domain a ball is NaN, which no
comparison takes for a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flint import arb

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.floats import STRUCTURE
from gradverify.arithmetic.objects import (
    elementwise,
    lifting,
    matmul_from,
    peak_by,
    sum_from,
)

HALF = arb("0.5")
BETWEEN = arb("0.5", "0.5")


def step(x: Any) -> Any:
    """0, 1/2, 1 below, at and above 0; [0, 1] where the sign is not decided."""
    if x > 0:
        return arb(1)
    if x < 0:
        return arb(0)
    return HALF if x.is_zero() else BETWEEN


def sigmoid(x: Any) -> Any:
    """1/(1 + exp(-x)), by the exponential that does not grow."""
    if x < 0:
        small = x.exp()
        return small / (1 + small)
    return 1 / (1 + (-x).exp())


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), without cancellation in either tail."""
    return x + (-x).exp().log1p() if x > 0 else x.exp().log1p()


def power_of(x: Any, n: Any) -> Any:
    """x**n; integer n by multiplication, which allows any x."""
    if isinstance(n, float) and n == int(n):
        n = int(n)
    if isinstance(n, int) and n > 0 and x.mid() == 0:  # where arb's own power is NaN
        return arb(0, x.rad() ** n)
    return x**n if isinstance(n, int) else x ** arb(n)


def power(x: Any, *, n: float) -> Any:
    """x**n, elementwise."""
    return elementwise(lambda t: power_of(t, n), 1)(x)


def maximum(a: Any, b: Any) -> Any:
    """A ball around the larger of two numbers."""
    return arb.max(arb(a), arb(b))


def sign(x: Any) -> Any:
    """-1, 0, 1 below, at and above 0."""
    return arb(x).sgn()


def modulus(x: Any) -> Any:
    """A ball around |x|."""
    return abs(arb(x))


# fmt: off
PRIMITIVES: dict[str, Callable[..., Any]] = STRUCTURE | {
    "neg":      lambda x: -x,
    "exp":      elementwise(arb.exp, 1),
    "log":      elementwise(arb.log, 1),
    "sin":      elementwise(arb.sin, 1),
    "cos":      elementwise(arb.cos, 1),
    "tanh":     elementwise(arb.tanh, 1),
    "sqrt":     elementwise(arb.sqrt, 1),
    "abs":      elementwise(modulus, 1),
    "sigmoid":  elementwise(sigmoid, 1),
    "softplus": elementwise(softplus, 1),
    "add":      lambda a, b: a + b,
    "sub":      lambda a, b: a - b,
    "mul":      lambda a, b: a * b,
    "div":      lambda a, b: a / b,
    "pow":      elementwise(power_of, 2),
    "power":    power,
    "maximum":  elementwise(maximum, 2),
    "step":     elementwise(step, 1),
    "sign":     elementwise(sign, 1),
    "sum":      sum_from(arb(0)),
    "matmul":   matmul_from(arb(0)),
    "sech":     elementwise(arb.sech, 1),
    "peak":     peak_by(maximum),
}
# fmt: on

BALLS = Arithmetic("balls", PRIMITIVES, lifting(arb), lifts_literals=True)
