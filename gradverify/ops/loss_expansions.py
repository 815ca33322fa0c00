"""Expansions of losses into primitives, each in its numerically stable form.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.ops.composites import log_softmax, mean
from gradverify.ops.functions import clip, constant, minimum, relu
from gradverify.ops.layer_expansions import array_of, held
from gradverify.ops.linear_algebra_expansions import vector_norm
from gradverify.ops.loss_shapes import IGNORED, labels, parts

Sizes = Sequence[int]
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
    index = tuple(k * classes + max(t, 0) for k, t in enumerate(target))
    return m.take(m.reshape(x, shape=(rows * classes,)), axis=(-1,), index=index)


def _over_classes(
    m: Any, y: Any, target: Sequence[int], weight: Weights, reduction: str
) -> Any:
    """The mean: the sum of losses over the sum of the targets' weights, not their
    number.
    """
    if IGNORED in target:
        y = m.where(np.not_equal(target, IGNORED), y, array_of(m, 0.0, y))
    if reduction != "mean":
        return reduced(m, y, reduction)
    each = [1.0 if weight is None else weight[t] for t in target if t != IGNORED]
    return m.sum(y, axis=None) / float(sum(each))


def nll(
    m: Any, x: Any, *, target: Sequence[int], weight: Weights, reduction: str
) -> Any:
    """Minus the entry that the target names, times the weight of its class."""
    y = -_picked(m, x, target)
    if weight is not None:
        y = y * array_of(m, [weight[max(t, 0)] for t in target], x)
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


def soft_cross_entropy(
    m: Any, x: Any, t: Any, *, weight: Weights, smoothing: float, reduction: str
) -> Any:
    """The log-softmax in the shares of a target that has one for each class."""
    logs, classes = log_softmax(m, x, axis=(-1,)), np.shape(x)[1]
    if smoothing:
        t = t * (1.0 - smoothing) + smoothing / classes
    y = logs * t if weight is None else logs * t * array_of(m, weight, x)
    y = -m.sum(y, axis=(-1,))
    return y if reduction == "none" else reduced(m, y, reduction)


# ---- margins


def smooth_l1(m: Any, x: Any, t: Any, *, beta: float, reduction: str) -> Any:
    """Half the squared distance over beta up to beta; beyond it the tangent.

    Both sides have the same slope at beta, so it is no kink.
    """
    d = x - t
    above, below = m.step(d - beta), m.step(-beta - d)
    near = (1.0 - above - below) * d + beta * (above - below)
    return reduced(m, near * (d - 0.5 * near) / beta, reduction)


def _signs(m: Any, x: Any, signs: Sizes) -> Any:
    return array_of(m, np.reshape(signs, np.shape(x)), x)


def soft_margin(m: Any, x: Any, *, signs: Sizes, reduction: str) -> Any:
    """log(1 + exp(-x)) by sign. Libraries usually round 1 + exp(-x) first."""
    y = m.softplus(-(x * _signs(m, x, signs)))
    return reduced(m, m.slack(y, constant(m, 1.0)), reduction)


def hinge_embedding(
    m: Any, x: Any, *, signs: Sizes, margin: float, reduction: str
) -> Any:
    """A distance itself for the sign 1, and what it lacks of the margin for -1."""
    near = np.reshape(signs, np.shape(x)) > 0
    return reduced(m, m.where(near, x, relu(m, margin - x)), reduction)


def margin_ranking(
    m: Any, x: Any, y: Any, *, signs: Sizes, margin: float, reduction: str
) -> Any:
    """What the signed distance lacks of the margin."""
    rest = margin - (x - y) * _signs(m, x, signs)
    return reduced(m, relu(m, rest), reduction)


def pairwise_distance(
    m: Any, x: Any, y: Any, *, p: float, eps: float, keepdims: bool
) -> Any:
    """The norm of the difference along the last axis; eps is added to every entry."""
    return vector_norm(m, x - y + eps, ord=str(p), axis=(-1,), keepdims=keepdims)


SMALL = float(np.float32(1e-12))
"""What PyTorch adds to the squares of a cosine embedding loss, in any format."""


def cosine_embedding(
    m: Any, x: Any, y: Any, *, signs: Sizes, margin: float, reduction: str
) -> Any:
    """1 - cos for the sign 1, and what cos has above the margin for -1."""
    a, b = (m.sqrt(m.sum(z * z, axis=(-1,)) + SMALL) for z in (x, y))
    cos = m.sum(x * y, axis=(-1,)) / a / b
    far = relu(m, cos - margin)
    return reduced(m, m.where(np.greater(signs, 0), 1.0 - cos, far), reduction)


def triplet_margin(
    m: Any,
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    margin: float,
    swap: bool,
    reduction: str,
    **params: Any,
) -> Any:
    """What the distance to a negative lacks of the one to a positive and the margin.

    With `swap`, the distance of the positive from the negative counts where it is less.
    """
    given = {**params, "keepdims": False}
    near, far = (pairwise_distance(m, anchor, z, **given) for z in (positive, negative))
    if swap:
        far = minimum(m, far, pairwise_distance(m, positive, negative, **given))
    return reduced(m, relu(m, margin + near - far), reduction)


def multi_margin(
    m: Any,
    x: Any,
    *,
    target: Sizes,
    p: int,
    margin: float,
    weight: Weights,
    reduction: str,
) -> Any:
    """What the right class lacks of the margin above each other, to the power of p."""
    rows, classes = np.shape(x)
    right = m.reshape(_picked(m, x, target), shape=(rows, 1))
    rest = relu(m, margin - right + x)
    rest = rest * rest if p == 2 else rest
    if weight is not None:
        each = np.reshape([weight[t] for t in target], (rows, 1))
        rest = rest * array_of(m, each, x)
    others = np.arange(classes) != np.reshape(target, (rows, 1))
    y = m.sum(m.where(others, rest, array_of(m, 0.0, x)), axis=(-1,)) / float(classes)
    return reduced(m, y, reduction)


def multilabel_margin(m: Any, x: Any, *, target: Sizes, reduction: str) -> Any:
    """What each right class lacks of 1 above each wrong one, over the classes."""
    rows, classes = np.shape(x)
    right = [(k, c) for k in range(rows) for c in labels(target, classes, k)]
    pairs = [
        (k, k * classes + c, k * classes + other)
        for k, c in right
        for other in range(classes)
        if (k, other) not in right
    ]
    if not pairs:
        return reduced(m, m.sum(0.0 * x, axis=(-1,)), reduction)
    flat = m.reshape(x, shape=(rows * classes,))
    row, *places = zip(*pairs, strict=True)
    good, bad = (m.take(flat, axis=(-1,), index=place) for place in places)
    rest = 1.0 - (good - bad)
    y = m.put(relu(m, rest), axis=(-1,), index=row, length=rows) / float(classes)
    return reduced(m, y, reduction)


def multilabel_soft_margin(
    m: Any, x: Any, t: Any, *, weight: Weights, reduction: str
) -> Any:
    """A binary cross-entropy for each class, and their mean for each row."""
    y = t * m.softplus(-x) + (1.0 - t) * m.softplus(x)
    if weight is not None:
        y = y * array_of(m, weight, x)
    return reduced(m, mean(m, y, axis=(-1,)), reduction)


# ---- likelihoods


def poisson_nll(
    m: Any,
    x: Any,
    t: Any,
    *,
    log_input: bool,
    full: bool,
    eps: float,
    reduction: str,
) -> Any:
    """The rate, less the target times its logarithm.

    With `full`, Stirling's approximation of log(t!) for targets above 1.
    """
    y = m.exp(x) - t * x if log_input else x - t * m.log(x + eps)
    if full:
        many = m.step(t - 1.0)
        above = many * (t - 1.0) + 1.0
        logs, of_pi = m.log(above), m.scale(held(m, 0.5, x), by="log(2 pi)")
        y = y + many * (above * logs - above + 0.5 * logs + of_pi)
    return reduced(m, y, reduction)


def gaussian_nll(
    m: Any, x: Any, t: Any, var: Any, *, full: bool, eps: float, reduction: str
) -> Any:
    """Half of the squared distance over the variance, and of the variance's logarithm.

    The variance is above eps, which is what libraries take for a smaller one.
    """
    d = x - t
    y = 0.5 * (m.log(var) + d * d / var)
    if full:
        y = y + m.scale(held(m, 0.5, x), by="log(2 pi)")
    return reduced(m, y, reduction)


def ctc(
    m: Any,
    x: Any,
    *,
    target: Sizes,
    lengths: Sizes,
    steps: Sizes,
    blank: int,
    reduction: str,
) -> Any:
    """Minus the logarithm of the chance of all paths that spell the target.

    It is the recursion of Graves and others (2006) over the logarithms of the softmax.
    Libraries take the way back from sums of as many logarithms as there are steps,
    with the rounding of each.
    """
    logs = log_softmax(m, x, axis=(-1,))
    flat = m.reshape(logs, shape=(int(np.prod(np.shape(x))),))
    most = float(np.shape(x)[0]) * m.peak(m.abs(flat), axis=None)
    flat = m.slack_back(flat, most)
    chances = []
    for k, (row, n) in enumerate(zip(parts(target, lengths), steps, strict=True)):
        path = [blank, *(c for label in row for c in (label, blank))]

        def at(t: int, c: int, k: int = k) -> Any:
            place = (t * np.shape(x)[1] + k) * np.shape(x)[2] + c
            return m.take(flat, axis=(-1,), index=(place,))

        now = {s: at(0, path[s]) for s in range(min(2, len(path)))}
        for t in range(1, n):
            now = {
                s: _added(m, came) + at(t, path[s])
                for s in range(len(path))
                if (came := [now[j] for j in _before(path, s) if j in now])
            }
        chances.append(_added(m, [now[s] for s in now if s >= len(path) - 2]))
    y = array_of(m, np.zeros(len(chances)), x)
    for k, chance in enumerate(chances):
        y = y - m.put(chance, axis=(-1,), index=(k,), length=len(chances))
    if reduction == "mean":
        y = y / array_of(m, np.maximum(lengths, 1), x)
    return reduced(m, y, reduction)


def _before(path: Sizes, s: int) -> list[int]:
    """The states from which a path comes to a state in one step."""
    skips = s > 1 and path[s] != path[s - 2] and path[s] != path[0]
    return [s, s - 1, s - 2] if skips else [s, s - 1]


def _added(m: Any, logs: Sequence[Any]) -> Any:
    """The logarithm of the sum of numbers whose logarithms are given."""
    y = logs[0]
    for other in logs[1:]:
        y = m.logaddexp(y, other)
    return y
