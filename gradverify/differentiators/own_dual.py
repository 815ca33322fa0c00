"""Our own forward mode: dual numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from gradverify.autodiff import Dual
from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    mode,
)
from gradverify.graph import Array


class OwnDual(Differentiator):
    """Dual numbers, all unit tangents in one run."""

    name = "own-dual"
    accepts = Accepts(dtypes=("float64", "float32"))
    table = Dual.table

    def versions(self) -> Mapping[str, str]:
        """NumPy's version: its functions are the primitives."""
        return {"numpy": np.__version__}

    @mode("gradient", default=True)
    def forward(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The tangents of the output along every entry of every input."""
        total = sum(x.size for x in point)
        ends = np.cumsum([0, *(x.size for x in point)])
        duals = []
        for x, first in zip(point, ends[:-1], strict=True):
            tangent = np.zeros((total, x.size), x.dtype)
            tangent[first : first + x.size] = np.eye(x.size, dtype=x.dtype)
            duals.append(Dual(x, tangent.reshape(total, *x.shape)))
        output = function(*duals)
        if not isinstance(output, Dual):
            return Pulled(output, [None] * len(point))
        parts = [output.tangent[a:b] for a, b in pairwise(ends)]
        shaped = [p.reshape(x.shape) for p, x in zip(parts, point, strict=True)]
        return Pulled(output.primal, shaped)
