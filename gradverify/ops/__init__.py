"""The op table: one row an op, with what a tester must know about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradverify.ops import composites as c
from gradverify.ops import shapes as s
from gradverify.ops.row import Kink, Op, Shape, Table

__all__ = ["OPS", "Kink", "Op", "Shape", "Table"]


def power_domain(x: Any, *, n: float) -> Any:
    """Where x**n is smooth: fractional n needs x > 0, negative n needs x != 0."""
    if n != int(n):
        return np.all(x > 0)
    return n >= 0 or np.all(x != 0)


# The derivative of tanh is usually taken as 1 - y*y and that of sigmoid as y*(1 - y),
# from an output that is itself rounded: by 4 ulps, the worst that is published for
# vectorised tanh, and by the rounding of the difference.
# fmt: off
TANH    = lambda y: 16.0 * (y * y) + 1.0  # noqa: E731
SIGMOID = lambda y: 9.0 * y               # noqa: E731

ABS     = Kink(lambda m, x: x,        lambda m, x: (x, -x))
MAXIMUM = Kink(lambda m, a, b: a - b, lambda m, a, b: (a, b))

AXIS = ("axis", "keepdims")

ROWS = (
    # elementwise, one operand
    Op("neg",      1, s.elementwise, operator="-"),
    Op("exp",      1, s.elementwise),
    Op("log",      1, s.elementwise, domain=lambda x: np.all(x > 0)),
    Op("sin",      1, s.elementwise),
    Op("cos",      1, s.elementwise),
    Op("tanh",     1, s.elementwise, derivative_error=TANH),
    Op("sqrt",     1, s.elementwise, domain=lambda x: np.all(x > 0)),
    Op("abs",      1, s.elementwise, kink=ABS),
    Op("sigmoid",  1, s.elementwise, derivative_error=SIGMOID),
    Op("softplus", 1, s.elementwise),
    Op("relu",     1, s.elementwise, expansion=c.relu),
    # elementwise, two operands and more
    Op("add",      2, s.elementwise, operator="+"),
    Op("sub",      2, s.elementwise, operator="-"),
    Op("mul",      2, s.elementwise, operator="*"),
    Op("div",      2, s.elementwise, operator="/",  domain=lambda a, b: np.all(b != 0)),
    Op("pow",      2, s.elementwise, operator="**", domain=lambda a, b: np.all(a > 0)),
    Op("power",    1, s.power, ("n",), domain=power_domain),
    Op("maximum",  2, s.elementwise, kink=MAXIMUM),
    Op("where",    3, s.elementwise, masks=(0,)),
    # arrays
    Op("sum",          1, s.reduction,          AXIS),
    Op("mean",         1, s.nonempty_reduction, AXIS, expansion=c.mean),
    Op("reshape",      1, s.reshape,            ("shape",)),
    Op("transpose",    1, s.transpose,          ("axes",)),
    Op("broadcast_to", 1, s.broadcast_to,       ("shape",)),
    Op("matmul",       2, s.matmul),
    Op("logsumexp",    1, s.nonempty_reduction, AXIS, expansion=c.logsumexp),
    # internal: step is 0, 1/2, 1 below, at and above 0; sech is 1/cosh; peak is a
    # largest element held constant; slack(x, size) is x, where right formulas may be
    # off by a rounding of size; accumulate is a sum that the cotangents of a fan-out
    # go through in an order that nobody fixed
    Op("step",       1, s.elementwise, internal=True),
    Op("sign",       1, s.elementwise, internal=True),
    Op("sech",       1, s.elementwise, internal=True),
    Op("peak",       1, s.nonempty_reduction, AXIS, internal=True),
    Op("slack",      2, s.elementwise, internal=True),
    Op("accumulate", 0, s.variadic, internal=True),
)
# fmt: on

OPS = Table({row.name: row for row in ROWS})
