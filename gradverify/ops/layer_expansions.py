"""Expansions of network layers into primitives, each in its numerically stable form.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
Arrays are laid out as in PyTorch: batch, channels, then space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.ops.composites import largest, mean
from gradverify.ops.layer_shapes import mask_of, rows_of, window_counts
from gradverify.ops.shapes import Shape

Sizes = Sequence[int]


def array_of(m: Any, values: Any, like: Any) -> Any:
    """Constants in the dtype of an arithmetic's value, or of what an engine traces."""
    dtype = getattr(getattr(like, "primal", like), "dtype", np.dtype(float))
    return m.lift(np.asarray(values, dtype if dtype.kind == "f" else np.float64))


def held(m: Any, values: Any, like: Any) -> Any:
    """Constants that ops may take alone, as they may not take what was not computed.

    They are added to a zero which is made of the value, and has no derivative.
    """
    return m.peak(like, axis=None) * 0.0 + array_of(m, values, like)


def linear(m: Any, x: Any, w: Any, b: Any) -> Any:
    """The product with the transposed weights along the last axis, and the bias."""
    lead, (outputs, inputs) = np.shape(x)[:-1], np.shape(w)
    rows = m.reshape(x, shape=(math.prod(lead), inputs))
    y = m.matmul(rows, m.transpose(w, axes=(1, 0))) + b
    return m.reshape(y, shape=(*lead, outputs))


def embedding(m: Any, table: Any, *, index: Sizes) -> Any:
    """One row of the table for every index."""
    return m.take(table, axis=(-2,), index=tuple(index))


def dropout(m: Any, x: Any, mask: Any, *, p: float) -> Any:
    """x over 1 - p where the mask is true, 0 elsewhere."""
    return m.where(mask, x / (1.0 - p), array_of(m, 0.0, x))


# ---- windows


@lru_cache(maxsize=1024)
def places(
    space: Shape,
    kernel: Shape,
    stride: Shape,
    dilation: Shape,
    counts: Shape | None = None,
) -> Any:
    """Which entry of the flattened space each place of the kernel sees, at each step.

    Returns integers of shape (kernel places, steps), for as many steps as `counts`
    says, or as fit into the space.
    """
    zeros = (0,) * len(space)
    counts = counts or window_counts(space, kernel, stride, zeros, dilation)
    flat = np.zeros((1, 1), int)
    for length, k, s, d, n in zip(space, kernel, stride, dilation, counts, strict=True):
        along = d * np.arange(k)[:, None] + s * np.arange(n)
        flat = flat[:, None, :, None] * length + along[None, :, None, :]
        flat = flat.reshape(flat.shape[0] * k, -1)
    return flat


def windows(
    m: Any, x: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Any:
    """(batch, channels, *space) to (batch, channels, kernel places, steps)."""
    lead, rank = np.shape(x)[:2], np.ndim(x) - 2
    for axis, p in zip(range(-rank, 0), padding, strict=True):
        if p:
            x = m.pad(x, axis=(axis,), before=p, after=p)
    space = np.shape(x)[2:]
    index = places(space, tuple(kernel), tuple(stride), tuple(dilation))
    flat = m.reshape(x, shape=(*lead, math.prod(space)))
    seen = m.take(flat, axis=(-1,), index=tuple(index.ravel().tolist()))
    return m.reshape(seen, shape=(*lead, *index.shape))


def inside(
    space: Shape, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Any:
    """Where a window sees an entry rather than padding: shape (kernel places,
    steps).
    """
    real = np.pad(np.ones(space, bool), [(p, p) for p in padding])
    index = places(real.shape, tuple(kernel), tuple(stride), tuple(dilation))
    return real.ravel()[index]


def conv(
    m: Any,
    x: Any,
    w: Any,
    b: Any,
    *,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """Every window times the weights of its group, summed, and the bias."""
    batch, space = np.shape(x)[0], np.shape(x)[2:]
    outputs, per_group, *kernel = np.shape(w)
    counts = window_counts(space, kernel, stride, padding, dilation)
    size, steps = per_group * math.prod(kernel), math.prod(counts)
    seen = windows(m, x, kernel, stride, padding, dilation)
    seen = m.reshape(seen, shape=(batch, groups, 1, size, steps))
    weights = m.reshape(w, shape=(1, groups, outputs // groups, size, 1))
    y = m.sum(seen * weights, axis=(-2,))
    y = m.reshape(y, shape=(batch, outputs, steps)) + m.reshape(b, shape=(outputs, 1))
    return m.reshape(y, shape=(batch, outputs, *counts))


def max_pool(
    m: Any, x: Any, *, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Any:
    """The largest entry of every window; padding is below all of them."""
    seen = windows(m, x, kernel, stride, padding, dilation)
    if any(padding):
        below = -2.0 * m.peak(m.abs(x), axis=None) - 1.0  # by more than a rounding
        real = inside(np.shape(x)[2:], kernel, stride, padding, dilation)
        seen = m.where(real, seen, below)
    counts = window_counts(np.shape(x)[2:], kernel, stride, padding, dilation)
    y = largest(m, seen, axis=(-2,))
    return m.reshape(y, shape=(*np.shape(x)[:2], *counts))


def avg_pool(
    m: Any,
    x: Any,
    *,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    count_include_pad: bool,
) -> Any:
    """The mean of every window, over all its places or over the entries that it
    sees.
    """
    dilation = (1,) * len(kernel)
    total = m.sum(windows(m, x, kernel, stride, padding, dilation), axis=(-2,))
    space = np.shape(x)[2:]
    if count_include_pad or not any(padding):
        y = total / float(math.prod(kernel))
    else:
        real = inside(space, kernel, stride, padding, dilation)
        y = total / array_of(m, real.sum(axis=0), x)
    counts = window_counts(space, kernel, stride, padding, dilation)
    return m.reshape(y, shape=(*np.shape(x)[:2], *counts))


# ---- norms


def normalised(m: Any, x: Any, axis: Sizes, eps: float) -> tuple[Any, Any]:
    """x minus its mean, over the deviation; and x over the deviation.

    eps keeps the deviation from 0.

    Libraries may do both steps in other ways. They may take the mean from x over the
    deviation, which is off by the rounding of that. They may take the variance as
    mean(x*x) - mean(x)**2, which is off by a rounding of mean(x*x). Both are slacks
    here.
    """
    middle = mean(m, x, axis=axis, keepdims=True)
    rest = m.slack(x - middle, x)
    variance = mean(m, m.deviation2(x, middle), axis=axis, keepdims=True)
    variance = m.slack(variance, mean(m, x * x, axis=axis, keepdims=True))
    deviation = m.sqrt(variance + eps)
    return rest / deviation, x / deviation


def affine(m: Any, normal: tuple[Any, Any], w: Any, b: Any) -> Any:
    """What `normalised` gives, times w, plus b.

    Where a library takes the mean from x over the deviation, it rounds that. The way
    back computes y anew and does not see the rounding. So the slack belongs to the
    result and not to y.
    """
    y, scaled = normal
    return m.slack(y * w + b, scaled * w)


def by_channel(m: Any, w: Any, x: Any) -> Any:
    """One number per channel, in a shape that broadcasts against x."""
    return m.reshape(w, shape=(np.shape(x)[1], *(1,) * (np.ndim(x) - 2)))


def batch_norm(m: Any, x: Any, w: Any, b: Any, *, eps: float) -> Any:
    """Each channel normalised over batch and space: training mode."""
    rank = np.ndim(x)
    axis = tuple(a - rank for a in range(rank) if a != 1)
    normal = normalised(m, x, axis, eps)
    return affine(m, normal, by_channel(m, w, x), by_channel(m, b, x))


def batch_norm_eval(
    m: Any,
    x: Any,
    w: Any,
    b: Any,
    *,
    mean: Sequence[float],
    var: Sequence[float],
    eps: float,
) -> Any:
    """Each channel normalised by given statistics: evaluation mode.

    The deviation is a constant. To round it costs no more than to round the quotient.
    """
    shape = (len(mean), *(1,) * (np.ndim(x) - 2))
    deviation = array_of(m, np.sqrt(np.reshape(var, shape) + eps), x)
    y = (x - array_of(m, np.reshape(mean, shape), x)) / deviation
    normal = y, x / deviation
    return affine(m, normal, by_channel(m, w, x), by_channel(m, b, x))


def layer_norm(m: Any, x: Any, w: Any, b: Any, *, eps: float) -> Any:
    """Normalised over the last axes, as many as the weights have."""
    return affine(m, normalised(m, x, tuple(range(-np.ndim(w), 0)), eps), w, b)


def rms_norm(m: Any, x: Any, w: Any, *, eps: float) -> Any:
    """x over the root of its mean square along the last axes."""
    axis = tuple(range(-np.ndim(w), 0))
    return x / m.sqrt(mean(m, x * x, axis=axis, keepdims=True) + eps) * w


def group_norm(m: Any, x: Any, w: Any, b: Any, *, groups: int, eps: float) -> Any:
    """Normalised over space and the channels of a group."""
    shape = np.shape(x)
    rows = m.reshape(x, shape=(shape[0], groups, math.prod(shape[1:]) // groups))
    y, size = (m.reshape(z, shape=shape) for z in normalised(m, rows, (-1,), eps))
    return affine(m, (y, size), by_channel(m, w, x), by_channel(m, b, x))


# ---- attention


def attention(
    m: Any, q: Any, k: Any, v: Any, *, mask: str, kept: Any = None, p: float = 0.0
) -> Any:
    """softmax(q kᵀ / sqrt(width)) v; a masked score has no weight at all.

    kept: which of the weights a dropout of p keeps, a Boolean array.

    The result is divided and not the weights, so that what the normalisation sends
    back is the sum of dO * O, as fused kernels take it (Dao and others, 2022), with
    the rounding of O. On the way back they make the weights anew from the rounded
    logsumexp, which is off by as much of each: a slack of what scores and v receive.
    """
    *lead, length, width = np.shape(q)
    keys, values = np.shape(k)[-2], np.shape(v)[-1]
    left = m.reshape(q, shape=(*lead, length, 1, width))
    right = m.reshape(k, shape=(*lead, 1, keys, width))
    scores = m.sum(left * right, axis=(-1,)) * (1.0 / math.sqrt(width))
    seen = mask_of(mask, length, keys)
    if seen.all():
        top = m.peak(scores, axis=(-1,), keepdims=True)
        e = m.exp(scores - top)
    else:
        least = -m.peak(-scores, axis=(-1,), keepdims=True)
        top = m.peak(m.where(seen, scores, least), axis=(-1,), keepdims=True)
        shifted = m.where(seen, scores, top) - top
        e = m.where(seen, m.exp(shifted), array_of(m, 0.0, q))
    size = m.abs(top) + math.log(keys)  # of the logsumexp, at most
    e = m.slack_back(e, size)
    whole = (*lead, length, keys, values)
    spread = m.broadcast_to(m.reshape(v, shape=(*lead, 1, keys, values)), shape=whole)
    spread = m.slack_back(spread, m.reshape(size, shape=(*lead, length, 1, 1)))
    total = m.sum(e, axis=(-1,), keepdims=True)
    if kept is not None:
        e = m.where(kept, e / (1.0 - p), array_of(m, 0.0, q))
    return m.sum(m.reshape(e, shape=(*whole[:-1], 1)) * spread, axis=(-2,)) / total


def dropout_attention(
    m: Any, q: Any, k: Any, v: Any, *, mask: str, kept: str, p: float
) -> Any:
    """As `attention`, with a dropout of its weights, the same one in every batch."""
    table = rows_of(kept, np.shape(q)[-2], np.shape(k)[-2], "kept")
    return attention(m, q, k, v, mask=mask, kept=table, p=p)
