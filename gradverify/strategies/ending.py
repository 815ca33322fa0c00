"""How a draft ends: unused nodes are joined, and the output is made a scalar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from gradverify.graph import Case, Graph, Node, apply_op, data_leaf, live
from gradverify.ops import OPS
from gradverify.ops.domains import EVERYWHERE
from gradverify.strategies.choices import Ending
from gradverify.strategies.draft import Draft

WEIGHTS = (1.0, 2.0, -1.0, 0.5, 3.0, -2.0, 0.25, 1.5, 0.0)
"""With a 0, since libraries multiply it by what may be infinite."""


@lru_cache
def _joiners(ops: tuple[str, ...]) -> tuple[str, ...]:
    """Of the allowed operators on two operands, those that are defined everywhere."""
    rows = [OPS[name] for name in dict.fromkeys(ops)]
    return tuple(
        r.name for r in rows if r.arity == 2 and r.operator and r.domain is EVERYWHERE
    )


def finished(draft: Draft, ending: Ending) -> Case:
    """The case of a draft. Its output is the last op, or all unused ops joined."""
    joiners = _joiners(draft.scope.ops)
    last = draft.sinks()[-1]
    if joiners and ending.join % 4:
        last = _join(draft, joiners, ending.join)
    graph = Graph(live(_contracted(draft, last, ending)))
    point = tuple(x.value for x in draft.grown if x.node.op == "input")
    return Case(graph, point, draft.scope.dtype)


def _join(draft: Draft, joiners: Sequence[str], choice: int) -> int:
    """Put ops on unused nodes until one is left.

    Nodes that cannot be joined stay unused.

    Two choices in three join one more node, which is then used twice.
    """
    last, *others = reversed(draft.sinks())
    if choice % 3:
        ops = [i for i, x in enumerate(draft.grown) if x.node.operands]
        used = [i for i in ops if i not in others]
        others.insert(0, used[-1 - choice // 3 % len(used)])
    for k, other in enumerate(others):
        op = joiners[(choice // 4 + k) % len(joiners)]
        for a, b in _pairs(draft, last, other):
            if draft.try_op(op, (a, b), ()):
                last = len(draft.grown) - 1
                break
    return last


def _pairs(draft: Draft, a: int, b: int) -> Iterator[tuple[int, int]]:
    """The two nodes as they are; then one of them summed; then both summed."""
    yield a, b
    for summed in ((b,), (a,), (a, b)):
        pair = [_summed(draft, i) if i in summed else i for i in (a, b)]
        if None not in pair:
            yield pair[0], pair[1]  # type: ignore[misc]


def _summed(draft: Draft, i: int) -> int | None:
    if draft.shape_of(i) == ():
        return i
    return len(draft.grown) - 1 if draft.try_op("sum", (i,), ()) else None


def _contracted(draft: Draft, output: int, ending: Ending) -> list[Node]:
    """The program up to a node, then the sum of that node.

    The node is weighted first, unless that overflows.
    """
    nodes = [x.node for x in draft.grown[: output + 1]]
    value, shape = draft.grown[output].value, nodes[-1].shape
    if shape == ():
        return nodes
    weights = np.resize(np.roll(WEIGHTS, -(ending.weights // 2)), shape)
    weights = (
        weights if np.any(weights) else np.ones(shape)
    )  # zeros would check nothing
    is_finite = np.isfinite(np.sum(np.abs(value * weights), dtype=draft.dtype))
    if ending.weights % 2 and draft.limits.data and is_finite:
        nodes.append(data_leaf(weights))
        nodes.append(apply_op(nodes, "mul", (output, output + 1)))
    nodes.append(apply_op(nodes, "sum", (len(nodes) - 1,)))
    return nodes
