"""Further convolutions and poolings: shapes of operands, and legal params."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape
from gradverify.ops.window_shapes import unpooled

Shapes = tuple[tuple[Shape, ...], ...]

LINES: Shapes = (((1, 1, 2),), ((1, 1, 4),), ((2, 2, 5),), ((1, 2, 3),))
PLANES: Shapes = (((1, 1, 2, 2),), ((1, 1, 4, 3),), ((1, 2, 3, 3),), ((2, 1, 2, 4),))
SOLIDS: Shapes = (((1, 1, 2, 2, 2),), ((1, 1, 2, 3, 2),), ((1, 2, 2, 2, 3),))

# Simplest first. Small: the mistakes that depend on a shape show there.
# fmt: off
WINDOW_SHAPES: Mapping[str, Shapes] = {
    "conv3d": (
        ((1, 1, 2, 2, 2), (1, 1, 2, 1, 2), (1,)), ((1, 2, 2, 2, 2), (2, 1, 1, 2, 2), (2,)),
        ((2, 1, 2, 1, 3), (1, 1, 1, 1, 2), (1,)),
    ),
    "conv_transpose1d": (
        ((1, 1, 2), (1, 1, 2), (1,)), ((2, 2, 3), (2, 1, 2), (2,)),
        ((1, 2, 2), (2, 2, 3), (2,)), ((1, 4, 2), (4, 1, 1), (2,)),
    ),
    "conv_transpose2d": (
        ((1, 1, 2, 2), (1, 1, 2, 2), (1,)), ((1, 2, 2, 3), (2, 1, 2, 1), (2,)),
        ((2, 1, 1, 2), (1, 2, 1, 2), (2,)), ((1, 2, 2, 2), (2, 2, 2, 2), (2,)),
    ),
    "conv_transpose3d": (
        ((1, 1, 2, 1, 2), (1, 1, 2, 1, 1), (1,)), ((1, 2, 1, 2, 1), (2, 1, 1, 2, 2), (2,)),
        ((2, 1, 1, 2, 2), (1, 1, 1, 1, 2), (1,)),
    ),
    **dict.fromkeys(("max_pool3d", "avg_pool3d"), SOLIDS),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_max_pool1d", "lp_pool1d"), LINES),
    **dict.fromkeys(("adaptive_avg_pool2d", "adaptive_max_pool2d", "lp_pool2d"), PLANES),
    **dict.fromkeys(("adaptive_avg_pool3d", "adaptive_max_pool3d"), SOLIDS),
    # Steps of 4/3 and 3/2, which the samples move; at a whole step they move nothing.
    "fractional_max_pool2d": (((1, 1, 4, 4),), ((1, 2, 5, 5),), ((2, 1, 4, 5),)),
    "max_unpool1d": (((1, 1, 1),), ((1, 2, 2),), ((2, 1, 3),)),
    "max_unpool2d": (((1, 1, 1, 1),), ((1, 2, 2, 1),), ((2, 1, 2, 2),)),
    "unfold": PLANES,
    "fold": (((1, 2, 4),), ((1, 4, 4),), ((2, 4, 2),), ((1, 2, 6),), ((1, 8, 1),)),
}
# fmt: on


def _small(*each: int) -> Callable[[Shape], Iterable[Any]]:
    """A number for each axis of space: all alike, or the last one another."""

    def choices(shape: Shape) -> Iterable[Any]:
        rank = max(0, len(shape) - 2)
        if rank:
            yield from ((n,) * rank for n in each)
        for a, b in itertools.permutations(each, 2) if rank > 1 else ():
            yield ((*(a,) * (rank - 1), b))

    return choices


def _samples(shape: Shape) -> Iterable[Any]:
    """Dyadic numbers, so that no rounding decides where a window begins."""
    planes = math.prod(shape[:2])
    for few in ((0.5,), (0.25, 0.75), (0.0, 0.875, 0.625)):
        yield tuple(few[k % len(few)] for k in range(2 * planes))


def _places(shape: Shape) -> Iterable[Any]:
    """A place for each entry of a plane, in the spaces that are drawn."""
    plane, planes = math.prod(shape[2:]), math.prod(shape[:2])
    spaces = {
        math.prod(unpooled(shape[2:], (k,) * (len(shape) - 2), (s,) * (len(shape) - 2)))
        for k, s in itertools.product((2, 3), (2, 1))
    }
    for space in sorted(spaces) if len(shape) > 2 else ():
        yield tuple((space - 1 - k % plane) for k in range(plane * planes))
        yield tuple(
            (2 * (k % plane) + k // plane) % space for k in range(plane * planes)
        )


def _each(*choices: Any) -> Callable[[Shape], Iterable[Any]]:
    return lambda shape: choices


SMALL = {"kernel": (2, 1), "stride": (1, 2), "padding": (0, 1), "dilation": (1, 2)}
BACK = ("conv_transpose2d", "conv_transpose3d")
SOLID = ("conv3d", "max_pool3d", "avg_pool3d", *BACK)

# Of columns of windows: by param, what each axis may have.
COLUMNS = {
    "kernel": _each((2, 2), (1, 2), (2, 1), (1, 1)),
    "stride": _each((1, 1), (2, 1), (1, 2)),
    "padding": _each((0, 0), (1, 0), (0, 1)),
    "dilation": _each((1, 1), (1, 2), (2, 1)),
}

# By param, or by op and param.
WINDOW_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    **{f"{op}.{name}": _small(*each) for op in SOLID for name, each in SMALL.items()},
    **{
        f"{op}.{name}": each
        for op in ("unfold", "fold")
        for name, each in COLUMNS.items()
    },
    "output_padding": _small(0, 1),
    "size": _small(2, 1, 3),
    "fold.size": _each((2, 3), (3, 2), (2, 2), (3, 3), (2, 4)),
    **dict.fromkeys(("lp_pool1d.p", "lp_pool2d.p"), _each(2.0, 1.0, 3.0)),
    "lp_pool2d.kernel": _small(2, 1, 3),
    "lp_pool2d.stride": _small(1, 2),
    "fractional_max_pool2d.kernel": _small(2, 1),
    "fractional_max_pool2d.size": _small(3, 4, 2),
    "samples": _samples,
    **{
        f"max_unpool{n}d.{name}": each
        for n in (1, 2)
        for name, each in {
            "index": _places,
            "kernel": _each((2,) * n, (3,) * n),
            "stride": _each((2,) * n, (1,) * n),
        }.items()
    },
}
