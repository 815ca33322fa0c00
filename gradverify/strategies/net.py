"""A network while it grows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from gradverify.graph import Array, data_leaf, input_leaf
from gradverify.ops import Shape
from gradverify.strategies.draft import Draft, Grown, Scope
from gradverify.strategies.params import legal_params
from gradverify.strategies.points import GOLDEN, PLAIN, Values, array_of


class LayerChoice(NamedTuple):
    """The choices behind one layer."""

    kind: int
    width: int
    activation: int
    extra: int


class NetStyle(NamedTuple):
    """What the numbers of a network are like.

    kind: below 20, they are plain, so that ties and exact kinks occur. Below 32, they
        tend to break rules. Else they are ordinary, with many digits. If it is odd, the
        data are differentiated too.
    """

    kind: int
    values: Values


class Net:
    """A draft, the node that the next layer is put on, and the weights so far.

    seen, state, recurrent, time: only of a network in time. What it sees, its last
        state, the weights between states, and how many steps have passed.
    """

    def __init__(self, style: NetStyle, scope: Scope) -> None:
        self.style = style
        self.draft = Draft(scope)
        self.dtype = scope.dtype
        self.here = self.seen = self.time = 0
        self.state: int | None = None
        self.recurrent: tuple[int, int] = (0, 0)
        self.last: tuple[int, int] | None = None
        self.drawn = 0

    @property
    def shape(self) -> Shape:
        """The shape of what the next layer is put on."""
        return self.shape_of(self.here)

    def shape_of(self, node: int) -> Shape:
        """The shape of a node."""
        return self.draft.shape_of(node)

    # ---- leaves

    def array(self, shape: Shape) -> Array:
        """The next numbers of the network's style."""
        self.drawn += 1
        kind, (spread, entries) = self.style
        size = math.prod(shape)
        if 20 <= kind < 32:
            turned = Values((spread + self.drawn) % 100, entries)
            return array_of(turned, shape, None, self.dtype)
        if kind < 20:
            numbers = np.resize(np.roll(PLAIN, -spread - self.drawn), size)
        else:
            places = np.arange(size) + 1 + 7 * self.drawn + 100 * spread
            numbers = 2.4 * np.modf(places * GOLDEN)[0] - 1.2
        return numbers.reshape(shape).astype(self.dtype)

    def leaf(self, shape: Shape) -> Grown:
        """A leaf of weights, which are differentiated."""
        return Grown(input_leaf(shape), self.array(shape))

    def put(self, leaf: Grown) -> int:
        """Make a leaf a node."""
        return self.draft.put(leaf)

    def begin(self, shape: Shape) -> None:
        """Put the data, on which the first layer is then put."""
        value = self.array(shape)
        leaf = input_leaf(shape) if self.style.kind % 2 else data_leaf(value)
        self.here = self.put(Grown(leaf, value))

    def target(self, choice: int, *, probable: bool) -> Grown:
        """What a loss compares with: data, or an input that is differentiated."""
        value = np.asarray(self.array(self.shape))
        if probable:
            value = (np.abs(value) + 0.25) / (np.abs(value) + 1.0)
        value = value.astype(self.dtype)
        leaf = input_leaf(self.shape) if choice % 4 == 3 else data_leaf(value)
        return Grown(leaf, value)

    def weights(self, outputs: int, inputs: int) -> tuple[int, int]:
        """The nodes of new weights and a bias."""
        return self.put(self.leaf((outputs, inputs))), self.put(self.leaf((outputs,)))

    # ---- layers

    def apply(self, op: str, *operands: int | Grown, **params: Any) -> bool:
        """Put an op, if it fits. The next layer is then put on it."""
        if not self.draft.try_op(op, operands, tuple(params.items())):
            return False
        self.here = len(self.draft.grown) - 1
        return True

    def chosen(
        self, op: str, choice: int, *operands: int | Grown, **fixed: Any
    ) -> bool:
        """Put an op with the legal params that the choice means; some params may be
        fixed.
        """
        menu = _legal(op, [self.draft.shape_of(x) for x in operands], fixed)
        return bool(menu) and self.apply(op, *operands, **menu[choice % len(menu)])

    def linear(
        self,
        width: int,
        *,
        shared: bool = False,
        dead: bool = False,
        scale: float = 1.0,
    ) -> None:
        """A layer of weights and a bias, new ones or those of the layer before.

        Those of the layer before are taken if weights are shared and they fit.

        dead: whether the bias is so low that a relu after it gives only zeros.
        """
        if shared and self.last and self.shape_of(self.last[0])[1] == self.shape[-1]:
            self.apply("linear", self.here, *self.last)
            return
        w, b = self.leaf((width, self.shape[-1])), self.leaf((width,))
        if dead:
            b = Grown(b.node, np.full_like(b.value, -50.0))
        w = Grown(w.node, (w.value * scale).astype(self.dtype))
        if self.apply("linear", self.here, w, b):
            self.last = self.here - 2, self.here - 1

    def dropout(self, choice: int) -> None:
        """Keep two entries of three."""
        kept = (np.arange(math.prod(self.shape)) + choice) % 3 != 2
        mask = kept.reshape(self.shape)
        self.chosen("dropout", choice, self.here, Grown(data_leaf(mask), mask))


def _legal(op: str, shapes: list[Shape], fixed: Mapping[str, Any]) -> list[Any]:
    menu = map(dict, legal_params(op, *shapes))
    return [p for p in menu if all(p[k] == v for k, v in fixed.items())]
