"""What is judged: a graph, a point and a dtype."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradverify.formats import check_dtype
from gradverify.graph.node import Array, frozen
from gradverify.graph.program import Graph


@dataclass(frozen=True, eq=False)
class Case:
    """A graph with a scalar output, the point to differentiate at, and a dtype.

    The point has one array for each input, of the input's shape and of `dtype`. It may
    hold NaN or infinity; the verdict then says so.
    """

    graph: Graph
    point: tuple[Array, ...]
    dtype: str = "float64"

    def __post_init__(self) -> None:
        check_dtype(self.dtype)
        if self.graph.output.shape != ():
            raise ValueError(
                f"the output has shape {self.graph.output.shape}; a case needs a "
                "scalar: sum the output, or contract it with a cotangent"
            )
        shapes = [self.graph.nodes[i].shape for i in self.graph.inputs]
        point = tuple(frozen(np.asarray(x, self.dtype)) for x in self.point)
        if [x.shape for x in point] != shapes:
            raise ValueError(
                f"the point has shapes {[x.shape for x in point]}; the graph's inputs "
                f"have {shapes}"
            )
        object.__setattr__(self, "point", point)
