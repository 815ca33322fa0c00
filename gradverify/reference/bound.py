"""How much rounding may explain: the allowed error of every number, computed.

    B(w) = c * sum over sites s of |d(w.g)/ds| * scale_s

This holds to first order. One reverse sweep over the gradient program gives it for a
stack of projections w, at all points of a graph at once. If there are too many
projections, running errors take its place (`running.py`). If first order does not hold,
balls do (`widening.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.graph import Array, Node
from gradverify.reference.gradient_program import GradientProgram
from gradverify.reference.rounding import (
    SAFETY,
)
from gradverify.reference.roundings import Roundings, roundings
from gradverify.reference.running import running_errors
from gradverify.reference.stacked import swept
from gradverify.reference.widening import ball_bounds

STACK = 64  # projections that are swept at once; more would only cost memory
NUMBERS = 2**22  # of one node in a sweep at most, unless it has a single projection
FLOORS = 64.0  # smallest numbers that running errors add up where all is zero
WORK = 2.0**25  # products in all reverse sweeps, beyond which errors run


@dataclass(frozen=True)
class Bound:
    """Allowed absolute errors of the entries of one node of the gradient program.

    tight: for rounding inside the ops' stable formulas, in the node's shape.
    loose: for operands that are moved by an ulp as well. It is never less than tight.
    """

    tight: Array
    loose: Array


def bounds(
    program: GradientProgram, point: Sequence[Array], dtype: str, targets: Sequence[int]
) -> list[Bound]:
    """The bound of every entry of each target node of the program.

    It is infinite if an intermediate overflows the format: rounding explains anything.
    """
    found = roundings(program, [point], dtype)
    return bounds_at(program, found, targets)(0)


def bounds_at(
    program: GradientProgram, found: Roundings, targets: Sequence[int]
) -> Callable[[int], list[Bound]]:
    """`bounds` at each of the points, all of which are swept at once."""
    count = len(found.points)
    with np.errstate(all="ignore"):
        sweep = _first_order if _work(program, targets) <= WORK else _running
        rows = sweep(found, targets)
    return lambda k: _checked(program, found, targets, k, rows[k], rows[count + k])


def _checked(
    program: GradientProgram,
    found: Roundings,
    targets: Sequence[int],
    k: int,
    first: Sequence[Bound],
    again: Sequence[Bound],
) -> list[Bound]:
    """The bounds at a point. If they differ at the moved point, balls give them."""
    result, form = list(first), found.form
    is_swept = _work(program, targets) <= WORK
    least = form.smallest * (1.0 if is_swept else FLOORS)
    doubtful = [
        t
        for t, (a, b) in enumerate(zip(first, again, strict=True))
        if not (found.is_straight[k] and _alike(a, b, least))
    ]
    if doubtful:
        wanted = [targets[t] for t in doubtful]
        balls = ball_bounds(program, found.points[k], form, wanted)
        for t, ball in zip(doubtful, balls, strict=True):
            result[t] = Bound(*ball)
    return result


def _work(program: GradientProgram, targets: Sequence[int]) -> int:
    """The cost of all sweeps: entries of the targets times numbers of the program."""
    nodes = program.graph.nodes
    entries = sum(math.prod(nodes[t].shape) for t in targets)
    return entries * sum(math.prod(node.shape) for node in nodes)


def _alike(a: Bound, b: Bound, least: float) -> bool:
    """Whether the bound at a point moved by the roundings is the same within 2."""
    return all(
        bool(np.all((x <= 2 * y + least) & (y <= 2 * x + least)))
        for x, y in ((a.tight, b.tight), (a.loose, b.loose))
    )


# ---- first order


def _first_order(found: Roundings, targets: Sequence[int]) -> list[list[Bound]]:
    """The bounds of the targets in every row of the values."""
    nodes, rows = found.graph.nodes, 2 * len(found.points)
    sizes = [math.prod(nodes[t].shape) for t in targets]
    tight = np.zeros((sum(sizes), rows), np.longdouble)
    loose = np.zeros_like(tight)
    most = max((math.prod(node.shape) for node in nodes), default=1)
    height = max(1, min(STACK, NUMBERS // (rows * max(most, 1))))
    for part, seeds in _stacks(nodes, targets, sizes, height):
        whole = {
            t: np.broadcast_to(unit[:, None], (len(unit), rows, *nodes[t].shape))
            for t, unit in seeds.items()
        }
        cotangents = swept(found.graph, found.values, whole)
        tight[part] = _weighted(cotangents, found.tight, tight[part].shape)
        loose[part] = tight[part] + _weighted(
            cotangents, found.loose, tight[part].shape
        )
    return [_split(nodes, targets, tight[:, k], loose[:, k]) for k in range(rows)]


def _running(found: Roundings, targets: Sequence[int]) -> list[list[Bound]]:
    """As `_first_order` for any number of entries, and never less than that."""
    result = []
    for k in range(2 * len(found.points)):
        values, scales = found.values_at(k), found.scales_at(k)
        errors = running_errors(found.graph, values, scales, targets)
        result.append([Bound(SAFETY * a, SAFETY * (a + b)) for a, b in errors])
    return result


def _stacks(
    nodes: Sequence[Node], targets: Sequence[int], sizes: Sequence[int], height: int
) -> Iterator[tuple[slice, Mapping[int, Any]]]:
    """Unit cotangents for every entry of every target, at most `height` at a time."""
    total = sum(sizes)
    starts = np.cumsum([0, *sizes])
    for begin in range(0, total, height):
        part = slice(begin, min(begin + height, total))
        seeds: dict[int, Any] = {}
        for target, start, size in zip(targets, starts, sizes, strict=False):
            rows = np.arange(max(start, part.start), min(start + size, part.stop))
            if not rows.size:
                continue
            unit = np.zeros((part.stop - part.start, size), np.longdouble)
            unit[rows - part.start, rows - start] = 1.0
            unit = unit.reshape(-1, *nodes[target].shape)
            seeds[target] = seeds[target] + unit if target in seeds else unit
        yield part, seeds


def _weighted(
    cotangents: Sequence[Any], scales: Mapping[int, Array], shape: tuple[int, ...]
) -> Array:
    """The sum over sites of |cotangent| * scale, for every projection and row."""
    total = np.zeros(shape, np.longdouble)
    for i, scale in scales.items():
        if cotangents[i] is None:
            continue
        flat = np.abs(cotangents[i])
        weighted = flat * scale
        if not np.isfinite(weighted).all():
            weighted = np.where((flat == 0.0) | (scale == 0.0), 0.0, weighted)
        total += (
            weighted.reshape(*shape, -1).sum(axis=2) if scale.ndim > 1 else weighted
        )
    return total


def _split(
    nodes: Sequence[Node], targets: Sequence[int], tight: Array, loose: Array
) -> list[Bound]:
    ends = np.cumsum([0, *(math.prod(nodes[t].shape) for t in targets)])
    return [
        Bound(
            (SAFETY * tight[a:b]).reshape(nodes[t].shape),
            (SAFETY * loose[a:b]).reshape(nodes[t].shape),
        )
        for t, a, b in zip(targets, ends[:-1], ends[1:], strict=True)
    ]
