"""Gradients worked out by hand: each claim with its chain and its wrong step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gradverify.records import Claim, Records
from gradverify.report.shared_digits import Compared, compared
from gradverify.report.signs import SIGNS

SHOWN = 100  # claims on the page
ORDER = {"wrong": 0, "unsure": 1, "not understood": 2, "right": 3}
KINDS = {
    "wrong": "bad",
    "unsure": "unseen",
    "not understood": "unseen",
    "right": "fine",
}


@dataclass(frozen=True)
class Worked:
    """A claim: where it stands, its sign, and its chain in pieces.

    chain: each member, and whether the equality before it is the wrong one.
    """

    claim: Claim
    place: str
    kind: str
    sign: str
    chain: Sequence[tuple[str, bool]]
    digits: Compared | None


@dataclass(frozen=True)
class HandWorked:
    """The claims, wrong ones first, with counts by verdict and of those left out."""

    claims: Sequence[Worked]
    counts: Sequence[tuple[str, int]]
    rights: int
    left_out: int


def hand_worked(found: Records) -> HandWorked | None:
    """The section of hand-worked claims; None if no file has any."""
    if not found.claims:
        return None
    claims = sorted(
        found.claims,
        key=lambda c: (ORDER.get(c.verdict, -1), c.file, c.cell or 0, c.line),
    )
    counts = [(v, sum(c.verdict == v for c in claims)) for v in ORDER]
    return HandWorked(
        [_worked(claim) for claim in claims[:SHOWN]],
        [(verdict, n) for verdict, n in counts if n],
        sum(c.verdict == "right" for c in claims[:SHOWN]),
        max(0, len(claims) - SHOWN),
    )


def _worked(claim: Claim) -> Worked:
    cell = f", cell {claim.cell}" if claim.cell is not None else ""
    wrong = None if claim.step is None else claim.step + 1
    kind = KINDS.get(claim.verdict, "unseen")
    return Worked(
        claim,
        f"{claim.file}{cell}, line {claim.line}",
        kind,
        SIGNS[kind][0],
        [(member, i == wrong) for i, member in enumerate(claim.chain)],
        compared(claim.claimed, claim.exact),
    )
