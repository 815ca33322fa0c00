"""The intermediate representation: a straight-line program of ops over arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradverify.graph.node import LEAVES, Array, Node, check
from gradverify.graph.show import formula

Arrays = Sequence[Array]


@dataclass(frozen=True, eq=False)
class Graph:
    """A straight-line program: nodes in topological order, the last one its output.

    It is checked when it is built. A `ValueError` names the node, the value, and what
    is allowed.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        check(self.nodes)

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What tells this graph from another one, in a form that can be hashed."""
        return tuple(node.key for node in self.nodes)

    @cached_property
    def _hash(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and self.key == other.key

    def __hash__(self) -> int:
        return self._hash

    @property
    def output(self) -> Node:
        """The last node."""
        return self.nodes[-1]

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The indices of the differentiated leaves, in order."""
        return tuple(i for i, node in enumerate(self.nodes) if node.op == "input")

    @cached_property
    def ops(self) -> tuple[str, ...]:
        """The ops that occur, each once, in their order. Leaves are no ops."""
        return tuple(dict.fromkeys(n.op for n in self.nodes if n.op not in LEAVES))

    @cached_property
    def size(self) -> int:
        """The number of ops applied."""
        return sum(node.op not in LEAVES for node in self.nodes)

    def __str__(self) -> str:
        return formula(self)

    def __repr__(self) -> str:
        return f"Graph({self})"
