"""tinygrad: lazy tensors, compiled where their numbers are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

import gradverify
from gradverify import Lowered, Pulled, Rows


@gradverify.register
class Tinygrad(gradverify.Differentiator):
    """`tinygrad.Tensor` on the CPU, which needs clang."""

    name = "tinygrad"
    accepts = gradverify.Accepts(
        dtypes=("float64", "float32"), empty=False, subnormals=False
    )
    compiles = True

    @cached_property
    def table(self) -> Rows:
        """Methods of a tensor."""
        from tinygrad import Tensor

        # fmt: off
        return {
            **gradverify.operators("neg add sub mul div pow power matmul"),
            **gradverify.functions(Tensor, "exp exp2 log log2 sqrt rsqrt sin cos tan"),
            **gradverify.functions(Tensor, "abs sign square reciprocal sigmoid relu"),
            **gradverify.functions(Tensor, "tanh sinh cosh asinh acosh atanh asin"),
            **gradverify.functions(Tensor, "acos atan erf softplus mish relu6 silu"),
            **gradverify.functions(Tensor, "hardswish softsign selu maximum minimum"),
            **gradverify.functions(Tensor, log_sigmoid="logsigmoid"),
            "data":         lambda x: Tensor(np.asarray(x)),
            "leaky_relu":   lambda x: x.leaky_relu(0.01),
            "elu":          lambda x: x.elu(),
            "celu":         lambda x, alpha: x.celu(alpha),
            "hardtanh":     lambda x: x.hardtanh(),
            "where":        lambda mask, a, b: mask.where(a, b),
            "sum":          _reduction(Tensor.sum),
            "mean":         _reduction(Tensor.mean),
            "max":          _reduction(Tensor.max),
            "min":          _reduction(Tensor.min),
            "prod":         _reduction(Tensor.prod),
            "logsumexp":    _reduction(Tensor.logsumexp),
            "softmax":      lambda x, axis: x.softmax(axis=axis[0]),
            "log_softmax":  lambda x, axis: x.log_softmax(axis=axis[0]),
            "clip":         lambda x, low, high: x.clip(low, high),
            "cumsum":       lambda x, axis: x.cumsum(axis[0]),
            "concatenate":  lambda a, b, axis: a.cat(b, dim=axis[0]),
            "stack":        lambda a, b, axis: Tensor.stack(a, b, dim=axis[0]),
            "einsum":       lambda a, b, subscripts: Tensor.einsum(subscripts, a, b),
            "reshape":      lambda x, shape: x.reshape(tuple(shape)),
            "transpose":    _transpose,
            "broadcast_to": lambda x, shape: x.expand(tuple(shape)),
        }
        # fmt: on

    @gradverify.mode("gradient")
    def reverse(self, function: Lowered, point: Sequence[Any]) -> Pulled:
        """`Tensor.gradient`."""
        from tinygrad import Tensor

        inputs = [Tensor(np.array(x)) for x in point]
        output = function(*inputs)
        found = output.gradient(*inputs)
        return Pulled(output.numpy(), [y.numpy() for y in found])

    def available(self) -> str | None:
        """None, or why tinygrad cannot run here."""
        try:
            from tinygrad import Tensor

            Tensor([1.0], device="CPU").exp().numpy()
        except Exception as error:
            return f"tinygrad does not run here ({error}); its CPU device needs clang"
        return None

    def versions(self) -> Mapping[str, str]:
        """The version of tinygrad."""
        return {"tinygrad": version("tinygrad")}


def _reduction(method: Any) -> Any:
    def apply(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return method(x, axis=None if axis is None else tuple(axis), keepdim=keepdims)

    return apply


def _transpose(x: Any, axes: Any = None) -> Any:
    return x.permute(tuple(reversed(range(x.ndim))) if axes is None else tuple(axes))
