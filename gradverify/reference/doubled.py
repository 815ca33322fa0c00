"""Many exact numbers at once: each is the sum of two floats, in place of one mpf.

The gradient of a large matrix has a hundred thousand entries. As mpf objects they would
take most of the time and memory of a case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import ctx
from mpmath import mp, mpf

from gradverify.arithmetic.matrices import Matrix, whole_of
from gradverify.graph import Array

ALL_BITS = 2200  # more than any two doubles are apart


@dataclass(frozen=True, eq=False)
class Doubled:
    """Exact numbers, to 106 bits: each is the sum of two doubles.

    high: the nearest doubles.
    low: what these leave out.
    """

    high: Array
    low: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array that it stands for."""
        return self.high.shape

    def __getitem__(self, index: tuple[int, ...]) -> Any:
        """One of the numbers, as an mpf."""
        with mp.workprec(ALL_BITS):
            return mpf(float(self.high[index])) + mpf(float(self.low[index]))

    def reshape(self, *shape: Any) -> Array:
        """All numbers as an object array of mpf; slow, and meant for small arrays."""
        result = np.empty(self.shape, dtype=object)
        for index in np.ndindex(self.shape):
            result[index] = self[index]
        return result.reshape(*shape)

    def error(self, got: Array) -> Array:
        """How far floats are from the exact numbers, up to one rounding."""
        difference = got.astype(np.longdouble) - self.high
        return np.asarray(np.abs(difference - self.low))


def doubled(matrix: Matrix, bits: int) -> Doubled:
    """The midpoints of a matrix of balls.

    bits: the precision at which the balls were computed.
    """
    high = _floats(matrix.whole)
    with ctx.workprec(bits):
        low = _floats(matrix.whole - whole_of(high))
    return Doubled(high, low)


def _floats(whole: Any) -> Array:
    entries = [float(ball) for ball in whole.entries()]
    return np.array(entries).reshape(whole.nrows(), whole.ncols())


def floats_of(exact: Any) -> Array:
    """The nearest floats of exact numbers, given as `Doubled` or as an object array."""
    if isinstance(exact, Doubled):
        return exact.high
    flat = [float(v) for v in np.asarray(exact, dtype=object).reshape(-1)]
    return np.array(flat, np.float64).reshape(np.shape(exact))


def undecided(matrix: Matrix, bits: int) -> list[Any]:
    """The balls that may be known to fewer bits than asked, as floats can tell."""
    entries = matrix.whole.entries()
    sizes = np.abs(np.array([float(ball) for ball in entries]))
    radii = np.array([float(ball.rad()) for ball in entries])
    known = radii <= 2.0 ** (-bits - 1) * sizes
    return [entries[k] for k in np.flatnonzero(~known)]
