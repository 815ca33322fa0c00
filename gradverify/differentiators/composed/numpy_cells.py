"""Cells, attention, norms and bags composed of NumPy's functions, as users write them.

Every function takes `np`, the module that has NumPy's functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

from gradverify.ops.layer_shapes import mask_of

Sizes = Sequence[int]


def rnn_cell(
    np: Any, x: Any, h: Any, w: Any, u: Any, b: Any, d: Any, nonlinearity: str
) -> Any:
    y = np.matmul(x, w.T) + b + np.matmul(h, u.T) + d
    return np.tanh(y) if nonlinearity == "tanh" else np.maximum(y, 0.0)


def bilinear(np: Any, x: Any, y: Any, w: Any, b: Any) -> Any:
    wide = np.reshape(x, (*x.shape[:-1], 1, x.shape[-1], 1))
    other = np.reshape(y, (*y.shape[:-1], 1, 1, y.shape[-1]))
    return np.sum(np.sum(wide * w * other, axis=-1), axis=-1) + b


def seen_alone(np: Any, scores: Any, seen: Any) -> Any:
    """Scores, of which those that are masked become minus infinity.

    It is not added to them: a score that overflows would be NaN.
    """
    return np.where(seen, scores, numpy.array(-numpy.inf, scores.dtype))


def multi_head_attention(
    np: Any,
    q: Any,
    k: Any,
    v: Any,
    w: Any,
    b: Any,
    out: Any,
    c: Any,
    heads: int,
    mask: str,
    need_weights: bool,
) -> Any:
    width = q.shape[-1]
    rows = [slice(n * width, (n + 1) * width) for n in range(3)]
    parts = []
    for x, row in zip((q, k, v), rows, strict=True):
        y = np.matmul(x, w[row].T) + b[row]
        y = np.reshape(y, (*x.shape[:2], heads, width // heads))
        parts.append(np.transpose(y, (0, 2, 1, 3)))
    scores = np.matmul(parts[0], np.swapaxes(parts[1], -1, -2))
    scores = scores * (1.0 / math.sqrt(width // heads))
    seen = mask_of(mask, q.shape[1], k.shape[1])
    scores = seen_alone(np, scores, seen)
    e = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    y = np.matmul(e / np.sum(e, axis=-1, keepdims=True), parts[2])
    y = np.reshape(np.transpose(y, (0, 2, 1, 3)), q.shape)
    return np.matmul(y, out.T) + c


def instance_norm(np: Any, x: Any, w: Any, b: Any, eps: float) -> Any:
    axis = tuple(range(2, x.ndim))
    rest = x - np.mean(x, axis=axis, keepdims=True)
    variance = np.mean(rest * rest, axis=axis, keepdims=True)
    shape = (w.shape[0], *(1,) * (x.ndim - 2))
    y = rest / np.sqrt(variance + eps)
    return y * np.reshape(w, shape) + np.reshape(b, shape)


def local_response_norm(
    np: Any, x: Any, n: int, alpha: float, beta: float, base: float
) -> Any:
    around = [(0, 0)] * x.ndim
    around[1] = (n // 2, (n - 1) // 2)
    squares = np.pad(x * x, around, mode="constant", constant_values=0.0)
    total = sum(squares[:, k : k + x.shape[1]] for k in range(n))
    return x / (base + alpha * (total / float(n))) ** beta


def weighted_embedding_bag(
    np: Any, table: Any, weights: Any, index: Sizes, offsets: Sizes
) -> Any:
    bag = numpy.searchsorted(offsets, numpy.arange(len(index)), side="right") - 1
    into = (numpy.arange(len(offsets))[:, None] == bag).astype(table.dtype)
    return np.matmul(into * weights, table[numpy.array(index)])


FUNCTIONS: Mapping[str, Callable[..., Any] | str] = {
    **{
        f.__name__: f
        for f in (
            rnn_cell, bilinear, multi_head_attention, instance_norm,
            local_response_norm, weighted_embedding_bag,
        )
    },
    **dict.fromkeys(
        ("gru_cell", "lstm_cell"), "NumPy's functions have no cell with gates"
    ),
    "embedding_bag": "NumPy's functions have no maxima of bags",
}  # fmt: skip
