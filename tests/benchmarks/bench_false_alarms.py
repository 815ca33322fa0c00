"""Are right engines accused? 20,000 drawn cases over five differentiators, in chunks.

    python -m tests.benchmarks.bench_false_alarms --seeds 0 1 2 --into chunks.jsonl
    python -m tests.benchmarks.bench_false_alarms --suites networks --into nets.jsonl
    python -m tests.benchmarks.bench_false_alarms --sum chunks.jsonl
    python -m tests.benchmarks.bench_false_alarms --modes forward --into forward.jsonl
    python -m tests.benchmarks.bench_false_alarms --kinds jvp hvp --into kinds.jsonl
    python -m tests.benchmarks.bench_false_alarms --awkward

A chunk is one seed in one dtype: half of its cases are ops alone, half are graphs of
the four families, as a run draws them; or, where suites are named, as many of each of
them. Every chunk is a line of the file, and one that is there is not run again. Every
failing verdict is printed by its smallest case, and so is every case that the reference
could not decide. What a known deviation explains is no false alarm; what is left must
be looked into by hand. With `--modes`, engines are asked in these modes, or in all,
and counted by them; without, in their default ones. With `--kinds`, each is asked in
one mode of each of these kinds, and the seed chooses which. With `--awkward`, the
points of `tests/reference/test_awkward.py`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gradverify.differentiators import Differentiator, load, modes, questions
from gradverify.graph import Case, case_name, case_to_json, formula
from gradverify.known import shipped_rows
from gradverify.reference import Slope
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import (
    CHUNK,
    Block,
    Budget,
    Finding,
    ItemResult,
    verify_item,
)

from ..reference.test_awkward import AWKWARD, DTYPES, NAMES, explained_by, judgements
from .table import print_table

Chunk = dict[str, Any]

ALL = "all"
SUITES = ("ops", "graphs")
DRAWN = (*SUITES, "networks")
KINDS = ("vjp", "jvp", "hvp", "jacobian", "hessian")


# ---- one chunk


@dataclass(frozen=True)
class Plan:
    """Which cases a chunk has, and who runs them."""

    suites: tuple[str, ...]
    engines: tuple[str, ...]
    cases: int
    modes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def asked(self, seed: int, dtype: str) -> Iterator[tuple[str, Differentiator, str]]:
        """The engines in their modes of a dtype, and what each is counted as."""
        for name in self.engines:
            who = load(name)
            if not (self.modes or self.kinds):
                yield name, who, modes(who)[0]
            rows = {m: row for m, row in who.modes().items()
                    if dtype in (row.dtypes or DTYPES)}  # fmt: skip
            named = [m for m in rows if m in self.modes or ALL in self.modes]
            for kind in self.kinds:
                members = [m for m, row in rows.items() if row.kind == kind]
                named += [members[seed % len(members)]] if members else []
            for mode in named:
                yield f"{name}:{mode}", who, mode


def chunk(seed: int, dtype: str, plan: Plan) -> Chunk:
    """The verdicts on the cases of one seed, counted, with what deviates as text."""
    began = time.process_time()
    asked = list(plan.asked(seed, dtype))
    verdicts: dict[str, Counter[str]] = {name: Counter() for name, _, _ in asked}
    known: dict[str, Counter[str]] = {name: Counter() for name, _, _ in asked}
    vacuous: Counter[str] = Counter()
    digits: Counter[str] = Counter()
    lines: list[str] = []
    for block, share in shares(seed, dtype, plan):
        for name, who, mode in asked:
            item = _item(block, who, mode, share)
            verdicts[name].update({v.name: n for v, n in item.counts.items()})
            vacuous[block.family] += item.counts.get(Verdict.VACUOUS, 0)
            for finding in item.findings:
                if finding.judgement.verdict.fails():
                    known[name][finding.known or ""] += finding.count
                    lines += [] if finding.known else [accusation(block, name, finding)]
                elif finding.judgement.verdict is Verdict.IMPRECISE:
                    digits[f"{name} {finding.op}"] += finding.count
            if item.more and item.findings[-1].judgement.verdict.fails():
                # failing kinds come first: else all that is left out is only listed
                lines.append(f"{name}: {item.more} more kinds in {block.family}")
        lines += undecided(block, asked)
    return {
        "seed": seed, "dtype": dtype, **asdict(plan), "verdicts": verdicts,
        "known": known, "vacuous": vacuous, "imprecise": digits, "lines": lines,
        "seconds": time.process_time() - began,
    }  # fmt: skip


def _item(block: Block, who: Differentiator, mode: str, share: int) -> ItemResult:
    return verify_item(
        block, who, mode, budget=Budget(cases=share), known=shipped_rows()
    )


def shares(seed: int, dtype: str, plan: Plan) -> Iterator[tuple[Block, int]]:
    """How many cases each block gets: every suite has as many.

    A block that is looked at draws a whole chunk. So a suite of many blocks gives its
    cases to some of them, and the next seed to the next ones.
    """
    found = blocks(Asked(suites=plan.suites, dtypes=(dtype,), seed=seed))
    part = plan.cases // len(plan.suites)
    for suite in plan.suites:
        members = [b for b in found if b.suite == suite]
        count = min(len(members), max(1, part // CHUNK))
        begin = seed * count % len(members)
        for k, block in enumerate((members * 2)[begin : begin + count]):
            yield block, part * (k + 1) // count - part * k // count


def accusation(block: Block, name: str, finding: Finding) -> str:
    """All that is needed to look into a discrepancy by hand."""
    return "\n".join((
        f"{name}: {finding.judgement.verdict.name} x{finding.count} in "
        f"{block.suite}::{block.family}, op {finding.op}",
        described(finding.case, finding.judgement),
    ))  # fmt: skip


def described(case: Case, j: Judgement) -> str:
    """A case by its formula, its point and its JSON, with the number that decided."""
    values = ", ".join(str(a.tolist()) for a in case.point)
    return "\n".join((
        f"  case {case_name(case)}: {formula(case.graph)} at {values}",
        f"  {j.where}: got {j.got}, exact {j.exact}, bound {j.allowed}, "
        f"error/bound {j.bound_ratio}, {j.error_ulps} ulps. {j.note}",
        f"  {json.dumps(case_to_json(case))}",
    ))  # fmt: skip


def undecided(
    block: Block, asked: Iterable[tuple[str, Differentiator, str]]
) -> list[str]:
    """The cases for which our own reference found no answer to a question."""
    own = {
        (block.fitting(who), question): None
        for _, who, mode in asked
        for question in questions(who, mode)
    }
    lines = []
    for one, question in own:
        for position, case in enumerate(one.drawn[: one.count or 0]):
            found = one.reference(position, case, question=question)
            if found.status is Slope.UNRESOLVED:
                judgement = Judgement(Verdict.UNRESOLVED, note=found.note)
                lines.append(f"UNRESOLVED in {block.family}, {question.name}\n"
                             f"{described(case, judgement)}")  # fmt: skip
    return lines


# ---- awkward points


def awkward() -> None:
    """Print the verdicts at points that are awkward but right, by engine and dtype."""
    counts: Counter[tuple[str, str, Verdict]] = Counter()
    lines = []
    for dtype in DTYPES:
        for what in AWKWARD:
            for name, judgement in judgements(what, dtype):
                counts[name, dtype, judgement.verdict] += 1
                if judgement.verdict.fails():
                    known = explained_by(what, dtype, name, judgement) or "new"
                    lines.append(f"{name}, {what}, {dtype}, {known}: {judgement}")
    seen = [v for v in Verdict if any(key[2] is v for key in counts)]
    print_table(
        f"{len(AWKWARD)} awkward points in each dtype: verdicts",
        ["", "dtype", *(v.name for v in seen)],
        [
            [name, dtype, *(counts[name, dtype, v] for v in seen)]
            for name in NAMES
            for dtype in DTYPES
        ],
    )
    print("\n" + ("\n".join(lines) or "Nobody is accused."))


# ---- all chunks


def read(path: Path) -> list[Chunk]:
    """The chunks in a file; none where there is no file."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def plan_of(found: Chunk) -> Plan:
    """The plan of a line; the usual one where an old line does not say."""
    names = (tuple(found.get(k, usual)) for k, usual in
             (("suites", SUITES), ("engines", NAMES)))  # fmt: skip
    asked = (tuple(found.get(k, ())) for k in ("modes", "kinds"))
    return Plan(*names, found["cases"], *asked)


def engines(chunks: Iterable[Chunk]) -> list[str]:
    """All that ran in any of them."""
    return [*dict.fromkeys(name for c in chunks for name in c["verdicts"])]


def added(chunks: Iterable[Chunk], *names: str) -> Counter[str]:
    """The counts that stand under these names, over all chunks."""
    total: Counter[str] = Counter()
    for found in chunks:
        counts: Mapping[str, Any] = found
        for name in names:
            counts = counts.get(name, {})
        total.update(counts)
    return total


def report(chunks: list[Chunk]) -> None:
    """Print counts by verdict in each dtype, then every discrepancy."""
    for dtype in DTYPES:
        chosen = [c for c in chunks if c["dtype"] == dtype]
        if chosen:
            _verdicts(dtype, chosen)
    print("\nexplained by a known deviation: " + _listed(
        sum((added(chunks, "known", name) for name in engines(chunks)), Counter())
    ))  # fmt: skip
    print(f"\nIMPRECISE, by op: {_listed(added(chunks, 'imprecise'))}")
    print(f"\nVACUOUS, by block: {_listed(added(chunks, 'vacuous'))}")
    lines = [f"seed {c['seed']}, {c['dtype']}\n{x}" for c in chunks for x in c["lines"]]
    print("\n" + ("\n".join(lines) or "No discrepancy."))


def _verdicts(dtype: str, chunks: list[Chunk]) -> None:
    rows = {name: added(chunks, "verdicts", name) for name in engines(chunks)}
    seen = [v for v in Verdict if any(row[v.name] for row in rows.values())]
    left = {name: added(chunks, "known", name)[""] for name in rows}
    table = [
        [name, *(row[v.name] for v in seen), left[name]] for name, row in rows.items()
    ]
    seeds = sorted(c["seed"] for c in chunks)
    seconds = sum(c["seconds"] for c in chunks)
    print_table(
        f"{sum(c['cases'] for c in chunks)} {dtype} cases, {len(seeds)} seeds from "
        f"{seeds[0]} to {seeds[-1]}, {seconds:.0f} s of processor time: verdicts",
        ["", *(v.name for v in seen), "failing, not known"],
        table,
    )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{what} x{n}" for what, n in counts.most_common() if what and n)


def main() -> None:
    """Run chunks, or print what a file of them holds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--cases", type=int, default=400, help="of one chunk")
    parser.add_argument("--suites", nargs="+", default=SUITES, choices=DRAWN)
    parser.add_argument("--engines", nargs="+", default=NAMES, choices=NAMES)
    parser.add_argument("--modes", nargs="+", default=(), help="names of modes, or all")
    parser.add_argument("--kinds", nargs="+", default=(), choices=KINDS)
    parser.add_argument("--dtypes", nargs="*", default=DTYPES, choices=DTYPES)
    parser.add_argument("--into", type=Path, help="the file that chunks are added to")
    parser.add_argument("--sum", type=Path, help="a file to print, running nothing")
    parser.add_argument("--awkward", action="store_true", help="those points, no more")
    given = parser.parse_args()
    if given.awkward:
        return awkward()
    if given.sum is not None:
        return report(read(given.sum))
    chosen = (tuple(x) for x in (given.modes, given.kinds))
    plan = Plan(tuple(given.suites), tuple(given.engines), given.cases, *chosen)
    done = read(given.into) if given.into else []
    found = {(c["seed"], c["dtype"], plan_of(c)) for c in done}
    fresh = []
    for seed in given.seeds:
        for dtype in given.dtypes:
            if (seed, dtype, plan) in found:
                continue
            fresh.append(chunk(seed, dtype, plan))
            if given.into:
                with given.into.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(fresh[-1]) + "\n")
    report(fresh)


if __name__ == "__main__":
    main()
