"""Networks: planted faults found, right networks accused, deep ones made small.

    python -m tests.benchmarks.bench_networks faults [--seeds 10]
    python -m tests.benchmarks.bench_networks alarms [--cases 5000]
    python -m tests.benchmarks.bench_networks shrink [--seeds 3]

faults: rules of layers as libraries have shipped them, in PyTorch. gradverify looks
at the cases of the faulty op's own block, then of the families of networks, as a run
draws them. alarms: networks of every family, half of them in float32, by the engines
that are installed. shrink: a fault in a network of twelve layers, and how many ops are
left of it.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import islice
from typing import Any

from gradverify.differentiators import Differentiator, load, modes
from gradverify.known import shipped_rows
from gradverify.strategies import FAMILIES, networks, sample
from gradverify.suites.blocks import blocks
from gradverify.verdict import Verdict
from gradverify.verify import Block, Budget, judge, verify_item

from ..planted.layer_faults import LAYER_FAULTS, LayerFault, planted, twin
from .bench_false_alarms import accusation
from .table import print_table

NAMES = ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")
MOST = 60  # cases of each block that are looked at for a fault
TWIN_CASES = 10
DEEP = 12


@cache
def blocks_of(op: str, seed: int) -> list[Block]:
    """The op's own block, then the networks."""
    own = blocks(suites=("ops",), ops=(op,), seed=seed)
    return own + blocks(suites=("networks",), seed=seed)


def cases_until_found(fault: LayerFault, seed: int) -> int | None:
    """How many cases were looked at until the fault was seen; None: not seen."""
    who, looked = planted(fault), 0
    for block in blocks_of(fault.op, seed):
        for position, case in islice(block.cases(), MOST):
            if fault.op not in case.graph.ops:
                continue
            looked += 1
            found = block.reference(position, case)
            if judge(case, who, "reverse", found=found).verdict.fails():
                return looked
    return None


def accuses(who: Differentiator, op: str, seed: int) -> bool:
    """Whether a right engine is accused in the first cases."""
    block = blocks_of(op, seed)[0]
    return any(
        judge(case, who, "reverse", found=block.reference(k, case)).verdict.fails()
        for k, case in islice(block.cases(), TWIN_CASES)
    )


def faults(seeds: int) -> None:
    """A row for every fault."""
    table: list[list[Any]] = []
    for fault in LAYER_FAULTS:
        found = [cases_until_found(fault, k) for k in range(seeds)]
        seen = [n for n in found if n is not None]
        accused = sum(accuses(twin(fault), fault.op, k) for k in range(seeds))
        middle = statistics.median(seen) if seen else None
        row = [fault.name, fault.op, len(seen), middle, max(seen, default=None)]
        table.append([*row, accused])
    print_table(
        f"{len(LAYER_FAULTS)} faults in layers, found of {seeds} seeds",
        ["fault", "op", "found", "cases until", "at most", "twins accused"],
        table,
    )


def alarms(total: int, seed: int, names: Sequence[str]) -> None:
    """Every discrepancy as it is found, then counts by verdict for every engine."""
    rows = tuple(shipped_rows())
    counts: dict[str, Counter[Verdict]] = {name: Counter() for name in names}
    explained: Counter[str] = Counter()
    every = blocks(suites=("networks",), dtypes=("float64", "float32"), seed=seed)
    share = -(-total // len(every))
    for block in every:
        print(f"{block.family} {block.dtype}", flush=True)
        for name in names:
            who = load(name)
            if who.available():
                continue
            budget = Budget(cases=share)
            item = verify_item(block, who, modes(who)[0], budget=budget, known=rows)
            counts[name].update(item.counts)
            for finding in item.findings:
                if finding.judgement.verdict.fails():
                    explained[name] += finding.count if finding.known else 0
                    print(accusation(block, name, finding), flush=True)
    seen = [v for v in Verdict if any(c[v] for c in counts.values())]
    print_table(
        f"{share * len(every)} networks, seed {seed}: verdicts",
        ["", *(v.name for v in seen), "failing: known"],
        [[n, *(counts[n][v] for v in seen), explained[n]] for n in names],
    )


def shrink(seeds: int) -> None:
    """A fault in a network of twelve layers, and what is left of it."""
    fault = next(f for f in LAYER_FAULTS if f.name == "bias averaged")
    table = []
    for family in FAMILIES:
        strategy = networks(family=family, depth=DEEP)
        for k in range(seeds):
            deep = [c for c in sample(strategy, 60, k) if c.graph.size > DEEP + 3]
            block = Block("networks", family, "float64", k, written=tuple(deep[:5]))
            item = verify_item(block, planted(fault), "reverse")
            failing = [f for f in item.findings if f.judgement.verdict.fails()]
            sizes = [f.case.graph.size for f in failing]
            before = [c.graph.size for c in deep[:5]]
            table.append([f"{family} {k}", max(before), len(failing), max(sizes)])
    print_table(
        f"A fault in networks of up to {DEEP} layers",
        ["", "ops before", "findings", "ops after"],
        table,
    )


def main() -> None:
    """Print one of the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("faults", "alarms", "shrink"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cases", type=int, default=5000)
    parser.add_argument("--engines", nargs="*", default=list(NAMES))
    given = parser.parse_args()
    if given.what == "faults":
        faults(given.seeds)
    elif given.what == "alarms":
        alarms(given.cases, given.seed, given.engines)
    else:
        shrink(given.seeds)


if __name__ == "__main__":
    main()
