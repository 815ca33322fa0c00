"""Is a gradient at kinks what the library's own conventions come to?

A library chooses a slope at each kink, op by op. The chain rule with these slopes may
give a gradient that is no derivative, and that is a finding of another kind than a
wrong rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS, STRUCTURE
from gradverify.compare import flat_gradient
from gradverify.diagnosis.op_alone import node_values, op_alone
from gradverify.differentiators import Derivatives, Differentiator, run
from gradverify.graph import (
    Array,
    Case,
    Graph,
    Node,
    apply_op,
    input_leaf,
    interpret_all,
)
from gradverify.ops import OPS
from gradverify.ops.layer_expansions import windows
from gradverify.reference import Reference, gradient_at, reference
from gradverify.reference.gradient_program import expand, gradient_program
from gradverify.reference.kinks import ActiveKink

UNDECIDED = 4  # up to so many elements, both branches are tried, and their middle

MOVES = ("kernel", "stride", "padding", "dilation")

# What part of a cotangent passes through a node on its way to the largest element. For
# a maximum it is the sum of the parts of its two operands.
SHARES: Mapping[str, Callable[..., Any]] = STRUCTURE | {
    "neg": lambda part: part,
    "maximum": np.add,
}


def follows_conventions(
    case: Case,
    found: Reference,
    derivatives: Derivatives,
    differentiator: Differentiator,
    mode: str,
) -> bool:
    """Whether the library's own slopes, put together by the chain rule, give this
    gradient.

    Each kinked op is run alone, at the values that it met. That shows the slope which
    the library chooses there. The exact chain rule with those slopes must then give the
    gradient within its bound.
    """
    kinked = found.kinked
    if kinked is None:
        return False
    values = node_values(case)
    probe = _Probe(case, values, differentiator, mode)
    got = flat_gradient(case, derivatives)
    allowed = np.concatenate([b.reshape(-1) for b in found.loose]).astype(float)
    for slopes in _candidates([probe.slopes(kink) for kink in kinked.kinks]):
        gradient = gradient_at(kinked.blended, case.point, slopes)
        if gradient is None:
            return False
        flat = np.array([float(v) for x in gradient for v in x.reshape(-1)])
        if np.all(np.abs(flat - got) <= allowed + 1e-14 * np.abs(flat)):
            return True
    return False


def _candidates(slopes: list[Array]) -> Iterator[list[Array]]:
    """The slopes of all kinks: those found, and at other elements both branches and
    their middle, which some libraries take at ties.
    """
    free = [
        (k, i)
        for k, s in enumerate(slopes)
        for i in np.ndindex(s.shape)
        if np.isnan(s[i])
    ]
    if len(free) > UNDECIDED:
        return
    for choice in itertools.product((0.0, 1.0, 0.5), repeat=len(free)):
        filled = [s.copy() for s in slopes]
        for (k, i), value in zip(free, choice, strict=True):
            filled[k][i] = value
        yield filled


class _Probe:
    """Runs single kinked ops, once for every combination of operand values."""

    def __init__(
        self,
        case: Case,
        values: list[Array],
        differentiator: Differentiator,
        mode: str,
    ) -> None:
        self.case = case
        self.values = values
        self.differentiator = differentiator
        self.mode = mode
        self.known: dict[tuple[str, tuple[float, ...]], float] = {}

    def slopes(self, kink: ActiveKink) -> Array:
        """The library's slope at every element; NaN where rounding may lead to either
        branch, or where the op does not tell.
        """
        expansion = gradient_program(self.case.graph, self.case.dtype).expansion
        origin = expansion.origin(kink.node)
        node = self.case.graph.nodes[origin]
        if "axis" in OPS[node.op].params:
            return self._shared(origin, kink)
        if {*MOVES} <= {*OPS[node.op].params}:
            return self._pooled(origin, kink)
        if not _is_of_numbers(node):
            return np.where(kink.active, np.nan, kink.positive)
        operands = np.broadcast_arrays(
            *(np.asarray(self.values[j], float) for j in node.operands), kink.positive
        )[:-1]
        result = kink.positive.astype(float)
        for i in np.argwhere(kink.active):
            element = tuple(i)
            point = tuple(float(x[element]) for x in operands)
            exact = bool(kink.exact[element])
            result[element] = self._slope(node, point) if exact else np.nan
        return result

    def _shared(self, origin: int, kink: ActiveKink) -> Array:
        """The slopes at a largest or smallest element, from how ties share a cotangent.

        NaN where the op is no fold, which its cotangents alone could not tell.

        The nodes of an op's expansion stand in one row, both here and in the expansion
        of the op alone. So a slope found there belongs to the node at the same place
        here.
        """
        graph, result = self.case.graph, kink.positive.astype(float)
        result[kink.active] = np.nan
        ones = np.ones(graph.nodes[origin].shape)
        alone = op_alone(self.case, origin, self.values, ones)
        if len(alone.point) != 1:
            return result
        place = gradient_program(graph, self.case.dtype).expansion.place
        small = expand(alone.graph, self.case.dtype)
        at = kink.node - place[origin - 1] + small.place[0]
        part = Graph(small.graph.nodes[: small.place[1] + 1])
        if not is_fold(part):
            return result
        derivatives = run(self.differentiator, self.mode, alone)
        if derivatives.error or derivatives.timed_out:
            return result
        ways = np.asarray(derivatives.cotangents[0], float)
        result[kink.active] = _shares(part, ways, at)[kink.active]
        return result

    def _pooled(self, origin: int, kink: ActiveKink) -> Array:
        """The slopes of a pooling, from how each window with ties shares a cotangent.

        Windows may overlap. So each run passes a cotangent to one window alone.
        """
        graph, result = self.case.graph, kink.positive.astype(float)
        result[kink.active] = np.nan
        node = graph.nodes[origin]
        moves = [node.params[k] for k in MOVES]
        seen = windows(FLOATS, np.asarray(self.values[node.operands[0]]), *moves)
        ways = np.zeros(np.shape(seen))
        for n, c, step in np.argwhere(kink.active.any(axis=2)):
            one = np.zeros((*np.shape(seen)[:2], np.shape(seen)[3]))
            one[n, c, step] = 1.0
            alone = op_alone(self.case, origin, self.values, one.reshape(node.shape))
            found = run(self.differentiator, self.mode, alone)
            if not alone.point or found.error or found.timed_out:
                return result
            share = np.asarray(found.cotangents[0], float)
            ways[n, c, :, step] = windows(FLOATS, share, *moves)[n, c, :, step]
        leaf = [input_leaf(ways.shape)]
        fold = expand(Graph((*leaf, apply_op(leaf, "max", (0,), axis=(2,))))).graph
        expansion = gradient_program(graph, self.case.dtype).expansion
        begin = expansion.place[origin - 1] + 1
        before = _maxima(expansion.graph.nodes[begin : kink.node])
        at = _maxima(fold.nodes)[len(before)]
        result[kink.active] = _shares(fold, ways, at)[kink.active]
        return result

    def _slope(self, node: Node, point: tuple[float, ...]) -> float:
        key = (f"{node.op}{node.params}", point)
        if key not in self.known:
            self.known[key] = self._run(node, point)
        return self.known[key]

    def _run(self, node: Node, point: tuple[float, ...]) -> float:
        """The slope between the two branches that fits the op's gradient; NaN if none
        does.
        """
        nodes = [input_leaf() for _ in node.operands]
        nodes.append(apply_op(nodes, node.op, range(len(nodes)), **node.params))
        case = Case(Graph(tuple(nodes)), tuple(map(np.array, point)), self.case.dtype)
        found = reference(case)
        if found.kinked is None:
            return np.nan
        derivatives = run(self.differentiator, self.mode, case)
        if derivatives.error is not None or derivatives.timed_out:
            return np.nan
        shape: tuple[int, ...] = ()
        ends = []
        for side in (0.0, 1.0):
            sides = [np.full(shape, side) for _ in found.kinked.kinks]
            gradient = gradient_at(found.kinked.blended, case.point, sides) or ()
            ends.append(np.array([float(v) for x in gradient for v in x.reshape(-1)]))
        got = flat_gradient(case, derivatives)
        span = ends[1] - ends[0]
        slope = float(span @ (got - ends[0]) / (span @ span))
        fits = np.allclose(ends[0] + slope * span, got, rtol=0, atol=1e-9)
        return slope if fits and -1e-9 <= slope <= 1 + 1e-9 else np.nan


def _is_of_numbers(node: Node) -> bool:
    """Whether the op with these params takes numbers to a number, so that each element
    can be asked by itself.
    """
    try:
        return OPS[node.op].shape(*((),) * len(node.operands), **node.params) == ()
    except ValueError:
        return False


def _maxima(nodes: Sequence[Node]) -> list[int]:
    return [i for i, node in enumerate(nodes) if node.op == "maximum"]


def is_fold(graph: Graph) -> bool:
    """Whether a graph of one input takes largest elements, and each entry goes to one.

    A sorting network sends an entry to the smaller and to the larger of two, and a
    running maximum to all that come after. What such an op sends back does not tell
    the slope of each of its nodes.
    """
    if not {node.op for node in graph.nodes[1:]} <= SHARES.keys():
        return False
    ones = np.ones(graph.nodes[0].shape)
    return bool(np.sum(interpret_all(graph, SHARES, [ones])[-1]) == ones.size)


def _shares(fold: Graph, ways: Array, at: int) -> Array:
    """How much of a cotangent each maximum of a fold passes to its first operand."""
    shares = interpret_all(fold, SHARES, [ways])
    above, below = (shares[j] for j in fold.nodes[at].operands)
    both = above + below
    result: Array = np.divide(above, both, out=np.zeros_like(both), where=both != 0)
    return result
