"""PyTorch's own functions that sample at other places, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Sizes = Any  # tuples of whole numbers, of the length that the function asks for


def upsample_nearest(x: Any, size: Sizes, exact: bool) -> Any:
    from torch.nn import functional

    return functional.interpolate(x, size, mode="nearest-exact" if exact else "nearest")


def interpolated(x: Any, size: Sizes, mode: str, align_corners: bool) -> Any:
    from torch.nn import functional

    return functional.interpolate(x, size, mode=mode, align_corners=align_corners)


def upsample_linear1d(x: Any, size: Sizes, align_corners: bool) -> Any:
    return interpolated(x, size, "linear", align_corners)


def upsample_bilinear2d(x: Any, size: Sizes, align_corners: bool) -> Any:
    return interpolated(x, size, "bilinear", align_corners)


def upsample_trilinear3d(x: Any, size: Sizes, align_corners: bool) -> Any:
    return interpolated(x, size, "trilinear", align_corners)


def upsample_bicubic2d(x: Any, size: Sizes, align_corners: bool) -> Any:
    return interpolated(x, size, "bicubic", align_corners)


def grid_sample(x: Any, grid: Any, mode: str, outside: str, align_corners: bool) -> Any:
    from torch.nn import functional

    return functional.grid_sample(x, grid, mode, outside, align_corners)


def affine_grid(x: Any, size: Sizes, align_corners: bool) -> Any:
    from torch.nn import functional

    return functional.affine_grid(x, [x.shape[0], 1, *size], align_corners)


def pixel_shuffle(x: Any, factor: int) -> Any:
    from torch.nn import functional

    return functional.pixel_shuffle(x, factor)


def pixel_unshuffle(x: Any, factor: int) -> Any:
    from torch.nn import functional

    return functional.pixel_unshuffle(x, factor)


def channel_shuffle(x: Any, groups: int) -> Any:
    from torch.nn import functional

    return functional.channel_shuffle(x, groups)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        upsample_nearest, upsample_linear1d, upsample_bilinear2d, upsample_trilinear3d,
        upsample_bicubic2d, grid_sample, affine_grid, pixel_shuffle, pixel_unshuffle,
        channel_shuffle,
    )
}  # fmt: skip
