"""Expansions of ops that choose, put and move entries, into primitives.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.ops.functions import minimum
from gradverify.ops.indexing_shapes import with_length
from gradverify.ops.shapes import Shape, axes_of, one_axis

Sizes = Sequence[int]
Combine = Callable[[Any, Any], Any]

# ---- parts of arrays


def taken(m: Any, x: Any, at: int, index: Any) -> Any:
    """Slices along one axis, which counts from the last."""
    return m.take(x, axis=(at,), index=tuple(int(k) for k in index))


def line(at: int, mask: Any) -> Any:
    """A mask along one axis, in a shape that broadcasts."""
    return np.asarray(mask, bool).reshape(-1, *(1,) * (-1 - at))


def replaced(m: Any, x: Any, at: int, index: Sizes, parts: Any) -> Any:
    """x with other slices at some places along one axis."""
    n = np.shape(x)[at]
    mask = line(at, [k in index for k in range(n)])
    new = m.put(parts, axis=(at,), index=tuple(index), length=n)
    return m.where(np.broadcast_to(mask, np.shape(x)), new, x)


def joined(m: Any, parts: Sequence[Any], at: int, like: Any) -> Any:
    """Slices of length 1 one after the other, along an axis of `like`."""
    y = like
    for k, part in enumerate(parts):
        y = replaced(m, y, at, (k,), part)
    return y


@lru_cache(maxsize=1024)
def places(shape: Shape, axis: int, index: Sizes, lines: Shape) -> Any:
    """The flat places in `shape` of entries of `lines`, each moved along an axis."""
    where = list(np.indices(lines))
    where[len(shape) + axis] = np.reshape(index, lines)
    return np.ravel_multi_index(tuple(where), shape).ravel()


def flat(m: Any, x: Any) -> Any:
    """All entries along one axis."""
    return m.reshape(x, shape=(math.prod(np.shape(x)),))


# ---- choosing


def gather(m: Any, x: Any, *, axis: Any, index: Sizes) -> Any:
    """The entry that each index names, along one axis."""
    shape = np.shape(x)
    (a,) = one_axis(shape, axis)
    lines = with_length(shape, a, len(index) * shape[a] // math.prod(shape))
    found = taken(m, flat(m, x), -1, places(shape, a, tuple(index), lines))
    return m.reshape(found, shape=lines)


def index_select(m: Any, x: Any, *, axis: Any, index: Sizes) -> Any:
    """Slices along one axis."""
    (a,) = one_axis(np.shape(x), axis)
    return taken(m, x, a, index)


def masked_fill(m: Any, x: Any, mask: Any, *, value: float) -> Any:
    """x where the mask is false, the value elsewhere."""
    return m.where(mask, 0.0 * x + value, x)


def masked_select(m: Any, x: Any, *, chosen: Sizes) -> Any:
    """The entries that are chosen, row by row."""
    return taken(m, flat(m, x), -1, np.flatnonzero(chosen))


# ---- putting


def rounds(index: Any) -> Iterator[tuple[list[int], list[int]]]:
    """Which sources come to which places: in each round at most one to each."""
    waiting = list(enumerate(index))
    while waiting:
        seen: dict[int, int] = {}
        rest = []
        for source, place in waiting:
            if place in seen:
                rest.append((source, place))
            else:
                seen[place] = source
        yield list(seen.values()), list(seen)
        waiting = rest


def combined(
    m: Any,
    y: Any,
    src: Any,
    index: Any,
    combine: Combine,
    *,
    first: bool,
) -> Any:
    """y along its first axis, combined with all rows of `src` that come to a place.

    first: whether what stands in y takes part; else the first that comes replaces it.
    """
    at = -np.ndim(y)
    for k, (sources, at_places) in enumerate(rounds(index)):
        new = taken(m, src, at, sources)
        if k or first:
            new = combine(taken(m, y, at, at_places), new)
        y = replaced(m, y, at, at_places, new)
    return y


def scatter(m: Any, x: Any, src: Any, *, axis: Any, index: Sizes) -> Any:
    """x with other entries at some places."""
    return _scattered(m, x, src, axis, index, lambda a, b: b)


def scatter_add(m: Any, x: Any, src: Any, *, axis: Any, index: Sizes) -> Any:
    """x and what comes to each place."""
    shape = np.shape(x)
    (a,) = one_axis(shape, axis)
    at = tuple(places(shape, a, tuple(index), np.shape(src)).tolist())
    size = math.prod(shape)
    total = m.put(flat(m, src), axis=(-1,), index=at, length=size)
    return x + m.reshape(total, shape=shape)


def _scattered(
    m: Any,
    x: Any,
    src: Any,
    axis: Any,
    index: Sizes,
    combine: Combine,
    *,
    first: bool = True,
) -> Any:
    shape = np.shape(x)
    (a,) = one_axis(shape, axis)
    at = places(shape, a, tuple(index), np.shape(src)).tolist()
    found = combined(m, flat(m, x), flat(m, src), at, combine, first=first)
    return m.reshape(found, shape=shape)


def scatter_reduce(
    m: Any,
    x: Any,
    src: Any,
    *,
    axis: Any,
    index: Sizes,
    reduce: str,
    include_self: bool,
) -> Any:
    """x combined with what comes to each place; or that alone, where some comes."""
    combine, prepared = combiner(m, reduce)
    x, src = prepared(x), prepared(src)
    y = _scattered(m, x, src, axis, index, combine, first=include_self)
    if reduce in ("amax", "amin"):
        # what x receives may be taken away in parts, whose sum is off by a rounding
        return y + (x - x)
    if reduce == "prod":
        return y
    shape = np.shape(x)
    (a,) = one_axis(shape, axis)
    at = places(shape, a, tuple(index), np.shape(src))
    counts = np.bincount(at, minlength=math.prod(shape)) + include_self
    return divided(m, y, np.maximum(counts, 1).reshape(shape))


def divided(m: Any, y: Any, counts: Any) -> Any:
    """y over whole numbers."""
    for count in sorted({*np.ravel(counts).tolist()} - {1}):
        mask = np.broadcast_to(counts == count, np.shape(y))
        y = m.where(mask, y / float(count), y)
    return y


def combiner(m: Any, reduce: str) -> tuple[Combine, Callable[[Any], Any]]:
    """How two are reduced to one, and what is done to all before that.

    A mean is a sum first. Libraries divide a product by each of its factors, as in
    `composites.prod`.
    """
    if reduce == "prod":
        return operator.mul, m.factor
    if reduce in ("amax", "max"):
        return m.maximum, lambda x: x
    if reduce in ("amin", "min"):
        return lambda a, b: minimum(m, a, b), lambda x: x
    return operator.add, lambda x: x


def index_add(
    m: Any, x: Any, src: Any, *, axis: Any, index: Sizes, alpha: float
) -> Any:
    """x and a multiple of the slices that come to each place."""
    (a,) = one_axis(np.shape(x), axis)
    n = np.shape(x)[a]
    return x + alpha * m.put(src, axis=(a,), index=tuple(index), length=n)


def index_put(m: Any, x: Any, src: Any, *, index: Sizes, accumulate: bool) -> Any:
    """x with other rows, or with rows added."""
    at = -np.ndim(x)
    if not accumulate:
        return replaced(m, x, at, tuple(index), src)
    return x + m.put(src, axis=(at,), index=tuple(index), length=np.shape(x)[0])


def segment_reduce(m: Any, x: Any, *, segments: Sizes, reduce: str) -> Any:
    """The rows of each segment, reduced to one."""
    count = segments[-1] + 1
    combine, prepared = combiner(m, reduce)
    x = prepared(x)
    begun = taken(m, x, -np.ndim(x), [segments.index(k) for k in range(count)])
    y = combined(m, begun, x, segments, combine, first=False)
    if reduce != "mean":
        return y
    sizes = np.bincount(segments).reshape(-1, *(1,) * (np.ndim(x) - 1))
    return divided(m, y, np.broadcast_to(sizes, np.shape(y)))


# ---- running products and sums


def backwards(m: Any, x: Any, at: int) -> Any:
    """The entries along one axis from the last to the first."""
    return taken(m, x, at, range(np.shape(x)[at] - 1, -1, -1))


def scan(combine: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """An op that combines each entry with all before it, from the first on."""

    def scanned(m: Any, x: Any, *, axis: Any) -> Any:
        (a,) = one_axis(np.shape(x), axis)
        parts = [taken(m, x, a, (k,)) for k in range(np.shape(x)[a])]
        for k in range(1, len(parts)):
            parts[k] = combine(m, parts[k - 1], parts[k])
        return joined(m, parts, a, x)

    return scanned


_running_products = scan(lambda m, a, b: a * b)
_running_sums_of_exp = scan(lambda m, a, b: m.logaddexp(a, b))


LARGE_LOGARITHM = 1000.0


def logcumsumexp(m: Any, x: Any, *, axis: Any) -> Any:
    """The logarithm of the sum of exp of each entry and all before it.

    Libraries send exp(log(ct) + x - y) back, which is off by the roundings of x and y.
    That is allowed for sizes up to `LARGE_LOGARITHM`: beyond, the formula is at fault.
    They do so also to the first entry, where it is ct, and the derivative of that by x
    is 0 but for a rounding.
    """
    given = m.bent_back(x)
    y = _running_sums_of_exp(m, x, axis=axis)
    size = m.abs(x) + m.peak(m.abs(y), axis=axis, keepdims=True)
    size = LARGE_LOGARITHM * size / (LARGE_LOGARITHM + size)
    return _running_sums_of_exp(m, m.slack_back(given, size), axis=axis)


def cumprod(m: Any, x: Any, *, axis: Any) -> Any:
    """The product of each entry and all before it; its slopes go as those of prod."""
    return _running_products(m, m.factor(x), axis=axis)


def diff(m: Any, x: Any, *, n: int, axis: Any) -> Any:
    """The differences of neighbours, n times."""
    (a,) = one_axis(np.shape(x), axis)
    for _ in range(n):
        length = np.shape(x)[a]
        after = m.slice(x, axis=(a,), start=1, stop=length)
        x = after - m.slice(x, axis=(a,), start=0, stop=length - 1)
    return x


# ---- moving


def flip(m: Any, x: Any, *, axis: Any) -> Any:
    """The entries along some axes from the last to the first."""
    for a in axes_of(np.shape(x), axis):
        x = backwards(m, x, a)
    return x


def roll(m: Any, x: Any, *, shift: int, axis: Any) -> Any:
    """The entries moved along one axis; what leaves it comes in at the other end."""
    (a,) = one_axis(np.shape(x), axis)
    n = np.shape(x)[a]
    return taken(m, x, a, [(k - shift) % n for k in range(n)])


def rot90(m: Any, x: Any, *, k: int) -> Any:
    """The plane of the first two axes turned k times, from the first to the second."""
    rank = np.ndim(x)
    order = (1, 0, *range(2, rank))
    x = m.reshape(x, shape=np.shape(x))
    for _ in range(k % 4):
        x = backwards(m, m.transpose(x, axes=order), -rank)
    return x


def repeat(m: Any, x: Any, *, repeats: int, axis: Any) -> Any:
    """Every entry as often along one axis."""
    (a,) = one_axis(np.shape(x), axis)
    return taken(m, x, a, [k // repeats for k in range(repeats * np.shape(x)[a])])


def tile(m: Any, x: Any, *, reps: Sizes) -> Any:
    """The whole as often along each axis."""
    for at, count in zip(range(-np.ndim(x), 0), reps, strict=True):
        n = np.shape(x)[at]
        x = taken(m, x, at, [k % n for k in range(n * count)])
    return x


def pad_axis(
    m: Any, x: Any, *, before: int, after: int, mode: str, value: float
) -> Any:
    """More entries around the last axis: one number, or what is inside."""
    n = np.shape(x)[-1]
    outside = [k - before for k in range(before + n + after)]
    period = max(1, 2 * n - 2)
    inside = {
        "constant": [min(max(k, 0), n - 1) for k in outside],
        "edge": [min(max(k, 0), n - 1) for k in outside],
        "wrap": [k % n for k in outside],
        "reflect": [min(k % period, period - k % period) for k in outside],
    }[mode]
    y = taken(m, x, -1, inside)
    if mode != "constant":
        return y
    real = np.broadcast_to([0 <= k < n for k in outside], np.shape(y))
    return m.where(real, y, 0.0 * y + value)
