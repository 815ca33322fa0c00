"""Slips that belong to no single op.

A sum at a fan-out is wrong, inputs are mixed up, or runs are mixed up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.diagnosis.observation import Observation
from gradverify.diagnosis.operand_slips import Key
from gradverify.diagnosis.substitutions import narrower
from gradverify.formats import DOUBLE, format_of, narrower_than
from gradverify.graph import CONSTANTS, LEAVES, Array, Graph

SHORT = 4  # bits that a number of a format may lack and still be typical of it
Nodes = tuple[int, ...]  # those that a slip is at; none for all that is given


@dataclass(frozen=True)
class Whole:
    """One way to go wrong outside of single ops.

    scopes: takes a graph, and yields pairs of a key and the nodes that the slip is at.
    numbers: takes an observation, the observation of the run before, a key and nodes.
        It returns all numbers as the slip gives them.
    """

    name: str
    says: str
    scopes: Callable[[Graph], Iterator[tuple[Key, Nodes]]]
    numbers: Callable[[Observation, Observation | None, Key, Nodes], Array | None]
    by_hand: bool = True


@dataclass(frozen=True)
class WholeSlip:
    """A slip outside of single ops that gives the numbers."""

    cause: Whole
    key: Key
    nodes: Nodes

    @property
    def node(self) -> int | None:
        """The one of its nodes that is nearest to the output."""
        return max(self.nodes, default=None)


def fan_outs(graph: Graph) -> list[int]:
    """The nodes that are used more than once, from the output back."""
    uses = [j for node in graph.nodes for j in node.operands]
    return [
        j
        for j in reversed(range(len(graph.nodes)))
        if uses.count(j) > 1 and graph.nodes[j].op not in CONSTANTS
    ]


def _at_fan_outs(keys: Sequence[Key]) -> Callable[[Graph], Any]:
    def scopes(graph: Graph) -> Iterator[tuple[Key, Nodes]]:
        found = fan_outs(graph)
        for key in keys:
            if found:
                yield key, tuple(found)
            for j in found if len(found) > 1 else ():
                yield key, (j,)

    return scopes


def _total(terms: Sequence[Any]) -> Any:
    return sum(terms[1:], terms[0])


def overwritten(o: Observation, b: Any, key: Key, nodes: Nodes) -> Array:
    def add(j: int, terms: Sequence[Any]) -> Any:
        kept = terms[-1] if key == "the first use" else terms[0]
        return kept if j in nodes else _total(terms)

    return o.flat(o.right.swept(add=add))


def repeated(o: Observation, b: Any, key: Key, nodes: Nodes) -> Array:
    def add(j: int, terms: Sequence[Any]) -> Any:
        times = {"as often as there are uses": len(terms), "as a mean": 1 / len(terms)}
        counted = times.get(key, key) if j in nodes and len(terms) > 1 else 1
        return _total(terms) * counted

    return o.flat(o.right.swept(add=add))


def _pairs(graph: Graph) -> Iterator[tuple[Key, Nodes]]:
    inputs = graph.inputs
    shapes = [graph.nodes[i].shape for i in inputs]
    if len(inputs) > 2:
        backwards = dict(zip(inputs, reversed(inputs), strict=True))
        turned = inputs[1:] + inputs[:1]
        for order in (backwards, dict(zip(inputs, turned, strict=True))):
            if all(
                graph.nodes[i].shape == graph.nodes[j].shape for i, j in order.items()
            ):
                yield order, inputs
    for a, i in enumerate(inputs):
        for b, j in enumerate(inputs):
            if shapes[a] == shapes[b] and a != b:
                yield {i: j}, (i,)
                if a < b:
                    yield {i: j, j: i}, (i, j)


def of_input(o: Observation, b: Any, key: Key, nodes: Nodes) -> Array:
    adjoints = list(o.right.adjoints)
    for i, j in key.items():
        adjoints[i] = o.right.adjoints[j]
    return o.flat(adjoints)


def _inputs(graph: Graph) -> Iterator[tuple[Key, Nodes]]:
    yield None, graph.inputs
    for i in graph.inputs if len(graph.inputs) > 1 else ():
        yield None, (i,)


def nothing(o: Observation, b: Any, key: Key, nodes: Nodes) -> Array:
    below = set(nodes) if len(nodes) == 1 else set(range(len(o.right.graph.nodes)))
    found = o.right.adjoints
    return o.flat([None if i in below else ct for i, ct in enumerate(found)])


def value(o: Observation, b: Any, key: Key, nodes: Nodes) -> Array | None:
    adjoints = list(o.right.adjoints)
    for i in nodes:
        if o.right.graph.nodes[i].shape != ():
            return None
        adjoints[i] = o.right.values[-1]
    return o.flat(adjoints)


def earlier(o: Observation, before: Observation | None, key: Key, n: Nodes) -> Any:
    if before is None or before.nodes != o.nodes:
        return None
    if before.given.shape != o.given.shape:  # a twin of the case in another shape
        return None
    return before.exact if key == "left over" else o.exact + before.given


def _earlier(graph: Graph) -> Iterator[tuple[Key, Nodes]]:
    yield "left over", ()
    yield "added up", ()


def _formats(graph: Graph) -> Iterator[tuple[Key, Nodes]]:
    yield from ((row.name, ()) for row in narrower_than(DOUBLE.name))


def in_format(o: Observation, b: Any, key: Key, nodes: Nodes) -> Array | None:
    """The given numbers, if they are the right ones up to a narrower format's rounding.

    None otherwise.
    """
    if format_of(key) not in narrower_than(o.case.dtype):
        return None
    unit, own = format_of(key).unit_roundoff, format_of(o.case.dtype).unit_roundoff
    room = np.maximum(16 * unit * np.abs(o.exact), o.room * (unit / own))
    near = np.abs(o.given - o.exact) <= room
    inputs = [o.got[i] for i in o.nodes if o.right.graph.nodes[i].op in LEAVES]
    narrow = all(bool(np.all(narrower(x, key) == x)) for x in inputs)
    # 0, 1 and their like are numbers of every format, and say nothing about this one
    fills = any(bool(np.any(narrower(x, key, SHORT) != x)) for x in inputs)
    return o.given if narrow and fills and np.all(near) else None


OFTEN = (2, 3, "as often as there are uses", "as a mean")

# fmt: off
WHOLES: tuple[Whole, ...] = (
    Whole("overwritten",
          "what its uses give is overwritten instead of added up: {key} alone counts",
          _at_fan_outs(["the first use", "the last use"]), overwritten),
    Whole("accumulated",
          "what its uses give is added up {key}",
          _at_fan_outs(OFTEN), repeated),
    Whole("another input",
          "the derivative of another input is given: {key}",
          _pairs, of_input),
    Whole("zero",
          "zero is given",
          _inputs, nothing),
    Whole("value",
          "the value is returned for the derivative",
          _inputs, value),
    Whole("stale gradient",
          "the derivative of the run before is {key}",
          _earlier, earlier, by_hand=False),
    Whole("lower precision",
          "the numbers are {key} numbers, of lower precision than claimed",
          _formats, in_format, by_hand=False),
)
# fmt: on


def whole_slips(
    seen: Sequence[Observation], *, by_hand: bool = False
) -> list[WholeSlip]:
    """The slips outside of single ops that give all numbers, in the order of the
    table.
    """
    if not any(o.deviates for o in seen):
        return []
    before: list[Observation | None] = [None, *seen[:-1]]
    found: list[WholeSlip] = []
    for cause in WHOLES:
        if by_hand and not cause.by_hand:
            continue
        for key, nodes in cause.scopes(seen[0].right.graph):
            if all(
                _fits(cause, o, b, key, nodes)
                for o, b in zip(seen, before, strict=True)
                if not (cause.name == "stale gradient" and b is None and len(seen) > 1)
            ):
                found.append(WholeSlip(cause, key, nodes))
                break  # a narrower scope or another key would say no more
    return found


def _fits(
    cause: Whole, o: Observation, b: Observation | None, key: Key, nodes: Nodes
) -> bool:
    with np.errstate(all="ignore"):
        numbers = cause.numbers(o, b, key, nodes)
    room = o.rooms_of(key) if cause.numbers is of_input else None
    return numbers is not None and o.is_explained_by(numbers, room)
