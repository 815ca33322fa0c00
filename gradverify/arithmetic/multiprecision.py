"""mpmath numbers at the precision in force: the arithmetic of the reference.

Real only: an op outside its domain raises `Domain` instead of going complex.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import mp, mpf

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.floats import STRUCTURE
from gradverify.arithmetic.objects import (
    elementwise,
    lifting,
    matmul_from,
    peak_by,
    sum_from,
)
from gradverify.graph import Domain


def log(x: Any) -> Any:
    """The natural logarithm of x > 0."""
    if not x > 0:
        raise Domain(f"log of {mp.nstr(x)}")
    return mp.log(x)


def sqrt(x: Any) -> Any:
    """The square root of x >= 0."""
    if not x >= 0:
        raise Domain(f"sqrt of {mp.nstr(x)}")
    return mp.sqrt(x)


def div(a: Any, b: Any) -> Any:
    """a/b for b != 0."""
    if b == 0:
        raise Domain(f"{mp.nstr(a)} / 0")
    return a / b


def power_of(x: Any, n: Any) -> Any:
    """x**n where it is real and finite."""
    if (x == 0 and n < 0) or (x < 0 and n != int(n)):
        raise Domain(f"{mp.nstr(x)} ** {mp.nstr(n)}")
    return mp.power(x, n)


def step(x: Any) -> Any:
    """0, 1/2, 1 below, at and above 0."""
    return mpf(1) if x > 0 else mpf(0) if x < 0 else mpf("0.5")


def sigmoid(x: Any) -> Any:
    """1/(1 + exp(-x))."""
    return 1 / (1 + mp.exp(-x))


def power(x: Any, *, n: float) -> Any:
    """x**n, elementwise."""
    return elementwise(lambda t: power_of(t, mpf(n)), 1)(x)


def maximum(a: Any, b: Any) -> Any:
    """The larger of two numbers."""
    return a if a >= b else b


def lift(x: float) -> Any:
    """The same number, exactly."""
    return mpf(x)


# fmt: off
PRIMITIVES: dict[str, Callable[..., Any]] = STRUCTURE | {
    "neg":      lambda x: -x,
    "exp":      elementwise(mp.exp, 1),
    "log":      elementwise(log, 1),
    "sin":      elementwise(mp.sin, 1),
    "cos":      elementwise(mp.cos, 1),
    "tanh":     elementwise(mp.tanh, 1),
    "sqrt":     elementwise(sqrt, 1),
    "abs":      elementwise(abs, 1),
    "sigmoid":  elementwise(sigmoid, 1),
    "softplus": elementwise(lambda x: mp.log1p(mp.exp(x)), 1),
    "add":      lambda a, b: a + b,
    "sub":      lambda a, b: a - b,
    "mul":      lambda a, b: a * b,
    "div":      elementwise(div, 2),
    "pow":      elementwise(power_of, 2),
    "power":    power,
    "maximum":  elementwise(maximum, 2),
    "step":     elementwise(step, 1),
    "sign":     elementwise(mp.sign, 1),
    "sum":      sum_from(mpf(0)),
    "matmul":   matmul_from(mpf(0)),
    "sech":     elementwise(mp.sech, 1),
    "peak":     peak_by(maximum),
}
# fmt: on

MULTIPRECISION = Arithmetic("mpmath", PRIMITIVES, lifting(lift), lifts_literals=True)
