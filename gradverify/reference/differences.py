"""The truth: difference quotients in mpmath, at a precision that balls vouch for.

No derivative rule is used here. The same quotient is evaluated on balls first, and the
precision raised until their radius says that rounding cannot matter; whether the step
was small enough is asked of quotients on the other side and at another scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, ctx
from mpmath import mp, mpf

from gradverify.arithmetic import matrices
from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.multiprecision import MULTIPRECISION, NUMBERS
from gradverify.graph import Array, Domain, Graph, interpret
from gradverify.reference.exact import GROWTH, STOP
from gradverify.reference.levels import LEVELS, Level, Slope, believed, conclude

OTHER_SIDE = -0.731  # of the step, so that the two sides share no scale
FURTHER_IN = 2.0**-13
FLOOR = mpf(2) ** -70  # of the largest part of a mix: a little more than rounding
NEGLIGIBLE = arb(2) ** -2300  # or this, whatever the quotient
SLACK_BITS = 120  # beyond q, where the precision starts
HOPELESS_BITS = 2400  # beyond q, where a ball that is no number is left to mpmath


@dataclass(frozen=True)
class Demand:
    """How sharp quotients are to be.

    levels: the steps that are tried. rounding: of a quotient, with room for sums of
    many of them. agree: of a slope, what our own gradient may differ from it by.
    """

    levels: tuple[int, ...]
    rounding: Any
    agree: Any


USUAL = Demand(LEVELS, arb(2) ** -80, mpf(2) ** -56)
CERTIFYING = Demand(LEVELS[1:], arb(2) ** -100, mpf(2) ** -84)
"""For two directions through many entries: 25 digits."""


@dataclass(frozen=True)
class Differences:
    """Slopes along displacements, and how they were found.

    slopes: one mpf a displacement; at a kink, or at the edge of a domain, from the
        side that exists.
    errors: what the slopes may be off by where that matters: the last quotient, for
        one that vanishes like the step and is taken for zero.
    other: at a kink, the slope along the mixed displacement from the other side.
    step_bits, precision: q of the last step 2**-q, and the bits of the arithmetic.
    """

    status: Slope
    slopes: tuple[Any, ...] = ()
    errors: tuple[Any, ...] = ()
    other: Any = None
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

    displacements: each has one float for every entry of the inputs, in order, none
        negative, of at most 12 significant bits; 2**-q of it is the step.
    allowed: for each slope, the absolute error that would not matter; the quotients
        agree to an eighth of it, or to 60 bits, before they are believed.

    Every quotient is forward. Two more go along a mix of all displacements: one
    backward, by another step, one forward, much further in. All components of the
    mix are positive, so that no kink can hide from it.
    """
    allowed = np.asarray(allowed, np.longdouble)
    weights = _weights(allowed, seed)
    none = np.zeros(sum(x.size for x in point), np.longdouble)
    mixed = sum((w * d for w, d in zip(weights, displacements, strict=True)), none)
    steps = [_step(point, d) for d in displacements]
    mix = _step(point, mixed)
    steps += [replace(mix, factor=factor) for factor in (OTHER_SIDE, FURTHER_IN)]
    trail: list[Level] = []
    for q in demand.levels:
        precision = _precision_for(graph, point, steps, q, demand.rounding)
        if precision is None:
            break
        with mp.workprec(precision):
            quotients = list(_quotients(graph, point, steps, q, MULTIPRECISION))
            trail.append(_level(quotients, weights, allowed))
            found = conclude(trail)
        if found is not None:
            return Differences(*found, q, precision)
    return Differences(Slope.UNRESOLVED, step_bits=q, precision=precision or STOP)


def _weights(allowed: Array, seed: int) -> Array:
    """Larger where less error is allowed, so that the mix sees every component.

    Of few bits, so that the mix is exact where displacements move different entries,
    or are allowed the same error; of wide range, as inputs of 5e-324 need.
    """
    size = np.clip(np.asarray(allowed, np.longdouble), LEAST, 1 / LEAST)
    powers = np.round(np.log2(size.min(initial=1 / LEAST) / size))
    draws = np.random.default_rng(seed).integers(64, 128, len(size)) / 64.0
    weights: Array = np.exp2(powers) * draws
    return weights


LEAST = max(np.longdouble(2) ** -1022, np.finfo(np.longdouble).tiny ** 0.25)


# ---- quotients


@dataclass(frozen=True)
class _Step:
    """A displacement by inputs, and the factor by which the step along it is scaled.

    Inputs that stay are left out.
    """

    parts: tuple[tuple[int, _Displacement], ...]
    factor: float


@dataclass(frozen=True)
class _Displacement:
    """That of one input; a large matrix is made a ball matrix once."""

    floats: Array

    def numbers(self, m: Any) -> Any:
        """It in numbers of an arithmetic, exactly."""
        if self.floats.ndim == 2 and self.floats.size >= matrices.LARGE:
            return matrices.Matrix(MATRICES[m.name], self._whole)
        return exactly(self.floats, NUMBER[m.name])

    @cached_property
    def _whole(self) -> Any:
        return matrices.whole_of(self.floats)


def _step(point: Sequence[Array], displacement: Array) -> _Step:
    parts = []
    start = 0
    for k, x in enumerate(point):
        d = np.asarray(displacement[start : start + x.size]).reshape(x.shape)
        start += x.size
        if np.any(d):
            parts.append((k, _Displacement(d)))
    return _Step(tuple(parts), 1.0)


def _quotients(
    graph: Graph, point: Sequence[Array], steps: Iterable[_Step], q: int, m: Any
) -> Iterator[Any]:
    """(f(x + t*d) - f(x))/t for every step t*d, None outside the domain."""
    number = NUMBER[m.name]
    at = [m.lift(x) for x in point]
    base = _value(graph, at, m)
    for step in steps:
        t = number(step.factor) * number(2) ** -q
        moved = list(at)
        for k, d in step.parts:
            moved[k] = at[k] + d.numbers(m) * t
        value = _value(graph, moved, m)
        outside = base is None or value is None
        yield None if outside else (value - base) / t


def _value(graph: Graph, inputs: Sequence[Any], m: Any) -> Any:
    """The output; None outside the domain."""
    try:
        return interpret(graph, m.table, inputs)
    except (Domain, ZeroDivisionError, OverflowError):
        return None


NUMBER: Mapping[str, Any] = {BALLS.name: arb, MULTIPRECISION.name: mpf}
MATRICES = {BALLS.name: matrices.BALLS, MULTIPRECISION.name: NUMBERS}


def exactly(x: Array, number: Any) -> Any:
    """Long doubles as objects, without their passing through a double's range."""
    mantissa, exponent = np.frexp(x)
    if np.ndim(x) == 0:
        return number(float(mantissa)) * number(2) ** int(exponent)
    result = np.empty(x.shape, dtype=object)
    flat = zip(mantissa.flat, exponent.flat, strict=True)
    result.flat[:] = [
        number(float(a)) * number(2) ** int(e) if a else 0 for a, e in flat
    ]
    return result


def value_at(graph: Graph, point: Sequence[Array]) -> Any:
    """The output in mpmath at the precision in force; None outside the domain."""
    return _value(graph, [MULTIPRECISION.lift(x) for x in point], MULTIPRECISION)


def _precision_for(
    graph: Graph, point: Sequence[Array], steps: Sequence[_Step], q: int, rounding: Any
) -> int | None:
    """Bits at which rounding is under that part of every quotient, by balls.

    A ball that is no number may be too wide or outside the domain; only a high
    precision tells, and then the differences say which.
    """
    precision = q + SLACK_BITS
    while precision <= STOP:
        with ctx.workprec(precision):
            # the last step is the smallest, and the first to want more bits
            balls = _quotients(graph, point, reversed(steps), q, BALLS)
            is_late = precision > q + HOPELESS_BITS
            wanted = (_wanted_bits(b, precision, is_late, rounding) for b in balls)
            more = next((bits for bits in wanted if bits > precision), None)
        if more is None:
            return precision
        precision = more
    return None


def _wanted_bits(ball: Any, precision: int, is_late: bool, rounding: Any) -> int:
    """The precision that would make a quotient sharp, as far as this one tells."""
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
