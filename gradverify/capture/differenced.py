"""The truth of a function that cannot be read: differences of the function itself.

Central quotients at falling steps are extrapolated (Richardson, by Neville's scheme as
Ridders, 1982, has it). Two such columns, from steps that share no factor, and the
noise of the function's values, as it is measured, say how many digits are right. Where
the slopes on both sides of the point differ, all between them are right.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mpmath import mpf

from gradverify.capture.captured import NotCaptured
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.function_noise import noise_of, steps_of
from gradverify.capture.function_points import Cotangents, FunctionPoint, cotangents
from gradverify.capture.truths import RESTLESS, Look, Truth, unit_of, value_of
from gradverify.graph import Array, Case, Graph, Node, apply_op, data_leaf, input_leaf
from gradverify.reference import Bound, Hull, Kinked, Reference, Slope, SlopedGraph

STARTS = (0.05, 0.0371)  # first steps of the two columns, for numbers of size 1
ROWS = 8  # steps of a column, each 1.6 times as small
SHRINK = 1.6
MOST = 128  # entries of all arguments that are differenced; of more, a sample
SAFE = 8.0  # the error is taken so many times as large as it was estimated
ROUNDINGS = 256.0  # units of roundoff, of its own size, that a derivative may be off
NOISE = 8.0  # units of roundoff that a value of the function is off by, at least
SCATTER = 4.0  # standard deviations of the measured noise that it is off by
BENT = 4.0  # a bend that shrinks by less, over all steps of a column, is a kink
CORNERS = 6  # entries with two slopes whose combinations are all looked at

ValueAt = Callable[[float], tuple[float, float]]


class DifferencedTruth(Truth):
    """Differences of the function, in the widest format that it takes."""

    name = "differences of the function"

    def __init__(self, call: FunctionCall, why: str) -> None:
        self.call, self.why = call, why
        self.wide = call.widened() or call
        self.digits: list[float] = []

    @property
    def remark(self) -> str:  # type: ignore[override]
        """How many digits the differences had, in words."""
        if not self.digits:
            return f"the function was differenced: {self.why}"
        least = max(0, int(np.floor(np.median(self.digits))))
        return (
            f"the function was differenced, to about {least} digits, since it could "
            f"not be read: {self.why}"
        )

    def looks(
        self,
        places: Sequence[FunctionPoint],
        source: Any,
        drawn: Cotangents = cotangents,
    ) -> list[Look]:
        """Cases whose graph is the linear function with the slopes that were found."""
        found = []
        for place in places:
            if not place.is_generic:  # of huge numbers differences tell little
                continue
            outputs = self.call.outputs(place.point)
            if not all(np.all(np.isfinite(y)) for y in outputs):
                continue
            shapes = [y.shape for y in outputs]
            weights = drawn(shapes, self.call.dtype, source)
            look = self._look(place, weights, value_of(outputs, weights), source)
            if look is not None:
                found.append(look)
        return found

    def _look(
        self,
        place: FunctionPoint,
        weights: tuple[Array, ...],
        value: float,
        source: Any,
    ) -> Look | None:
        point = [np.asarray(x, self.wide.dtype) for x in place.point]
        slopes = [np.zeros(x.shape) for x in point]
        errors = [np.full(x.shape, np.inf) for x in point]
        bends = [np.zeros(x.shape) for x in point]
        noise = self._noise(point, weights, source)
        for i, j in _entries(point, source):
            size = max(1.0, abs(float(point[i].flat[j])))
            value_at = self._along(point, self._direction(point[i], i, j), weights)
            found = differenced(value_at, size, noise)
            slopes[i].flat[j], errors[i].flat[j] = found.slope, found.error
            bends[i].flat[j] = found.bend
        own = unit_of(self.call.dtype)
        pairs = zip(slopes, errors, strict=True)
        bounds = tuple(
            Bound(*(np.asarray(e + ROUNDINGS * own * np.abs(s), np.longdouble),) * 2)
            for s, e in pairs
        )
        finite = [
            (abs(s), e)
            for a, b in zip(slopes, errors, strict=True)
            for s, e in zip(a.flat, b.flat, strict=True)
            if np.isfinite(e) and s
        ]
        self.digits += [float(np.log10(s / max(e, 1e-300))) for s, e in finite]
        graph = linear(slopes)
        case = Case(graph, place.point, self.call.dtype)
        kinked = _kinked(graph, slopes, bends)
        known = Reference(
            case,
            Slope.SMOOTH if kinked is None else Slope.KINK,
            mpf(value),
            tuple(_exact(s) for s in slopes),
            Bound(np.array(np.inf), np.array(np.inf)),
            bounds,
            tuple(np.abs(s) + b for s, b in zip(slopes, bends, strict=True)),
            kinked,
        )
        return Look(place, case, weights, known, value)

    def _direction(self, x: Array, i: int, j: int) -> dict[tuple[int, int], float]:
        """One entry; of a matrix that stays symmetric, half of it on either side."""
        if i not in self.call.symmetric:
            return {(i, j): 1.0}
        places = np.arange(x.size).reshape(x.shape)
        other = int(np.swapaxes(places, -1, -2).flat[j])
        return {(i, j): 1.0} if other == j else {(i, other): 0.5, (i, j): 0.5}

    def _along(
        self,
        point: Sequence[Array],
        direction: Mapping[tuple[int, int], float],
        weights: tuple[Array, ...],
    ) -> ValueAt:
        """The contracted value with some entries moved, and the step as it was taken.

        direction: how far each entry moves in a step of 1.
        """

        def value_at(step: float) -> tuple[float, float]:
            moved = [np.array(x) for x in point]
            for (i, j), share in direction.items():
                moved[i].flat[j] += step * share
                taken = (float(moved[i].flat[j]) - float(point[i].flat[j])) / share
            try:
                outputs = self.wide.outputs_beside(moved, point)
            except NotCaptured:  # as in another branch; a smaller step may do
                return np.nan, taken
            return value_of(outputs, weights), taken

        return value_at

    def _noise(
        self, point: Sequence[Array], weights: tuple[Array, ...], source: Any
    ) -> float:
        """How far a contracted value may be off: by rounding, and as it is measured."""
        outputs = self.wide.outputs_beside(point, point)
        size = sum(
            float(np.sum(np.abs(np.asarray(y, float) * w)))
            for y, w in zip(outputs, weights, strict=True)
        )
        every = [(i, j) for i, x in enumerate(point) for j in range(x.size)]
        shares = source.uniform(0.5, 1.0, len(every)) * source.choice(
            [-1.0, 1.0], len(every)
        )
        value_at = self._along(point, dict(zip(every, shares, strict=True)), weights)
        measured = noise_of(lambda step: value_at(step)[0], 1.0)
        if self.why == RESTLESS:
            measured = max(measured, steps_of(lambda step: value_at(step)[0], 1.0))
        return max(NOISE * unit_of(self.wide.dtype) * size, SCATTER * measured)


def _entries(point: Sequence[Array], source: Any) -> list[tuple[int, int]]:
    every = [(i, j) for i, x in enumerate(point) for j in range(x.size)]
    if len(every) <= MOST:
        return every
    chosen = source.choice(len(every), MOST, replace=False)
    return [every[k] for k in sorted(chosen)]


def _kinked(
    graph: Graph, slopes: Sequence[Array], bends: Sequence[Array]
) -> Kinked | None:
    """The slopes on both sides of every entry; None where no entry has two of them."""
    middle, bend = (np.concatenate([x.ravel() for x in s]) for s in (slopes, bends))
    if not np.any(bend):
        return None
    bent = np.flatnonzero(bend)
    sides = np.array([*itertools.product((-0.5, 0.5), repeat=min(bent.size, CORNERS))])
    vertices = np.repeat(middle[None], len(sides), axis=0)
    vertices[:, bent[:CORNERS]] += sides * bend[bent[:CORNERS]]
    is_whole = bent.size <= CORNERS
    hull = Hull(vertices, middle - bend / 2, middle + bend / 2, is_whole)
    inputs = tuple(range(len(slopes)))
    return Kinked((), hull, SlopedGraph(graph, inputs, ()))


def differenced(value_at: ValueAt, size: float, noise: float) -> Column:
    """A slope and its error, from two columns of extrapolated central quotients.

    noise: how far each value may be off.
    """
    here, _ = value_at(0.0)
    found = [_column(value_at, here, size * start, noise) for start in STARTS]
    best = min(found, key=lambda column: column.error)
    spread = abs(found[0].slope - found[1].slope)
    if not np.isfinite(best.error):
        return Column(0.0, np.inf, 0.0)
    error = SAFE * max(best.error, min(spread, max(c.error for c in found)))
    return Column(best.slope, error, max(c.bend for c in found))


@dataclass(frozen=True)
class Column:
    """The best entry of one table, and the error that its neighbours tell.

    bend: by how much the slopes on both sides of the point differ.
    """

    slope: float
    error: float
    bend: float


def _column(value_at: ValueAt, here: float, start: float, noise: float) -> Column:
    rows: list[list[float]] = []
    bends: list[float] = []
    best, least, step = 0.0, np.inf, start
    for _ in range(ROWS):
        above, up = value_at(step)
        below, down = value_at(-step)
        width = up - down
        if width == 0:
            break
        if not np.isfinite(above) or not np.isfinite(below):
            rows, bends, best, least, step = [], [], 0.0, np.inf, step / SHRINK
            continue
        rounding = 2.0 * noise / abs(width)
        bends.append(abs((above - here) / up - (below - here) / down))
        row, factor = [(above - below) / width], 1.0
        for m in range(len(rows)):
            factor *= SHRINK * SHRINK
            row.append((factor * row[m] - rows[-1][m]) / (factor - 1.0))
            error = max(abs(row[-1] - row[m]), abs(row[-1] - rows[-1][m]))
            error += 4.0 * rounding
            if error < least:
                best, least = row[-1], error
        rows.append(row)
        step /= SHRINK
    is_kink = len(bends) > 1 and bends[-1] > max(bends[0] / BENT, 16.0 * rounding)
    return Column(best, least, bends[-1] if is_kink else 0.0)


def linear(slopes: Sequence[Array]) -> Graph:
    """The graph of the sum of all inputs times given slopes."""
    nodes: list[Node] = [input_leaf(s.shape) for s in slopes]
    total: int | None = None
    for k, s in enumerate(slopes):
        nodes.append(data_leaf(np.asarray(s)))
        nodes.append(apply_op(nodes, "mul", [k, len(nodes) - 1]))
        nodes.append(
            apply_op(nodes, "sum", [len(nodes) - 1], axis=None, keepdims=False)
        )
        if total is not None:
            nodes.append(apply_op(nodes, "add", [total, len(nodes) - 1]))
        total = len(nodes) - 1
    return Graph(tuple(nodes))


def _exact(slopes: Array) -> Any:
    found = np.empty(slopes.shape, object)
    for place in np.ndindex(slopes.shape):
        found[place] = mpf(float(slopes[place]))
    return found
