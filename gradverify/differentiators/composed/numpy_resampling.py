"""What moves entries in blocks, in NumPy's spelling, as autograd and JAX have it.

Every function takes `np`, the module that has NumPy's functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def pixel_shuffle(np: Any, x: Any, factor: int) -> Any:
    *lead, channels, height, width = x.shape
    blocks = (-1, channels // factor**2, factor, factor, height, width)
    y = np.transpose(np.reshape(x, blocks), (0, 1, 4, 2, 5, 3))
    return np.reshape(y, (*lead, blocks[1], height * factor, width * factor))


def pixel_unshuffle(np: Any, x: Any, factor: int) -> Any:
    *lead, channels, height, width = x.shape
    rows, columns = height // factor, width // factor
    y = np.reshape(x, (-1, channels, rows, factor, columns, factor))
    y = np.transpose(y, (0, 1, 3, 5, 2, 4))
    return np.reshape(y, (*lead, channels * factor**2, rows, columns))


def channel_shuffle(np: Any, x: Any, groups: int) -> Any:
    parts = np.reshape(x, (x.shape[0], groups, x.shape[1] // groups, -1))
    return np.reshape(np.swapaxes(parts, 1, 2), x.shape)


SAMPLED = (
    "upsample_nearest", "upsample_linear1d", "upsample_bilinear2d",
    "upsample_trilinear3d", "upsample_bicubic2d", "grid_sample", "affine_grid",
)  # fmt: skip

FUNCTIONS: Mapping[str, Callable[..., Any] | str] = {
    **{f.__name__: f for f in (pixel_shuffle, pixel_unshuffle, channel_shuffle)},
    **dict.fromkeys(SAMPLED, "NumPy's functions sample no array at other places"),
}
