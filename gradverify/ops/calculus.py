"""The calculus of every primitive: how it rounds, how far it is straight, its partials.

A row has a site, a reach, and one entry an operand: the partial derivative of an
elementwise op, a number where that is constant, or a `Linear` map. A partial takes
`(m, y, *x, **params)`: the arithmetic, the result, the operands. It is written once,
over any arithmetic; the loops of the engines do the rest: broadcasting, accumulation,
the product with tangents and cotangents.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.ops import maps
from gradverify.ops import special_expansions as special
from gradverify.ops.maps import Linear
from gradverify.ops.sites import (
    Site,
    exact,
    exact_sum,
    of_accumulate,
    of_coefficients,
    of_cumsum,
    of_cumsum_back,
    of_eigenvalues,
    of_logaddexp,
    of_matmul,
    of_moved,
    of_put,
    of_sum,
    relative,
    rounded_sum,
)

Partial = Callable[..., Any]
Rule = Partial | Linear | float
Reach = Callable[..., tuple[Any, ...]]


@dataclass(frozen=True)
class Calculus:
    """What is known of a primitive beyond its values; every column must be given.

    site: how large its rounding is.
    reach: from the operands to how far each may move before the slope is another one,
        to the nearest power of ten. None if the op is straight in each operand alone.
    rules: one entry an operand.
    """

    site: Site
    reach: Reach | None
    rules: tuple[Rule, ...]


def row(site: Site, reach: Reach | None, *rules: Rule) -> Calculus:
    """A row of the table; its partials stand last, since two need two lines."""
    return Calculus(site, reach, rules)


# ---- partials too long for a row


def erf_partial(m: Any, y: Any, x: Any) -> Any:
    """2 / sqrt(pi) * exp(-x*x)."""
    return m.scale(m.exp(-(x * x)), by="2/sqrt(pi)")


def at_zero(m: Any, y: Any) -> Any:
    """1 where a number y >= 0 is 0, else 0: held constant, and not rounded."""
    return 2.0 * (1.0 - m.step(y))


def filled(m: Any, y: Any) -> Any:
    """A number y >= 0, and 1 in its place where it is 0."""
    return y + at_zero(m, y)


def power_partial(m: Any, y: Any, x: Any, *, n: float) -> Any:
    """n * x**(n - 1), without a power where none is needed.

    Where n - 1 is no float, as for 0.1, it goes by the result. Libraries round n - 1
    there, and are off by that much of the logarithm.
    """
    if n in (0, 1):
        return float(n)
    if n == 2:
        return 2.0 * x
    if (n - 1) + 1 == n:
        return n * m.power(x, n=n - 1)
    positive = filled(m, x)
    slope = n * (y / positive)
    return m.slack(slope, slope * m.log(positive))


def pow_partial(m: Any, y: Any, a: Any, b: Any) -> Any:
    """y * log(a), which is 0 for a = 0 and b > 0."""
    return y * m.log(a + at_zero(m, m.abs(a)))


def deviation2_partial(m: Any, y: Any, x: Any, c: Any) -> Any:
    """2 * (x - c), where c is the mean of x and all of x has the same cotangent.

    Nothing goes back to c, because the sum of x - c is 0. Libraries send 2*x and 2*c
    back separately and round both.
    """
    return m.slack(2.0 * (x - c), 2.0 * x)


def zeta_partial(m: Any, y: Any, x: Any, *, s: float) -> Any:
    """-s times the zeta function of s + 1.

    Libraries round s + 1, and are off by that much of the logarithm.
    """
    slope = -s * m.zeta(x, s=s + 1.0)
    return m.slack(slope, (s + 1.0) * (slope * m.log(x)))


def bent_partial(m: Any, y: Any, d: Any, x: Any, size: Any) -> Any:
    """0. The loose bound allows it a rounding of the given size."""
    return m.slack(0.0 * size, size)


# ---- how far operands may move before the slope is another one

# fmt: off
STRAIGHT   = None                                                # a product, too: in each operand by itself
radian     = lambda x:    (1.0,)                                 # noqa: E731
radians    = lambda a, b: (1.0, 1.0)                             # noqa: E731
to_zero    = lambda x:    (abs(x),)                              # noqa: E731
to_zeros   = lambda a, b: (abs(a), abs(b))                       # noqa: E731
to_minus_1 = lambda x:    (abs(1.0 + x),)                        # noqa: E731
to_origin  = lambda a, b: (np.hypot(a, b), np.hypot(a, b))       # noqa: E731
wide       = lambda x:    (np.hypot(1.0, x),)                    # noqa: E731
to_whole   = lambda x:    (abs(x - np.round(x)),)               # noqa: E731
within_one = lambda x:    (np.minimum(1.0, abs(x)),)             # noqa: E731
within_ones = lambda a, b: (np.minimum(1.0, abs(a)), np.minimum(1.0, abs(b)))  # noqa: E731
to_end_1   = lambda x:    (1.0 - abs(x),)                        # noqa: E731
to_end_2   = lambda x:    (np.minimum(x, 2.0 - x),)              # noqa: E731
to_ends    = lambda x:    (np.minimum(x, 1.0 - x),)              # noqa: E731
narrow     = lambda x:    (1.0 / np.hypot(1.0, x),)              # noqa: E731
divisor    = lambda a, b: (np.inf, abs(b))                       # noqa: E731
powers     = lambda a, b: (abs(a), 1.0)                          # noqa: E731
# fmt: on

# + - * / and the square root are rounded correctly (IEEE 754). Other functions are off
# by 4 ulps at worst in NumPy's vector code (its SIMD loops promise less than 4), by 1 ulp
# in SLEEF, which PyTorch calls, and by less than 1 in glibc. An ulp is up to two units of
# roundoff. Sigmoid and softplus are compositions of such functions. A power costs the
# error of one logarithm times the exponent; libraries compute it in extended precision.
# fmt: off
CALCULUS: Mapping[str, Calculus] = {
    "neg":          row(exact,          STRAIGHT,   -1.0),
    "exp":          row(relative(4),    radian,     lambda m, y, x: y),
    "log":          row(relative(4),    to_zero,    lambda m, y, x: 1.0 / x),
    "sin":          row(relative(4),    radian,     lambda m, y, x: m.cos(x)),
    "cos":          row(relative(4),    radian,     lambda m, y, x: -m.sin(x)),
    "tanh":         row(relative(8),    radian,     lambda m, y, x: m.sech(x) ** 2),
    "sqrt":         row(relative(1),    to_zero,    lambda m, y, x: 0.5 / y),
    "abs":          row(exact,          STRAIGHT,   lambda m, y, x: m.sign(x)),
    "sigmoid":      row(relative(8),    radian,     lambda m, y, x: y * m.sigmoid(-x)),
    "softplus":     row(relative(8),    radian,     lambda m, y, x: m.sigmoid(x)),
    "sign":         row(exact,          STRAIGHT,   0.0),
    "expm1":        row(relative(4),    radian,     lambda m, y, x: m.exp(x)),
    "log1p":        row(relative(4),    to_minus_1, lambda m, y, x: 1.0 / (1.0 + x)),
    "sinh":         row(relative(8),    radian,     lambda m, y, x: m.cosh(x)),
    "cosh":         row(relative(8),    radian,     lambda m, y, x: m.sinh(x)),
    "asinh":        row(relative(8),    wide,       lambda m, y, x: 1.0 / m.hypot(x, 0.0 * x + 1.0)),
    "erf":          row(relative(8),    narrow,     erf_partial),
    "erfc":         row(relative(8),    narrow,     lambda m, y, x: -erf_partial(m, y, x)),
    "add":          row(rounded_sum,    STRAIGHT,   1.0, 1.0),
    "sub":          row(rounded_sum,    STRAIGHT,   1.0, -1.0),
    "mul":          row(relative(1),    STRAIGHT,   lambda m, y, a, b: b,
                                                    lambda m, y, a, b: a),
    "div":          row(relative(1),    divisor,    lambda m, y, a, b: 1.0 / b,
                                                    lambda m, y, a, b: -y / b),
    "pow":          row(relative(8),    powers,     lambda m, y, a, b: b * m.pow(a, b - 1.0),
                                                    pow_partial),
    "power":        row(relative(8),    to_zero,    power_partial),
    "maximum":      row(exact,          STRAIGHT,   lambda m, y, a, b: m.step(a - b),
                                                    lambda m, y, a, b: m.step(b - a)),
    "where":        row(exact,          STRAIGHT,   0.0, maps.where_map(1), maps.where_map(2)),
    "atan2":        row(relative(8),    to_origin,  lambda m, y, a, b: b / m.hypot(a, b) / m.hypot(a, b),
                                                    lambda m, y, a, b: -a / m.hypot(a, b) / m.hypot(a, b)),
    "hypot":        row(relative(4),    to_origin,  lambda m, y, a, b: a / filled(m, y),
                                                    lambda m, y, a, b: b / filled(m, y)),
    "logaddexp":    row(of_logaddexp,   radians,    lambda m, y, a, b: m.sigmoid(a - b),
                                                    lambda m, y, a, b: m.sigmoid(b - a)),
    "sum":          row(of_sum,         STRAIGHT,   Linear(maps.sum_jvp, maps.sum_vjp)),
    "reshape":      row(exact,          STRAIGHT,   Linear(maps.reshape_jvp, maps.reshape_vjp)),
    "transpose":    row(exact,          STRAIGHT,   Linear(maps.transpose_jvp, maps.transpose_vjp)),
    "broadcast_to": row(exact,          STRAIGHT,   Linear(maps.broadcast_to_jvp, maps.broadcast_to_vjp)),
    "matmul":       row(of_matmul,      STRAIGHT,   Linear(maps.matmul_jvp_left, maps.matmul_vjp_left),
                                                    Linear(maps.matmul_jvp_right, maps.matmul_vjp_right)),
    "cumsum":       row(of_cumsum,      STRAIGHT,   Linear(maps.cumsum_forth, maps.cumsum_back)),
    "slice":        row(exact,          STRAIGHT,   Linear(maps.slice_jvp, maps.slice_vjp)),
    "cbrt":         row(relative(4),    to_zero,    lambda m, y, x: 1.0 / (3.0 * (y * y))),
    "floor":        row(exact,          to_whole,   0.0),
    "polygamma":    row(relative(8),    to_zero,    lambda m, y, x, n: m.polygamma(x, n=n + 1)),
    "zeta":         row(relative(8),    to_zero,    zeta_partial),
    "erfcx":        row(relative(8),    narrow,     special.erfcx_partial),
    "erfinv":       row(relative(8),    to_end_1,   special.erfinv_partial),
    "log_ndtr":     row(relative(8),    narrow,     special.log_ndtr_partial),
    "spence":       row(relative(8),    to_zero,    lambda m, y, x: -m.log_quotient(x, n=0)),
    "step":         row(exact,          STRAIGHT,   0.0),
    "jump":         row(exact,          to_zero,    0.0),
    "sech":         row(relative(8),    radian,     lambda m, y, x: -y * m.tanh(x)),
    "rise":         row(relative(8),    radian,     lambda m, y, x: m.sech(x) ** 2),
    "scale":        row(relative(2),    STRAIGHT,   Linear(maps.scaled, maps.scaled)),
    "coefficients": row(of_coefficients, STRAIGHT,  0.0),
    "log_gamma":    row(relative(8),    to_zero,    lambda m, y, x: m.polygamma(x, n=0)),
    "gamma_lower":  row(relative(8),    within_one, special.gammainc_partial),
    "gamma_upper":  row(relative(8),    within_one, lambda m, y, x, a: -special.gammainc_partial(m, y, x, a=a)),
    "gamma_orders": row(relative(8),    within_ones, special.gamma_orders_by_a, special.gamma_orders_by_x),
    "beta_lower":   row(relative(8),    to_ends,    special.betainc_partial),
    "bessel":       row(relative(8),    within_one, special.bessel_partial),
    "erfcinv":      row(relative(8),    to_end_2,   lambda m, y, x: -special.erfinv_partial(m, y, x)),
    "log_quotient": row(relative(8),    to_zero,    lambda m, y, x, n: m.log_quotient(x, n=n + 1)),
    "pad":          row(exact,          STRAIGHT,   Linear(maps.pad_jvp, maps.pad_vjp)),
    "take":         row(exact,          STRAIGHT,   Linear(maps.take_jvp, maps.take_vjp)),
    "put":          row(of_put,         STRAIGHT,   Linear(maps.put_jvp, maps.put_vjp)),
    "cumsum_back":  row(of_cumsum_back, STRAIGHT,   Linear(maps.cumsum_back, maps.cumsum_forth)),
    "peak":         row(exact,          STRAIGHT,   0.0),
    "slack":        row(exact_sum,      STRAIGHT,   1.0, 0.0),
    "slack_back":   row(exact,          STRAIGHT,   Linear(maps.slack_back_jvp, maps.slack_back_vjp), 0.0),
    "bent":         row(exact,          STRAIGHT,   1.0, bent_partial, 0.0),
    "factor":       row(exact,          STRAIGHT,   1.0),
    "middle":       row(relative(4),    to_zeros,   lambda m, y, a, b: 0.5 * (y / filled(m, a)),
                                                    lambda m, y, a, b: 0.5 * (y / filled(m, b))),
    "deviation2":   row(relative(4),    STRAIGHT,   deviation2_partial, 0.0),
    "eigenvalues":  row(of_eigenvalues, STRAIGHT,   0.0),
    "moved":        row(of_moved,       STRAIGHT,   1.0, 0.0),
    "bent_back":    row(exact,          STRAIGHT,   Linear(maps.bent_back_jvp, maps.bent_back_vjp)),
    "moved_back":   row(exact,          STRAIGHT,   Linear(maps.moved_matrix, maps.moved_matrix)),
    "accumulate":   row(of_accumulate,  STRAIGHT,   1.0),
}
# fmt: on
