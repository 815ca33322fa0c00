"""Generic twins of a case: the same program at numbers that hide nothing.

At (1, 1), for example, both partials of a product are 1. Most slips cannot be seen
there, or cannot be told apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.diagnosis.observation import margins
from gradverify.diagnosis.op_alone import node_values
from gradverify.graph import (
    LEAVES,
    Array,
    Case,
    Graph,
    Node,
    apply_op,
    data_leaf,
    input_leaf,
    literal_leaf,
)
from gradverify.ops import OPS
from gradverify.reference.gradient_program import gradient_program

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class PointStyle:
    """How far numbers are moved, and which ones.

    keeps: whether one factor moves all numbers, so that zeros and ties stay.
    leaves: whether literals and data are moved too.
    ordinary: whether numbers are brought near 1 first. Beside a huge or tiny number,
        another term may vanish in rounding.
    """

    spread: float
    keeps: bool = False
    leaves: bool = True
    ordinary: bool = False


# The first twin that is in the same branches and still shows the deviation is taken.
STYLES = (
    PointStyle(0.4, ordinary=True),
    PointStyle(0.4, leaves=False, ordinary=True),
    PointStyle(0.4),
    PointStyle(0.4, leaves=False),
    PointStyle(0.05, leaves=False),
    PointStyle(0.4, keeps=True, leaves=False),
    PointStyle(0.002, leaves=False),
    PointStyle(0.02, keeps=True, leaves=False),
)


def twins(case: Case, which: int, *, leaves: bool = True) -> Iterator[Case]:
    """Twins of a case, from the most generic to the nearest one.

    Each lies in the same branch of every kink as the case. It lies in the domain of
    every op if the case does.

    which: the number of the twin; another one has other numbers.
    leaves: False if a program with another literal would be another program.
    """
    program = gradient_program(case.graph, case.dtype)
    own = [np.sign(x) for x, _ in margins(program, case)]
    for style in STYLES:
        if (style.leaves and not leaves) or (style.ordinary and which > 0):
            continue
        twin = moved(case, which, style)
        if twin is not None and _is_alike(twin, own, case):
            yield twin


def larger_twins(case: Case) -> Iterator[Case]:
    """The same program on larger arrays, each at a generic point.

    In two rows, for example, n and n / (n - 1) are the same factor.
    """
    for grow in GROWTHS:
        larger = resized(case, grow)
        if larger is None:
            continue
        program = gradient_program(larger.graph, larger.dtype)
        own = [np.sign(x) for x, _ in margins(program, larger)]
        for style in STYLES:
            twin = moved(larger, 0, style)
            if twin is not None and _is_alike(twin, own, larger):
                yield twin


# The first keeps the program for most graphs, the second where an axis is cut into
# equal parts. Axes of length 0 and 1 stay what they are, unless no axis is longer: of a
# matrix with one entry, a factor that is held and a factor 1/2 are the same.
GROWTHS: tuple[Callable[[int], int], ...] = (
    lambda n: n + 1 if n > 1 else n,
    lambda n: 2 * n if n > 1 else n,
    lambda n: 2 if n == 1 else n,
)


def resized(
    case: Case, grow: Callable[[int], int], *, fill: float = 1.0
) -> Case | None:
    """The case with every axis longer, its entries repeated.

    None if the ops do not fit, or if nothing grows.

    fill: the entries of arrays that were empty.
    """

    def grown(x: Array) -> Array:
        if not x.size:
            return np.full([grow(n) for n in x.shape], fill, x.dtype)
        index = [np.arange(grow(n)) % n for n in x.shape]
        return x[np.ix_(*index)] if x.ndim else x

    nodes: list[Node] = []
    for node in case.graph.nodes:
        if node.op == "input":
            nodes.append(input_leaf([grow(n) for n in node.shape]))
        elif node.op == "data":
            nodes.append(data_leaf(grown(node.value)))
        elif node.op == "literal":
            nodes.append(node)
        else:
            params = dict(node.params)
            if "shape" in params:
                params["shape"] = tuple(grow(n) for n in params["shape"])
            try:
                nodes.append(apply_op(nodes, node.op, node.operands, **params))
            except ValueError:
                return None
    same = [n.shape for n in nodes] == [n.shape for n in case.graph.nodes]
    if same or nodes[-1].shape != ():
        return None
    return Case(Graph(tuple(nodes)), tuple(map(grown, case.point)), case.dtype)


def moved(case: Case, which: int, style: PointStyle) -> Case | None:
    """The case with its numbers moved; None if they do not fit the dtype."""
    places = iter(range(100 * which + 1, 10**9))

    def shift() -> float:
        return style.spread * (2.0 * math.fmod(next(places) * GOLDEN, 1.0) - 1.0)

    common = 1.0 + shift()

    def other(x: Array) -> Array:
        if style.keeps:
            return (x * common).astype(x.dtype)
        entries = x.reshape(-1).tolist()
        if style.ordinary:
            entries = [math.copysign(1.0, v) if v else v for v in entries]
        flat = [v * (1.0 + shift()) if v else shift() for v in entries]
        return np.array(flat, x.dtype).reshape(x.shape)

    point = tuple(other(x) for x in case.point)
    if not all(np.all(np.isfinite(x)) for x in point):
        return None
    graph = case.graph
    if style.leaves:
        graph = Graph(tuple(_leaf(node, shift) for node in graph.nodes))
    return Case(graph, point, case.dtype)


def _leaf(node: Node, shift: Any) -> Node:
    """A literal or data with other numbers. Whole numbers, zeros and masks stay."""
    if node.op == "literal" and isinstance(node.value, float) and node.value:
        return literal_leaf(node.value * (1.0 + shift()))
    if node.op == "data" and node.value.dtype != bool:
        flat = [v * (1.0 + shift()) for v in node.value.reshape(-1).tolist()]
        return data_leaf(np.array(flat).reshape(node.shape))
    return node


def _is_alike(twin: Case, signs: list[Array], case: Case) -> bool:
    """Whether the twin lies in the same branches, and in the domain of every op in
    whose domain the case lies.
    """
    inside = dict(_insides(case))
    for i, contained in _insides(twin):
        if inside[i] and not contained:
            return False
    if not all(np.all(np.isfinite(value)) for value in node_values(twin)):
        return False
    found = margins(gradient_program(twin.graph, twin.dtype), twin)
    return all(
        bool(np.all((s == 0) | (np.sign(x) == s)))
        for (x, _), s in zip(found, signs, strict=True)
    )


def _insides(case: Case) -> Iterator[tuple[int, bool]]:
    """Which ops have their operands in their domains."""
    values = node_values(case)
    for i, node in enumerate(case.graph.nodes):
        if node.op not in LEAVES:
            operands = [values[j] for j in node.operands]
            yield i, bool(OPS[node.op].domain.contains(*operands, **node.params))
