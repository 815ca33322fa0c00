"""The one loop that runs a graph, in whatever meaning a table gives to the ops."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.graph.node import Node
from gradverify.graph.program import Graph


class OutsideDomain(ArithmeticError):
    """A value lies outside the domain of the op that it is handed to."""


def interpret_all(
    graph: Graph,
    table: Mapping[str, Callable[..., Any]],
    inputs: Iterable[Any],
) -> list[Any]:
    """The value of every node, in order, in the meaning that `table` gives to the ops.

    The rows "data" and "literal" of a table, where it has them, turn such leaves into
    its own values.
    """
    lift_data: Callable[[Any], Any] = table.get("data", _plain)
    lift_literal: Callable[[Any], Any] = table.get("literal", _plain)
    supply = iter(inputs)
    values: list[Any] = []
    for node in graph.nodes:
        if node.op == "input":
            values.append(next(supply))
        elif node.op == "data":
            values.append(lift_data(node.value))
        elif node.op == "literal":
            values.append(lift_literal(node.value))
        else:
            operands = [values[i] for i in node.operands]
            values.append(table[node.op](*operands, **node.params))
    return values


def interpret_again(
    graph: Graph,
    table: Mapping[str, Callable[..., Any]],
    values: Sequence[Any],
    leaves: Mapping[int, Any],
) -> list[Any]:
    """What `interpret_all` gives if some leaves have other values.

    Only nodes that depend on these leaves are run again.

    leaves: the index of a leaf to its other value.
    """
    again, touched = list(values), set(leaves)
    for i, value in leaves.items():
        again[i] = value
    for i, node in enumerate(graph.nodes):
        if not touched.isdisjoint(node.operands):
            touched.add(i)
            again[i] = table[node.op](*[again[j] for j in node.operands], **node.params)
    return again


def interpret(
    graph: Graph, table: Mapping[str, Callable[..., Any]], inputs: Iterable[Any]
) -> Any:
    """The value of the output in the meaning that `table` gives to the ops."""
    return interpret_all(graph, table, inputs)[-1]


def _plain(value: Any) -> Any:
    """An array as it is, or a Python number for rank 0: any engine understands that."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    return value


def live(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes that the last one needs, and every input, renumbered."""
    needed = {len(nodes) - 1}
    for i in reversed(range(len(nodes))):
        if i in needed:
            needed.update(nodes[i].operands)
    kept = [i for i, n in enumerate(nodes) if i in needed or n.op == "input"]
    place = {old: new for new, old in enumerate(kept)}
    return tuple(
        Node(n.op, tuple(place[j] for j in n.operands), n.params, n.shape, n.value)
        for n in (nodes[i] for i in kept)
    )
