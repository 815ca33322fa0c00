"""Bounds for points at which first order does not hold.

The program is run on balls, and at every site the ball is widened by the rounding
there. So the exact number and every number that a library may compute lie in the same
ball. Balls are rounded outwards; the arithmetic is that of Johansson (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import arb, ctx

from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.objects import elementwise
from gradverify.formats import Format
from gradverify.graph import Array, interpret_all
from gradverify.ops import OPS
from gradverify.reference.gradient_program import GradientProgram
from gradverify.reference.rounding import SAFETY


def ball_bounds(
    program: GradientProgram,
    point: Sequence[Array],
    form: Format,
    targets: Sequence[int],
) -> list[tuple[Array, Array]]:
    """For each target, its tight and loose bounds in the shape of the node.

    No rounding is neglected, so that these bounds hold without first order. They are
    often larger, since a ball does not know that two roundings may cancel.
    """
    nodes = program.graph.nodes
    radii = []
    with ctx.workprec(256):
        inputs = [BALLS.lift(x) for x in point]
        for with_loose in (False, True):
            table = _rounding_table(form, with_loose)
            values = interpret_all(program.graph, table, inputs)
            radii.append([_radius(values[t], nodes[t].shape) for t in targets])
    return [(a, np.maximum(a, b)) for a, b in zip(*radii, strict=True)]


def _rounding_table(form: Format, with_loose: bool) -> dict[str, Any]:
    unit = arb(0, SAFETY * form.unit_roundoff)
    tiny = arb(0, SAFETY) * arb(form.smallest)
    in_range = elementwise(lambda y: y if abs(y) <= form.largest else arb.nan(), 1)
    zero = arb(0)  # a backend may turn a subnormal number into zero
    flushed = elementwise(lambda y: y.union(zero) if abs(y) < form.normal else y, 1)

    def rounded(op: str) -> Any:
        function, site = BALLS.table[op], OPS.calculus(op).site

        def apply(*x: Any, **params: Any) -> Any:
            y = function(*x, **params)
            scale = site.size(BALLS, y, *x, **params)
            if scale is None:
                return y
            least = tiny if site.underflows else arb(0)
            return in_range((flushed(y) if with_loose else y) + scale * unit + least)

        return apply

    def slack(x: Any, size: Any) -> Any:
        return x + BALLS.abs(size) * unit if with_loose else x

    table = {op: rounded(op) for op in OPS.primitives()}
    return table | {"slack": slack, "data": BALLS.lift}


def _radius(value: Any, shape: tuple[int, ...]) -> Array:
    """How far two numbers in a ball may be apart: twice the radius, rounded up.

    It is infinite if a ball is no number.
    """
    balls = np.asarray(value, dtype=object).reshape(-1)
    return np.array(
        [float(b.rad()) * 2.002 if b.is_finite() else np.inf for b in balls],
        np.longdouble,
    ).reshape(shape)
