"""Ops that sample arrays at other places: shapes of operands, and legal params."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape

Shapes = tuple[tuple[Shape, ...], ...]

LINES: Shapes = (((1, 1, 2),), ((1, 2, 3),), ((2, 1, 4),), ((1, 1, 1),))
PLANES: Shapes = (((1, 1, 2, 2),), ((1, 2, 2, 3),), ((2, 1, 3, 1),), ((1, 1, 3, 3),))
SOLIDS: Shapes = (((1, 1, 2, 1, 2),), ((1, 1, 1, 2, 3),), ((1, 2, 2, 2, 1),))

# Simplest first.
RESAMPLING_SHAPES: Mapping[str, Shapes] = {
    "upsample_nearest": (*LINES[:2], *PLANES[:2], *SOLIDS[:1], *LINES[2:]),
    "upsample_linear1d": LINES,
    "upsample_bilinear2d": PLANES,
    "upsample_trilinear3d": SOLIDS,
    "upsample_bicubic2d": PLANES,
    "grid_sample": (
        ((1, 1, 2, 2), (1, 1, 1, 2)), ((1, 2, 2, 3), (1, 2, 1, 2)),
        ((2, 1, 3, 2), (2, 1, 2, 2)), ((1, 1, 1, 3), (1, 1, 3, 2)),
    ),
    "affine_grid": (((1, 2, 3),), ((2, 2, 3),)),
    "pixel_shuffle": (((1, 4, 1, 1),), ((1, 4, 2, 1),), ((4, 1, 2),), ((1, 8, 1, 2),)),
    "pixel_unshuffle": (((1, 1, 2, 2),), ((1, 2, 2, 4),), ((1, 4, 2),),
                        ((1, 1, 3, 3),)),
    "channel_shuffle": (((1, 4, 1),), ((2, 4, 2),), ((1, 6, 1, 1),), ((1, 2, 2, 1),)),
}  # fmt: skip


def _sizes(shape: Shape) -> Iterable[Any]:
    """Larger and smaller spaces, the same one, and one place alone."""
    rank = max(0, len(shape) - 2)
    for found in ((4, 3, 2), (3, 2, 2), (2, 5, 3), (1, 2, 1), (7, 4, 1), (5, 1, 2)):
        if rank:
            yield found[:rank]
    yield shape[2:]


def _grids(shape: Shape) -> Iterable[Any]:
    del shape
    yield from ((2, 2), (1, 3), (3, 1), (2, 4), (3, 3), (1, 1))


RESAMPLING_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    **{f"{op}.size": _sizes for op in RESAMPLING_SHAPES if op.startswith("upsample")},
    "affine_grid.size": _grids,
    **dict.fromkeys(("align_corners", "exact"), lambda shape: (False, True)),
    "grid_sample.mode": lambda shape: ("bilinear", "bicubic", "nearest"),
    "outside": lambda shape: ("zeros", "border", "reflection"),
    "factor": lambda shape: (2, 1, 3),
    "channel_shuffle.groups": lambda shape: (2, 3, 1),
}
