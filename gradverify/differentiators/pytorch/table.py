"""PyTorch's functions, a row an op."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from gradverify.differentiators.protocol import Rows, functions, operators, sliced
from gradverify.differentiators.pytorch import (
    cells,
    indexing,
    linear_algebra,
    losses,
    ordering,
    resampling,
    transforms,
    windows,
)
from gradverify.differentiators.pytorch.elementwise import elementwise_rows
from gradverify.differentiators.pytorch.layers import layer_rows
from gradverify.differentiators.pytorch.special import special_rows
from gradverify.graph import Array

Axis = Sequence[int] | None


def rows(device: str) -> Rows:
    """The functions, and data as tensors of that device; PyTorch is imported here."""
    import torch

    # fmt: off
    return {
        **operators("neg add sub mul div pow power matmul"),
        **functions(torch, "exp log sin cos tanh sqrt abs sigmoid relu"),
        **functions(torch, "maximum where"),
        **functions(torch, "sign square rsqrt reciprocal exp2 expm1 log2 log10"),
        **functions(torch, "log1p tan asin acos atan sinh cosh asinh acosh atanh"),
        **functions(torch, "erf erfc lgamma digamma"),
        **functions(torch, "minimum atan2 hypot logaddexp"),
        **functions(torch.nn.functional, "softplus leaky_relu elu silu gelu"),
        **functions(torch.nn.functional, log_sigmoid="logsigmoid"),
        **elementwise_rows(),
        **special_rows(),
        **indexing.FUNCTIONS,
        **ordering.FUNCTIONS,
        **transforms.FUNCTIONS,
        **layer_rows(),
        **linear_algebra.FUNCTIONS,
        **losses.FUNCTIONS,
        **windows.FUNCTIONS,
        **cells.FUNCTIONS,
        **resampling.FUNCTIONS,
        "clip":         lambda x, low, high: torch.clamp(x, low, high),
        "sum":          _reduction(torch.sum),
        "mean":         _reduction(torch.mean),
        "logsumexp":    _reduction(torch.logsumexp, needs_dim=True),
        "prod":         _prod,
        "max":          _extreme(torch.max, torch.amax),
        "min":          _extreme(torch.min, torch.amin),
        "var":          _spread(torch.var),
        "std":          _spread(torch.std),
        "norm":         _reduction(torch.linalg.vector_norm),
        "softmax":      lambda x, axis: torch.softmax(x, axis[0]),
        "log_softmax":  lambda x, axis: torch.log_softmax(x, axis[0]),
        "cumsum":       lambda x, axis: torch.cumsum(x, axis[0]),
        "slice":        sliced,
        "concatenate":  lambda a, b, axis: torch.cat((a, b), axis[0]),
        "stack":        lambda a, b, axis: torch.stack((a, b), axis[0]),
        "einsum":       lambda a, b, subscripts: torch.einsum(subscripts, a, b),
        "reshape":      lambda x, shape: torch.reshape(x, shape),
        "transpose":    _permute,
        "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
        "data":         partial(tensor, device),
    }
    # fmt: on


def tensor(device: str, x: Array, *, requires_grad: bool = False) -> Any:
    """A copy on that device, whatever the default one is."""
    import torch

    return torch.tensor(x, device=device, requires_grad=requires_grad)


def _reduction(function: Any, *, needs_dim: bool = False) -> Any:
    """A reduction of PyTorch with the params of the op table.

    Over no axis at all every element is its own result; PyTorch's `dim=()` means all.
    """

    def reduce(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        if axis is not None and len(axis) == 0:
            return x.clone()
        if axis is None and not keepdims and not needs_dim:
            return function(x)
        dims = tuple(range(x.ndim)) if axis is None else tuple(axis)
        return function(x, dim=dims or 0, keepdim=keepdims)

    return reduce


def _prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """PyTorch's product is over all axes, or over one after the other."""
    import torch

    if axis is None and not keepdims:
        return torch.prod(x)
    dims = range(x.ndim) if axis is None else (a % x.ndim for a in axis)
    y = x.clone()  # over no axis at all every element is its own result
    for dim in sorted(dims, reverse=True):
        y = torch.prod(y, dim, keepdim=keepdims)
    return y


def _extreme(whole: Any, several: Any) -> Any:
    """torch.max of all or along one axis, torch.amax along several: three rules."""

    def reduce(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        if axis is None and not keepdims:
            return whole(x)
        if axis is not None and len(axis) == 1:
            return whole(x, dim=axis[0], keepdim=keepdims).values
        return _reduction(several)(x, axis, keepdims)

    return reduce


def _spread(function: Any) -> Any:
    """A variance or its root: `ddof` is PyTorch's `correction`."""

    def reduce(x: Any, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> Any:
        dims = tuple(range(x.ndim)) if axis is None else tuple(axis)
        if not dims and x.ndim:
            return x - x  # PyTorch's `dim=()` means all
        return function(x, dim=dims or None, correction=ddof, keepdim=keepdims)

    return reduce


def _permute(x: Any, axes: Axis = None) -> Any:
    return x.permute(tuple(reversed(range(x.ndim))) if axes is None else tuple(axes))
