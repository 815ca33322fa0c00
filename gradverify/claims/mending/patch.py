"""Corrected chains put into the text of a file, as a unified diff; nothing is written.

A correction stays in the diff only where the file, read again with it, claims something
right in that place.
"""

from __future__ import annotations

import difflib
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from gradverify.claims.judgement.claim_record import Claim, ClaimVerdict

RELATION = re.compile(r"(?<![<>!=:])(?:=|≈|\\approx|\\simeq)(?!=)")
BREAKS = re.compile(
    r"\$\$?|`|\\q?quad|;|,(?=\s)|\.(?=\s|$)|\||\\\\|\\[\]\)]|\b(?:und|and|et)\b"
)
END = re.compile(r"(?:\s|\\(?:nonumber|hspace\{[^}]*\}))*$")

Read = Callable[[str], Sequence[Claim]]


def patch(
    name: str, text: str, claims: Sequence[Claim], read: Read
) -> tuple[str, list[Claim]]:
    """The diff that puts wrong chains right, and the claims that it has no place for.

    read: from a text of that file to its claims.
    """
    wrong = [c for c in claims if c.verdict == ClaimVerdict.WRONG]
    lines, placed = text.split("\n"), list[Claim]()
    for claim in wrong:
        edited = _edited(lines, claim)
        if edited is not None and _is_right(read("\n".join(edited)), claim, claims):
            lines = edited
            claims = read("\n".join(lines))
            placed.append(claim)
    old = text.split("\n")
    diff = difflib.unified_diff(old, lines, f"a/{name}", f"b/{name}", lineterm="", n=1)
    return "\n".join(diff), [c for c in wrong if c not in placed]


def _is_right(after: Sequence[Claim], claim: Claim, before: Sequence[Claim]) -> bool:
    """Whether a wrong claim became a right one, and every other one is as it was."""

    def places(found: Sequence[Claim], verdict: ClaimVerdict) -> Counter[Any]:
        return Counter((c.cell, c.line) for c in found if c.verdict == verdict)

    here = Counter({(claim.cell, claim.line): 1})
    wrong = places(after, ClaimVerdict.WRONG), places(before, ClaimVerdict.WRONG)
    right = places(after, ClaimVerdict.RIGHT), places(before, ClaimVerdict.RIGHT)
    return wrong[0] == wrong[1] - here and right[0] >= right[1] + here


def _edited(lines: Sequence[str], claim: Claim) -> list[str] | None:
    """The lines with one chain put right; None where it has no place in them."""
    if not claim.corrected:
        return None
    found = _in_notebook(lines, claim) if claim.cell else _in_text(lines, claim)
    if found is None:
        return None
    at, line = found
    new = replaced(line, claim)
    if new is None:
        return None
    raw = lines[at]
    if claim.cell:
        new = raw.replace(_encoded(line), _encoded(new), 1)
    return [*lines[:at], new, *lines[at + 1 :]]


def _in_text(lines: Sequence[str], claim: Claim) -> tuple[int, str] | None:
    at = claim.line - 1
    return (at, lines[at]) if 0 <= at < len(lines) else None


def _in_notebook(lines: Sequence[str], claim: Claim) -> tuple[int, str] | None:
    """The line of the JSON text that holds that line of that cell."""
    try:
        book = json.loads("\n".join(lines))
        sources = ["".join(cell.get("source", "")) for cell in book["cells"]]
        cell = sources[(claim.cell or 1) - 1].split("\n")
        line = cell[claim.line - 1]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
    before = sources[: (claim.cell or 1) - 1]
    earlier = sum(text.split("\n").count(line) for text in before)
    earlier += cell[: claim.line - 1].count(line)
    form = re.compile(rf'\s*"{re.escape(_encoded(line))}(?:\\n)?",?\s*')
    found = [i for i, raw in enumerate(lines) if form.fullmatch(raw)]
    return (found[earlier], line) if earlier < len(found) else None


def _encoded(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def replaced(line: str, claim: Claim) -> str | None:
    """The line with the chain put right; None where the chain is not found in it."""
    count, step = len(claim.chain) - 1, claim.step or 0
    fitting = []
    for start, end in _pieces(line):
        found = list(RELATION.finditer(line, start, end))
        if len(found) == count and _ends_as_claimed(line[start:end], claim):
            fitting.append((start, end, found))
    for narrower in (_is_its_end, _is_its_head):
        if len(fitting) > 1:
            fitting = [f for f in fitting if narrower(line, f, claim)]
    if len(fitting) != 1:
        return None
    start, end, found = fitting[0]
    rest = " = ".join(claim.corrected.split(" = ")[step + 1 :])
    if "{,}" in line:
        rest = re.sub(r"(?<=\d)\.(?=\d)", "{,}", rest)
    tail = END.search(line, found[-1].end(), end)
    assert tail is not None
    return f"{line[: found[step].end()]} {rest}{line[tail.start() :]}"


Piece = tuple[int, int, list[re.Match[str]]]  # of a line, with its equality signs


def _is_its_end(line: str, piece: Piece, claim: Claim) -> bool:
    """Whether a piece ends in what is claimed, letter by letter."""
    _, end, found = piece
    return _letters(line[found[-1].end() : end]) == _letters(claim.claimed)


def _is_its_head(line: str, piece: Piece, claim: Claim) -> bool:
    """Whether a piece begins as the chain does."""
    start, _, found = piece
    head = _letters(line[start : found[0].start()])
    return head.endswith(_letters(claim.chain[0]))


def _letters(text: str) -> str:
    return re.sub(r"[^\w']", "", text.replace("{,}", "."))


def _pieces(line: str) -> list[tuple[int, int]]:
    """What stands between separators that are in no brackets."""
    cuts = [0]
    for match in BREAKS.finditer(line):
        before = re.sub(r"\\[\[\]()]", "", line[cuts[-1] : match.start()])
        if before.count("[") + before.count("(") <= before.count("]") + before.count(
            ")"
        ):
            cuts += match.span()
    cuts.append(len(line))
    return [(a, b) for a, b in itertools.pairwise(cuts) if a < b]


def _ends_as_claimed(piece: str, claim: Claim) -> bool:
    last = RELATION.split(piece)[-1].replace("{,}", ".")
    wanted = re.sub(r"\W", "", claim.claimed)
    return wanted == re.sub(r"\W", "", last) or not wanted.isdigit()
