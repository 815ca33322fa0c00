"""Our tape beside autograd and PyTorch on small scalar functions.

    python -m tests.benchmarks.bench_tape [--rounds 200]

One function of two numbers, of 5, 20 and 100 operations, written with Python's
operators and each library's `sin`. Timed is one gradient: the function run forward and
back. The libraries take turns round by round, so that a busy machine slows all of
them; ratios are of the medians in one run. PyTorch has one thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gradverify.autodiff import Tape

from .table import print_table

SIZES = (5, 20, 100)
AT = (0.7, 1.3)

Gradient = Callable[[], tuple[float, float]]


def function(size: int, sin: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Five operations, over and over; every value is used twice."""

    def run(x: Any, y: Any) -> Any:
        for _ in range(size // 5):
            x = sin(x * y) + x
            y = (y - x) * 0.5
        return y

    return run


def own(size: int) -> Gradient:
    """A fresh tape for every gradient."""
    f = function(size, np.sin)

    def gradient() -> tuple[float, float]:
        tape = Tape()
        x, y = tape.variable(AT[0]), tape.variable(AT[1])
        a, b = tape.gradient(f(x, y), [x, y])
        return float(a), float(b)

    return gradient


def hips(size: int) -> Gradient:
    """`autograd.grad` by both arguments."""
    import autograd
    import autograd.numpy as anp

    both = autograd.grad(function(size, anp.sin), (0, 1))

    def gradient() -> tuple[float, float]:
        a, b = both(*AT)
        return float(a), float(b)

    return gradient


def pytorch(size: int) -> Gradient:
    """`torch.autograd.grad` on float64 scalars."""
    import torch

    torch.set_num_threads(1)
    f = function(size, torch.sin)

    def gradient() -> tuple[float, float]:
        x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in AT)
        a, b = torch.autograd.grad(f(x, y), (x, y))
        return float(a), float(b)

    return gradient


def medians(gradients: dict[str, Gradient], rounds: int) -> dict[str, float]:
    """Seconds a gradient, each library in every round."""
    times: dict[str, list[float]] = {name: [] for name in gradients}
    for _ in range(rounds):
        for name, gradient in gradients.items():
            began = time.perf_counter()
            gradient()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    """Print microseconds and ratios for every size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    rows = []
    for size in SIZES:
        gradients = {"own": own(size), "autograd": hips(size), "torch": pytorch(size)}
        values = [gradient() for gradient in gradients.values()]
        assert np.allclose(values, values[0], rtol=1e-12)
        found = medians(gradients, given.rounds)
        micro = [1e6 * found[name] for name in gradients]
        rows.append([f"{size} ops", *micro, micro[1] / micro[0], micro[2] / micro[0]])
    print_table(
        "One gradient, microseconds (medians)",
        ["", "own tape", "autograd", "torch", "autograd / own", "torch / own"],
        rows,
    )


if __name__ == "__main__":
    main()
