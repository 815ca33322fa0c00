"""Which modes of an engine a run asks, and about which blocks.

A run is short, and an engine has up to twenty modes. By default a smoke run asks the
default mode alone. A ci run asks that one everywhere, and in the first dtype one
forward mode and one mode of second derivatives; every other mode is asked about a part
of the blocks, and the next seed takes the next part. A deep run asks all of them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from gradverify.differentiators import Differentiator, modes
from gradverify.differentiators.protocol import Mode
from gradverify.outside.nearest import meant
from gradverify.questions import ORDERS, order_of
from gradverify.records import Note
from gradverify.verify import Block, LargeBlock

ALL = "all"
PARTS = 8  # into which a ci run cuts the blocks for the modes that take turns
GRADIENTS = ("gradient", "vjp", "jvp")  # kinds of which a gradient can be had
ALSO = ("jvp", "hvp")  # kinds of which a ci run asks the first mode everywhere


@dataclass(frozen=True)
class ChosenModes:
    """The choice of a run.

    named: by the user; `all` stands for every mode. first: the first dtype of the run.
    order: the highest one of derivatives that is asked for.
    """

    named: tuple[str, ...]
    profile: str
    seed: int
    first: str
    order: int = ORDERS[-1]

    def everywhere(self, who: Differentiator, dtype: str) -> tuple[str, ...]:
        """The modes that are asked about every block in a dtype."""
        found = self._modes(who)
        if ALL in self.named or (not self.named and self.profile == "deep"):
            return tuple(found)
        if self.named:
            return tuple(mode for mode in found if mode in self.named)
        chosen = {mode for mode in modes(who) if mode in found}
        if self.profile == "ci" and dtype == self.first:
            kinds = {found[mode].kind for mode in chosen}
            for kind in ALSO:
                own = (name for name, mode in found.items() if mode.kind == kind)
                first = next(own, None)
                if first is not None and kind not in kinds:
                    chosen.add(first)
        return tuple(mode for mode in found if mode in chosen)

    def is_usual(self, who: Differentiator, dtype: str, mode: str) -> bool:
        """Whether a mode was named, or is one of those that a run is first about."""
        if self.profile == "deep" and not self.named:
            return mode in modes(who)
        return mode in self.everywhere(who, dtype)

    def of(self, who: Differentiator, block: Block) -> tuple[str, ...]:
        """The modes that are asked about a block; of a large one for its gradient."""
        chosen = {*self.everywhere(who, block.dtype)}
        if isinstance(block, LargeBlock):
            own = chosen if self.named else {*modes(who)}
            return tuple(m for m, row in who.modes().items()
                         if m in own and row.kind in GRADIENTS)  # fmt: skip
        if self._takes_turns and block.strategy is not None:
            chosen |= {m for m in self._modes(who) if self._has_turn(block, m)}
        return tuple(mode for mode in who.modes() if mode in chosen)

    def _modes(self, who: Differentiator) -> dict[str, Mode]:
        """Those of an order that is asked for."""
        return {
            name: mode
            for name, mode in who.modes().items()
            if order_of(mode.kind) <= self.order
        }

    @property
    def _takes_turns(self) -> bool:
        return not self.named and self.profile == "ci"

    def _has_turn(self, block: Block, mode: str) -> bool:
        text = f"{block.suite}::{block.family}[{mode}:{block.dtype}]"
        return zlib.crc32(text.encode()) % PARTS == self.seed % PARTS

    def left(self, judged: Iterable[Differentiator]) -> Iterator[Note]:
        """What the next seeds will look at, a sentence for all engines."""
        waiting = {
            who.name: [
                m for m in self._modes(who) if m not in self.everywhere(who, self.first)
            ]
            for who in judged
        }
        texts = [
            f"{who}: {', '.join(names)}" for who, names in waiting.items() if names
        ]
        if self._takes_turns and texts:
            yield Note(
                text=f"one block in {PARTS} was asked in each of these modes, others "
                f"with the next --gradverify-seed, all with --gradverify-modes all: "
                f"{'; '.join(texts)}"
            )


def checked_modes(
    named: Sequence[str], judged: Iterable[Differentiator], order: int = ORDERS[-1]
) -> None:
    """Raise `pytest.UsageError` for a mode that no engine of the run has, or that is of
    a higher order than is asked for.
    """
    known: dict[str, int] = {}
    for who in judged:
        for name, mode in who.modes().items():
            known[name] = min(order_of(mode.kind), known.get(name, ORDERS[-1]))
    for word in named:
        if word != ALL and word not in known:
            raise pytest.UsageError(
                f"--gradverify-modes: {word!r} is unknown; {meant(word, (ALL, *known))}"
            )
        if known.get(word, order) > order:
            raise pytest.UsageError(
                f"--gradverify-modes: {word!r} asks for derivatives of order "
                f"{known[word]}, and --gradverify-order {order} leaves these out"
            )
