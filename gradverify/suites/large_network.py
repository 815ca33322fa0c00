"""One large network: seeded weights, an image of a digit, all weights
differentiated.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import trace
from gradverify.formats import DTYPES
from gradverify.graph import Array, Case, graph_to_json, interpret_all
from gradverify.reference.bound import bounds
from gradverify.reference.gradient_program import gradient_program
from gradverify.suites.digit_images import PIXELS, digit
from gradverify.verify import LargeBlock

ACTIVATIONS = ("tanh", "relu", "sigmoid", "softplus", "silu", "elu", "leaky_relu")
MOST_ENTRIES = 2_000_000  # of all weights; with their reference they fit into 2 GB
LABEL = 3  # the digit, and the target class if there are enough
REDRAWN = 20  # how often biases may be drawn again to avoid kinks


def _cross_entropy(o: Any, target: Array) -> Any:
    return m.logsumexp(o, axis=None) - m.sum(o * target, axis=None)


def _mse(o: Any, target: Array) -> Any:
    return m.mean((o - target) ** 2, axis=None)


def _sum(o: Any, target: Array) -> Any:
    return m.sum(o, axis=None)


def _single(o: Any, target: Array) -> Any:
    k = int(np.argmax(target))
    return m.sum(m.slice(o, axis=(-1,), start=k, stop=k + 1), axis=None)


LOSSES: Mapping[str, Callable[[Any, Array], Any]] = {
    "cross_entropy": _cross_entropy,
    "mse": _mse,
    "sum": _sum,
    "single": _single,
}


@dataclass(frozen=True)
class Network:
    """A perceptron whose input and target are data.

    sizes: of the input, of the hidden layers, and of the output.
    loss: cross_entropy or mse against a one-hot target, the sum of all outputs, or
        `single`, the output that the target names.

    A hidden layer is activation(h @ w + b); the last layer is h @ v + c. Raises
    `ValueError` if there is nothing to differentiate, or too much.
    """

    sizes: tuple[int, ...]
    activation: str = "tanh"
    loss: str = "cross_entropy"
    dtype: str = "float64"
    seed: int = 0
    target: int | None = None

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1 or self.entries > MOST_ENTRIES:
            raise ValueError(
                f"a network {self.name} is none that can be judged; allowed are two "
                f"sizes and more, from 1 up, with at most {MOST_ENTRIES:,} weights"
            )
        if self.activation not in ACTIVATIONS or self.loss not in LOSSES:
            raise ValueError(
                f"a network with {self.activation!r} and {self.loss!r}: allowed are "
                f"{', '.join(ACTIVATIONS)} and {', '.join(LOSSES)}"
            )
        if self.dtype not in DTYPES or self.seed < 0:
            raise ValueError(
                f"a network of {self.dtype!r} from seed {self.seed}: allowed are "
                f"{', '.join(DTYPES)}, and seeds from 0 up"
            )
        if self.target is not None and not 0 <= self.target < self.sizes[-1]:
            raise ValueError(
                f"target {self.target}: {self.name} has 0 to {self.sizes[-1] - 1}"
            )

    @property
    def name(self) -> str:
        """The sizes, such as 784-784-10."""
        return "-".join(map(str, self.sizes))

    @property
    def family(self) -> str:
        """What an item calls it: the sizes, and what differs from the defaults."""
        kinds = zip(
            (self.activation, self.loss),
            (ACTIVATIONS[0], next(iter(LOSSES))),
            strict=True,
        )
        return "-".join((self.name, *(kind for kind, usual in kinds if kind != usual)))

    @property
    def entries(self) -> int:
        """The number of weights and biases."""
        return sum((a + 1) * b for a, b in itertools.pairwise(self.sizes))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of weights and biases: w b v c for two layers, else w1 b1 w2 …"""
        layers = len(self.sizes) - 1
        if layers <= 2:
            return ("w", "b", "v", "c")[: 2 * layers]
        return tuple(f"{x}{k + 1}" for k in range(layers) for x in "wb")

    @property
    def digits(self) -> str:
        """Its name as a case: ten digits of a hash over what it is made of."""
        text = json.dumps([*asdict(self).values()]).encode()
        return hashlib.sha256(text).hexdigest()[:10]

    @property
    def place(self) -> int:
        """The class that the target names."""
        return LABEL % self.sizes[-1] if self.target is None else self.target

    @cached_property
    def case(self) -> Case:
        """The network as a case in which no unit is within its bound of a kink."""
        rng = np.random.default_rng((self.seed, *self.sizes))
        point = list(self._drawn(rng))
        function = self._function(self._data(rng))
        graph = trace(function, *(x.shape for x in point))
        for _ in range(REDRAWN):
            case = Case(graph, tuple(point), self.dtype)
            close = _close_to_kinks(case)
            if not any(np.any(units) for units in close):
                return case
            for k, units in enumerate(close):
                point[2 * k + 1] = np.where(
                    units, rng.normal(size=units.shape), point[2 * k + 1]
                )
        return case

    def _drawn(self, rng: Any) -> Iterator[Array]:
        """Weights of the size that He or Xavier chose; biases of about a tenth."""
        gain = 2.0 if self.activation in ("relu", "leaky_relu", "elu", "silu") else 1.0
        for a, b in itertools.pairwise(self.sizes):
            yield rng.normal(size=(a, b)) * math.sqrt(gain / a)
            yield rng.normal(size=b) / 10

    def _data(self, rng: Any) -> Array:
        """An image of a digit, or grey noise.

        No pixel is 0, so that every weight matters.
        """
        if self.sizes[0] == PIXELS:
            return (1.0 + 15.0 * digit(LABEL, self.seed)) / 16.0
        return np.asarray(rng.integers(16, 257, self.sizes[0]) / 256.0)

    def _function(self, x: Array) -> Callable[..., Any]:
        target = np.zeros(self.sizes[-1])
        target[self.place] = 1.0

        def function(*weights: Any) -> Any:
            h: Any = x
            layers = list(zip(weights[::2], weights[1::2], strict=True))
            for k, (w, b) in enumerate(layers):
                h = h @ w + b
                if k + 1 < len(layers):
                    h = getattr(m, self.activation)(h)
            return LOSSES[self.loss](h, target)

        return function

    def written(self) -> dict[str, Any]:
        """What a record says about it; the weights follow from sizes and seed."""
        graph = self.case.graph
        return {
            "network": asdict(self) | {"sizes": list(self.sizes)},
            "dtype": self.dtype,
            "ops": list(graph.ops),
            "graph": graph_to_json(graph),
            "point": [],
            "case": self.digits,
            "lines": list(self.lines()),
            "formula": f"{self.loss} of {self.name}, {self.activation}",
            "inputs": list(self.inputs),
        }

    def lines(self) -> Iterator[str]:
        """One line for each layer."""
        h = "x"
        for k, (w, b) in enumerate(
            zip(self.inputs[::2], self.inputs[1::2], strict=True)
        ):
            is_last = 2 * k + 2 == len(self.inputs)
            y = "o" if is_last else "h" if len(self.inputs) == 4 else f"h{k + 1}"
            z = f"{h} @ {w} + {b}"
            shape = (self.sizes[k + 1],)
            yield f"{y} = {z if is_last else f'{self.activation}({z})'}  shape {shape}"
            h = y


def _close_to_kinks(case: Case) -> list[Array]:
    """For each layer, the units whose kink is within twice the bound of their
    rounding.
    """
    program = gradient_program(case.graph, case.dtype)
    if not program.margins:
        return []
    targets = [margin for _, margin in program.margins]
    found = bounds(program, case.point, case.dtype, targets)
    inputs = [EXTENDED.lift(x) for x in case.point]
    values = interpret_all(program.graph, EXTENDED.table, inputs)
    return [
        np.asarray(np.abs(values[t]) <= 2 * b.tight)
        for t, b in zip(targets, found, strict=True)
    ]


def network_from(data: Any) -> Network:
    """The network that a record is about; `ValueError` if the record is malformed."""
    try:
        return msgspec.convert(data, Network)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None


def network_block(network: Network) -> LargeBlock:
    """The block of a network in the suite `networks`."""
    return LargeBlock(
        "networks",
        network.family,
        network.dtype,
        network.seed,
        make=lambda: network.case,
        names=network.inputs,
        record=network.written,
    )


def sizes_of(text: str) -> tuple[int, ...]:
    """The sizes in a text such as 784-784-10; `ValueError` if it has none."""
    if not re.fullmatch(r"[1-9]\d{0,5}(-[1-9]\d{0,5})+", text):
        raise ValueError(f"{text!r} is no network; write its sizes as 784-784-10")
    sizes = tuple(map(int, text.split("-")))
    return Network(sizes).sizes


def network_of(family: str) -> Network:
    """The network with this family name, such as 784-784-10-relu; `ValueError` for
    others.
    """
    sizes = re.match(r"\d+(-\d+)*", family)
    kinds = family[sizes.end() :].split("-")[1:] if sizes else []
    loss = next((k for k in kinds if k in LOSSES), next(iter(LOSSES)))
    activation = next((k for k in kinds if k not in LOSSES), ACTIVATIONS[0])
    network = Network(sizes_of(sizes[0] if sizes else family), activation, loss)
    if network.family != family:
        raise ValueError(
            f"no network is called {family!r}; this one is {network.family}"
        )
    return network


def entry_of(network: Network, text: str) -> tuple[int, tuple[int, ...]]:
    """Input and index of an entry such as v,5,2.

    `ValueError` says which entries there are.
    """
    name, *indices = text.replace(" ", "").split(",")
    shapes = dict(zip(network.inputs, _shapes(network.sizes), strict=True))
    fits = name in shapes and len(indices) == len(shapes[name])
    if fits and all(
        i.isdecimal() and int(i) < n for i, n in zip(indices, shapes[name], strict=True)
    ):
        return network.inputs.index(name), tuple(map(int, indices))
    there = ", ".join(f"{key} {list(shape)}" for key, shape in shapes.items())
    raise ValueError(f"{text!r} is no entry of {network.name}; it has {there}")


def _shapes(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for a, b in itertools.pairwise(sizes):
        yield (a, b)
        yield (b,)
