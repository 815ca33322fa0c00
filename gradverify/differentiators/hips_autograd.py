"""HIPS autograd: reverse mode over NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from gradverify.differentiators.layers.activations import activations
from gradverify.differentiators.layers.composed import Composed
from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Rows,
    functions,
    mode,
    operators,
    sliced,
    tried,
)
from gradverify.differentiators.spelling import Spelling
from gradverify.differentiators.spelling.numpy_like import AUTOGRAD
from gradverify.graph import Array
from gradverify.ops.shapes import reduction


class HipsAutograd(Differentiator):
    """autograd.numpy and autograd.scipy.special; what they lack is composed of them."""

    name = "autograd"
    accepts = Accepts(dtypes=("float64", "float32"))

    @cached_property
    def table(self) -> Rows:
        """The library's functions; it is imported here."""
        import autograd.numpy as anp
        import autograd.scipy.special as special

        # fmt: off
        return {
            **operators("neg add sub mul div pow power matmul"),
            **functions(anp, "exp log sin cos tanh sqrt abs maximum where"),
            **functions(anp, "sign square reciprocal exp2 expm1 log2 log10 log1p tan"),
            **functions(anp, "sinh cosh minimum hypot logaddexp"),
            **functions(anp, asin="arcsin", acos="arccos", atan="arctan"),
            **functions(anp, asinh="arcsinh", acosh="arccosh", atanh="arctanh"),
            **functions(anp, "sum mean prod max min var std", atan2="arctan2"),
            **functions(special, "erf erfc digamma", sigmoid="expit", lgamma="gammaln"),
            **Composed(anp, _softplus(anp), _log_softmax(anp)).rows(),
            **activations(anp, special.expit, special.erf),
            "softmax":      _softmax(anp),
            "log_softmax":  _log_softmax(anp),
            "logsumexp":    special.logsumexp,
            "clip":         lambda x, low, high: anp.clip(x, low, high),
            "norm":         _norm(anp.linalg.norm, anp.reshape),
            "cumsum":       lambda x, axis: anp.cumsum(x, axis[0]),
            "slice":        sliced,
            "concatenate":  lambda a, b, axis: anp.concatenate((a, b), axis[0]),
            "stack":        lambda a, b, axis: anp.stack((a, b), axis[0]),
            "einsum":       lambda a, b, subscripts: anp.einsum(subscripts, a, b),
            "softplus":     _softplus(anp),
            "relu":         lambda x: anp.maximum(x, 0.0),
            "reshape":      lambda x, shape: anp.reshape(x, shape),
            "transpose":    lambda x, axes=None: anp.transpose(x, axes),
            "broadcast_to": lambda x, shape: anp.broadcast_to(x, shape),
        }
        # fmt: on

    def available(self) -> str | None:
        """None, or why autograd cannot run here."""

        def attempt() -> Any:
            import autograd.numpy as anp
            from autograd import grad

            return grad(anp.sin)(0.0)

        return tried("autograd", attempt)

    def versions(self) -> Mapping[str, str]:
        """The versions of autograd and NumPy."""
        return {"autograd": version("autograd"), "numpy": np.__version__}

    def spelling(self, mode: str) -> Spelling:
        """autograd.numpy as np, and `make_vjp`."""
        return AUTOGRAD

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The library's own vector-Jacobian product with cotangent 1."""
        from autograd import make_vjp

        if not point:
            return Pulled(function(), [])
        vjp, value = make_vjp(function, argnum=tuple(range(len(point))))(*point)
        return Pulled(value, list(vjp(np.ones_like(value))))


def _softplus(anp: Any) -> Callable[[Any], Any]:
    return lambda x: anp.logaddexp(0.0, x)


def _shifted(x: Any, axis: Sequence[int]) -> Any:
    """x without its largest entry along an axis, which is held constant."""
    from autograd.tracer import getval

    return x - np.max(getval(x), axis=axis[0], keepdims=True)


def _softmax(anp: Any) -> Callable[..., Any]:
    def apply(x: Any, axis: Sequence[int]) -> Any:
        e = anp.exp(_shifted(x, axis))
        return e / anp.sum(e, axis=axis[0], keepdims=True)

    return apply


def _log_softmax(anp: Any) -> Callable[..., Any]:
    """Along the last axis, where none is named."""

    def apply(x: Any, axis: Sequence[int] = (-1,)) -> Any:
        shifted = _shifted(x, axis)
        total = anp.sum(anp.exp(shifted), axis=axis[0], keepdims=True)
        return shifted - anp.log(total)

    return apply


def _norm(norm: Callable[..., Any], reshape: Callable[..., Any]) -> Callable[..., Any]:
    """The norm without keepdims, which autograd's gradient does not take."""

    def apply(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        one = axis[0] if axis is not None and len(axis) == 1 else axis
        y = norm(x, axis=one)
        return (
            reshape(y, reduction(x.shape, axis=axis, keepdims=True)) if keepdims else y
        )

    return apply
