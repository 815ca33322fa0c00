"""A block: the cases of one family, and the references that differentiators share."""

from __future__ import annotations

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradverify.differentiators import Accepts, Differentiator, unsupported
from gradverify.graph import Case
from gradverify.ops import OPS
from gradverify.reference import Reference, reference
from gradverify.strategies import draw

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

CHUNK = 20  # cases drawn at once, and the fewest that an item looks at

Restricted = Callable[[str, Sequence[str], Accepts], Any]
"""dtype, ops of a table, and what an engine accepts -> a strategy within those."""


@dataclass(eq=False)
class Block:
    """The cases of one op or graph family in one dtype, and their references.

    strategy: what the cases are drawn from; None for written ones.
    restricted: the same family for an engine that can run few of them.
    count: how many of them every differentiator looks at; set by the first one.
    """

    suite: str
    family: str
    dtype: str
    seed: int = 0
    strategy: SearchStrategy[Case] | None = None
    restricted: Restricted | None = None
    written: tuple[Case, ...] = ()
    count: int | None = None
    drawn: list[Case] = field(default_factory=list)
    draws: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _references: dict[int, Reference] = field(default_factory=dict)

    def fitting(self, differentiator: Differentiator) -> Block:
        """This block; or one drawn from the engine's own table, where it can run
        under half of what is drawn from all ops.
        """
        if self.strategy is None or self.restricted is None:
            return self
        first = [case for _, case in itertools.islice(self.cases(), CHUNK)]
        runs = sum(unsupported(differentiator, case) is None for case in first)
        table = [op for op, row in differentiator.table.items() if callable(row)]
        if 2 * runs >= len(first) or not set(table) & set(OPS.public()):
            return self
        try:
            own = self.restricted(self.dtype, table, differentiator.accepts)
        except ValueError:  # nothing of the family is within what it accepts
            return self
        return Block(self.suite, self.family, self.dtype, self.seed, own)

    def cases(self) -> Iterator[tuple[int, Case]]:
        """The cases with their positions, drawn by and by from seed and op table."""
        if self.strategy is None:
            yield from enumerate(self.written)
            return
        position = 0
        while True:
            if position == len(self.drawn) and not self._draw():
                return
            yield position, self.drawn[position]
            position += 1

    def _draw(self) -> bool:
        assert self.strategy is not None
        began = time.perf_counter()
        seed = self.seed * 1_000_003 + len(self.drawn)
        fresh = draw(self.strategy, CHUNK, seed)
        self.drawn.extend(fresh.cases)
        self.draws.update(begun=fresh.begun, rejected=fresh.rejected)
        self.seconds["draw"] += time.perf_counter() - began
        return bool(fresh.cases)

    def reference(self, position: int, case: Case) -> Reference:
        """The case's reference, computed once for all differentiators."""
        if position not in self._references:
            began = time.perf_counter()
            self._references[position] = reference(case)
            self.seconds["reference"] += time.perf_counter() - began
        return self._references[position]
