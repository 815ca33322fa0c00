"""Expansions of losses into primitives, each in its numerically stable form.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.ops.composites import log_softmax, mean
from gradverify.ops.functions import clip, constant
from gradverify.ops.layer_expansions import array_of

Weights = Sequence[float] | None


def reduced(m: Any, y: Any, reduction: str) -> Any:
    """The losses themselves, their mean, or their sum, as `reduction` says."""
    if reduction == "none":
        return y
    return mean(m, y) if reduction == "mean" else m.sum(y, axis=None)


def mse(m: Any, x: Any, t: Any, *, reduction: str) -> Any:
    """The squared distance."""
    d = x - t
    return reduced(m, d * d, reduction)


def l1(m: Any, x: Any, t: Any, *, reduction: str) -> Any:
    """The distance."""
    return reduced(m, m.abs(x - t), reduction)


def huber(m: Any, x: Any, t: Any, *, delta: float, reduction: str) -> Any:
    """Half the squared distance up to delta; beyond it the tangent at delta."""
    d = x - t
    near = clip(m, d, low=-delta, high=delta)
    return reduced(m, near * (d - 0.5 * near), reduction)


def bce(m: Any, x: Any, t: Any, *, reduction: str) -> Any:
    """-t log(x) - (1 - t) log(1 - x). Libraries usually round 1 - x first."""
    rest = m.log1p(m.slack(-x, constant(m, 1.0)))
    return reduced(m, -(t * m.log(x) + (1.0 - t) * rest), reduction)


def bce_with_logits(m: Any, x: Any, t: Any, *, reduction: str) -> Any:
    """log(1 + exp(x)) - t x. Usual forms are off by a rounding of x, or of t x."""
    y = m.softplus(x) - t * x
    return reduced(m, m.slack(m.slack(y, x), t * x), reduction)


def kl_div(m: Any, x: Any, t: Any, *, log_target: bool, reduction: str) -> Any:
    """t (log(t) - x), where x is a logarithm. If t is one too: exp(t) (t - x)."""
    y = m.exp(t) * (t - x) if log_target else t * m.log(t) - t * x
    return reduced(m, y, reduction)


# ---- classes


def _picked(m: Any, x: Any, target: Sequence[int]) -> Any:
    """The entry of every row that its target names."""
    rows, classes = np.shape(x)
    index = tuple(k * classes + t for k, t in enumerate(target))
    return m.take(m.reshape(x, shape=(rows * classes,)), axis=(-1,), index=index)


def _over_classes(
    m: Any, y: Any, target: Sequence[int], weight: Weights, reduction: str
) -> Any:
    """The mean: the sum of losses over the sum of the targets' weights, not their
    number.
    """
    if reduction != "mean":
        return reduced(m, y, reduction)
    if weight is None:
        return mean(m, y)
    return m.sum(y, axis=None) / float(sum(weight[t] for t in target))


def nll(
    m: Any, x: Any, *, target: Sequence[int], weight: Weights, reduction: str
) -> Any:
    """Minus the entry that the target names, times the weight of its class."""
    y = -_picked(m, x, target)
    if weight is not None:
        y = y * array_of(m, [weight[t] for t in target], x)
    return _over_classes(m, y, target, weight, reduction)


def cross_entropy(
    m: Any,
    x: Any,
    *,
    target: Sequence[int],
    weight: Weights,
    smoothing: float,
    reduction: str,
) -> Any:
    """`nll` of the log-softmax.

    With smoothing, all classes get a share of the target.
    """
    logs, classes = log_softmax(m, x, axis=(-1,)), np.shape(x)[1]
    y = nll(m, logs, target=target, weight=weight, reduction="none")
    if smoothing:
        weighted = logs if weight is None else logs * array_of(m, weight, x)
        rest = -m.sum(weighted, axis=(-1,))
        y = (1.0 - smoothing) * y + (smoothing / classes) * rest
    return _over_classes(m, y, target, weight, reduction)
