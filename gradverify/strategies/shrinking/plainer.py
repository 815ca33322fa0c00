"""Plainer numbers: the same program at values that are easier to read."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from gradverify.graph import Array, Case, Node, data_leaf, literal_leaf
from gradverify.strategies.params import legal_params
from gradverify.strategies.shrinking.editable_case import EditableCase

# The plainest first. Zero comes late: it hides more than it shows.
PLAINEST = (1.0, 2.0, 3.0, 0.5, 4.0, -1.0, 5.0, -2.0, 10.0, -3.0, -0.5, 0.0, 6.0, -4.0)

BITS = {True: 0.0, False: 1.0}
ENDLESS = 1000.0  # for a number that overflowed


def ugliness(case: Case) -> float:
    """How far inputs, data, literals and params are from plain ones, summed up."""
    nodes = case.graph.nodes
    total = sum(_ugliness_of(v) for x in case.point for v in x.ravel())
    for node in nodes:
        if node.op == "data":
            total += sum(_ugliness_of(v) for v in node.value.ravel())
        elif node.op == "literal":
            total += _ugliness_of(node.value)
        elif node.params:
            menu = legal_params(node.op, *(nodes[j].shape for j in node.operands))
            chosen = tuple(node.params.items())
            total += menu.index(chosen) if chosen in menu else len(menu)
    return total


def _ugliness_of(value: Any) -> float:
    """0 for 1.0; a little for other plain numbers; more for every digit."""
    if isinstance(value, bool | np.bool_):
        return BITS[bool(value)]
    if value in PLAINEST:
        return float(PLAINEST.index(value))
    if not math.isfinite(value):
        return ENDLESS
    digits = len(str(value).split("e")[0].strip("-0.").replace(".", ""))
    exponent = math.floor(math.log10(abs(value)))
    return 20.0 + 10.0 * digits + abs(exponent) + bool(value < 0)


def _plainer(value: Any) -> list[Any]:
    """Plainer values that may replace a value, the plainest first."""
    number = float(value)
    if not math.isfinite(number):
        return list(PLAINEST)
    rounded = [round(number, k) for k in (0, 1, 2)]
    rounded += [float(math.floor(number)), float(math.ceil(number))]
    rounded += [float(f"{number:.{k}e}") for k in (0, 1)]
    if number:
        rounded.append(math.copysign(10.0 ** round(math.log10(abs(number))), number))
        rounded += _nearer_to_one(number)
    menu = dict.fromkeys([*PLAINEST, *rounded])
    own = _ugliness_of(value)
    return sorted((v for v in menu if _ugliness_of(v) < own), key=_ugliness_of)


def _nearer_to_one(number: float) -> list[float]:
    """Numbers of another size, for one that is huge or tiny: -70 and -20 for -700."""
    exponent = math.floor(math.log10(abs(number)))
    if abs(exponent) < 2:
        return []
    first = float(f"{abs(number):.0e}".partition("e")[0])
    exponents = (1 if exponent > 0 else -1, exponent // 2)
    return [
        math.copysign(float(f"{digit:g}e{k}"), number)
        for k, digit in itertools.product(exponents, (first, 2.0))
    ]


def plainer_values(program: EditableCase) -> Iterator[EditableCase]:
    """All entries of an input equal; each one plainer; literals and params plainer."""
    for i, x in program.inputs.items():
        if x.size > 1:
            for v in (*PLAINEST[:6], *x.ravel()[:3]):
                yield _with_input(program, i, np.full_like(x, v))
    for i, x in program.inputs.items():
        yield from (_with_input(program, i, y) for y in _entries(x))
    for i, node in enumerate(program.nodes):
        for other in _plainer_nodes(program, node):
            yield program.changed({i: other}, keep_unused=True)


def _with_input(program: EditableCase, i: int, value: Array) -> EditableCase:
    return program.changed({}, {i: value}, keep_unused=True)


def _entries(x: Array) -> Iterator[Array]:
    for place in np.ndindex(x.shape):
        for v in _plainer(x[place]):
            y = np.array(x)
            y[place] = v
            yield y


def _plainer_nodes(program: EditableCase, node: Node) -> Iterator[Node]:
    if node.op == "literal":
        numbers = _plainer(node.value)
        whole = [int(v) for v in numbers if v == int(v)]
        yield from map(literal_leaf, whole if isinstance(node.value, int) else numbers)
    elif node.op == "data" and node.value.dtype == bool:
        yield data_leaf(np.ones_like(node.value))
    elif node.op == "data":
        yield from (data_leaf(np.full_like(node.value, v)) for v in PLAINEST[:4])
        yield from map(data_leaf, _entries(node.value))
    elif node.params:
        shapes = (program.nodes[j].shape for j in node.operands)
        menu = legal_params(node.op, *shapes)
        chosen = tuple(node.params.items())
        earlier = itertools.takewhile(lambda params: params != chosen, menu)
        for params in earlier:
            yield Node(node.op, node.operands, dict(params), node.shape)
