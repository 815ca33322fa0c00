"""How far the values of a function scatter about a smooth one: its own rounding.

A function may lose far more digits than one rounding of its result: one that adds 1e7
and takes it off again, one that solves to a tolerance, one that works in float32
inside. The scatter is measured from differences of high order, in which all that is
smooth vanishes (J. J. Moré and S. M. Wild, Estimating Computational Noise, SIAM J. Sci.
Comput. 33, 2011: the algorithm ECnoise).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

POINTS = 8  # values that are looked at together
FIRST = 2.0**-30  # how far they lie apart at first, for numbers of size 1
FACTOR = 64.0  # by what the distance changes if it was too small or too large
FITTED = 17  # values that a cubic is fitted to
RANGE = 2.0**-9  # how far on either side they lie, for numbers of size 1
TRIES = 6
ALIKE = 4.0  # levels of noise that differ by no more tell the same


def noise_of(value_at: Callable[[float], float], size: float) -> float:
    """The standard deviation of the noise along a line; 0 if none is seen.

    value_at: the function at a distance from the point. size: of the numbers that move.
    """
    step, tried, seen = FIRST * size, set[float](), 0.0
    for _ in range(TRIES):
        if step in tried or step > size / POINTS:
            break
        tried.add(step)
        values = [value_at((k - POINTS // 2) * step) for k in range(POINTS)]
        if not np.all(np.isfinite(values)):
            break
        found, is_flat = _level(np.array(values))
        if found is not None:
            return found
        if is_flat:
            seen = max(seen, float(np.ptp(values)))
        step = step * FACTOR if is_flat else step / FACTOR
    return seen


def steps_of(value_at: Callable[[float], float], size: float) -> float:
    """The noise of a function that goes in steps, as the result of a search by halves.

    It is smooth between its steps. So a cubic is fitted to values farther apart; in so
    small a range a smooth function leaves nothing beside it.
    """
    places = np.linspace(-1.0, 1.0, FITTED)
    values = np.array([value_at(RANGE * size * x) for x in places])
    if not np.all(np.isfinite(values)):
        return 0.0
    fitted = np.polynomial.Polynomial.fit(places, values, deg=3)
    return float(np.sqrt(np.mean((values - fitted(places)) ** 2)))


def _level(values: np.ndarray) -> tuple[float | None, bool]:
    """The noise of values at equal distances; else whether these are too small."""
    differences, gamma = values, 1.0
    levels, turns = [], []
    for j in range(1, len(values)):
        differences = np.diff(differences)
        if j == 1 and np.sum(differences == 0) >= len(values) / 2:
            return None, True
        gamma *= 0.5 * j / (2 * j - 1)
        levels.append(float(np.sqrt(gamma * np.mean(differences**2))))
        turns.append(bool(np.min(differences) * np.max(differences) < 0))
    for k in range(len(levels) - 3):
        near = levels[k : k + 3]
        if max(near) <= ALIKE * min(near) and turns[k]:
            return levels[k], False
    return None, False
