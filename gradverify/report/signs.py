"""A verdict's kind: the class of its colour, and a sign for readers who see no
colours.
"""

from __future__ import annotations

from gradverify.records import Discrepancy
from gradverify.verdict import Verdict

# kind: sign, what it means
SIGNS: dict[str, tuple[str, str]] = {
    "bad": ("✗", "fails"),
    "known": ("△", "a known or accepted deviation, and nothing else that is wrong"),
    "lost": ("≈", "loses digits, right otherwise"),
    "unseen": ("?", "some cases could not be decided"),
    "kink": ("∧", "a convention at a kink"),
    "fine": ("✓", "every case agrees, or has no derivative"),
    "none": ("·", "not run: the differentiator has no such op"),
}

LIVED_WITH = "accepted, or there before"
"""The title of findings that fail nothing, although their verdict is a failing one."""

KINDS = {
    "IMPRECISE": "lost",
    "UNRESOLVED": "unseen",
    "VACUOUS": "unseen",
    "KINK_COMPOSITION": "kink",
    "KINK_CONVENTION": "kink",
    "NO_DERIVATIVE": "fine",
    "AGREES": "fine",
    "UNSUPPORTED": "none",
    "": "none",
}


def kind(verdict: str) -> str:
    """The kind of a verdict by its name.

    A name that this version does not know is bad.
    """
    return KINDS.get(verdict, "bad")


def kind_of(found: Discrepancy) -> str:
    """The kind of a discrepancy. One that is known or accepted is not bad."""
    seen = kind(found.verdict)
    lived_with = found.known is not None or (found.accepted and not found.failed)
    return "known" if lived_with and seen == "bad" else seen


def is_accepted(found: Discrepancy) -> bool:
    """Whether the repository has accepted the finding."""
    return found.accepted and not found.failed and found.known is None


def is_listed(found: Discrepancy) -> bool:
    """Whether a finding passes, but is worth reading."""
    return not (found.failed or found.accepted or found.known is not None)


def fails(verdict: str) -> bool:
    """Whether an item with that verdict can fail under some policy."""
    return verdict in Verdict.__members__ and Verdict[verdict].fails("imprecise")


def word(verdict: str) -> str:
    """A verdict's name as people write it."""
    return verdict.lower().replace("_", " ")
