"""MLX's CPU build: float32 arrays, forward and reverse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

import gradverify
from gradverify import Lowered, Pulled, Pushed, Rows


@gradverify.register
class Mlx(gradverify.Differentiator):
    """`mlx.core` and the activations of `mlx.nn`, on the CPU."""

    name = "mlx"
    accepts = gradverify.Accepts(dtypes=("float32",), empty=False)

    @cached_property
    def table(self) -> Rows:
        """The functions of `mlx.core` under NumPy's names."""
        import mlx.core as mx
        from mlx import nn

        # fmt: off
        return {
            **gradverify.operators("neg add sub mul div pow power matmul"),
            **gradverify.functions(mx, "exp expm1 log log2 log10 log1p sqrt rsqrt abs"),
            **gradverify.functions(mx, "sin cos tan sinh cosh tanh sigmoid square"),
            **gradverify.functions(mx, "reciprocal sign maximum minimum logaddexp erf"),
            **gradverify.functions(mx, asin="arcsin", acos="arccos", atan="arctan"),
            **gradverify.functions(mx, asinh="arcsinh", acosh="arccosh"),
            **gradverify.functions(mx, atanh="arctanh", atan2="arctan2"),
            **gradverify.functions(mx, "where sum mean prod max min var std logsumexp"),
            **gradverify.functions(nn, "relu silu softplus mish relu6 softsign selu"),
            **gradverify.functions(nn, "hardswish log_sigmoid", hardtanh="hard_tanh"),
            "data":         lambda x: mx.array(x),
            "leaky_relu":   lambda x: nn.leaky_relu(x, 0.01),
            "elu":          lambda x: nn.elu(x, 1.0),
            "celu":         lambda x, alpha: nn.celu(x, alpha),
            "softmax":      lambda x, axis: mx.softmax(x, axis=axis[0]),
            "log_softmax":  lambda x, axis: nn.log_softmax(x, axis=axis[0]),
            "clip":         lambda x, low, high: mx.clip(x, low, high),
            "cumsum":       lambda x, axis: mx.cumsum(x, axis=axis[0]),
            "concatenate":  lambda a, b, axis: mx.concatenate((a, b), axis=axis[0]),
            "stack":        lambda a, b, axis: mx.stack((a, b), axis=axis[0]),
            "einsum":       lambda a, b, subscripts: mx.einsum(subscripts, a, b),
            "reshape":      lambda x, shape: mx.reshape(x, shape),
            "transpose":    lambda x, axes=None: mx.transpose(x, axes),
            "broadcast_to": lambda x, shape: mx.broadcast_to(x, shape),
        }
        # fmt: on

    @gradverify.mode("vjp", default=True)
    def reverse(
        self, function: Lowered, point: Sequence[Any], cotangent: Any
    ) -> Pulled:
        """`mx.vjp`."""
        import mlx.core as mx

        values, found = mx.vjp(function, _arrays(point), _arrays([cotangent]))
        return Pulled(np.array(values[0]), [np.array(y) for y in found])

    @gradverify.mode("jvp", default=True)
    def forward(
        self, function: Lowered, point: Sequence[Any], tangents: Sequence[Any]
    ) -> Pushed:
        """`mx.jvp`."""
        import mlx.core as mx

        values, pushed = mx.jvp(function, _arrays(point), _arrays(tangents))
        return Pushed(np.array(values[0]), np.array(pushed[0]))

    def versions(self) -> Mapping[str, str]:
        """The version of MLX."""
        return {"mlx": version("mlx")}


def _arrays(values: Sequence[Any]) -> list[Any]:
    import mlx.core as mx

    return [mx.array(np.asarray(x)) for x in values]
