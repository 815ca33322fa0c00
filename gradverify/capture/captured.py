"""What a call of a user's function was captured to: a straight-line program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradverify.graph import (
    Array,
    Case,
    Graph,
    Node,
    apply_op,
    data_leaf,
    live,
)


class NotCaptured(Exception):
    """The function could not be written down as a graph; the text says at what."""


@dataclass(frozen=True)
class SourceLine:
    """A line of the user's code: its file, its number and its text."""

    path: str
    number: int
    text: str = ""

    def __str__(self) -> str:
        """As an editor jumps to it, and what stands there."""
        said = f": {self.text}" if self.text else ""
        return f"{self.path}:{self.number}{said}"


@dataclass(frozen=True, eq=False)
class Captured:
    """A function at one point: the program that it ran, on the values that it met.

    nodes: the program; its inputs are the arguments that are differentiated, in their
        order.
    outputs: the node of each differentiable output.
    held: nodes that the library does not differentiate through, such as the result of
        `detach`, and the values that they had.
    decided: what the values decided and the program takes as given: comparisons, the
        places of largest entries, numbers that were read. Two captures that differ in
        it are two branches.
    lines: the line of the user's code that each node comes from.
    ties: decisions that rounding may turn, in words; slopes may differ on either side.
    estimated: where the author of a derivative passes a slope on through an op that is
        constant in pieces, such as `round`; for each, the nodes of its operands.
    reads: how many numbers outside a `Function` were read and computed with in Python,
        which the library takes for constants.
    searches: whether a loop within a function with a derivative of its own ends where
        its numbers say so, as a solver's does.
    form: the narrowest format that a number on the way was rounded to; None for that
        of the inputs.
    authors: who says what a derivative is, such as an `autograd.Function`, by name,
        with the line where it is said.
    remarks: sentences for the reader: random numbers, numbers that were read, ...
    """

    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    held: Mapping[int, Array] = field(default_factory=dict)
    decided: tuple[Any, ...] = ()
    lines: Mapping[int, SourceLine] = field(default_factory=dict)
    ties: tuple[str, ...] = ()
    estimated: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    reads: int = 0
    searches: bool = False
    form: str | None = None
    authors: Mapping[str, SourceLine] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of the outputs."""
        return tuple(self.nodes[i].shape for i in self.outputs)

    @property
    def passed_on(self) -> frozenset[int]:
        """The inputs, by position, whose slopes an author may pass on through steps.

        They reach an operand of such an op; or they reach no output and decide alone.
        """
        inputs = [i for i, n in enumerate(self.nodes) if n.op == "input"]
        reach = self._behind(i for spots in self.estimated.values() for i in spots)
        if self.authors and self.decided:
            used = self._behind(self.outputs)
            reach |= {i for i in inputs if i not in used}
        return frozenset(k for k, i in enumerate(inputs) if i in reach)

    def _behind(self, nodes: Iterable[int]) -> set[int]:
        """Some nodes, and all that they are computed from."""
        found = set(nodes)
        for i in reversed(range(len(self.nodes))):
            if i in found:
                found.update(self.nodes[i].operands)
        return found


@dataclass(frozen=True, eq=False)
class Contracted:
    """A scalar graph of a captured function: its outputs, weighted and summed.

    lines: the line of the user's code that each node of the graph comes from.
    """

    graph: Graph
    lines: Mapping[int, SourceLine]


def contracted(
    captured: Captured, cotangents: Sequence[Array], *, hold: bool = True
) -> Contracted:
    """The sum of the outputs times their cotangents, which are data of the graph.

    hold: whether held nodes are data, as the library takes them when it differentiates.
    """
    nodes = list(captured.nodes)
    if hold:
        for i, value in captured.held.items():
            nodes[i] = data_leaf(value)
    terms = []
    for i, ct in zip(captured.outputs, cotangents, strict=True):
        terms.append(_weighted(nodes, i, np.asarray(ct, np.float64)))
    total = terms[0]
    for term in terms[1:]:
        nodes.append(apply_op(nodes, "add", [total, term]))
        total = len(nodes) - 1
    if total != len(nodes) - 1 or nodes[total].operands == ():
        nodes.append(apply_op(nodes, "reshape", [total], shape=()))
    kept = _kept(nodes)
    lines = {kept[i]: line for i, line in captured.lines.items() if i in kept}
    return Contracted(Graph(live(nodes)), lines)


def _weighted(nodes: list[Node], i: int, ct: Array) -> int:
    """The node of the weighted sum of an output."""
    nodes.append(data_leaf(np.broadcast_to(ct, nodes[i].shape)))
    nodes.append(apply_op(nodes, "mul", [i, len(nodes) - 1]))
    if nodes[-1].shape != ():
        nodes.append(
            apply_op(nodes, "sum", [len(nodes) - 1], axis=None, keepdims=False)
        )
    return len(nodes) - 1


def _kept(nodes: Sequence[Node]) -> dict[int, int]:
    """The nodes that `live` keeps, and their new numbers."""
    needed = {len(nodes) - 1}
    for i in reversed(range(len(nodes))):
        if i in needed:
            needed.update(nodes[i].operands)
    kept = [i for i, n in enumerate(nodes) if i in needed or n.op == "input"]
    return {old: new for new, old in enumerate(kept)}


def case_of(
    captured: Captured,
    point: Sequence[Array],
    cotangents: Sequence[Array],
    dtype: str,
    *,
    hold: bool = True,
) -> Case:
    """The case that a call comes to at a point, for given cotangents."""
    graph = contracted(captured, cotangents, hold=hold).graph
    return Case(graph, tuple(point), dtype)
