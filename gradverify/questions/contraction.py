"""The array that a case contracts to a scalar, and the cotangent it does that with.

A case has a scalar output. Where its graph ends in `sum(y * w)`, it is the array y
pulled back from the cotangent w: an engine is given y and w, and what it returns is
judged as the gradient of the case.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from gradverify.formats import format_of
from gradverify.graph import (
    LEAVES,
    Array,
    Case,
    Graph,
    apply_op,
    data_leaf,
    input_leaf,
)
from gradverify.ops import Shape
from gradverify.ops.shapes import axes_of
from gradverify.questions.drawn import weights


class ArrayAndCotangent(NamedTuple):
    """A graph as its array and the cotangent.

    node: of the array. cotangent: of its shape, floats.
    """

    node: int
    cotangent: Array


@lru_cache(maxsize=4096)
def contracted(graph: Graph) -> ArrayAndCotangent:
    """The last array of a graph, and by what the graph contracts it.

    An op that is the whole of a graph is never taken for its contraction.
    """
    nodes, at = graph.nodes, len(graph.nodes) - 1
    if _is_sum(graph, at) and nodes[nodes[at].operands[0]].op not in LEAVES:
        at = nodes[at].operands[0]
    found = ArrayAndCotangent(at, np.ones(nodes[at].shape))
    if nodes[at].op == "mul":
        y, w = nodes[at].operands
        is_weights = nodes[w].op == "data" and nodes[w].shape == nodes[at].shape
        if (
            is_weights
            and nodes[y].op not in LEAVES
            and nodes[y].shape == nodes[w].shape
        ):
            found = ArrayAndCotangent(y, np.asarray(nodes[w].value))
    if max(graph.inputs, default=0) > found.node:  # an input that nothing uses
        return ArrayAndCotangent(len(nodes) - 1, np.ones(()))
    return found


def up_to(graph: Graph, node: int) -> Graph:
    """The graph with that node for its output; nodes keep their numbers."""
    if node == len(graph.nodes) - 1:
        return graph
    return Graph(graph.nodes[: node + 1])


@lru_cache(maxsize=4096)
def weighted(graph: Graph, dtype: str) -> Graph:
    """The graph, contracted with a cotangent that is drawn for it.

    Weights that it has already become a part of the function.
    """
    whole, at = _summand(graph)
    return contract(whole, at, weights(graph, dtype, whole.nodes[at].shape))


@lru_cache(maxsize=4096)
def with_cotangent_input(graph: Graph) -> Graph:
    """The graph, contracted with a cotangent that is one more input.

    So what comes back to the array moves along a tangent, too. With a constant
    cotangent, a rule that forgets to differentiate by it is right at second order.
    """
    whole, at = _summand(graph)
    nodes = [*whole.nodes, input_leaf(whole.nodes[at].shape)]
    nodes.append(apply_op(nodes, "mul", (at, at + 1)))
    if nodes[-1].shape != ():
        nodes.append(apply_op(nodes, "sum", (len(nodes) - 1,)))
    return Graph(tuple(nodes))


def by_own_cotangent(case: Case) -> Case:
    """The case, contracted with a cotangent that is drawn for it."""
    return Case(weighted(case.graph, case.dtype), case.point, case.dtype)


def by_cotangent_input(case: Case) -> Case:
    """The case, contracted with a cotangent that is one more input."""
    graph = with_cotangent_input(case.graph)
    shape = graph.nodes[graph.inputs[-1]].shape
    cotangent = weights(case.graph, case.dtype, shape).astype(case.dtype)
    return Case(graph, (*case.point, cotangent), case.dtype)


def is_ordinary(case: Case) -> bool:
    """Whether fourth powers of all numbers are finite, and none is subnormal."""
    with np.errstate(all="ignore"):
        powers = (np.abs(x)[x != 0.0] ** 4 for x in case.point)
        least = format_of(case.dtype).normal
        return all(bool(np.all(np.isfinite(p) & (p >= least))) for p in powers)


def _summand(graph: Graph) -> tuple[Graph, int]:
    """The graph without the plain sum at its end, and the node that is summed."""
    nodes, at = [*graph.nodes], len(graph.nodes) - 1
    if _is_sum(graph, at) and not nodes[at].params:
        at = nodes.pop().operands[0]
    return Graph(tuple(nodes)), at


def contract(graph: Graph, node: int, cotangent: Array) -> Graph:
    """The sum of a node's entries times a cotangent, as a graph."""
    nodes = [*graph.nodes[: node + 1]]
    assert nodes[node].shape == np.shape(cotangent)
    nodes.append(data_leaf(cotangent))
    nodes.append(apply_op(nodes, "mul", (node, node + 1)))
    if nodes[-1].shape != ():
        nodes.append(apply_op(nodes, "sum", (len(nodes) - 1,)))
    return Graph(tuple(nodes))


def _is_sum(graph: Graph, i: int) -> bool:
    """Whether a node is the sum of all entries of another one."""
    node = graph.nodes[i]
    if node.op != "sum" or node.shape != ():
        return False
    shape: Shape = graph.nodes[node.operands[0]].shape
    return len(axes_of(shape, node.params.get("axis"))) == len(shape)
