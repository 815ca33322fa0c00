"""A block: the cases of one family, and the references that all differentiators
share.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from gradverify.differentiators import Accepts, Differentiator, unsupported
from gradverify.graph import Case
from gradverify.ops import OPS
from gradverify.questions import GRADIENT, Question
from gradverify.reference import USUAL_ROUNDING, Reference, RoundingModel, references
from gradverify.strategies import Met, Traits, at_points, draw, traits_of

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

CHUNK = 20  # cases drawn at once
POINTS = 10  # points of each graph for an engine that compiles

Restricted = Callable[[str, Sequence[str], Accepts, Met | None], Any]
"""dtype, ops of a table, what an engine accepts -> a strategy within those.

The last argument is what earlier cases have met, towards the rest of which it steers.
"""

Contracting = Callable[[Case], Case]
"""A case to the case with another end."""


@dataclass(eq=False)
class Block:
    """The cases of one op or graph family in one dtype, and their references.

    strategy: what the cases are drawn from; None for written ones.
    steered: the same strategy, leaning towards what the block's cases have not met yet.
    restricted: the same family for an engine that can run few of the cases.
    first: cases that are looked at before any that are drawn.
    edges: what makes the cases of which one stands before every graph that is drawn, as
        long as there are any. A block that is not looked at makes none.
    points: at how many points every graph of the first chunk is looked at.
    again: the same for later chunks. It is larger, because drawing a graph is expensive
        and another point of it is not.
    chunk: how many cases are drawn at once. begin: how many at first.
    source: the block whose graphs this one looks at, at more points.
    count: how many of them every differentiator looks at; the first one sets it.
    """

    suite: str
    family: str
    dtype: str
    seed: int = 0
    strategy: SearchStrategy[Case] | None = None
    steered: Callable[[Met], SearchStrategy[Case]] | None = None
    restricted: Restricted | None = None
    written: tuple[Case, ...] = ()
    first: tuple[Case, ...] = ()
    edges: Callable[[], tuple[Case, ...]] = lambda: ()
    points: int = 1
    again: int = 1
    chunk: int = CHUNK
    begin: int = CHUNK
    source: Block | None = None
    count: int | None = None
    drawn: list[Case] = field(default_factory=list)
    met: Met = field(default_factory=Met)
    draws: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    _edges_met: int = 0
    _graphs: list[range] = field(default_factory=list)
    _taken: dict[int, int] = field(default_factory=dict)
    _own: dict[str, Block] = field(default_factory=dict)
    _references: dict[Any, dict[int, Reference]] = field(default_factory=dict)
    _ended: dict[Contracting, dict[int, Case]] = field(default_factory=dict)
    _traits: dict[int, Traits] = field(default_factory=dict)

    def fitting(self, differentiator: Differentiator) -> Block:
        """This block, or one of the engine's own.

        An engine that can run less than half of what is drawn from all ops gets a block
        drawn from its own table. An engine that compiles every graph gets fewer graphs
        at more points; they are the first ones of this block, if it can run them.
        """
        name = differentiator.name
        if name not in self._own:
            strategy, steered = self._strategy_for(differentiator)
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
                    steered,
                    first=self.first,
                    edges=self.edges,
                    points=points,
                    chunk=self.chunk,
                    begin=self.begin,
                    source=self if strategy is self.strategy else None,
                )
            )
        return self._own[name]

    def _strategy_for(self, differentiator: Differentiator) -> tuple[Any, Any]:
        """What the engine's cases are drawn from, and the same steered."""
        shared = self.strategy, self.steered
        if self.strategy is None or self.restricted is None:
            return shared
        start = len(self.first)
        for count in (min(self.begin, self.chunk), self.chunk):
            first = [c for _, c in itertools.islice(self.cases(), start, start + count)]
            runs = sum(unsupported(differentiator, case) is None for case in first)
            if runs == len(first):  # taken as enough, so that no more is drawn
                return shared
        rows = differentiator.table
        table = [op for op in OPS.public() if callable(rows.get(op))]
        if 2 * runs >= len(first) or not table:
            return shared
        own = partial(self.restricted, self.dtype, table, differentiator.accepts)
        try:
            return own(None), own
        except ValueError:  # nothing of the family is within what it accepts
            return shared

    def cases(self) -> Iterator[tuple[int, Case]]:
        """The cases with their positions, drawn as they are needed, from seed and op
        table.
        """
        if self.strategy is None:
            yield from enumerate(self.written)
            return
        position = 0
        while True:
            if position == len(self.drawn) and not self._draw():
                return
            yield position, self.drawn[position]
            position += 1

    def forget(self) -> None:
        """Give the memory of all cases back; they could be drawn again."""
        self.drawn.clear()
        for kept in (self._own, self._references, self._ended, self._traits):
            kept.clear()
        self._graphs.clear()
        self._taken.clear()

    def _draw(self) -> bool:
        assert self.strategy is not None
        began, before = time.perf_counter(), len(self.drawn)
        theirs = 0.0 if self.source is None else self.source.seconds["draw"]
        if not before:
            self.drawn.extend(self.first)
            if self.source is not None:
                self._taken.update((i, i) for i in range(len(self.first)))
        count = self.chunk if before else min(self.begin, self.chunk)
        if self.source is None:
            has_drawn = self._draw_fresh(self.strategy, count, before)
        else:
            has_drawn = self._take_over(self.source, count, before)
        for position in range(before, len(self.drawn)):
            self.met.add(self.traits(position, self.drawn[position]))
        if self.source is not None:  # what it drew meanwhile is in its own account
            began += self.source.seconds["draw"] - theirs
        self.seconds["draw"] += time.perf_counter() - began
        return has_drawn

    def _draw_fresh(
        self, strategy: SearchStrategy[Case], count: int, before: int
    ) -> bool:
        """Draw the next graphs; False if there are none."""
        if self.steered is not None and before:
            strategy = self.steered(self.met)
        seed = self.seed * 1_000_003 + before
        later = self.again if before and self.chunk == CHUNK else 1
        points = max(self.points, later)
        fresh = draw(strategy, max(1, count // points), seed)
        source = random.Random(seed)
        for case in fresh.cases:
            start = len(self.drawn)
            self.drawn.extend(self._next_edge())
            self._graphs.append(range(start, len(self.drawn) + 1))
            self.drawn.extend(at_points(case, points, source))
        self.draws.update(begun=fresh.begun, rejected=fresh.rejected)
        return bool(fresh.cases)

    def _take_over(self, source: Block, count: int, before: int) -> bool:
        """Take the next graphs of another block, each at more points; False if there
        are none.

        What that block has at the same places keeps its references.
        """
        numbers = random.Random(self.seed * 1_000_003 + before)
        done = len(self._graphs)
        wanted = done + max(1, count // self.points)
        while len(source._graphs) < wanted and source._draw():
            pass
        for places in source._graphs[done:wanted]:
            start = len(self.drawn)
            self._taken.update(enumerate(places, start))
            self._graphs.append(range(start, start + len(places)))
            *edges, case = (source.drawn[i] for i in places)
            self.drawn.extend((*edges, *at_points(case, self.points, numbers)))
        return len(self._graphs) > done

    def _next_edge(self) -> tuple[Case, ...]:
        """The edge that stands before the next graph; none when all have been."""
        edges, self._edges_met = self.edges(), self._edges_met + 1
        if self._edges_met > len(edges):
            return ()
        return (edges[self._edges_met - 1],)

    def traits(self, position: int, case: Case) -> Traits:
        """What the case has (pairs of ops, regimes), computed once for all
        differentiators.
        """
        if position not in self._traits:
            self._traits[position] = traits_of(case)
        return self._traits[position]

    def reference(
        self,
        position: int,
        case: Case,
        stage: Callable[[str], None] = lambda stage: None,
        model: RoundingModel = USUAL_ROUNDING,
        question: Question = GRADIENT,
    ) -> Reference:
        """The answer to a question at the case, computed once for all differentiators.

        The references of the next cases are computed with it, if they are the same
        graph at other points.

        stage: called again and again while a new reference is made, with what is done
            next.
        """
        ending = next(
            (e for e, c in self._ended.items() if c.get(position) is case), None
        )
        known = self._references.setdefault((model, question, ending), {})
        if position not in known and self.source is not None:
            theirs = self.source._references.get((model, question, ending), {})
            place = self._taken.get(position, -1)
            if place in theirs:
                known[position] = theirs[place]
        if position not in known:
            began = time.perf_counter()
            following: Iterator[Case] = itertools.islice(self.drawn, position, None)
            if ending is not None:
                places = range(position, len(self.drawn))
                following = map(partial(self.ended, ending), places, following)
            alike = itertools.takewhile(lambda c: c.graph is case.graph, following)
            found = references(
                [*alike] or [case], stage, model=model, question=question
            )
            known.update(enumerate(found, position))
            self.seconds["reference"] += time.perf_counter() - began
        return known[position]

    def ended(self, ending: Contracting, position: int, case: Case) -> Case:
        """The case with another end."""
        own = self._ended.setdefault(ending, {})
        if position not in own:
            own[position] = ending(case)
        return own[position]
