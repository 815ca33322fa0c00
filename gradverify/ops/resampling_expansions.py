"""Expansions of ops that sample arrays at other places, or move entries in blocks.

Every function takes an arithmetic `m` first and works on that arithmetic's values. Most
of these ops are linear. `weighed` is a sum of entries along one axis with weights that
are computed in the arithmetic, so that they have the roundings that libraries have.
`moved` only moves entries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.ops.functions import clip, constant, minimum
from gradverify.ops.layer_expansions import array_of, held

Sizes = Sequence[int]

CUBIC = -0.75
"""The slope of the cubic kernel at 1 (Keys, 1981), as PyTorch has it."""


# ---- linear maps with fixed coefficients


def weighed(
    m: Any, x: Any, at: int, index: Sequence[Sizes], weights: Sequence[Any]
) -> Any:
    """Along one axis, the sum of entries with weights.

    at: the axis, from the last. index: for each of a few terms, which entry each result
        sees. weights: for each term an array of the arithmetic, with one for each
        result.
    """
    total = None
    for places, weight in zip(index, weights, strict=True):
        wide = m.reshape(weight, shape=(len(places), *(1,) * (-1 - at)))
        term = m.take(x, axis=(at,), index=tuple(places)) * wide
        total = term if total is None else total + term
    return total


def moved(m: Any, x: Any, move: Callable[[Any], Any]) -> Any:
    """Entries at other places: `move` says where, by what it makes of an array."""
    shape = np.shape(x)
    places = move(np.arange(math.prod(shape)).reshape(shape))
    flat = m.reshape(x, shape=(math.prod(shape),))
    found = m.take(flat, axis=(-1,), index=tuple(places.ravel().tolist()))
    return m.reshape(found, shape=places.shape)


def _positions(length: int, count: int, align_corners: bool) -> list[Fraction]:
    """Where each of `count` results lies among `length` entries."""
    if align_corners:
        return [Fraction(k * (length - 1), max(count - 1, 1)) for k in range(count)]
    half = Fraction(1, 2)
    return [(k + half) * length / count - half for k in range(count)]


def _rests(m: Any, x: Any, positions: Sequence[Fraction]) -> Any:
    """How far each position lies above a whole number.

    A half is added and taken away, as libraries do: the rounding is that of the
    position.
    """
    above = [p + Fraction(1, 2) for p in positions]
    over = held(m, [p.numerator for p in above], x)
    place = over / array_of(m, [p.denominator for p in above], x)
    return place - array_of(m, [math.floor(p) + 0.5 for p in positions], x)


def _sampled(
    m: Any,
    x: Any,
    size: Sizes,
    align_corners: bool,
    first: int,
    weights: Callable[[Any, Any], Sequence[Any]],
) -> Any:
    """An interpolation along all axes of space.

    first: the first entry that a result sees, counted from the one below it. weights:
        of the entries from there on, by how far a result lies above the one below it.
    """
    for at, count in zip(range(-len(size), 0), size, strict=True):
        length = np.shape(x)[at]
        positions = _positions(length, count, align_corners)
        if first == 0:  # a line has no values beyond its end
            positions = [max(p, Fraction(0)) for p in positions]
        each = weights(m, _rests(m, x, positions))
        index = [
            [min(max(math.floor(p) + first + k, 0), length - 1) for p in positions]
            for k in range(len(each))
        ]
        x = weighed(m, x, at, index, each)
    return x


def upsample_nearest(m: Any, x: Any, *, size: Sizes, exact: bool) -> Any:
    """The entry at the place of each result, rounded down; or the nearest to its
    middle.
    """
    half = Fraction(1, 2) if exact else Fraction(0)
    for at, count in zip(range(-len(size), 0), size, strict=True):
        length = np.shape(x)[at]
        index = (math.floor((k + half) * length / count) for k in range(count))
        x = m.take(x, axis=(at,), index=tuple(index))
    return x


def upsample_linear(m: Any, x: Any, *, size: Sizes, align_corners: bool) -> Any:
    """Lines between neighbours, along each axis of space."""
    return _sampled(m, x, size, align_corners, 0, lambda m, t: (1.0 - t, t))


def upsample_cubic(m: Any, x: Any, *, size: Sizes, align_corners: bool) -> Any:
    """Cubic curves through four neighbours, along each axis of space."""

    def weights(m: Any, t: Any) -> Sequence[Any]:
        return _far(1.0 + t), _near(t), _near(1.0 - t), _far(2.0 - t)

    return _sampled(m, x, size, align_corners, -1, weights)


def _near(t: Any) -> Any:
    """The cubic kernel up to a distance of 1."""
    return ((CUBIC + 2.0) * t - (CUBIC + 3.0)) * t * t + 1.0


def _far(t: Any) -> Any:
    """The cubic kernel from a distance of 1 to 2."""
    return ((CUBIC * t - 5.0 * CUBIC) * t + 8.0 * CUBIC) * t - 4.0 * CUBIC


def affine_grid(m: Any, x: Any, *, size: Sizes, align_corners: bool) -> Any:
    """The images of the points of a square grid under affine maps.

    Libraries count the points from one end, with a rounding of 1.
    """
    given = [
        [2 * k - (n - 1) for k in range(n)] if n > 1 else [0] for n in reversed(size)
    ]
    ends = [max(n - 1, 1) if align_corners else n for n in reversed(size)]
    across, down = given
    above = [(i, j, 1) for j in down for i in across]
    points = held(m, np.array(above)[None, :, None], x)
    points = points / array_of(m, np.array([*ends, 1]), x)
    points = m.slack(points, constant(m, 1.0))
    y = m.sum(points * m.reshape(x, shape=(np.shape(x)[0], 1, 2, 3)), axis=(-1,))
    return m.reshape(y, shape=(np.shape(x)[0], *size, 2))


# ---- places that are operands


def grid_sample(
    m: Any, x: Any, grid: Any, *, mode: str, outside: str, align_corners: bool
) -> Any:
    """The values at places between the entries.

    Every entry has a weight that falls with its distance from the place, and is 0 at
    those that are not neighbours. Places outside are moved inside first. For a cubic
    curve not the place is moved but each of its neighbours, so the entries are
    continued beyond the ends.
    """
    more = [0, 0]
    if mode == "bicubic" and outside != "zeros":
        more = [n + CUBIC_REACH for n in np.shape(x)[-2:]]
        for at, beyond in zip((-2, -1), more, strict=True):
            index = _continued(np.shape(x)[at], beyond, outside, align_corners)
            x = m.take(x, axis=(at,), index=index)
        outside = "zeros"
    batch, channels, *space = np.shape(x)
    height, width = space
    rows, columns = np.shape(grid)[1:3]
    weights = []
    for k, (whole, beyond) in enumerate(zip(space[::-1], more[::-1], strict=True)):
        n = whole - 2 * beyond
        at = m.reshape(
            m.take(grid, axis=(-1,), index=(k,)), shape=(batch, rows * columns, 1)
        )
        if align_corners:
            place = (at + 1.0) * (0.5 * (n - 1))
        else:
            place = ((at + 1.0) * float(n) - 1.0) * 0.5
        place = _inside(m, place, n, outside, align_corners)
        place = place + float(beyond) if beyond else place
        weights.append(WEIGHTS[mode](m, place, whole, outside == "zeros"))
    across = m.reshape(weights[0], shape=(batch, rows * columns, 1, 1, width))
    down = m.reshape(weights[1], shape=(batch, rows * columns, 1, height, 1))
    values = m.reshape(x, shape=(batch, 1, channels, height, width))
    y = m.sum(values * (down * across), axis=(-2, -1))
    y = m.transpose(y, axes=(0, 2, 1))
    return m.reshape(y, shape=(batch, channels, rows, columns))


CUBIC_REACH = 2  # entries on either side of a place


def _continued(n: int, more: int, outside: str, align_corners: bool) -> Sizes:
    """Which of n entries stands at each place, from `more` before the first on."""
    if outside == "border":
        return tuple(min(max(k, 0), n - 1) for k in range(-more, n + more))
    twice = 0 if align_corners else 1  # whether an end is met twice as it is reflected
    period = max(2 * (n - 1 + twice), 1)
    turns = (k % period for k in range(-more, n + more))
    return tuple(k if k < n else period - twice - k for k in turns)


def _inside(m: Any, place: Any, n: int, outside: str, align_corners: bool) -> Any:
    """Places outside moved to the border, or folded back at it, once at either end."""
    if outside == "zeros":
        return place
    if outside == "reflection":
        low, high = (0.0, n - 1.0) if align_corners else (-0.5, n - 0.5)
        span = high - low
        place = low + (span - m.abs(span - m.abs(place - low)))
    return clip(m, place, low=0.0, high=n - 1.0)


def _linear(m: Any, place: Any, n: int, ends: bool) -> Any:
    """The weights of n entries, which are 1 at the entry and 0 at its neighbours.

    Each is how far the place is above the entry before, cut at 0 and 1, less how far
    it is above the entry itself, cut so too. Written like this, the slopes on both
    sides of an entry belong to one function, at a kink as well. ends: whether what
    is beyond the entries counts as zeros.
    """
    above = clip(m, place - array_of(m, np.arange(n + 1) - 1, place), low=0.0, high=1.0)
    if not ends:
        inner = (np.arange(n + 1) > 0) & (np.arange(n + 1) < n)
        first = array_of(m, np.arange(n + 1) == 0, place)
        above = m.where(np.broadcast_to(inner, np.shape(above)), above, first)
    lower = m.slice(above, axis=(-1,), start=0, stop=n)
    return lower - m.slice(above, axis=(-1,), start=1, stop=n + 1)


def _cubic(m: Any, place: Any, n: int, ends: bool) -> Any:
    """The weights of n entries: the cubic kernel by the distance from each."""
    del ends
    away = m.abs(place - array_of(m, np.arange(n), place))
    away = minimum(m, away, constant(m, 2.0))
    near = m.step(1.0 - away)
    return near * _near(away) + (1.0 - near) * _far(away)


def _nearest(m: Any, place: Any, n: int, ends: bool) -> Any:
    """The weights of n entries: 1 for the one at less than a half from the place."""
    del ends
    return m.jump(0.5 - m.abs(place - array_of(m, np.arange(n), place)))


WEIGHTS: Mapping[str, Callable[..., Any]] = {
    "bilinear": _linear,
    "bicubic": _cubic,
    "nearest": _nearest,
}


# ---- blocks


def pixel_shuffle(m: Any, x: Any, *, factor: int) -> Any:
    """Channels become places of a larger space."""

    def move(a: Any) -> Any:
        *lead, channels, height, width = a.shape
        blocks = a.reshape(-1, channels // factor**2, factor, factor, height, width)
        wide = blocks.transpose(0, 1, 4, 2, 5, 3)
        return wide.reshape(*lead, -1, height * factor, width * factor)

    return moved(m, x, move)


def pixel_unshuffle(m: Any, x: Any, *, factor: int) -> Any:
    """Places of the space become channels."""

    def move(a: Any) -> Any:
        *lead, channels, height, width = a.shape
        blocks = a.reshape(
            -1, channels, height // factor, factor, width // factor, factor
        )
        deep = blocks.transpose(0, 1, 3, 5, 2, 4)
        return deep.reshape(*lead, -1, height // factor, width // factor)

    return moved(m, x, move)


def channel_shuffle(m: Any, x: Any, *, groups: int) -> Any:
    """The channels of all groups in turn."""

    def move(a: Any) -> Any:
        parts = a.reshape(a.shape[0], groups, a.shape[1] // groups, -1)
        return parts.swapaxes(1, 2).reshape(a.shape)

    return moved(m, x, move)
