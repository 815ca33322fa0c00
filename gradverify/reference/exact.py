"""Our own exact derivative: one sweep over balls, as precise as need be."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb, ctx
from mpmath import mp, mpf
from mpmath.libmp import from_man_exp

from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.matrices import Matrix
from gradverify.autodiff.sweep import forward, reverse
from gradverify.graph import Array, Graph, interpret_all
from gradverify.ops import Shape
from gradverify.reference.doubled import undecided

START, GROWTH, STOP = 200, 1.7, 12_000
"""The bits at which the precision starts, its factor, and the bits at which it ends."""
HOPELESS = 2600  # bits at which a ball that is no number must be outside a domain

BITS = 64  # to which every derivative is known
SHARP = arb(2) ** -BITS
SMALLEST = arb(2) ** -1140


@dataclass(frozen=True)
class Exact:
    """Enclosures of a graph's values and of the derivatives with respect to them.

    values: for every node a ball, or an array of balls.
    derivative: the arrays of the derivative, and their shapes; None where one is zero
        everywhere.
    precision: the bits at which they were computed.
    cotangents: of a reverse sweep, the derivative by every node.
    """

    values: list[Any]
    derivative: list[Any]
    shapes: list[Shape]
    precision: int
    cotangents: list[Any] = field(default_factory=list)


def exact_gradient(graph: Graph, point: Sequence[Array]) -> Exact | None:
    """Sweep back, until the derivative by every input is known to 64 bits.

    None if no precision up to the last one decides them. That is so at a kink, or
    outside a domain.
    """
    shapes = [graph.nodes[i].shape for i in graph.inputs]

    def swept(values: list[Any]) -> tuple[list[Any], list[Any]]:
        found = reverse(graph, BALLS, values, {len(values) - 1: arb(1)})
        return [found[i] for i in graph.inputs], found

    return _sharp(graph, point, shapes, swept)


def exact_tangent(
    graph: Graph, point: Sequence[Array], tangents: Sequence[Array | None]
) -> Exact | None:
    """Push tangents of the inputs forward, until that of the output is known as well.

    None as for `exact_gradient`.
    """

    def swept(values: list[Any]) -> tuple[list[Any], list[Any]]:
        pairs = zip(graph.inputs, tangents, strict=True)
        seeds = {i: BALLS.lift(v) for i, v in pairs if v is not None}
        return [forward(graph, BALLS, values, seeds)[-1]], []

    return _sharp(graph, point, [graph.output.shape], swept)


def _sharp(
    graph: Graph,
    point: Sequence[Array],
    shapes: list[Shape],
    swept: Callable[[list[Any]], tuple[list[Any], list[Any]]],
) -> Exact | None:
    precision = START
    while precision <= STOP:
        with ctx.workprec(precision):
            values = interpret_all(graph, BALLS.table, [BALLS.lift(x) for x in point])
            derivative, cotangents = swept(values)
            wanted = [values[-1], *derivative]
            if all(is_sharp(ball) for ball in wanted if ball is not None):
                return Exact(values, derivative, shapes, precision, cotangents)
            if precision > HOPELESS and not _any_finite(wanted):
                return None
        precision = int(precision * GROWTH)
    return None


def on_a_pole(graph: Graph, point: Sequence[Array]) -> bool:
    """Whether some value, such as tan(acos(0)), is no finite ball at the most bits."""
    with ctx.workprec(STOP):
        values = interpret_all(graph, BALLS.table, [BALLS.lift(x) for x in point])
    return not all(
        isinstance(b, np.bool_ | bool) or b.is_finite() for v in values for b in flat(v)
    )


def flat(value: Any) -> list[Any]:
    """The balls of an array, or the one ball; an empty list for None."""
    if isinstance(value, np.ndarray):
        return list(value.reshape(-1))
    return [] if value is None else [value]


def _any_finite(values: Sequence[Any]) -> bool:
    return any(ball.is_finite() for value in values for ball in flat(value))


def is_sharp(value: Any) -> bool:
    """Whether every ball is known to 64 bits, or to far below the smallest float."""
    return all(
        b.is_finite() and (b.rad() <= abs(b).lower() * SHARP or b.rad() <= SMALLEST)
        for b in (undecided(value, BITS) if isinstance(value, Matrix) else flat(value))
    )


def middle(value: Any, shape: tuple[int, ...]) -> Any:
    """The exact midpoints of balls, as an object array of mpf; zeros for None."""
    entries = [to_mpf(ball) for ball in flat(value)]
    if value is None:
        entries = [mpf(0)] * math.prod(shape)
    result = np.empty(len(entries), dtype=object)
    result[:] = entries
    return result.reshape(shape)


def to_mpf(ball: Any) -> Any:
    """The exact midpoint of a ball."""
    # mpf((mantissa, exponent)) would round to the precision in force.
    mantissa, exponent = arb(ball).mid().man_exp()
    return mp.make_mpf(from_man_exp(int(mantissa), int(exponent)))
