"""What a reader of texts or of code hands to the judge: a claim, and what was computed.

A reader says three things: what a claim is about, what we compute for it, and why the
author may mean something else. It does not say that somebody is wrong.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from gradverify.claims.judgement.members import Outcome


@dataclass(frozen=True)
class Explained:
    """The exact derivative, the cause, and the corrected chain, as text.

    is_slip: whether the cause is a slip that turns the exact result into the claimed
    one, and no mere statement that the two differ. puts_in: whether only the values
    that are put into a formula are others than ours.
    """

    exact: str = ""
    cause: str = ""
    corrected: str = ""
    is_slip: bool = False
    puts_in: bool = False


@dataclass(frozen=True, eq=False)
class ReadClaim:
    """A claim as it was read and computed.

    cell, line, text: its place; cell is a place in the file's list of cells. chain: its
    members as text. outcome: which equality fails; None where the claim is not
    understood, and then `reason` says why. subject: what the derivative is of; claims
    of one subject are witnesses of each other. doubts: why our reading may not be the
    author's. member: whether another member of the chain comes out right.
    follows: whether it is wrong only because of an earlier line. is_far: whether what
    it is about is defined in another section, where a later reader may not look.
    rests_on: the names that it speaks of, and where each is defined. tells: whether it
    is a witness for others where it is right. valued: the names whose stated numbers
    are put in.
    """

    cell: int
    line: int
    text: str
    chain: tuple[str, ...] = ()
    outcome: Outcome | None = None
    explained: Explained = field(default_factory=Explained)
    reason: str = ""
    subject: Hashable = None
    doubts: tuple[str, ...] = ()
    member: bool = False
    follows: bool = False
    is_far: bool = False
    rests_on: frozenset[tuple[str, Hashable]] = frozenset()
    tells: bool = True
    valued: frozenset[str] = frozenset()

    @property
    def is_right(self) -> bool:
        """Whether every equality holds."""
        return self.outcome is not None and self.outcome.step is None

    @property
    def is_contradicted(self) -> bool:
        """Whether an equality fails under our reading."""
        return self.outcome is not None and self.outcome.step is not None
