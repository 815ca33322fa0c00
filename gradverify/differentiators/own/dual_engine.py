"""Our own forward mode: dual numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from gradverify.autodiff import Dual
from gradverify.autodiff.units import Units
from gradverify.differentiators.own.spelling import dual
from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    mode,
)
from gradverify.differentiators.spelling import Spelling
from gradverify.graph import Array, Graph

FEWEST = 256  # tangents in one run, at least, to share its cost
MOST_TANGENTS = 2048  # at most: beyond that a run costs in proportion
MOST_NUMBERS = 2**22  # of a result of the run, to which its tangents are cut down
SPARSE_FROM = 2**20  # numbers of an input, from which unit tangents are not written out


class OwnDual(Differentiator):
    """Dual numbers, many unit tangents in one run."""

    name = "own-dual"
    accepts = Accepts(dtypes=("float64", "float32"))
    table = Dual.table

    def versions(self) -> Mapping[str, str]:
        """NumPy's version: its functions are the primitives."""
        return {"numpy": np.__version__}

    def spelling(self, mode: str) -> Spelling:
        """By our dual numbers; the library is gradverify itself."""
        return dual()

    @mode("gradient", default=True)
    def forward(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The tangents of the output along every entry of every input."""
        ends = np.cumsum([0, *(x.size for x in point)])
        value, blocks = None, []
        inputs = [Dual(x, np.zeros((0, *x.shape))) for x in point]
        count = _tangents(function.graph)
        for first in range(0, max(ends[-1], 1), count):
            output = function(*_seeded(inputs, first, min(first + count, ends[-1])))
            if not isinstance(output, Dual):
                return Pulled(output, [None] * len(point))
            value = output.primal
            blocks.append(output.tangent)
        whole = np.concatenate(blocks)
        parts = [whole[a:b] for a, b in pairwise(ends)]
        shaped = [p.reshape(x.shape) for p, x in zip(parts, point, strict=True)]
        return Pulled(value, shaped)


def _tangents(graph: Graph) -> int:
    """How many are pushed in one run."""
    results = (math.prod(node.shape) for node in graph.nodes if node.operands)
    return max(FEWEST, min(MOST_TANGENTS, MOST_NUMBERS // max((1, *results))))


def _seeded(inputs: Sequence[Dual], first: int, last: int) -> list[Dual]:
    """The inputs with the unit tangents from `first` up to `last` of all entries."""
    duals, start, count = [], 0, last - first
    is_large = max((x.size for x in inputs), default=0) * count > SPARSE_FROM
    for x in inputs:
        entries = np.arange(max(first, start), min(last, start + x.size))
        ones = np.ones(len(entries), np.asarray(x.primal).dtype)
        units = Units((count, *x.shape), entries - first, entries - start, ones)
        duals.append(x.along(units if is_large else np.asarray(units)))
        start += x.size
    return duals
