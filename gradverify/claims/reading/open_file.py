"""A file while it is read: its cells, and what its code says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gradverify.claims.code.journal import Journal
from gradverify.claims.sources.files import Cell


@dataclass(eq=False)
class OpenFile:
    """A file while it is read."""

    name: str
    cells: Sequence[Cell]
    code: Journal = field(default_factory=Journal)
