"""Planted faults found under ten seeds, beside the checkers of three libraries.

    python -m tests.benchmarks.bench_faults --into rows.jsonl [--faults 0 40]
    python -m tests.benchmarks.bench_faults --sum rows.jsonl

Every fault is planted into three engines in turn, seed by seed: our own tape's rules, a
custom rule in autograd, a `torch.autograd.Function`. gradverify looks at the cases of
the faulty op's own blocks, float64 then float32, then of the graph families, with the
budget that these blocks have in the `ci` profile; a fault counts as found when a case
has one of the verdicts that the fault may be found as. (An item of a run looks at the
same cases in the same order, then makes them small.) Its time has all drawing and
every reference, which a run shares among its differentiators.

The other checkers get the trials of `trials.py`, up to their first objection. Torch's
`gradcheck`, by default and in fast mode; autograd's and JAX's `check_grads` in reverse,
order 1, all else by default but for JAX's 64 bits. Each checks its own library directly
and the other engines as an opaque function with their gradient; PyTorch adds up an
opaque gradient that was not summed, so that `gradcheck` cannot see that one. Every
fault has a right twin, put in by the same way, which is asked under the first three
seeds: whoever objects to one raises a false alarm. A row that is in the file is not run
again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from gradverify.differentiators import Differentiator
from gradverify.graph import Array, Graph
from gradverify.ops import OPS
from gradverify.plugin.clock import PROFILES
from gradverify.suites.blocks import FAMILIES, Asked, blocks
from gradverify.verify import REPEATED, Block, judge

from ..planted.catalogue import CATALOGUE
from ..planted.engines import ENGINES
from ..planted.faults import FAULTS, Fault, planted, twin
from .checkers import check_grads, gradcheck, jax_check_grads
from .table import print_table
from .trials import trials

TWIN_CASES = 20
ALL = (*FAULTS, *CATALOGUE)

Row = dict[str, Any]
Checker = Callable[[Differentiator, Graph, Sequence[Array]], bool]

CHECKERS: dict[str, Checker] = {
    "gradcheck": gradcheck,
    "gradcheck fast": partial(gradcheck, fast=True),
    "autograd": check_grads,
    "jax": jax_check_grads,
}
OURS = "gradverify"
NAMES = (OURS, *CHECKERS)


# ---- gradverify


def own_blocks(fault: Fault, seed: int) -> list[Block]:
    """The blocks that are looked at for a fault in that op, drawn anew."""
    dtypes = ("float64", "float32")
    drawn = blocks(Asked(suites=("ops", "graphs"), dtypes=dtypes, seed=seed))
    families = [b for b in drawn if b.suite == "graphs"]
    return [b for b in drawn if b.suite == "ops" and b.family == fault.op] + families


def cases_until_found(fault: Fault, who: Differentiator, seed: int) -> int | None:
    """How many cases gradverify looked at until it saw the fault; None: not seen."""
    looked = 0
    profile = PROFILES["ci"]
    seconds = profile.seconds / 2  # of one of two dtypes
    share = seconds / (len(OPS.public()) + len(FAMILIES))
    for block in own_blocks(fault, seed):
        began = time.process_time()
        for position, case in block.cases():
            spent = time.process_time() - began
            is_enough = position >= profile.least and spent > share
            if is_enough or position == profile.most:
                break
            found = block.reference(position, case)
            looked += 1
            repeated = position % REPEATED == 0
            verdict = judge(case, who, "reverse", found=found, twice=repeated).verdict
            if verdict in fault.verdicts:
                return looked
    return None


def accuses(fault: Fault, who: Differentiator, seed: int) -> bool:
    """Whether a right engine gets a verdict of the fault's in the first cases."""
    block = next(b for b in own_blocks(fault, seed) if b.dtype == fault.dtype)
    return any(
        judge(case, who, "reverse", found=block.reference(k, case)).verdict
        in fault.verdicts
        for k, case in islice(block.cases(), TWIN_CASES)
    )


# ---- the others


def objects(checker: Checker, who: Differentiator, op: str, seed: int) -> bool:
    """Whether a checker finds anything wrong in any of the trials."""
    np.random.seed(seed)  # autograd draws its directions from NumPy's own state
    return any(not checker(who, graph, point) for graph, point in trials(op, seed))


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """What it gives, and its seconds of processor time."""
    began = time.process_time()
    return function(*arguments), time.process_time() - began


def row_of(fault: Fault, seed: int) -> Row:
    """One fault under one seed, and its twin: who objects, and when."""
    engine = list(ENGINES)[seed % len(ENGINES)]
    wrong, right = planted(fault, engine), twin(fault, engine)
    count, spent = timed(cases_until_found, fault, wrong, seed)
    found, seconds = {OURS: count is not None}, {OURS: spent}
    for name, checker in CHECKERS.items():
        found[name], seconds[name] = timed(objects, checker, wrong, fault.op, seed)
    alarms = {}
    if seed < len(ENGINES):
        alarms = {OURS: accuses(fault, right, seed)}
        for name, checker in CHECKERS.items():
            alarms[name] = objects(checker, right, fault.op, seed)
    return {
        "fault": fault.name, "engine": engine, "seed": seed, "cases": count,
        "found": found, "seconds": seconds, "alarms": alarms,
    }  # fmt: skip


# ---- the tables


def read(path: Path) -> list[Row]:
    """The rows in a file; none where there is no file."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def report(rows: list[Row]) -> None:
    """Print a line for every fault, then what a second of each checker finds."""
    lines = []
    for fault in ALL:
        own = [r for r in rows if r["fault"] == fault.name]
        seen = [r["cases"] for r in own if r["cases"] is not None]
        if own:
            until = statistics.median(seen) if seen else None
            found = (sum(r["found"][name] for r in own) for name in NAMES)
            title = f"{fault.op}: {fault.name}"
            lines.append([title, len(own), *found, until, max(seen, default=None)])
    print_table(
        f"{len(lines)} planted faults: under how many seeds each was found",
        ["fault", "of", *NAMES, "cases until", "at most"],
        lines,
        "cases until: how many gradverify looked at until it saw the fault (median, "
        "and the most).",
    )
    twins = sum(bool(row["alarms"]) for row in rows)
    print_table(
        "What is found, and what a second of processor time finds",
        ["", "found", "of", "faults always found", "never found", "seconds",
         "found a second", "ms until found", f"of {twins} right twins"],
        [_summary(rows, name) for name in NAMES],
        "seconds: of all rows. ms until found: the median where it is found. Right "
        "twins: objected to.",
    )  # fmt: skip


def _summary(rows: Sequence[Row], name: str) -> list[Any]:
    """One checker over all rows."""
    by_fault: dict[str, list[bool]] = {}
    for row in rows:
        by_fault.setdefault(row["fault"], []).append(row["found"][name])
    found = [row for row in rows if row["found"][name]]
    seconds = sum(row["seconds"][name] for row in rows)
    until = statistics.median(1e3 * row["seconds"][name] for row in found)
    alarms = sum(row["alarms"].get(name, False) for row in rows)
    return [
        name, len(found), len(rows), sum(map(all, by_fault.values())),
        sum(not any(x) for x in by_fault.values()), round(seconds, 1),
        len(found) / seconds, until, alarms,
    ]  # fmt: skip


def main() -> None:
    """Run rows, or print what a file of them holds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--faults", type=int, nargs=2, default=(0, len(ALL)))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--into", type=Path, help="the file that rows are added to")
    parser.add_argument("--sum", type=Path, help="a file to print, running nothing")
    given = parser.parse_args()
    if given.sum is not None:
        return report(read(given.sum))
    done = read(given.into) if given.into else []
    there = {(r["fault"], r["seed"]) for r in done}
    fresh = []
    for fault in ALL[slice(*given.faults)]:
        for seed in range(given.seeds):
            if (fault.name, seed) in there:
                continue
            fresh.append(row_of(fault, seed))
            if given.into:
                with given.into.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(fresh[-1]) + "\n")
    report(fresh)


if __name__ == "__main__":
    main()
