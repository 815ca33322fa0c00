"""Balls (python-flint `arb`): every result encloses the exact one, at any precision.

The precision in force is `flint.ctx.prec`. Outside a domain the result is a NaN ball.
No comparison takes it for a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flint import acb, arb

from gradverify.arithmetic import fixed_matrices, matrices, special_balls, spectra
from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.floats import (
    SELU,
    SELU_BELOW,
    STRUCTURE,
    cot_slope,
    pad_with,
    put_into,
)
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
    """0 below 0, 1/2 at 0, 1 above it; [0, 1] if the sign is not decided."""
    if x > 0:
        return arb(1)
    if x < 0:
        return arb(0)
    return HALF if x.is_zero() else BETWEEN


def cbrt(x: Any) -> Any:
    """The real cube root; NaN where the sign is not decided."""
    return -((-x).root(3)) if x < 0 else arb(x).root(3)


def sigmoid(x: Any) -> Any:
    """1/(1 + exp(-x)), by the exponential that is at most 1."""
    if x < 0:
        small = x.exp()
        return small / (1 + small)
    return 1 / (1 + (-x).exp())


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), without cancellation in either tail."""
    return x + (-x).exp().log1p() if x > 0 else x.exp().log1p()


def power_of(x: Any, n: Any) -> Any:
    """x**n. For an integer n it is multiplied out, so that x may be any number."""
    if isinstance(n, float) and n == int(n):
        n = int(n)
    if isinstance(n, int) and n > 0 and x.mid() == 0:  # arb's own power is NaN there
        return arb(0, x.rad() ** n)
    return x**n if isinstance(n, int) else x ** arb(n)


def power(x: Any, *, n: float) -> Any:
    """x**n, elementwise."""
    return elementwise(lambda t: power_of(t, n), 1)(x)


def maximum(a: Any, b: Any) -> Any:
    """A ball around the larger of two numbers."""
    return arb.max(arb(a), arb(b))


def sign(x: Any) -> Any:
    """-1 below 0, 0 at 0, and 1 above it."""
    return arb(x).sgn()


def modulus(x: Any) -> Any:
    """A ball around |x|."""
    return abs(arb(x))


def atan2(a: Any, b: Any) -> Any:
    """A ball around the angle of (b, a); NaN on the cut along negative b."""
    a, b = arb(a), arb(b)
    return arb.nan() if a.contains(0) and not b > 0 else arb.atan2(a, b)


def hypot(a: Any, b: Any) -> Any:
    """A ball around sqrt(a*a + b*b)."""
    return (a * a + b * b).sqrt()


def middle(a: Any, b: Any) -> Any:
    """A ball around sqrt(a*b)."""
    return (arb(a) * b).sqrt()


def logaddexp(a: Any, b: Any) -> Any:
    """log(exp(a) + exp(b)), by the exponential that is at most 1."""
    return a + softplus(b - a) if a > b else b + softplus(a - b)


def log_gamma(x: Any) -> Any:
    """log|gamma(x)|."""
    return arb(x).lgamma() if x > 0 else acb(x).lgamma().real


REFLECTED = -50  # left of it a polygamma is that of 1 - x, and a cotangent


def horner(coefficients: Sequence[Any], x: Any) -> Any:
    """A polynomial of a ball; arb has no power of a ball around 0."""
    total = arb(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def polygamma_of(x: Any, n: int) -> Any:
    """The n-th derivative of digamma, for x > 0 by Hurwitz's zeta (DLMF 25.11.12).

    Left of `REFLECTED` it is reflected, as in floats far to the left: arb adds one term
    for each whole number between, which at thousands of bits takes minutes.
    """
    if n == 0:
        return arb(x).digamma()
    if x < REFLECTED:
        slope = horner(cot_slope(n), arb(x).cot_pi())
        return (-1) ** n * polygamma_of(1 - x, n) - arb.pi() ** (n + 1) * slope
    if not x > 0:
        return acb(x).polygamma(n).real
    return (-1) ** (n + 1) * arb(n).fac() * arb(n + 1).zeta(x)


def polygamma(x: Any, *, n: int) -> Any:
    """The n-th derivative of digamma, elementwise."""
    return elementwise(lambda t: polygamma_of(t, n), 1)(x)


def of_balls(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of a ball, elementwise; its params are constants."""
    return lambda x, **params: elementwise(lambda t: function(t, **params), 1)(x)


def of_two_balls(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two balls, elementwise; its params are constants."""
    return lambda a, x, **params: elementwise(lambda s, t: function(s, t, **params), 2)(
        a, x
    )


# These are functions, because the digits depend on the precision in force.
CONSTANTS: Mapping[str, Callable[[], Any]] = {
    "log(2)": arb.const_log2,
    "1/log(2)": lambda: 1 / arb.const_log2(),
    "1/log(10)": lambda: 1 / arb.const_log10(),
    "sqrt(1/2)": lambda: arb("0.5").sqrt(),
    "sqrt(2/pi)": lambda: (2 / arb.pi()).sqrt(),
    "sqrt(2)": lambda: arb(2).sqrt(),
    "sqrt(pi)/2": lambda: arb.pi().sqrt() / 2,
    "pi": arb.pi,
    "log(pi)": lambda: arb.pi().log(),
    "log(2 pi)": lambda: (2 * arb.pi()).log(),
    "2/sqrt(pi)": lambda: 2 / arb.pi().sqrt(),
    "180/pi": lambda: 180 / arb.pi(),
    "pi/180": lambda: arb.pi() / 180,
    "selu": lambda: arb(SELU),
    "selu below": lambda: arb(SELU) * arb(SELU_BELOW),
}


def scale(x: Any, *, by: str) -> Any:
    """x times the constant of that name."""
    return x * CONSTANTS[by]()


SPECIAL = {name: of_balls(function) for name, function in special_balls.SPECIAL.items()}

# fmt: off
PRIMITIVES: dict[str, Callable[..., Any]] = STRUCTURE | SPECIAL | {
    "neg":       lambda x: -x,
    "exp":       elementwise(arb.exp, 1),
    "log":       elementwise(arb.log, 1),
    "sin":       elementwise(arb.sin, 1),
    "cos":       elementwise(arb.cos, 1),
    "tanh":      elementwise(arb.tanh, 1),
    "sqrt":      elementwise(arb.sqrt, 1),
    "abs":       elementwise(modulus, 1),
    "sigmoid":   elementwise(sigmoid, 1),
    "softplus":  elementwise(softplus, 1),
    "sign":      elementwise(sign, 1),
    "expm1":     elementwise(arb.expm1, 1),
    "log1p":     elementwise(arb.log1p, 1),
    "sinh":      elementwise(arb.sinh, 1),
    "cosh":      elementwise(arb.cosh, 1),
    "asinh":     elementwise(arb.asinh, 1),
    "erf":       elementwise(arb.erf, 1),
    "erfc":      elementwise(arb.erfc, 1),
    "add":       lambda a, b: a + b,
    "sub":       lambda a, b: a - b,
    "mul":       lambda a, b: a * b,
    "div":       lambda a, b: a / b,
    "pow":       elementwise(power_of, 2),
    "power":     power,
    "maximum":   elementwise(maximum, 2),
    "atan2":     elementwise(atan2, 2),
    "hypot":     elementwise(hypot, 2),
    "middle":    elementwise(middle, 2),
    "logaddexp": elementwise(logaddexp, 2),
    "sum":       sum_from(arb(0)),
    "matmul":    matrices.matmul_large(matmul_from(arb(0)), matrices.BALLS),
    "step":      elementwise(step, 1),
    "jump":      elementwise(step, 1),
    "cbrt":      elementwise(cbrt, 1),
    "floor":     elementwise(lambda x: arb(x).floor(), 1),
    "sech":      elementwise(arb.sech, 1),
    "eigenvalues": spectra.each_matrix(spectra.in_balls),
    "rise":      elementwise(lambda x: 2 * sigmoid(2 * x), 1),
    "scale":     scale,
    "coefficients": fixed_matrices.in_balls,
    "log_gamma": elementwise(log_gamma, 1),
    "polygamma": polygamma,
    "gamma_orders": of_two_balls(special_balls.gamma_orders),
    "pad":       pad_with(arb(0)),
    "put":       put_into(arb(0)),
    "peak":      peak_by(maximum),
}
# fmt: on

LIFT = matrices.lifting_large(lifting(arb), matrices.BALLS)
BALLS = Arithmetic("balls", PRIMITIVES, LIFT, lifts_literals=True)
