"""autograd's functions, a row an op; what it has none of is composed of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.differentiators.composed import (
    numpy_cells,
    numpy_losses,
    numpy_resampling,
)
from gradverify.differentiators.composed.activations import activations
from gradverify.differentiators.composed.composed_layers import Composed
from gradverify.differentiators.composed.over_numpy import numpy_like
from gradverify.differentiators.hips_autograd import (
    indexing,
    linear_algebra,
    ordering,
    transforms,
)
from gradverify.differentiators.hips_autograd.elementwise import elementwise_rows
from gradverify.differentiators.hips_autograd.special import special_rows
from gradverify.differentiators.protocol import Rows, functions, operators, sliced
from gradverify.ops.shapes import reduction


def rows() -> Rows:
    """The functions of autograd.numpy and autograd.scipy.special, imported here."""
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
        **elementwise_rows(),
        **special_rows(),
        **numpy_like(anp, indexing.FUNCTIONS),
        **numpy_like(anp, ordering.FUNCTIONS),
        **numpy_like(anp, transforms.FUNCTIONS),
        **numpy_like(anp, linear_algebra.FUNCTIONS),
        **numpy_like(anp, numpy_losses.FUNCTIONS),
        **numpy_like(anp, numpy_cells.FUNCTIONS),
        **numpy_like(anp, numpy_resampling.FUNCTIONS),
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
