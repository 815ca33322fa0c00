"""Networks: planted faults found, deep ones made small.

    python -m tests.benchmarks.bench_networks faults [--seeds 10]
    python -m tests.benchmarks.bench_networks shrink [--seeds 3]

faults: rules of layers as libraries have shipped them, in PyTorch. gradverify looks
at the cases of the faulty op's own block, then of the families of networks, as a run
draws them. shrink: a fault in a network of twelve layers, and how many ops are left of
it. Whether right networks are accused, `bench_false_alarms --suites networks` says.
"""

from __future__ import annotations

import argparse
import statistics
from functools import cache
from itertools import islice
from typing import Any

from gradverify.differentiators import Differentiator
from gradverify.graph import Case
from gradverify.strategies import FAMILIES, networks, sample
from gradverify.suites.blocks import Asked, blocks
from gradverify.verify import Block, judge, verify_item

from ..planted.layer_faults import LAYER_FAULTS, LayerFault, planted, twin
from .table import print_table

MOST = 60  # cases of each block that are looked at for a fault
TWIN_CASES = 10
DEEP = 12
DRAWN = 60


@cache
def blocks_of(op: str, seed: int) -> list[Block]:
    """The op's own block, then the networks."""
    own = blocks(Asked(suites=("ops",), ops=(op,), seed=seed))
    return own + blocks(Asked(suites=("networks",), seed=seed))


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


def failing_deep(fault: LayerFault, seed: int) -> tuple[str, Case] | None:
    """A drawn network of about twelve layers in which the fault shows; its family."""
    who = planted(fault)
    for family in FAMILIES:
        drawn = sample(networks(family=family, depth=DEEP), DRAWN, seed)
        for case in sorted(drawn, key=lambda c: -c.graph.size):
            if case.graph.size <= DEEP:
                break
            if (
                fault.op in case.graph.ops
                and judge(case, who, "reverse").verdict.fails()
            ):
                return family, case
    return None


def shrink(seeds: int) -> None:
    """Every fault in a network of twelve layers, and what is left of it."""
    table: list[list[Any]] = []
    for fault in LAYER_FAULTS:
        for k in range(seeds):
            found = failing_deep(fault, k)
            row: list[Any] = [f"{fault.name} {k}", fault.op, "", None, None]
            if found is not None:
                family, case = found
                block = Block("networks", family, "float64", k, written=(case,))
                item = verify_item(block, planted(fault), "reverse")
                failing = [f for f in item.findings if f.judgement.verdict.fails()]
                row[2:] = (
                    family,
                    case.graph.size,
                    max(f.case.graph.size for f in failing),
                )
            table.append(row)
            print(*row, flush=True)
    print_table(
        f"Faults in networks of up to {DEEP} layers",
        ["", "op", "family", "ops before", "ops after"],
        table,
    )


def main() -> None:
    """Print one of the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("faults", "shrink"))
    parser.add_argument("--seeds", type=int, default=10)
    given = parser.parse_args()
    (faults if given.what == "faults" else shrink)(given.seeds)


if __name__ == "__main__":
    main()
