"""Our own forward mode: dual numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradverify.autodiff import Dual, bare
from gradverify.autodiff.units import Units
from gradverify.differentiators.own.spelling import dual
from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Pushed,
    mode,
)
from gradverify.differentiators.spelling import Spelling
from gradverify.graph import Array, Graph

Tangents = Sequence[Array | None]

DUALS = Dual.over(Dual.algebra)  # duals of duals

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
        return self._jacobian(function, point)

    @mode("jvp")
    def jvp(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pushed:
        """One tangent. An input without one is a constant."""
        pairs = zip(point, tangents, strict=True)
        output = function(*(x if t is None else Dual(x, t[None]) for x, t in pairs))
        if not isinstance(output, Dual):
            return Pushed(output, None)
        return Pushed(output.primal, output.tangent[0])

    @mode("hvp")
    def forward_over_forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """Duals of duals: along the tangents, and along every entry of every input."""
        given = zip(point, tangents, strict=True)
        along = [(np.zeros_like(x) if t is None else t)[None] for x, t in given]

        def run(inputs: Sequence[Dual]) -> tuple[Any, Any]:
            output = function(*map(DUALS, inputs, along))
            return output, output.tangent if isinstance(output, DUALS) else None

        value, slopes = _by_entries(run, function.graph, point)
        products = [None if s is None else s[:, 0] for s in slopes]
        return Pulled(bare(value), _shaped(products, (), point))

    @mode("jacobian")
    def jacobian(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The same of an array."""
        return self._jacobian(function, point)

    def _jacobian(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        def run(inputs: Sequence[Dual]) -> tuple[Any, Any]:
            output = function(*inputs)
            return output, output

        value, slopes = _by_entries(run, function.graph, point)
        return Pulled(bare(value), _shaped(slopes, np.shape(value), point))


def _by_entries(
    run: Callable[[Sequence[Dual]], tuple[Any, Any]],
    graph: Graph,
    point: Sequence[Array],
) -> tuple[Any, list[Any]]:
    """What a run gives, and for each input the tangents of what is looked at.

    They are stacks of one tangent for each entry of the input, or None where what is
    looked at is a constant.

    run: from the inputs to the value, and to what is looked at.
    """
    ends = np.cumsum([0, *(x.size for x in point)])
    inputs = [Dual(x, np.zeros((0, *x.shape))) for x in point]
    value, stacks, count = None, [], _tangents(graph)
    for first in range(0, max(ends[-1], 1), count):
        last = min(first + count, ends[-1])
        value, seen = run(_seeded(inputs, first, last))
        if not isinstance(seen, Dual):
            return value, [None] * len(point)
        stacks.append(seen.tangent)
    whole = np.concatenate(stacks)
    return value, [whole[a:b] for a, b in pairwise(ends)]


def _shaped(
    slopes: Sequence[Any], shape: Sequence[int], point: Sequence[Array]
) -> list[Any]:
    """Stacks of tangents of that shape as blocks of a Jacobian."""
    return [
        s if s is None else np.moveaxis(s, 0, -1).reshape((*shape, *x.shape))
        for s, x in zip(slopes, point, strict=True)
    ]


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
