"""The tree of tests under the anchor: suites, and the items of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from gradverify.outside.printing import visible
from gradverify.plugin.items import SESSION, BlockItem, KnownItem, UnreadableCaseItem
from gradverify.suites.blocks import Unreadable
from gradverify.surroundings import surrounded
from gradverify.verify import Block


class _Surrounded(pytest.Collector):
    """A collector that a test module which was imported before cannot disturb.

    What is judged here depends on the tables of engines, which are imported for it.
    """

    @surrounded
    def collect(self) -> list[Any]:
        """All children at once, while our own settings hold."""
        return list(self.children())

    def children(self) -> Iterable[Any]:
        """What hangs below."""
        raise NotImplementedError


class GradverifyFile(_Surrounded, pytest.File):
    """The anchor file: a suite for each kind of block."""

    def children(self) -> Iterable[pytest.Collector]:
        """The suites that the user chose, in the order in which they run."""
        session = self.config.stash[SESSION]
        suites: dict[str, list[Block]] = {}
        for block in session.blocks:
            suites.setdefault(block.suite, []).append(block)
        for name, blocks in suites.items():
            yield BlockSuite.from_parent(self, name=name, blocks=blocks)
        if session.has_suite("known"):
            yield KnownSuite.from_parent(self, name="known")


class BlockSuite(_Surrounded):
    """A suite. The items of one block follow each other and share the block."""

    def __init__(self, *, blocks: Sequence[Block], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.blocks = blocks

    def children(self) -> Iterable[pytest.Item]:
        """One item for each block, differentiator and mode; one for a file that holds
        no case.
        """
        for block in self.blocks:
            if isinstance(block, Unreadable):
                yield UnreadableCaseItem.from_parent(
                    self, name=block.family, block=block
                )
                continue
            for differentiator, mode in self.config.stash[SESSION].judged(block):
                yield BlockItem.from_parent(
                    self,
                    name=f"{block.family}[{differentiator.name}:{mode}:{block.dtype}]",
                    block=block,
                    differentiator=differentiator,
                    mode=mode,
                )


class KnownSuite(_Surrounded):
    """The witnesses of known deviations."""

    def children(self) -> Iterable[pytest.Item]:
        """One item for each row and each mode of its differentiator, if that is
        judged.
        """
        session = self.config.stash[SESSION]
        for row in session.rows:
            dtype = row.witness.dtype
            for differentiator, mode in session.witnesses(row):
                yield KnownItem.from_parent(
                    self,
                    name=f"{visible(row.id)}[{differentiator.name}:{mode}:{dtype}]",
                    block=Block("known", row.id, dtype, written=(row.witness,)),
                    differentiator=differentiator,
                    mode=mode,
                    row=row,
                )
