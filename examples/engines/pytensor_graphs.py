"""pytensor: symbolic arrays, whose gradients are compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import gradverify
from gradverify import Lowered, Pulled, Rows


@gradverify.register
class PyTensor(gradverify.Differentiator):
    """`pytensor.tensor`, compiled without rewrites of floating-point formulas."""

    name = "pytensor"
    accepts = gradverify.Accepts(dtypes=("float64", "float32"))
    compiles = True

    @cached_property
    def table(self) -> Rows:
        """The functions of `pytensor.tensor` under NumPy's names."""
        import pytensor.tensor as pt

        # fmt: off
        return {
            **gradverify.operators("neg add sub mul div pow power abs"),
            **gradverify.functions(pt, "exp exp2 expm1 log log2 log10 log1p sqrt sin"),
            **gradverify.functions(pt, "cos tan sinh cosh tanh square reciprocal sign"),
            **gradverify.functions(pt, "maximum minimum where sigmoid softplus erf"),
            **gradverify.functions(pt, "erfc logaddexp matmul"),
            **gradverify.functions(pt, asin="arcsin", acos="arccos", atan="arctan"),
            **gradverify.functions(pt, asinh="arcsinh", acosh="arccosh"),
            **gradverify.functions(pt, atanh="arctanh", atan2="arctan2"),
            **gradverify.functions(pt, lgamma="gammaln", digamma="psi"),
            **gradverify.functions(pt, "sum mean prod max min logsumexp"),
            "data":         lambda x: pt.constant(x, dtype=x.dtype),
            "softmax":      lambda x, axis: pt.special.softmax(x, axis=axis[0]),
            "log_softmax":  lambda x, axis: pt.special.log_softmax(x, axis=axis[0]),
            "clip":         lambda x, low, high: pt.clip(x, low, high),
            "cumsum":       lambda x, axis: pt.cumsum(x, axis=axis[0]),
            "concatenate":  lambda a, b, axis: pt.concatenate((a, b), axis=axis[0]),
            "stack":        lambda a, b, axis: pt.stack((a, b), axis=axis[0]),
            "reshape":      lambda x, shape: pt.reshape(x, tuple(shape)),
            "transpose":    lambda x, axes=None: pt.transpose(x, axes),
            "broadcast_to": lambda x, shape: pt.broadcast_to(x, tuple(shape)),
        }
        # fmt: on

    @gradverify.mode("gradient")
    def reverse(self, function: Lowered, point: Sequence[Any]) -> Pulled:
        """`pytensor.grad`, an unconnected input being the library's None."""
        import pytensor
        import pytensor.tensor as pt

        inputs = [pt.tensor(dtype=x.dtype, shape=x.shape) for x in point]
        output = pt.as_tensor(function(*inputs))
        found = pytensor.grad(
            output, inputs, disconnected_inputs="ignore", return_disconnected="None"
        )
        wanted = [y for y in found if y is not None]
        run = pytensor.function(
            inputs, [output, *wanted], mode="FAST_COMPILE", on_unused_input="ignore"
        )
        value, *numbers = run(*point)
        given = iter(numbers)
        return Pulled(value, [None if y is None else next(given) for y in found])

    def versions(self) -> Mapping[str, str]:
        """The version of pytensor."""
        return {"pytensor": version("pytensor")}
