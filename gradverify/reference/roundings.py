"""A program at points and with its roundings made: values, sizes of roundings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.formats import Format, format_of
from gradverify.graph import CONSTANTS, Array, Graph, Node
from gradverify.ops import OPS
from gradverify.ops.calculus import Reach
from gradverify.ops.sites import Site
from gradverify.reference.gradient_program import GradientProgram
from gradverify.reference.rounding import SAFETY, STRAIGHT
from gradverify.reference.stacked import StackedOp, leaf_values, steps_of


@dataclass(frozen=True, eq=False)
class Roundings:
    """A program at points, and how large its roundings are there.

    values: of every node, at the points and then at the same points with every
        rounding made, in a direction that alternates.
    tight, loose: by node, the sizes of its roundings, and what loose adds.
    is_straight: for every point, whether no curved op had its operands moved as far
        as its slope changes.
    """

    graph: Graph
    points: Sequence[Sequence[Array]]
    form: Format
    values: list[Any]
    tight: Mapping[int, Array]
    loose: Mapping[int, Array]
    is_straight: Array

    def values_at(self, k: int) -> list[Any]:
        """The value of every node at row k."""
        return [v if v.dtype == bool else v[k] for v in self.values]

    def scales_at(self, k: int) -> tuple[dict[int, Array], dict[int, Array]]:
        """The sizes of the roundings at row k, tight ones and what loose adds."""
        tight, loose = (
            {i: s[k] for i, s in x.items()} for x in (self.tight, self.loose)
        )
        return tight, loose


@np.errstate(all="ignore")
def roundings(
    program: GradientProgram, points: Sequence[Sequence[Array]], dtype: str
) -> Roundings:
    """Run a program at points, and beside each with every rounding made.

    And with the slack of the way forward, along which what comes later may be curved;
    the way back is a product of slopes.
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
                y = values[step.place] = y.copy()  # which was the operand itself
                _move(y[count:], next(sign), size[count:], known.site, form)
            continue
        scale = _scale(step, y, x, units)
        if scale is not None:
            _move(y[count:], next(sign), scale[count:], known.site, form)
            if units or not _is_exact_product(graph.nodes, step.node):
                _enter(step, y, _scale(step, y, x, units), form, tight, loose)
    return Roundings(graph, points, form, values, tight, loose, is_straight)


def _scale(step: StackedOp, y: Array, x: Sequence[Any], units: float | None) -> Any:
    """The rounding of a node in units of roundoff, or what an engine declares of it."""
    scale = step.site(y, *x)
    if units is None:
        return scale
    declared = units * np.abs(y)
    return declared if scale is None else np.maximum(scale, declared)


def _stays(reach: Reach, x: Sequence[Any], count: int) -> Array:
    """For every point, whether the operands of a curved op are moved too little."""
    result = np.ones(count, bool)
    radii = reach(*(v[:count] for v in x))
    for v, radius in zip(x, radii, strict=True):
        near = np.abs(v[count:] - v[:count]) <= STRAIGHT * radius
        result &= near.reshape(count, -1).all(axis=1)
    return result


def _move(y: Array, sign: float, scale: Array, site: Site, form: Format) -> None:
    """Move every entry by its rounding; neighbours apart, as no shift would see it."""
    least = SAFETY * form.smallest if site.underflows else 0.0
    signs = sign * _signs(y[0].size).reshape(y.shape[1:])
    y += signs * (SAFETY * form.unit_roundoff * scale + least)


def _alternating() -> Iterator[float]:
    """Signs without a short period (Thue and Morse), so that no two errors pair up."""
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
    """The size of a node's rounding, and what loose adds to it."""
    site, size = OPS.calculus(step.node.op).site, np.abs(y)
    rounding = form.unit_roundoff * scale
    if site.underflows:
        rounding = rounding + form.smallest
    # the scale of a sum holds all summands: in some order they overflow first
    most = scale if site.adds else size
    within = most <= form.largest
    tight[step.place] = rounding if within.all() else np.where(within, rounding, np.inf)
    lost = size < form.normal
    if lost.any():
        # Factors in another order, or a backend that flushes to zero, lose it.
        loose[step.place] = np.where(lost, size, 0.0)


def _is_exact_product(nodes: Sequence[Node], node: Node) -> bool:
    """Whether a product is with 1, as the one that starts the reverse sweep."""
    return node.op == "mul" and any(
        nodes[j].op in CONSTANTS and np.all(nodes[j].value == 1.0)
        for j in node.operands
    )
