"""What a function's derivatives are held against, in the order in which it is trusted.

A captured program is the truth once it has been tried: run at moved points, it gives
what the function gives. Else the program of the user's `reference=` is tried in the
same way. Else the function itself is differenced.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.arithmetic.matrices import LARGE
from gradverify.capture.captured import Captured, NotCaptured, SourceLine, contracted
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.function_points import Cotangents, FunctionPoint, cotangents
from gradverify.capture.symmetric_arguments import kept_symmetric
from gradverify.formats import format_of
from gradverify.graph import Array, Case, Graph, interpret
from gradverify.reference import (
    USUAL_ROUNDING,
    Reference,
    RoundingModel,
    Slope,
    references,
    value_alone,
)

MOVED = 8  # points at which a captured program is tried, besides the given one
STEPS = (2.0**-6, 2.0**-13, 2.0**-20)  # how far these are moved, the first that fits
TRUSTED = 16.0  # how many of its bounds a value may be off; the bound is of first order
SHARED = 5  # points that share their cotangents, so that they share a graph


@dataclass(frozen=True, eq=False)
class Look:
    """A case of the function, what is right there, and how it came about.

    lines: of the user's code, by the node of the graph. model: how the function rounds.
    """

    place: FunctionPoint
    case: Case
    weights: tuple[Array, ...]
    found: Reference
    value: float
    captured: Captured | None = None
    lines: dict[int, SourceLine] | None = None
    model: RoundingModel = USUAL_ROUNDING


class Truth(ABC):
    """Where the right derivatives come from. Its name stands in records."""

    name: str
    remark = ""

    @abstractmethod
    def looks(
        self,
        places: Sequence[FunctionPoint],
        source: Any,
        drawn: Cotangents = cotangents,
    ) -> list[Look]:
        """The cases at some places, which share the cotangents that are drawn."""


def value_of(outputs: Sequence[Array], weights: Sequence[Array]) -> float:
    """The sum of the outputs times their cotangents, in double."""
    pairs = zip(outputs, weights, strict=True)
    return float(
        sum(np.sum(np.asarray(y, float) * np.asarray(w, float)) for y, w in pairs)
    )


class CapturedTruth(Truth):
    """The program that a call runs. `who` is captured; `call` is what is judged."""

    def __init__(self, call: FunctionCall, who: FunctionCall, name: str) -> None:
        self.call, self.who, self.name = call, who, name

    def looks(
        self,
        places: Sequence[FunctionPoint],
        source: Any,
        drawn: Cotangents = cotangents,
    ) -> list[Look]:
        """Cases with references, those of one graph together."""
        found = []
        shapes: tuple[Any, ...] | None = None
        for place in places:
            captured = self.who.capture(place.point)
            if shapes is None:
                shapes = captured.shapes
                weights = drawn(shapes, self.call.dtype, source)
            if captured.shapes != shapes:
                continue
            made = contracted(captured, weights)
            found.append((place, captured, made, weights))
        groups: dict[Graph, list[int]] = {}
        for k, (_, _, made, _) in enumerate(found):
            groups.setdefault(made.graph, []).append(k)
        looks: dict[int, Look] = {}
        for graph, members in groups.items():
            cases = [Case(graph, found[k][0].point, self.call.dtype) for k in members]
            model = _model(found[members[0]][1], self.call.dtype)
            known = references(cases, model=model)
            for k, case, ref in zip(members, cases, known, strict=True):
                place, captured, made, weights = found[k]
                outputs = self.call.outputs(place.point)
                looks[k] = Look(
                    place, case, weights, ref, value_of(outputs, weights), captured,
                    dict(made.lines), model,
                )  # fmt: skip
        return [looks[k] for k in sorted(looks)]


def _model(captured: Captured, dtype: str) -> RoundingModel:
    return RoundingModel(captured.form or dtype)


def is_value_right(look: Look) -> bool:
    """Whether the function's value is the program's, up to what rounding explains."""
    if look.found.status is Slope.NONE or not np.isfinite(float(look.found.value)):
        return True
    allowed = TRUSTED * float(look.found.value_bound.loose)
    return not abs(look.value - float(look.found.value)) > allowed


@dataclass(frozen=True)
class TriedProgram:
    """Why a captured program is not the function; None if it has stood its trials.

    tried: at how many points. is_whole: whether they were as many as there should be.
    """

    why: str | None
    tried: int = 0
    is_whole: bool = True


def tried(
    truth: CapturedTruth,
    places: Iterable[FunctionPoint],
    seed: int,
    is_over: Callable[[], bool] = lambda: False,
) -> TriedProgram:
    """How a captured program has stood its trials.

    places: ordinary ones. Each is moved by a little, within its branch, and the program
    that was captured before the move is held against the function after it.
    is_over: whether the time is; then no further trial is begun.
    """
    source = np.random.default_rng(seed)
    count = left_out = 0
    for place in places:
        if is_over():
            return TriedProgram(None, count, is_whole=False)
        try:
            captured = truth.who.capture(place.point)
        except NotCaptured as reason:
            return TriedProgram(str(reason), count)
        weights = cotangents(captured.shapes, truth.call.dtype, source)
        outputs = truth.call.outputs(place.point)
        if [y.shape for y in outputs] != list(captured.shapes):
            shapes = [y.shape for y in outputs]
            found = [*captured.shapes]
            return TriedProgram(
                f"it gives outputs of shapes {found}, not {shapes}", count
            )
        moved = _moved(truth, place.point, captured, source)
        if moved is None:
            left_out += 1
            if left_out > MOVED // 2:
                return TriedProgram(RESTLESS, count)
            continue
        point, fresh = moved
        if captured.reads and truth.who is truth.call and truth.call.stands_still:
            what = _misses(truth, captured, point, weights, beside=place.point)
        else:
            program = fresh if captured.reads else captured
            what = _misses(truth, program, point, weights)
        if what is not None:
            return TriedProgram(what, count)
        count += 1
        if count == (1 if sum(x.size for x in point) >= LARGE else MOVED):
            break
    return TriedProgram(None if count > left_out else RESTLESS, count)


RESTLESS = (
    "what its values decide changes with every move, as in a search by halves, so that "
    "the program could not be tried"
)


def _moved(
    truth: CapturedTruth, point: Sequence[Array], captured: Captured, source: Any
) -> tuple[tuple[Array, ...], Captured] | None:
    """A point beside another one in the same branch, and the program there.

    Between the tiny steps of a search by halves its result stands still, and so does
    not tell how it moves; a search is not moved by so little.
    """
    for step in STEPS[:-1] if captured.searches else STEPS:
        near = tuple(
            (x + step * np.where(x == 0, 1.0, x) * source.uniform(0.5, 1.0, x.shape))
            .astype(x.dtype)
            for x in point
        )  # fmt: skip
        near = kept_symmetric(near, truth.call.symmetric)
        try:
            fresh = truth.who.capture(near)
        except NotCaptured:
            continue
        if _same_branch(captured, fresh):
            return near, fresh
    return None


def _same_branch(one: Captured, other: Captured) -> bool:
    pairs = zip(one.decided, other.decided, strict=False)
    return len(one.decided) == len(other.decided) and all(
        np.array_equal(a, b, equal_nan=True) for a, b in pairs
    )


def _misses(
    truth: CapturedTruth,
    program: Captured,
    point: tuple[Array, ...],
    weights: tuple[Array, ...],
    beside: Sequence[Array] | None = None,
) -> str | None:
    """What the program misses at a point, if it does not give the function's value.

    beside: where what the library holds constant is taken from; None for the point.
    """
    made = contracted(program, weights, hold=beside is not None)
    dtype = truth.call.dtype
    try:
        outputs = (
            truth.call.outputs(point)
            if beside is None
            else truth.call.outputs_beside(point, beside)
        )
    except NotCaptured as reason:
        return str(reason)
    if sum(x.size for x in point) >= LARGE:
        return _misses_much(made.graph, point, outputs, weights, dtype)
    found = value_alone(Case(made.graph, point, dtype), _model(program, dtype))
    if found is None:
        return None
    value, right = value_of(outputs, weights), float(found[0])
    if not abs(value - right) > TRUSTED * float(found[1].loose):
        return None
    return _missed(right, value)


def _missed(right: float, value: float) -> str:
    return (
        f"at a moved point the program gives {right:.17g} and the function "
        f"{value:.17g}: a part of it is not seen, such as a detour through NumPy or C"
    )


def _misses_much(
    graph: Graph,
    point: tuple[Array, ...],
    outputs: Sequence[Array],
    weights: tuple[Array, ...],
    dtype: str,
) -> str | None:
    """As `_misses`, for so many numbers that one run in floats has to do.

    The point was moved by a hundredth of itself; what does not follow shows at once.
    """
    with np.errstate(all="ignore"):
        inputs = [FLOATS.lift(np.asarray(x, np.float64)) for x in point]
        right = float(interpret(graph, FLOATS.table, inputs))
    pairs = zip(outputs, weights, strict=True)
    size = sum(float(np.sum(np.abs(np.asarray(y, float) * w))) for y, w in pairs)
    value = value_of(outputs, weights)
    if not abs(value - right) > unit_of(dtype) ** 0.5 * size:
        return None
    return _missed(right, value)


def unit_of(dtype: str) -> float:
    """The unit roundoff of a dtype."""
    return format_of(dtype).unit_roundoff
