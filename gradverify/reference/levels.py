"""What difference quotients at smaller and smaller steps say together."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mpmath import mpf

LEVELS = (80, 160, 320, 640, 1280, 2560)
"""Steps are sigma * 2**-q for these q, tried in turn.

Up to 640 a step from 0 is a long one for hypot(0, 1e-300); that derivative is zero,
which only two levels below tell.
"""

TINY = mpf(2) ** -2200  # no slope along a float's displacement is as small
TAIL = mpf(2) ** -60  # of a slope: the least that quotients agree to
COARSE = mpf(2) ** -10  # of a slope: the most that they may differ by
SETTLED = mpf(2) ** -40  # of a slope: it no longer changes from step to step
STEEP = mpf(2) ** 20  # from step to step: a slope without a limit


class Slope(enum.Enum):
    """What difference quotients can say about a function at a point."""

    SMOOTH = "smooth"
    KINK = "kink"
    ONE_SIDED = "one-sided"
    NONE = "no-derivative"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Level:
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


Found = tuple[Slope, tuple[Any, ...], tuple[Any, ...], Any]


def believed(allowed: Any, slope: Any) -> Any:
    """The error that a slope may show: what is allowed, but of its own size.

    A step across a thousand waves gives small quotients that agree on nothing.
    """
    return max(min(allowed, abs(slope) * COARSE), abs(slope) * TAIL)


def conclude(trail: Sequence[Level]) -> Found | None:
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
    return None


def without_limit(trail: Sequence[Level]) -> bool:
    """Whether the last quotients grew, to the end, like a power of one over the step.

    At the end alone: 1 - hypot'(0, 1e-300) grows as long as the steps are long.
    """
    return len(trail) > 2 and all(
        _grows(late, early) for early, late in pairwise(trail[-3:])
    )


def _shrinks(now: Level, before: Level) -> bool:
    """Whether both gaps vanish like the step: the function is smooth here."""
    pairs = list(zip(now.gaps, before.gaps, strict=True))
    settled = zip(now.forward, before.forward, strict=True)
    return all(a <= TAIL * b for a, b in pairs) and all(
        _limit(a, b) == 0 or _settled(a, b) for a, b in settled
    )


def _two_sided(now: Level, before: Level) -> bool:
    """Whether the slopes on both sides have settled, and differ."""
    scale = SETTLED * max(abs(now.mix), abs(now.other))
    moved = max(abs(now.mix - before.mix), abs(now.other - before.other))
    return bool(moved <= scale < abs(now.mix - now.other))


def _limits(now: Level, before: Level) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Slopes, zero where they vanish like the step; and what that may be off by."""
    pairs = list(zip(now.forward, before.forward, strict=True))
    slopes = tuple(_limit(a, b) for a, b in pairs)
    errors = tuple(
        2 * abs(a) if s == 0 else mpf(0)
        for s, (a, _) in zip(slopes, pairs, strict=True)
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


def _grows(late: Level, early: Level) -> bool:
    """Whether some quotient grows like a power of one over the step."""
    pairs = [*zip(late.forward, early.forward, strict=True), (late.other, early.other)]
    return any(
        a is not None and b is not None and b != 0 and abs(a) >= STEEP * abs(b)
        for a, b in pairs
    )
