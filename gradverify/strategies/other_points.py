"""The graph of a case at other points.

It is for engines for which every new graph is expensive, because they compile it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from gradverify.graph import Array, Case, Graph, Limits
from gradverify.strategies.draft import Draft, Grown, Scope
from gradverify.strategies.points import Values, array_of
from gradverify.strategies.shrinking.minimise import key_of

TRIED = 20  # points drawn to find one that domains and limits allow


def at_points(case: Case, count: int, source: random.Random) -> list[Case]:
    """The case, then its graph at other points: `count` cases, or as many as are found.

    The other points are made of the values of `points` and keep to the limits of drawn
    graphs.
    """
    found = {key_of(case): case}
    for _ in range(TRIED * (count - 1)):
        if len(found) == count:
            break
        point = _drawn(case, source)
        if _is_allowed(case.graph, point, case.dtype):
            other = Case(case.graph, tuple(point), case.dtype)
            found.setdefault(key_of(other), other)
    return list(found.values())


def _drawn(case: Case, source: random.Random) -> list[Array]:
    """An array for each input, as `points` makes them of choices below 100."""
    result: list[Array] = []
    for x in case.point:
        entries = [source.randrange(100) for _ in range(source.randint(1, 6))]
        values = Values(source.randrange(100), entries)
        before = result[-1] if result else None
        result.append(array_of(values, x.shape, before, case.dtype))
    return result


def _is_allowed(graph: Graph, point: Sequence[Array], dtype: str) -> bool:
    """Whether every op takes its operands, within the limits of a draft."""
    draft = Draft(Scope(graph.ops, Limits(ranks=range(33)), dtype))
    supply = iter(point)
    with np.errstate(all="ignore"):
        for node in graph.nodes:
            if node.op == "input":
                draft.put(Grown(node, next(supply)))
            elif node.op == "literal":
                draft.put(Grown(node, node.value))
            elif node.op == "data":
                is_mask = node.value.dtype == bool
                value = node.value if is_mask else node.value.astype(dtype)
                draft.put(Grown(node, value))
            elif not draft.try_op(node.op, node.operands, tuple(node.params.items())):
                return False
    return True
