"""The op table: one row an op, with what a tester must know about it."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import composites as c
from gradverify.ops import fixed_weights, linear_algebra_shapes, special_shapes
from gradverify.ops import functions as f
from gradverify.ops import layer_shapes as n
from gradverify.ops import shapes as s
from gradverify.ops.cell_rows import CELLS
from gradverify.ops.domains import (
    ABOVE_1,
    ABOVE_MINUS_1,
    BASE,
    DIVISOR,
    INSIDE_1,
    NONZERO,
    OFF_CUT,
    OFF_POLES,
    POSITIVE,
    POWER,
    ROOT,
)
from gradverify.ops.elementwise_rows import ELEMENTWISE
from gradverify.ops.indexing_rows import INDEXING
from gradverify.ops.linear_algebra_rows import LINEAR_ALGEBRA
from gradverify.ops.loss_rows import LOSSES
from gradverify.ops.network_rows import LAYERS
from gradverify.ops.ordering_rows import ORDERING
from gradverify.ops.resampling_rows import RESAMPLING
from gradverify.ops.row import FORWARD, MIXED, Kink, Op, Table
from gradverify.ops.shapes import Shape
from gradverify.ops.special_rows import SPECIAL
from gradverify.ops.transform_rows import TRANSFORMS
from gradverify.ops.window_rows import WINDOWS

__all__ = ["OPS", "Kink", "Op", "Shape", "Table"]

# fmt: off
# Libraries usually take the derivative of tanh as 1 - y*y, that of sigmoid as y*(1 - y),
# and that of expm1 as y + 1. There y is the output and is rounded itself. Its error is
# up to 4 ulps, the worst that is published for a vectorised tanh; the difference is
# rounded as well. The derivative of logaddexp is taken as exp(a - y), that of asinh as
# 1 / cosh(y), which an error of e in y makes wrong by e times itself.
TANH      = lambda d, y: 16.0 * (y * y) + 1.0  # noqa: E731
SIGMOID   = lambda d, y: 9.0 * y               # noqa: E731
EXPM1     = lambda d, y: 9.0 * y               # noqa: E731
ASINH     = lambda d, y: 9.0 * (d * y)         # noqa: E731
LOGADDEXP = lambda d, y: 9.0 * (d * y)         # noqa: E731
# Differentiated once more, these formulas become -2*y*d, d*(1 - 2*y), d, d*d*y and
# d*(1 - d), with the errors of d in them. tanh is also taken as (1 + y)*(1 - y), whose
# derivative (1 - y)*d - (1 + y)*d is off by a rounding of either half. The curvature of
# softplus is that of a sigmoid by either side, y*(1 - y) with y near 1 where it is small.
TANH2      = lambda m, d, y: 34.0 * (y * y) + 4.0                # noqa: E731
SIGMOID2   = lambda m, d, y: 30.0 * y                            # noqa: E731
EXPM12     = lambda m, d, y: 9.0 * y                             # noqa: E731
ASINH2     = lambda m, d, y: 18.0 * (d * d * y)                  # noqa: E731
SOFTPLUS2  = lambda m, d, y: 0.0 * d + 9.0                       # noqa: E731
LOGADDEXP2 = lambda m, d, y: d * (18.0 * m.abs(y) + 2.0)         # noqa: E731

ABS     = Kink(lambda m, x: x,        lambda m, x: (x, -x))
MAXIMUM = Kink(lambda m, a, b: a - b, lambda m, a, b: (a, b))

AXIS = ("axis", "keepdims")
DDOF = (*AXIS, "ddof")

ROWS = (
    # elementwise, one operand
    Op("neg",         1, FORWARD, s.elementwise, operator="-"),
    Op("exp",         1, FORWARD, s.elementwise),
    Op("log",         1, MIXED,   s.elementwise, domain=POSITIVE),
    Op("sin",         1, MIXED,   s.elementwise),
    Op("cos",         1, MIXED,   s.elementwise),
    Op("tanh",        1, MIXED,   s.elementwise, derivative_error=TANH, curvature_error=TANH2),
    Op("sqrt",        1, FORWARD, s.elementwise, domain=ROOT),
    Op("abs",         1, FORWARD, s.elementwise, kink=ABS),
    Op("sigmoid",     1, MIXED,   s.elementwise, derivative_error=SIGMOID, curvature_error=SIGMOID2),
    Op("softplus",    1, MIXED,   s.elementwise, curvature_error=SOFTPLUS2,
       formula="log(1 + exp(x))"),
    Op("relu",        1, FORWARD, s.elementwise, expansion=f.relu),
    Op("sign",        1, FORWARD, s.elementwise, domain=NONZERO),
    Op("square",      1, FORWARD, s.elementwise, expansion=f.square),
    Op("rsqrt",       1, FORWARD, s.elementwise, domain=POSITIVE, expansion=f.rsqrt),
    Op("reciprocal",  1, FORWARD, s.elementwise, domain=NONZERO,  expansion=f.reciprocal),
    Op("exp2",        1, MIXED,   s.elementwise, expansion=f.exp2),
    Op("expm1",       1, MIXED,   s.elementwise, derivative_error=EXPM1, curvature_error=EXPM12),
    Op("log2",        1, MIXED,   s.elementwise, domain=POSITIVE, expansion=f.log2),
    Op("log10",       1, MIXED,   s.elementwise, domain=POSITIVE, expansion=f.log10),
    Op("log1p",       1, MIXED,   s.elementwise, domain=ABOVE_MINUS_1),
    Op("tan",         1, MIXED,   s.elementwise, expansion=f.tan),
    Op("asin",        1, MIXED,   s.elementwise, domain=INSIDE_1, expansion=f.asin),
    Op("acos",        1, MIXED,   s.elementwise, domain=INSIDE_1, expansion=f.acos),
    Op("atan",        1, MIXED,   s.elementwise, expansion=f.atan),
    Op("sinh",        1, MIXED,   s.elementwise),
    Op("cosh",        1, MIXED,   s.elementwise),
    Op("asinh",       1, MIXED,   s.elementwise, derivative_error=ASINH, curvature_error=ASINH2),
    Op("acosh",       1, MIXED,   s.elementwise, domain=ABOVE_1,  expansion=f.acosh),
    Op("atanh",       1, MIXED,   s.elementwise, domain=INSIDE_1, expansion=f.atanh),
    Op("log_sigmoid", 1, MIXED,   s.elementwise, expansion=f.log_sigmoid,
       formula="-log(1 + exp(-x))"),
    Op("leaky_relu",  1, FORWARD, s.elementwise, expansion=f.leaky_relu,
       formula="x if x > 0 else 0.01 * x"),
    Op("elu",         1, MIXED,   s.elementwise, expansion=f.elu,
       formula="x if x > 0 else exp(x) - 1"),
    Op("silu",        1, MIXED,   s.elementwise, expansion=f.silu,
       formula="x / (1 + exp(-x))"),
    Op("gelu",        1, MIXED,   s.gelu, ("approximate",), expansion=f.gelu,
       formula="x * (1 + erf(x / sqrt(2))) / 2 if approximate == 'none' else "
               "x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))) / 2"),
    Op("celu",        1, MIXED,   s.celu, ("alpha",), expansion=f.celu,
       formula="x if x > 0 else alpha * (exp(x / alpha) - 1)"),
    Op("selu",        1, MIXED,   s.elementwise, expansion=f.selu,
       formula="1.0507009873554805 * (x if x > 0 else 1.6732632423543773 * (exp(x) - 1))"),
    Op("mish",        1, MIXED,   s.elementwise, expansion=f.mish,
       formula="x * tanh(log(1 + exp(x)))"),
    Op("relu6",       1, FORWARD, s.elementwise, expansion=f.relu6,
       formula="min(max(x, 0), 6)"),
    Op("hardtanh",    1, FORWARD, s.elementwise, expansion=f.hardtanh,
       formula="min(max(x, -1), 1)"),
    Op("hardswish",   1, MIXED,   s.elementwise, expansion=f.hardswish,
       formula="x * min(max(x + 3, 0), 6) / 6"),
    Op("softsign",    1, MIXED,   s.elementwise, expansion=f.softsign,
       formula="x / (1 + abs(x))"),
    Op("erf",         1, MIXED,   s.elementwise),
    Op("erfc",        1, MIXED,   s.elementwise),
    Op("lgamma",      1, MIXED,   s.elementwise, domain=OFF_POLES, expansion=f.lgamma),
    Op("digamma",     1, MIXED,   s.elementwise, domain=OFF_POLES, expansion=f.digamma),
    # elementwise, two operands and more
    Op("add",         2, FORWARD, s.elementwise, operator="+"),
    Op("sub",         2, FORWARD, s.elementwise, operator="-"),
    Op("mul",         2, FORWARD, s.elementwise, operator="*"),
    Op("div",         2, FORWARD, s.elementwise, operator="/",  domain=DIVISOR),
    Op("pow",         2, MIXED,   s.elementwise, operator="**", domain=BASE),
    Op("power",       1, MIXED,   s.power, ("n",), domain=POWER),
    Op("maximum",     2, FORWARD, s.elementwise, kink=MAXIMUM),
    Op("minimum",     2, FORWARD, s.elementwise, expansion=f.minimum),
    Op("where",       3, FORWARD, s.elementwise, masks=(0,)),
    Op("atan2",       2, MIXED,   s.elementwise, domain=OFF_CUT),
    Op("hypot",       2, FORWARD, s.elementwise),
    Op("logaddexp",   2, MIXED,   s.elementwise, derivative_error=LOGADDEXP,
       curvature_error=LOGADDEXP2),
    Op("clip",        1, FORWARD, s.clip, ("low", "high"), expansion=f.clip),
    # arrays
    Op("sum",          1, FORWARD, s.reduction,          AXIS),
    Op("mean",         1, FORWARD, s.nonempty_reduction, AXIS, expansion=c.mean),
    Op("reshape",      1, FORWARD, s.reshape,            ("shape",)),
    Op("transpose",    1, FORWARD, s.transpose,          ("axes",)),
    Op("broadcast_to", 1, FORWARD, s.broadcast_to,       ("shape",)),
    Op("matmul",       2, FORWARD, s.matmul),
    Op("logsumexp",    1, MIXED,   s.nonempty_reduction, AXIS, expansion=c.logsumexp),
    Op("prod",         1, FORWARD, s.nonempty_reduction, AXIS, expansion=c.prod),
    Op("max",          1, FORWARD, s.nonempty_reduction, AXIS, expansion=c.largest),
    Op("min",          1, FORWARD, s.nonempty_reduction, AXIS, expansion=c.smallest),
    Op("softmax",      1, FORWARD, s.along,              ("axis",), expansion=c.softmax),
    Op("log_softmax",  1, FORWARD, s.along,              ("axis",), expansion=c.log_softmax),
    Op("var",          1, MIXED,   s.spread,           DDOF, expansion=c.var),
    Op("std",          1, MIXED,   s.deviation,        DDOF, expansion=c.std),
    Op("norm",         1, FORWARD, s.norm,             AXIS, expansion=c.norm),
    Op("cumsum",       1, FORWARD, s.along,              ("axis",)),
    Op("slice",        1, FORWARD, s.slice_of,           ("axis", "start", "stop")),
    Op("concatenate",  2, FORWARD, s.concatenate,        ("axis",), expansion=c.concatenate),
    Op("stack",        2, FORWARD, s.stack,              ("axis",), expansion=c.stack),
    Op("einsum",       2, FORWARD, s.einsum,             ("subscripts",), expansion=c.einsum),
    *LAYERS,
    *ELEMENTWISE,
    *SPECIAL,
    *INDEXING,
    *ORDERING,
    *TRANSFORMS,
    *LINEAR_ALGEBRA,
    *LOSSES,
    *WINDOWS,
    *RESAMPLING,
    *CELLS,
    # internal:
    # step         0 below 0, 1/2 at 0, 1 above it
    # jump         step, where a function jumps: nothing is known of it beside a jump
    # sech, rise   1 / cosh and 1 + tanh
    # scale        a product with an irrational constant; every arithmetic has it in all
    #              its digits
    # coefficients the matrix of a linear map in all its digits, beside a matrix x
    # log_gamma    lgamma without slack
    # gamma_lower  gammainc without slack; so are gamma_upper, beta_lower of gammaincc,
    #              betainc
    # gamma_orders the n-th derivative by a of both incomplete gamma functions
    # bessel       a Bessel function of a family and an integer order
    # erfcinv      the inverse of erfc
    # log_quotient the n-th derivative of log(x) / (x - 1)
    # pad          zeros around a slice
    # cumsum_back  cumulative sums from the end
    # peak         a largest element, held constant
    # take         a choice of elements along an axis; some may be chosen more than once
    # put          the transpose of take: it adds up what arrives at one place
    # slack        slack(x, size) is x; right formulas may be off by a rounding of size
    # slack_back   slack_back(x, size) is x; its cotangent may be off by a rounding of
    #              itself times size
    # bent         bent(d, x, size) is d; its derivative by x may be off by a rounding of
    #              size
    # bent_back    bent_back(x) is x; the derivative of its cotangent by x may be off by a
    #              rounding of that cotangent times 1 + |x|, as an exponential's is
    # factor       factor(x) is x, as one of a product y: libraries take its slope as y/x,
    #              whose derivative by x is 0 but for the roundings of y/x**2
    # middle       the geometric mean of two numbers >= 0
    # eigenvalues  the real eigenvalues of matrices, held constant
    # moved        moved(x, size) is x; stable algorithms give what is exact for an x that is
    #              off by a rounding of size
    # moved_back   moved_back(x) is x; what it passes back is off by roundings of its
    #              largest entry in each matrix
    # accumulate   the sum of the cotangents at a fan-out, in no fixed order
    # deviation2   (x - c)**2 for a mean c of x; the sum of squares is least there, so
    #              that nothing goes back to c
    Op("step",        1, FORWARD, s.elementwise, internal=True),
    Op("jump",        1, FORWARD, s.elementwise, internal=True),
    Op("sech",        1, FORWARD, s.elementwise, internal=True),
    Op("rise",        1, FORWARD, s.elementwise, derivative_error=f.rise_error,
       curvature_error=f.rise_error2, internal=True),
    Op("scale",       1, FORWARD, s.same, ("by",), internal=True),
    Op("coefficients", 1, FORWARD, fixed_weights.coefficients, ("of",), internal=True),
    Op("log_gamma",   1, FORWARD, s.elementwise, internal=True),
    Op("gamma_lower", 1, FORWARD, s.same, ("a",), internal=True),
    Op("gamma_upper", 1, FORWARD, s.same, ("a",), internal=True),
    Op("gamma_orders", 2, FORWARD, special_shapes.of_two, ("n", "upper"), internal=True),
    Op("beta_lower",  1, FORWARD, s.same, ("a", "b"), internal=True),
    Op("bessel",      1, FORWARD, s.same, ("family", "n"), internal=True),
    Op("erfcinv",     1, FORWARD, s.same, internal=True),
    Op("log_quotient", 1, FORWARD, s.same, ("n",), internal=True),
    Op("pad",         1, FORWARD, s.pad, ("axis", "before", "after"), internal=True),
    Op("take",        1, FORWARD, n.take, ("axis", "index"), internal=True),
    Op("put",         1, FORWARD, n.put, ("axis", "index", "length"), internal=True),
    Op("cumsum_back", 1, FORWARD, s.along, ("axis",), internal=True),
    Op("peak",        1, FORWARD, s.nonempty_reduction, AXIS, internal=True),
    Op("slack",       2, FORWARD, s.elementwise, internal=True),
    Op("slack_back",  2, FORWARD, s.elementwise, internal=True),
    Op("bent",        3, FORWARD, s.elementwise, internal=True),
    Op("factor",      1, FORWARD, s.elementwise, curvature_error=c.factor_error, internal=True),
    Op("middle",      2, FORWARD, s.elementwise, internal=True),
    Op("deviation2",  2, FORWARD, s.elementwise, internal=True),
    Op("eigenvalues", 1, FORWARD, linear_algebra_shapes.eigenvalues, internal=True),
    Op("moved",       2, FORWARD, s.elementwise, internal=True),
    Op("bent_back",   1, FORWARD, s.elementwise, internal=True),
    Op("moved_back",  1, FORWARD, s.elementwise, internal=True),
    Op("accumulate",  0, FORWARD, s.variadic, internal=True),
)
# fmt: on

OPS = Table.of(ROWS)
