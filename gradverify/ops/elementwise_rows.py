"""The rows of the op table for further elementwise ops."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import elementwise_expansions as e
from gradverify.ops import elementwise_shapes as t
from gradverify.ops import shapes as s
from gradverify.ops.domains import (
    ABOVE_MINUS_1_BY,
    BETWEEN_0_AND_1,
    BETWEEN_HALVES,
    BETWEEN_MULTIPLES,
    BETWEEN_WHOLE,
    DIVISOR,
    LAST_DIVISOR,
    NONZERO,
    OFF_LAMBD,
    OFF_THRESHOLD,
    OFF_ZERO,
    POSITIVE,
    POSITIVE_BY,
    POWER,
)
from gradverify.ops.row import FORWARD, MIXED, Op

# fmt: off
ELEMENTWISE = (
    Op("xlogy",       2, MIXED,   s.elementwise, domain=POSITIVE_BY, expansion=e.xlogy),
    Op("xlog1py",     2, MIXED,   s.elementwise, domain=ABOVE_MINUS_1_BY, expansion=e.xlog1py),
    Op("entr",        1, MIXED,   s.elementwise, domain=POSITIVE, expansion=e.entr),
    Op("logit",       1, MIXED,   s.elementwise, domain=BETWEEN_0_AND_1, expansion=e.logit),
    Op("softshrink",  1, FORWARD, t.shrunk, ("lambd",), expansion=e.softshrink,
       formula="max(x - lambd, 0) - max(-x - lambd, 0)"),
    Op("hardshrink",  1, FORWARD, t.shrunk, ("lambd",), domain=OFF_LAMBD, expansion=e.hardshrink,
       formula="x if abs(x) > lambd else 0"),
    Op("tanhshrink",  1, MIXED,   s.elementwise, expansion=e.tanhshrink,
       formula="x - tanh(x)"),
    Op("threshold",   1, FORWARD, t.thresholded, ("threshold", "value"), domain=OFF_THRESHOLD, expansion=e.threshold,
       formula="x if x > threshold else value"),
    Op("rrelu",       1, FORWARD, t.sloped, ("least", "most"), expansion=e.rrelu,
       formula="x if x > 0 else (least + most) / 2 * x"),
    Op("hardsigmoid", 1, MIXED,   s.elementwise, expansion=e.hardsigmoid,
       formula="min(max(x + 3, 0), 6) / 6"),
    Op("prelu",       2, FORWARD, t.prelu, expansion=e.prelu),
    Op("glu",         1, MIXED,   t.halved, ("axis",), expansion=e.glu),
    Op("softmin",     1, FORWARD, s.along, ("axis",), expansion=e.softmin),
    Op("cbrt",        1, FORWARD, s.elementwise, domain=NONZERO),
    Op("ldexp",       1, FORWARD, t.doubled, ("exponent",), expansion=e.ldexp),
    Op("copysign",    2, FORWARD, s.elementwise, domain=DIVISOR, expansion=e.copysign),
    Op("fmod",        2, FORWARD, s.elementwise, domain=BETWEEN_MULTIPLES, expansion=e.fmod),
    Op("remainder",   2, FORWARD, s.elementwise, domain=BETWEEN_MULTIPLES, expansion=e.remainder),
    Op("nan_to_num",  1, FORWARD, s.elementwise, expansion=e.nan_to_num),
    Op("rad2deg",     1, FORWARD, s.elementwise, expansion=e.rad2deg),
    Op("deg2rad",     1, FORWARD, s.elementwise, expansion=e.deg2rad),
    Op("floor",       1, FORWARD, s.elementwise, domain=BETWEEN_WHOLE),
    Op("ceil",        1, FORWARD, s.elementwise, domain=BETWEEN_WHOLE, expansion=e.ceil),
    Op("trunc",       1, FORWARD, s.elementwise, domain=BETWEEN_WHOLE, expansion=e.trunc),
    Op("round",       1, FORWARD, s.elementwise, domain=BETWEEN_HALVES, expansion=e.nearest),
    Op("heaviside",   1, FORWARD, t.valued, ("value",), domain=OFF_ZERO, expansion=e.heaviside),
    Op("lerp",        3, MIXED,   s.elementwise, expansion=e.lerp),
    Op("addcmul",     3, FORWARD, t.valued, ("value",), expansion=e.addcmul),
    Op("addcdiv",     3, FORWARD, t.valued, ("value",), domain=LAST_DIVISOR, expansion=e.addcdiv),
    Op("float_power", 1, MIXED,   s.power, ("n",), domain=POWER, expansion=e.float_power),
)
# fmt: on
