"""Kinks: which are active at a point, and which gradients are admissible there.

The *margin* of a kink says by its sign which of two branches holds: for relu(x) it is
x. A kink is *active* if rounding may make its margin zero. Each active element has a
slope s in [0, 1], which mixes its two branches. The gradient is affine in each slope.

A choice of a branch for every active element is *realizable* if the function follows it
in some direction from the point. Every vector in the convex hull of the realizable
gradients is a derivative (Clarke, 1983).

Libraries choose a slope op by op, and the chain rule may then leave this hull. It never
leaves the hull over all choices, realizable or not. For example, relu(x) - relu(-x) is
x, with the slope 1 alone. With relu'(0) = 0 the chain rule gives 0, which is the choice
of the lower branch twice. No direction leads there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, ctx

from gradverify.arithmetic.balls import BALLS, BETWEEN
from gradverify.arithmetic.symbols import PRIMITIVE_SYMBOLS, Program, Symbol
from gradverify.autodiff.sweep import reverse
from gradverify.graph import Array, Graph, input_leaf, interpret_all
from gradverify.ops import OPS
from gradverify.reference.bound import Bound
from gradverify.reference.exact import exact_gradient, flat, middle
from gradverify.reference.gradient_program import GradientProgram, margins_alone
from gradverify.reference.hull import Hull
from gradverify.reference.sloped_graph import SlopedGraph

ALL_BRANCHES = 4  # active elements up to which every combination is swept
SOME_BRANCHES = 32  # combinations that are swept if there are more elements
DIRECTIONS = 96  # that are tried from the point, in search of realizable combinations
MARGIN_BITS = 1200  # of the balls that say which sign a margin has


@dataclass(frozen=True, eq=False)
class ActiveKink:
    """A kink node of an expansion. The fields are masks over its elements.

    positive: where its margin is positive.
    active: where its margin may be zero.
    exact: where its margin is zero beyond doubt, so that directions decide the branch.
    """

    node: int
    positive: Array
    active: Array
    exact: Array


def active_kinks(
    program: GradientProgram, point: Sequence[Array], bounds: Sequence[Bound]
) -> tuple[ActiveKink, ...]:
    """The kink nodes whose margin is zero up to its loose bound.

    The loose bound counts because a right formula that loses digits may also land on
    the other side of the kink.

    bounds: one for each of the program's margins.
    """
    if not program.margins:
        return ()
    with ctx.workprec(MARGIN_BITS):
        inputs = [BALLS.lift(x) for x in point]
        graph, margins = margins_alone(program)
        values = interpret_all(graph, BALLS.table, inputs)
        found = []
        rows = zip(program.margins, margins, bounds, strict=True)
        for (node, _), margin, bound in rows:
            shape = graph.nodes[margin].shape
            balls = flat(values[margin])
            allowed = [arb(float(b)) for b in bound.loose.reshape(-1)]
            active = [
                not abs(m).lower() > b for m, b in zip(balls, allowed, strict=True)
            ]
            if any(active):
                columns = ([m > 0 for m in balls], active, [m == 0 for m in balls])
                arrays = (np.array(c, dtype=bool).reshape(shape) for c in columns)
                found.append(ActiveKink(node, *arrays))
    return tuple(found)


def blend(graph: Graph, kinks: Sequence[ActiveKink]) -> SlopedGraph:
    """The expansion with a mix of its two branches in the place of every active kink.

    The slopes that mix them are inputs.
    """
    active = {kink.node for kink in kinks}
    program = Program()
    values: list[Symbol] = []
    inputs: list[int] = []
    slopes: list[int] = []
    for i, node in enumerate(graph.nodes):
        x = [values[j] for j in node.operands]
        kink = OPS[node.op].kink if i in active else None
        if kink is not None:
            slopes.append(len(inputs) + len(slopes))
            s = program.append(input_leaf(node.shape))
            above, below = kink.branches(PRIMITIVE_SYMBOLS, *x)
            values.append(below + s * (above - below))  # exact at a tie, for any s
        elif x:
            values.append(program.apply(node.op, *x, **node.params))
        else:
            if node.op == "input":
                inputs.append(len(inputs) + len(slopes))
            values.append(program.append(node))
    return SlopedGraph(program.graph(values[-1]), tuple(inputs), tuple(slopes))


def admissible(
    program: GradientProgram, point: Sequence[Array], kinks: Sequence[ActiveKink]
) -> tuple[Hull, tuple[Any, ...], SlopedGraph] | None:
    """The hull, one admissible gradient in full precision, and the blended graph.

    None if balls cannot decide the gradient of some branch.
    """
    blended = blend(program.expansion.graph, kinks)
    count = sum(int(kink.active.sum()) for kink in kinks)
    realizable = _realizable(program, point, kinks)
    gradients = {}
    for sides in [*realizable, *_combinations(kinks, count)]:
        if sides not in gradients:
            gradient = gradient_at(blended, point, _slopes(kinks, sides))
            if gradient is None:
                return None
            gradients[sides] = gradient
    rows = {sides: _floats(gradient) for sides, gradient in gradients.items()}
    everything = np.array(list(rows.values()))
    lowest, highest = everything.min(axis=0), everything.max(axis=0)
    if count > ALL_BRANCHES:
        lowest, highest = _box(blended, point, kinks)
    vertices = np.array([rows[sides] for sides in realizable])
    hull = Hull(vertices, lowest, highest, count <= ALL_BRANCHES)
    return hull, gradients[realizable[0]], blended


def _realizable(
    program: GradientProgram, point: Sequence[Array], kinks: Sequence[ActiveKink]
) -> list[tuple[float, ...]]:
    """The combinations of branches that the function follows in some direction.

    Where a margin is not exactly zero, but rounding may make it so, a library may take
    either branch. So both count there.
    """
    graph = program.expansion.graph
    exact = np.concatenate([kink.exact[kink.active] for kink in kinks])
    draw = np.random.default_rng(1)
    found: dict[tuple[float, ...], None] = {}
    with ctx.workprec(MARGIN_BITS):
        for direction in _directions([x.shape for x in point], draw):
            moved = [
                BALLS.lift(x) + BALLS.lift(d) * arb(2) ** -80
                for x, d in zip(point, direction, strict=True)
            ]
            values = interpret_all(graph, BALLS.table, moved)
            sides = np.array([
                1.0 if ball > 0 else 0.0
                for kink in kinks
                for ball in _chosen(_margin(graph, kink.node, values), kink.active)
            ])  # fmt: skip
            free = ~exact
            for choice in _choices(int(free.sum()), draw):
                sides[free] = choice
                found[tuple(sides.tolist())] = None
    return list(found)


def _margin(graph: Graph, node: int, values: Sequence[Any]) -> Any:
    kink = OPS[graph.nodes[node].op].kink
    assert kink is not None
    return kink.margin(BALLS, *(values[j] for j in graph.nodes[node].operands))


def _chosen(value: Any, mask: Array) -> list[Any]:
    return [b for b, on in zip(flat(value), mask.reshape(-1), strict=True) if on]


def _directions(
    shapes: Sequence[tuple[int, ...]], draw: np.random.Generator
) -> Iterator[list[Array]]:
    """All ones and then random directions, each with its opposite."""
    for k in range(DIRECTIONS // 2):
        direction = [
            np.ones(shape) if k == 0 else draw.standard_normal(shape)
            for shape in shapes
        ]
        yield direction
        yield [-d for d in direction]


def _choices(count: int, draw: np.random.Generator) -> list[tuple[float, ...]]:
    if count <= ALL_BRANCHES:
        return list(itertools.product((1.0, 0.0), repeat=count))
    return [(1.0,) * count, (0.0,) * count, tuple(draw.integers(0, 2, count) * 1.0)]


def gradient_at(
    blended: SlopedGraph, point: Sequence[Array], slopes: Sequence[Array]
) -> tuple[Any, ...] | None:
    """The gradient with the given slopes at the kinks, as object arrays of mpf."""
    exact = exact_gradient(blended.graph, blended.point(point, slopes))
    if exact is None:
        return None
    nodes = [blended.graph.inputs[k] for k in blended.inputs]
    return tuple(
        middle(exact.cotangents[i], blended.graph.nodes[i].shape) for i in nodes
    )


def _floats(gradient: Sequence[Any]) -> Array:
    return np.array([float(v) for x in gradient for v in x.reshape(-1)])


def _combinations(
    kinks: Sequence[ActiveKink], count: int
) -> Iterator[tuple[float, ...]]:
    """Every combination of branches, or a choice of them if there are many kinks.

    In that choice all active elements of a node have the same branch, since libraries
    choose in this way.
    """
    if count <= ALL_BRANCHES:
        yield from itertools.product((1.0, 0.0), repeat=count)
        return
    sizes = [int(kink.active.sum()) for kink in kinks]
    alike = itertools.product((1.0, 0.0), repeat=len(kinks))
    for chosen in itertools.islice(alike, SOME_BRANCHES):
        yield tuple(np.repeat(chosen, sizes).tolist())


def branch_slopes(kinks: Sequence[ActiveKink]) -> Iterator[list[Array]]:
    """The slopes at which the bound of a gradient is largest.

    A bound is convex in every slope, so that it is largest at branches, where slopes
    are 0 or 1. If there are too many combinations, some are taken, and the middle.
    """
    count = sum(int(kink.active.sum()) for kink in kinks)
    for sides in _combinations(kinks, count):
        yield _slopes(kinks, sides)
    if count > ALL_BRANCHES:
        yield _slopes(kinks, (0.5,) * count)


def _slopes(kinks: Sequence[ActiveKink], sides: Sequence[float]) -> list[Array]:
    remaining = iter(sides)
    result = []
    for kink in kinks:
        s = kink.positive.astype(float)
        s[kink.active] = [next(remaining) for _ in range(int(kink.active.sum()))]
        result.append(s)
    return result


def _box(
    blended: SlopedGraph, point: Sequence[Array], kinks: Sequence[ActiveKink]
) -> tuple[Array, Array]:
    """The lowest and the highest value of every entry, for any slopes in [0, 1].

    They come from one sweep in which each active slope is the ball of this interval.
    """
    slopes: list[Any] = []
    for kink in kinks:
        s = BALLS.lift(kink.positive.astype(float))
        slopes.append(BALLS.where(kink.active, np.array(BETWEEN, object), s))
    graph = blended.graph
    with ctx.workprec(256):
        inputs = blended.point([BALLS.lift(x) for x in point], slopes)
        values = interpret_all(graph, BALLS.table, inputs)
        bars = reverse(graph, BALLS, values, {len(values) - 1: arb(1)})
        wanted = [graph.inputs[k] for k in blended.inputs]
        balls = [b for i in wanted for b in _entries(bars[i], graph.nodes[i].shape)]
        lowest = [float(b.lower()) if b.is_finite() else -np.inf for b in balls]
        highest = [float(b.upper()) if b.is_finite() else np.inf for b in balls]
    return np.array(lowest), np.array(highest)


def _entries(value: Any, shape: tuple[int, ...]) -> list[Any]:
    return [arb(0)] * math.prod(shape) if value is None else flat(value)
