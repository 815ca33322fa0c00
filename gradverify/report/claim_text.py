"""Claims about derivatives as records, and as text for the terminal and for other
programs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from gradverify.records import Claim
from gradverify.report.commands import command

SHOWN = 200  # characters of a chain or a number
ANNOTATIONS = 10  # GitHub shows no more for one step


def place(claim: Claim) -> str:
    """`notes.md:12`, or `lecture.ipynb:cell 3:2`."""
    cell = "" if claim.cell is None else f"cell {claim.cell}:"
    return f"{claim.file}:{cell}{claim.line}"


def chain(claim: Claim) -> str:
    """The chain on one line, with ≠ in place of the first wrong equality."""
    text = claim.chain[0] if claim.chain else claim.text
    for k, member in enumerate(claim.chain[1:]):
        text += f" {'≠' if k == claim.step else '='} {member}"
    return _short(text)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def lines(claim: Claim) -> Iterator[str]:
    """A claim on a few lines: where it is, the chain, what is wrong, what would be
    right.
    """
    if claim.verdict != "wrong":
        reason = f": {claim.reason}" if claim.reason else ""
        yield f"{place(claim)}: {claim.verdict}{reason}"
        yield f"    {chain(claim)}"
        return
    yield f"{place(claim)}: wrong"
    yield f"    {chain(claim)}"
    if claim.exact:
        yield f"    claimed    {_short(claim.claimed)}"
        yield f"    exact      {_short(claim.exact)}"
    if claim.cause:
        yield f"    cause      {_short(claim.cause)}"
    if claim.corrected:
        yield f"    correct    {_short(claim.corrected)}"


def counted(claims: Sequence[Claim], files: int) -> str:
    """How many claims there are of each verdict."""
    numbers = ", ".join(
        f"{sum(c.verdict == v for c in claims)} {v}"
        for v in ("right", "wrong", "not understood")
    )
    return f"{files} file{'s' * (files != 1)}: {numbers}"


def sentence(claim: Claim) -> str:
    """A wrong claim in one line."""
    cell = "" if claim.cell is None else f"cell {claim.cell}, line {claim.line}: "
    exact = f"; exact: {claim.exact}" if claim.exact else ""
    cause = f" ({claim.cause})" if claim.cause else ""
    return _short(f"{cell}{chain(claim)}{exact}{cause}")


# ---- for other programs


def error_lines(claims: Sequence[Claim]) -> Iterator[str]:
    """Wrong claims as GitHub reads them from a log.

    In a notebook, lines count within cells.
    """
    wrong = [c for c in claims if c.verdict == "wrong"]
    for claim in wrong[:ANNOTATIONS]:
        line = {} if claim.cell is not None else {"line": claim.line}
        yield command(sentence(claim), file=claim.file, **line, title="gradverify")


def sarif(claims: Sequence[Claim], version: str) -> dict[str, object]:
    """Wrong claims as SARIF 2.1.0; GitHub keeps 5000 results, so no more are
    written.
    """
    wrong = [c for c in claims if c.verdict == "wrong"][:5000]
    rule = {
        "id": "wrong-derivative",
        "shortDescription": {"text": "A derivative worked out by hand is wrong"},
    }
    driver = {"name": "gradverify", "version": version, "rules": [rule]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(c) for c in wrong],
            }
        ],
    }


def _result(claim: Claim) -> dict[str, object]:
    uri = quote(os.fsencode(claim.file))
    location: dict[str, object] = {"artifactLocation": {"uri": uri}}
    if claim.cell is None:
        location["region"] = {"startLine": claim.line}
    return {
        "ruleId": "wrong-derivative",
        "level": "error",
        "message": {"text": sentence(claim)},
        "locations": [{"physicalLocation": location}],
    }
