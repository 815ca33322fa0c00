"""A block: the cases of one family, and the references that differentiators share."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradverify.differentiators import Accepts, Differentiator, unsupported
from gradverify.graph import Case
from gradverify.ops import OPS
from gradverify.reference import Reference, reference
from gradverify.strategies import at_points, draw

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

CHUNK = 20  # cases drawn at once
POINTS = 10  # where an engine that compiles is judged at each graph

Restricted = Callable[[str, Sequence[str], Accepts], Any]
"""dtype, ops of a table, and what an engine accepts -> a strategy within those."""


@dataclass(eq=False)
class Block:
    """The cases of one op or graph family in one dtype, and their references.

    strategy: what the cases are drawn from; None for written ones.
    restricted: the same family for an engine that can run few of them.
    points: at how many points every graph that is drawn is looked at.
    chunk: how many cases are drawn at once.
    count: how many of them every differentiator looks at; set by the first one.
    """

    suite: str
    family: str
    dtype: str
    seed: int = 0
    strategy: SearchStrategy[Case] | None = None
    restricted: Restricted | None = None
    written: tuple[Case, ...] = ()
    points: int = 1
    chunk: int = CHUNK
    count: int | None = None
    drawn: list[Case] = field(default_factory=list)
    draws: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _own: dict[str, Block] = field(default_factory=dict)
    _references: dict[int, Reference] = field(default_factory=dict)

    def fitting(self, differentiator: Differentiator) -> Block:
        """This block; or one of the engine's own.

        It is drawn from the engine's own table where that can run under half of what
        is drawn from all ops, and has fewer graphs at more points if each is compiled.
        """
        name = differentiator.name
        if name not in self._own:
            strategy = self._strategy_for(differentiator)
            points = 1
            if differentiator.compiles and strategy is not None:
                points = min(POINTS, self.chunk)
            is_shared = strategy is self.strategy and points == self.points
            self._own[name] = (
                self
                if is_shared
                else Block(
                    self.suite,
                    self.family,
                    self.dtype,
                    self.seed,
                    strategy,
                    points=points,
                    chunk=self.chunk,
                )
            )
        return self._own[name]

    def _strategy_for(self, differentiator: Differentiator) -> Any:
        """What the engine's cases are drawn from."""
        if self.strategy is None or self.restricted is None:
            return self.strategy
        first = [case for _, case in itertools.islice(self.cases(), self.chunk)]
        runs = sum(unsupported(differentiator, case) is None for case in first)
        rows = differentiator.table
        table = [op for op in OPS.public() if callable(rows.get(op))]
        if 2 * runs >= len(first) or not table:
            return self.strategy
        try:
            return self.restricted(self.dtype, table, differentiator.accepts)
        except ValueError:  # nothing of the family is within what it accepts
            return self.strategy

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
        fresh = draw(self.strategy, self.chunk // self.points, seed)
        source = random.Random(seed)
        for case in fresh.cases:
            self.drawn.extend(at_points(case, self.points, source))
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
