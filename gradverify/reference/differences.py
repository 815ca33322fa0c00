"""The truth: difference quotients in mpmath, at a precision that balls vouch for.

No derivative rule is used here. The same quotient is first evaluated on balls. The
precision is raised until their radius says that rounding cannot matter. Quotients on
the other side and at another scale say whether the step was small enough.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from flint import arb, ctx
from mpmath import mp, mpf

from gradverify.arithmetic import matrices
from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.arithmetic.multiprecision import NUMBERS as MPF_MATRIX
from gradverify.graph import Array, Graph, OutsideDomain, interpret_again, interpret_all
from gradverify.reference.exact import GROWTH, START, STOP, flat
from gradverify.reference.levels import (
    LEVELS,
    Level,
    Slope,
    believed,
    conclude,
    without_limit,
)
from gradverify.reference.steps import Step, exactly, step_along

OTHER_SIDE = -0.731  # of the step, so that the two sides share no scale
FURTHER_IN = 2.0**-13
FLOOR = mpf(2) ** -70  # of the largest part of a mix: a little more than rounding
NEGLIGIBLE = arb(2) ** -2300  # or below this, whatever the quotient is
SLACK_BITS = 120  # beyond q, where the precision starts
HOPELESS_BITS = 2400  # beyond q, where a ball that is no number is left to mpmath


@dataclass(frozen=True)
class Demand:
    """How sharp quotients are to be.

    levels: the steps that are tried.
    rounding: the part of a quotient that rounding may be, with room for sums of many.
    agree: the part of a slope by which our own gradient may differ from it.
    """

    levels: tuple[int, ...]
    rounding: Any
    agree: Any


USUAL = Demand(LEVELS, arb(2) ** -80, mpf(2) ** -56)
CERTIFYING = Demand(LEVELS[1:], arb(2) ** -100, mpf(2) ** -84)
"""For two directions through many entries: 25 digits."""
CLOSEST = LEVELS[-2:]
"""The levels where our own gradient is not confirmed.

A mix hides a slope that is smaller by 90 digits than another one: that of
hypot(a, 1e100) by a, which is 0 at a = 0. There the first step is too long, and only a
step below all floats says so.
"""


@dataclass(frozen=True)
class Differences:
    """Slopes along displacements, and how they were found.

    slopes: one mpf for each displacement. At a kink or at the edge of a domain, it is
        the slope on the side that exists.
    errors: how far the slopes may be off, where that matters. A quotient that vanishes
        like the step is taken for zero; its error is the last quotient.
    other: at a kink, the slope along the mixed displacement from the other side.
    value: the output at the point itself; None outside the domain.
    step_bits, precision: q of the last step 2**-q, and the bits of the arithmetic.
    """

    status: Slope
    slopes: tuple[Any, ...] = ()
    errors: tuple[Any, ...] = ()
    other: Any = None
    value: Any = None
    step_bits: int = 0
    precision: int = 0


def differences(
    graph: Graph,
    point: Sequence[Array],
    displacements: Sequence[Array],
    allowed: Sequence[float] | Array,
    seed: int = 0,
    demand: Demand = USUAL,
) -> Differences:
    """The slopes of a scalar graph along displacements of its inputs.

    Every quotient is a forward one. Two more go along a mix of all displacements: one
    backward by another step, and one forward by a much smaller step. All components of
    the mix are positive, so that no kink can hide from it.

    displacements: each has one float for every entry of the inputs, in their order.
        None is negative, and none has more than 12 significant bits. The step is 2**-q
        of it.
    allowed: for each slope, the absolute error that would not matter. Quotients must
        agree to an eighth of it, or to 60 bits, before they are believed.
    """
    allowed = np.asarray(allowed, np.longdouble)
    if np.isnan(allowed).any():  # a value is no number: outside a domain
        return _undecided(graph, point)
    weights = _weights(allowed, seed)
    none = np.zeros(sum(x.size for x in point), np.longdouble)
    mixed = sum((w * d for w, d in zip(weights, displacements, strict=True)), none)
    steps = [step_along(point, d) for d in displacements]
    mix = step_along(point, mixed)
    steps += [replace(mix, factor=factor) for factor in (OTHER_SIDE, FURTHER_IN)]
    return _settled(
        graph, point, steps, lambda found: _level(found, weights, allowed), demand
    )


def differences_along(
    graph: Graph,
    point: Sequence[Array],
    displacement: Array,
    allowed: Array,
    seed: int = 0,
    demand: Demand = USUAL,
) -> Differences:
    """The slopes of every entry of the output along one displacement of the inputs.

    The two more quotients are those of a mix of all entries, along the same line.

    displacement, allowed: as for `differences`, but for the sign, which may be any.
    """
    if np.isnan(allowed).any():
        return _undecided(graph, point)
    weights = _weights(allowed, seed)
    step = step_along(point, displacement)
    steps = [replace(step, factor=factor) for factor in (1.0, OTHER_SIDE, FURTHER_IN)]

    def level(quotients: Sequence[Any]) -> Level:
        forward, *others = ([None] if q is None else flat(q) for q in quotients)
        factors = [exactly(w, mpf) for w in weights]
        mixed = (
            None if None in q else mpf(mp.fsum(map(operator.mul, factors, q)))
            for q in others
        )
        return _level([*forward, *mixed], weights, allowed)

    return _settled(graph, point, steps, level, demand)


def _settled(
    graph: Graph,
    point: Sequence[Array],
    steps: Sequence[Step],
    level: Callable[[Sequence[Any]], Level],
    demand: Demand,
) -> Differences:
    """What quotients along the steps say, at smaller and smaller ones.

    level: from the quotients along the steps to a level.
    """
    trail: list[Level] = []
    value = None
    for q in demand.levels:
        precision = _precision_for(graph, point, steps, q, demand.rounding)
        if precision is None:
            break
        with mp.workprec(precision):
            base = _values(graph, point, MULTIPRECISION)
            value = None if base is None else base[-1]
            trail.append(level(list(_quotients(graph, base, steps, q, MULTIPRECISION))))
            found = conclude(trail)
        if found is not None:
            return Differences(*found, value, q, precision)
    status = Slope.NONE if without_limit(trail) else Slope.UNRESOLVED
    return Differences(status, value=value, step_bits=q, precision=precision or STOP)


def _undecided(graph: Graph, point: Sequence[Array]) -> Differences:
    with mp.workprec(START):
        value = value_at(graph, point)
    return Differences(Slope.UNRESOLVED, value=value, precision=START)


def _weights(allowed: Array, seed: int) -> Array:
    """Weights, larger where less error is allowed: the mix sees every component.

    They have few bits, so that the mix is exact if displacements move different entries
    or are allowed the same error. Their range is wide, since inputs may be 5e-324.
    """
    size = np.minimum(np.asarray(allowed, np.longdouble), 1 / LEAST)
    least = size[size > 0.0].min(initial=1 / LEAST) * NOTHING
    size = np.maximum(size, max(least, LEAST))
    powers = np.round(np.log2(size.min(initial=1 / LEAST) / size))
    weights: Array = np.exp2(powers) * _draws(len(size), seed)
    return weights


@lru_cache(maxsize=256)
def _draws(count: int, seed: int) -> Array:
    """Random numbers in [1, 2) of 7 bits, kept: a generator costs more than these."""
    return np.random.default_rng(seed).integers(64, 128, count) / 64.0


NOTHING = np.longdouble(2) ** -300  # of the least error that is allowed: a zero's place
LEAST = np.finfo(np.longdouble).tiny ** 0.25


# ---- quotients


def _quotients(
    graph: Graph, base: list[Any] | None, steps: Iterable[Step], q: int, m: Any
) -> Iterator[Any]:
    """`(f(x + t*d) - f(x))/t` for every step t*d; None outside the domain.

    base: the values of all nodes at x.
    """
    number = NUMBERS[m.name]
    unit = number((1, -q))
    for step in steps:
        moved = base and _moved(graph, base, step, q, m)
        if not base or not moved:
            yield None
        else:
            yield (moved[-1] - base[-1]) / (number(step.factor) * unit)


def _moved(
    graph: Graph, base: list[Any], step: Step, q: int, m: Any
) -> list[Any] | None:
    """The values of all nodes with the inputs moved; None outside the domain."""
    number = NUMBERS[m.name]
    factor = number(step.factor)
    leaves = {}
    for k, entries in step.moves.items():
        node = graph.inputs[k]
        value, deltas = base[node], [number((a, e - q)) * factor for _, a, e in entries]
        if isinstance(value, np.ndarray):
            leaves[node] = value.copy()
            for (place, _, _), delta in zip(entries, deltas, strict=True):
                leaves[node].flat[place] += delta
        else:
            leaves[node] = value + deltas[0]
    for k, matrix in step.matrices.items():
        node = graph.inputs[k]
        moves = matrices.Matrix(MATRICES[m.name], matrix.whole)
        leaves[node] = base[node] + moves * (factor * number((1, -q)))
    try:
        return interpret_again(graph, m.table, base, leaves)
    except OUTSIDE:
        return None


def _values(graph: Graph, point: Sequence[Array], m: Any) -> list[Any] | None:
    """The values of all nodes; None outside the domain."""
    try:
        return interpret_all(graph, m.table, [m.lift(x) for x in point])
    except OUTSIDE:
        return None


OUTSIDE = (OutsideDomain, ZeroDivisionError, OverflowError)

NUMBERS: Mapping[str, Any] = {BALLS.name: arb, MULTIPRECISION.name: mpf}
MATRICES = {BALLS.name: matrices.BALLS, MULTIPRECISION.name: MPF_MATRIX}


def value_at(graph: Graph, point: Sequence[Array]) -> Any:
    """The output in mpmath at the precision in force; None outside the domain."""
    values = _values(graph, point, MULTIPRECISION)
    return None if values is None else values[-1]


def _precision_for(
    graph: Graph, point: Sequence[Array], steps: Sequence[Step], q: int, rounding: Any
) -> int | None:
    """The bits at which rounding is below that part of every quotient, by balls.

    A ball that is no number is either too wide or outside the domain. Only a high
    precision tells, and then the differences say which.
    """
    precision = q + SLACK_BITS
    while precision <= STOP:
        with ctx.workprec(precision):
            # the last step is the smallest, and the first to want more bits
            base = _values(graph, point, BALLS)
            balls = _quotients(graph, base, reversed(steps), q, BALLS)
            is_late = precision > q + HOPELESS_BITS
            wanted = (
                _wanted_bits(b, precision, is_late, rounding)
                for quotient in balls
                for b in ([None] if quotient is None else flat(quotient))
            )
            more = next((bits for bits in wanted if bits > precision), None)
        if more is None:
            return precision
        precision = more
    return None


def _wanted_bits(ball: Any, precision: int, is_late: bool, rounding: Any) -> int:
    """The precision that would make a quotient sharp, as far as its ball tells."""
    grown = int(precision * GROWTH)
    if ball is None or not ball.is_finite():
        return 0 if is_late else grown
    radius, size = ball.rad(), abs(ball).lower()
    if radius <= size * rounding or radius <= NEGLIGIBLE:
        return 0
    if not size > 0:
        return grown
    missing = (radius / (size * rounding)).log() / LOG_2
    return precision + max(32, int(float(missing.mid())) + 16)


LOG_2 = arb(2).log()


# ---- one level


def _level(quotients: Sequence[Any], weights: Array, allowed: Array) -> Level:
    *forward, other, further_in = quotients
    mix = limit = None
    if None not in forward:
        sizes = (exactly(x, mpf) for x in (weights, allowed))
        triples = list(zip(*sizes, forward, strict=True))
        mix = mp.fsum(w * d for w, _, d in triples)
        limit = min((w * believed(a, d) / 8 for w, a, d in triples), default=mpf(0))
        # A mix cannot agree to more than its largest part is rounded to.
        parts = (w * max(a, abs(d)) for w, a, d in triples)
        limit = max(limit, max(parts, default=mpf(0)) * FLOOR)
    return Level(tuple(forward), other, further_in, mix, limit)
