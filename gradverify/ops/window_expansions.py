"""Expansions of further convolutions and poolings into primitives.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
Arrays are laid out as in PyTorch: batch, channels, then space.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.ops.composites import largest, norm
from gradverify.ops.layer_expansions import array_of, places, windows
from gradverify.ops.layer_shapes import window_counts
from gradverify.ops.shapes import Shape
from gradverify.ops.window_shapes import transposed_lengths, unpooled

Sizes = Sequence[int]


def conv_transpose(
    m: Any,
    x: Any,
    w: Any,
    b: Any,
    *,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """Every entry times the kernel of its channel, put around it and added up."""
    (batch, inputs, *space), (_, per_group, *kernel) = np.shape(x), np.shape(w)
    steps, size, each = math.prod(space), math.prod(kernel), inputs // groups
    seen = m.reshape(x, shape=(batch, groups, each, 1, 1, steps))
    weights = m.reshape(w, shape=(1, groups, each, per_group, size, 1))
    y = m.sum(seen * weights, axis=(-4,))
    y = m.reshape(y, shape=(batch, groups * per_group, size, steps))
    whole = transposed_lengths(space, kernel, stride, output_padding, dilation)
    index = places(whole, tuple(kernel), tuple(stride), tuple(dilation), tuple(space))
    y = added(m, y, index, whole, padding)
    return y + m.reshape(b, shape=(groups * per_group, *(1,) * len(space)))


def added(m: Any, y: Any, index: Any, whole: Shape, padding: Sizes) -> Any:
    """What windows saw, added up in a space from which padding is cut off.

    y: of shape (batch, channels, kernel places, steps). index: places in the flattened
    space, of shape (kernel places, steps).
    """
    lead = np.shape(y)[:2]
    flat = m.reshape(y, shape=(*lead, index.size))
    to = tuple(index.ravel().tolist())
    y = m.put(flat, axis=(-1,), index=to, length=math.prod(whole))
    y = m.reshape(y, shape=(*lead, *whole))
    for axis, p in zip(range(-len(whole), 0), padding, strict=True):
        if p:
            y = m.slice(y, axis=(axis,), start=p, stop=whole[axis] - p)
    return y


def unfold(
    m: Any, x: Any, *, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Any:
    """What every window sees, in a column."""
    seen = windows(m, x, kernel, stride, padding, dilation)
    batch, channels, size, steps = np.shape(seen)
    return m.reshape(seen, shape=(batch, channels * size, steps))


def fold(
    m: Any,
    x: Any,
    *,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Any:
    """The transpose of `unfold`: columns are added up where their windows are."""
    count = math.prod(kernel)
    (batch, channels, steps) = np.shape(x)
    y = m.reshape(x, shape=(batch, channels // count, count, steps))
    whole = tuple(n + 2 * p for n, p in zip(size, padding, strict=True))
    index = places(whole, tuple(kernel), tuple(stride), tuple(dilation))
    return added(m, y, index, whole, padding)


# ---- poolings


@lru_cache(maxsize=1024)
def adaptive(space: Shape, size: Shape) -> tuple[Any, Any]:
    """What each window of an adaptive pooling sees.

    The k-th of m windows along an axis of length n goes from floor(k n / m) to
    ceil((k + 1) n / m). Returns places in the flattened space, and which of them are
    real, both of shape (largest window, windows).
    """
    axes = [
        [range(k * n // m, -(-(k + 1) * n // m)) for k in range(m)]
        for n, m in zip(space, size, strict=True)
    ]
    seen = [
        [np.ravel_multi_index(at, space) for at in itertools.product(*window)]
        for window in itertools.product(*axes)
    ]
    most = max(map(len, seen))
    index = np.array([one + one[:1] * (most - len(one)) for one in seen])
    real = np.array([[k < len(one) for k in range(most)] for one in seen])
    return index.T, real.T


def _adaptive_windows(m: Any, x: Any, size: Sizes) -> tuple[Any, Any]:
    space = np.shape(x)[2:]
    index, real = adaptive(space, tuple(size))
    flat = m.reshape(x, shape=(*np.shape(x)[:2], math.prod(space)))
    seen = m.take(flat, axis=(-1,), index=tuple(index.ravel().tolist()))
    return m.reshape(seen, shape=(*np.shape(x)[:2], *index.shape)), real


def adaptive_avg_pool(m: Any, x: Any, *, size: Sizes) -> Any:
    """The mean of each of as many windows as `size` says."""
    seen, real = _adaptive_windows(m, x, size)
    if not real.all():
        seen = m.where(real, seen, array_of(m, 0.0, x))
    y = m.sum(seen, axis=(-2,)) / array_of(m, real.sum(axis=0), x)
    return m.reshape(y, shape=(*np.shape(x)[:2], *size))


def adaptive_max_pool(m: Any, x: Any, *, size: Sizes) -> Any:
    """The largest entry of each of as many windows as `size` says."""
    seen, real = _adaptive_windows(m, x, size)
    if not real.all():
        below = -2.0 * m.peak(m.abs(x), axis=None) - 1.0  # by more than a rounding
        seen = m.where(real, seen, below)
    y = largest(m, seen, axis=(-2,))
    return m.reshape(y, shape=(*np.shape(x)[:2], *size))


def lp_pool(m: Any, x: Any, *, p: float, kernel: Sizes, stride: Sizes) -> Any:
    """The norm of every window; those of odd order see signs, as in libraries."""
    zero, one = (0,) * len(kernel), (1,) * len(kernel)
    seen = windows(m, x, kernel, stride, zero, one)
    if p == 2.0:
        y = norm(m, seen, axis=(-2,))
    else:
        y = m.sum(seen if p == 1.0 else m.power(seen, n=int(p)), axis=(-2,))
    if p > 2.0:
        y = m.exp(m.log(y) / p)
    counts = window_counts(np.shape(x)[2:], kernel, stride, zero, one)
    return m.reshape(y, shape=(*np.shape(x)[:2], *counts))


def fractional_max_pool(
    m: Any, x: Any, *, kernel: Sizes, size: Sizes, samples: Sequence[float]
) -> Any:
    """The largest entry of windows at steps of uneven length (Graham, 2014).

    samples: for each plane two numbers, by which its steps along the last axis and the
        one before it begin.
    """
    planes, space = math.prod(np.shape(x)[:2]), np.shape(x)[2:]
    index = []
    for plane in range(planes):
        given = samples[2 * plane + 1], samples[2 * plane]
        starts = [
            _starts(n, k, count, u)
            for n, k, count, u in zip(space, kernel, size, given, strict=True)
        ]
        for corner in itertools.product(*starts):
            sides = (range(a, a + k) for a, k in zip(corner, kernel, strict=True))
            seen = (np.ravel_multi_index(at, space) for at in itertools.product(*sides))
            index.append([plane * math.prod(space) + int(at) for at in seen])
    flat = m.reshape(x, shape=(math.prod(np.shape(x)),))
    seen = m.take(flat, axis=(-1,), index=tuple(np.ravel(index).tolist()))
    y = largest(m, m.reshape(seen, shape=np.shape(index)), axis=(-1,))
    return m.reshape(y, shape=(*np.shape(x)[:2], *size))


def _starts(length: int, kernel: int, count: int, sample: float) -> list[int]:
    """Where the windows along one axis begin; the last one ends with the axis."""
    step = (length - kernel) / (count - 1) if count > 1 else 0.0
    found = [int((k + sample) * step) - int(sample * step) for k in range(count - 1)]
    return [*found, length - kernel]


def max_unpool(m: Any, x: Any, *, index: Sizes, kernel: Sizes, stride: Sizes) -> Any:
    """Every entry at its place in a larger space, and zeros elsewhere."""
    space = unpooled(np.shape(x)[2:], kernel, stride)
    plane, size = math.prod(np.shape(x)[2:]), math.prod(space)
    to = tuple(k // plane * size + at for k, at in enumerate(index))
    flat = m.reshape(x, shape=(len(index),))
    y = m.put(flat, axis=(-1,), index=to, length=math.prod(np.shape(x)[:2]) * size)
    return m.reshape(y, shape=(*np.shape(x)[:2], *space))
