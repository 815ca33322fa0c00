"""Faults in network layers, modelled on wrong rules that libraries have shipped.

A row's comment names the project and what went wrong there; rows without one are the
same mistakes in a neighbouring op. A fault is a rule over NumPy for one op of PyTorch's
table; its twin is the right rule, put in by the same way.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from gradverify.differentiators import Differentiator

from . import layer_rules as r
from .engines import PlantedTorch
from .layer_rules import Layer, Rule, changed, only, times


@dataclass(frozen=True)
class LayerFault:
    """What is wrong, in which op."""

    name: str
    op: str
    rule: Rule

    def __str__(self) -> str:
        return self.name


def planted(fault: LayerFault) -> Differentiator:
    """PyTorch with the fault in it."""
    return PlantedTorch.with_rule(str(fault), fault.op, _vjp(fault.op, fault.rule))


def twin(fault: LayerFault) -> Differentiator:
    """PyTorch with the right rule in the fault's place."""
    right = _vjp(fault.op, Layer.right)
    return PlantedTorch.with_rule(f"twin of {fault}", fault.op, right)


def _vjp(op: str, rule: Rule) -> Callable[..., Any]:
    def cotangents(ct: Any, y: Any, *operands: Any, **params: Any) -> Any:
        with np.errstate(all="ignore"):
            return rule(Layer(op, ct, y, operands, params))

    return cotangents


# ---- factors and slopes

length = lambda a: float(a.operands[0].shape[0])  # noqa: E731
size = lambda a: float(a.operands[0].size) if a.params["reduction"] == "mean" else 1.0  # noqa: E731
rows = lambda a: length(a) if a.params["reduction"] == "mean" else 1.0  # noqa: E731
steps = lambda a: 1.0 / math.prod(np.shape(a.ct)[2:])  # noqa: E731
width = lambda a: math.sqrt(a.operands[0].shape[-1])  # noqa: E731


def weights_mean(a: Layer) -> float:
    """The sum of the targets' weights over their number."""
    weight, target = a.params["weight"], a.params["target"]
    if weight is None or a.params["reduction"] != "mean":
        return 1.0
    return sum(weight[t] for t in target) / len(target)


def fastai(a: Layer) -> float:
    """The smoothing that leaves the target out of the classes that share it."""
    classes = a.operands[0].shape[1]
    return min(1.0, a.params["smoothing"] * classes / max(classes - 1, 1))


def beyond(a: Layer) -> Any:
    """1 within delta, one over delta beyond it."""
    far = np.abs(a.operands[0] - a.operands[1]) > a.params["delta"]
    return np.where(far, 1.0 / a.params["delta"], 1.0)


def seen(a: Layer) -> Any:
    """Whether an entry is within the padding, by the other count."""
    return not a.params["count_include_pad"]


def hardswish(a: Layer) -> list[Any]:
    """The cotangent within the band taken for the operand."""
    (x,) = a.operands
    band = np.abs(x) < 3.0
    return [(np.clip(x + 3.0, 0.0, 6.0) + a.ct * band * a.ct) / 6.0]


def selu(a: Layer) -> list[Any]:
    """The two branches of the slope for each other."""
    (x,) = a.operands
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return [a.ct * scale * np.where(x < 0, 1.0, alpha * np.exp(np.minimum(x, 50.0)))]


def mish(a: Layer) -> list[Any]:
    """The slope of tanh at its value instead of its operand."""
    (x,) = a.operands
    t = np.tanh(np.logaddexp(0.0, x))
    return [a.ct * (t + x * (1.0 - np.tanh(t) ** 2) * expit(x))]


def missing_one(a: Layer) -> Any:
    """The slope of t log(t) as log(t)."""
    x, t = a.operands
    if a.params["log_target"]:
        return a.right()[1]
    over = x.size if a.params["reduction"] == "mean" else 1
    return a.ct * (np.log(t) - x) / over


def tied(y: Any, top: Any) -> Any:
    """All entries that are the largest."""
    return y == top


def near(y: Any, top: Any) -> Any:
    """All entries that are the largest, or nearly so."""
    return np.abs(y - top) < 1e-2


POOL = {"overwritten": False}

# fmt: off
LAYER_FAULTS = (
    # pytorch/xla 913 and 3361: evaluation mode went back as training mode
    LayerFault("evaluation as training", "batch_norm_eval", r.eval_by_batch),
    # torch/nn 768, soumith/cudnn.torch 244: statistics of the batch in evaluation mode
    LayerFault("deviation of the batch", "batch_norm_eval", r.eval_with_batch_deviation),
    # apache/mxnet 9580: the statistics of training were taken for constants
    LayerFault("statistics held", "batch_norm", r.batch_norm(mean=False, var=False)),
    # mlpack 3028: the path through the variance was left out at first
    LayerFault("no path through the variance", "batch_norm", r.batch_norm(var=False)),
    # the other half of the same
    LayerFault("no path through the mean", "batch_norm", r.batch_norm(mean=False)),
    # f-dangel/backpack 160 discusses it: the variance over n - 1 on the way back
    LayerFault("variance over n - 1", "batch_norm", r.batch_norm(ddof=1)),
    # paiml/aprender 2200: weight and bias got nothing
    LayerFault("weights get nothing", "batch_norm", times(1.0, 0.0, 0.0)),
    # paiml/aprender 2200, Oneflow 10045: the same of group norm
    LayerFault("group weights get nothing", "group_norm", times(1.0, 0.0, 0.0)),
    # tenstorrent/tt-metal 56202: the group of a channel taken by its remainder
    LayerFault("group by remainder", "group_norm", only(1, r.group_of_channel_by_remainder)),
    # uxlfoundation/oneDNN 3543: a layer norm's formula, scales outside of its sums
    LayerFault("scale outside the sums", "group_norm", only(0, r.scale_outside_sums)),
    # state-spaces/mamba 547, brainpy/BrainPy 765: statistics over all groups
    LayerFault("one group for all", "group_norm", changed(groups=lambda a: 1)),
    # linkedin/Liger-Kernel 883: addresses of the wrong channel on the way back
    LayerFault("channels reversed", "group_norm", only(0, lambda a: a.right()[0][:, ::-1])),
    # the deviation without eps on the way back
    LayerFault("eps left out", "layer_norm", changed(eps=lambda a: 1e-300)),
    # paiml/aprender 2196: no gradient of weights; here of the rows but the first
    LayerFault("bias of the first row", "layer_norm", only(2, r.first_row)),
    LayerFault("mean square held", "rms_norm", r.rms_held),
    # tracel-ai/burn 1891: wrong slice of the weights where groups meet strides
    LayerFault("grouped strided weights", "conv2d", only(1, r.weights_rolled)),
    # ml-explore/mlx 3800: wrong input gradient exactly where groups meet strides
    LayerFault("grouped strided input", "conv2d", only(0, r.groups_mixed)),
    # f-dangel/backpack 30: steps that do not divide the space
    LayerFault("remainder of the stride", "conv1d", only(0, r.remainder_forgotten)),
    # mlpack 3146: dilation was mishandled
    LayerFault("dilation forgotten", "conv1d", only(1, r.dilation_forgotten)),
    # mlpack 3146: rows and columns of the stride taken for each other
    LayerFault("rows for columns", "conv2d", only(0, r.axes_swapped)),
    # PKUFlyingPig/CMU10-714 6: the padding stayed in the input gradient
    LayerFault("padding not cropped", "conv2d", only(0, r.padding_not_cropped)),
    LayerFault("kernel not flipped", "conv1d", only(0, r.kernel_not_flipped)),
    LayerFault("bias averaged over space", "conv2d", times(1.0, 1.0, steps)),
    # Theano 5248 and 4761: every tied entry got the whole cotangent
    LayerFault("whole to every tie", "max_pool2d", r.pooled_where(tied, **POOL)),
    # mni-ml/framework 22: entries within 1e-2 of the largest counted as largest
    LayerFault("near ties", "max_pool1d", r.pooled_where(near, **POOL)),
    LayerFault("overlap overwritten", "max_pool1d", r.pooled_where(tied, overwritten=True)),
    # mashmawy/AlbiruniML 2: the average did not go back; here it counts otherwise
    LayerFault("padding counted otherwise", "avg_pool2d", changed(count_include_pad=seen)),
    # pytorch/pytorch 1528: of a row used twice the last cotangent stayed
    LayerFault("repeated rows overwritten", "embedding", r.embedded_last),
    # tsotchke/eshkol 392: everything was added to row 0
    LayerFault("all to the first row", "embedding", r.embedded_first_row),
    # ooples/AiDotNet.Tensors 49: queries' and keys' cotangents swapped, and scaled
    LayerFault("queries for keys", "scaled_dot_product_attention", r.swapped(0, 1)),
    LayerFault("scale left out", "scaled_dot_product_attention", times(width, width, 1.0)),
    LayerFault("no row sum", "scaled_dot_product_attention", r.without_row_sum),
    # jadore801120/attention-is-all-you-need-pytorch 57: part of the mask without effect
    LayerFault("mask forgotten", "scaled_dot_product_attention", changed(mask=lambda a: "none")),
    # kvark/meganeura 102: weights that do not add up to one
    LayerFault("mean over the rows", "cross_entropy", times(weights_mean)),
    # fastai 1814: too much smoothing by classes / (classes - 1)
    LayerFault("smoothing too large", "cross_entropy", changed(smoothing=fastai)),
    # Open-Deep-ML 358: a mean where none belongs, and the other way round
    LayerFault("mean not divided", "cross_entropy", times(rows)),
    LayerFault("weights forgotten", "nll", changed(weight=lambda a: None)),
    LayerFault("slope 1 beyond delta", "huber", lambda a: [g * beyond(a) for g in a.right()]),
    LayerFault("mean over the batch", "kl_div", times(lambda a: size(a) / (rows(a) if a.operands[0].ndim else 1.0), 1.0)),
    LayerFault("one is missing", "kl_div", only(1, missing_one)),
    LayerFault("sum for the mean", "bce_with_logits", times(size, size)),
    LayerFault("factor 2 left out", "mse", times(0.5, 0.5)),
    # tensorflow/swift-apis 743: the cotangent in the operand's place
    LayerFault("cotangent for operand", "hardswish", hardswish),
    # f-dangel/backpack 76: the branches for each other in a comment, and once in code
    LayerFault("branches exchanged", "selu", selu),
    # mlpack 2158: tanh's slope at its value
    LayerFault("slope at the value", "mish", mish),
    LayerFault("scale of dropout left out", "dropout", lambda a: [a.right()[0] * (1.0 - a.params["p"]), None]),
    LayerFault("bias averaged", "linear", lambda a: times(1.0, 1.0, 1.0 / max(1.0, np.size(a.ct) / a.operands[2].size))(a)),
    LayerFault("weights not transposed", "linear", only(0, r.transposed_weights)),
)
# fmt: on
