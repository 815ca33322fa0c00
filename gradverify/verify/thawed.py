"""The same function behind each op that hides how its operands move, as a clip does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradverify.diagnosis.op_alone import node_values
from gradverify.graph import Case, Graph, Node, input_leaf


def thawed(case: Case, near: Sequence[Case]) -> Iterator[Case]:
    """The case with such ops' results as inputs, which come after all others.

    An op is one of them if its result is the same in `near`, cases of the same graph at
    other points, though an operand is another. A zero in a result stays what it is near
    that point as well: in a second case, the ops that have it for an operand are looked
    at in its place. There is no case where there is no such op.
    """
    values = node_values(case)
    others = [node_values(other) for other in near]
    is_moving = [
        any(not np.array_equal(value, other[i], equal_nan=True) for other in others)
        for i, value in enumerate(values)
    ]
    before: list[int] = []
    for is_through in (False, True):
        still = _still(case.graph, values, is_moving, is_through)
        if still not in ([], before):
            inner = (np.asarray(values[i], case.dtype) for i in still)
            yield Case(_opened(case.graph, still), (*case.point, *inner), case.dtype)
        before = still


def _still(
    graph: Graph, values: Sequence[Any], is_moving: Sequence[bool], is_through: bool
) -> list[int]:
    """The nodes that hide how an operand moves.

    is_through: whether one with a zero is passed over for those behind it.
    """
    hides = [*is_moving]
    still: list[int] = []
    for i, node in enumerate(graph.nodes):
        if is_moving[i] or not any(hides[j] for j in node.operands):
            continue
        if is_through and not np.all(values[i]):
            hides[i] = True
        else:
            still.append(i)
    return still


def _opened(graph: Graph, still: Sequence[int]) -> Graph:
    """The graph with these nodes as inputs behind its own."""
    own = set(graph.inputs)
    rest = [i for i in range(len(graph.nodes)) if i not in own.union(still)]
    place: dict[int, int] = {}
    nodes: list[Node] = []
    for i in (*graph.inputs, *still, *rest):
        node = graph.nodes[i]
        place[i] = len(nodes)
        if i in still:
            node = input_leaf(node.shape)
        operands = tuple(place[j] for j in node.operands)
        nodes.append(replace(node, operands=operands))
    return Graph(tuple(nodes))
