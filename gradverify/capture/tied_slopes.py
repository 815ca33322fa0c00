"""What is right where rounding may decide otherwise: the slopes of all branches about.

A program is one branch. Where two numbers that are compared are equal, other branches
begin at the point, and each has a slope there. All that lies between these is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gradverify.capture.captured import NotCaptured, contracted
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.truths import TRUSTED, Look
from gradverify.graph import Array, Case
from gradverify.reference import Slope, floats_of
from gradverify.reference import reference as reference_of

STEP = 2.0**-20  # how far the branches about are looked for
MIXED = 8  # directions in which all entries move
MOST = 24  # entries of all arguments beyond which a tie is not looked into


def is_between(
    who: FunctionCall, look: Look, given: Sequence[Array | None]
) -> bool | None:
    """Whether derivatives lie between the slopes of the branches at a tie.

    who: the call that is captured. None if it cannot be told: there are too many
    entries, or branches that do not meet at the point.
    """
    point = look.case.point
    if sum(x.size for x in point) > MOST or look.found.status is not Slope.SMOOTH:
        return None
    slopes = [[floats_of(x) for x in look.found.gradient]]
    room = [np.asarray(b.loose, float) for b in look.found.bounds]
    value, meets = float(look.found.value), float(look.found.value_bound.loose)
    graphs = {look.case.graph}
    for near in _about(point):
        try:
            made = contracted(who.capture(near), look.weights)
        except (NotCaptured, ValueError, ArithmeticError):
            return None
        if made.graph in graphs:
            continue
        graphs.add(made.graph)
        found = reference_of(Case(made.graph, point, look.case.dtype), look.model)
        if found.status is not Slope.SMOOTH:
            return None
        if abs(float(found.value) - value) > TRUSTED * meets:
            return None
        slopes.append([floats_of(x) for x in found.gradient])
        room = [
            np.maximum(a, np.asarray(b.loose, float))
            for a, b in zip(room, found.bounds, strict=True)
        ]
    for k, got in enumerate(given):
        sides = np.stack([s[k] for s in slopes])
        low, high = sides.min(axis=0) - room[k], sides.max(axis=0) + room[k]
        values = np.zeros(low.shape) if got is None else np.asarray(got, float)
        if not np.all((low <= values) & (values <= high)):
            return False
    return True


def _about(point: Sequence[Array]) -> Iterator[tuple[Array, ...]]:
    """Points beside: each entry up and down by itself, and all of them at once."""
    source = np.random.default_rng(0)
    sizes = [STEP * np.where(x == 0, 1.0, np.abs(x)) for x in point]
    for i, x in enumerate(point):
        for j in range(x.size):
            for sign in (1.0, -1.0):
                moves = [np.zeros(y.shape) for y in point]
                moves[i].flat[j] = sign
                yield _moved(point, sizes, moves)
    for _ in range(MIXED):
        moves = [source.uniform(-1.0, 1.0, x.shape) for x in point]
        yield _moved(point, sizes, moves)


def _moved(
    point: Sequence[Array], sizes: Sequence[Array], moves: Sequence[Array]
) -> tuple[Array, ...]:
    triples = zip(point, sizes, moves, strict=True)
    return tuple((x + s * m).astype(x.dtype) for x, s, m in triples)
