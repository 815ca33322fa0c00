"""From a case to its reference: the exact derivative, and how far rounding may take it.

Computed once a case, whatever the number of differentiators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from mpmath import mp, mpf

from gradverify.arithmetic.floats import EXTENDED
from gradverify.autodiff.sweep import reverse
from gradverify.graph import Array, Case, Graph, interpret_all
from gradverify.reference.bound import Bound, bounds
from gradverify.reference.differences import differences, value_at
from gradverify.reference.exact import Exact, exact_gradient, middle
from gradverify.reference.hull import Hull
from gradverify.reference.kinks import (
    ActiveKink,
    Blend,
    active_kinks,
    admissible,
)
from gradverify.reference.levels import Slope
from gradverify.reference.program import GradientProgram, gradient_program
from gradverify.reference.smooth import (
    OUR_FAULT,
    conclude_smooth,
    directions_of,
    step_sizes,
)


@dataclass(frozen=True, eq=False)
class Kinked:
    """What is known at active kinks: which, the hull, and the graph with slopes."""

    kinks: tuple[ActiveKink, ...]
    hull: Hull
    blended: Blend


@dataclass(frozen=True, eq=False)
class Reference:
    """The exact derivative of a case.

    status: what the function does at the point.
    value: the exact output, mpf; NaN where it has none.
    gradient: exact derivatives, an object array of mpf for each input; at a kink an
        admissible one; empty where there is none.
    value_bound, bounds: allowed errors of the value and of each input's derivative.
    paths: for each input, the sum over paths of |products|: the size that a dropped
        path may have.
    kinked: set at active kinks.
    note: one sentence more.
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

    @property
    def bound(self) -> tuple[Array, ...]:
        """The tight bounds, an array for each input."""
        return tuple(b.tight for b in self.bounds)

    @property
    def loose(self) -> tuple[Array, ...]:
        """The loose bounds, an array for each input."""
        return tuple(b.loose for b in self.bounds)

    @cached_property
    def intermediates(self) -> dict[int, tuple[Any, Bound]]:
        """For every op's node: the exact derivative with respect to it, its bound."""
        if self.exact is None:
            return {}
        program = gradient_program(self.case.graph, self.case.dtype)
        nodes, place = self.case.graph.nodes, program.expansion.place
        wanted = [
            i
            for i, node in enumerate(nodes)
            if node.operands and program.cotangents[place[i]] is not None
        ]
        targets = [program.cotangents[place[i]] or 0 for i in wanted]
        found = bounds(program, self.case.point, self.case.dtype, targets)
        return {
            i: (middle(self.exact.cotangents[place[i]], nodes[i].shape), bound)
            for i, bound in zip(wanted, found, strict=True)
        }


def reference(case: Case) -> Reference:
    """The exact derivative of a case, by differences that our own gradient confirms."""
    if not all(np.all(np.isfinite(x)) for x in case.point):
        return _without(case, Slope.NONE, "the point holds NaN or an infinity")
    with np.errstate(all="ignore"):
        return _of_finite_point(case)


def _of_finite_point(case: Case) -> Reference:
    program = gradient_program(case.graph, case.dtype)
    graph = program.expansion.graph
    value_bound, input_bounds, margin_bounds = _bounds(program, case)
    kinks = active_kinks(program, case.point, margin_bounds)
    paths = _paths(graph, case.point)
    if kinks:
        return _at_kinks(case, graph, kinks, value_bound, input_bounds, paths)
    directions, allowed = directions_of(case.point, input_bounds, paths)
    found = differences(graph, case.point, directions, allowed)
    exact = exact_gradient(graph, case.point)
    status, gradient, note = conclude_smooth(
        graph, case.point, found, directions, allowed, exact
    )
    value = _value(graph, case.point, found.precision)
    return Reference(case, status, value, gradient, value_bound, input_bounds, paths,
                     None, note, exact)  # fmt: skip


def _without(case: Case, status: Slope, note: str) -> Reference:
    nothing = Bound(np.array(np.inf), np.array(np.inf))
    unknown = tuple(
        Bound(np.full(x.shape, np.inf), np.full(x.shape, np.inf)) for x in case.point
    )
    return Reference(case, status, mpf("nan"), (), nothing, unknown, note=note)


def _bounds(
    program: GradientProgram, case: Case
) -> tuple[Bound, tuple[Bound, ...], tuple[Bound, ...]]:
    """Bounds of the value, of every input's derivative, and of every margin."""
    graph = program.expansion.graph
    wanted = [program.cotangents[i] for i in graph.inputs]
    targets = [len(graph.nodes) - 1, *(i for i in wanted if i is not None)]
    targets += [margin for _, margin in program.margins]
    found = iter(bounds(program, case.point, case.dtype, targets))
    value = next(found)
    inputs = tuple(
        _zero_bound(x.shape) if i is None else next(found)
        for i, x in zip(wanted, case.point, strict=True)
    )
    return value, inputs, tuple(found)


def _zero_bound(shape: tuple[int, ...]) -> Bound:
    return Bound(np.zeros(shape), np.zeros(shape))


def _paths(graph: Graph, point: Sequence[Array]) -> tuple[Array, ...]:
    """For every input entry the sum over paths of |products of local derivatives|."""
    with np.errstate(all="ignore"):
        values = interpret_all(graph, EXTENDED.table, [EXTENDED.lift(x) for x in point])
        one = np.longdouble(1.0)
        found = reverse(graph, EXTENDED, values, {len(values) - 1: one}, modulus=True)
    return tuple(
        np.zeros(graph.nodes[i].shape) if found[i] is None else np.asarray(found[i])
        for i in graph.inputs
    )


def _value(graph: Graph, point: Sequence[Array], precision: int) -> Any:
    """The output in mpmath; NaN outside the domain."""
    with mp.workprec(max(precision, 200)):
        value = value_at(graph, point)
        return mpf("nan") if value is None else value


# ---- active kinks


def _at_kinks(
    case: Case,
    graph: Graph,
    kinks: tuple[ActiveKink, ...],
    value_bound: Bound,
    input_bounds: Sequence[Bound],
    paths: tuple[Array, ...],
) -> Reference:
    """The hull of the branches' gradients, or a plain gradient where all are one."""
    value = _value(graph, case.point, 0)
    found = admissible(gradient_program(case.graph, case.dtype), case.point, kinks)
    if found is None:
        note = "a branch at a kink has no gradient"
        return Reference(case, Slope.NONE, value, (), value_bound, tuple(input_bounds),
                         paths, None, note)  # fmt: skip
    hull, gradient, blended = found
    # The bound was swept with every kink half way: a branch may carry twice as much.
    count = min(sum(int(kink.active.sum()) for kink in kinks), 60)
    wide = tuple(
        Bound(2.0**count * b.tight, 2.0**count * b.loose) for b in input_bounds
    )
    size = np.maximum(abs(hull.lowest), abs(hull.highest))
    is_smooth = bool(np.all(np.isfinite(size))) and bool(
        np.all(hull.highest - hull.lowest <= 1e-14 * size)
    )
    if not _confirmed(blended, case.point, kinks):
        return Reference(case, Slope.UNRESOLVED, value, (), value_bound, wide, paths,
                         None, OUR_FAULT)  # fmt: skip
    return Reference(
        case,
        Slope.SMOOTH if is_smooth else Slope.KINK,
        value,
        gradient,
        value_bound,
        wide,
        paths,
        None if is_smooth else Kinked(kinks, hull, blended),
    )


def _confirmed(
    blended: Blend, point: Sequence[Array], kinks: Sequence[ActiveKink]
) -> bool:
    """Whether differences of two branches agree with our own gradients of them."""
    for side in (0.0, 1.0):
        slopes = [np.where(k.active, side, k.positive.astype(float)) for k in kinks]
        whole = blended.point(point, slopes)
        moves = [
            step_sizes(x) if k in blended.inputs else np.zeros(x.size)
            for k, x in enumerate(whole)
        ]
        direction = np.concatenate(moves or [np.zeros(0)])
        found = differences(blended.graph, whole, [direction], [0.0])
        exact = exact_gradient(blended.graph, whole)
        status, _, _ = conclude_smooth(
            blended.graph, whole, found, [direction], np.zeros(1), exact
        )
        if status is not Slope.SMOOTH:
            return False
    return True
