"""Network layers and losses composed of a library's functions, as its users do it.

They are for libraries in NumPy's spelling that have no such functions of their own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from gradverify.differentiators.composed.numpy_cells import seen_alone
from gradverify.differentiators.protocol import Rows
from gradverify.ops.layer_shapes import mask_of, rows_of, window_counts

Sizes = Sequence[int]
Weights = Sequence[float] | None

UNEVEN = (
    *(f"adaptive_{kind}_pool{n}d" for kind in ("avg", "max") for n in (1, 2, 3)),
    "fractional_max_pool2d",
)
PUT = (
    *(f"conv_transpose{n}d" for n in (1, 2, 3)),
    "max_unpool1d",
    "max_unpool2d",
    "fold",
)


@dataclass(frozen=True)
class Composed:
    """Layers over two functions, and `np`, a module with functions as NumPy's.

    log_softmax: it goes along the last axis. Entries may be -inf.
    """

    np: Any
    softplus: Any
    log_softmax: Any

    def rows(self) -> Rows:
        """One row for every layer and loss."""
        np = self.np
        # fmt: off
        return {
            "celu":      self.celu,
            "selu":      self.selu,
            "mish":      lambda x: x * np.tanh(self.softplus(x)),
            "relu6":     lambda x: np.minimum(np.maximum(x, 0.0), 6.0),
            "hardtanh":  lambda x: np.minimum(np.maximum(x, -1.0), 1.0),
            "hardswish": lambda x: x * np.minimum(np.maximum(x + 3.0, 0.0), 6.0) / 6.0,
            "softsign":  lambda x: x / (1.0 + np.abs(x)),
            "linear":    lambda x, w, b: np.matmul(x, w.T) + b,
            "conv1d":    self.conv,
            "conv2d":    self.conv,
            "conv3d":    self.conv,
            "max_pool1d": self.max_pool,
            "max_pool2d": self.max_pool,
            "max_pool3d": self.max_pool,
            "avg_pool1d": self.avg_pool,
            "avg_pool2d": self.avg_pool,
            "avg_pool3d": self.avg_pool,
            "lp_pool1d": self.lp_pool,
            "lp_pool2d": self.lp_pool,
            "unfold":    self.unfold,
            **dict.fromkeys(UNEVEN, "windows of uneven length are no slices of arrays"),
            **dict.fromkeys(PUT, "NumPy's functions have no sum of what overlaps"),
            "batch_norm": self.batch_norm,
            "batch_norm_eval": self.batch_norm_eval,
            "layer_norm": lambda x, w, b, eps: self.normalised(x, w, eps) * w + b,
            "rms_norm":  self.rms_norm,
            "group_norm": self.group_norm,
            "embedding": lambda table, index: table[numpy.array(index)],
            "scaled_dot_product_attention": self.attention,
            "dropout_attention": self.dropout_attention,
            "dropout":   lambda x, mask, p: x * mask / (1.0 - p),
            "mse":       lambda x, t, reduction: self.reduced((x - t) ** 2, reduction),
            "l1":        lambda x, t, reduction: self.reduced(np.abs(x - t), reduction),
            "huber":     self.huber,
            "bce":       self.bce,
            "bce_with_logits": self.bce_with_logits,
            "kl_div":    self.kl_div,
            "nll":       self.nll,
            "cross_entropy": self.cross_entropy,
        }
        # fmt: on

    # ---- activations

    def celu(self, x: Any, alpha: float) -> Any:
        """celu. Its exponential is taken at min(x, 0), where it cannot overflow."""
        np = self.np
        return np.maximum(x, 0.0) + alpha * np.expm1(np.minimum(x, 0.0) / alpha)

    def selu(self, x: Any) -> Any:
        """selu, with the constants of its paper."""
        np, scale, alpha = self.np, 1.0507009873554805, 1.6732632423543772
        below = alpha * np.expm1(np.minimum(x, 0.0))
        return scale * (np.maximum(x, 0.0) + below)

    # ---- windows

    def padded(self, x: Any, padding: Sizes, value: float = 0.0) -> Any:
        """x, with that value put around its space."""
        widths = ((0, 0), (0, 0), *((p, p) for p in padding))
        return self.np.pad(x, widths, mode="constant", constant_values=value)

    def shifted(
        self, x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes
    ) -> list[tuple[tuple[int, ...], Any]]:
        """What each place of a kernel sees, of shape `(batch, channels, *steps)`."""
        space = x.shape[2:]
        counts = window_counts(space, kernel, stride, (0,) * len(space), dilation)
        result = []
        for place in itertools.product(*map(range, kernel)):
            parts = zip(place, stride, dilation, counts, strict=True)
            chosen = [slice(d * k, d * k + s * (n - 1) + 1, s) for k, s, d, n in parts]
            result.append((place, x[(slice(None), slice(None), *chosen)]))
        return result

    def conv(
        self,
        x: Any,
        w: Any,
        b: Any,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        groups: int,
    ) -> Any:
        """A convolution: one product for each place of the kernel, added up."""
        np, (outputs, per_group, *kernel) = self.np, w.shape
        ones, total = (1,) * len(kernel), 0.0
        x = self.padded(x, padding)
        for place, seen in self.shifted(x, kernel, stride, dilation):
            batch, counts = seen.shape[0], seen.shape[2:]
            a = np.reshape(seen, (batch, groups, 1, per_group, *counts))
            at = w[(slice(None), slice(None), *place)]
            at = np.reshape(at, (1, groups, outputs // groups, per_group, *ones))
            total = total + np.sum(a * at, axis=3)
        y = np.reshape(total, (batch, outputs, *counts))
        return y + np.reshape(b, (outputs, *ones))

    def max_pool(
        self, x: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
    ) -> Any:
        """A pooling by maxima of two, one entry of the window after the other."""
        x = self.padded(x, padding, -math.inf) if any(padding) else x
        first, *others = (y for _, y in self.shifted(x, kernel, stride, dilation))
        for other in others:
            first = self.np.maximum(first, other)
        return first

    def avg_pool(
        self,
        x: Any,
        kernel: Sizes,
        stride: Sizes,
        padding: Sizes,
        count_include_pad: bool,
    ) -> Any:
        """A pooling: the sum of the window's entries, divided by their number."""
        ones = (1,) * len(kernel)
        seen = self.shifted(self.padded(x, padding), kernel, stride, ones)
        total = sum(y for _, y in seen)
        if count_include_pad:
            return total / float(math.prod(kernel))
        real = numpy.pad(
            numpy.ones((1, 1, *x.shape[2:]), x.dtype),
            ((0, 0), (0, 0), *((p, p) for p in padding)),
        )
        counted = Composed(numpy, None, None).shifted(real, kernel, stride, ones)
        return total / sum(y for _, y in counted)

    def lp_pool(self, x: Any, p: float, kernel: Sizes, stride: Sizes) -> Any:
        """A pooling: the norm of the window's entries; signs count in odd orders."""
        seen = self.shifted(x, kernel, stride, (1,) * len(kernel))
        total = sum(y if p == 1.0 else y**p for _, y in seen)
        return total if p == 1.0 else total ** (1.0 / p)

    def unfold(
        self, x: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
    ) -> Any:
        """What every window sees, in a column."""
        seen = self.shifted(self.padded(x, padding), kernel, stride, dilation)
        columns = [self.np.reshape(y, (*x.shape[:2], 1, -1)) for _, y in seen]
        y = self.np.concatenate(columns, axis=2)
        return self.np.reshape(y, (x.shape[0], -1, y.shape[-1]))

    # ---- norms

    def normalised(self, x: Any, w: Any, eps: float) -> Any:
        """A layer norm over the last axes, as many as w has."""
        return self.over(x, tuple(range(-w.ndim, 0)), eps)

    def over(self, x: Any, axis: Any, eps: float) -> Any:
        """x less its mean along some axes, divided by its deviation there."""
        np = self.np
        rest = x - np.mean(x, axis=axis, keepdims=True)
        return rest / np.sqrt(np.mean(rest * rest, axis=axis, keepdims=True) + eps)

    def affine(self, y: Any, w: Any, b: Any) -> Any:
        """A weight and a bias for each channel."""
        shape = (w.shape[0], *(1,) * (y.ndim - 2))
        return y * self.np.reshape(w, shape) + self.np.reshape(b, shape)

    def batch_norm(self, x: Any, w: Any, b: Any, eps: float) -> Any:
        """A batch norm by the statistics of the batch."""
        axis = tuple(a for a in range(x.ndim) if a != 1)
        return self.affine(self.over(x, axis, eps), w, b)

    def batch_norm_eval(
        self,
        x: Any,
        w: Any,
        b: Any,
        mean: Sequence[float],
        var: Sequence[float],
        eps: float,
    ) -> Any:
        """A batch norm by given statistics."""
        shape = (len(mean), *(1,) * (x.ndim - 2))
        middle, variance = (numpy.array(v, x.dtype).reshape(shape) for v in (mean, var))
        y = (x - middle) / numpy.sqrt(variance + numpy.array(eps, x.dtype))
        return self.affine(y, w, b)

    def rms_norm(self, x: Any, w: Any, eps: float) -> Any:
        """x divided by the root of its mean square."""
        np, axis = self.np, tuple(range(-w.ndim, 0))
        return x / np.sqrt(np.mean(x * x, axis=axis, keepdims=True) + eps) * w

    def group_norm(self, x: Any, w: Any, b: Any, groups: int, eps: float) -> Any:
        """A norm within each group of channels."""
        rows = self.np.reshape(x, (x.shape[0], groups, -1))
        y = self.np.reshape(self.over(rows, (-1,), eps), x.shape)
        return self.affine(y, w, b)

    # ---- attention

    def attention(self, q: Any, k: Any, v: Any, mask: str) -> Any:
        """Attention. Masked scores are made so low that nothing is left of them."""
        np = self.np
        seen = mask_of(mask, q.shape[-2], k.shape[-2])
        scores = np.matmul(q, np.swapaxes(k, -1, -2)) * (1.0 / math.sqrt(q.shape[-1]))
        if not seen.all():
            scores = seen_alone(np, scores, seen)
        return np.matmul(np.exp(self.log_softmax(scores)), v)

    def dropout_attention(
        self, q: Any, k: Any, v: Any, mask: str, kept: str, p: float
    ) -> Any:
        """Attention, of whose weights some are dropped."""
        np, size = self.np, (q.shape[-2], k.shape[-2])
        scores = np.matmul(q, np.swapaxes(k, -1, -2)) * (1.0 / math.sqrt(q.shape[-1]))
        scores = seen_alone(np, scores, mask_of(mask, *size))
        scale = (rows_of(kept, *size, "kept") / (1.0 - p)).astype(q.dtype)
        return np.matmul(np.exp(self.log_softmax(scores)) * scale, v)

    # ---- losses

    def reduced(self, y: Any, reduction: str) -> Any:
        """All losses, their mean, or their sum."""
        if reduction == "none":
            return y
        return self.np.mean(y) if reduction == "mean" else self.np.sum(y)

    def huber(self, x: Any, t: Any, delta: float, reduction: str) -> Any:
        """The Huber loss, by the part of the distance that lies within delta."""
        np, d = self.np, x - t
        near = np.minimum(np.maximum(d, -delta), delta)
        return self.reduced(near * (d - 0.5 * near), reduction)

    def bce(self, x: Any, t: Any, reduction: str) -> Any:
        """The binary cross-entropy of probabilities."""
        np, (x, t) = self.np, alike(x, t)
        y = -(t * np.log(x) + (1.0 - t) * np.log(1.0 - x))
        return self.reduced(y, reduction)

    def bce_with_logits(self, x: Any, t: Any, reduction: str) -> Any:
        """The binary cross-entropy of what a sigmoid turns into probabilities."""
        x, t = alike(x, t)
        return self.reduced(self.softplus(x) - t * x, reduction)

    def kl_div(self, x: Any, t: Any, log_target: bool, reduction: str) -> Any:
        """The Kullback-Leibler divergence. Targets are probabilities or logarithms."""
        np, (x, t) = self.np, alike(x, t)
        y = np.exp(t) * (t - x) if log_target else t * (np.log(t) - x)
        return self.reduced(y, reduction)

    def nll(self, x: Any, target: Sizes, weight: Weights, reduction: str) -> Any:
        """The entries at the targets, times their weights."""
        chosen = numpy.maximum(target, 0)
        y = -x[numpy.arange(len(target)), chosen]
        if weight is None and min(target) >= 0:
            return self.reduced(y, reduction)
        each = self.weighed(x, target, weight)
        if reduction == "mean":
            return self.np.sum(y * each) / each.sum()
        return self.reduced(y * each, reduction)

    def weighed(self, x: Any, target: Sizes, weight: Weights) -> Any:
        """The weight of each row's target, 0 for one that is ignored."""
        each = numpy.ones(x.shape[1]) if weight is None else numpy.array(weight)
        chosen = numpy.array(target)
        return numpy.where(chosen < 0, 0.0, each[numpy.maximum(chosen, 0)]).astype(
            x.dtype
        )

    def cross_entropy(
        self, x: Any, target: Sizes, weight: Weights, reduction: str, smoothing: float
    ) -> Any:
        """The cross-entropy, by the logarithm of the softmax."""
        np = self.np
        logs = self.log_softmax(x)
        hard = self.nll(logs, target, weight, reduction)
        if not smoothing:
            return hard
        each = numpy.ones(x.shape[1]) if weight is None else numpy.array(weight)
        counted = (numpy.array(target) >= 0).astype(x.dtype)
        soft = -np.sum(logs * each.astype(x.dtype), axis=-1) * counted
        total = self.weighed(x, target, weight).sum()
        soft = np.sum(soft) / total if reduction == "mean" else self.reduced(soft, reduction)  # fmt: skip  # noqa: E501
        return (1.0 - smoothing) * hard + smoothing / x.shape[1] * soft


def alike(a: Any, b: Any) -> tuple[Any, Any]:
    """The two operands. A Python number gets the dtype of the other one.

    Both may be Python numbers: a constant, and what a step of a constant gave.
    """
    dtypes = (x.dtype for x in (a, b) if hasattr(x, "dtype"))
    dtype = next(dtypes, numpy.dtype(numpy.float64))
    first, second = (
        numpy.asarray(x, dtype)[()] if type(x) is float else x for x in (a, b)
    )
    return first, second
