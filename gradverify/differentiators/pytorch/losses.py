"""PyTorch's own functions for further losses, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Sizes = Sequence[int]
Weights = Sequence[float] | None


def like(x: Any, values: Any) -> Any:
    """Numbers in the dtype and on the device of x; None stays None."""
    import torch

    if values is None:
        return None
    return torch.tensor(values, dtype=x.dtype, device=x.device)


def whole(x: Any, values: Sizes) -> Any:
    """Whole numbers on the device of x."""
    import torch

    return torch.tensor(values, dtype=torch.int64, device=x.device)


def smooth_l1(x: Any, t: Any, beta: float, reduction: str) -> Any:
    from torch.nn import functional

    return functional.smooth_l1_loss(x, t, reduction=reduction, beta=beta)


def soft_margin(x: Any, signs: Sizes, reduction: str) -> Any:
    from torch.nn import functional

    y = like(x, signs).reshape(x.shape)
    return functional.soft_margin_loss(x, y, reduction=reduction)


def hinge_embedding(x: Any, signs: Sizes, margin: float, reduction: str) -> Any:
    from torch.nn import functional

    y = like(x, signs).reshape(x.shape)
    return functional.hinge_embedding_loss(x, y, margin, reduction=reduction)


def margin_ranking(x: Any, y: Any, signs: Sizes, margin: float, reduction: str) -> Any:
    from torch.nn import functional

    t = like(x, signs).reshape(x.shape)
    return functional.margin_ranking_loss(x, y, t, margin, reduction=reduction)


def pairwise_distance(x: Any, y: Any, p: float, eps: float, keepdims: bool) -> Any:
    from torch.nn import functional

    return functional.pairwise_distance(x, y, p, eps, keepdims)


def cosine_embedding(
    x: Any, y: Any, signs: Sizes, margin: float, reduction: str
) -> Any:
    from torch.nn import functional

    t = like(x, signs)
    return functional.cosine_embedding_loss(x, y, t, margin, reduction=reduction)


def triplet_margin(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float,
    swap: bool,
    reduction: str,
    **distance: Any,
) -> Any:
    from torch.nn import functional

    return functional.triplet_margin_loss(
        anchor, positive, negative, margin, swap=swap, reduction=reduction, **distance
    )


def multi_margin(
    x: Any, target: Sizes, p: int, margin: float, weight: Weights, reduction: str
) -> Any:
    from torch.nn import functional

    return functional.multi_margin_loss(
        x, whole(x, target), p, margin, like(x, weight), reduction=reduction
    )


def multilabel_margin(x: Any, target: Sizes, reduction: str) -> Any:
    from torch.nn import functional

    t = whole(x, target).reshape(x.shape)
    return functional.multilabel_margin_loss(x, t, reduction=reduction)


def multilabel_soft_margin(x: Any, t: Any, weight: Weights, reduction: str) -> Any:
    from torch.nn import functional

    return functional.multilabel_soft_margin_loss(
        x, t, like(x, weight), reduction=reduction
    )


def poisson_nll(
    x: Any, t: Any, log_input: bool, full: bool, eps: float, reduction: str
) -> Any:
    from torch.nn import functional

    return functional.poisson_nll_loss(
        x, t, log_input, full, eps=eps, reduction=reduction
    )


def gaussian_nll(
    x: Any, t: Any, var: Any, full: bool, eps: float, reduction: str
) -> Any:
    from torch.nn import functional

    return functional.gaussian_nll_loss(x, t, var, full, eps, reduction)


def soft_cross_entropy(
    x: Any, t: Any, weight: Weights, smoothing: float, reduction: str
) -> Any:
    from torch.nn import functional

    return functional.cross_entropy(
        x, t, like(x, weight), reduction=reduction, label_smoothing=smoothing
    )


def ctc(
    x: Any, target: Sizes, lengths: Sizes, steps: Sizes, blank: int, reduction: str
) -> Any:
    # its gradient is that by the logits: it takes a log_softmax before it for granted
    from torch.nn import functional

    logs = functional.log_softmax(x, -1)
    t, all_steps, sizes = (whole(x, values) for values in (target, steps, lengths))
    return functional.ctc_loss(logs, t, all_steps, sizes, blank, reduction)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        smooth_l1, soft_margin, hinge_embedding, margin_ranking, pairwise_distance,
        cosine_embedding, triplet_margin, multi_margin, multilabel_margin,
        multilabel_soft_margin, poisson_nll, gaussian_nll, soft_cross_entropy, ctc,
    )
}  # fmt: skip
