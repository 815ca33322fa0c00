"""How composed layers are written: calls of `layers`, whose class a script defines."""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.differentiators.composed.composed_layers import Composed
from gradverify.differentiators.spelling.definitions import Defined
from gradverify.differentiators.spelling.source_rows import Row, defined

# By op, the method of `Composed` that is its row.
METHODS: Mapping[str, str] = {
    "celu": "celu",
    "selu": "selu",
    "conv1d": "conv",
    "conv2d": "conv",
    "conv3d": "conv",
    "max_pool1d": "max_pool",
    "max_pool2d": "max_pool",
    "max_pool3d": "max_pool",
    "avg_pool1d": "avg_pool",
    "avg_pool2d": "avg_pool",
    "avg_pool3d": "avg_pool",
    "lp_pool1d": "lp_pool",
    "lp_pool2d": "lp_pool",
    "unfold": "unfold",
    "batch_norm": "batch_norm",
    "batch_norm_eval": "batch_norm_eval",
    "rms_norm": "rms_norm",
    "group_norm": "group_norm",
    "scaled_dot_product_attention": "attention",
    "dropout_attention": "dropout_attention",
    "huber": "huber",
    "bce": "bce",
    "bce_with_logits": "bce_with_logits",
    "kl_div": "kl_div",
    "nll": "nll",
    "cross_entropy": "cross_entropy",
}


def composed_spelling(module: str) -> dict[str, Row]:
    """The rows of `Composed`; module is the name of what has NumPy's functions."""
    methods = {
        op: defined(f"layers.{name}", getattr(Composed, name))
        for op, name in METHODS.items()
    }
    return {
        **methods,
        "mish": Defined(
            lambda x: f"{x} * {module}.tanh(layers.softplus({x}))",
            (Composed,),
            layered=True,
        ),
        "layer_norm": Defined(
            lambda x, w, b, eps: f"layers.normalised({x}, {w}, {eps!r}) * {w} + {b}",
            (Composed.normalised,),
            layered=True,
        ),
        "embedding": lambda table, index: f"{table}[numpy.array({index!r})]",
        "dropout": lambda x, mask, p: f"{x} * {mask} / (1.0 - {p!r})",
        "mse": _reduced("({0} - {1}) ** 2"),
        "l1": _reduced(f"{module}.abs({{0}} - {{1}})"),
    }


def _reduced(template: str) -> Defined:
    def text(x: str, t: str, reduction: str) -> str:
        return f"layers.reduced({template.format(x, t)}, {reduction!r})"

    return Defined(text, (Composed.reduced,), layered=True)
