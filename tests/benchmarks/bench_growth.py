"""How costs grow with the nodes of a graph, its inputs and the size of arrays.

    python -m tests.benchmarks.bench_growth [--seconds 60]

Three families of graphs: a chain of ops on one number, a sum of products of many
inputs, and an elementwise function of one array, summed. For each size the time of the
process for the gradient program, the reference, and a run and comparison of our tape.
The last column is the exponent of growth of the whole since the line above: 1 is in
proportion. A family ends early once a line took longer than the seconds given.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.compare import compare
from gradverify.differentiators import load, modes, run
from gradverify.graph import Case
from gradverify.reference import reference
from gradverify.reference.gradient_program import gradient_program

from .table import print_table


def chain(count: int) -> Case:
    """`count` ops on one number, whose value stays of size 1."""

    def function(x: Any) -> Any:
        for k in range(count):
            x = SYMBOLS.sin(x) if k % 2 else x + 0.5
        return x

    return Case(trace(function, ()), (np.array(0.7),))


def products(count: int) -> Case:
    """The sum of sines of `count` inputs, each times the one before."""

    def function(*x: Any) -> Any:
        total = SYMBOLS.sin(x[0])
        for a, b in pairwise(x):
            total = total + SYMBOLS.sin(a * b)
        return total

    point = tuple(np.array(v) for v in np.linspace(0.1, 1.1, count))
    return Case(trace(function, *[()] * count), point)


def elementwise(count: int) -> Case:
    """The sum of sin(x) * x over an array of `count` entries."""
    graph = trace(lambda x: SYMBOLS.sum(SYMBOLS.sin(x) * x), (count,))
    return Case(graph, (np.linspace(0.1, 1.1, count),))


FAMILIES: dict[str, tuple[Callable[[int], Case], tuple[int, ...]]] = {
    "nodes": (chain, (1, 10, 100, 1000)),
    "inputs": (products, (1, 10, 100, 1000)),
    "entries": (elementwise, (1, 10, 100, 1000, 10_000, 100_000)),
}


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the process, and the result."""
    began = time.process_time()
    result = function()
    return time.process_time() - began, result


def line(case: Case) -> list[float]:
    """Seconds of the gradient program, the reference, a run and a comparison."""
    who = load("own-tape")
    program, _ = timed(lambda: gradient_program(case.graph, case.dtype))
    whole, found = timed(lambda: reference(case))
    running, derivatives = timed(lambda: run(who, modes(who)[0], case))
    comparing, judgement = timed(lambda: compare(case, found, derivatives))
    assert not judgement.verdict.fails(), judgement
    return [program, whole, running, comparing]


def main() -> None:
    """Print a table for each family."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    for name, (make, sizes) in FAMILIES.items():
        line(make(2))  # warms up
        rows: list[list[Any]] = []
        before: tuple[int, float] | None = None
        for size in sizes:
            parts = line(make(size))
            total, exponent = sum(parts), None
            if before is not None:
                exponent = math.log(total / before[1]) / math.log(size / before[0])
            rows.append([f"{size:,}", *(1e3 * part for part in parts), exponent])
            before = size, total
            if total > given.seconds:
                break
        print_table(
            f"Milliseconds by {name}",
            [name, "program", "reference", "run", "compare", "exponent"],
            rows,
        )


if __name__ == "__main__":
    main()
