"""Shape rules of ops that sample arrays at other places, or move entries in blocks.

Arrays are laid out as in PyTorch: batch, channels, then space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradverify.ops.checks import check_one_of, check_sizes, check_truth
from gradverify.ops.layer_shapes import of_rank
from gradverify.ops.shapes import Shape
from gradverify.ops.window_shapes import along

Sizes = Sequence[int]

MODES = ("bilinear", "bicubic", "nearest")
OUTSIDE = ("zeros", "border", "reflection")


def upsample(x: Shape, *, size: Sizes, **params: Any) -> Shape:
    """(batch, channels, *space) to another space, of up to three axes."""
    for name, value in params.items():
        check_truth(name, value)
    if not 3 <= len(x) <= 5 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (batch, channels, *space), not empty")
    check_sizes("size", size, len(x) - 2)
    return (*x[:2], *size)


upsample1d, upsample2d, upsample3d = (along(n, upsample) for n in (1, 2, 3))


def grid_sample(
    x: Shape, grid: Shape, *, mode: str, outside: str, align_corners: bool
) -> Shape:
    """(batch, channels, height, width), and a place in it for each sample.

    The grid has shape (batch, rows, columns, 2). Its last axis is x, then y, from -1
    to 1.
    """
    check_one_of("mode", mode, MODES)
    check_one_of("outside", outside, OUTSIDE)
    check_truth("align_corners", align_corners)
    if len(x) != 4 or len(grid) != 4 or 0 in (*x, *grid):
        raise ValueError(f"shapes {x} and {grid}; allowed are four axes each")
    if grid[0] != x[0] or grid[3] != 2:
        raise ValueError(f"shape {grid} of the grid; allowed is ({x[0]}, …, …, 2)")
    return (*x[:2], *grid[1:3])


def affine_grid(x: Shape, *, size: Sizes, align_corners: bool) -> Shape:
    """(batch, 2, 3) to a grid of `size` rows and columns: (batch, rows, columns, 2).

    One point alone is no corner.
    """
    check_truth("align_corners", align_corners)
    check_sizes("size", size, 2, 2 if align_corners else 1)
    if len(x) != 3 or x[1:] != (2, 3) or 0 in x:
        raise ValueError(f"shape {x}; allowed is (batch, 2, 3)")
    return (x[0], *size, 2)


def pixel_shuffle(x: Shape, *, factor: int) -> Shape:
    """(…, channels x factor x factor, height, width) to a larger space."""
    check_sizes("factor", (factor,), 1)
    if len(x) < 3 or 0 in x or x[-3] % factor**2:
        raise ValueError(f"shape {x} has no multiple of {factor**2} channels")
    *lead, channels, height, width = x
    return (*lead, channels // factor**2, height * factor, width * factor)


def pixel_unshuffle(x: Shape, *, factor: int) -> Shape:
    """The other way round."""
    check_sizes("factor", (factor,), 1)
    if len(x) < 3 or 0 in x or x[-1] % factor or x[-2] % factor:
        raise ValueError(f"shape {x} has no space that is a multiple of {factor}")
    *lead, channels, height, width = x
    return (*lead, channels * factor**2, height // factor, width // factor)


def channel_shuffle(x: Shape, *, groups: int) -> Shape:
    """(batch, channels, *space); the groups must divide the channels."""
    of_rank(max(3, len(x)), (x,))
    check_sizes("groups", (groups,), 1)
    if 0 in x or x[1] % groups:
        raise ValueError(f"groups={groups!r} do not divide the channels of {x}")
    return x
