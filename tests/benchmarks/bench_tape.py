"""Our tape beside autograd, JAX and PyTorch on small functions of scalars and arrays.

    python -m tests.benchmarks.bench_tape [--rounds 200]

One function of two numbers, of 5, 20 and 100 operations, written with Python's
operators and each library's `sin`; and the same, summed, of two arrays. Timed is one
gradient: the function run forward and back. The libraries take turns round by round,
so that a busy machine slows all of them; ratios are of the medians in one run, by the
time of the process. PyTorch has one thread. JAX has compiled before: how long that
took stands in a column of its own; it computes in float64 as the others do.
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
ARRAYS = (100, 10_000)
ARRAY_OPS = 20

Point = tuple[Any, Any]
Gradient = Callable[[], tuple[Any, Any]]


def function(size: int, sin: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Five operations, over and over; every value is used twice. Arrays are summed."""

    def run(x: Any, y: Any) -> Any:
        for _ in range(size // 5):
            x = sin(x * y) + x
            y = (y - x) * 0.5
        return y.sum() if np.shape(y) else y

    return run


def own(size: int, point: Point) -> Gradient:
    """A fresh tape for every gradient."""
    f = function(size, np.sin)

    def gradient() -> tuple[Any, Any]:
        tape = Tape()
        x, y = (tape.variable(v) for v in point)
        a, b = tape.gradient(f(x, y), [x, y])
        return a, b

    return gradient


def hips(size: int, point: Point) -> Gradient:
    """`autograd.grad` by both arguments."""
    import autograd
    import autograd.numpy as anp

    both = autograd.grad(function(size, anp.sin), (0, 1))
    return lambda: both(*point)


def pytorch(size: int, point: Point) -> Gradient:
    """`torch.autograd.grad` on float64."""
    import torch

    torch.set_num_threads(1)
    f = function(size, torch.sin)

    def gradient() -> tuple[Any, Any]:
        x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in point)
        a, b = torch.autograd.grad(f(x, y), (x, y))
        return a.numpy(), b.numpy()

    return gradient


def compiled(size: int, point: Point) -> Gradient:
    """`jax.jit` of `jax.grad` by both arguments, the result waited for."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    both = jax.jit(jax.grad(function(size, jnp.sin), (0, 1)))
    return lambda: jax.block_until_ready(both(*point))


def medians(gradients: dict[str, Gradient], rounds: int) -> dict[str, float]:
    """Seconds a gradient, each library in every round."""
    times: dict[str, list[float]] = {name: [] for name in gradients}
    for _ in range(rounds):
        for name, gradient in gradients.items():
            began = time.process_time()
            gradient()
            times[name].append(time.process_time() - began)
    return {name: statistics.median(found) for name, found in times.items()}


def row(name: str, size: int, point: Point, rounds: int) -> list[Any]:
    """Microseconds of each library, what JAX took to compile, and the ratios."""
    makers = {"own": own, "autograd": hips, "jax": compiled, "torch": pytorch}
    gradients = {who: maker(size, point) for who, maker in makers.items()}
    began = time.process_time()
    values = [gradients["jax"]()]
    compiling = time.process_time() - began
    values += [gradient() for gradient in gradients.values()]
    for value in values:
        for one, other in zip(value, values[0], strict=True):
            assert np.allclose(one, other, rtol=1e-9)
    found = medians(gradients, rounds)
    ratios = [found[who] / found["own"] for who in ("autograd", "jax", "torch")]
    return [name, *(1e6 * found[who] for who in gradients), 1e3 * compiling, *ratios]


def main() -> None:
    """Print microseconds and ratios for every size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    rows = [row(f"{n} ops", n, AT, given.rounds) for n in SIZES]
    for n in ARRAYS:
        x = np.linspace(0.1, 1.0, n)
        name = f"{ARRAY_OPS} ops on {n:,} entries"
        rows.append(row(name, ARRAY_OPS, (x, x[::-1].copy()), given.rounds))
    print_table(
        "One gradient, microseconds (medians)",
        ["", "own tape", "autograd", "jax, jit", "torch", "jit compiles, ms",
         "autograd / own", "jax / own", "torch / own"],
        rows,
    )  # fmt: skip


if __name__ == "__main__":
    main()
