"""What a comparison costs, beside the checkers of two libraries on the same graphs.

    python -m tests.benchmarks.bench_cost [--cases 100] [--seed 0]

Drawn graphs of smooth ops at points where both checkers accept the library; every graph
goes through all of them one after another, so that a busy machine slows all of them. A
comparison is one case for one differentiator: drawing and reference are shared by the
four that a run judges. Medians in milliseconds of the time each graph took; drawing is
the mean. Imports are not counted; the first graphs warm everything up.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from gradverify.compare import compare
from gradverify.differentiators import load, modes, run
from gradverify.graph import Case
from gradverify.reference import Reference, reference
from gradverify.strategies import graphs, sample
from gradverify.verdict import Verdict

from ..planted.engines import PlantedAutograd, PlantedTorch
from .checkers import check_grads, gradcheck
from .table import print_table

NAMES = ("own-dual", "own-tape", "autograd", "torch-cpu")
SMOOTH = ("neg", "sin", "cos", "tanh", "sigmoid", "add", "sub", "mul", "power")
FAMILIES: dict[str, dict[str, Any]] = {
    "scalars, 1 to 4 ops": {"ops": SMOOTH, "max_nodes": 4, "ranks": range(1)},
    "scalars, 5 to 12 ops": {
        "ops": SMOOTH, "min_nodes": 5, "max_nodes": 12, "ranks": range(1),
    },
    "arrays, 1 to 6 ops": {
        "ops": (*SMOOTH, "sum", "matmul"), "max_nodes": 6, "ranks": range(1, 3),
    },
}  # fmt: skip
WARM = 5  # graphs that are not counted

TORCH = PlantedTorch("torch", {})
AUTOGRAD = PlantedAutograd("autograd", {})

Times = dict[str, list[float]]


def timed(times: Times, name: str, function: Callable[[], Any]) -> Any:
    """The result of a call, its milliseconds written down."""
    began = time.perf_counter()
    result = function()
    times[name].append(1e3 * (time.perf_counter() - began))
    return result


def look(case: Case, times: Times) -> bool:
    """Put one case through everything; False where a checker objects to it."""
    graph, point = case.graph, case.point
    accepted = timed(times, "gradcheck", lambda: gradcheck(TORCH, graph, point))
    fast = timed(times, "gradcheck fast",
                 lambda: gradcheck(TORCH, graph, point, fast=True))  # fmt: skip
    other = timed(times, "check_grads", lambda: check_grads(AUTOGRAD, graph, point))
    found = timed(times, "reference", lambda: reference(case))
    for name in NAMES:
        judged(case, found, name, times)
    return accepted and fast and other


def judged(case: Case, found: Reference, name: str, times: Times) -> Verdict:
    """The verdict on one differentiator, run and comparison timed apart."""
    who = load(name)
    derivatives = timed(times, f"run {name}", lambda: run(who, modes(who)[0], case))
    result = timed(times, f"compare {name}", lambda: compare(case, found, derivatives))
    return result.verdict


def measured(family: dict[str, Any], count: int, seed: int) -> tuple[Times, int]:
    """The times of the graphs that count, and how many of those drawn those were."""
    began = time.perf_counter()
    drawn = sample(graphs(**family), count + WARM, seed)
    draw = 1e3 * (time.perf_counter() - began) / len(drawn)
    times: Times = defaultdict(list)
    for position, case in enumerate(drawn):
        own: Times = defaultdict(list)
        if look(case, own) and position >= WARM:
            for name, found in own.items():
                times[name] += found
    times["draw"] = [draw]
    return times, len(times["reference"])


def main() -> None:
    """Print the parts of a comparison, then what it costs beside the others."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    parts, ratios = [], []
    for name, family in FAMILIES.items():
        times, count = measured(family, given.cases, given.seed)
        ms = {key: statistics.median(found) for key, found in times.items()}
        run_ms = [ms[f"run {who}"] for who in NAMES]
        compare_ms = statistics.mean(ms[f"compare {who}"] for who in NAMES)
        parts.append([name, count, ms["draw"], ms["reference"], *run_ms, compare_ms])
        common = ms["draw"] + ms["reference"]
        each = common / len(NAMES) + statistics.mean(run_ms) + compare_ms
        alone = common + ms["run torch-cpu"] + compare_ms
        others = [ms["gradcheck"], ms["gradcheck fast"], ms["check_grads"]]
        against = [each / other for other in others]
        ratios.append([name, each, alone, *others, *against])
    print_table(
        f"Parts of a comparison, milliseconds; seed {given.seed}",
        ["", "graphs", "draw", "reference", *(f"run {n}" for n in NAMES), "compare"],
        parts,
    )
    print_table(
        "A comparison beside one check of the same graph, milliseconds",
        ["", "one of four", "alone", "gradcheck", "fast", "check_grads",
         "/ gradcheck", "/ fast", "/ check_grads"],
        ratios,
        "alone: when PyTorch is the only one judged. The last columns: one of four "
        "over the others.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
