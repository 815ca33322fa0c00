"""PyTorch's own functions for network layers and losses."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gradverify.differentiators.protocol import Rows, functions
from gradverify.ops.layer_shapes import mask_of, rows_of

Weights = Sequence[float] | None

REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}
"""The numbers by which `torch.kl_div`, without a warning of its mean, calls them."""


def layer_rows() -> Rows:
    """Rows over `torch.nn.functional`; the library is imported here."""
    import torch
    import torch.nn.functional as nn

    # fmt: off
    return {
        **functions(nn, "celu selu mish relu6 hardtanh hardswish softsign"),
        **functions(nn, "linear conv1d conv2d"),
        **functions(nn, mse="mse_loss", l1="l1_loss", huber="huber_loss"),
        **functions(nn, bce="binary_cross_entropy"),
        **functions(nn, bce_with_logits="binary_cross_entropy_with_logits"),
        "max_pool1d":      lambda x, kernel, **rest: nn.max_pool1d(x, kernel, **rest),
        "max_pool2d":      lambda x, kernel, **rest: nn.max_pool2d(x, kernel, **rest),
        "avg_pool1d":      _avg_pool(nn.avg_pool1d),
        "avg_pool2d":      _avg_pool(nn.avg_pool2d),
        "batch_norm":      lambda x, w, b, eps: nn.batch_norm(
                               x, None, None, w, b, training=True, eps=eps),
        "batch_norm_eval": lambda x, w, b, mean, var, eps: nn.batch_norm(
                               x, _like(x, mean), _like(x, var), w, b, eps=eps),
        "layer_norm":      lambda x, w, b, eps: nn.layer_norm(x, w.shape, w, b, eps),
        "rms_norm":        lambda x, w, eps: nn.rms_norm(x, w.shape, w, eps),
        "group_norm":      lambda x, w, b, groups, eps: nn.group_norm(
                               x, groups, w, b, eps),
        "embedding":       lambda table, index: nn.embedding(
                               _indices(table, index), table),
        "scaled_dot_product_attention": _attention,
        "dropout_attention": _dropout_attention,
        "dropout":         lambda x, mask, p: torch.where(mask, x / (1 - p), 0.0),
        "kl_div":          lambda x, t, log_target, reduction: torch.kl_div(
                               x, t, REDUCTIONS[reduction], log_target=log_target),
        "nll":             lambda x, target, weight, reduction: nn.nll_loss(
                               x, _indices(x, target), _weights(x, weight),
                               reduction=reduction),
        "cross_entropy":   lambda x, target, weight, reduction, smoothing:
                               nn.cross_entropy(
                                   x, _indices(x, target), _weights(x, weight),
                                   reduction=reduction, label_smoothing=smoothing),
    }
    # fmt: on


def _like(x: Any, values: Sequence[float]) -> Any:
    """Numbers in the dtype and on the device of x."""
    import torch

    return torch.tensor(values, dtype=x.dtype, device=x.device)


def _weights(x: Any, weight: Weights) -> Any:
    return None if weight is None else _like(x, weight)


def _indices(x: Any, index: Sequence[int]) -> Any:
    import torch

    return torch.tensor(index, device=x.device)


def _avg_pool(function: Callable[..., Any]) -> Callable[..., Any]:
    def pool(
        x: Any,
        kernel: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        count_include_pad: bool,
    ) -> Any:
        return function(x, kernel, stride, padding, count_include_pad=count_include_pad)

    return pool


def _attention(q: Any, k: Any, v: Any, mask: str) -> Any:
    """The causal mask by its own switch, others as Boolean arrays."""
    import torch

    attend = torch.nn.functional.scaled_dot_product_attention
    if mask in ("none", "causal"):
        return attend(q, k, v, is_causal=mask == "causal")
    seen = mask_of(mask, q.shape[-2], k.shape[-2])
    return attend(q, k, v, attn_mask=torch.tensor(seen, device=q.device))


def _dropout_attention(q: Any, k: Any, v: Any, mask: str, kept: str, p: float) -> Any:
    """Composed, since PyTorch's attention draws by itself what a dropout keeps."""
    import torch

    size = (q.shape[-2], k.shape[-2])
    seen, left = mask_of(mask, *size), rows_of(kept, *size, "kept")
    hidden, dropped = (torch.tensor(~x, device=q.device) for x in (seen, left))
    scores = torch.matmul(q, k.mT) * (1.0 / math.sqrt(q.shape[-1]))
    weights = torch.softmax(scores.masked_fill(hidden, -math.inf), -1)
    return torch.matmul(weights.masked_fill(dropped, 0.0) / (1.0 - p), v)
