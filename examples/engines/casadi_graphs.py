"""CasADi: expression graphs, differentiated into other expression graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

import gradverify
from gradverify import Lowered, Pulled, Pushed, Rows


@gradverify.register
class Casadi(gradverify.Differentiator):
    """`casadi.SX` scalars."""

    name = "casadi"
    accepts = gradverify.Accepts(ranks=range(1), data=False)

    @cached_property
    def table(self) -> Rows:
        """CasADi's functions, and its own names of the inverse ones."""
        import casadi

        return (
            gradverify.operators("neg add sub mul div pow power")
            | gradverify.functions(
                casadi, "exp expm1 log log10 log1p sqrt sin cos tan sinh cosh tanh"
            )
            | gradverify.functions(
                casadi, "asin acos atan asinh acosh atanh atan2 hypot erf sign"
            )
            | gradverify.functions(casadi, abs="fabs", maximum="fmax", minimum="fmin")
        )

    @gradverify.mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Any]) -> Pulled:
        """`casadi.gradient`, which goes backwards."""
        import casadi

        inputs, output = _symbols(function, point)
        found = [casadi.gradient(output, x) for x in inputs]
        value, *cotangents = _numbers(inputs, [output, *found], point)
        return Pulled(value, cotangents)

    @gradverify.mode("jvp", default=True)
    def forward(
        self, function: Lowered, point: Sequence[Any], tangents: Sequence[Any]
    ) -> Pushed:
        """`casadi.jtimes`, which goes forwards."""
        import casadi

        inputs, output = _symbols(function, point)
        along = casadi.vertcat(*map(float, tangents))
        pushed = casadi.jtimes(output, casadi.vertcat(*inputs), along)
        return Pushed(*_numbers(inputs, [output, pushed], point))

    def versions(self) -> Mapping[str, str]:
        """The version of CasADi."""
        return {"casadi": version("casadi")}


def _symbols(
    function: Callable[..., Any], point: Sequence[Any]
) -> tuple[Sequence[Any], Any]:
    import casadi

    inputs = [casadi.SX.sym(f"x{i}") for i in range(len(point))]
    return inputs, casadi.SX(function(*inputs))


def _numbers(
    inputs: Sequence[Any], outputs: Sequence[Any], point: Sequence[Any]
) -> Sequence[Any]:
    """The values of some expressions at a point, as NumPy scalars."""
    import casadi

    run = casadi.Function("run", inputs, outputs)
    return [np.float64(float(y)) for y in run.call([float(x) for x in point])]
