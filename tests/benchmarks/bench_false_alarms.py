"""Are released libraries accused? 2,000 drawn cases over five differentiators.

    python -m tests.benchmarks.bench_false_alarms [--cases 2000] [--seed 0]

Half of the cases are ops alone, half are graphs of the four families, as a run draws
them; jax gets as many, at ten points a graph. Every failing verdict is printed by its
smallest case. What a known deviation explains is no false alarm; what is left must be
looked into by hand.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator

from gradverify.differentiators import load, modes
from gradverify.graph import case_name, formula
from gradverify.known import shipped_rows
from gradverify.suites.blocks import blocks
from gradverify.verdict import Verdict
from gradverify.verify import Block, Budget, Finding, verify_item

from .table import print_table

NAMES = ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")


def shares(found: list[Block], total: int) -> Iterator[tuple[Block, int]]:
    """How many cases each block gets: half of all for the ops, half for the graphs."""
    for suite in ("ops", "graphs"):
        members = [b for b in found if b.suite == suite]
        for k, block in enumerate(members):
            half = total // 2
            yield block, half * (k + 1) // len(members) - half * k // len(members)


def describe(block: Block, name: str, finding: Finding) -> str:
    """All that is needed to look into a discrepancy by hand."""
    j, case = finding.judgement, finding.case
    point = ", ".join(str([x.hex() for x in a.ravel().tolist()]) for a in case.point)
    values = ", ".join(str(a.tolist()) for a in case.point)
    return "\n".join((
        f"{name}: {j.verdict.name} x{finding.count} in {block.suite}::{block.family}, "
        f"op {finding.op}, known as {finding.known}",
        f"  case {case_name(case)}: {formula(case.graph)}",
        f"  at {values} = {point}",
        f"  {j.where}: got {j.got}, exact {j.exact}, bound {j.allowed}, "
        f"error/bound {j.bound_ratio}, {j.error_ulps} ulps. {j.note}",
    ))  # fmt: skip


def main() -> None:
    """Print counts by verdict, then every discrepancy."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dtype", default="float64")
    given = parser.parse_args()
    counts: dict[str, Counter[Verdict]] = {name: Counter() for name in NAMES}
    explained: Counter[str] = Counter()
    digits: Counter[str] = Counter()
    lines = []
    rows = tuple(shipped_rows())
    chosen = blocks(suites=("ops", "graphs"), dtypes=(given.dtype,), seed=given.seed)
    for block, share in shares(chosen, given.cases):
        for name in NAMES:
            who = load(name)
            item = verify_item(
                block, who, modes(who)[0], budget=Budget(cases=share), known=rows
            )
            counts[name].update(item.counts)
            for finding in item.findings:
                if finding.judgement.verdict.fails():
                    explained[name] += finding.count if finding.known else 0
                    lines.append(describe(block, name, finding))
                elif finding.judgement.verdict is Verdict.IMPRECISE:
                    digits[f"{name} {finding.op}"] += finding.count
            if item.more:
                lines.append(f"{name}: {item.more} more kinds in {block.family}")

    def left(name: str) -> int:
        return sum(n for v, n in counts[name].items() if v.fails()) - explained[name]

    seen = [v for v in Verdict if any(c[v] for c in counts.values())]
    table = [
        [name, *(counts[name][v] for v in seen), explained[name], left(name)]
        for name in NAMES
    ]
    cases = sum(share for _, share in shares(chosen, given.cases))
    print_table(
        f"{cases} {given.dtype} cases, seed {given.seed}: verdicts",
        ["", *(v.name for v in seen), "failing: known", "left"],
        table,
    )
    lost = ", ".join(f"{who} x{n}" for who, n in digits.most_common())
    print(f"\nIMPRECISE, by op: {lost}")
    print("\n" + ("\n".join(lines) or "No discrepancy."))


if __name__ == "__main__":
    main()
