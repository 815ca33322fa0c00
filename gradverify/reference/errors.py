"""What rounding may explain at the points of a graph: bounds, and the size of paths."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from gradverify.graph import Array, Graph
from gradverify.ops import Shape
from gradverify.reference.bound import STACK, Bound, bounds_at
from gradverify.reference.gradient_program import GradientProgram
from gradverify.reference.rounding import SAFETY
from gradverify.reference.roundings import Roundings
from gradverify.reference.stacked import swept


class Errors(NamedTuple):
    """The bounds at a point: of the value, the derivative, margins, and inner nodes.

    inner: by the nodes of the case's graph. It is None if there are so many that they
        are swept only once somebody asks for them.
    """

    value: Bound
    derivative: tuple[Bound, ...]
    margins: tuple[Bound, ...]
    inner: dict[int, Bound] | None


def errors_at(
    program: GradientProgram,
    graph: Graph,
    shapes: Sequence[Shape],
    whole: Roundings,
) -> Callable[[int], Errors]:
    """The bounds at each of the points, all of which are swept at once.

    graph: of the cases. shapes: of the arrays of the derivative.
    """
    nodes, wanted = program.graph.nodes, program.targets
    targets = [program.value]
    targets += [i for i in wanted if i is not None]
    targets += [margin for _, margin in program.margins]
    inner = inner_targets(program, graph)
    entries = sum(math.prod(nodes[t].shape) for t in (*targets, *inner.values()))
    is_few = entries <= STACK
    bounds = bounds_at(program, whole, [*targets, *(inner.values() if is_few else ())])
    underflows = _tangent_underflows(program, whole)

    def at(k: int) -> Errors:
        found = iter(bounds(k))
        return Errors(
            next(found),
            tuple(
                _zero_bound(shape) if i is None else _looser(next(found), underflows[k])
                for i, shape in zip(wanted, shapes, strict=True)
            ),
            tuple(next(found) for _ in program.margins),
            dict(zip(inner, found, strict=True)) if is_few else None,
        )

    return at


def _tangent_underflows(program: GradientProgram, whole: Roundings) -> Array:
    """For each point, by how much a forward sweep may be off since tangents underflow.

    A tangent may be off by the smallest number at every node, whose effect is as large
    as the cotangent there. A reverse sweep of the program has no such site: where a
    product of local derivatives underflows depends on the end that it begins at.
    """
    total = np.zeros(len(whole.points), np.longdouble)
    nodes = program.expansion.graph.nodes
    for node, i in zip(nodes, program.cotangents, strict=False):
        if i is not None and node.operands:
            sizes = np.abs(whole.values[i][: len(total)], dtype=np.longdouble)
            sizes = np.where(np.isfinite(sizes), sizes, 0.0)
            total += np.sum(sizes.reshape(len(total), -1), axis=1)
    return SAFETY * whole.form.smallest * total


def _looser(bound: Bound, by: float) -> Bound:
    return replace(bound, loose=bound.loose + by)


def inner_targets(program: GradientProgram, graph: Graph) -> dict[int, int]:
    """For every op's node that the output depends on, the node of its cotangent.

    Empty for a program that is no reverse sweep of the graph.
    """
    if not program.cotangents:
        return {}
    place = program.expansion.place
    found = (
        (i, program.cotangents[place[i]])
        for i, node in enumerate(graph.nodes)
        if node.operands
    )
    return {i: ct for i, ct in found if ct is not None}


def _zero_bound(shape: tuple[int, ...]) -> Bound:
    return Bound(np.zeros(shape), np.zeros(shape))


def paths_at(graph: Graph, values: Sequence[Any]) -> list[tuple[Array, ...]]:
    """For every input entry the sum over paths of |products of local derivatives|.

    There is one tuple for each row of the values.

    values: stacks, for the nodes of the graph and perhaps more nodes.
    """
    values = values[: len(graph.nodes)]
    rows = len(values[-1])
    seeds = {len(values) - 1: np.ones((1, rows), np.longdouble)}
    found = swept(graph, values, seeds, modulus=True)
    return [
        tuple(
            np.zeros(graph.nodes[i].shape) if found[i] is None else found[i][0, k]
            for i in graph.inputs
        )
        for k in range(rows)
    ]
