"""Shape rules of ops that choose, move and order entries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradverify.ops.checks import check_indices, check_one_of, check_truth
from gradverify.ops.shapes import (
    Shape,
    along,
    axes_of,
    elementwise,
    one_axis,
)

Sizes = Sequence[int]
Axis = Sequence[int] | None

REDUCES = ("prod", "mean", "amax", "amin")
SEGMENT_REDUCES = ("sum", "prod", "mean", "max", "min")
MODES = ("constant", "reflect", "edge", "wrap")


def with_length(shape: Shape, axis: int, length: int) -> Shape:
    """The shape with another length along an axis, which counts from the last."""
    place = len(shape) + axis
    return (*shape[:place], length, *shape[place + 1 :])


def check_whole(name: str, value: Any, least: int, most: int) -> None:
    """Refuse what is no whole number from `least` to `most`."""
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"{name}={value!r}; allowed are {least} to {most}")


def gather(x: Shape, *, axis: Axis, index: Sizes) -> Shape:
    """For each entry of the result, its place along one axis, row by row."""
    along(x, axis=axis)
    (a,) = one_axis(x, axis)
    check_indices(index, x[a], "index")
    others = math.prod(x) // x[a]
    if not others or len(index) % others:
        raise ValueError(f"{len(index)} indices do not fill lines of {x}")
    return with_length(x, a, len(index) // others)


def scatter_add(x: Shape, src: Shape, *, axis: Axis, index: Sizes) -> Shape:
    """For each entry of the second operand, its place along one axis of the first."""
    along(x, axis=axis)
    (a,) = one_axis(x, axis)
    check_indices(index, x[a], "index")
    if len(src) != len(x) or with_length(src, a, x[a]) != x:
        raise ValueError(f"shapes {x} and {src} differ beside axis={axis}")
    if len(index) != math.prod(src):
        raise ValueError(f"{len(index)} indices are not those of {src}")
    return x


def scatter(x: Shape, src: Shape, *, axis: Axis, index: Sizes) -> Shape:
    """As `scatter_add`; no place may occur twice, since which one stays is not said."""
    scatter_add(x, src, axis=axis, index=index)
    (a,) = one_axis(x, axis)
    step = math.prod(src[len(src) + a + 1 :])
    lines = {(k // (src[a] * step), k % step, place) for k, place in enumerate(index)}
    if len(lines) != len(index):
        raise ValueError(f"index={index!r} names a place twice")
    return x


def scatter_reduce(
    x: Shape, src: Shape, *, reduce: str, include_self: bool, **params: Any
) -> Shape:
    """As `scatter_add`, with a reduction of what comes to one place."""
    check_one_of("reduce", reduce, REDUCES)
    check_truth("include_self", include_self)
    return scatter_add(x, src, **params)


def index_select(x: Shape, *, axis: Axis, index: Sizes) -> Shape:
    """As many slices as there are indices."""
    along(x, axis=axis)
    (a,) = one_axis(x, axis)
    check_indices(index, x[a], "index")
    return with_length(x, a, len(index))


def index_add(x: Shape, src: Shape, *, axis: Axis, index: Sizes, alpha: float) -> Shape:
    """A slice of the second operand for each index."""
    if type(alpha) is not float or not math.isfinite(alpha):
        raise ValueError(f"alpha={alpha!r}; allowed is a finite float")
    if index_select(x, axis=axis, index=index) != src:
        raise ValueError(f"shape {src} has not a slice of {x} for each of {index!r}")
    return x


def index_put(x: Shape, src: Shape, *, index: Sizes, accumulate: bool) -> Shape:
    """A row of the second operand for each index of the first."""
    check_truth("accumulate", accumulate)
    if not x or index_select(x, axis=(-len(x),), index=index) != src:
        raise ValueError(f"shape {src} has not a row of {x} for each of {index!r}")
    if not accumulate and len({*index}) != len(index):
        raise ValueError(f"index={index!r} names a place twice")
    return x


def masked_fill(x: Shape, mask: Shape, *, value: float) -> Shape:
    """The shape of x, to which the mask broadcasts."""
    if type(value) is not float or not math.isfinite(value):
        raise ValueError(f"value={value!r}; allowed is a finite float")
    if elementwise(x, mask) != x:
        raise ValueError(f"a mask of shape {mask} does not broadcast to {x}")
    return x


def masked_select(x: Shape, *, chosen: Sizes) -> Shape:
    """A 1 or 0 for each entry of x, row by row, at least one of them 1."""
    fits = isinstance(chosen, tuple | list) and len(chosen) == math.prod(x)
    if not fits or not {*chosen} <= {0, 1} or 1 not in chosen:
        raise ValueError(f"chosen={chosen!r}; allowed are {math.prod(x)} times 0 or 1")
    return (sum(chosen),)


def diff(x: Shape, *, n: int, axis: Axis) -> Shape:
    """n entries less along one axis, of which some must be left."""
    along(x, axis=axis)
    (a,) = one_axis(x, axis)
    check_whole("n", n, 1, x[a] - 1)
    return with_length(x, a, x[a] - n)


def flip(x: Shape, *, axis: Axis) -> Shape:
    """The operand's shape."""
    if not axes_of(x, axis):
        raise ValueError(f"axis={axis} of shape {x}: allowed are one axis or more")
    return x


def roll(x: Shape, *, shift: int, axis: Axis) -> Shape:
    """The operand's shape."""
    check_whole("shift", shift, -100, 100)
    return along(x, axis=axis)


def rot90(x: Shape, *, k: int) -> Shape:
    """The first two axes, which change places in an odd number of turns."""
    check_whole("k", k, -3, 4)
    if len(x) < 2:
        raise ValueError(f"shape {x} has no plane; needed: two axes")
    return (x[1], x[0], *x[2:]) if k % 2 else x


def repeat(x: Shape, *, repeats: int, axis: Axis) -> Shape:
    """Every entry as often along one axis."""
    check_whole("repeats", repeats, 1, 100)
    along(x, axis=axis)
    (a,) = one_axis(x, axis)
    return with_length(x, a, repeats * x[a])


def tile(x: Shape, *, reps: Sizes) -> Shape:
    """The whole as often along each axis."""
    if not isinstance(reps, tuple | list) or len(reps) != len(x) or not x:
        raise ValueError(f"reps={reps!r}; allowed is a number for each axis of {x}")
    for n in reps:
        check_whole("reps", n, 1, 100)
    return tuple(n * r for n, r in zip(x, reps, strict=True))


def pad_axis(x: Shape, *, before: int, after: int, mode: str, value: float) -> Shape:
    """Longer along the last axis; a reflection, or another turn, must have entries."""
    check_one_of("mode", mode, MODES)
    if not x or not x[-1]:
        raise ValueError(f"shape {x} has no entry to pad")
    most = {"reflect": x[-1] - 1, "wrap": x[-1]}.get(mode, 100)
    check_whole("before", before, 0, most)
    check_whole("after", after, 0, most)
    if type(value) is not float or not math.isfinite(value):
        raise ValueError(f"value={value!r}; allowed is a finite float")
    return with_length(x, -1, before + x[-1] + after)


def segment_reduce(x: Shape, *, segments: Sizes, reduce: str) -> Shape:
    """A row for each segment; segments are counted from 0 and do not fall."""
    check_one_of("reduce", reduce, SEGMENT_REDUCES)
    if not x or 0 in x or len(segments) != x[0]:
        raise ValueError(f"segments={segments!r} do not name a segment for {x}")
    steps = [b - a for a, b in zip((0, *segments), segments, strict=False)]
    if segments[0] != 0 or not {*steps} <= {0, 1}:
        raise ValueError(f"segments={segments!r}; allowed are such as (0, 0, 1, 2, 2)")
    return (segments[-1] + 1, *x[1:])
