"""How well are hand-worked derivatives read and judged in lecture notes?

    python -m tests.benchmarks.bench_claims [--each]

The notes are in tests/claims/corpus, with a table of what is true of every claim.
Found: wrong claims that are called wrong at their first wrong step; accused: right
claims that are called wrong. `--each` prints the claims one by one.
"""

from __future__ import annotations

import argparse
from itertools import zip_longest

from ..claims.notes import Known, read, truth
from .table import print_table


def row(file: str) -> tuple[object, ...]:
    """A file's name, its claims, and what became of them."""
    pairs = [
        (known, found)
        for place, claims in truth()[file].items()
        for known, found in zip_longest(claims, read(file).get(place, []))
        if known is not None
    ]
    wrong = [(k, f) for k, f in pairs if k.verdict == "wrong"]
    found = sum(
        f is not None and f.step == k.step and f.verdict == "wrong" for k, f in wrong
    )
    accused = sum(
        f is not None and k.verdict == "right" and f.verdict == "wrong"
        for k, f in pairs
    )
    understood = sum(f is not None and f.verdict != "not understood" for _, f in pairs)
    return file, len(pairs), len(wrong), found, accused, understood


def each(file: str) -> list[tuple[object, ...]]:
    """Every claim of a file beside what is true of it."""
    rows: list[tuple[object, ...]] = []
    for (cell, line), claims in truth()[file].items():
        for known, found in zip_longest(claims, read(file).get((cell, line), [])):
            place = f"{'' if cell is None else f'cell {cell}, '}line {line}"
            said = "not found" if found is None else found.verdict
            chain = "" if found is None else " = ".join(found.chain)[:60]
            rows.append((chain, place, _text(known), said))
    return rows


def _text(known: Known | None) -> str:
    if known is None:
        return "no claim"
    step = "" if known.step is None else f", step {known.step}"
    return known.verdict + step


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", action="store_true")
    options = parser.parse_args()
    rows = [row(file) for file in sorted(truth())]
    total = ("all", *(sum(r[k] for r in rows) for k in range(1, 6)))  # type: ignore[misc]
    head = ("file", "claims", "wrong", "found", "accused", "understood")
    print_table("Hand-worked derivatives in lecture notes", head, [*rows, total])
    if options.each:
        for file in sorted(truth()):
            print_table(file, ("claim", "place", "truth", "said"), each(file))


if __name__ == "__main__":
    main()
