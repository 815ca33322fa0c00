"""Steps along displacements of the inputs: which entries move, and how far.

Most steps move one entry of one input. So a step lists the entries that move, each as a
whole number times a power of two, which every arithmetic can take exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradverify.arithmetic import matrices
from gradverify.formats import DOUBLE
from gradverify.graph import Array

MANTISSA = DOUBLE.precision  # bits that a displacement has at most


@dataclass(frozen=True)
class Step:
    """A displacement, and the factor by which the step along it is scaled.

    moves: by the position of an input, the entries of it that move, as triples of a
        position, a mantissa and an exponent of 2.
    matrices: by the position of an input, how a large matrix moves as a whole.
    """

    moves: Mapping[int, Sequence[tuple[int, int, int]]]
    matrices: Mapping[int, Moved] = field(default_factory=dict)
    factor: float = 1.0


@dataclass(frozen=True)
class Moved:
    """The displacement of a large matrix. It is turned into balls only once."""

    floats: Array

    @cached_property
    def whole(self) -> Any:
        """The displacement as an `arb_mat`, exactly."""
        return matrices.whole_of(self.floats)


def step_along(point: Sequence[Array], displacement: Array) -> Step:
    """The step that moves all inputs, in their order, by a displacement."""
    moves, large, start = {}, {}, 0
    for k, x in enumerate(point):
        part = displacement[start : start + x.size]
        start += x.size
        if not np.any(part):
            continue
        if x.ndim == 2 and x.size >= matrices.LARGE:
            large[k] = Moved(part.reshape(x.shape))
        else:
            moves[k] = _entries(part)
    return Step(moves, large)


def _entries(part: Array) -> list[tuple[int, int, int]]:
    found = np.flatnonzero(part)
    mantissas, exponents = np.frexp(part[found])
    columns = (c.tolist() for c in (found, mantissas.astype(float), exponents))
    return [
        (i, int(a * 2.0**MANTISSA), e - MANTISSA)
        for i, a, e in zip(*columns, strict=True)
    ]


def exactly(x: Array, number: Any) -> Any:
    """Long doubles as objects, without the detour over a double's smaller range.

    number: the class of the objects, such as mpf.
    """
    mantissa, exponent = np.frexp(x)
    if np.ndim(x) == 0:
        return number(float(mantissa)) * number(2) ** int(exponent)
    result = np.empty(x.shape, dtype=object)
    flat = zip(mantissa.flat, exponent.flat, strict=True)
    result.flat[:] = [
        number(float(a)) * number(2) ** int(e) if a else 0 for a, e in flat
    ]
    return result
