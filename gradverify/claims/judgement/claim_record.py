"""What is said of a claim: the record that files are read into and pages made of."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class ClaimVerdict(StrEnum):
    """What came of a claim; WRONG alone fails.

    UNSURE: it fails under our reading, and nothing shows that the reading is the
    author's.
    """

    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"
    NOT_UNDERSTOOD = "not understood"


class Claim(msgspec.Struct, tag_field="type", tag="claim", frozen=True):
    """A derivative that a file claims, and what came of it.

    cell: of a notebook, from 1. line: of the file or cell, from 1. verdict: a
    `ClaimVerdict`, or a word of a later version. chain: the members between the
    equality signs. step: which equality is the first wrong one, from 0. reason: why a
    claim is not understood, or what an unsure one lacks. corrected: the chain as it
    should be. schema: of records.
    """

    file: str
    line: int
    text: str
    verdict: str
    cell: int | None = None
    chain: tuple[str, ...] = ()
    step: int | None = None
    claimed: str = ""
    exact: str = ""
    cause: str = ""
    reason: str = ""
    corrected: str = ""
    schema: int = 1
