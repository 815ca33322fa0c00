"""PyTorch's own functions that choose, put and move entries, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Sizes = Sequence[int]


def gather(x: Any, axis: Sizes, index: Sizes) -> Any:
    import torch

    shape = list(x.shape)
    shape[axis[0]] = len(index) * shape[axis[0]] // x.numel()
    return torch.gather(x, axis[0], torch.tensor(index, device=x.device).reshape(shape))


def take_along_axis(x: Any, axis: Sizes, index: Sizes) -> Any:
    import torch

    shape = list(x.shape)
    shape[axis[0]] = len(index) * shape[axis[0]] // x.numel()
    where = torch.tensor(index, device=x.device).reshape(shape)
    return torch.take_along_dim(x, where, axis[0])


def scatter(x: Any, src: Any, axis: Sizes, index: Sizes) -> Any:
    import torch

    where = torch.tensor(index, device=x.device).reshape(src.shape)
    return torch.scatter(x, axis[0], where, src)


def scatter_add(x: Any, src: Any, axis: Sizes, index: Sizes) -> Any:
    import torch

    where = torch.tensor(index, device=x.device).reshape(src.shape)
    return torch.scatter_add(x, axis[0], where, src)


def scatter_reduce(
    x: Any, src: Any, axis: Sizes, index: Sizes, reduce: str, include_self: bool
) -> Any:
    import torch

    where = torch.tensor(index, device=x.device).reshape(src.shape)
    return torch.scatter_reduce(
        x, axis[0], where, src, reduce, include_self=include_self
    )


def index_select(x: Any, axis: Sizes, index: Sizes) -> Any:
    import torch

    return torch.index_select(x, axis[0], torch.tensor(index, device=x.device))


def index_add(x: Any, src: Any, axis: Sizes, index: Sizes, alpha: float) -> Any:
    import torch

    where = torch.tensor(index, device=x.device)
    return torch.index_add(x, axis[0], where, src, alpha=alpha)


def index_put(x: Any, src: Any, index: Sizes, accumulate: bool) -> Any:
    import torch

    where = torch.tensor(index, device=x.device)
    return torch.index_put(x, (where,), src, accumulate=accumulate)


def masked_fill(x: Any, mask: Any, value: float) -> Any:
    import torch

    return torch.masked_fill(x, mask, value)


def masked_select(x: Any, chosen: Sizes) -> Any:
    import torch

    mask = torch.tensor(chosen, device=x.device).reshape(x.shape) == 1
    return torch.masked_select(x, mask)


def segment_reduce(x: Any, segments: Sizes, reduce: str) -> Any:
    import torch

    lengths = torch.bincount(torch.tensor(segments, device=x.device))
    return torch.segment_reduce(x, reduce, lengths=lengths)


def cumprod(x: Any, axis: Sizes) -> Any:
    import torch

    return torch.cumprod(x, axis[0])


def logcumsumexp(x: Any, axis: Sizes) -> Any:
    import torch

    return torch.logcumsumexp(x, axis[0])


def diff(x: Any, n: int, axis: Sizes) -> Any:
    import torch

    return torch.diff(x, n, axis[0])


def flip(x: Any, axis: Any) -> Any:
    import torch

    return torch.flip(x, tuple(range(x.ndim)) if axis is None else tuple(axis))


def roll(x: Any, shift: int, axis: Sizes) -> Any:
    import torch

    return torch.roll(x, shift, axis[0])


def rot90(x: Any, k: int) -> Any:
    import torch

    return torch.rot90(x, k, (0, 1))


def repeat(x: Any, repeats: int, axis: Sizes) -> Any:
    import torch

    return torch.repeat_interleave(x, repeats, axis[0])


def tile(x: Any, reps: Sizes) -> Any:
    import torch

    return torch.tile(x, tuple(reps))


def pad_axis(x: Any, before: int, after: int, mode: str, value: float) -> Any:
    import torch

    pad = torch.nn.functional.pad
    if mode == "constant":
        return pad(x, (before, after), value=value)
    name = {"edge": "replicate", "wrap": "circular"}.get(mode, mode)
    rows = x.reshape(1, -1, x.shape[-1])
    return pad(rows, (before, after), mode=name).reshape(*x.shape[:-1], -1)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        gather, take_along_axis, scatter, scatter_add, scatter_reduce, index_select,
        index_add, index_put, masked_fill, masked_select, segment_reduce,
        cumprod, logcumsumexp, diff, flip, roll, rot90, repeat,
        tile, pad_axis,
    )
}  # fmt: skip
