"""What a comparison costs, beside the checkers of three libraries on the same graphs.

    python -m tests.benchmarks.bench_cost [--cases 60] [--seed 0]

Drawn graphs of smooth ops at points where the checkers accept the library, each graph
at several points, as a run looks at them beyond its first cases. Every graph goes
through all of them one after another. A comparison is one case for one differentiator:
drawing and reference are shared by the four that a run judges. Times are those of the
process, in milliseconds: the median over graphs of what a point costs; drawing is the
mean. Imports are not counted; the first graphs warm everything up. JAX's `check_grads`
runs without compilation, as it does by itself.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from gradverify.compare import compare
from gradverify.differentiators import Lowered, load, modes, run
from gradverify.graph import Array, Case, Graph
from gradverify.questions import SECOND
from gradverify.reference import Reference, references
from gradverify.strategies import USUAL, at_points, graphs, sample
from gradverify.suites.blocks import AGAIN
from gradverify.verdict import Verdict

from ..planted.engines import PlantedAutograd, PlantedTorch
from .checkers import check_grads, gradcheck
from .table import print_table

NAMES = ("own-dual", "own-tape", "autograd", "torch-cpu")
SMOOTH = ("neg", "sin", "cos", "tanh", "sigmoid", "add", "sub", "mul", "power")
SCALARS = replace(USUAL, ranks=range(1))
ORDERS = 4.0  # times one of first order: what one of second order may cost
FAMILIES: dict[str, dict[str, Any]] = {
    "scalars, 1 to 4 ops": {"ops": SMOOTH, "max_nodes": 4, "within": SCALARS},
    "scalars, 5 to 12 ops": {
        "ops": SMOOTH, "min_nodes": 5, "max_nodes": 12, "within": SCALARS,
    },
    "arrays, 1 to 6 ops": {
        "ops": (*SMOOTH, "sum", "matmul"), "max_nodes": 6,
        "within": replace(USUAL, ranks=range(1, 3)),
    },
}  # fmt: skip
WARM = 5  # graphs that are not counted

TORCH = PlantedTorch("torch", {})
AUTOGRAD = PlantedAutograd("autograd", {})

Times = dict[str, list[float]]


def timed(times: Times, name: str, function: Callable[[], Any], share: int = 1) -> Any:
    """The result of a call; its milliseconds, over `share`, are written down."""
    began = time.process_time()
    result = function()
    times[name].append(1e3 * (time.process_time() - began) / share)
    return result


def look(cases: Sequence[Case], times: Times) -> bool:
    """Put a graph at its points through everything; False where a checker objects."""
    graph, point = cases[0].graph, cases[0].point
    accepted = timed(times, "gradcheck", lambda: gradcheck(TORCH, graph, point))
    fast = timed(times, "gradcheck fast",
                 lambda: gradcheck(TORCH, graph, point, fast=True))  # fmt: skip
    other = timed(times, "check_grads", lambda: check_grads(AUTOGRAD, graph, point))
    third = timed(times, "jax check_grads", lambda: jax_accepts(graph, point))
    found = timed(times, "reference", lambda: references(cases), len(cases))
    timed(times, "second order", lambda: references(cases, question=SECOND), len(cases))
    for name in NAMES:
        for case, known in zip(cases, found, strict=True):
            judged(case, known, name, times)
    return bool(accepted and fast and other and third)


def jax_accepts(graph: Graph, point: Sequence[Array]) -> bool:
    """Whether JAX's `check_grads` has nothing to object to JAX, in reverse, order 1."""
    import jax
    from jax.test_util import check_grads as check

    function = Lowered(graph, load("jax").table, "float64")
    with jax.enable_x64(True):
        try:
            check(function, tuple(map(jax.numpy.asarray, point)), 1, modes=["rev"])
        except AssertionError:
            return False
    return True


def judged(case: Case, found: Reference, name: str, times: Times) -> Verdict:
    """The verdict on one differentiator, run and comparison timed apart."""
    who = load(name)
    derivatives = timed(times, f"run {name}", lambda: run(who, modes(who)[0], case))
    result = timed(times, f"compare {name}", lambda: compare(case, found, derivatives))
    return result.verdict


def measured(family: dict[str, Any], count: int, seed: int) -> tuple[Times, int]:
    """The times of the graphs that count, and how many of those drawn those were."""
    began, source = time.process_time(), random.Random(seed)
    drawn = sample(graphs(**family), count + WARM, seed)
    groups = [at_points(case, AGAIN, source) for case in drawn]
    draw = 1e3 * (time.process_time() - began) / sum(map(len, groups))
    times: Times = defaultdict(list)
    for position, group in enumerate(groups):
        own: Times = defaultdict(list)
        if look(group, own) and position >= WARM:
            for name, found in own.items():
                times[name] += found
    times["draw"] = [draw]
    return times, len(times["reference"])


def main() -> None:
    """Print the parts of a comparison, then what it costs beside the others."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    parts, ratios, orders = [], [], []
    for name, family in FAMILIES.items():
        times, count = measured(family, given.cases, given.seed)
        ms = {key: statistics.median(found) for key, found in times.items()}
        run_ms = [ms[f"run {who}"] for who in NAMES]
        compare_ms = statistics.mean(ms[f"compare {who}"] for who in NAMES)
        parts.append([name, count, ms["draw"], ms["reference"], *run_ms, compare_ms])
        pairs = zip(times["second order"], times["reference"], strict=True)
        times_first = sorted(second / first for second, first in pairs)
        high = times_first[int(0.95 * len(times_first))]
        beyond = sum(x > ORDERS for x in times_first)
        middle = statistics.median(times_first)
        orders.append([name, count, middle, high, times_first[-1], beyond])
        common = ms["draw"] + ms["reference"]
        each = common / len(NAMES) + statistics.mean(run_ms) + compare_ms
        alone = common + ms["run torch-cpu"] + compare_ms
        others = [ms["gradcheck"], ms["gradcheck fast"], ms["check_grads"],
                  ms["jax check_grads"]]  # fmt: skip
        against = [each / other for other in others]
        ratios.append([name, each, alone, *others, *against])
    print_table(
        f"Parts of a comparison, milliseconds a point; seed {given.seed}",
        ["", "graphs", "draw", "reference", *(f"run {n}" for n in NAMES), "compare"],
        parts,
        f"Every graph at {AGAIN} points.",
    )
    print_table(
        "A comparison beside one check of the same graph, milliseconds",
        ["", "one of four", "alone", "gradcheck", "fast", "check_grads", "jax's",
         "/ gradcheck", "/ fast", "/ check_grads", "/ jax's"],
        ratios,
        "alone: when PyTorch is the only one judged. The last columns: one of four "
        "over the others.",
    )  # fmt: skip
    print_table(
        "A reference of second order, in those of first order on the same graph",
        ["", "graphs", "median", "95 %", "most", f"above {ORDERS:g}"],
        orders,
    )


if __name__ == "__main__":
    main()
