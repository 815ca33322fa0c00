"""PyTorch's functions, as the rows of its table call them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradverify.differentiators.pytorch import (
    cells,
    indexing,
    layers,
    linear_algebra,
    losses,
    ordering,
    resampling,
    special,
    transforms,
    windows,
)
from gradverify.differentiators.pytorch.elementwise import ELEMENTWISE
from gradverify.differentiators.pytorch.tails import TAILS
from gradverify.differentiators.spelling.source_rows import (
    OPERATORS,
    Row,
    Spelling,
    calls,
    defined,
    functions_of_ours,
    sliced,
)

Axis = Sequence[int] | None

PLAIN = (
    "exp log sin cos tanh sqrt abs sigmoid relu maximum where sign square rsqrt "
    "reciprocal exp2 expm1 log2 log10 log1p tan asin acos atan sinh cosh asinh acosh "
    "atanh erf erfc lgamma digamma minimum atan2 hypot logaddexp"
)


def reduction(function: str, *, needs_dim: bool = False) -> Row:
    """A reduction with `dim` and `keepdim`; `dim=()` would mean all axes."""

    def text(x: str, axis: Axis = None, keepdims: bool = False) -> str:
        if axis is not None and len(axis) == 0:
            return f"{x}.clone()"
        if axis is None and not keepdims and not needs_dim:
            return f"{function}({x})"
        dims = f"tuple(range({x}.ndim)) or 0" if axis is None else repr(tuple(axis))
        return f"{function}({x}, dim={dims}, keepdim={keepdims!r})"

    return text


def prod(x: str, axis: Axis = None, keepdims: bool = False) -> str:
    """A product over all axes, or over one after the other."""
    if axis is None and not keepdims:
        return f"torch.prod({x})"
    axes = f"range({x}.ndim)" if axis is None else repr(tuple(axis))
    dims = f"sorted((axis % {x}.ndim for axis in {axes}), reverse=True)"
    step = f"lambda y, dim: torch.prod(y, dim, keepdim={keepdims!r})"
    return f"functools.reduce({step}, {dims}, {x}.clone())"


def extreme(whole: str, several: str) -> Row:
    """torch.max of all or along one axis, torch.amax along several."""

    def text(x: str, axis: Axis = None, keepdims: bool = False) -> str:
        if axis is None and not keepdims:
            return f"{whole}({x})"
        if axis is not None and len(axis) == 1:
            return f"{whole}({x}, dim={axis[0]}, keepdim={keepdims!r}).values"
        found: Any = reduction(several)
        return str(found(x, axis, keepdims))

    return text


def spread(function: str) -> Row:
    """A variance or its root: `ddof` is PyTorch's `correction`."""

    def text(x: str, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> str:
        if axis is not None and len(axis) == 0:
            return f"{x} - {x}"
        dims = f"tuple(range({x}.ndim)) or None" if axis is None else repr(tuple(axis))
        return f"{function}({x}, dim={dims}, correction={ddof}, keepdim={keepdims!r})"

    return text


def permute(x: str, axes: Axis = None) -> str:
    """Axes in another order; none means all of them reversed."""
    order = f"tuple(reversed(range({x}.ndim)))" if axes is None else repr(tuple(axes))
    return f"{x}.permute({order})"


def head(device: str, dtype: str) -> Sequence[str]:
    """Imports; one thread, as it ran."""
    return [
        "import functools",
        "",
        "import numpy as np",
        "import torch",
        "import torch.nn.functional as F",
        "from torch.autograd import forward_ad",
        "",
        "torch.set_num_threads(1)",
        'torch.set_float32_matmul_precision("highest")',
        f'DEVICE = "{device}"',
    ]


def _like(x: str, values: Sequence[float]) -> str:
    return f"torch.tensor({list(values)!r}, dtype={x}.dtype, device={x}.device)"


def _weights(x: str, weight: Sequence[float] | None) -> str:
    return "None" if weight is None else _like(x, weight)


def _indices(x: str, index: Sequence[int]) -> str:
    return f"torch.tensor({index!r}, device={x}.device)"


def _pool(function: str) -> Row:
    def text(x: str, kernel: Sequence[int], **rest: Any) -> str:
        named = "".join(f", {k}={v!r}" for k, v in rest.items())
        return f"{function}({x}, {tuple(kernel)!r}{named})"

    return text


ROWS: dict[str, Row | None] = {
    **OPERATORS,
    **ELEMENTWISE,
    **special.SPELLED,
    **functions_of_ours(indexing.FUNCTIONS),
    **functions_of_ours(ordering.FUNCTIONS),
    **functions_of_ours(transforms.FUNCTIONS),
    **functions_of_ours(linear_algebra.FUNCTIONS),
    **functions_of_ours(losses.FUNCTIONS),
    **functions_of_ours(windows.FUNCTIONS),
    **functions_of_ours(cells.FUNCTIONS),
    **functions_of_ours(resampling.FUNCTIONS),
    **calls("torch", PLAIN),
    **calls("F", "softplus leaky_relu elu silu gelu", log_sigmoid="logsigmoid"),
    **calls("F", "celu selu mish relu6 hardtanh hardswish softsign linear"),
    **calls("F", "conv1d conv2d", mse="mse_loss", l1="l1_loss", huber="huber_loss"),
    **calls("F", bce="binary_cross_entropy"),
    **calls("F", bce_with_logits="binary_cross_entropy_with_logits"),
    "layer_norm": lambda x, w, b, eps: f"F.layer_norm({x}, {w}.shape, {w}, {b}, {eps})",
    "rms_norm": lambda x, w, eps: f"F.rms_norm({x}, {w}.shape, {w}, {eps})",
    "group_norm": lambda x, w, b, groups, eps: (
        f"F.group_norm({x}, {groups}, {w}, {b}, {eps})"
    ),
    "batch_norm": lambda x, w, b, eps: (
        f"F.batch_norm({x}, None, None, {w}, {b}, training=True, eps={eps})"
    ),
    "clip": lambda x, low, high: f"torch.clamp({x}, {low!r}, {high!r})",
    "sum": reduction("torch.sum"),
    "mean": reduction("torch.mean"),
    "logsumexp": reduction("torch.logsumexp", needs_dim=True),
    "prod": prod,
    "max": extreme("torch.max", "torch.amax"),
    "min": extreme("torch.min", "torch.amin"),
    "var": spread("torch.var"),
    "std": spread("torch.std"),
    "norm": reduction("torch.linalg.vector_norm"),
    "softmax": lambda x, axis: f"torch.softmax({x}, {axis[0]})",
    "log_softmax": lambda x, axis: f"torch.log_softmax({x}, {axis[0]})",
    "cumsum": lambda x, axis: f"torch.cumsum({x}, {axis[0]})",
    "slice": sliced,
    "concatenate": lambda a, b, axis: f"torch.cat(({a}, {b}), {axis[0]})",
    "stack": lambda a, b, axis: f"torch.stack(({a}, {b}), {axis[0]})",
    "einsum": lambda a, b, subscripts: f"torch.einsum({subscripts!r}, {a}, {b})",
    "reshape": lambda x, shape: f"torch.reshape({x}, {tuple(shape)!r})",
    "transpose": permute,
    "broadcast_to": lambda x, shape: f"torch.broadcast_to({x}, {tuple(shape)!r})",
    "max_pool1d": _pool("F.max_pool1d"),
    "max_pool2d": _pool("F.max_pool2d"),
    "avg_pool1d": _pool("F.avg_pool1d"),
    "avg_pool2d": _pool("F.avg_pool2d"),
    "batch_norm_eval": lambda x, w, b, mean, var, eps: (
        f"F.batch_norm({x}, {_like(x, mean)}, {_like(x, var)}, {w}, {b}, eps={eps})"
    ),
    "embedding": lambda table, index: f"F.embedding({_indices(table, index)}, {table})",
    "scaled_dot_product_attention": defined("_attention", layers._attention),
    "dropout_attention": defined("_dropout_attention", layers._dropout_attention),
    "dropout": lambda x, mask, p: f"torch.where({mask}, {x} / (1 - {p!r}), 0.0)",
    "kl_div": lambda x, t, log_target, reduction: (
        f"torch.kl_div({x}, {t}, {layers.REDUCTIONS[reduction]}, "
        f"log_target={log_target!r})"
    ),
    "nll": lambda x, target, weight, reduction: (
        f"F.nll_loss({x}, {_indices(x, target)}, {_weights(x, weight)}, "
        f"reduction={reduction!r})"
    ),
    "cross_entropy": lambda x, target, weight, reduction, smoothing: (
        f"F.cross_entropy({x}, {_indices(x, target)}, {_weights(x, weight)}, "
        f"reduction={reduction!r}, label_smoothing={smoothing!r})"
    ),
}


def torch_spelling(device: str) -> Spelling:
    """PyTorch on that device."""
    return Spelling(
        head=lambda dtype: head(device, dtype),
        array=lambda x: f"torch.tensor({x}, device=DEVICE, requires_grad=True)",
        data=lambda x: f"torch.tensor({x}, device=DEVICE)",
        rows=ROWS,
        tails=TAILS,
        seed=lambda x: f"torch.tensor({x}, device=DEVICE)",
    )
