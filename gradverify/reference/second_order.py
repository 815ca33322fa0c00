"""The gradient program contracted with a tangent v: a graph whose gradient is Hv.

What the contraction does not reach is left out. The quotients of this graph are taken,
its gradient is certified and bounded, as those of any other graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.autodiff.rules import Rule
from gradverify.graph import Array, Graph, Node
from gradverify.reference.gradient_program import (
    Expansion,
    GradientProgram,
    bent_rules,
    gradient_program,
    loosened_rules,
    margins_of,
    swept_back,
)
from gradverify.reference.rounding import Units

USUAL_FORMULAS: Mapping[str, Rule] = {
    "sign": lambda m, y, x: m.slack(0.0 * x, 1.0 / x),
}
"""What libraries differentiate again, where its derivative cancels to a rounding.

The slope of abs is often x / |x|.
"""


def second_order_program(
    graph: Graph, dtype: str, units: Units, tangents: Sequence[Array | None]
) -> GradientProgram:
    """The program of Hv: its value is the graph's own, its targets are those of Hv.

    Its margins are those of the graph's kinks as well: at one that is active there is
    no second derivative.

    units: what an engine declares of its ops, as for `gradient_program`.
    """
    first = gradient_program(graph, dtype, units, bent_rules)
    whole = contracted_program(first, tangents)
    kept = _needed(whole.nodes, {len(whole.nodes) - 1})
    program, place = Program(), dict[int, int]()
    _append(program, whole.nodes, kept, place)
    nodes = tuple(program.nodes)
    units_at = {place[i]: n for i, n in first.units.items() if i in place}

    def noted(i: int, bars: Sequence[Symbol | None]) -> None:
        if i in units_at:
            passed = (bar for bar in bars if bar is not None)
            units_at.update((bar.index, units_at[i]) for bar in passed)

    cotangents = swept_back(program, noted, _rules)
    margins = list(margins_of(program, nodes, cotangents))
    others = {first.value, *(margin for _, margin in first.margins)}
    rest = [i for i in _needed(whole.nodes, others) if i not in place]
    _append(program, whole.nodes, rest, place)
    margins += [(place[i], place[m]) for i, m in first.margins if i in place]
    margins += [(place[m], place[m]) for i, m in first.margins if i not in place]
    expansion = Expansion(Graph(nodes), tuple(range(len(nodes))))
    return GradientProgram(
        expansion,
        Graph(tuple(program.nodes)),
        place[first.value],
        tuple(cotangents[i] for i in expansion.graph.inputs),
        tuple(margins),
        units_at,
    )


def _rules(op: str, arity: int) -> Sequence[Rule]:
    usual = USUAL_FORMULAS.get(op)
    return loosened_rules(op, arity) if usual is None else (usual,)


def contracted_program(
    first: GradientProgram, tangents: Sequence[Array | None]
) -> Program:
    """The gradient program, followed by the sum over all inputs of gradient times v.

    Its last node is that sum. Nodes of the gradient program keep their numbers.
    """
    program = Program()
    program.nodes.extend(first.graph.nodes)
    terms: list[Symbol] = []
    for target, v in zip(first.targets, tangents, strict=True):
        if target is None or v is None:
            continue
        term = program.apply("mul", Symbol(program, target), np.asarray(v))
        if term.shape:
            term = program.apply("sum", term, axis=None, keepdims=False)
        terms.append(term)
    if len(terms) > 1:
        program.apply("accumulate", *terms)
    elif not terms:
        program.lift(np.float64(0.0))
    return program


def _needed(nodes: Sequence[Node], wanted: set[int]) -> list[int]:
    """The nodes that some nodes need, and every input, in order."""
    needed = set(wanted)
    for i in range(len(nodes) - 1, -1, -1):
        if i in needed:
            needed.update(nodes[i].operands)
    return [i for i, n in enumerate(nodes) if i in needed or n.op == "input"]


def _append(
    program: Program,
    nodes: Sequence[Node],
    chosen: Sequence[int],
    place: dict[int, int],
) -> None:
    """Copy chosen nodes to the end of a program.

    place: from an old node to its copy.
    """
    for i in chosen:
        operands = tuple(place[j] for j in nodes[i].operands)
        place[i] = program.append(replace(nodes[i], operands=operands)).index
