"""What is said of a claim."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ClaimVerdict(Enum):
    """What came of a claim."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True)
class WrittenClaim:
    """A derivative that a file claims, and what came of it.

    cell: of a notebook, from 1. line: of the file or cell, from 1. chain: the members
    between the equality signs. step: the first wrong equality, from 0. corrected: the
    chain as it should be.
    """

    file: str
    line: int
    text: str
    verdict: ClaimVerdict
    cell: int | None = None
    chain: tuple[str, ...] = ()
    step: int | None = None
    claimed: str = ""
    exact: str = ""
    cause: str = ""
    reason: str = ""
    corrected: str = ""
