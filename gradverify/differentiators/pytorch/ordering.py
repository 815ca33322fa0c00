"""PyTorch's own functions that put entries in order, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Sizes = Sequence[int]


def sort(x: Any, axis: Sizes, descending: bool) -> Any:
    import torch

    return torch.sort(x, dim=axis[0], descending=descending).values


def topk(x: Any, k: int, axis: Sizes, largest: bool) -> Any:
    import torch

    return torch.topk(x, k, dim=axis[0], largest=largest).values


def kthvalue(x: Any, k: int, axis: Sizes, keepdims: bool) -> Any:
    import torch

    return torch.kthvalue(x, k, dim=axis[0], keepdim=keepdims).values


def median(x: Any, axis: Sizes, keepdims: bool) -> Any:
    import torch

    return torch.median(x, dim=axis[0], keepdim=keepdims).values


def cummax(x: Any, axis: Sizes) -> Any:
    import torch

    return torch.cummax(x, axis[0]).values


def cummin(x: Any, axis: Sizes) -> Any:
    import torch

    return torch.cummin(x, axis[0]).values


def interp(x: Any, table: Any, knots: Sequence[float]) -> Any:
    # PyTorch has no such function; a place is searched, as its users do
    import torch

    ends = torch.tensor(knots, dtype=x.dtype, device=x.device)
    inside = x.reshape(-1).clamp(knots[0], knots[-1])
    at = torch.searchsorted(ends, inside.detach().contiguous(), right=True) - 1
    at = at.clamp(0, len(knots) - 2)
    # under vmap, the derivative of an index is written in place, and refused
    (a, b), (low, high) = (
        (y.index_select(0, at), y.index_select(0, at + 1)) for y in (ends, table)
    )
    way = (inside - a) / (b - a)
    return (low * (1.0 - way) + high * way).reshape(x.shape)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f for f in (sort, topk, kthvalue, median, cummax, cummin, interp)
}
