"""The op table: one row an op, with what a tester must know about it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradverify.ops import composites as c
from gradverify.ops import functions as f
from gradverify.ops import layer_shapes as n
from gradverify.ops import shapes as s
from gradverify.ops.network_rows import LAYERS
from gradverify.ops.row import Kink, Op, Shape, Table

__all__ = ["OPS", "Kink", "Op", "Shape", "Table"]


def power_domain(x: Any, *, n: float) -> Any:
    """Where x**n is smooth: fractional n needs x > 0, negative n needs x != 0."""
    if n != int(n):
        return np.all(x > 0)
    return n >= 0 or np.all(x != 0)


def uneven(x: Any, *, axis: Any = None, ddof: int = 0, **_: Any) -> Any:
    """Where a standard deviation is smooth: no slice along `axis` is constant."""
    return np.all(np.ptp(x, axis=None if axis is None else tuple(axis)) > 0)


def not_null(x: Any, *, axis: Any = None, **_: Any) -> Any:
    """Where a norm is smooth: no slice along `axis` is zero."""
    return np.all(np.any(x != 0, axis=None if axis is None else tuple(axis)))


# fmt: off
positive   = lambda x:    np.all(x > 0)                # noqa: E731
nonzero    = lambda x:    np.all(x != 0)               # noqa: E731
above_1    = lambda x:    np.all(x > 1)                # noqa: E731
inside_1   = lambda x:    np.all(np.abs(x) < 1)        # noqa: E731
divisor    = lambda a, b: np.all(b != 0)               # noqa: E731
base       = lambda a, b: np.all(a > 0)                # noqa: E731
off_origin = lambda a, b: np.all((a != 0) | (b != 0))  # noqa: E731
off_cut    = lambda a, b: np.all((a != 0) | (b > 0))   # noqa: E731

# The derivative of tanh is usually taken as 1 - y*y and that of sigmoid as y*(1 - y),
# from an output that is itself rounded: by 4 ulps, the worst that is published for
# vectorised tanh, and by the rounding of the difference. That of expm1 as y + 1, and
# that of logaddexp as exp(a - y), which is off by the error of y times itself.
TANH      = lambda d, y: 16.0 * (y * y) + 1.0  # noqa: E731
SIGMOID   = lambda d, y: 9.0 * y               # noqa: E731
EXPM1     = lambda d, y: 9.0 * y               # noqa: E731
LOGADDEXP = lambda d, y: 9.0 * (d * y)         # noqa: E731

ABS     = Kink(lambda m, x: x,        lambda m, x: (x, -x))
MAXIMUM = Kink(lambda m, a, b: a - b, lambda m, a, b: (a, b))

AXIS = ("axis", "keepdims")
DDOF = (*AXIS, "ddof")

ROWS = (
    # elementwise, one operand
    Op("neg",         1, s.elementwise, operator="-"),
    Op("exp",         1, s.elementwise),
    Op("log",         1, s.elementwise, domain=positive),
    Op("sin",         1, s.elementwise),
    Op("cos",         1, s.elementwise),
    Op("tanh",        1, s.elementwise, derivative_error=TANH),
    Op("sqrt",        1, s.elementwise, domain=positive),
    Op("abs",         1, s.elementwise, kink=ABS),
    Op("sigmoid",     1, s.elementwise, derivative_error=SIGMOID),
    Op("softplus",    1, s.elementwise),
    Op("relu",        1, s.elementwise, expansion=f.relu),
    Op("sign",        1, s.elementwise, domain=nonzero),
    Op("square",      1, s.elementwise, expansion=f.square),
    Op("rsqrt",       1, s.elementwise, domain=positive, expansion=f.rsqrt),
    Op("reciprocal",  1, s.elementwise, domain=nonzero,  expansion=f.reciprocal),
    Op("exp2",        1, s.elementwise, expansion=f.exp2),
    Op("expm1",       1, s.elementwise, derivative_error=EXPM1),
    Op("log2",        1, s.elementwise, domain=positive, expansion=f.log2),
    Op("log10",       1, s.elementwise, domain=positive, expansion=f.log10),
    Op("log1p",       1, s.elementwise, domain=lambda x: np.all(x > -1)),
    Op("tan",         1, s.elementwise, expansion=f.tan),
    Op("asin",        1, s.elementwise, domain=inside_1, expansion=f.asin),
    Op("acos",        1, s.elementwise, domain=inside_1, expansion=f.acos),
    Op("atan",        1, s.elementwise, expansion=f.atan),
    Op("sinh",        1, s.elementwise),
    Op("cosh",        1, s.elementwise),
    Op("asinh",       1, s.elementwise),
    Op("acosh",       1, s.elementwise, domain=above_1,  expansion=f.acosh),
    Op("atanh",       1, s.elementwise, domain=inside_1, expansion=f.atanh),
    Op("log_sigmoid", 1, s.elementwise, expansion=f.log_sigmoid),
    Op("leaky_relu",  1, s.elementwise, expansion=f.leaky_relu),
    Op("elu",         1, s.elementwise, expansion=f.elu),
    Op("silu",        1, s.elementwise, expansion=f.silu),
    Op("gelu",        1, s.gelu, ("approximate",), expansion=f.gelu),
    Op("celu",        1, s.celu, ("alpha",), expansion=f.celu),
    Op("selu",        1, s.elementwise, expansion=f.selu),
    Op("mish",        1, s.elementwise, expansion=f.mish),
    Op("relu6",       1, s.elementwise, expansion=f.relu6),
    Op("hardtanh",    1, s.elementwise, expansion=f.hardtanh),
    Op("hardswish",   1, s.elementwise, expansion=f.hardswish),
    Op("softsign",    1, s.elementwise, expansion=f.softsign),
    Op("erf",         1, s.elementwise),
    Op("erfc",        1, s.elementwise),
    Op("lgamma",      1, s.elementwise, domain=positive, expansion=f.lgamma),
    Op("digamma",     1, s.elementwise, domain=positive, expansion=f.digamma),
    # elementwise, two operands and more
    Op("add",         2, s.elementwise, operator="+"),
    Op("sub",         2, s.elementwise, operator="-"),
    Op("mul",         2, s.elementwise, operator="*"),
    Op("div",         2, s.elementwise, operator="/",  domain=divisor),
    Op("pow",         2, s.elementwise, operator="**", domain=base),
    Op("power",       1, s.power, ("n",), domain=power_domain),
    Op("maximum",     2, s.elementwise, kink=MAXIMUM),
    Op("minimum",     2, s.elementwise, expansion=f.minimum),
    Op("where",       3, s.elementwise, masks=(0,)),
    Op("atan2",       2, s.elementwise, domain=off_cut),
    Op("hypot",       2, s.elementwise, domain=off_origin),
    Op("logaddexp",   2, s.elementwise, derivative_error=LOGADDEXP),
    Op("clip",        1, s.clip, ("low", "high"), expansion=f.clip),
    # arrays
    Op("sum",          1, s.reduction,          AXIS),
    Op("mean",         1, s.nonempty_reduction, AXIS, expansion=c.mean),
    Op("reshape",      1, s.reshape,            ("shape",)),
    Op("transpose",    1, s.transpose,          ("axes",)),
    Op("broadcast_to", 1, s.broadcast_to,       ("shape",)),
    Op("matmul",       2, s.matmul),
    Op("logsumexp",    1, s.nonempty_reduction, AXIS, expansion=c.logsumexp),
    Op("prod",         1, s.nonempty_reduction, AXIS, expansion=c.prod),
    Op("max",          1, s.nonempty_reduction, AXIS, expansion=c.largest),
    Op("min",          1, s.nonempty_reduction, AXIS, expansion=c.smallest),
    Op("softmax",      1, s.along,              ("axis",), expansion=c.softmax),
    Op("log_softmax",  1, s.along,              ("axis",), expansion=c.log_softmax),
    Op("var",          1, s.spread,           DDOF, expansion=c.var),
    Op("std",          1, s.deviation,        DDOF, domain=uneven, expansion=c.std),
    Op("norm",         1, s.norm,             AXIS, domain=not_null, expansion=c.norm),
    Op("cumsum",       1, s.along,              ("axis",)),
    Op("slice",        1, s.slice_of,           ("axis", "start", "stop")),
    Op("concatenate",  2, s.concatenate,        ("axis",), expansion=c.concatenate),
    Op("stack",        2, s.stack,              ("axis",), expansion=c.stack),
    Op("einsum",       2, s.einsum,             ("subscripts",), expansion=c.einsum),
    *LAYERS,
    # internal: step is 0, 1/2, 1 below, at and above 0; sech is 1/cosh; rise is 1 +
    # tanh; scale is a product with an irrational constant, which every arithmetic has
    # in all its digits; log_gamma is lgamma without slack; polygamma is the n-th
    # derivative of digamma; pad puts zeros around a slice; cumsum_back sums from the
    # end; peak is a largest element held constant; slack(x, size) is x, where right
    # formulas may be off by a rounding of size; slack_back(x, size) is x, whose
    # cotangent may be off by a rounding of itself times size; accumulate is a sum that
    # the cotangents of a fan-out go through in an order that nobody fixed; take is a
    # choice of elements along an axis, some of them more than once, and put its
    # transpose, which adds up what comes to one place; deviation2(x, c) is (x - c)**2
    # for a mean c of x, where a sum of squares is least, so that nothing goes back to c
    Op("step",        1, s.elementwise, internal=True),
    Op("sech",        1, s.elementwise, internal=True),
    Op("rise",        1, s.elementwise, derivative_error=f.rise_error, internal=True),
    Op("scale",       1, s.same, ("by",), internal=True),
    Op("log_gamma",   1, s.elementwise, internal=True),
    Op("polygamma",   1, s.same, ("n",), internal=True),
    Op("pad",         1, s.pad, ("axis", "before", "after"), internal=True),
    Op("take",        1, n.take, ("axis", "index"), internal=True),
    Op("put",         1, n.put, ("axis", "index", "length"), internal=True),
    Op("cumsum_back", 1, s.along, ("axis",), internal=True),
    Op("peak",        1, s.nonempty_reduction, AXIS, internal=True),
    Op("slack",       2, s.elementwise, internal=True),
    Op("slack_back",  2, s.elementwise, internal=True),
    Op("deviation2",  2, s.elementwise, internal=True),
    Op("accumulate",  0, s.variadic, internal=True),
)
# fmt: on

OPS = Table({row.name: row for row in ROWS})
