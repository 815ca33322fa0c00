"""The calculus table: every primitive's derivative, once, over any arithmetic.

A row has one entry an operand: the partial derivative of an elementwise op, a number
where that is constant, or a `Linear` map. A partial takes `(m, y, *x, **params)`: the
arithmetic, the result, the operands. The loops of the engines do the rest:
broadcasting, accumulation, the product with tangents and cotangents.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradverify.autodiff import maps
from gradverify.autodiff.maps import Linear

Partial = Callable[..., Any]
Rule = Partial | Linear | float


# ---- partials too long for a row


def erf_partial(m: Any, y: Any, x: Any) -> Any:
    """2 / sqrt(pi) * exp(-x*x)."""
    return m.scale(m.exp(-(x * x)), by="2/sqrt(pi)")


def power_partial(m: Any, y: Any, x: Any, *, n: float) -> Any:
    """n * x**(n - 1), without a power where none is needed.

    Where n - 1 is no float, as for 0.1, by the result: x is not 0 there.
    """
    if n in (0, 1):
        return float(n)
    if n == 2:
        return 2.0 * x
    return n * m.power(x, n=n - 1) if (n - 1) + 1 == n else n * (y / x)


def deviation2_partial(m: Any, y: Any, x: Any, c: Any) -> Any:
    """2 * (x - c), for a mean c of x and one cotangent for all that it is a mean of.

    Nothing goes back to c then: the sum of x - c is 0. Libraries have 2*x and 2*c go
    back apart, and round both.
    """
    return m.slack(2.0 * (x - c), 2.0 * x)


# fmt: off
RULES: Mapping[str, tuple[Rule, ...]] = {
    "neg":          (-1.0,),
    "exp":          (lambda m, y, x: y,),
    "log":          (lambda m, y, x: 1.0 / x,),
    "sin":          (lambda m, y, x: m.cos(x),),
    "cos":          (lambda m, y, x: -m.sin(x),),
    "tanh":         (lambda m, y, x: m.sech(x) ** 2,),
    "sqrt":         (lambda m, y, x: 0.5 / y,),
    "abs":          (lambda m, y, x: m.sign(x),),
    "sigmoid":      (lambda m, y, x: y * m.sigmoid(-x),),
    "softplus":     (lambda m, y, x: m.sigmoid(x),),
    "sign":         (0.0,),
    "expm1":        (lambda m, y, x: m.exp(x),),
    "log1p":        (lambda m, y, x: 1.0 / (1.0 + x),),
    "sinh":         (lambda m, y, x: m.cosh(x),),
    "cosh":         (lambda m, y, x: m.sinh(x),),
    "asinh":        (lambda m, y, x: 1.0 / m.sqrt(1.0 + x * x),),
    "erf":          (erf_partial,),
    "erfc":         (lambda m, y, x: -erf_partial(m, y, x),),
    "add":          (1.0, 1.0),
    "sub":          (1.0, -1.0),
    "mul":          (lambda m, y, a, b: b,
                     lambda m, y, a, b: a),
    "div":          (lambda m, y, a, b: 1.0 / b,
                     lambda m, y, a, b: -y / b),
    "pow":          (lambda m, y, a, b: b * m.pow(a, b - 1.0),
                     lambda m, y, a, b: y * m.log(a)),
    "power":        (power_partial,),
    "maximum":      (lambda m, y, a, b: m.step(a - b),
                     lambda m, y, a, b: m.step(b - a)),
    "where":        (0.0, maps.where_map(1), maps.where_map(2)),
    "atan2":        (lambda m, y, a, b: b / (a * a + b * b),
                     lambda m, y, a, b: -a / (a * a + b * b)),
    "hypot":        (lambda m, y, a, b: a / y,
                     lambda m, y, a, b: b / y),
    "logaddexp":    (lambda m, y, a, b: m.sigmoid(a - b),
                     lambda m, y, a, b: m.sigmoid(b - a)),
    "sum":          (Linear(maps.sum_jvp, maps.sum_vjp),),
    "reshape":      (Linear(maps.reshape_jvp, maps.reshape_vjp),),
    "transpose":    (Linear(maps.transpose_jvp, maps.transpose_vjp),),
    "broadcast_to": (Linear(maps.broadcast_to_jvp, maps.broadcast_to_vjp),),
    "matmul":       (Linear(maps.matmul_jvp_left, maps.matmul_vjp_left),
                     Linear(maps.matmul_jvp_right, maps.matmul_vjp_right)),
    "cumsum":       (Linear(maps.cumsum_forth, maps.cumsum_back),),
    "slice":        (Linear(maps.slice_jvp, maps.slice_vjp),),
    "step":         (0.0,),
    "sech":         (lambda m, y, x: -y * m.tanh(x),),
    "rise":         (lambda m, y, x: m.sech(x) ** 2,),
    "scale":        (Linear(maps.scaled, maps.scaled),),
    "log_gamma":    (lambda m, y, x: m.polygamma(x, n=0),),
    "polygamma":    (lambda m, y, x, n: m.polygamma(x, n=n + 1),),
    "pad":          (Linear(maps.pad_jvp, maps.pad_vjp),),
    "take":         (Linear(maps.take_jvp, maps.take_vjp),),
    "put":          (Linear(maps.put_jvp, maps.put_vjp),),
    "cumsum_back":  (Linear(maps.cumsum_back, maps.cumsum_forth),),
    "peak":         (0.0,),
    "slack":        (1.0, 0.0),
    "slack_back":   (Linear(maps.slack_back_jvp, maps.slack_back_vjp), 0.0),
    "deviation2":   (deviation2_partial, 0.0),
}
# fmt: on


def rules_of(op: str, arity: int) -> tuple[Rule, ...]:
    """The row of an op; `accumulate` has as many entries as it has terms."""
    return (1.0,) * arity if op == "accumulate" else RULES[op]
