"""The op of one node as a case of its own, at the values of its operands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.graph import (
    CONSTANTS,
    LEAVES,
    Array,
    Case,
    Graph,
    Node,
    apply_op,
    data_leaf,
    input_leaf,
    interpret_all,
)


def node_values(case: Case) -> list[Any]:
    """The value of every node, in NumPy floats of the case's dtype."""
    with np.errstate(all="ignore"):
        inputs = [FLOATS.lift(np.array(x)) for x in case.point]
        return interpret_all(case.graph, FLOATS.table, inputs)


def op_alone(case: Case, index: int, values: Sequence[Any], cotangent: Any) -> Case:
    """A case of node `index` alone, pulled back from the given cotangent.

    Operands that are literals, data or masks stay what they are. All others become
    inputs. An operand that occurs twice becomes two inputs.
    """
    node = case.graph.nodes[index]
    nodes: list[Node] = []
    point: list[Array] = []
    for j in node.operands:
        operand = case.graph.nodes[j]
        if operand.op in CONSTANTS:
            nodes.append(operand)
        else:
            nodes.append(input_leaf(operand.shape))
            point.append(np.asarray(values[j], case.dtype))
    nodes.append(apply_op(nodes, node.op, range(len(nodes)), **node.params))
    _contract(nodes, np.asarray(cotangent, np.float64))
    return Case(Graph(tuple(nodes)), tuple(point), case.dtype)


def output_alone(
    case: Case, index: int, values: Sequence[Any], cotangent: Any
) -> Case | None:
    """What `op_alone` puts after the op to make a scalar, as a case by itself.

    None if it puts nothing there.
    """
    nodes = [input_leaf(case.graph.nodes[index].shape)]
    _contract(nodes, np.asarray(cotangent, np.float64))
    if len(nodes) == 1:
        return None
    return Case(
        Graph(tuple(nodes)), (np.asarray(values[index], case.dtype),), case.dtype
    )


def part_up_to(case: Case, index: int) -> Case:
    """The part of the graph that makes node `index`, with a scalar output."""
    nodes = [*case.graph.nodes[: index + 1]]
    _contract(nodes, np.ones(nodes[-1].shape))
    kept = [k for k, i in enumerate(case.graph.inputs) if i <= index]
    point = tuple(case.point[k] for k in kept)
    return Case(Graph(tuple(nodes)), point, case.dtype)


def _contract(nodes: list[Node], cotangent: Array) -> None:
    """Append what makes a scalar of the last node: its sum, weighted by a cotangent."""
    output = len(nodes) - 1
    shape = nodes[output].shape
    if np.any(cotangent != 1.0):
        nodes.append(data_leaf(np.broadcast_to(cotangent, shape)))
        nodes.append(apply_op(nodes, "mul", [output, output + 1]))
    if shape != ():
        nodes.append(apply_op(nodes, "sum", [len(nodes) - 1]))  # as a drawn case ends


def cotangent_alone(alone: Case) -> Array:
    """The cotangent that a case of `op_alone` is pulled back from.

    It may be an input that comes after the op.
    """
    nodes = alone.graph.nodes
    first = op_nodes(alone.graph)[0]
    for i, x in zip(alone.graph.inputs, alone.point, strict=True):
        if i > first:
            return x
    for node in nodes[first + 1 :]:
        weights = [nodes[j] for j in node.operands if nodes[j].op == "data"]
        if weights:
            return np.asarray(weights[0].value)
    return np.ones(())


def op_nodes(graph: Graph) -> list[int]:
    """The nodes that apply this op."""
    return [i for i, node in enumerate(graph.nodes) if node.op not in LEAVES]
