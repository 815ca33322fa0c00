"""The truth: difference quotients in mpmath, at a precision that balls vouch for.

No derivative rule is used here. The same quotient is evaluated on balls first, and the
precision raised until their radius says that rounding cannot matter; whether the step
was small enough is asked of quotients on the other side and at another scale.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, ctx
from mpmath import mp, mpf

from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.graph import Array, Domain, Graph, interpret
from gradverify.reference.exact import GROWTH, STOP

LEVELS = (80, 160, 320, 640, 1280)
"""Steps are sigma * 2**-q for these q, tried in turn."""

OTHER_SIDE = -0.731  # of the step, so that the two sides share no scale
FURTHER_IN = 2.0**-13
ROUNDING = arb(2) ** -80  # of a quotient: room for sums of many of them
NEGLIGIBLE = arb(2) ** -2300  # or this, whatever the quotient
SLACK_BITS = 120  # beyond q, where the precision starts
HOPELESS_BITS = 2400  # beyond q, where a ball that is no number is left to mpmath
TINY = mpf(2) ** -2200  # no slope along a float's displacement is as small
TAIL, SETTLED, STEEP = mpf(2) ** -60, mpf(2) ** -40, mpf(2) ** 20
COARSE = mpf(2) ** -10


class Slope(enum.Enum):
    """What difference quotients can say about a function at a point."""

    SMOOTH = "smooth"
    KINK = "kink"
    ONE_SIDED = "one-sided"
    NONE = "no-derivative"
    UNRESOLVED = "unresolved"


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


@dataclass(frozen=True)
class _Level:
    """The quotients at one step; None where that side leaves the domain.

    gaps: how far the two along the mix are from the sum over the displacements.
    limit: how far they may be.
    """

    forward: tuple[Any, ...]
    other: Any
    further_in: Any
    mix: Any
    limit: Any

    @property
    def complete(self) -> bool:
        return None not in (*self.forward, self.other, self.further_in)

    @property
    def gaps(self) -> tuple[Any, Any]:
        return abs(self.mix - self.other), abs(self.mix - self.further_in)


def differences(
    graph: Graph,
    point: Sequence[Array],
    displacements: Sequence[Array],
    allowed: Sequence[float] | Array,
    seed: int = 0,
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
    steps += [_step(point, mixed, factor) for factor in (OTHER_SIDE, FURTHER_IN)]
    trail: list[_Level] = []
    for q in LEVELS:
        precision = _precision_for(graph, point, steps, q)
        if precision is None:
            break
        with mp.workprec(precision):
            quotients = list(_quotients(graph, point, steps, q, MULTIPRECISION))
            trail.append(_level(quotients, weights, allowed))
            found = _verdict(trail)
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

    parts: tuple[tuple[int, Array], ...]
    factor: float


def _step(point: Sequence[Array], displacement: Array, factor: float = 1.0) -> _Step:
    parts = []
    start = 0
    for k, x in enumerate(point):
        d = np.asarray(displacement[start : start + x.size]).reshape(x.shape)
        start += x.size
        if np.any(d):
            parts.append((k, d))
    return _Step(tuple(parts), factor)


def _quotients(
    graph: Graph, point: Sequence[Array], steps: Iterable[_Step], q: int, m: Any
) -> Iterator[Any]:
    """(f(x + t*d) - f(x))/t for every step t*d, None outside the domain."""
    number = NUMBERS[m.name]
    at = [m.lift(x) for x in point]
    base = _value(graph, at, m)
    for step in steps:
        t = number(step.factor) * number(2) ** -q
        moved = list(at)
        for k, d in step.parts:
            moved[k] = at[k] + exactly(d, number) * t
        value = _value(graph, moved, m)
        outside = base is None or value is None
        yield None if outside else (value - base) / t


def _value(graph: Graph, inputs: Sequence[Any], m: Any) -> Any:
    """The output; None outside the domain."""
    try:
        return interpret(graph, m.table, inputs)
    except (Domain, ZeroDivisionError, OverflowError):
        return None


NUMBERS: Mapping[str, Any] = {BALLS.name: arb, MULTIPRECISION.name: mpf}


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
    graph: Graph, point: Sequence[Array], steps: Sequence[_Step], q: int
) -> int | None:
    """Bits at which rounding is under 2**-80 of every quotient, by balls.

    A ball that is no number may be too wide or outside the domain; only a high
    precision tells, and then the differences say which.
    """
    precision = q + SLACK_BITS
    while precision <= STOP:
        with ctx.workprec(precision):
            # the last step is the smallest, and the first to want more bits
            balls = _quotients(graph, point, reversed(steps), q, BALLS)
            is_late = precision > q + HOPELESS_BITS
            wanted = (_wanted_bits(ball, precision, is_late) for ball in balls)
            more = next((bits for bits in wanted if bits > precision), None)
        if more is None:
            return precision
        precision = more
    return None


def _wanted_bits(ball: Any, precision: int, is_late: bool) -> int:
    """The precision that would make a quotient sharp, as far as this one tells."""
    grown = int(precision * GROWTH)
    if ball is None or not ball.is_finite():
        return 0 if is_late else grown
    radius, size = ball.rad(), abs(ball).lower()
    if radius <= size * ROUNDING or radius <= NEGLIGIBLE:
        return 0
    if not size > 0:
        return grown
    missing = (radius / (size * ROUNDING)).log() / LOG_2
    return precision + max(32, int(float(missing.mid())) + 16)


LOG_2 = arb(2).log()


# ---- what they say

Found = tuple[Slope, tuple[Any, ...], tuple[Any, ...], Any]


def _level(quotients: Sequence[Any], weights: Array, allowed: Array) -> _Level:
    *forward, other, further_in = quotients
    mix = limit = None
    if None not in forward:
        sizes = (exactly(x, mpf) for x in (weights, allowed))
        triples = list(zip(*sizes, forward, strict=True))
        mix = mp.fsum(w * d for w, _, d in triples)
        limit = min((w * _believed(a, d) / 8 for w, a, d in triples), default=mpf(0))
    return _Level(tuple(forward), other, further_in, mix, limit)


def _believed(allowed: Any, slope: Any) -> Any:
    """The error that a slope may show: what is allowed, but of its own size.

    A step across a thousand waves gives small quotients that agree on nothing.
    """
    return max(min(allowed, abs(slope) * COARSE), abs(slope) * TAIL)


def _verdict(trail: Sequence[_Level]) -> Found | None:
    """What the levels so far say; None asks for another."""
    now = trail[-1]
    exact = (mpf(0),) * len(now.forward)
    if now.complete and max(now.gaps) <= max(now.limit, TINY):
        return Slope.SMOOTH, now.forward, exact, None
    if len(trail) < 2:
        return None
    before = trail[-2]
    if now.complete and before.complete:
        if _shrinks(now, before):
            return Slope.SMOOTH, *_limits(now, before), None
        if len(trail) == len(LEVELS) and _two_sided(now, before):
            return Slope.KINK, now.forward, exact, now.other
    elif now.mix is not None and before.mix is not None and now.other is None:
        if _settled(now.mix, before.mix):
            return Slope.ONE_SIDED, *_limits(now, before), None
    elif now.mix is None and _settled(now.other, before.other):
        return Slope.ONE_SIDED, (), (), now.other
    if len(trail) > 2 and all(
        _grows(late, early) for late, early in ((now, before), (before, trail[-3]))
    ):
        return Slope.NONE, (), (), None
    return None


def _shrinks(now: _Level, before: _Level) -> bool:
    """Whether both gaps vanish like the step: the function is smooth here."""
    pairs = list(zip(now.gaps, before.gaps, strict=True))
    settled = zip(now.forward, before.forward, strict=True)
    return all(a <= TAIL * b for a, b in pairs) and all(
        _limit(a, b) == 0 or _settled(a, b) for a, b in settled
    )


def _two_sided(now: _Level, before: _Level) -> bool:
    """Whether the slopes on both sides have settled, and differ."""
    scale = SETTLED * max(abs(now.mix), abs(now.other))
    moved = max(abs(now.mix - before.mix), abs(now.other - before.other))
    return bool(moved <= scale < abs(now.mix - now.other))


def _limits(now: _Level, before: _Level) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Slopes, zero where they vanish like the step; and what that may be off by."""
    pairs = list(zip(now.forward, before.forward, strict=True))
    slopes = tuple(_limit(a, b) for a, b in pairs)
    errors = tuple(
        abs(a) if s == 0 else mpf(0) for s, (a, _) in zip(slopes, pairs, strict=True)
    )
    return slopes, errors


def _limit(now: Any, before: Any) -> Any:
    """Zero for a quotient that vanishes like the step, else the quotient."""
    return mpf(0) if abs(now) <= TAIL * abs(before) else now


def _settled(now: Any, before: Any) -> bool:
    """Whether a quotient no longer changes, or vanishes."""
    if now is None or before is None:
        return False
    return bool(
        abs(now - before) <= SETTLED * abs(now) or abs(now) <= TAIL * abs(before)
    )


def _grows(late: _Level, early: _Level) -> bool:
    """Whether some quotient grows like a power of one over the step."""
    pairs = [*zip(late.forward, early.forward, strict=True), (late.other, early.other)]
    return any(
        a is not None and b is not None and b != 0 and abs(a) >= STEEP * abs(b)
        for a, b in pairs
    )
