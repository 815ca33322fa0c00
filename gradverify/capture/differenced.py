"""The truth of a function that cannot be read: differences of the function itself.

Central quotients at falling steps are extrapolated (Richardson, by Neville's scheme as
Ridders, 1982, has it). Two such columns, from steps that share no factor, and the
rounding of the function's values say how many digits are right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mpmath import mpf

from gradverify.capture.captured import NotCaptured
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.function_points import FunctionPoint, cotangents
from gradverify.capture.truths import Look, Truth, unit_of, value_of
from gradverify.graph import Array, Case, Graph, Node, apply_op, data_leaf, input_leaf
from gradverify.reference import Bound, Reference, Slope

STARTS = (0.05, 0.0371)  # first steps of the two columns, for numbers of size 1
ROWS = 8  # steps of a column, each 1.6 times as small
SHRINK = 1.6
MOST = 128  # entries of all arguments that are differenced; of more, a sample
SAFE = 8.0  # the error is taken so many times as large as it was estimated
ROUNDINGS = 256.0  # units of roundoff, of its own size, that a derivative may be off
NOISE = 8.0  # units of roundoff that a value of the function is off by


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
        self, places: Sequence[FunctionPoint], source: Any, *, even: bool = False
    ) -> list[Look]:
        """Cases whose graph is the linear function with the slopes that were found."""
        found = []
        for place in places:
            if not place.is_ordinary:  # of huge numbers differences tell little
                continue
            outputs = self.call.outputs(place.point)
            if not all(np.all(np.isfinite(y)) for y in outputs):
                continue
            shapes = [y.shape for y in outputs]
            weights = cotangents(shapes, self.call.dtype, source, even=even)
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
        unit = unit_of(self.wide.dtype)
        for i, j in _entries(point, source):
            size = max(1.0, abs(float(point[i].flat[j])))
            value_at = self._along(point, i, j, weights)
            slope, error = differenced(value_at, size, unit, self._noise(weights))
            slopes[i].flat[j], errors[i].flat[j] = slope, error
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
        known = Reference(
            case,
            Slope.SMOOTH,
            mpf(value),
            tuple(_exact(s) for s in slopes),
            Bound(np.array(np.inf), np.array(np.inf)),
            bounds,
            tuple(np.abs(s) for s in slopes),
        )
        return Look(place, case, weights, known, value)

    def _along(
        self, point: Sequence[Array], i: int, j: int, weights: tuple[Array, ...]
    ) -> Callable[[float], tuple[float, float]]:
        """The contracted value with one entry moved, and the step as it was taken."""

        def value_at(step: float) -> tuple[float, float]:
            moved = [np.array(x) for x in point]
            moved[i].flat[j] += step
            taken = float(moved[i].flat[j]) - float(point[i].flat[j])
            try:
                outputs = self.wide.outputs_beside(moved, point)
            except NotCaptured:  # as in another branch; a smaller step may do
                return np.nan, taken
            self._size = sum(
                float(np.sum(np.abs(np.asarray(y, float) * w)))
                for y, w in zip(outputs, weights, strict=True)
            )
            return value_of(outputs, weights), taken

        return value_at

    def _noise(self, weights: tuple[Array, ...]) -> Callable[[], float]:
        del weights
        return lambda: NOISE * unit_of(self.wide.dtype) * self._size


def _entries(point: Sequence[Array], source: Any) -> list[tuple[int, int]]:
    every = [(i, j) for i, x in enumerate(point) for j in range(x.size)]
    if len(every) <= MOST:
        return every
    chosen = source.choice(len(every), MOST, replace=False)
    return [every[k] for k in sorted(chosen)]


def differenced(
    value_at: Callable[[float], tuple[float, float]],
    size: float,
    unit: float,
    noise: Callable[[], float],
) -> tuple[float, float]:
    """A slope and its error, from two columns of extrapolated central quotients."""
    del unit
    found = [_column(value_at, size * start, noise) for start in STARTS]
    best = min(found, key=lambda pair: pair[1])
    spread = abs(found[0][0] - found[1][0])
    if not np.isfinite(best[1]):
        return 0.0, np.inf
    return best[0], SAFE * max(best[1], min(spread, max(e for _, e in found)))


def _column(
    value_at: Callable[[float], tuple[float, float]],
    start: float,
    noise: Callable[[], float],
) -> tuple[float, float]:
    """The best entry of one table, and the error that its neighbours tell."""
    rows: list[list[float]] = []
    best, least, step = 0.0, np.inf, start
    for _ in range(ROWS):
        above, up = value_at(step)
        below, down = value_at(-step)
        width = up - down
        if width == 0:
            break
        if not np.isfinite(above) or not np.isfinite(below):
            rows, best, least, step = [], 0.0, np.inf, step / SHRINK
            continue
        rounding = 2.0 * noise() / abs(width)
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
    return best, least


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
