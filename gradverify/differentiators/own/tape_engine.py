"""Our own reverse mode: a tape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.autodiff import Dual, Tape, Variable, bare
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

Tangents = Sequence[Array | None]


class OwnTape(Differentiator):
    """A tape, written while the graph runs; over another engine at second order."""

    name = "own-tape"
    accepts = Accepts(dtypes=("float64", "float32"))
    table = Tape().table

    def versions(self) -> Mapping[str, str]:
        """NumPy's version: its functions are the primitives."""
        return {"numpy": np.__version__}

    def spelling(self, mode: str) -> Spelling:
        """By our tape; the library is gradverify itself."""
        return tape()

    @mode("vjp", default=True)
    def reverse(
        self, function: Lowered, point: Sequence[Array], cotangent: Array
    ) -> Pulled:
        """One sweep from the output, with the cotangents of all nodes."""
        tape = Tape()
        inputs = [tape.variable(x) for x in point]
        values = function.values(*inputs)
        output = values[-1]
        if not isinstance(output, Variable):
            return Pulled(output, [None] * len(point))
        found = tape.cotangents({output: cotangent})
        intermediates = {
            i: found[v.index]
            for i, v in enumerate(values)
            if isinstance(v, Variable) and found[v.index] is not None
        }
        return Pulled(output.primal, [found[x.index] for x in inputs], intermediates)

    @mode("hvp")
    def reverse_over_reverse(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """A tape whose sweep is written on another tape, which is then swept."""
        outer = Tape()
        inputs = [outer.variable(x) for x in point]
        value, first = _gradient(Tape(outer.algebra), function, inputs)
        seeds: dict[Variable, Any] = {}
        for ct, t in zip(first, tangents, strict=True):
            if isinstance(ct, Variable) and t is not None:  # one may be that of many
                seeds[ct] = seeds[ct] + t if ct in seeds else t
        found = outer.cotangents(seeds)
        return Pulled(bare(value), [found[x.index] for x in inputs])

    @mode("hvp")
    def forward_over_reverse(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """A tape over duals: the tangents of what a sweep gives."""
        inputs = [_dual(x, t) for x, t in zip(point, tangents, strict=True)]
        value, first = _gradient(Tape(Dual.algebra), function, inputs)
        return Pulled(bare(value), [_tangent(ct) for ct in first])

    @mode("hvp")
    def reverse_over_forward(
        self, function: Lowered, point: Sequence[Array], tangents: Tangents
    ) -> Pulled:
        """Duals over a tape: a sweep from the tangent of the output."""
        tape = Tape()
        inputs, kind = [tape.variable(x) for x in point], Dual.over(tape.algebra)
        along = zip(inputs, point, tangents, strict=True)
        output = function(*(kind(x, _stack(of, t)) for x, of, t in along))
        slope = _tangent(output)
        if not isinstance(slope, Variable):
            return Pulled(bare(output), [None] * len(point))
        found = tape.cotangents({slope: 1.0})
        return Pulled(bare(output), [found[x.index] for x in inputs])

    @mode("jacobian")
    def jacobian(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """One sweep with a stack of unit cotangents, one for each entry."""
        tape = Tape()
        inputs = [tape.variable(x) for x in point]
        output = function(*inputs)
        if not isinstance(output, Variable):
            return Pulled(output, [None] * len(point))
        units = np.eye(output.size, dtype=output.dtype)
        rows = tape.pullback(output, units.reshape(output.size, *output.shape), inputs)
        blocks = [np.reshape(ct, output.shape + np.shape(ct)[1:]) for ct in rows]
        return Pulled(output.primal, blocks)


def _gradient(
    tape: Tape, function: Lowered, point: Sequence[Any]
) -> tuple[Any, list[Any]]:
    """The value of a scalar function, and its gradient in the tape's arithmetic."""
    inputs = [tape.variable(x) for x in point]
    output = function(*inputs)
    if not isinstance(output, Variable):
        return output, [None] * len(point)
    found = tape.cotangents({output: 1.0})
    return output, [found[x.index] for x in inputs]


def _dual(x: Array, tangent: Array | None) -> Dual:
    return Dual(x, _stack(x, tangent))


def _stack(x: Array, tangent: Array | None) -> Array:
    """One tangent as a stack of one, and zeros for none."""
    return (np.zeros_like(x) if tangent is None else tangent)[None]


def _tangent(value: Any) -> Any:
    """The one tangent of a dual; None if the value is a constant."""
    if not isinstance(value, Dual):
        return None
    return value.arithmetic.reshape(value.tangent, shape=value.shape)
