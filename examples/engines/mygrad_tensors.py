"""mygrad: NumPy arrays on a tape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

import gradverify
from gradverify import Lowered, Pulled, Rows


@gradverify.register
class MyGrad(gradverify.Differentiator):
    """`mygrad.Tensor` and the functions of `mygrad` and `mygrad.nnet`."""

    name = "mygrad"
    accepts = gradverify.Accepts(dtypes=("float64", "float32"))

    @cached_property
    def table(self) -> Rows:
        """The library's functions under NumPy's names."""
        import mygrad as mg
        from mygrad.nnet import activations as nn

        # fmt: off
        return {
            **gradverify.operators("neg add sub mul div pow power matmul"),
            **gradverify.functions(mg, "exp exp2 expm1 log log2 log10 log1p sqrt abs"),
            **gradverify.functions(mg, "sin cos tan sinh cosh tanh square reciprocal"),
            **gradverify.functions(mg, "maximum minimum logaddexp where"),
            **gradverify.functions(mg, "sum mean prod max min var std"),
            **gradverify.functions(mg, asin="arcsin", acos="arccos", atan="arctan"),
            **gradverify.functions(mg, asinh="arcsinh", acosh="arccosh"),
            **gradverify.functions(mg, atanh="arctanh", atan2="arctan2"),
            **gradverify.functions(nn, "relu sigmoid selu", softsign="soft_sign"),
            "hardtanh":     lambda x: nn.hard_tanh(x, lower_bound=-1.0),
            "leaky_relu":   lambda x: nn.leaky_relu(x, 0.01),
            "elu":          lambda x: nn.elu(x, 1.0),
            "softmax":      lambda x, axis: nn.softmax(x, axis=axis[0]),
            "log_softmax":  lambda x, axis: nn.logsoftmax(x, axis=axis[0]),
            "clip":         lambda x, low, high: mg.clip(x, low, high),
            "norm":         _norm(mg),
            "cumsum":       lambda x, axis: mg.cumsum(x, axis=axis[0]),
            "concatenate":  lambda a, b, axis: mg.concatenate((a, b), axis=axis[0]),
            "stack":        lambda a, b, axis: mg.stack((a, b), axis=axis[0]),
            "einsum":       lambda a, b, subscripts: mg.einsum(subscripts, a, b),
            "reshape":      lambda x, shape: mg.reshape(x, shape),
            "transpose":    lambda x, axes=None: mg.transpose(x, axes),
            "broadcast_to": lambda x, shape: mg.broadcast_to(x, shape),
        }
        # fmt: on

    @gradverify.mode("gradient")
    def reverse(self, function: Lowered, point: Sequence[Any]) -> Pulled:
        """`Tensor.backward`; an input that is not connected has no gradient."""
        import mygrad as mg

        inputs = [mg.tensor(np.array(x), constant=False) for x in point]
        output = function(*inputs)
        if not isinstance(output, mg.Tensor):
            return Pulled(output, [None] * len(inputs))
        value = np.array(output.data)
        output.backward()
        return Pulled(value, [x.grad for x in inputs])

    def versions(self) -> Mapping[str, str]:
        """The version of mygrad."""
        return {"mygrad": version("mygrad")}


def _norm(mg: Any) -> Any:
    """`mygrad.linalg.norm` takes one axis as a number, and None for a flat array."""

    def apply(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if axis is None and x.ndim != 1:
            raise NotImplementedError("mygrad's norm of a whole array needs rank 1")
        if axis is not None and len(axis) != 1:
            raise NotImplementedError("mygrad's norm takes one axis")
        return mg.linalg.norm(x, axis=axis and axis[0], keepdims=keepdims)

    return apply
