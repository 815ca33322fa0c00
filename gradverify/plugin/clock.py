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
    chunk: how many are drawn at once.
    whole: whether all blocks are alike. If not, engines that compile, and blocks in a
        second dtype, get only what the others leave over.
    """

    seconds: float
    least: int
    most: int
    chunk: int = CHUNK
    whole: bool = True


# fmt: off
PROFILES: Mapping[str, Profile] = {
    "smoke": Profile(  20.0, least=2,     most=20, chunk=2, whole=False),
    "ci":    Profile( 120.0, least=CHUNK, most=2_000),
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
    """

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
    extra: those of an engine that compiles, and in a short run those in a second dtype.
    written: seconds spent in suites that draw no blocks and are cut if time is short.
    has_witnesses: whether witnesses of shipped rows come after all blocks.
    """

    seconds: float
    spent: float = 0.0
    shared: Queue = field(default_factory=Queue)
    extra: Queue = field(default_factory=Queue)
    written: float = 0.0

    @property
    def affords_written(self) -> bool:
        """Whether there is time for one more item of written cases."""
        return self.written < WRITTEN * self.seconds

    has_witnesses: bool = False

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
        looked = self.shared.seconds + self.extra.seconds
        least = LOOKING * self.seconds - looked
        return max(0.0, self.seconds - reserve - self.spent, least)

    @property
    def even(self) -> float:
        """An even part of what is left, for a block that is next."""
        return self.left / (1.0 + self.shared.ahead + self.extra.ahead)

    def part(self, queue: Queue, block: Hashable) -> float:
        """The seconds for a block: an even part of what is left."""
        queue.begun.add(block)
        return self.even

    def least(self, queue: Queue, seconds: float, wanted: int) -> int:
        """How many cases an item looks at in any case: those wanted, if they fit."""
        if not queue.by_case:  # an engine may take seconds for a case
            return FEWEST
        return max(FEWEST, min(wanted, int(seconds / queue.by_case)))

    def affords(self, queue: Queue, block: Hashable, last: bool = False) -> bool:
        """Whether there is time for a block; asked once for each.

        Each block has an even part of the time that is left. If that is too short for
        the fewest cases, parts are saved up for one block after another, so that those
        looked at are spread over the run.

        last: whether the block gets only what the shared blocks ahead of it leave over.
        """
        if block not in queue.begun | queue.forgone:
            if last:
                spare = self.left - self.shared.ahead * self.shared.mean
                queue.saved += max(0.0, spare) / max(1.0, queue.ahead)
                price = queue.mean
            else:
                queue.saved += self.even
                price = FEWEST * queue.by_case
            if not last and len(queue.prices) < FIRST:
                price = 0.0
            is_saved = self.left > 0.0 and 0.0 < queue.saved >= price
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
