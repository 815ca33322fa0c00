"""The right computation of a case, op by op, and the same with some bars changed.

It runs in long doubles, whose rounding is far below what a bound allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.autodiff import sweep
from gradverify.autodiff.rules import rules_of
from gradverify.autodiff.sweep import Join, reverse, total, walk_back
from gradverify.graph import (
    CONSTANTS,
    Case,
    Graph,
    Node,
    apply_op,
    data_leaf,
    input_leaf,
    interpret_all,
)
from gradverify.ops import OPS
from gradverify.ops.maps import unbroadcast
from gradverify.ops.separate import is_elementwise
from gradverify.reference.gradient_program import expand

# What operands get instead of what they should get: one entry an operand; None for
# nothing.
Bars = list[Any]
# From an application to the changed bars that it passes on; None leaves it right.
Change = Callable[["Application"], Bars | None]


@dataclass(frozen=True, eq=False)
class Application:
    """One application of an op on the way back, with all that a rule may look at.

    ct: the cotangent that arrives at the result.
    before: the operands of the run before this one, if they are known.
    """

    index: int
    node: Node
    dtype: str
    ct: Any
    y: Any
    xs: tuple[Any, ...]
    follows: tuple[bool, ...]
    before: tuple[Any, ...] | None = None

    @property
    def is_elementwise(self) -> bool:
        """Whether each element of the result has a partial derivative of its own."""
        return is_elementwise(self.node.op)

    @property
    def has_axis(self) -> bool:
        """Whether the op works along axes; the param may be at its default."""
        return "axis" in OPS[self.node.op].params

    @cached_property
    def bars(self) -> Bars:
        """What the operands should get; None where nothing flows back."""
        found = pullback(
            self.node.op, self.node.params, self.dtype, self.ct, self.y, self.xs
        )
        return [b if f else None for b, f in zip(found, self.follows, strict=True)]

    def partials(
        self,
        op: str = "",
        params: Mapping[str, Any] | None = None,
        xs: Sequence[Any] | None = None,
    ) -> list[Any]:
        """Partial derivatives in the shape of the result, of this op or another one."""
        wide = [wider(x, self.node.shape) for x in (self.xs if xs is None else xs)]
        ones = np.ones(self.node.shape, np.longdouble)[()]
        same = not op and xs is None
        params = self.node.params if params is None else params
        y = self.y if same else value_of(op or self.node.op, params, wide)
        found = pullback(op or self.node.op, params, self.dtype, ones, y, wide)
        return [0.0 * ones if p is None else p for p in found]

    def of_params(self, params: Mapping[str, Any]) -> Bars:
        """The bars of the same op with other params."""
        y = value_of(self.node.op, params, self.xs)
        found = pullback(self.node.op, params, self.dtype, self.ct, y, self.xs)
        return [b if f else None for b, f in zip(found, self.follows, strict=True)]

    def through(self, partials: Sequence[Any], ct: Any = None) -> Bars:
        """The bars of an elementwise op that has these partials."""
        ct = self.ct if ct is None else ct
        return [
            self.summed(ct * p, k) if f else None
            for k, (p, f) in enumerate(zip(partials, self.follows, strict=True))
        ]

    def summed(self, term: Any, position: int) -> Any:
        """A term in the shape of the result, summed to the shape of an operand."""
        rank = len(self.node.shape)
        return unbroadcast(EXTENDED, term, np.shape(self.xs[position]), rank)

    def has_shape(self, position: int, bar: Any) -> bool:
        """Whether a bar has the shape of an operand, behind the axes of several
        cotangents.
        """
        if bar is None:
            return True
        lead = np.shape(self.ct)[: np.ndim(self.ct) - len(self.node.shape)]
        return bool(np.shape(bar) == (*lead, *np.shape(self.xs[position])))

    @property
    def moved(self) -> list[int]:
        """The operands that something flows back to."""
        return [k for k, f in enumerate(self.follows) if f]


def wider(x: Any, shape: tuple[int, ...]) -> Any:
    """x broadcast to that shape; x may be a mask."""
    return x if np.shape(x) == shape else np.broadcast_to(x, shape)


def value_of(op: str, params: Mapping[str, Any], xs: Sequence[Any]) -> Any:
    """The result of an op in long doubles."""
    return EXTENDED.table[op](*xs, **params)


def pullback(
    op: str,
    params: Mapping[str, Any],
    dtype: str,
    ct: Any,
    y: Any,
    xs: Sequence[Any],
) -> Bars:
    """The bars of an op's operands by our rules; None for those that get nothing."""
    shapes = tuple(np.shape(x) for x in xs)
    if OPS[op].is_primitive:
        node, rules = Node(op, (), params, np.shape(y)), rules_of(op, len(xs))
        return sweep.pullback(EXTENDED, rules, ct, y, xs, node, shapes)
    graph = expansion_of(op, params, xs, dtype)
    values = interpret_all(graph, EXTENDED.table, numbers_of(op, xs))
    bars = reverse(graph, EXTENDED, values, {len(values) - 1: ct})
    return with_masks(op, [bars[i] for i in graph.inputs])


def expansion_of(
    op: str, params: Mapping[str, Any], xs: Sequence[Any], dtype: str
) -> Graph:
    """A composite op alone, written over primitives; its masks are data."""
    shapes = tuple(np.shape(x) for x in xs)
    masks = tuple(np.asarray(xs[k], bool).tobytes() for k in OPS[op].masks)
    return _expanded(op, tuple(sorted(params.items())), shapes, masks, dtype)


@lru_cache(maxsize=4096)
def _expanded(
    op: str,
    params: tuple[tuple[str, Any], ...],
    shapes: tuple[tuple[int, ...], ...],
    masks: tuple[bytes, ...],
    dtype: str,
) -> Graph:
    nodes = [input_leaf(shape) for shape in shapes]
    for k, mask in zip(OPS[op].masks, masks, strict=True):
        nodes[k] = data_leaf(np.frombuffer(mask, bool).reshape(shapes[k]))
    nodes.append(apply_op(nodes, op, range(len(nodes)), **dict(params)))
    return expand(Graph(tuple(nodes)), dtype).graph


def numbers_of(op: str, xs: Sequence[Any]) -> list[Any]:
    """The operands that are no masks."""
    return [x for k, x in enumerate(xs) if k not in OPS[op].masks]


def with_masks(op: str, bars: Sequence[Any]) -> Bars:
    """Bars of the operands that are no masks, with None for the masks among them."""
    found = list(bars)
    for k in OPS[op].masks:
        found.insert(k, None)
    return found


@dataclass(frozen=True, eq=False)
class Right:
    """The right computation of a case in long doubles.

    values: of every node.
    before: the values in the run before, if one is known.
    """

    case: Case
    values: tuple[Any, ...]
    before: tuple[Any, ...] | None = None
    _known: dict[int, Any] = field(default_factory=dict, repr=False)

    @property
    def graph(self) -> Graph:
        """The graph of the case."""
        return self.case.graph

    @cached_property
    def adjoints(self) -> list[Any]:
        """The derivative with respect to every node; None where it is zero."""
        return self.swept()

    def application(self, index: int, ct: Any = None) -> Application:
        """The application of an op, with the right cotangent or with another one."""
        node = self.graph.nodes[index]
        before = self.before
        return Application(
            index,
            node,
            self.case.dtype,
            self.adjoints[index] if ct is None else ct,
            self.values[index],
            tuple(self.values[j] for j in node.operands),
            tuple(self.graph.nodes[j].op not in CONSTANTS for j in node.operands),
            None if before is None else tuple(before[j] for j in node.operands),
        )

    def swept(
        self,
        change: Change | None = None,
        add: Join | None = None,
        seeds: Mapping[int, Any] | None = None,
    ) -> list[Any]:
        """A reverse sweep: the adjoints of all nodes; None where nothing flows back.

        change: takes an application, and returns other bars; None leaves it right.
        add: takes a node that is used more than once, and the terms that come together
            there. It returns another result than their sum.
        seeds: where the sweep starts; the output with 1 unless given.
        """
        nodes = self.graph.nodes

        def pull(i: int, ct: Any) -> Bars:
            application = self.application(i, ct)
            bars = None if change is None else change(application)
            return application.bars if bars is None else bars

        seeds = seeds or {len(nodes) - 1: np.longdouble(1.0)}
        return walk_back(nodes, seeds, pull, add or total)

    def onward(self, index: int) -> list[Any]:
        """What a change of a node's adjoint does to the adjoints of all nodes below it.

        For every entry of the node there is a row: the change for a unit change of that
        entry.
        """
        if index not in self._known:
            shape = self.graph.nodes[index].shape
            size = int(np.prod(shape, dtype=int))
            units = np.eye(size, dtype=np.longdouble).reshape(size, *shape)
            self._known[index] = self.swept(seeds={index: units})
        return list(self._known[index])


def right(case: Case, before: Right | None = None) -> Right:
    """The right computation of a case."""
    expansion = expand(case.graph, case.dtype)
    inputs = [EXTENDED.lift(np.asarray(x)) for x in case.point]
    with np.errstate(all="ignore"):
        values = interpret_all(expansion.graph, EXTENDED.table, inputs)
    same = before is not None and before.graph == case.graph
    return Right(
        case,
        tuple(values[i] for i in expansion.place),
        before.values if before is not None and same else None,
    )
