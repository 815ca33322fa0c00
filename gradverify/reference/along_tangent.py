"""The tangent of an array along tangents of the inputs: what forward mode gives.

Its program is the expansion, followed by the nodes of forward mode, so that the bound
is of the roundings that forward mode makes. Its truth is one quotient along the
tangents, which gives all entries of the array at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.arithmetic.symbols import PRIMITIVE_SYMBOLS, Program, Symbol
from gradverify.autodiff.sweep import forward, pushed_modulus
from gradverify.graph import Array, Graph, interpret_all
from gradverify.questions import contracted
from gradverify.reference.gradient_program import (
    GradientProgram,
    expand,
    loosened_rules,
    margins_of,
)
from gradverify.reference.rounding import Units


def tangent_program(
    graph: Graph, dtype: str, units: Units, tangents: Sequence[Array | None]
) -> GradientProgram:
    """The expansion of a graph, with forward mode up to the array that it contracts."""
    expansion = expand(graph, dtype, units)
    nodes = expansion.graph.nodes
    output = expansion.place[contracted(graph).node]
    program = Program()
    program.nodes.extend(nodes)
    values = [Symbol(program, i) for i in range(len(nodes))]
    units_at = {expansion.place[i]: n for i, n in expansion.declared.items()}

    def noted(i: int, tangent: Any) -> None:
        if i in units_at:
            units_at[tangent.index] = units_at[i]

    part = Graph(nodes[: output + 1])
    pairs = zip(part.inputs, tangents, strict=True)
    seeds = {i: program.lift(np.asarray(v)) for i, v in pairs if v is not None}
    found = forward(
        part, PRIMITIVE_SYMBOLS, values, seeds, noted=noted, rules=loosened_rules
    )
    reached = [None if t is None else t.index for t in found]
    margins = margins_of(program, part.nodes, reached)
    return GradientProgram(
        expansion,
        Graph(tuple(program.nodes)),
        len(nodes) - 1,
        (reached[output],),
        margins,
        units_at,
    )


def array_of(graph: Graph, program: GradientProgram) -> Graph:
    """The expansion of the array that a graph contracts."""
    output = program.expansion.place[contracted(graph).node]
    return Graph(program.expansion.graph.nodes[: output + 1])


def paths_along(
    array: Graph, point: Sequence[Array], tangents: Sequence[Array | None]
) -> Array:
    """For every entry of the array the sum over paths of |tangent * local derivatives|.

    In long doubles.
    """
    values = interpret_all(array, EXTENDED.table, [EXTENDED.lift(x) for x in point])
    pairs = zip(array.inputs, tangents, strict=True)
    seeds = {i: EXTENDED.lift(np.abs(v)) for i, v in pairs if v is not None}
    found = forward(array, EXTENDED, values, seeds, rate=pushed_modulus)[-1]
    return np.zeros(array.output.shape) if found is None else np.asarray(found)


def displacement_of(point: Sequence[Array], tangents: Sequence[Array | None]) -> Array:
    """The tangents as one step over all entries of all inputs."""
    parts = [
        np.zeros(x.size) if v is None else np.reshape(v, -1)
        for x, v in zip(point, tangents, strict=True)
    ]
    return np.concatenate([np.zeros(0), *parts])
