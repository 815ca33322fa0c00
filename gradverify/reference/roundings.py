"""How large the roundings of a program are at given points.

The program is run at the points, and once more at the same points with every rounding
made on purpose. The second run shows whether first order holds: if roundings move an
operand so far that the slope there is another one, a linear bound says too little.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.formats import DTYPES, Format, format_of
from gradverify.graph import CONSTANTS, Array, Graph, Node
from gradverify.ops import OPS
from gradverify.ops.calculus import Reach
from gradverify.ops.sites import Site, rounded_sum
from gradverify.reference.gradient_program import GradientProgram
from gradverify.reference.rounding import SAFETY, STRAIGHT
from gradverify.reference.stacked import StackedOp, leaf_values, steps_of


@dataclass(frozen=True, eq=False)
class Roundings:
    """A program at points, and how large its roundings are there.

    A stack has a row for each point, and then a row for each point with every rounding
    made. The signs of these roundings alternate.

    values: for every node, a stack of its values.
    tight: by node, a stack of the sizes of its roundings.
    loose: by node, what a loose bound adds to them.
    is_straight: for every point, whether the operands of each curved op stayed within
        its reach, so that first order holds.
    """

    graph: Graph
    points: Sequence[Sequence[Array]]
    form: Format
    values: list[Any]
    tight: Mapping[int, Array]
    loose: Mapping[int, Array]
    is_straight: Array

    def values_at(self, k: int) -> list[Any]:
        """The value of every node in row k of the stacks."""
        return [v if v.dtype == bool else v[k] for v in self.values]

    def scales_at(self, k: int) -> tuple[dict[int, Array], dict[int, Array]]:
        """The sizes of the roundings in row k: the tight ones, and what loose adds."""
        tight, loose = (
            {i: s[k] for i, s in x.items()} for x in (self.tight, self.loose)
        )
        return tight, loose


@np.errstate(all="ignore")
def roundings(
    program: GradientProgram, points: Sequence[Sequence[Array]], dtype: str
) -> Roundings:
    """Run a program at points, and again with every rounding made.

    On the way forward slack is made as well, since a curved op may follow. On the way
    back it is not: there every node is a product of slopes, which is linear in each.
    """
    graph, forward = program.graph, len(program.expansion.graph.nodes)
    form, count, sign = format_of(dtype), len(points), _alternating()
    values = leaf_values(graph, [*points, *points])
    tight: dict[int, Array] = {}
    loose: dict[int, Array] = {}
    is_straight = np.ones(count, bool)
    for step in steps_of(graph):
        x, known = step.operands(values), OPS.calculus(step.node.op)
        if known.reach is not None:
            is_straight &= _stays(known.reach, x, count)
        y = values[step.place] = step.function(*x)
        units = program.units.get(step.place)
        if step.node.op == "slack":
            if units is not None:
                tight[step.place] = units * form.unit_roundoff * np.abs(y)
            size = np.broadcast_to(np.abs(x[1]), y.shape)
            loose[step.place] = form.unit_roundoff * size
            if step.place < forward:
                y = values[step.place] = y.copy()  # a slack returns its operand itself
                signs = _away(y, count, next(sign))
                _move(y[count:], signs, size[count:], known.site, form)
            continue
        scale = _scale(step, y, x, units)
        if scale is not None and not _is_exact(graph.nodes, step.node, y, form):
            if y is x[0]:  # an op that returns its operand, which must stay as it is
                y = values[step.place] = y.copy()
            signs = _away(y, count, next(sign))
            _move(y[count:], signs, scale[count:], known.site, form)
            if units or not _is_exact_product(graph.nodes, step.node):
                _enter(step, y, _scale(step, y, x, units), form, tight, loose)
    return Roundings(graph, points, form, values, tight, loose, is_straight)


def _scale(step: StackedOp, y: Array, x: Sequence[Any], units: float | None) -> Any:
    """The size of a node's rounding in units of roundoff; None if it is exact.

    An engine may declare that its op rounds more than usual.
    """
    scale = step.site(y, *x)
    if units is None:
        return scale
    declared = units * np.abs(y)
    return declared if scale is None else np.maximum(scale, declared)


def _stays(reach: Reach, x: Sequence[Any], count: int) -> Array:
    """For every point, whether a curved op's operands moved far less than its reach."""
    result = np.ones(count, bool)
    radii = reach(*(v[:count] for v in x))
    for v, radius in zip(x, radii, strict=True):
        near = np.abs(v[count:] - v[:count]) <= STRAIGHT * radius
        result &= near.reshape(count, -1).all(axis=1)
    return result


def _move(y: Array, signs: Array, scale: Array, site: Site, form: Format) -> None:
    """Move every entry by its rounding, in its direction."""
    least = SAFETY * form.smallest if site.underflows else 0.0
    y += signs * (SAFETY * form.unit_roundoff * scale + least)


def _away(y: Array, count: int, sign: float) -> Array:
    """The signs of the roundings in the moved rows: away from the point.

    A rounding must not undo that of an operand: (2 + a) / a would stand still, though
    each of its two roundings may take it beyond a whole number.
    """
    moved = y[count:] - y[:count]
    return np.where(
        moved > 0.0, 1.0, np.where(moved < 0.0, -1.0, _directions(moved, sign))
    )


def _directions(y: Array, sign: float) -> Array:
    """Where every entry that has not moved yet moves to.

    Neighbours move in different directions. If all moved in one, an op that does not
    see a shift, such as softmax, would hide them.
    """
    return sign * _signs(y[0].size).reshape(y.shape[1:])


def _alternating() -> Iterator[float]:
    """Signs without a period (Thue and Morse), so that no errors cancel in pairs."""
    return (-1.0 if k.bit_count() % 2 else 1.0 for k in itertools.count())


@lru_cache(maxsize=256)
def _signs(count: int) -> Array:
    return np.fromiter(_alternating(), float, count)


def _enter(
    step: StackedOp,
    y: Array,
    scale: Array,
    form: Format,
    tight: dict[int, Array],
    loose: dict[int, Array],
) -> None:
    """Note the size of a node's rounding, and what loose adds to it."""
    site, size = OPS.calculus(step.node.op).site, np.abs(y)
    rounding = form.unit_roundoff * scale
    if site.underflows:
        rounding = rounding + form.smallest
    # A sum may overflow in some order of its summands, even if its result does not.
    most = scale if site.adds else size
    within = most <= form.largest
    tight[step.place] = rounding if within.all() else np.where(within, rounding, np.inf)
    lost = size < form.normal
    if lost.any():
        # A result below the normal numbers may be lost as a whole: by factors in
        # another order, or by a backend that turns subnormal numbers into zero.
        loose[step.place] = np.where(lost, size, 0.0)


def _is_exact(nodes: Sequence[Node], node: Node, y: Array, form: Format) -> bool:
    """Whether a sum of constants is a number of the format, so that nothing is rounded.

    An exponent less 1 is one: if it were moved, a power of a negative number were none.
    """
    return (
        OPS.calculus(node.op).site is rounded_sum
        and form.name in DTYPES
        and all(nodes[j].op in CONSTANTS for j in node.operands)
        and bool(np.all(y == y.astype(form.name)))
    )


def _is_exact_product(nodes: Sequence[Node], node: Node) -> bool:
    """Whether a product is one with 1, such as the first of a reverse sweep."""
    return node.op == "mul" and any(
        nodes[j].op in CONSTANTS and np.all(nodes[j].value == 1.0)
        for j in node.operands
    )
