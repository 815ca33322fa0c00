"""algopy: truncated Taylor polynomials, which are forward mode of any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

import gradverify
from gradverify import Lowered, Pushed, Rows


@gradverify.register
class Algopy(gradverify.Differentiator):
    """`algopy.UTPM` with two coefficients: a value and its first derivative."""

    name = "algopy"
    accepts = gradverify.Accepts(empty=False)

    @cached_property
    def table(self) -> Rows:
        """The functions of `algopy`, which take NumPy arrays and polynomials."""
        import algopy

        return {
            **gradverify.operators("neg add sub mul div power"),
            **gradverify.functions(algopy, "exp expm1 log log1p sqrt sin cos tan"),
            **gradverify.functions(algopy, "sinh cosh tanh square reciprocal sign"),
            **gradverify.functions(algopy, "maximum minimum"),
            **gradverify.functions(algopy, asin="arcsin", acos="arccos"),
            **gradverify.functions(algopy, atan="arctan", abs="absolute"),
            **gradverify.functions(algopy.special, lgamma="gammaln", digamma="psi"),
            "erf": algopy.special.erf,
            "sigmoid": algopy.special.expit,
            "matmul": algopy.dot,
            "sum": _sum(algopy),
            "reshape": lambda x, shape: algopy.reshape(x, tuple(shape)),
            "transpose": "algopy's forward mode has no transpose with axes",
        }

    @gradverify.mode("jvp")
    def forward(
        self, function: Lowered, point: Sequence[Any], tangents: Sequence[Any]
    ) -> Pushed:
        """One pass along the given tangents."""
        import algopy

        inputs = [
            algopy.UTPM(np.stack((x, dx))[:, None])
            for x, dx in zip(point, tangents, strict=True)
        ]
        output = function(*inputs)
        if not isinstance(output, algopy.UTPM):
            return Pushed(output, np.zeros_like(output))
        return Pushed(output.data[0, 0], output.data[1, 0])

    def versions(self) -> Mapping[str, str]:
        """The version of algopy."""
        return {"algopy": version("algopy")}


def _sum(algopy: Any) -> Any:
    def apply(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if keepdims or (axis is not None and len(axis) != 1):
            raise NotImplementedError("algopy sums over all axes, or over one")
        return algopy.sum(x, axis=axis and axis[0])

    return apply
