"""PyTorch's own cells, attention, norms and bags, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradverify.ops.layer_shapes import mask_of

Sizes = Sequence[int]


def rnn_cell(x: Any, h: Any, w: Any, u: Any, b: Any, d: Any, nonlinearity: str) -> Any:
    import torch

    cell = torch.rnn_tanh_cell if nonlinearity == "tanh" else torch.rnn_relu_cell
    return cell(x, h, w, u, b, d)


def gru_cell(x: Any, h: Any, w: Any, u: Any, b: Any, d: Any) -> Any:
    import torch

    return torch.gru_cell(x, h, w, u, b, d)


def lstm_cell(x: Any, h: Any, c: Any, w: Any, u: Any, b: Any, d: Any) -> Any:
    import torch

    return torch.cat(torch.lstm_cell(x, (h, c), w, u, b, d), -1)


def bilinear(x: Any, y: Any, w: Any, b: Any) -> Any:
    from torch.nn import functional

    return functional.bilinear(x, y, w, b)


def multi_head_attention(
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
    import torch
    from torch.nn import functional

    hidden = None
    if mask != "none":
        seen = mask_of(mask, q.shape[1], k.shape[1])
        hidden = torch.tensor(~seen, device=q.device)
    y, _ = functional.multi_head_attention_forward(
        q.transpose(0, 1),
        k.transpose(0, 1),
        v.transpose(0, 1),
        q.shape[-1],
        heads,
        w,
        b,
        None,
        None,
        False,
        0.0,
        out,
        c,
        training=False,
        need_weights=need_weights,
        attn_mask=hidden,
    )
    return y.transpose(0, 1)


def instance_norm(x: Any, w: Any, b: Any, eps: float) -> Any:
    from torch.nn import functional

    return functional.instance_norm(x, None, None, w, b, eps=eps)


def local_response_norm(x: Any, n: int, alpha: float, beta: float, base: float) -> Any:
    from torch.nn import functional

    return functional.local_response_norm(x, n, alpha, beta, base)


def embedding_bag(table: Any, index: Sizes, offsets: Sizes, mode: str) -> Any:
    import torch
    from torch.nn import functional

    places, begin = (torch.tensor(k, device=table.device) for k in (index, offsets))
    return functional.embedding_bag(places, table, begin, mode=mode)


def weighted_embedding_bag(
    table: Any, weights: Any, index: Sizes, offsets: Sizes
) -> Any:
    import torch
    from torch.nn import functional

    places, begin = (torch.tensor(k, device=table.device) for k in (index, offsets))
    return functional.embedding_bag(
        places, table, begin, mode="sum", per_sample_weights=weights
    )


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        rnn_cell, gru_cell, lstm_cell, bilinear, multi_head_attention, instance_norm,
        local_response_norm, embedding_bag, weighted_embedding_bag,
    )
}  # fmt: skip
