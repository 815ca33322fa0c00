"""784-784-10: our tape beside PyTorch and autograd, the whole check, scalar duals.

    python -m tests.benchmarks.bench_large [--rounds 15] [--only tape|check|scalar]

Three tables. One gradient of the mean cross-entropy by all 623,290 weights, for 1 and
32 images: engines take turns round by round, so that a busy machine slows all of them.
The whole check, an engine after the other: process time of the reference, which all
share, of the run with its comparison, and the largest memory so far. And one
derivative by scalar dual numbers in Python, times 623,290. PyTorch has one thread.
"""

from __future__ import annotations

import argparse
import math
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.autodiff import Tape
from gradverify.differentiators import load
from gradverify.suites.digit_images import digits
from gradverify.suites.large_network import Network, network_block
from gradverify.verify import verify_large

from .table import print_table

SIZES = (784, 784, 10)
ENGINES = ("own-dual", "own-tape", "autograd", "torch-cpu", "jax")

Gradient = Callable[[], Sequence[Any]]
Data = tuple[list[Any], Any, Any]


def batch(count: int) -> Data:
    """The weights, the images, their labels as rows of a unit matrix."""
    images, labels = digits(count)
    return list(Network(SIZES).case.point), images, np.eye(10)[list(labels)]


def own(data: Data) -> Gradient:
    """A fresh tape for every gradient."""
    point, x, t = data

    def gradient() -> Sequence[Any]:
        tape = Tape()
        w, b, v, c = (tape.variable(a) for a in point)
        m = tape.table
        o = m["tanh"](x @ w + b) @ v + c
        rows = m["logsumexp"](o, axis=(-1,)) - m["sum"](o * t, axis=(-1,))
        return tape.gradient(m["mean"](rows, axis=None), [w, b, v, c])

    return gradient


def hips(data: Data) -> Gradient:
    """`autograd.grad` by all weights."""
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    point, x, t = data

    def loss(weights: Any) -> Any:
        w, b, v, c = weights
        o = anp.tanh(x @ w + b) @ v + c
        return anp.mean(logsumexp(o, axis=-1) - anp.sum(o * t, axis=-1))

    gradient: Any = autograd.grad(loss)
    return lambda: gradient(point)


def torch_own(data: Data) -> Gradient:
    """`torch.autograd.grad`, with its own loss."""
    import torch

    point, x, t = data
    torch.set_num_threads(1)
    weights = [torch.tensor(a, requires_grad=True) for a in point]
    images, labels = torch.tensor(x), torch.tensor(t).argmax(-1)

    def gradient() -> Sequence[Any]:
        w, b, v, c = weights
        o = torch.tanh(images @ w + b) @ v + c
        return torch.autograd.grad(
            torch.nn.functional.cross_entropy(o, labels), weights
        )

    return gradient


LIBRARIES = {"own tape": own, "torch": torch_own, "autograd": hips}


def medians(gradients: dict[str, Gradient], rounds: int) -> dict[str, float]:
    """Seconds of process time; the engines take turns."""
    times: dict[str, list[float]] = {name: [] for name in gradients}
    for _ in range(rounds):
        for name, gradient in gradients.items():
            began = time.process_time()
            gradient()
            times[name].append(time.process_time() - began)
    return {name: statistics.median(t) for name, t in times.items()}


def tape_table(rounds: int) -> None:
    """Our tape beside the libraries."""
    rows = []
    for count in (1, 32):
        data = batch(count)
        gradients = {name: make(data) for name, make in LIBRARIES.items()}
        found = [gradient() for gradient in gradients.values()]
        for other in found[1:]:
            for a, b in zip(found[0], other, strict=True):
                assert np.allclose(a, np.asarray(b), rtol=1e-9, atol=1e-15)
        spent = medians(gradients, rounds)
        ms = [1e3 * spent[name] for name in LIBRARIES]
        rows.append([f"{count} images", *ms, ms[0] / ms[1], ms[0] / ms[2]])
    head = ["", *(f"{n} ms" for n in LIBRARIES), "own/torch", "own/autograd"]
    print_table("One gradient by 623,290 weights, median", head, rows)


def check_table(activation: str) -> None:
    """The whole check, engine by engine; the first one pays for the reference."""
    block = network_block(Network(SIZES, activation))
    began = time.process_time()
    block.reference(0, block.case)
    shared = time.process_time() - began
    rows: list[list[Any]] = [["reference, once", shared, None, None, None, None]]
    for name in ENGINES:
        engine = load(name)
        if engine.available() is not None:
            continue
        (mode,) = engine.modes()
        began = time.process_time()
        item = verify_large(block, engine, mode)
        spent = time.process_time() - began
        verdict = next(iter(item.counts)).name
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append([name, spent, shared + spent, verdict, item.faults[1], peak])
    head = ["", "process s", "with reference", "verdict", "median fault", "peak MB"]
    note = f"worst fault: a relative error of {max(item.faults):.3g} of one entry"
    print_table(f"The whole check of 784-784-10, {activation}", head, rows, note)


class Scalar:
    """A dual number in Python, one derivative at a time."""

    __slots__ = ("dot", "x")

    def __init__(self, x: float, dot: float = 0.0) -> None:
        self.x, self.dot = x, dot

    def __add__(self, y: Scalar) -> Scalar:
        return Scalar(self.x + y.x, self.dot + y.dot)

    def __mul__(self, y: Scalar) -> Scalar:
        return Scalar(self.x * y.x, self.x * y.dot + self.dot * y.x)

    def tanh(self) -> Scalar:
        """Its slope is 1 - y*y."""
        y = math.tanh(self.x)
        return Scalar(y, (1.0 - y * y) * self.dot)


def layer(h: list[Scalar], w: list[list[Scalar]], b: list[Scalar]) -> list[Scalar]:
    """h @ w + b, with the columns of w."""
    result = []
    for column, total in zip(w, b, strict=True):
        for a, weight in zip(h, column, strict=True):
            total = total + a * weight
        result.append(total)
    return result


def scalar_table() -> None:
    """One ∂o_2/∂v_{5,2} by scalar duals, beside h_5; and what all would take."""
    network = Network(SIZES, loss="single", target=2)
    w, b, v, c = network.case.point
    x = [Scalar(float(a)) for a in network.case.graph.nodes[data_node(network)].value]
    lifted = [[[Scalar(a) for a in column] for column in m.T.tolist()] for m in (w, v)]
    biases = [[Scalar(a) for a in bias.tolist()] for bias in (b, c)]
    lifted[1][2][5].dot = 1.0
    began = time.process_time()
    hidden = [a.tanh() for a in layer(x, lifted[0], biases[0])]
    output = layer(hidden, lifted[1], biases[1])[2]
    spent = time.process_time() - began
    assert output.dot == hidden[5].x
    hours = spent * network.entries / 3600
    rows = [["one derivative", spent, None], ["all 623,290", None, hours]]
    print_table("Scalar dual numbers", ["", "process s", "hours"], rows)


def data_node(network: Network) -> int:
    """The leaf that holds the image."""
    nodes = network.case.graph.nodes
    return next(i for i, node in enumerate(nodes) if node.op == "data")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--activation", default="tanh")
    parser.add_argument("--only", choices=("tape", "check", "scalar"))
    options = parser.parse_args()
    if options.only in (None, "tape"):
        tape_table(options.rounds)
    if options.only in (None, "scalar"):
        scalar_table()
    if options.only in (None, "check"):
        check_table(options.activation)
