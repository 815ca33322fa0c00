"""Further losses composed of NumPy's functions, as users of autograd and JAX write
them.

Every function takes `np`, the module that has NumPy's functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

Sizes = Sequence[int]
Weights = Sequence[float] | None


SMALL = 9.999999960041972e-13
"""What PyTorch adds to the squares of a cosine embedding loss: 1e-12 of a float32."""


def reduced(np: Any, y: Any, reduction: str) -> Any:
    """All losses, their mean, or their sum."""
    if reduction == "none":
        return y
    return np.mean(y) if reduction == "mean" else np.sum(y)


def constants(x: Any, values: Any, shape: Any) -> Any:
    """Numbers in the dtype of x."""
    return numpy.array(values, x.dtype).reshape(shape)


def smooth_l1(np: Any, x: Any, t: Any, beta: float, reduction: str) -> Any:
    d = x - t
    near = np.minimum(np.maximum(d, -beta), beta)
    return reduced(np, near * (d - 0.5 * near) / beta, reduction)


def soft_margin(np: Any, x: Any, signs: Sizes, reduction: str) -> Any:
    y = np.logaddexp(0.0, -x * constants(x, signs, x.shape))
    return reduced(np, y, reduction)


def hinge_embedding(
    np: Any, x: Any, signs: Sizes, margin: float, reduction: str
) -> Any:
    near = numpy.reshape(signs, x.shape) > 0
    return reduced(np, np.where(near, x, np.maximum(margin - x, 0.0)), reduction)


def margin_ranking(
    np: Any, x: Any, y: Any, signs: Sizes, margin: float, reduction: str
) -> Any:
    rest = margin - constants(x, signs, x.shape) * (x - y)
    return reduced(np, np.maximum(rest, 0.0), reduction)


def pairwise_distance(
    np: Any, x: Any, y: Any, p: float, eps: float, keepdims: bool
) -> Any:
    d = np.abs(x - y + eps)
    if p == 1.0:
        return np.sum(d, axis=-1, keepdims=keepdims)
    return np.sum(d**p, axis=-1, keepdims=keepdims) ** (1.0 / p)


def cosine_embedding(
    np: Any, x: Any, y: Any, signs: Sizes, margin: float, reduction: str
) -> Any:
    a, b = (np.sqrt(np.sum(z * z, axis=-1) + SMALL) for z in (x, y))
    cos = np.sum(x * y, axis=-1) / a / b
    far = np.maximum(cos - margin, 0.0)
    return reduced(np, np.where(numpy.array(signs) > 0, 1.0 - cos, far), reduction)


def triplet_margin(
    np: Any,
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float,
    swap: bool,
    reduction: str,
    **distance: float,
) -> Any:
    given: dict[str, Any] = {**distance, "keepdims": False}
    near = pairwise_distance(np, anchor, positive, **given)
    far = pairwise_distance(np, anchor, negative, **given)
    if swap:
        far = np.minimum(far, pairwise_distance(np, positive, negative, **given))
    return reduced(np, np.maximum(margin + near - far, 0.0), reduction)


def multi_margin(
    np: Any,
    x: Any,
    target: Sizes,
    p: int,
    margin: float,
    weight: Weights,
    reduction: str,
) -> Any:
    rows, classes = numpy.arange(x.shape[0]), numpy.array(target)
    right = np.reshape(x[rows, classes], (-1, 1))
    rest = np.maximum(margin - right + x, 0.0) ** p
    others = numpy.ones(x.shape)
    others[rows, classes] = 0.0
    if weight is not None:
        others = others * numpy.array(weight)[classes].reshape(-1, 1)
    y = np.sum(rest * others.astype(x.dtype), axis=-1) / float(x.shape[1])
    return reduced(np, y, reduction)


def multilabel_margin(np: Any, x: Any, target: Sizes, reduction: str) -> Any:
    rows, classes = x.shape
    given = numpy.reshape(target, x.shape)
    real = numpy.cumprod(given >= 0, axis=1)
    right = numpy.zeros(x.shape)
    for k in range(rows):
        right[k, given[k][real[k] == 1]] = 1.0
    pairs = (right[:, :, None] * (1.0 - right)[:, None, :]).astype(x.dtype)
    first = np.reshape(x, (rows, classes, 1))
    second = np.reshape(x, (rows, 1, classes))
    rest = np.maximum(1.0 - (first - second), 0.0)
    y = np.sum(np.sum(rest * pairs, axis=-1), axis=-1) / float(classes)
    return reduced(np, y, reduction)


def multilabel_soft_margin(
    np: Any, x: Any, t: Any, weight: Weights, reduction: str
) -> Any:
    y = t * np.logaddexp(0.0, -x) + (1.0 - t) * np.logaddexp(0.0, x)
    if weight is not None:
        y = y * constants(x, weight, -1)
    return reduced(np, np.mean(y, axis=-1), reduction)


def poisson_nll(
    np: Any, x: Any, t: Any, log_input: bool, full: bool, eps: float, reduction: str
) -> Any:
    y = np.exp(x) - t * x if log_input else x - t * np.log(x + eps)
    if full:
        above = np.where(t > 1.0, t, numpy.ones(t.shape, t.dtype))
        rest = above * np.log(above) - above + 0.5 * np.log(2.0 * math.pi * above)
        y = y + np.where(t > 1.0, rest, numpy.zeros(t.shape, t.dtype))
    return reduced(np, y, reduction)


def gaussian_nll(
    np: Any, x: Any, t: Any, var: Any, full: bool, eps: float, reduction: str
) -> Any:
    y = 0.5 * (np.log(var) + (x - t) ** 2 / var)
    y = y + 0.5 * math.log(2.0 * math.pi) if full else y
    return reduced(np, y, reduction)


def soft_cross_entropy(
    np: Any, x: Any, t: Any, weight: Weights, smoothing: float, reduction: str
) -> Any:
    shifted = x - np.max(x, axis=-1, keepdims=True)
    total = np.sum(np.exp(shifted), axis=-1, keepdims=True)
    logs = shifted - np.log(total)
    y = logs * (t * (1.0 - smoothing) + smoothing / x.shape[1])
    if weight is not None:
        y = y * constants(x, weight, -1)
    return reduced(np, -np.sum(y, axis=-1), reduction)


FUNCTIONS: Mapping[str, Callable[..., Any] | str] = {
    **{
        f.__name__: f
        for f in (
            smooth_l1, soft_margin, hinge_embedding, margin_ranking, pairwise_distance,
            cosine_embedding, triplet_margin, multi_margin, multilabel_margin,
            multilabel_soft_margin, poisson_nll, gaussian_nll, soft_cross_entropy,
        )
    },
    "ctc": "NumPy's functions have no loss of sequences, and a recursion is no row",
}  # fmt: skip
