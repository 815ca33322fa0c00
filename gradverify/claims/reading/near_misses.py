"""Where a file speaks of derivatives though no claim was found in it."""

from __future__ import annotations

from pathlib import Path

from gradverify.claims.claim_limits import NEAR_MISSES
from gradverify.claims.language.candidates import looks_like_a_claim
from gradverify.claims.sources.files import cells_of, text_of
from gradverify.claims.sources.fragments import fragments


def near_misses(path: Path) -> list[tuple[int, str]]:
    """The first lines that speak of derivatives, with their numbers."""
    found: list[tuple[int, str]] = []
    for index, cell in enumerate(cells_of(path, text_of(path))):
        for fragment in fragments(index, cell):
            for offset, line in enumerate(fragment.text.split("\n")):
                if looks_like_a_claim(line) and len(found) < NEAR_MISSES:
                    found.append((fragment.line + offset, line.strip()))
    return found
