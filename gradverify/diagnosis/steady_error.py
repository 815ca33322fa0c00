"""An error that stays beside a point, and so is none of rounding.

A rounding jumps from number to number. What a formula, a constant or an added number
makes wrong changes as little as the numbers do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradverify.diagnosis.explain_case import Look
from gradverify.diagnosis.generic_points import PointStyle, moved
from gradverify.diagnosis.observation import Observation, observed
from gradverify.graph import Case

BESIDE = PointStyle(0.002, keeps=True, leaves=False)  # one factor for all numbers
POINTS = 4
FEWEST = 3
STEADY = 0.2  # by so much of their mean may errors that stay differ


def steady_error(case: Case, look: Look) -> float | None:
    """The relative error of the number that is furthest off, if it stays nearby.

    None if it jumps, or if too few points beside the case can be looked at.
    """
    first = _seen(case, look)
    if first is None:
        return None
    sized = np.flatnonzero(first.exact)  # a zero has no relative error
    off = np.abs((first.given - first.exact)[sized] / first.exact[sized])
    at = int(sized[np.argmax(off)])
    errors = [_relative(o, at) for o in (first, *_beside(case, look))]
    middle = float(np.mean(errors))
    if len(errors) <= FEWEST or not np.isfinite(middle) or middle == 0.0:
        return None
    apart = max(abs(e - middle) for e in errors)
    return abs(middle) if apart <= STEADY * abs(middle) else None


def _beside(case: Case, look: Look) -> Iterator[Observation]:
    for which in range(POINTS):
        other = moved(case, which, BESIDE)
        seen = None if other is None else _seen(other, look)
        if seen is not None:
            yield seen


def _seen(case: Case, look: Look) -> Observation | None:
    """What is given there; None without numbers that have a size."""
    derivatives = look(case)
    seen = None if derivatives is None else observed(case, derivatives)
    if seen is None or not seen.exact.size or not np.any(seen.exact):
        return None
    return seen


def _relative(seen: Observation, at: int) -> float:
    """Signed; NaN where the exact number is zero there."""
    exact = seen.exact[at]
    return float((seen.given[at] - exact) / exact) if exact else np.nan
