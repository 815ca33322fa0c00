"""Where: the first op that deviates by itself at the values it met."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradverify.diagnosis.alone import node_values, op_alone, op_nodes
from gradverify.graph import Array, Case
from gradverify.reference import Reference, reference
from gradverify.reference.exact import middle
from gradverify.reference.program import gradient_program
from gradverify.verdict import Judgement, Verdict

WHOLE = "graph"  # said of a discrepancy that no op shows by itself


def guilty_op(
    case: Case, judge: Callable[[Case], Judgement], verdict: Verdict
) -> tuple[str, Case | None]:
    """The op that alone gives the verdict, and the case that shows it.

    Every op of the graph is judged alone, with the cotangent that it meets, then with
    ones; the first that has the same verdict is guilty. `("graph", None)` where none
    has: an interaction, such as a fan-out that is overwritten.
    """
    values = node_values(case)
    cotangents = _cotangents(case, reference(case))
    for i in op_nodes(case.graph):
        node = case.graph.nodes[i]
        ones = np.ones(node.shape)
        for ct in (cotangents[i], ones):
            if ct is None or not np.all(np.isfinite(ct)):
                continue
            try:
                alone = op_alone(case, i, values, ct)
            except ValueError:
                continue
            if alone.point and judge(alone).verdict is verdict:
                return node.op, alone
            if np.array_equal(ct, ones):
                break
    return WHOLE, None


def _cotangents(case: Case, found: Reference) -> list[Array | None]:
    """The exact cotangents in floats; ones where the reference has none."""
    nodes, exact = case.graph.nodes, found.exact
    if exact is None:
        return [None] * len(nodes)
    place = gradient_program(case.graph).expansion.place
    return [
        middle(exact.cotangents[place[i]], node.shape).astype(float)
        for i, node in enumerate(nodes)
    ]
