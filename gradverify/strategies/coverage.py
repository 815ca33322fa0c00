"""What the cases of a block have met: pairs of ops, and kinds of values at each op.

This depends on the cases alone and on no verdict. So what is drawn next may depend on
it, and the same seed still draws the same cases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.graph import LEAVES, Case, interpret_all
from gradverify.strategies.points import REGIMES


class Traits(NamedTuple):
    """What one case has.

    op_pairs: ops of which one feeds the other, such as "exp>log".
    regimes: kinds of values that an op was put to, such as "log:tiny".
    """

    op_pairs: frozenset[str]
    regimes: frozenset[str]


@dataclass(frozen=True)
class Met:
    """How many cases had each pair of ops, and each regime of an op."""

    op_pairs: Counter[str] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)

    def add(self, traits: Traits) -> None:
        """Enter one case."""
        self.op_pairs.update(traits.op_pairs)
        self.regimes.update(traits.regimes)


def traits_of(case: Case) -> Traits:
    """The traits of a case."""
    nodes = case.graph.nodes
    with np.errstate(all="ignore"):
        inputs = [FLOATS.lift(np.array(x)) for x in case.point]
        values = interpret_all(case.graph, FLOATS.table, inputs)
        regimes = frozenset(
            f"{node.op}:{name}"
            for node in nodes
            if node.operands
            for name in _names([values[j] for j in node.operands], case.dtype)
        )
    return Traits(_pairs(case), regimes)


def _pairs(case: Case) -> frozenset[str]:
    nodes = case.graph.nodes
    return frozenset(
        f"{nodes[j].op}>{node.op}"
        for node in nodes
        for j in node.operands
        if nodes[j].op not in LEAVES
    )


def _names(operands: Sequence[Any], dtype: str) -> Iterator[str]:
    """The regimes of the numbers among an op's operands."""
    numbers = [np.ravel(x) for x in operands if np.asarray(x).dtype.kind in "fi"]
    flat = np.concatenate(numbers or [np.zeros(0)]).astype(dtype)
    return (name for name, holds in REGIMES.items() if holds(flat))
