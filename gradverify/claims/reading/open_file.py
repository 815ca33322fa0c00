"""A file while it is read: its cells, what its code says, and verdicts about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gradverify.claims.code.journal import Journal
from gradverify.claims.judgement.members import Outcome
from gradverify.claims.judgement.verdicts import Claim, ClaimVerdict
from gradverify.claims.mending.why import Explained
from gradverify.claims.sources.files import Cell


@dataclass(eq=False)
class OpenFile:
    """A file while it is read."""

    name: str
    cells: Sequence[Cell]
    code: Journal = field(default_factory=Journal)

    def not_understood(
        self, index: int, line: int, text: str, reason: str, chain: Sequence[str] = ()
    ) -> Claim:
        """The claim that something is not understood."""
        return Claim(
            self.name,
            line,
            text,
            ClaimVerdict.NOT_UNDERSTOOD,
            self.cells[index].number,
            tuple(chain),
            reason=reason,
        )

    def finished(
        self,
        index: int,
        line: int,
        text: str,
        chain: Sequence[str],
        outcome: Outcome,
        explained: Explained,
    ) -> Claim:
        """A claim that was understood."""
        wrong = outcome.step is not None
        return Claim(
            self.name,
            line,
            text,
            ClaimVerdict.WRONG if wrong else ClaimVerdict.RIGHT,
            self.cells[index].number,
            tuple(chain),
            outcome.step,
            claimed=chain[-1] if chain else "",
            exact=explained.exact,
            cause=explained.cause if wrong else "",
            corrected=explained.corrected if wrong else "",
        )
