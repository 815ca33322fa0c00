"""A graph in which slopes are inputs, in the place of what has no slope of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradverify.graph import Graph


@dataclass(frozen=True, eq=False)
class SlopedGraph:
    """A graph with inputs beside those of the graph that it was made from.

    inputs: where the inputs of the original graph are among its inputs, by position.
    slopes: where the slopes are among them.
    """

    graph: Graph
    inputs: tuple[int, ...]
    slopes: tuple[int, ...]

    def point(self, point: Sequence[Any], slopes: Sequence[Any]) -> list[Any]:
        """The original point and the slopes, in the order of this graph's inputs."""
        merged = [*zip(self.inputs, point, strict=True)]
        merged += zip(self.slopes, slopes, strict=True)
        return [value for _, value in sorted(merged, key=lambda pair: pair[0])]
