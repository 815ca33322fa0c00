"""The judge: an accusation needs corroboration.

Our reading of a text may be wrong, and then the text is not. So a claim that fails
under our reading is called wrong only where something shows that the reading is the
author's: a witness. Else it is unsure, and what is missing is said.

A witness is one of these:

* a slip: a mistake that people make, and that turns the exact result into the claimed
  one. `f'(x) = x` for f(x) = x² is the exact 2x with its factor 2 dropped.
* another member of the same chain that comes out right.
* another claim about the same function, under the same reading, that comes out right:
  where ∂f/∂x = y is right, the f of ∂f/∂z = 5 is the one that we read. Both must rest
  on the same definitions, and the right one must tell something of them: many functions
  have a derivative that is 0 or 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gradverify.claims.judgement.claim_record import Claim, ClaimVerdict
from gradverify.claims.judgement.read_claim import ReadClaim

NO_WITNESS = (
    "nothing shows that our reading is the author's: no other claim about it comes out "
    "right, and no usual slip leads from the exact result to this one"
)
FAR = (
    "what it is about is defined in another section, and nothing near shows that the "
    "same is meant"
)
NEAR = 12  # lines from a claim to one that shows that the same function is meant
SAME = "both sides are the same, so that there is nothing to check"


def judged(
    file: str, numbers: Sequence[int | None], findings: Sequence[ReadClaim]
) -> list[Claim]:
    """The record of each finding, with its verdict.

    numbers: of the cells of a notebook; None for other files.
    """
    return [_claim(file, numbers[f.cell], f, *_verdict(f, findings)) for f in findings]


def _witnesses(f: ReadClaim, findings: Sequence[ReadClaim]) -> tuple[int, int]:
    """How many claims of the same subject come out right, and how many do not.

    Of a definition that stands far away only those count that are near the claim.
    """
    if f.subject is None:
        return 0, 0
    same = [
        o
        for o in findings
        if o.subject == f.subject
        and _agree(o, f)
        and (not f.is_far or (o.cell == f.cell and abs(o.line - f.line) <= NEAR))
    ]
    rights = sum(o.is_right and o.tells for o in same)
    return rights, sum(o.is_contradicted and not o.follows for o in same)


def _has_values(f: ReadClaim, findings: Sequence[ReadClaim]) -> bool:
    """Whether a right claim beside it puts the same values in.

    Beside `∂L/∂w = 2wx = 12` with w = 3 and x = 2 the claim `∂L/∂x = w² = 10` is about
    these values, wherever they are given.
    """
    wanted = _letters(f)
    return bool(wanted) and any(
        o.is_right
        and o.subject == f.subject
        and o.cell == f.cell
        and abs(o.line - f.line) <= NEAR
        and len(o.chain) > 2
        and NUMBER.fullmatch(o.chain[-1]) is not None
        and wanted <= _letters(o)
        for o in findings
    )


def _is_at_the_values(f: ReadClaim, findings: Sequence[ReadClaim]) -> bool:
    """Whether a right claim beside it is at the values of the same names."""
    return any(
        o.is_right
        and o.subject == f.subject
        and o.cell == f.cell
        and abs(o.line - f.line) <= NEAR
        and f.valued <= o.valued
        for o in findings
    )


def _letters(f: ReadClaim) -> set[str]:
    """The names in the formulas of a chain, its first member aside."""
    return {name for formula in f.chain[1:] for name in NAME.findall(formula)}


NAME = re.compile(r"[^\W\d]\w*")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def _agree(one: ReadClaim, other: ReadClaim) -> bool:
    """Whether two claims mean the same by the names that both speak of."""
    known = dict(one.rests_on)
    return all(known.get(name, place) == place for name, place in other.rests_on)


def _is_vacuous(finding: ReadClaim) -> bool:
    return finding.outcome is not None and finding.outcome.is_vacuous


def _verdict(f: ReadClaim, findings: Sequence[ReadClaim]) -> tuple[ClaimVerdict, str]:
    """The verdict, and where it is unsure or not understood, why."""
    if f.outcome is None:
        return ClaimVerdict.NOT_UNDERSTOOD, f.reason
    if f.is_right:
        if _is_vacuous(f):
            return ClaimVerdict.NOT_UNDERSTOOD, SAME
        return ClaimVerdict.RIGHT, ""
    if f.doubts:
        return ClaimVerdict.UNSURE, f.doubts[0]
    if f.follows:  # the earlier line is what is to be mended
        return ClaimVerdict.UNSURE, f.explained.cause
    rights, wrongs = _witnesses(f, findings)
    is_apart = f.explained.puts_in and not _has_values(f, findings)
    is_apart |= bool(f.valued) and not _is_at_the_values(f, findings)
    if f.is_far and (not rights or is_apart):
        return ClaimVerdict.UNSURE, FAR  # what is put in may be given near the claim
    seen = 0 < rights >= wrongs
    if f.member or f.explained.is_slip or seen:
        return ClaimVerdict.WRONG, ""
    return ClaimVerdict.UNSURE, NO_WITNESS


def _claim(
    file: str, cell: int | None, f: ReadClaim, verdict: ClaimVerdict, reason: str
) -> Claim:
    """The record of a finding."""
    contradicted = f.is_contradicted
    corrected = f.explained.corrected if verdict is ClaimVerdict.WRONG else ""
    return Claim(
        file,
        f.line,
        f.text,
        verdict,
        cell,
        f.chain,
        f.outcome.step if f.outcome is not None and contradicted else None,
        claimed=f.chain[-1] if f.chain and f.outcome is not None else "",
        exact=f.explained.exact,
        cause=f.explained.cause if contradicted else "",
        reason=reason,
        corrected=corrected,
    )
