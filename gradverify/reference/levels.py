"""What difference quotients at smaller and smaller steps say together.

One step alone cannot tell a kink from a curve. Quotients are therefore taken at several
steps, and each time along several displacements. If the function is smooth, the
quotient along a sum of displacements is the sum of their quotients, up to a gap that
shrinks with the step. At a kink the gap stays: for abs at 0, the slope is 1 on one side
and -1 on the other, at any step.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from mpmath import mpf

LEVELS = (80, 160, 320, 640, 1280, 2560)
"""A step is 2**-q of the displacement. These q are tried in turn.

The last ones are for points such as a = 0 of hypot(a, 1e-300), where the derivative is
zero. A step from 0 must be far below 1e-300 to show it, and only the last two are.
"""

TINY = mpf(2) ** -2200  # smaller than any slope along a displacement of a float
TAIL = mpf(2) ** -60  # of a slope: no two quotients are asked to agree to less
COARSE = mpf(2) ** -10  # of a slope: quotients that differ by more never agree
SETTLED = mpf(2) ** -40  # of a slope: if it changes by less, it has reached its limit
STEEP = mpf(2) ** 20  # a quotient that grows by this from step to step has no limit


class Slope(enum.Enum):
    """What difference quotients can say about a function at a point."""

    SMOOTH = "smooth"
    KINK = "kink"
    ONE_SIDED = "one-sided"
    NONE = "no-derivative"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class Level:
    """The quotients at one step. A quotient is None if its side leaves the domain.

    The *mix* is a sum of all displacements with positive weights.

    forward: along each displacement by itself.
    mix: the slope along the mix, added up from `forward`.
    other, further_in: along the mix itself, backward, and forward by a smaller step.
    gaps: how far these two are from `mix`.
    limit: how far they may be from it if the function is smooth.
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
    """The error up to which quotients count as equal.

    It is what is allowed, but within a part of the slope itself. Otherwise a step that
    is too long could be believed: across a thousand waves of a sine, every quotient is
    small, so that any two of them are near each other.
    """
    return max(min(allowed, abs(slope) * COARSE), abs(slope) * TAIL)


def conclude(trail: Sequence[Level]) -> Found | None:
    """What the levels so far say; None if another level is needed."""
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
    """Whether the last three quotients grew like a power of 1/step.

    Only the last ones count. A quotient may grow while the steps are still long, and
    then reach its limit.
    """
    return len(trail) > 2 and all(
        _grows(late, early) for early, late in pairwise(trail[-3:])
    )


def _shrinks(now: Level, before: Level) -> bool:
    """Whether both gaps shrink in proportion to the step, as of a smooth function."""
    pairs = list(zip(now.gaps, before.gaps, strict=True))
    settled = zip(now.forward, before.forward, strict=True)
    return all(a <= TAIL * b for a, b in pairs) and all(
        _limit(a, b) == 0 or _settled(a, b) for a, b in settled
    )


def _two_sided(now: Level, before: Level) -> bool:
    """Whether the slopes of both sides have reached their limits, and these differ."""
    scale = SETTLED * max(abs(now.mix), abs(now.other))
    moved = max(abs(now.mix - before.mix), abs(now.other - before.other))
    return bool(moved <= scale < abs(now.mix - now.other))


def _limits(now: Level, before: Level) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The slopes in the limit, and how far each may be off.

    A quotient that shrinks in proportion to the step has the limit 0. The last quotient
    says how far off that may be.
    """
    pairs = list(zip(now.forward, before.forward, strict=True))
    slopes = tuple(_limit(a, b) for a, b in pairs)
    errors = tuple(
        2 * abs(a) if s == 0 else mpf(0)
        for s, (a, _) in zip(slopes, pairs, strict=True)
    )
    return slopes, errors


def _limit(now: Any, before: Any) -> Any:
    """0 for a quotient that shrinks in proportion to the step, else the quotient."""
    return mpf(0) if abs(now) <= TAIL * abs(before) else now


def _settled(now: Any, before: Any) -> bool:
    """Whether a quotient has stopped changing, or shrinks towards 0."""
    if now is None or before is None:
        return False
    return bool(
        abs(now - before) <= SETTLED * abs(now) or abs(now) <= TAIL * abs(before)
    )


def _grows(late: Level, early: Level) -> bool:
    """Whether some quotient grows like a power of 1/step."""
    pairs = [*zip(late.forward, early.forward, strict=True), (late.other, early.other)]
    return any(
        a is not None and b is not None and b != 0 and abs(a) >= STEEP * abs(b)
        for a, b in pairs
    )
