"""mpmath numbers at the precision in force: the arithmetic of the reference.

All numbers are real. An op outside its domain raises `OutsideDomain`, where mpmath
would turn to complex numbers.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from flint import arb, ctx
from mpmath import mp, mpf
from mpmath.libmp import from_man_exp

from gradverify.arithmetic import (
    balls,
    fixed_matrices,
    matrices,
    special_balls,
    spectra,
)
from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.floats import SELU, SELU_BELOW, STRUCTURE, pad_with, put_into
from gradverify.arithmetic.objects import (
    elementwise,
    lifting,
    matmul_from,
    peak_by,
    sum_from,
)
from gradverify.graph import OutsideDomain
from gradverify.ops.fixed_weights import Coefficient


def log(x: Any) -> Any:
    """The natural logarithm of x > 0."""
    if not x > 0:
        raise OutsideDomain(f"log of {mp.nstr(x)}")
    return mp.log(x)


def sqrt(x: Any) -> Any:
    """The square root of x >= 0."""
    if not x >= 0:
        raise OutsideDomain(f"sqrt of {mp.nstr(x)}")
    return mp.sqrt(x)


def div(a: Any, b: Any) -> Any:
    """a/b for b != 0."""
    if b == 0:
        raise OutsideDomain(f"{mp.nstr(a)} / 0")
    return a / b


def power_of(x: Any, n: Any) -> Any:
    """x**n, if that is real and finite."""
    if (x == 0 and n < 0) or (x < 0 and n != int(n)):
        raise OutsideDomain(f"{mp.nstr(x)} ** {mp.nstr(n)}")
    return mp.power(x, n)


def step(x: Any) -> Any:
    """0 below 0, 1/2 at 0, and 1 above it."""
    return mpf(1) if x > 0 else mpf(0) if x < 0 else mpf("0.5")


def cbrt(x: Any) -> Any:
    """The real cube root."""
    return mp.sign(x) * mp.cbrt(abs(x))


def sigmoid(x: Any) -> Any:
    """1/(1 + exp(-x))."""
    return 1 / (1 + mp.exp(-x))


def power(x: Any, *, n: float) -> Any:
    """x**n, elementwise."""
    return elementwise(lambda t: power_of(t, mpf(n)), 1)(x)


def maximum(a: Any, b: Any) -> Any:
    """The larger of two numbers."""
    return a if a >= b else b


def log1p(x: Any) -> Any:
    """log(1 + x) for x > -1."""
    if not x > -1:
        raise OutsideDomain(f"log1p of {mp.nstr(x)}")
    return mp.log1p(x)


def atan2(a: Any, b: Any) -> Any:
    """The angle of (b, a), off the cut along negative b."""
    if a == 0 and b <= 0:
        raise OutsideDomain(f"atan2 of 0, {mp.nstr(b)}")
    return mp.atan2(a, b)


def logaddexp(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b))."""
    return maximum(a, b) + mp.log1p(mp.exp(-abs(a - b)))


GUARD = 64  # bits more, so that what arb gives is right to the precision in force


def from_balls(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function by arb, where mpmath is too slow or does not end.

    Only values come from arb. What is differenced is still no derivative.
    """

    def apply(x: Any) -> Any:
        with ctx.workprec(mp.prec + GUARD):
            ball = function(ball_of(x))
            if not ball.is_finite():
                raise OutsideDomain(f"a function of {mp.nstr(x)}")
        return rounded(ball)

    return apply


def ball_of(x: Any) -> Any:
    """The number as a ball without a radius."""
    sign, mantissa, exponent, _ = mpf(x)._mpf_
    whole = arb(-int(mantissa) if sign else int(mantissa))
    return whole * arb(2) ** exponent


def rounded(ball: Any) -> Any:
    """The middle of a ball, rounded to the precision in force."""
    mantissa, exponent = ball.mid().man_exp()
    return +mp.make_mpf(from_man_exp(int(mantissa), int(exponent)))


# A large product is taken by arb. Every sum is rounded once, as `mp.fdot` rounds it.
NUMBERS = matrices.Numbers(
    into=ball_of, out_of=rounded, bits=lambda: int(mp.prec) + GUARD
)


def of_gamma(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The function by arb, but at the poles of gamma: 0, -1, -2, ..."""
    inside = from_balls(function)

    def apply(x: Any) -> Any:
        if x <= 0 and x == mp.floor(x):
            raise OutsideDomain(f"lgamma, or a derivative of it, of {mp.nstr(x)}")
        return inside(x)

    return apply


def polygamma(x: Any, *, n: int) -> Any:
    """The n-th derivative of digamma."""
    return elementwise(of_gamma(lambda t: balls.polygamma_of(t, n)), 1)(x)


def gamma_orders(a: Any, x: Any, *, n: int, upper: bool) -> Any:
    """The n-th derivative by a of a regularised incomplete gamma function.

    It is taken by quotients of the tail that is smaller, so that its digits are kept.
    """

    def of_number(s: Any, t: Any) -> Any:
        if s <= 0 or t <= 0:
            raise OutsideDomain(f"the gamma function of {mp.nstr(s)} from {mp.nstr(t)}")
        right = upper if n == 0 else t > s
        ends = (t, mp.inf) if right else (mpf(0), t)
        found = mp.diff(lambda u: mp.gammainc(u, *ends, regularized=True), s, n)
        return found if right == upper else -found

    return elementwise(of_number, 2)(a, x)


def of_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a ball, elementwise for numbers; its params are constants."""

    def apply(x: Any, **params: Any) -> Any:
        return elementwise(from_balls(lambda t: function(t, **params)), 1)(x)

    return apply


# These are functions, because the digits depend on the precision in force.
CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "log(2)": lambda: mp.log(2),
    "1/log(2)": lambda: 1 / mp.log(2),
    "1/log(10)": lambda: 1 / mp.log(10),
    "sqrt(1/2)": lambda: mp.sqrt(mpf(0.5)),
    "sqrt(2/pi)": lambda: mp.sqrt(2 / mp.pi),
    "sqrt(2)": lambda: mp.sqrt(2),
    "sqrt(pi)/2": lambda: mp.sqrt(mp.pi) / 2,
    "pi": lambda: +mp.pi,
    "log(pi)": lambda: mp.log(mp.pi),
    "log(2 pi)": lambda: mp.log(2 * mp.pi),
    "2/sqrt(pi)": lambda: 2 / mp.sqrt(mp.pi),
    "180/pi": lambda: 180 / mp.pi,
    "pi/180": lambda: mp.pi / 180,
    "selu": lambda: mpf(SELU),
    "selu below": lambda: mpf(SELU) * mpf(SELU_BELOW),
}


def scale(x: Any, *, by: str) -> Any:
    """x times the constant of that name."""
    return x * CONSTANTS[by]()


def coefficient(c: Coefficient) -> Any:
    """A coefficient of a fixed matrix, rounded to the precision in force."""
    with ctx.workprec(mp.prec + GUARD):
        return rounded(fixed_matrices.ball_of(c))


def lift(x: float) -> Any:
    """The same number, exactly."""
    return mpf(x)


SPECIAL = {
    name: of_numbers(function) for name, function in special_balls.SPECIAL.items()
}


def beside_arrays(number: Callable[..., Any], ufunc: np.ufunc) -> Callable[..., Any]:
    """An operation of which the left side may be a number and the right one an array.

    mpmath first tries to make a number of such an array, and prints it into an error
    that nobody sees: an eighth of the time of a reference.
    """

    def apply(a: Any, b: Any) -> Any:
        mixed = isinstance(a, mpf) and isinstance(b, np.ndarray)
        return ufunc(a, b) if mixed else number(a, b)

    return apply


# fmt: off
PRIMITIVES: dict[str, Callable[..., Any]] = STRUCTURE | SPECIAL | {
    "neg":       lambda x: -x,
    "exp":       elementwise(mp.exp, 1),
    "log":       elementwise(log, 1),
    "sin":       elementwise(mp.sin, 1),
    "cos":       elementwise(mp.cos, 1),
    "tanh":      elementwise(mp.tanh, 1),
    "sqrt":      elementwise(sqrt, 1),
    "abs":       elementwise(abs, 1),
    "sigmoid":   elementwise(sigmoid, 1),
    "softplus":  elementwise(lambda x: mp.log1p(mp.exp(x)), 1),
    "sign":      elementwise(mp.sign, 1),
    "expm1":     elementwise(mp.expm1, 1),
    "log1p":     elementwise(log1p, 1),
    "sinh":      elementwise(mp.sinh, 1),
    "cosh":      elementwise(mp.cosh, 1),
    "asinh":     elementwise(mp.asinh, 1),
    "erf":       elementwise(from_balls(arb.erf), 1),
    "erfc":      elementwise(from_balls(arb.erfc), 1),
    "add":       beside_arrays(operator.add, np.add),
    "sub":       beside_arrays(operator.sub, np.subtract),
    "mul":       beside_arrays(operator.mul, np.multiply),
    "div":       elementwise(div, 2),
    "pow":       elementwise(power_of, 2),
    "power":     power,
    "maximum":   elementwise(maximum, 2),
    "atan2":     elementwise(atan2, 2),
    "hypot":     elementwise(mp.hypot, 2),
    "middle":    elementwise(lambda a, b: mp.sqrt(a * b), 2),
    "logaddexp": elementwise(logaddexp, 2),
    "sum":       sum_from(mpf(0)),
    "matmul":    matrices.matmul_large(matmul_from(mpf(0)), NUMBERS),
    "step":      elementwise(step, 1),
    "jump":      elementwise(step, 1),
    "cbrt":      elementwise(cbrt, 1),
    "floor":     elementwise(mp.floor, 1),
    "sech":      elementwise(mp.sech, 1),
    "eigenvalues": spectra.each_matrix(spectra.in_mpmath(ball_of, rounded)),
    "rise":      elementwise(lambda x: 2 * sigmoid(2 * x), 1),
    "scale":     scale,
    "coefficients": fixed_matrices.each(coefficient, lambda: int(mp.prec)),
    "log_gamma": elementwise(of_gamma(balls.log_gamma), 1),
    "polygamma": polygamma,
    "gamma_orders": gamma_orders,
    "pad":       pad_with(mpf(0)),
    "put":       put_into(mpf(0)),
    "peak":      peak_by(maximum),
}
# fmt: on

LIFT = matrices.lifting_large(lifting(lift), NUMBERS)
MULTIPRECISION = Arithmetic("mpmath", PRIMITIVES, LIFT, lifts_literals=True)
