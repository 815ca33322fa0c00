"""Edges: points where an op has no derivative and its one-sided slopes are known.

At 0, the slopes of a norm are all vectors of the unit ball. So are those of a standard
deviation at equal numbers. A root at 0 has slopes without limit, on one side.

At such a point the op is replaced by a linear map. For example, norm(x) at 0 becomes
the sum of s * x, in which the slopes s are new inputs of the graph. The new graph is
smooth, so that everything for smooth points applies to it. For every choice of slopes
in their set, its gradient is one that the function may have (Clarke, 1983).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import ctx
from mpmath import mp, mpf

from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.floats import FLOATS
from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.arithmetic.symbols import SYMBOLS, Program, Symbol
from gradverify.formats import DTYPES, format_of
from gradverify.graph import (
    Array,
    Graph,
    Node,
    OutsideDomain,
    data_leaf,
    input_leaf,
    interpret_all,
)
from gradverify.ops import Shape
from gradverify.ops.shapes import axes_of
from gradverify.reference.differences import value_at
from gradverify.reference.exact import flat
from gradverify.reference.sloped_graph import SlopedGraph

EDGE_BITS = 400  # of the balls that say whether a number is zero
MOST_SLOPES = 12  # with more of them, the reference of a point would take too long
NARROWEST = min(format_of(name).precision for name in DTYPES)
RAY = -1  # the group of a slope that may be any number from 0 to infinity


Slopes = list[tuple[Symbol, Array]]
"""New inputs, each with its groups: a number for each entry.

Entries with the same positive number are one vector of a unit ball. `RAY` marks an
entry that may be any number from 0 to infinity. An entry with 0 is not used.
"""


@dataclass(frozen=True)
class OpEdge:
    """What is known of an op at its edge.

    at: takes the operands as floats and the params, and returns a mask: which entries
        of the result are at the edge.
    replaced: takes a program, the mask, the operands as symbols, and the params. It
        writes the op down with its edge straightened, and returns that symbol and the
        new slopes.
    beside: takes the operands as floats, the shape of the result and the params, and
        returns further keywords for `replaced`.
    """

    at: Callable[..., Any]
    replaced: Callable[..., tuple[Symbol, Slopes]]
    beside: Callable[[Sequence[Any], Shape, Mapping[str, Any]], dict[str, Any]] = (
        lambda x, shape, params: {}
    )


def _slope(program: Program, groups: Array) -> tuple[Symbol, Array]:
    """A new input of the program for slopes in these groups."""
    return program.append(input_leaf(groups.shape)), groups


def _kept(shape: Shape, axis: Any) -> Shape:
    """The shape of a reduction with `keepdims`: reduced axes have the length 1."""
    axes = {a % len(shape) for a in axes_of(shape, axis)} if shape else set()
    return tuple(1 if a in axes else n for a, n in enumerate(shape))


def _whole(mask: Array, shape: Shape, axis: Any) -> Array:
    """A mask of a reduction's result, spread over the entries that it reduces."""
    return np.broadcast_to(mask.reshape(_kept(shape, axis)), shape)


def _slices(whole: Array, axis: Any) -> Array:
    """The groups of a reduction: a number for each slice, and 0 away from the edge."""
    kept = _kept(whole.shape, axis)
    numbers = 1 + np.arange(math.prod(kept)).reshape(kept)
    return np.where(whole, numbers, 0)


# ---- norms


def _null(x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return np.all(x == 0, axis=axes_of(np.shape(x), axis), keepdims=keepdims)


def _norm(
    p: Program, mask: Array, x: Symbol, *, axis: Any = None, keepdims: bool = False
) -> tuple[Symbol, Slopes]:
    whole = _whole(mask, x.shape, axis)
    s = _slope(p, _slices(whole, axis))
    straight = SYMBOLS.sum(s[0] * x, axis=axis, keepdims=keepdims)
    away = SYMBOLS.where(whole, np.ones(x.shape), x)
    rest = SYMBOLS.norm(away, axis=axis, keepdims=keepdims)
    return SYMBOLS.where(mask, straight, rest), [s]


def _even(x: Any, *, axis: Any = None, keepdims: bool = False, ddof: int = 0) -> Any:
    axes = axes_of(np.shape(x), axis)
    first = np.min(x, axis=axes, keepdims=True)
    return np.all(x == first, axis=axes, keepdims=keepdims)


def _std(
    p: Program,
    mask: Array,
    x: Symbol,
    *,
    axis: Any = None,
    keepdims: bool = False,
    ddof: int = 0,
    common: Array,
    rounds: Array,
) -> tuple[Symbol, Slopes]:
    """Equal numbers less their mean are 0, and the slopes of their norm a unit ball.

    Where the mean is rounded, what is left of each number is that rounding, and its
    norm has slopes along a shift of all numbers as well.
    """
    whole = _whole(mask, x.shape, axis)
    s = _slope(p, _slices(whole, axis))
    count = math.prod(x.shape[a] for a in axes_of(x.shape, axis)) - ddof
    mean = SYMBOLS.mean(x, axis=axis, keepdims=True)
    rest = x - mean
    if np.any(rounds):
        rest = rest + (mean - common) * np.where(rounds, 1.0, 0.0)
    straight = SYMBOLS.sum(s[0] * rest, axis=axis, keepdims=keepdims)
    straight = straight * (1.0 / math.sqrt(count))
    distinct = np.arange(float(math.prod(x.shape))).reshape(x.shape)
    away = SYMBOLS.where(whole, distinct, x)
    other = SYMBOLS.std(away, axis=axis, keepdims=keepdims, ddof=ddof)
    return SYMBOLS.where(mask, straight, other), [s]


def _means(operands: Sequence[Any], _: Shape, params: Mapping[str, Any]) -> Any:
    """One number of every slice, and whether a mean of as many of it may be rounded.

    It is not, in any order and in any format, if all multiples of it up to their sum
    have few bits.
    """
    x = np.asarray(operands[0])
    axes = axes_of(x.shape, params.get("axis"))
    common = np.min(x, axis=axes, keepdims=True)
    count = math.prod(x.shape[a] for a in axes)
    bits = NARROWEST - (count - 1).bit_length()
    whole = np.ldexp(np.frexp(common)[0], bits)
    return {"common": common, "rounds": whole != np.rint(whole)}


def _hypot(p: Program, mask: Array, a: Symbol, b: Symbol) -> tuple[Symbol, Slopes]:
    numbers = np.where(mask, 1 + np.arange(mask.size).reshape(mask.shape), 0)
    s, t = _slope(p, numbers), _slope(p, numbers)
    straight = s[0] * a + t[0] * b
    away = SYMBOLS.where(mask, np.ones(mask.shape), a)
    return SYMBOLS.where(mask, straight, SYMBOLS.hypot(away, b)), [s, t]


# ---- roots and powers at 0


def _root(p: Program, mask: Array, x: Symbol) -> tuple[Symbol, Slopes]:
    s = _slope(p, np.where(mask, RAY, 0))
    away = SYMBOLS.where(mask, np.ones(mask.shape), x)
    return SYMBOLS.where(mask, s[0] * x, SYMBOLS.sqrt(away)), [s]


def _at_fraction(x: Any, *, n: float) -> Any:
    return (np.asarray(x) == 0) & (n != int(n)) & (n > 0)


def _fraction(p: Program, mask: Array, x: Symbol, *, n: float) -> tuple[Symbol, Slopes]:
    s = _slope(p, np.where(mask & (n < 1), RAY, 0))
    away = SYMBOLS.power(SYMBOLS.where(mask, np.ones(mask.shape), x), n=n)
    return SYMBOLS.where(mask, s[0] * x, away), [s]


def _at_base(a: Any, b: Any) -> Any:
    return (np.asarray(a) == 0) & (np.asarray(b) > 0)


def _base(
    p: Program, mask: Array, a: Symbol, b: Symbol, *, exponents: Array
) -> tuple[Symbol, Slopes]:
    s = _slope(p, np.where(mask & (exponents < 1), RAY, 0))
    fixed = np.where(mask & (exponents == 1), 1.0, 0.0)
    away = SYMBOLS.pow(SYMBOLS.where(mask, np.ones(mask.shape), a), b)
    return SYMBOLS.where(mask, s[0] * a + fixed * a, away), [s]


def _exponents(
    operands: Sequence[Any], shape: Shape, _: Mapping[str, Any]
) -> dict[str, Any]:
    return {"exponents": np.broadcast_to(operands[1], shape)}


# fmt: off
EDGES: Mapping[str, OpEdge] = {
    "norm":  OpEdge(_null,                              _norm),
    "std":   OpEdge(_even,                              _std, _means),
    "hypot": OpEdge(lambda a, b: (a == 0) & (b == 0),   _hypot),
    "sqrt":  OpEdge(lambda x: np.asarray(x) == 0,       _root),
    "power": OpEdge(_at_fraction,                       _fraction),
    "float_power": OpEdge(_at_fraction,                 _fraction),
    "pow":   OpEdge(_at_base,                           _base, _exponents),
}
# fmt: on


@dataclass(frozen=True, eq=False)
class Straightened(SlopedGraph):
    """A graph whose edges have become linear in slopes.

    groups: for each of the slope inputs, its groups (see `Slopes`).
    """

    groups: tuple[Array, ...]

    @property
    def count(self) -> int:
        """How many single slopes there are, over all inputs and entries."""
        return sum(int(np.count_nonzero(g)) for g in self.groups)

    def chosen(self, numbers: Sequence[float]) -> list[Array]:
        """The slopes as arrays, from one number for each slope that is used."""
        rest = iter(numbers)
        return [
            np.array([next(rest) if k else 0.0 for k in g.ravel()]).reshape(g.shape)
            for g in self.groups
        ]


def straightened(graph: Graph, point: Sequence[Array]) -> Straightened | None:
    """The graph with its edges straightened; None if the point is at no edge."""
    if not any(node.op in EDGES for node in graph.nodes):
        return None
    masks = _masks(graph, point)
    if not masks:
        return None
    program = Program()
    values: list[Symbol] = []
    inputs: list[int] = []
    slopes: list[int] = []
    groups: list[Array] = []
    for i, node in enumerate(graph.nodes):
        x = [values[j] for j in node.operands]
        if i in masks:
            mask, more = masks[i]
            # literals may not meet `where`
            x = [_as_array(program, graph.nodes[j], values[j]) for j in node.operands]
            symbol, found = EDGES[node.op].replaced(
                program, mask, *x, **node.params, **more
            )
            # Each op numbers its groups from 1; two ops must not share one.
            before = max((int(g.max(initial=0)) for g in groups), default=0)
            for s, group in found:
                slopes.append(s.index)
                groups.append(np.where(group > 0, group + before, group))
            values.append(symbol)
        elif x:
            values.append(program.apply(node.op, *x, **node.params))
        else:
            values.append(program.append(node))
            if node.op == "input":
                inputs.append(values[-1].index)
    whole = program.graph(values[-1])
    place = {node: k for k, node in enumerate(whole.inputs)}
    return Straightened(
        whole,
        tuple(place[i] for i in inputs),
        tuple(place[i] for i in slopes),
        tuple(groups),
    )


def _as_array(program: Program, node: Node, symbol: Symbol) -> Symbol:
    """A literal as data; anything else as it is."""
    if node.op != "literal":
        return symbol
    return program.append(data_leaf(np.array(node.value, np.float64)))


def _masks(
    graph: Graph, point: Sequence[Array]
) -> dict[int, tuple[Array, dict[str, Any]]]:
    """For every node at an edge: which entries are, and the keywords of `beside`."""
    with np.errstate(all="ignore"):
        floats = interpret_all(
            graph, FLOATS.table, [FLOATS.lift(np.array(x, np.float64)) for x in point]
        )
    found = {}
    for i, node in enumerate(graph.nodes):
        if node.op not in EDGES:
            continue
        operands = [floats[j] for j in node.operands]
        near = np.asarray(EDGES[node.op].at(*operands, **node.params))
        if not near.any() or not _depends(graph, node):
            continue
        mask = np.asarray(_confirmed(graph, point, node) & near)
        if mask.any():
            more = EDGES[node.op].beside(operands, node.shape, node.params)
            found[i] = (np.broadcast_to(mask, node.shape), more)
    return found


def _depends(graph: Graph, node: Node) -> bool:
    """Whether some operand is no constant: else the op is not differentiated at all."""
    return any(graph.nodes[j].op not in ("literal", "data") for j in node.operands)


def _confirmed(graph: Graph, point: Sequence[Array], node: Node) -> Any:
    """The entries at which a node is exactly at its edge.

    Floats cannot tell: 1e-200 * 1e-200 is 0 in floats, and not at the edge. So the
    operands are computed in balls.
    """
    with ctx.workprec(EDGE_BITS):
        balls = interpret_all(graph, BALLS.table, [BALLS.lift(x) for x in point])
        operands = [_exactly(balls[j], graph.nodes[j].shape) for j in node.operands]
    return EDGES[node.op].at(*operands, **node.params)


def _exactly(value: Any, shape: Sequence[int]) -> Any:
    """Floats that are zero, or equal to one another, only if the balls surely are.

    A ball that is inexact, or below all floats, becomes a number that occurs only once.
    """
    found = []
    for k, ball in enumerate(flat(value)):
        number = float(ball.mid()) if ball.is_exact() else 0.0
        is_known = ball.is_exact() and (number != 0.0 or ball.is_zero())
        found.append(number if is_known else math.pi * (k + 2))
    return np.array(found).reshape(tuple(shape))


# ---- do the slopes say what the function does?

LINEAR = mpf(2) ** -40  # of the largest derivative: how far a sum of slopes may be off
QUOTIENT_BITS = 640  # a quotient's step is 2**-640: its square root is tiny as well
OUTSIDE = mpf(2) ** -50  # of a slope: how far a quotient may be off
WIDER = mpf(2) ** -20  # of a ball's radius, which may be a rounded constant


def is_linear(base: Any, slopes: Any, mixed: Any) -> bool:
    """Whether the gradient is linear in the slopes.

    If so, halving every slope halves what they add to the gradient.

    base: the gradient with all slopes 0. slopes: what each slope adds, in columns.
    mixed: the gradient with all slopes 1/2.
    """
    expected = base + slopes.sum(axis=1) / 2
    sizes = abs(base) + abs(slopes).sum(axis=1)
    pairs = zip(mixed - expected, sizes, strict=True)
    return all(abs(gap) <= LINEAR * size for gap, size in pairs)


def follows(
    graph: Graph,
    point: Sequence[Array],
    base: Any,
    slopes: Any,
    straight: Straightened,
) -> bool:
    """Whether difference quotients of the function lie within the slopes of each entry.

    This holds the table `EDGES` against the function itself. A quotient is taken in
    mpmath, on a side that is inside the domain. Entries whose slopes have no limit are
    left out.
    """
    groups = np.concatenate([g[g != 0] for g in straight.groups] or [np.zeros(0)])
    with mp.workprec(3 * QUOTIENT_BITS):
        start = value_at(graph, point)
        if start is None:
            return False
        for k, (slope, row) in enumerate(zip(base, slopes, strict=True)):
            if any(row[groups == RAY] != 0):
                continue
            widest = sum(
                (mp.norm(list(row[groups == g])) for g in set(groups.tolist())), mpf(0)
            )
            quotient = _quotient(graph, point, k, start)
            reach = (1 + WIDER) * widest + OUTSIDE * abs(slope) + OUTSIDE**4
            if quotient is None or abs(quotient - slope) > reach:
                return False
    return True


def _quotient(graph: Graph, point: Sequence[Array], entry: int, start: Any) -> Any:
    for step in (mpf(2) ** -QUOTIENT_BITS, -(mpf(2) ** -QUOTIENT_BITS)):
        moved = []
        first = 0
        for x in point:
            whole = np.array([mpf(float(v)) for v in x.ravel()], object)
            if first <= entry < first + x.size:
                whole[entry - first] += step
            first += x.size
            moved.append(whole.reshape(x.shape) if x.shape else whole[0])
        value = _value_of(graph, moved)
        if value is not None:
            return (value - start) / step
    return None


def _value_of(graph: Graph, inputs: Sequence[Any]) -> Any:
    try:
        return interpret_all(graph, MULTIPRECISION.table, inputs)[-1]
    except OutsideDomain:
        return None
