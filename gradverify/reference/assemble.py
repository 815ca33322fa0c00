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
from gradverify.reference.differences import (
    TINY,
    Differences,
    Slope,
    differences,
    exactly,
    value_at,
)
from gradverify.reference.exact import Exact, exact_gradient, middle
from gradverify.reference.kinks import (
    ActiveKink,
    Blend,
    Hull,
    active_kinks,
    admissible,
)
from gradverify.reference.program import GradientProgram, gradient_program

COMPONENTS = 16  # input entries up to which every one is differenced
UNKNOWN = mpf(2) ** -1130  # what our gradient's entries are known to at worst
AGREE = mpf(2) ** -56  # of a slope: what the difference and our gradient may differ by


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
    directions, allowed = _directions(case.point, input_bounds, paths)
    found = differences(graph, case.point, directions, allowed)
    exact = exact_gradient(graph, case.point)
    status, gradient, note = _conclude(
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


# ---- smooth points


def _directions(
    point: Sequence[Array], found: Sequence[Bound], paths: Sequence[Array]
) -> tuple[list[Array], Array]:
    """Steps along every input entry, or two along many; and the errors allowed.

    Where rounding is allowed nothing, 2**-60 of a path stands for it; where rounding
    is allowed anything, 2**-20: what a quotient is believed to is never so loose.
    """
    scale = np.concatenate([_step_sizes(x) for x in point] or [np.zeros(0)])
    if len(scale) <= COMPONENTS:
        errors = [
            np.clip(b.tight, 2.0**-60 * a, 2.0**-20 * a).reshape(-1)
            for b, a in zip(found, paths, strict=True)
        ]
        return list(np.diag(scale)), np.concatenate(errors or [scale]) * scale
    draw = np.random.default_rng(len(scale))
    return [
        scale * draw.integers(64, 128, len(scale)) / 64 for _ in range(2)
    ], np.zeros(2)


def _step_sizes(x: Array) -> Array:
    """min(|x|, 1) of every entry, rounded down to a power of two; 1 at 0."""
    size = np.minimum(np.abs(x.reshape(-1)).astype(float), 1.0)
    exponents = np.frexp(size)[1]
    return np.where(size == 0.0, 1.0, np.ldexp(1.0, exponents - 1))


def _conclude(
    graph: Graph,
    point: Sequence[Array],
    found: Differences,
    directions: Sequence[Array],
    allowed: Array,
    exact: Exact | None,
) -> tuple[Slope, tuple[Any, ...], str]:
    """What the differences and our own gradient say together.

    The differences are the truth; where they confirm our gradient, to an eighth of
    what matters or to 56 bits, its digits are given, which have no truncation error.
    """
    if found.status is not Slope.SMOOTH or exact is None:
        return _conclude_rough(point, found, directions, exact)
    ours = [middle(exact.cotangents[i], graph.nodes[i].shape) for i in graph.inputs]
    entries = [v for x in ours for v in x.reshape(-1)]
    with mp.workprec(max(found.precision, exact.precision)):
        columns = (found.slopes, found.errors, directions, exactly(allowed, mpf))
        for slope, error, direction, matters in zip(*columns, strict=True):
            own = mp.fdot(direction.tolist(), entries)
            least = max(TINY, error, UNKNOWN * mp.fsum(direction.tolist()))
            if abs(slope - own) > max(matters / 8, AGREE * abs(own), least):
                return Slope.UNRESOLVED, (), OUR_FAULT
    return Slope.SMOOTH, tuple(ours), ""


def _per_entry(slopes: Sequence[Any], directions: Sequence[Array]) -> list[Any]:
    """Derivatives from slopes along steps of sigma in one entry each."""
    return [s / d.max() for s, d in zip(slopes, directions, strict=True)]


OUR_FAULT = (
    "our difference quotients and our own exact gradient disagree: an error of "
    "gradverify, please report it"
)


def _conclude_rough(
    point: Sequence[Array],
    found: Differences,
    directions: Sequence[Array],
    exact: Exact | None,
) -> tuple[Slope, tuple[Any, ...], str]:
    if found.status is Slope.SMOOTH:
        return Slope.NONE, (), "the derivative exists only as a limit of other points"
    if found.status is Slope.KINK:
        if exact is not None:
            return Slope.UNRESOLVED, (), OUR_FAULT
        return Slope.NONE, (), "two slopes meet at the edge of a domain"
    if found.status is Slope.ONE_SIDED and len(directions) == sum(
        x.size for x in point
    ) == len(found.slopes):
        with mp.workprec(found.precision):
            entries = _per_entry(found.slopes, directions)
        return Slope.ONE_SIDED, _shaped(entries, point), "the point is a domain's edge"
    if found.status is Slope.ONE_SIDED:
        return Slope.NONE, (), "the point is on the edge of a domain"
    if found.status is Slope.NONE:
        return Slope.NONE, (), "the difference quotients grow without limit"
    return Slope.UNRESOLVED, (), f"no answer with {found.precision} bits"


def _shaped(entries: Sequence[Any], point: Sequence[Array]) -> tuple[Any, ...]:
    result = []
    start = 0
    for x in point:
        array = np.empty(x.size, dtype=object)
        array[:] = entries[start : start + x.size]
        start += x.size
        result.append(array.reshape(x.shape))
    return tuple(result)


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
    swept = [[Bound(2.0**count * b.tight, 2.0**count * b.loose) for b in input_bounds]]
    # Half way between the slopes of abs is 0, which carries nothing.
    swept += [_branch_bounds(case, blended, kinks, side) for side in (0.0, 1.0)]
    wide = tuple(_widest(found) for found in zip(*swept, strict=True))
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


def _branch_bounds(
    case: Case, blended: Blend, kinks: Sequence[ActiveKink], side: float
) -> list[Bound]:
    """Bounds of every input's derivative with all active kinks on one side."""
    slopes = [np.where(k.active, side, k.positive.astype(float)) for k in kinks]
    program = gradient_program(blended.graph, case.dtype)
    inputs = [program.expansion.graph.inputs[k] for k in blended.inputs]
    wanted = [program.cotangents[i] for i in inputs]
    targets = [i for i in wanted if i is not None]
    found = iter(
        bounds(program, blended.point(case.point, slopes), case.dtype, targets)
    )
    return [
        _zero_bound(x.shape) if i is None else next(found)
        for i, x in zip(wanted, case.point, strict=True)
    ]


def _widest(found: Sequence[Bound]) -> Bound:
    tight, loose = ([np.asarray(b.tight) for b in found],
                    [np.asarray(b.loose) for b in found])  # fmt: skip
    return Bound(np.maximum.reduce(tight), np.maximum.reduce(loose))


def _confirmed(
    blended: Blend, point: Sequence[Array], kinks: Sequence[ActiveKink]
) -> bool:
    """Whether differences of two branches agree with our own gradients of them."""
    for side in (0.0, 1.0):
        slopes = [np.where(k.active, side, k.positive.astype(float)) for k in kinks]
        whole = blended.point(point, slopes)
        moves = [
            _step_sizes(x) if k in blended.inputs else np.zeros(x.size)
            for k, x in enumerate(whole)
        ]
        direction = np.concatenate(moves or [np.zeros(0)])
        found = differences(blended.graph, whole, [direction], [0.0])
        exact = exact_gradient(blended.graph, whole)
        status, _, _ = _conclude(
            blended.graph, whole, found, [direction], np.zeros(1), exact
        )
        if status is not Slope.SMOOTH:
            return False
    return True
