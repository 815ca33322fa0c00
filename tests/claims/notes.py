"""The lecture notes under corpus/ with what is true of them, and notes of tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from gradverify.claims.judgement.claim_record import Claim
from gradverify.claims.reading.reader import read_claims

CORPUS = Path(__file__).parent / "corpus"
TRUTH = CORPUS / "truth.tsv"

Place = tuple[int | None, int]  # cell and line


@dataclass(frozen=True)
class Known:
    """What is true of a claim: its verdict, and its first wrong equality, from 0."""

    verdict: str
    step: int | None


@cache
def truth() -> Mapping[str, Mapping[Place, list[Known]]]:
    """For every file the claims by place, in the order in which they stand there."""
    found: dict[str, dict[Place, list[Known]]] = defaultdict(lambda: defaultdict(list))
    for row in TRUTH.read_text(encoding="utf-8").splitlines()[1:]:
        file, cell, line, verdict, step = row.split("\t")
        place = None if cell == "-" else int(cell), int(line)
        known = Known(verdict, None if step == "-" else int(step))
        found[file][place].append(known)
    return found


@cache
def read(file: str) -> Mapping[Place, list[Claim]]:
    """The claims that are found in a file, by place."""
    found: dict[Place, list[Claim]] = defaultdict(list)
    for claim in read_claims(CORPUS / file):
        found[claim.cell, claim.line].append(claim)
    return found


def verdicts_of(folder: Path, text: str, name: str = "notes.py") -> list[str]:
    """The verdict on each claim of a text, in its order."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return [claim.verdict.value for claim in read_claims(path)]


def counts_of(folder: Path, text: str, name: str = "notes.py") -> tuple[int, int]:
    """How many claims of a text are called right, and how many wrong."""
    found = verdicts_of(folder, text, name)
    return found.count("right"), found.count("wrong")


def verdicts_by_line(folder: Path, code: str) -> dict[str, str]:
    """What is said of each gradient in some code, by what its line assigns to."""
    path = folder / "a.py"
    path.write_text(code, encoding="utf-8")
    found = [c for c in read_claims(path) if c.verdict != "not understood"]
    return {c.text.split("=")[0].strip(" -+"): c.verdict for c in found}
