"""A graph while it grows: nodes with their values, and what may be put on them.

Limits keep right libraries from overflowing where the exact derivative is finite. For
that, every node carries its *growth*: a bound on the decimal exponent of any product of
partial derivatives along a path from an input to it. One partial is at most about
max(1, |y|, |x|) * max(1, 1/|x|).

Growth stays below the *room*, which is 250 decimal exponents in float64 (`formats.py`
has that of every dtype). Operands are zero, or lie between 10**(-room/2) and
10**(room/2), so that their squares and quotients are safe.

There are two exceptions. An op on leaves alone may give up to half of the largest
float, such as exp(709); only the contraction is then put on it. And an op with f(2x) =
2 f(x) and slopes of at most 1 takes any operand, such as abs the smallest subnormal
number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.formats import drawn_in, format_of
from gradverify.graph import CONSTANTS, Case, Limits, Node, interpret_all
from gradverify.ops import OPS, Op, Shape
from gradverify.ops.shapes import broadcast_to, elementwise
from gradverify.strategies.params import result_shape

STEP = 0.5  # growth that any op adds, for factors such as an exponent

Params = Sequence[tuple[str, Any]]

USUAL = Limits(ranks=range(3), empty=False)
"""What graphs are made of unless said."""


@dataclass(frozen=True)
class Scope:
    """What a graph is drawn from: its ops, its dtype, and what else it may be made of.

    edges: whether operands may lie at the edge of a domain, and be of any size for
        which the dtype holds the result.
    """

    ops: tuple[str, ...]
    limits: Limits = USUAL
    dtype: str = "float64"
    edges: bool = False


class Grown:
    """A node with its value, the decimal exponents it spans, and its growth."""

    __slots__ = ("growth", "high", "low", "node", "value")

    def __init__(self, node: Node, value: Any, growth: float = 0.0) -> None:
        self.node = node
        self.value = value
        self.growth = growth
        self.low, self.high = span(value)


def span(value: Any) -> tuple[float, float]:
    """How many decades the nonzero entries reach below and above 1; each at least 0."""
    sizes = np.abs(value).ravel().tolist() if np.ndim(value) else [abs(float(value))]
    sizes = [s for s in sizes if s]
    if not sizes:
        return 0.0, 0.0
    return max(0.0, -math.log10(min(sizes))), max(0.0, math.log10(max(sizes)))


def is_within_room(operand: Grown, scope: Scope) -> bool:
    """Whether squares and quotients of all its entries are safe."""
    return max(operand.low, operand.high) <= drawn_in(scope.dtype).growth / 2


class Draft:
    """The nodes put so far, in order. Operands are earlier nodes or new leaves."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.limits = scope.limits
        self.dtype = np.dtype(scope.dtype)
        self.room = drawn_in(scope.dtype).growth
        self.most = format_of(scope.dtype).largest / 2
        self.grown: list[Grown] = []

    def put(self, grown: Grown) -> int:
        """Make it a node, and return its index."""
        self.grown.append(grown)
        return len(self.grown) - 1

    def shape_of(self, operand: int | Grown) -> Shape:
        """The shape of a node, or of a leaf that is not put yet."""
        part = self.grown[operand] if isinstance(operand, int) else operand
        return part.node.shape

    def followed(self) -> list[int]:
        """The inputs and ops: nodes that depend on an input."""
        return [i for i, x in enumerate(self.grown) if x.node.op not in CONSTANTS]

    def try_op(self, op: str, operands: Sequence[int | Grown], params: Params) -> bool:
        """Put an op and its new leaves.

        False if a shape, a domain or a limit forbids it.
        """
        parts = [self.grown[x] if isinstance(x, int) else x for x in operands]
        shape = self._shape(op, parts, tuple(params))
        if shape is None:
            return False
        found = self._value(OPS[op], parts, dict(params))
        if found is None:
            return False
        value, growth = found
        indices = tuple(x if isinstance(x, int) else self.put(x) for x in operands)
        self.put(Grown(Node(op, indices, dict(params), shape), value, growth))
        return True

    def _shape(self, op: str, parts: Sequence[Grown], params: Params) -> Shape | None:
        shapes = tuple(x.node.shape for x in parts)
        if not self.limits.broadcasting and _spreads(op, parts):
            return None
        shape = result_shape(op, shapes, params)
        return shape if shape is None or len(shape) in self.limits.ranks else None

    def _value(
        self, row: Op, parts: Sequence[Grown], params: dict[str, Any]
    ) -> tuple[Any, float] | None:
        """The value and its growth; None if a domain or a limit forbids the op."""
        operands = [x.value for x in parts]
        if not row.domain.holds(
            *operands,
            at_edges=self.scope.edges,
            beside_constants=are_constants(x.node for x in parts[1:]),
            **params,
        ):
            return None
        value = self._apply(row, operands, params)
        if not np.all(np.abs(value) <= self.most):
            return None
        _, high = span(value)
        below, above = max(x.low for x in parts), max(x.high for x in parts)
        growth = max(x.growth for x in parts) + max(high, above) + below + STEP
        if max(below, above) <= self.room / 2 and growth <= self.room:
            return value, growth
        if self._is_linear_here(row, operands, params, value):
            return value, max(x.growth for x in parts)
        on_leaves = not any(x.node.operands for x in parts)
        fits = self.scope.edges or max(below, above) <= self.room / 2
        is_safe = on_leaves and fits
        is_safe = is_safe and np.sum(np.abs(value)) <= self.most
        return (value, math.inf) if is_safe else None

    def _apply(self, row: Op, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        result = FLOATS.table[row.name](*operands, **params)
        return np.asarray(result, self.dtype)[()]

    def _is_linear_here(
        self, row: Op, operands: Sequence[Any], params: dict[str, Any], value: Any
    ) -> bool:
        """Whether f(2x) = 2 f(x), and no single operand moves f by more than itself."""
        masks = row.masks
        doubled = [x if k in masks else x * 2.0 for k, x in enumerate(operands)]
        if np.any(self._apply(row, doubled, params) != value * 2.0):
            return False
        for k, x in enumerate(operands):
            if k not in masks:
                step = np.where(np.equal(x, 0), 1.0, np.abs(x))
                moved = [*operands[:k], np.asarray(x + step, self.dtype)[()]]
                y = self._apply(row, [*moved, *operands[k + 1 :]], params)
                if not np.all(np.abs(y - value) <= np.sum(step) * 1.01):
                    return False
        return True

    def sinks(self) -> list[int]:
        """The ops that no other node uses."""
        used = {j for x in self.grown for j in x.node.operands}
        return [
            i for i, x in enumerate(self.grown) if x.node.operands and i not in used
        ]


def _spreads(op: str, parts: Sequence[Grown]) -> bool:
    """Whether the op would have to broadcast an operand."""
    rule = OPS[op].shape
    distinct = {x.node.shape for x in parts if x.node.op != "literal"}
    return rule is broadcast_to or (rule is elementwise and len(distinct) > 1)


def are_constants(nodes: Iterable[Node]) -> bool:
    """Whether none of these is differentiated."""
    return all(node.op in ("literal", "data") for node in nodes)


def is_sound(case: Case) -> bool:
    """Whether all values are finite, and all operands lie in the domain of their op."""
    with np.errstate(all="ignore"):
        values = interpret_all(case.graph, FLOATS.table, case.point)
        for node, value in zip(case.graph.nodes, values, strict=True):
            if not np.all(np.isfinite(value)):
                return False
            if node.operands:
                operands = [values[j] for j in node.operands]
                others = (case.graph.nodes[j] for j in node.operands[1:])
                if not OPS[node.op].domain.holds(
                    *operands,
                    at_edges=True,
                    beside_constants=are_constants(others),
                    **node.params,
                ):
                    return False
    return True
