"""From a case to its reference: the exact derivative, and how far rounding may take it.

It is computed once for a case, however many differentiators are judged by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from mpmath import mp, mpf

from gradverify.arithmetic.floats import EXTENDED
from gradverify.arithmetic.matrices import LARGE
from gradverify.graph import Array, Case, Graph, interpret_all
from gradverify.ops import OPS
from gradverify.questions import (
    GRADIENT,
    JACOBIAN,
    JVP,
    SECOND,
    Question,
    contract,
    contracted,
    tangents_of,
)
from gradverify.reference.bound import Bound, bounds, bounds_at
from gradverify.reference.differences import (
    CERTIFYING,
    CLOSEST,
    USUAL,
    differences,
    value_at,
)
from gradverify.reference.edges import (
    MOST_SLOPES,
    Straightened,
    follows,
    is_linear,
    straightened,
)
from gradverify.reference.errors import Errors, errors_at, inner_targets, paths_at
from gradverify.reference.exact import Exact, exact_gradient, middle, on_a_pole
from gradverify.reference.gradient_program import GradientProgram, gradient_program
from gradverify.reference.hull import Hull, is_point
from gradverify.reference.kinks import (
    ActiveKink,
    active_kinks,
    admissible,
    branch_slopes,
)
from gradverify.reference.levels import Slope
from gradverify.reference.rounding import USUAL_ROUNDING, RoundingModel
from gradverify.reference.roundings import roundings
from gradverify.reference.sloped_graph import SlopedGraph
from gradverify.reference.smooth import OUR_FAULT, conclude_smooth, step_sizes
from gradverify.reference.sought import SOUGHT, Sought
from gradverify.surroundings import surrounded


@dataclass(frozen=True, eq=False)
class Kinked:
    """What is known at active kinks: the kinks, the hull, and the graph with slopes."""

    kinks: tuple[ActiveKink, ...]
    hull: Hull
    blended: SlopedGraph


@dataclass(frozen=True, eq=False)
class AtEdges:
    """What is known at edges: gradients as a linear map of slopes.

    base: derivatives where all slopes are 0, an object array of mpf for each input.
    slopes: how much each entry of all inputs, one after another, grows with each
        slope. groups: the ball of each slope, or `RAY`.
    """

    base: tuple[Any, ...]
    slopes: Array
    groups: Array


@dataclass(frozen=True, eq=False)
class Reference:
    """The exact derivative of a case, or another answer to a question.

    status: what the function does at the point.
    value: the exact output, an mpf; NaN if there is none.
    gradient: the exact derivatives, one object array of mpf for each part of the
        question, which is an input for the gradient. At a kink they are one of the
        admissible gradients. It is empty if there is no derivative.
    value_bound, bounds: the allowed errors of the value and of each derivative.
    paths: for each part, the sum over all paths of the absolute value of the product
        along the path. A dropped path may be as large as that.
    kinked: what is known at active kinks; None at a smooth point.
    edges: what is known at edges of ops; None elsewhere.
    note: one more sentence about the case.
    question: what was asked.
    """

    case: Case
    status: Slope
    value: Any
    gradient: tuple[Any, ...]
    value_bound: Bound
    bounds: tuple[Bound, ...]
    paths: tuple[Array, ...] = ()
    kinked: Kinked | None = None
    note: str = ""
    exact: Exact | None = field(default=None, repr=False)
    inner: dict[int, Bound] | None = field(default=None, repr=False)
    edges: AtEdges | None = None
    question: Question = GRADIENT

    @property
    def bound(self) -> tuple[Array, ...]:
        """The tight bounds, one array for each input."""
        return tuple(b.tight for b in self.bounds)

    @property
    def loose(self) -> tuple[Array, ...]:
        """The loose bounds, one array for each input."""
        return tuple(b.loose for b in self.bounds)

    @cached_property
    def unbounded(self) -> str:
        """What happens if rounding explains anything: an overflow, or lost digits."""
        if self.question is not GRADIENT:
            return LOST
        program = gradient_program(self.case.graph, self.case.dtype)
        with np.errstate(all="ignore"):
            whole = roundings(program, [self.case.point], self.case.dtype)
        nodes, expansion = self.case.graph.nodes, program.expansion
        forward = len(expansion.graph.nodes)
        for i, size in sorted(whole.tight.items()):
            if np.any(np.isinf(size)):
                where = nodes[expansion.origin(i)].op if i < forward else ""
                way = f"of {where}" if where else "on the way back"
                return f"an intermediate {way} overflows {self.case.dtype}"
        return LOST

    @cached_property
    def intermediates(self) -> dict[int, tuple[Any, Bound]]:
        """For the node of every op, the exact derivative by it, and its bound."""
        if self.exact is None or self.question is not GRADIENT:
            return {}
        program = gradient_program(self.case.graph, self.case.dtype)
        nodes, place = self.case.graph.nodes, program.expansion.place
        found = self.inner
        if found is None:
            targets = inner_targets(program, self.case.graph)
            swept_now = bounds(
                program, self.case.point, self.case.dtype, [*targets.values()]
            )
            found = dict(zip(targets, swept_now, strict=True))
        return {
            i: (middle(self.exact.cotangents[place[i]], nodes[i].shape), bound)
            for i, bound in found.items()
        }


STAGES = ("bounds of rounding", "quotients in mpmath", "our exact gradient")
"""What a reference of a smooth point is made of, in this order."""

LOST = (
    "digits cancel or underflow on the way, so many that rounding explains any number"
)

AT_KINK = {
    JVP: "at a kink no tangent is judged",
    SECOND: "at a kink there is no second derivative",
}

Stage = Callable[[str], None]


def _silent(stage: str) -> None:
    del stage


def reference(
    case: Case,
    model: RoundingModel = USUAL_ROUNDING,
    question: Question = GRADIENT,
) -> Reference:
    """The exact derivative of a case, by differences that our own gradient confirms.

    model: how the engine rounds that is to be held against it.
    """
    return references([case], model=model, question=question)[0]


@surrounded
def references(
    cases: Sequence[Case],
    stage: Stage = _silent,
    *,
    model: RoundingModel = USUAL_ROUNDING,
    question: Question = GRADIENT,
) -> list[Reference]:
    """The references of cases that share a graph and a dtype.

    What rounding may explain is worked out for all of them at once.

    stage: a function that is called with each of `STAGES` before that begins.
    """
    found: list[Reference | None] = [
        _not_finite(case, question) or _at_edges(case, model, question)
        for case in cases
    ]
    if question.is_matrix:
        return [
            known or _stacked(case, question, model)
            for known, case in zip(found, cases, strict=True)
        ]
    rest = [k for k, known in enumerate(found) if known is None]
    if rest:
        chosen = [cases[k] for k in rest]
        tangents = tangents_of(chosen[0].graph, chosen[0].dtype)
        sought = SOUGHT[question](chosen[0], model, tangents)
        with np.errstate(all="ignore"):
            for k, result in zip(
                rest, _of_finite(chosen, sought, stage, model), strict=True
            ):
                found[k] = result
    return [result for result in found if result is not None]


def reference_sought(case: Case, sought: Sought, model: RoundingModel) -> Reference:
    """The answer to what is sought of one finite case."""
    with np.errstate(all="ignore"):
        return next(_of_finite([case], sought, _silent, model))


def _not_finite(case: Case, question: Question) -> Reference | None:
    if all(np.all(np.isfinite(x)) for x in case.point):
        return None
    return _without(case, Slope.NONE, "the point holds NaN or an infinity", question)


def _of_finite(
    cases: Sequence[Case], sought: Sought, stage: Stage, model: RoundingModel
) -> Iterator[Reference]:
    first = cases[0]
    stage(STAGES[0])
    program = sought.program
    form = model.form or first.dtype
    whole = roundings(program, [case.point for case in cases], form)
    values = whole.values[: len(program.expansion.graph.nodes)]
    paths = sought.paths(whole)
    shapes = [part.shape for part in sought.question.parts(first)]
    errors = errors_at(program, first.graph, shapes, whole)
    for k, case in enumerate(cases):
        if any(np.any(np.isinf(v[k])) for v in values if v.dtype != bool):
            note = "a number on the way is not finite, even with a wider exponent"
            yield _without(case, Slope.NONE, note, sought.question)
        else:
            found = errors(k), paths[k]
            yield _of_finite_point(case, sought, found, model, stage)


def _of_finite_point(
    case: Case,
    sought: Sought,
    found: tuple[Errors, tuple[Array, ...]],
    model: RoundingModel,
    stage: Stage,
) -> Reference:
    errors, paths = found
    program, question = sought.program, sought.question
    kinks = active_kinks(program, case.point, errors.margins)
    if kinks and question is GRADIENT:
        return _at_kinks(case, program, kinks, errors.value, model)
    if kinks:
        return _without(case, Slope.NONE, AT_KINK[question], question)
    many = sum(x.size for x in case.point) >= LARGE
    exact = None
    usual = CERTIFYING if many else USUAL
    for demand in (usual, replace(usual, levels=CLOSEST)):
        stage(STAGES[1])
        slopes, directions, allowed = sought.slopes(
            case.point, errors.derivative, paths, demand
        )
        stage(STAGES[2])
        exact = exact or sought.exact(case.point)
        status, gradient, note = conclude_smooth(
            case.point, slopes, directions, allowed, exact, demand
        )
        if note != OUR_FAULT or slopes.status is not Slope.SMOOTH:
            break  # else a step may have been too long, unseen in the mix
    if (
        status is Slope.UNRESOLVED
        and slopes.status is Slope.KINK
        and question.order > 1
    ):
        status, note = Slope.NONE, "two second derivatives meet at the point"
    if status is Slope.UNRESOLVED and (op := _outside_domain(case)):
        status, note = Slope.NONE, f"an operand of {op} is not inside its domain"
    graph = program.expansion.graph
    if status is Slope.UNRESOLVED and exact is None and on_a_pole(graph, case.point):
        status, note = Slope.NONE, "a number on the way is not finite: a pole"
    return Reference(
        case,
        status,
        sought.value(case, slopes),
        gradient,
        errors.value,
        errors.derivative,
        paths,
        None,
        note,
        exact,
        errors.inner,
        question=question,
    )


def _outside_domain(case: Case) -> str | None:
    """The first op that has an operand outside its open domain."""
    inputs = [EXTENDED.lift(x) for x in case.point]
    values = interpret_all(case.graph, EXTENDED.table, inputs)
    for node in case.graph.nodes:
        operands = [values[j] for j in node.operands]
        others = [case.graph.nodes[j].op for j in node.operands[1:]]
        fixed = all(op in ("literal", "data") for op in others)
        if operands and not OPS[node.op].domain.holds(
            *operands, beside_constants=fixed, **node.params
        ):
            return node.op
    return None


def _without(
    case: Case, status: Slope, note: str, question: Question = GRADIENT
) -> Reference:
    nothing = Bound(np.array(np.inf), np.array(np.inf))
    unknown = tuple(
        Bound(np.full(part.shape, np.inf), np.full(part.shape, np.inf))
        for part in question.parts(case)
    )
    return Reference(
        case, status, mpf("nan"), (), nothing, unknown, note=note, question=question
    )


def _value(graph: Graph, point: Sequence[Array]) -> Any:
    """The output in mpmath; NaN outside the domain."""
    with mp.workprec(200):
        value = value_at(graph, point)
        return mpf("nan") if value is None else value


# ---- edges


def _at_edges(case: Case, model: RoundingModel, question: Question) -> Reference | None:
    """The gradients at all slopes of the edges, from those at a few; None at none.

    Every one is a reference of its own, of the graph that has slopes for inputs.
    """
    straight = straightened(case.graph, case.point)
    if straight is None:
        return None
    if question is not GRADIENT:
        note = "at an edge of an op only the gradient is judged"
        return _without(case, Slope.NONE, note, question)
    count = straight.count
    if count > MOST_SLOPES:
        return _without(case, Slope.NONE, f"{count} slopes at edges are too many")
    chosen = [np.zeros(count), *np.eye(count), np.full(count, 0.5)]
    cases = [
        Case(straight.graph, tuple(straight.point(case.point, slopes)), case.dtype)
        for slopes in map(straight.chosen, chosen)
    ]
    found = references(cases, model=model)
    if any(r.status is not Slope.SMOOTH for r in found):
        return _without(case, Slope.NONE, "an edge stands beside a kink or an edge")
    base, *others = [_gradient_of(straight, r) for r in found]
    slopes = np.array([x - base for x in others[:-1]]).reshape(count, len(base)).T
    value = _value(found[0].case.graph, found[0].case.point)
    if not (
        is_linear(base, slopes, others[-1])
        and follows(case.graph, case.point, base, slopes, straight)
    ):
        return _without(case, Slope.NONE, "the slopes at an edge meet in another way")
    bounds = tuple(
        Bound(*(np.max([getattr(r.bounds[k], n) for r in found], axis=0)
                for n in ("tight", "loose")))
        for k in straight.inputs
    )  # fmt: skip
    paths = tuple(np.max([r.paths[k] for r in found], axis=0) for k in straight.inputs)
    gradient = tuple(found[0].gradient[k] for k in straight.inputs)
    groups = np.concatenate([g[g != 0] for g in straight.groups] or [np.zeros(0)])
    edges = AtEdges(gradient, slopes.astype(float), groups)
    is_smooth = not np.any(edges.slopes)
    return Reference(
        case,
        Slope.SMOOTH if is_smooth else Slope.KINK,
        value,
        gradient if is_smooth else (),
        _value_bound(found[:-1], groups),
        bounds,
        paths,
        edges=None if is_smooth else edges,
    )


def _value_bound(found: Sequence[Reference], groups: Array) -> Bound:
    """What rounding does to the value, from that with all slopes 0 and with one at 1.

    A unit ball of slopes takes the roundings by their root of squares. A slope without
    limit counts as 1.
    """
    parts = []
    for name in ("tight", "loose"):
        base, *others = (getattr(r.value_bound, name) for r in found)
        added = np.maximum([x - base for x in others], 0.0)
        together = [
            np.sqrt(np.sum(added[groups == g] ** 2, axis=0)) for g in np.unique(groups)
        ]
        parts.append(base + np.sum(together, axis=0))
    return Bound(*parts)


def _gradient_of(straight: Straightened, found: Reference) -> Any:
    """The derivatives by the graph's own inputs, one after another."""
    parts = [found.gradient[k].reshape(-1) for k in straight.inputs]
    return np.concatenate([np.zeros(0, object), *parts])


# ---- active kinks


def _at_kinks(
    case: Case,
    program: GradientProgram,
    kinks: tuple[ActiveKink, ...],
    value_bound: Bound,
    model: RoundingModel,
) -> Reference:
    """The hull of the branches' gradients, or the gradient if all of them are equal."""
    value = _value(program.expansion.graph, case.point)
    found = admissible(program, case.point, kinks)
    if found is None:
        return _without(case, Slope.NONE, "a branch at a kink has no gradient")
    hull, gradient, blended = found
    widest, paths = _over_branches(case, blended, kinks, model)
    is_smooth = is_point(hull.lowest, hull.highest)
    status, note = Slope.SMOOTH if is_smooth else Slope.KINK, ""
    agreed = _agreed(blended, case.point, kinks)
    if agreed is Slope.NONE:
        return _without(case, Slope.NONE, "a branch at a kink jumps")
    if agreed is Slope.UNRESOLVED:
        status, gradient, note = Slope.UNRESOLVED, (), OUR_FAULT
    return Reference(
        case,
        status,
        value,
        gradient,
        value_bound,
        widest,
        paths,
        Kinked(kinks, hull, blended) if status is Slope.KINK else None,
        note,
    )


def _over_branches(
    case: Case, blended: SlopedGraph, kinks: Sequence[ActiveKink], model: RoundingModel
) -> tuple[tuple[Bound, ...], tuple[Array, ...]]:
    """The widest bound of every entry, and its largest paths, over the branches."""
    program = gradient_program(blended.graph, case.dtype, model.units)
    graph = program.expansion.graph
    inputs = [graph.inputs[k] for k in blended.inputs]
    wanted = [program.cotangents[i] for i in inputs]
    targets = [i for i in wanted if i is not None]
    tight = [np.zeros(x.shape, np.longdouble) for x in case.point]
    loose, paths = [x.copy() for x in tight], [x.copy() for x in tight]
    form = model.form or case.dtype
    points = [blended.point(case.point, slopes) for slopes in branch_slopes(kinks)]
    whole = roundings(program, points, form)
    at, sizes = bounds_at(program, whole, targets), paths_at(graph, whole.values)
    for row in range(len(points)):
        found = iter(at(row))
        for k, i in enumerate(wanted):
            paths[k] = np.maximum(paths[k], sizes[row][blended.inputs[k]])
            if i is not None:
                bound = next(found)
                tight[k] = np.maximum(tight[k], bound.tight)
                loose[k] = np.maximum(loose[k], bound.loose)
    return tuple(map(Bound, tight, loose)), tuple(paths)


def _agreed(
    blended: SlopedGraph, point: Sequence[Array], kinks: Sequence[ActiveKink]
) -> Slope:
    """Whether differences of two branches agree with our own gradients of them.

    `NONE` if a branch has no slope, as where it jumps.

    Those of |x|**1.5 at 0 are no numbers on their other side. Then the quotient on the
    side that exists counts, and one branch without any side is let pass.
    """
    seen = False
    for side in (0.0, 1.0):
        slopes = [np.where(k.active, side, k.positive.astype(float)) for k in kinks]
        whole = blended.point(point, slopes)
        moves = [
            step_sizes(x) if k in blended.inputs else np.zeros(x.size)
            for k, x in enumerate(whole)
        ]
        direction = np.concatenate(moves or [np.zeros(0)])
        found = differences(blended.graph, whole, [direction], [0.0])
        if found.status is Slope.NONE:
            return Slope.NONE
        if found.status is Slope.ONE_SIDED:
            if None in found.slopes or not found.slopes:
                continue
            found = replace(found, status=Slope.SMOOTH)
        exact = exact_gradient(blended.graph, whole)
        status, _, _ = conclude_smooth(whole, found, [direction], np.zeros(1), exact)
        if status is not Slope.SMOOTH:
            return Slope.UNRESOLVED
        seen = True
    return Slope.SMOOTH if seen else Slope.UNRESOLVED


# ---- rows of a matrix


def _stacked(case: Case, question: Question, model: RoundingModel) -> Reference:
    """The rows of a Jacobian or a Hessian, each of which is a reference of its own."""
    rows = question.rows(case)
    found = [_row(case, question, row, model) for row in rows]
    rough = next((r for r in found if r.status is not Slope.SMOOTH), None)
    if rough is not None:
        status = Slope.NONE if rough.kinked or rough.edges else rough.status
        note = rough.note or "a row of the matrix is at a kink"
        return _without(case, status, note, question)
    value, bound = _value_and_bound(case, model)
    parts = range(len(case.point))
    return Reference(
        case,
        Slope.SMOOTH,
        value,
        tuple(_rows([r.gradient[k] for r in found], case.point[k]) for k in parts),
        bound,
        tuple(
            Bound(
                _rows([r.bounds[k].tight for r in found], case.point[k]),
                _rows([r.bounds[k].loose for r in found], case.point[k]),
            )
            for k in parts
        ),
        tuple(_rows([r.paths[k] for r in found], case.point[k]) for k in parts),
        question=question,
    )


def _rows(rows: Sequence[Array], like: Array) -> Array:
    return np.stack(rows) if rows else np.zeros((0, *like.shape))


def _row(case: Case, question: Question, row: int, model: RoundingModel) -> Reference:
    """The gradient of one entry of the array, or the Hessian times a unit tangent."""
    if question is JACOBIAN:
        node = contracted(case.graph).node
        unit = np.zeros(case.graph.nodes[node].shape)
        unit.reshape(-1)[row] = 1.0
        graph = contract(case.graph, node, unit)
        return reference(Case(graph, case.point, case.dtype), model)
    sizes = [x.size for x in case.point]
    whole = np.zeros(sum(sizes))
    whole[row] = 1.0
    parts = np.split(whole, np.cumsum(sizes)[:-1])
    units = [v.reshape(x.shape) for v, x in zip(parts, case.point, strict=True)]
    return reference_sought(case, SOUGHT[SECOND](case, model, units), model)


def _value_and_bound(case: Case, model: RoundingModel) -> tuple[Any, Bound]:
    program = gradient_program(case.graph, case.dtype, model.units)
    with np.errstate(all="ignore"):
        found = roundings(program, [case.point], model.form or case.dtype)
        (bound,) = bounds_at(program, found, [program.value])(0)
    return _value(program.expansion.graph, case.point), bound
