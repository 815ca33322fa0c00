"""How wide is the allowed error, and how much of it do right libraries need?

    python -m tests.benchmarks.bench_bounds [--cases 100] [--seed 0] [--ops A,B]
                                            [--widths]

For every op alone: the tight bound B over A, the size of the paths that lead to an
entry, in units of the unit roundoff (median, 90th percentile and worst over all entries
of all cases). B/A is also the smallest relative fault that a check can see. Then the
largest real error of each library over the tight bound; `--widths` asks no library.
Above 1 digits are lost (`IMPRECISE`:
still inside the loose bound); failing verdicts are counted last, without those that a
known deviation explains. Cases at kinks have no bound of this kind.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from gradverify.differentiators import load, modes
from gradverify.graph import Case
from gradverify.known import shipped_rows
from gradverify.reference import Reference
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import Block, Budget, judge, verify_item

from .table import print_table

NAMES = ("own-dual", "own-tape", "autograd", "torch-cpu")
UNIT = 2.0**-53

MEASURED = (Verdict.AGREES, Verdict.IMPRECISE)


def widths(found: Reference) -> Iterator[float]:
    """B/A of every entry that has a path and a finite bound, in units of u."""
    for bound, paths in zip(found.bounds, found.paths, strict=False):
        with np.errstate(all="ignore"):
            ratio = bound.tight / np.where(paths > 0, paths, np.nan) / UNIT
            ratio = np.asarray(ratio, float)
        yield from ratio[np.isfinite(ratio)].ravel().tolist()


def drawn(block: Block, count: int) -> list[tuple[Case, Reference]]:
    """The block's cases with their references, kinks left out."""
    found = [(case, block.reference(k, case)) for k, case in islice(block.cases(), count)]  # fmt: skip  # noqa: E501
    return [(case, ref) for case, ref in found if ref.kinked is None]


def largest(name: str, cases: list[tuple[Case, Reference]]) -> float | None:
    """The largest error over the tight bound, where the library is not wrong."""
    who = load(name)
    mode = modes(who)[0]
    judged = (judge(case, who, mode, found=ref) for case, ref in cases)
    ratios = [j.bound_ratio or 0.0 for j in judged if j.verdict in MEASURED]
    return max(ratios, default=None)


def unexplained(name: str, block: Block, count: int) -> int:
    """Failing cases of a library, less those that a known deviation explains."""
    who = load(name)
    item = verify_item(
        block, who, modes(who)[0], budget=Budget(cases=count), known=shipped_rows()
    )
    failing = sum(n for verdict, n in item.counts.items() if verdict.fails())
    known = sum(f.count for f in item.findings if f.known and f.judgement.verdict.fails())  # fmt: skip  # noqa: E501
    return failing - known


def width_of(block: Block, cases: list[tuple[Case, Reference]]) -> list[Any]:
    """One op: how wide its bounds are."""
    wide = [w for _, found in cases for w in widths(found)]
    parts = np.percentile(wide, [50, 90, 100]) if wide else (None, None, None)
    return [block.family, len(cases), *parts]


def row_of(block: Block, count: int) -> list[Any]:
    """One op: width, then what libraries need of it."""
    cases = drawn(block, count)
    needed = [largest(name, cases) for name in NAMES]
    wrong = sum(unexplained(name, block, count) for name in NAMES)
    return [*width_of(block, cases), *needed, wrong]


def main() -> None:
    """Print a row for every op."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ops", type=lambda text: tuple(text.split(",")), default=())
    parser.add_argument("--widths", action="store_true")
    given = parser.parse_args()
    suites = ("ops",) if given.ops else ("ops", "graphs")
    chosen = blocks(
        Asked(suites=suites, ops=given.ops, dtypes=("float64",), seed=given.seed)
    )
    head = ["op or family", "cases", "B/A median", "B/A 90 %", "B/A worst"]
    if given.widths:
        rows = [width_of(block, drawn(block, given.cases)) for block in chosen]
    else:
        head += [*NAMES, "failing"]
        rows = [row_of(block, given.cases) for block in chosen]
    print_table(
        f"Width of the tight bound, and the largest error over it; seed {given.seed}",
        head,
        rows,
        "B/A in units of u = 2**-53. Errors over 1 are IMPRECISE. A dash: none judged.",
    )


if __name__ == "__main__":
    main()
