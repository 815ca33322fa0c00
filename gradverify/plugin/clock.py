"""How the time of a run is cut: every block gets an even part of the time that is left.

What a block leaves over goes to those after it. If the least number of cases does not
fit, blocks look at fewer; if not even the fewest fit, some blocks are left out.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

from gradverify.verify import CHUNK


@dataclass(frozen=True)
class Profile:
    """How much a run looks at.

    seconds: the time to which it is cut.
    least: how many cases an item looks at, if that many fit into the time at all.
    most: how many it looks at, however much time there is.
    chunk: how many are drawn at once. begin: how many at first.
    ranks: of the queues of a `Clock`, in their order. A queue gets only what those of
        lower ranks leave over.
    """

    seconds: float
    least: int
    most: int
    chunk: int = CHUNK
    begin: int = CHUNK
    ranks: tuple[int, int, int] = (0, 0, 0)

    @property
    def is_ranked(self) -> bool:
        """Whether some blocks go before others."""
        return any(self.ranks)


# fmt: off
PROFILES: Mapping[str, Profile] = {
    "smoke": Profile(  20.0, least=2,     most=20, chunk=2, begin=2, ranks=(0, 1, 1)),
    "ci":    Profile( 120.0, least=CHUNK, most=2_000,       begin=2, ranks=(0, 1, 2)),
    "deep":  Profile(7200.0, least=CHUNK, most=1_000_000),
}
# fmt: on

END = 0.07  # of the time of a run is kept for the page
PAGE = 2.0  # seconds, or so many if that is more; half of the time at most
WRITTEN = 0.25  # of the time is for cases that nobody draws, such as a textbook's
WITNESSES = 0.05  # of the time is kept for those of shipped rows, which run last
LOOKING = 0.3  # of the time is for cases, however long loading took
FIRST = 5  # blocks that tell what a case costs
FEWEST = 2  # cases that an item looks at, if it looks at all


@dataclass(eq=False)
class Queue:
    """Blocks of one kind: how many there are, which have begun, what they took.

    forgone: those that there was no time for.
    prices: by block, seconds for one case in all items so far; and how many those are.
    saved: the seconds that were shared out to blocks and not spent on them.
    rank: it gets only what queues of lower ranks leave over.
    """

    rank: int = 0
    expected: float = 0.0
    begun: set[Hashable] = field(default_factory=set)
    forgone: set[Hashable] = field(default_factory=set)
    seconds: float = 0.0
    prices: dict[Hashable, tuple[float, int]] = field(default_factory=dict)
    saved: float = 0.0

    @property
    def ahead(self) -> float:
        """How many are still to come."""
        return max(0.0, self.expected - len(self.begun) - len(self.forgone))

    @property
    def mean(self) -> float:
        """The seconds that one took."""
        return self.seconds / max(1, len(self.begun))

    @property
    def by_case(self) -> float:
        """The seconds of one case in all items of a block; 0 if nothing is known.

        The median of the blocks, since the first ones pay for what they load.
        """
        return (
            median(price for price, _ in self.prices.values()) if self.prices else 0.0
        )


@dataclass(eq=False)
class Clock:
    """The time of one process of a run; `spent` counts from the beginning of the run.

    shared: blocks that all engines look at.
    compiled: those of an engine that compiles.
    extra: those that modes look at which are asked beside the usual ones, and where
        queues are ranked those in a second dtype.
    written: seconds spent in suites that draw no blocks and are cut if time is short.
    has_witnesses: whether witnesses of shipped rows come after all blocks.
    """

    seconds: float
    spent: float = 0.0
    shared: Queue = field(default_factory=Queue)
    compiled: Queue = field(default_factory=Queue)
    extra: Queue = field(default_factory=Queue)
    written: float = 0.0
    has_witnesses: bool = False

    @property
    def queues(self) -> tuple[Queue, ...]:
        """All queues, in the order of a profile's ranks."""
        return self.shared, self.compiled, self.extra

    @property
    def affords_written(self) -> bool:
        """Whether there is time for one more item of written cases."""
        return self.written < WRITTEN * self.seconds

    @property
    def page(self) -> float:
        """The seconds that are kept for the page."""
        return min(max(END * self.seconds, PAGE), self.seconds / 2)

    @property
    def is_over(self) -> bool:
        """Whether there is time for nothing but the page."""
        return self.spent > self.seconds - self.page

    @property
    def left(self) -> float:
        """The seconds that are left. Loading leaves a share, however long it took."""
        reserve = self.page + WITNESSES * self.seconds * self.has_witnesses
        looked = sum(queue.seconds for queue in self.queues)
        least = LOOKING * self.seconds - looked
        return max(0.0, self.seconds - reserve - self.spent, least)

    def part(self, queue: Queue, block: Hashable) -> float:
        """The seconds for a block: an even part of what is left."""
        queue.begun.add(block)
        return self.left / (1.0 + sum(queue.ahead for queue in self.queues))

    def spare(self, queue: Queue) -> float:
        """An even part of what is left for a queue and those of its rank.

        Queues of lower ranks keep what their blocks ahead will take.
        """
        kept = sum(q.ahead * q.mean for q in self.queues if q.rank < queue.rank)
        ahead = sum(q.ahead for q in self.queues if q.rank == queue.rank)
        return max(0.0, self.left - kept) / max(1.0, ahead)

    def least(self, queue: Queue, seconds: float, wanted: int) -> int:
        """How many cases an item looks at in any case: those wanted, if they fit."""
        if not queue.by_case:  # an engine may take seconds for a case
            return FEWEST
        return max(FEWEST, min(wanted, int(seconds / queue.by_case)))

    def affords(self, queue: Queue, block: Hashable) -> bool:
        """Whether there is time for a block; asked once for each.

        Each block has an even part of the time that is left to its queue. If that is
        too short for the fewest cases, parts are saved up for one block after another,
        so that those looked at are spread over the run. Where all blocks ahead fit at
        the pace so far, a slow one takes the part of none of them.
        """
        if block not in queue.begun | queue.forgone:
            queue.saved += self.spare(queue)
            price = queue.mean if queue.rank else FEWEST * queue.by_case
            if len(queue.prices) < FIRST and not queue.rank:
                price = 0.0
            is_saved = self.left > 0.0 and 0.0 < queue.saved >= price
            if not queue.rank and len(queue.begun) >= FIRST:
                is_saved |= self.left > queue.ahead * queue.mean
            (queue.begun if is_saved else queue.forgone).add(block)
        return block in queue.begun

    def looked(self, queue: Queue, block: Hashable, cases: int, seconds: float) -> None:
        """An item has looked at so many cases of a block, in so many seconds."""
        queue.seconds += seconds
        queue.saved = max(0.0, queue.saved - seconds)
        price, items = queue.prices.get(block, (0.0, 0))
        queue.prices[block] = price + seconds / cases, items + 1

    @contextmanager
    def running(self) -> Iterator[None]:
        """Time that counts as spent."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent += time.perf_counter() - began
