"""The first cases of an op: kinds that are rare among drawn ones and break rules.

A literal on either side of an operator, since libraries take 2.0**x by a rule of its
own; equal values in two inputs, since an engine may take them for one; and edges:
zeros, equal numbers, subnormal and extreme ones, and cotangents of exactly 0. A sweep
over sizes, since formulas change at sizes that a few draws pass by: from 20 on softplus
is x in some library, below -12 a sigmoid is an exponential in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.formats import drawn_in, format_of
from gradverify.graph import (
    Array,
    Case,
    Graph,
    Node,
    apply_op,
    data_leaf,
    input_leaf,
    literal_leaf,
)
from gradverify.ops import OPS, Op
from gradverify.ops.separate import is_elementwise
from gradverify.ops.shapes import elementwise
from gradverify.strategies.draft import is_sound
from gradverify.strategies.own_shapes import OWN_SHAPES
from gradverify.strategies.params import legal_params, result_shape
from gradverify.strategies.shrinking.minimise import key_of

LITERALS: tuple[float, ...] = (2.0, 3)
VALUE = 1.75


@lru_cache(maxsize=1024)
def first_cases(op: str, dtype: str) -> tuple[Case, ...]:
    """What every run looks at first for an op; none for ops of one operand."""
    row = OPS[op]
    if row.shape is not elementwise or row.arity != 2:
        return ()
    found = (*_equal(op, dtype), *(_with_literals(op, dtype) if row.operator else ()))
    return tuple(case for case in found if is_sound(case))


# ---- edges

ZERO_COTANGENT = (0.0, 2.0)
"""Weights of a sum: where an operand has one of 0, nothing goes back to it."""


# fmt: off
EDGES: Mapping[str, Callable[[str], tuple[float, ...]]] = {
    "a zero":               lambda dtype: (0.0,),
    "one":                  lambda dtype: (1.0,),
    "minus one":            lambda dtype: (-1.0,),
    "a negative number":    lambda dtype: (-2.0,),
    "between poles":        lambda dtype: (-2.5,),
    "a subnormal number":   lambda dtype: (1000.0 * format_of(dtype).smallest,),
    "the smallest number":  lambda dtype: (format_of(dtype).smallest,),
    "the largest exponent": lambda dtype: (drawn_in(dtype).extremes[-1],),
    "a huge number":        lambda dtype: (drawn_in(dtype).extremes[0],),
    "a tiny number":        lambda dtype: (drawn_in(dtype).extremes[3],),
    "zeros":                lambda dtype: (0.0, 0.0),
    "equal numbers":        lambda dtype: (1.75, 1.75),
    "a zero among others":  lambda dtype: (0.0, 2.0, 3.0),
    "a zero row":           lambda dtype: (0.0, 0.0, 3.0, 4.0),
    "huge and tiny":        lambda dtype: drawn_in(dtype).extremes[1:5:3],
}
# fmt: on
"""The entries of every operand: numbers, arrays, and four as two rows."""

BESIDE = ("a zero", "a negative number", "a huge number", "a tiny number")
"""Those at which an op of two operands has an ordinary number beside, too."""


SWEEPS: tuple[tuple[float, ...], ...] = (
    (1e-8, 1e-3, 0.1, 0.4, 0.8, 1.2, 1.7, 2.7, 4.4, 6.6, 9.1, 13.2),
    (18.4, 21.3, 25.2, 30.7, 36.1, 45.6, 88.4, 100.3),
)
"""Sizes that stand in one array, with either sign: fewer than are differenced one by
one."""


def edge_cases(op: str, dtype: str, seed: int = 0) -> tuple[Case, ...]:
    """Sweeps of an elementwise op of one operand over sizes, then its cases at edges.

    The seed says which of the edges is the first.
    """
    edges = _edges(op, dtype)
    turn = seed % max(len(edges), 1)
    return (*_sweeps(op, dtype), *edges[turn:], *edges[:turn])


@lru_cache(maxsize=1024)
def _sweeps(op: str, dtype: str) -> tuple[Case, ...]:
    """The op's own thresholds and the sizes above, as far as they lie in the domain.

    An op of more operands has none.
    """
    row = OPS[op]
    if not is_elementwise(op) or row.arity != 1 or row.masks:
        return ()
    params = _params_at(row, (np.array(1.0, dtype),))[0]
    own = [x for x in params.values() if isinstance(x, float)]
    signed = (np.array(s) * t for s in SWEEPS for t in (1.0, -1.0))
    found = (_sweep(row, params, dtype, x) for x in (np.array(own), *signed))
    return tuple(case for case in found if case is not None and is_sound(case))


def _sweep(row: Op, params: Mapping[str, Any], dtype: str, sizes: Array) -> Case | None:
    """One array of those numbers at which the op alone is sound."""

    def at(x: Array) -> Case:
        nodes: list[Node] = [input_leaf(x.shape)]
        nodes.append(apply_op(nodes, row.name, (0,), **params))
        return Case(Graph(_summed(nodes, weighted=False)), (x,), dtype)

    kept = [x for x in sizes.astype(dtype) if is_sound(at(np.asarray(x)))]
    return at(np.array(kept, dtype)) if kept else None


@lru_cache(maxsize=1024)
def _edges(op: str, dtype: str) -> tuple[Case, ...]:
    """Cases of an op at the edges above, where they lie in its domain and fit.

    Then those of arrays once more, with a cotangent of 0 at their first entry.
    """
    row = OPS[op]
    if row.masks or row.name in OWN_SHAPES:
        return ()
    made = (case for name in EDGES for case in _at_edge(row, name, dtype))
    return tuple({key_of(case): case for case in made if is_sound(case)}.values())


def _at_edge(row: Op, name: str, dtype: str) -> Iterator[Case]:
    """One value in all operands, or beside another; then with a cotangent of 0."""
    entries = EDGES[name](dtype)
    shape = {1: (), 4: (2, 2)}.get(len(entries), (len(entries),))
    x = np.array(entries, dtype).reshape(shape)
    count = row.arity or 2
    points = [(x,) * count]
    if name in BESIDE and count == 2:
        other = np.array(VALUE, dtype)
        points += [(x, other), (other, x)]
    for point in points:
        for params in _params_at(row, point):
            nodes: list[Node] = [input_leaf(shape) for _ in point]
            nodes.append(apply_op(nodes, row.name, range(count), **dict(params)))
            for weighted in (False, True) if nodes[-1].shape else (False,):
                yield Case(Graph(_summed(nodes, weighted)), point, dtype)


def _params_at(row: Op, point: Sequence[Array]) -> list[dict[str, Any]]:
    """The simplest params, over the last axis of rows; and those for which the point is
    on the edge of the domain.
    """
    shapes = tuple(x.shape for x in point)
    legal = (p for p in legal_params(row.name, *shapes)
             if result_shape(row.name, shapes, p) is not None)  # fmt: skip
    menu = [dict(p) for p in legal]
    last = [p for p in menu if p.get("axis") in ((-1,), -1)]
    with np.errstate(all="ignore"):
        at_edge = [
            p
            for p in menu
            if row.domain.holds(*point, at_edges=True, **p)
            and not row.domain.holds(*point, **p)
        ]
    return [*(last if point[0].ndim > 1 and last else menu)[:1], *at_edge]


def _summed(nodes: Sequence[Node], weighted: bool) -> tuple[Node, ...]:
    """The nodes and the sum of the last, weighted with a 0 if that is asked for."""
    result, shape = [*nodes], nodes[-1].shape
    if weighted:
        result.append(data_leaf(np.resize(ZERO_COTANGENT, shape)))
        result.append(apply_op(result, "mul", (len(result) - 2, len(result) - 1)))
    if shape != ():
        result.append(apply_op(result, "sum", (len(result) - 1,)))
    return tuple(result)


# ---- literals and equal values


def _equal(op: str, dtype: str) -> Iterator[Case]:
    """Two inputs of one value: numbers, then arrays."""
    for shape in ((), (2,)):
        nodes: list[Node] = [input_leaf(shape), input_leaf(shape)]
        x = np.full(shape, VALUE)
        yield _case(nodes, op, (0, 1), (x, x.copy()), dtype)


def _with_literals(op: str, dtype: str) -> Iterator[Case]:
    """A literal on the left, and on the right; of either kind of number."""
    for value in LITERALS:
        left: list[Node] = [literal_leaf(value), input_leaf(())]
        yield _case(left, op, (0, 1), (np.array(VALUE),), dtype)
        right: list[Node] = [input_leaf(()), literal_leaf(value)]
        yield _case(right, op, (0, 1), (np.array(VALUE),), dtype)


def _case(
    nodes: list[Node],
    op: str,
    operands: tuple[int, int],
    point: tuple[np.ndarray, ...],
    dtype: str,
) -> Case:
    nodes.append(apply_op(nodes, op, operands))
    if nodes[-1].shape != ():
        nodes.append(apply_op(nodes, "sum", (len(nodes) - 1,)))
    return Case(Graph(tuple(nodes)), point, dtype)
