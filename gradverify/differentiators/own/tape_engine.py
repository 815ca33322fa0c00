"""Our own reverse mode: a tape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradverify.autodiff import Tape, Variable
from gradverify.differentiators.own.spelling import tape
from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    mode,
)
from gradverify.differentiators.spelling import Spelling
from gradverify.graph import Array


class OwnTape(Differentiator):
    """A tape, written while the graph runs."""

    name = "own-tape"
    accepts = Accepts(dtypes=("float64", "float32"))
    table = Tape().table

    def versions(self) -> Mapping[str, str]:
        """NumPy's version: its functions are the primitives."""
        return {"numpy": np.__version__}

    def spelling(self, mode: str) -> Spelling:
        """By our tape; the library is gradverify itself."""
        return tape()

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """One sweep from the output, with the cotangents of all nodes."""
        tape = Tape()
        inputs = [tape.variable(x) for x in point]
        values = function.values(*inputs)
        output = values[-1]
        if not isinstance(output, Variable):
            return Pulled(output, [None] * len(point))
        found = tape.cotangents({output: 1.0})
        intermediates = {
            i: found[v.index]
            for i, v in enumerate(values)
            if isinstance(v, Variable) and found[v.index] is not None
        }
        return Pulled(output.primal, [found[x.index] for x in inputs], intermediates)
