"""JAX's own functions for network layers: jax.nn and jax.lax; losses it has none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradverify.differentiators.composed.composed_layers import Composed
from gradverify.differentiators.protocol import Rows, functions
from gradverify.ops.layer_shapes import mask_of

Sizes = Sequence[int]


def layer_rows() -> Rows:
    """Rows over jax.nn and jax.lax, composed where they have no such function."""
    import jax
    import jax.numpy as jnp

    composed = Composed(jnp, jax.nn.softplus, jax.nn.log_softmax)
    # fmt: off
    return {
        **composed.rows(),
        **functions(jax.nn, "celu selu mish relu6", softsign="soft_sign"),
        **functions(jax.nn, hardtanh="hard_tanh", hardswish="hard_swish"),
        "conv1d":     _conv,
        "conv2d":     _conv,
        "conv3d":     _conv,
        **{f"conv_transpose{n}d": _conv_transpose for n in (1, 2, 3)},
        "max_pool3d": _max_pool(composed),
        "avg_pool3d": _avg_pool,
        "max_pool1d": _max_pool(composed),
        "max_pool2d": _max_pool(composed),
        "avg_pool1d": _avg_pool,
        "avg_pool2d": _avg_pool,
        "layer_norm": _layer_norm,
        "batch_norm": _batch_norm(composed),
        "group_norm": _group_norm(composed),
        "embedding":  lambda table, index: jnp.take(table, jnp.array(index), axis=0),
        "scaled_dot_product_attention": _attention(composed),
    }
    # fmt: on


def _pairs(padding: Sizes) -> list[tuple[int, int]]:
    return [(p, p) for p in padding]


def _conv(
    x: Any,
    w: Any,
    b: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    import jax

    y = jax.lax.conv_general_dilated(
        x,
        w,
        stride,
        _pairs(padding),
        rhs_dilation=dilation,
        feature_group_count=groups,
    )
    return y + b.reshape(-1, *(1,) * len(stride))


def _conv_transpose(
    x: Any,
    w: Any,
    b: Any,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """A convolution over entries that lie apart, with kernels turned around."""
    import jax

    inputs, per_group, *kernel = w.shape
    w = jax.numpy.flip(w, tuple(range(2, w.ndim)))
    w = w.reshape(groups, inputs // groups, per_group, *kernel).swapaxes(1, 2)
    parts = zip(kernel, padding, dilation, output_padding, strict=True)
    edges = [(d * (k - 1) - p, d * (k - 1) - p + more) for k, p, d, more in parts]
    y = jax.lax.conv_general_dilated(
        x,
        w.reshape(groups * per_group, inputs // groups, *kernel),
        (1,) * len(stride),
        edges,
        lhs_dilation=stride,
        rhs_dilation=dilation,
        feature_group_count=groups,
    )
    return y + b.reshape(-1, *(1,) * len(stride))


def _windows(kernel: Sizes, stride: Sizes, padding: Sizes) -> Any:
    pairs = [(0, 0), (0, 0), *_pairs(padding)]
    return (1, 1, *kernel), (1, 1, *stride), pairs


def _max_pool(composed: Composed) -> Any:
    """The gradient of reduce_window takes no dilation."""

    def pool(
        x: Any, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
    ) -> Any:
        from jax import lax

        if any(d > 1 for d in dilation):
            return composed.max_pool(x, kernel, stride, padding, dilation)
        windows = _windows(kernel, stride, padding)
        return lax.reduce_window(x, -math.inf, lax.max, *windows)

    return pool


def _avg_pool(
    x: Any, kernel: Sizes, stride: Sizes, padding: Sizes, count_include_pad: bool
) -> Any:
    from jax import lax, numpy

    windows = _windows(kernel, stride, padding)
    total = lax.reduce_window(x, 0.0, lax.add, *windows)
    if count_include_pad:
        return total / math.prod(kernel)
    return total / lax.reduce_window(numpy.ones_like(x), 0.0, lax.add, *windows)


def _layer_norm(x: Any, w: Any, b: Any, eps: float) -> Any:
    import jax

    axis = tuple(range(-w.ndim, 0))
    return jax.nn.standardize(x, axis=axis, epsilon=eps) * w + b


def _batch_norm(composed: Composed) -> Any:
    def norm(x: Any, w: Any, b: Any, eps: float) -> Any:
        import jax

        axis = tuple(a for a in range(x.ndim) if a != 1)
        return composed.affine(jax.nn.standardize(x, axis=axis, epsilon=eps), w, b)

    return norm


def _group_norm(composed: Composed) -> Any:
    def norm(x: Any, w: Any, b: Any, groups: int, eps: float) -> Any:
        import jax

        rows = x.reshape(x.shape[0], groups, -1)
        y = jax.nn.standardize(rows, axis=-1, epsilon=eps)
        return composed.affine(y.reshape(x.shape), w, b)

    return norm


def _attention(composed: Composed) -> Any:
    """jax.nn's attention has batch, place, head, width, and values of that width."""

    def attend(q: Any, k: Any, v: Any, mask: str) -> Any:
        import jax

        if v.shape[-1] != q.shape[-1]:
            return composed.attention(q, k, v, mask)
        a, b, c = (x.reshape(-1, x.shape[-2], 1, x.shape[-1]) for x in (q, k, v))
        seen = mask_of(mask, q.shape[-2], k.shape[-2])[None, None]
        options: dict[str, Any] = {} if mask in ("none", "causal") else {"mask": seen}
        y = jax.nn.dot_product_attention(a, b, c, is_causal=mask == "causal", **options)
        return y.reshape(q.shape)

    return attend
