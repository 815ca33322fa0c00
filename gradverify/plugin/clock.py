"""How the time of a run is cut: every block gets an even part of the time that is left.

What a block leaves over goes to those after it. A block may also take more than its
part, to look at the least number of cases; that is taken from those after it.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from gradverify.verify import CHUNK


@dataclass(frozen=True)
class Profile:
    """How much a run looks at.

    seconds: the time to which it is cut.
    least, most: how many cases an item looks at, however little or much time there is.
    chunk: how many are drawn at once.
    whole: whether all blocks are looked at. If not, engines that compile, and blocks in
        a second dtype, get only as many as there is time for.
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

END = 0.07  # part of a run's time that is kept for the page


@dataclass(eq=False)
class Queue:
    """Blocks of one kind: how many there are, which have begun, and what they took.

    forgone: those for which there was no time.
    """

    expected: float = 0.0
    begun: set[Hashable] = field(default_factory=set)
    forgone: set[Hashable] = field(default_factory=set)
    seconds: float = 0.0

    @property
    def ahead(self) -> float:
        """How many are still to come."""
        return max(0.0, self.expected - len(self.begun) - len(self.forgone))

    @property
    def mean(self) -> float:
        """The seconds that one block took on average."""
        return self.seconds / max(1, len(self.begun))


@dataclass(eq=False)
class Clock:
    """The time of one process of a run; `spent` counts from the beginning of the run.

    shared: blocks that are looked at in any case.
    extra: blocks that a short run looks at only if there is time: those of an engine
        that compiles, and those in a second dtype.
    """

    seconds: float
    spent: float = 0.0
    shared: Queue = field(default_factory=Queue)
    extra: Queue = field(default_factory=Queue)
    _saved: float = 0.0

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return max(0.0, self.seconds * (1.0 - END) - self.spent)

    def part(self, queue: Queue, block: Hashable) -> float:
        """The seconds for a block: an even part of what is left."""
        queue.begun.add(block)
        return self.left / (1.0 + self.shared.ahead + self.extra.ahead)

    def affords(self, block: Hashable) -> bool:
        """Whether there is time for an extra block; asked once for each.

        The time that the shared blocks ahead will take is set aside. The rest is saved
        up for one extra block after another, so that those looked at are spread over
        the run.
        """
        queue = self.extra
        if block not in queue.begun | queue.forgone:
            spare = self.left - self.shared.ahead * self.shared.mean
            self._saved += max(0.0, spare) / max(1.0, queue.ahead)
            is_saved = self._saved > 0.0 and self._saved >= queue.mean
            (queue.begun if is_saved else queue.forgone).add(block)
        return block in queue.begun

    @contextmanager
    def running(self, queue: Queue | None = None) -> Iterator[None]:
        """Count the time within as spent on a block of that queue."""
        began = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - began
            self.spent += seconds
            if queue is not None:
                queue.seconds += seconds
            if queue is self.extra:
                self._saved = max(0.0, self._saved - seconds)
