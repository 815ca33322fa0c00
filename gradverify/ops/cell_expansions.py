"""Expansions of recurrent cells, attention of several heads, norms and bags.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.ops.composites import concatenate, largest
from gradverify.ops.functions import relu
from gradverify.ops.layer_expansions import (
    affine,
    array_of,
    attention,
    by_channel,
    linear,
    normalised,
)

Sizes = Sequence[int]


# ---- cells


def _gates(m: Any, y: Any, count: int) -> list[Any]:
    """The parts of the last axis."""
    n = np.shape(y)[-1] // count
    return [m.slice(y, axis=(-1,), start=k * n, stop=(k + 1) * n) for k in range(count)]


def rnn_cell(
    m: Any, x: Any, h: Any, w: Any, u: Any, b: Any, d: Any, *, nonlinearity: str
) -> Any:
    """A nonlinear function of both products with weights (Elman, 1990)."""
    y = linear(m, x, w, b) + linear(m, h, u, d)
    return m.tanh(y) if nonlinearity == "tanh" else relu(m, y)


def gru_cell(m: Any, x: Any, h: Any, w: Any, u: Any, b: Any, d: Any) -> Any:
    """A gated recurrent unit (Cho and others, 2014), with its gate behind the product.

    Libraries take the new state as n + z (h - n), and are off by a rounding of n.
    """
    reset, update, new = _gates(m, linear(m, x, w, b), 3)
    r, z, n = _gates(m, linear(m, h, u, d), 3)
    r, z = m.sigmoid(reset + r), m.sigmoid(update + z)
    n = m.tanh(new + r * n)
    return m.slack(n + z * (h - n), n)


def lstm_cell(m: Any, x: Any, h: Any, c: Any, w: Any, u: Any, b: Any, d: Any) -> Any:
    """Long short-term memory (Hochreiter and Schmidhuber, 1997), with a forget gate.

    Both new states, h and c, stand side by side.
    """
    into, forget, new, out = _gates(m, linear(m, x, w, b) + linear(m, h, u, d), 4)
    c = m.sigmoid(forget) * c + m.sigmoid(into) * m.tanh(new)
    return concatenate(m, m.sigmoid(out) * m.tanh(c), c, axis=(-1,))


def bilinear(m: Any, x: Any, y: Any, w: Any, b: Any) -> Any:
    """The sum of all products of two entries, with weights, and the bias."""
    (*lead, first), second, outputs = np.shape(x), np.shape(y)[-1], np.shape(w)[0]
    rows = math.prod(lead)
    left = m.reshape(x, shape=(rows, 1, first, 1))
    right = m.reshape(y, shape=(rows, 1, 1, second))
    weights = m.reshape(w, shape=(1, outputs, first, second))
    found = m.sum(left * weights * right, axis=(-2, -1)) + b
    return m.reshape(found, shape=(*lead, outputs))


# ---- attention


def multi_head_attention(
    m: Any,
    q: Any,
    k: Any,
    v: Any,
    w: Any,
    b: Any,
    out: Any,
    c: Any,
    *,
    heads: int,
    mask: str,
    need_weights: bool,
) -> Any:
    """An attention for each part of the projected width (Vaswani and others, 2017).

    need_weights: whether a library is asked for its weights too, for which it may take
        another way.
    """
    del need_weights
    (batch, length, width), each = np.shape(q), np.shape(q)[-1] // heads

    def projected(x: Any, part: int) -> Any:
        start, stop = part * width, (part + 1) * width
        rows = m.slice(w, axis=(-2,), start=start, stop=stop)
        y = linear(m, x, rows, m.slice(b, axis=(-1,), start=start, stop=stop))
        y = m.reshape(y, shape=(batch, np.shape(x)[1], heads, each))
        return m.transpose(y, axes=(0, 2, 1, 3))

    y = attention(m, projected(q, 0), projected(k, 1), projected(v, 2), mask=mask)
    y = m.reshape(m.transpose(y, axes=(0, 2, 1, 3)), shape=(batch, length, width))
    return linear(m, y, out, c)


# ---- norms


def instance_norm(m: Any, x: Any, w: Any, b: Any, *, eps: float) -> Any:
    """Normalised over space alone."""
    normal = normalised(m, x, tuple(range(2 - np.ndim(x), 0)), eps)
    return affine(m, normal, by_channel(m, w, x), by_channel(m, b, x))


def local_response_norm(
    m: Any, x: Any, *, n: int, alpha: float, beta: float, base: float
) -> Any:
    """x over a power of the mean square of the channels around it.

    The mean is over n channels, the absent ones among them.
    """
    channels, at = np.shape(x)[1], 1 - np.ndim(x)
    squares = m.pad(x * x, axis=(at,), before=n // 2, after=(n - 1) // 2)
    parts = [m.slice(squares, axis=(at,), start=k, stop=k + channels) for k in range(n)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    size = base + alpha * (total / float(n))
    return x * m.power(size, n=-beta)


# ---- bags


def _bags(index: Sizes, offsets: Sizes) -> list[Sizes]:
    ends = [*offsets[1:], len(index)]
    return [index[a:b] for a, b in zip(offsets, ends, strict=True)]


def embedding_bag(
    m: Any, table: Any, *, index: Sizes, offsets: Sizes, mode: str
) -> Any:
    """The sum, mean or maxima of the rows in each bag; an empty bag has zeros."""
    bags = _bags(index, offsets)
    if mode != "max":
        y = _added(m, m.take(table, axis=(-2,), index=tuple(index)), index, offsets)
        counts = [[max(len(bag), 1)] for bag in bags]
        return y if mode == "sum" else y / array_of(m, counts, table)
    y = array_of(m, np.zeros((len(bags), np.shape(table)[1])), table)
    for k, bag in enumerate(bags):
        if bag:
            rows = m.take(table, axis=(-2,), index=tuple(bag))
            top = largest(m, rows, axis=(-2,), keepdims=True)
            y = y + m.put(top, axis=(-2,), index=(k,), length=len(bags))
    return y


def weighted_embedding_bag(
    m: Any, table: Any, weights: Any, *, index: Sizes, offsets: Sizes
) -> Any:
    """The sum of the rows in each bag, each times its weight."""
    rows = m.take(table, axis=(-2,), index=tuple(index))
    return _added(m, rows * m.reshape(weights, shape=(len(index), 1)), index, offsets)


def _added(m: Any, rows: Any, index: Sizes, offsets: Sizes) -> Any:
    sizes = map(len, _bags(index, offsets))
    to = itertools.chain(*([k] * size for k, size in enumerate(sizes)))
    return m.put(rows, axis=(-2,), index=tuple(to), length=len(offsets))
