"""The gradient program: a graph, its cotangents and its kink margins in one graph.

Its nodes are the places where a library may round. So the allowed error of every number
is found by one more sweep over this graph.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import PRIMITIVE_SYMBOLS, Program, Symbol
from gradverify.autodiff.rules import Rule, rules_of
from gradverify.autodiff.sweep import operand_shapes, pullback, walk_back
from gradverify.graph import CONSTANTS, LEAVES, Graph, Node, interpret_all
from gradverify.ops import OPS
from gradverify.ops.row import FORWARD
from gradverify.reference.rounding import ANY_OP, Units


@dataclass(frozen=True, eq=False)
class Expansion:
    """A graph over primitives alone, with slack where right formulas need it.

    place: for every node of the original graph, its node here.
    declared: by node of the original graph, the units of roundoff that an engine
        declares for its op.
    """

    graph: Graph
    place: tuple[int, ...]
    declared: Mapping[int, float] = field(default_factory=dict)

    def origin(self, index: int) -> int:
        """The node of the original graph that node `index` helps to compute."""
        return bisect_left(self.place, index)


@dataclass(frozen=True, eq=False)
class GradientProgram:
    """An expansion, followed by the nodes of its derivative and its margins.

    value: the node that holds the value which an engine returns beside it.
    targets: for each array of the derivative, the node that holds it; None where it is
        zero everywhere.
    margins: pairs of a kink node that the output depends on, and of the node that
        holds its margin.
    units: by node, the units of roundoff that an engine declares, where it does.
    cotangents: of a reverse sweep, for every node of the expansion, the node that
        holds the derivative of the output with respect to it; None as in targets.
    """

    expansion: Expansion
    graph: Graph
    value: int
    targets: tuple[int | None, ...]
    margins: tuple[tuple[int, int], ...]
    units: Mapping[int, float] = field(default_factory=dict)
    cotangents: tuple[int | None, ...] = ()


Rules = Callable[[str, int], Sequence[Rule]]
"""From an op and the number of its operands to one rule for each of them."""


def _apply(op: str) -> Callable[..., Symbol]:
    """What writes down an op, or its expansion.

    If the op is not forward stable, its operands get a slack of an ulp first. In a
    reduction it is an ulp of the largest element.
    """
    apply = PRIMITIVE_SYMBOLS.table[op]
    is_reduction = "axis" in OPS[op].params

    def loosened(x: Symbol) -> Symbol:
        program = x.program
        if program.nodes[x.index].op == "data" or 0 in x.shape:
            return x
        size = x
        if is_reduction:
            size = program.apply("abs", x)
            size = program.apply("peak", size, axis=None, keepdims=True)
        return program.apply("slack", x, size)

    def written(*operands: Symbol, **params: Any) -> Symbol:
        result: Symbol = apply(*map(loosened, operands), **params)
        return result

    return apply if OPS[op].stability == FORWARD else written


_WRITTEN = {row.name: _apply(row.name) for row in OPS}


@lru_cache(maxsize=4096)
def expand(graph: Graph, dtype: str = "float64", units: Units = ()) -> Expansion:
    """The graph over primitives: composite ops are replaced by their expansions.

    Literals, data and the constants of expansions are rounded to the dtype, as every
    library rounds them. Literals become data, since Python would divide two of them
    without the rounding of the dtype.
    """
    program = Program(dtype)
    leaves = (program.append(graph.nodes[i]) for i in graph.inputs)

    def constant(value: Any) -> Symbol:
        return program.lift(np.asarray(value))

    table = {**_WRITTEN, "data": constant, "literal": constant}
    values = interpret_all(graph, table, leaves)
    given = dict(units)
    declared = {
        i: given.get(node.op, given.get(ANY_OP, 0.0))
        for i, node in enumerate(graph.nodes)
        if node.op not in LEAVES and (node.op in given or ANY_OP in given)
    }
    places = tuple(symbol.index for symbol in values)
    return Expansion(Graph(tuple(program.nodes)), places, declared)


def loosened_rules(op: str, arity: int) -> list[Rule]:
    """The rules of an op, with slack where formulas in the rounded output are usual.

    For example, the slope of tanh is usually taken as 1 - y².
    """
    error = OPS[op].derivative_error

    def loosened(rule: Rule) -> Rule:
        if not callable(rule) or error is None:
            return rule

        def slope(m: Any, y: Any, *x: Any, **params: Any) -> Any:
            d = rule(m, y, *x, **params)
            return m.slack(d, error(d, y))

        return slope

    return [loosened(rule) for rule in rules_of(op, arity)]


def bent_rules(op: str, arity: int) -> list[Rule]:
    """As `loosened_rules`, for slopes that are differentiated once more.

    Libraries differentiate the formula in the rounded output. That of tanh becomes
    -2 y (1 - y²), which may be off by 2 y times the error of 1 - y².
    """
    error = OPS[op].curvature_error

    def bent(rule: Rule) -> Rule:
        if error is None:
            return rule

        def slope(m: Any, y: Any, *x: Any, **params: Any) -> Any:
            d = rule(m, y, *x, **params) if callable(rule) else rule
            for operand in x:
                d = m.bent(d, operand, error(m, d, y))
            return d

        return slope

    return [bent(rule) for rule in loosened_rules(op, arity)]


@lru_cache(maxsize=4096)
def gradient_program(
    graph: Graph,
    dtype: str = "float64",
    units: Units = (),
    rules: Rules = loosened_rules,
) -> GradientProgram:
    """The expansion of a scalar graph with its reverse sweep written after it.

    units: what an engine declares of its ops. The value of such an op is rounded that
        much, and so is everything that it passes back.
    rules: those of the sweep.
    """
    expansion = expand(graph, dtype, units)
    nodes = expansion.graph.nodes
    program = Program()
    program.nodes.extend(nodes)
    units_at = {expansion.place[i]: n for i, n in expansion.declared.items()}
    cotangents = swept_back(
        program, lambda i, bars: units_at.update(_declared(expansion, i, bars)), rules
    )
    margins = margins_of(program, nodes, cotangents)
    return GradientProgram(
        expansion,
        Graph(tuple(program.nodes)),
        len(nodes) - 1,
        tuple(cotangents[i] for i in expansion.graph.inputs),
        margins,
        units_at,
        cotangents,
    )


def swept_back(
    program: Program,
    noted: Callable[[int, Sequence[Symbol | None]], object],
    rules: Rules = loosened_rules,
) -> tuple[int | None, ...]:
    """Write the reverse sweep of a program after it: the cotangent of every node.

    noted: called with a node and with what it passes back.
    """
    nodes = tuple(program.nodes)
    values = [Symbol(program, i) for i in range(len(nodes))]

    def pull(i: int, ct: Symbol) -> list[Any]:
        bars = _pulled(values, nodes, i, ct, rules)
        noted(i, bars)
        return bars

    found = walk_back(
        nodes,
        {len(nodes) - 1: program.lift(np.float64(1.0))},
        pull,
        lambda _, terms: program.apply("accumulate", *terms),
    )
    return tuple(
        None if ct is None or node.op in CONSTANTS else ct.index
        for node, ct in zip(nodes, found, strict=True)
    )


def margins_of(
    program: Program, nodes: Sequence[Node], reached: Sequence[int | None]
) -> tuple[tuple[int, int], ...]:
    """Write the margins of the kinks that are reached: pairs of a kink and its margin.

    nodes: those of the program that may be kinks, its first ones.
    """
    values = [Symbol(program, i) for i in range(len(nodes))]
    return tuple(
        (i, kink.margin(PRIMITIVE_SYMBOLS, *(values[j] for j in node.operands)).index)
        for i, node in enumerate(nodes)
        if reached[i] is not None
        and node.op not in LEAVES
        and (kink := OPS[node.op].kink)
    )


def _declared(
    expansion: Expansion, i: int, bars: Sequence[Symbol | None]
) -> Iterator[tuple[int, float]]:
    """The bars of a declared op, with its units.

    Only bars count that leave the op, at operands before its own nodes.
    """
    owner = expansion.origin(i)
    units = expansion.declared.get(owner)
    if units is not None:
        for j, bar in zip(expansion.graph.nodes[i].operands, bars, strict=True):
            if bar is not None and expansion.origin(j) < owner:
                yield bar.index, units


def _pulled(
    values: Sequence[Symbol],
    nodes: Sequence[Node],
    i: int,
    ct: Symbol,
    rules: Rules,
) -> list[Any]:
    """What node i passes on to its operands, written down."""
    node = nodes[i]
    x = [values[j] for j in node.operands]
    own, shapes = rules(node.op, len(x)), operand_shapes(nodes, node)
    return pullback(PRIMITIVE_SYMBOLS, own, ct, values[i], x, node, shapes)


@lru_cache(maxsize=4096)
def margins_alone(program: GradientProgram) -> tuple[Graph, tuple[int, ...]]:
    """The graph of the margins and what they need, with the margins' places."""
    nodes = program.graph.nodes
    wanted = {margin for _, margin in program.margins}
    needed = set(wanted)
    for i in range(len(nodes) - 1, -1, -1):
        if i in needed:
            needed.update(nodes[i].operands)
    kept = [i for i, n in enumerate(nodes) if i in needed or n.op == "input"]
    place = {old: new for new, old in enumerate(kept)}
    moved = (replace(nodes[i], operands=tuple(place[j] for j in nodes[i].operands))
             for i in kept)  # fmt: skip
    return Graph(tuple(moved)), tuple(place[m] for _, m in program.margins)
