"""For each op of the further kinds its most likely wrong rule, in PyTorch's place.

Where PyTorch has no such function, that of SciPy or NumPy stands in for it.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import special

from gradverify.arithmetic.floats import FLOATS
from gradverify.differentiators import Differentiator
from gradverify.differentiators.pytorch import TorchCpu
from gradverify.ops.indexing_expansions import places
from gradverify.ops.shapes import one_axis

from .engines import PlantedTorch
from .layer_faults import LayerFault, _vjp
from .layer_rules import Layer, Rule, changed, only, pooled_where, swapped, times
from .linear_algebra_faults import LINEAR_ALGEBRA_FAULTS, fault, passed

HUNDRED = 180.0 / math.pi

# PyTorch is off itself (known::torch-trigamma, torch-gammainc-small, torch-soft-margin-overflow), so that a right rule
# beside is none.
OFF = {"polygamma", "gammainc", "soft_margin"}


def planted(fault: LayerFault) -> Differentiator:
    """PyTorch with the fault in it."""
    return engine(str(fault), fault.op, fault.rule)


def twin(fault: LayerFault) -> Differentiator:
    """PyTorch with the right rule in the fault's place."""
    return engine(f"twin of {fault}", fault.op, Layer.right)


def engine(name: str, op: str, rule: Rule) -> Differentiator:
    """PyTorch with a rule for an op, which it need not have itself."""
    if callable(TorchCpu().table[op]) and op not in OFF:
        return PlantedTorch.with_rule(name, op, _vjp(op, rule))
    return PlantedTorch.of_function(name, op, of_floats(op), _vjp(op, rule))


def of_floats(op: str) -> Callable[..., Any]:
    """The op of our floats, as a function of tensors."""

    def apply(*xs: Any, **params: Any) -> Any:
        import torch

        given = (x.detach().numpy() if isinstance(x, torch.Tensor) else x for x in xs)
        y = FLOATS.table[op](*(np.asarray(x) for x in given), **params)
        return torch.as_tensor(np.asarray(y, xs[0].detach().numpy().dtype))

    return apply


def slope(function: Callable[[Any, Any], Any]) -> Rule:
    """A slope of an elementwise op in the place of the right one, from y and x."""
    return lambda a: [a.ct * function(np.asarray(a.y), np.asarray(a.operands[0]))]


def first(a: Layer) -> Any:
    """The first operand."""
    return a.operands[0]


def overwritten(a: Layer) -> list[Any]:
    """Of cotangents that go to one place, the last."""
    x, ct = first(a), np.asarray(a.ct)
    (axis,) = one_axis(x.shape, a.params["axis"])
    index, lines = a.params["index"], ct.shape
    if a.op == "index_select":  # a place for each slice
        wide = np.reshape(index, (-1, *(1,) * (-1 - axis)))
        index = tuple(np.broadcast_to(wide, lines).ravel().tolist())
    found = np.zeros(x.size)
    found[places(x.shape, axis, index, lines)] = ct.ravel()
    return [found.reshape(x.shape)]


def first_entries(a: Layer) -> list[Any]:
    """What was chosen goes back to the first entries."""
    found, ct = np.zeros(first(a).size), np.ravel(a.ct)
    found[: ct.size] = ct
    return [found.reshape(first(a).shape)]


OTHER_WAY = {"fft": "ifft", "ifft": "fft", "fft2": "ifft2", "ifft2": "fft2"}
OTHER_NORM = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def conjugated(a: Layer) -> list[Any]:
    """The cotangent of a transform that turns the other way."""
    params = {**a.params, "norm": OTHER_NORM[a.params["norm"]]}
    return a.of(first(a), op=OTHER_WAY[a.op], **params)


def halved(a: Layer) -> list[Any]:
    """Of a Hermitian sequence, what is given of one half goes back once, not twice."""
    found = np.array(a.right()[0])
    axis = (a.params.get("axes") or a.params["axis"])[-1] % (found.ndim - 1)
    np.moveaxis(found, axis, 0)[1:] /= 2.0
    return [found]


def as_sum(a: Layer) -> Any:
    """The second operand's cotangent as that of a sum."""
    given = {k: a.params[k] for k in ("axis", "index")}
    return a.of(*a.operands, op="scatter_add", **given)[1]


def ones(a: Layer) -> Any:
    """1 for every sign."""
    return (1,) * len(a.params["signs"])


def space(a: Layer) -> Any:
    """How many entries a window of an adaptive pooling sees, on average."""
    return math.prod(first(a).shape[2:]) / math.prod(a.params["size"])


def mirrored(place: int, axis: int) -> Rule:
    """One operand's cotangent, turned around along an axis."""
    return only(place, lambda a: np.flip(a.right()[place], axis))


def spread(op: str) -> Rule:
    """The cotangent of an average for that of a maximum."""
    return lambda a: a.of(first(a), op=op, size=a.params["size"])


def averaged(a: Layer) -> list[Any]:
    """Of what goes to one place, the mean."""
    counts = replace(a, ct=np.ones_like(np.asarray(a.ct))).right()[0]
    return [a.right()[0] / np.maximum(counts, 1.0)]


def turned(**params: Any) -> Rule:
    """With a switch the other way."""
    return changed(**{k: lambda a, k=k: not a.params[k] for k in params})


def other_corners(a: Layer) -> list[Any]:
    """With the other meaning of the corners, where there are several points."""
    if min(a.params["size"]) < 2:
        return a.right()
    return a.of(first(a), align_corners=not a.params["align_corners"])


# fmt: off
OP_FAULTS = (
    *LINEAR_ALGEBRA_FAULTS,
    # ---- elementwise
    fault("xlogy",       "slope 0 at a factor of 0",    only(0, lambda a: np.where(first(a) == 0, 0.0, a.right()[0]))),
    fault("xlog1py",     "slope of the logarithm of b", only(1, lambda a: a.right()[1] * (1.0 + a.operands[1]))),
    fault("entr",        "one is missing",              slope(lambda y, x: -np.log(x))),
    fault("logit",       "1 + x for 1 - x",             slope(lambda y, x: 1.0 / (x * (1.0 + x)))),
    fault("softshrink",  "slope 1 within",              passed),
    fault("hardshrink",  "lambd forgotten",             slope(lambda y, x: np.abs(x) > 0.5)),
    fault("tanhshrink",  "square of the result",        slope(lambda y, x: y * y)),
    fault("threshold",   "slope 1 below",               passed),
    fault("rrelu",       "the lower slope",             changed(most=lambda a: a.params["least"])),
    fault("hardsigmoid", "slope beyond the band",       slope(lambda y, x: 1.0 / 6.0)),
    fault("prelu",       "weights see what is above 0", only(1, lambda a: a.right()[1] - a.of(-first(a), a.operands[1])[1])),
    fault("glu",         "halves exchanged",            lambda a: [np.roll(a.right()[0], first(a).shape[a.params["axis"][0]] // 2, a.params["axis"][0])]),
    fault("softmin",     "sign forgotten",              times(-1.0)),
    fault("cbrt",        "a third of the root",         slope(lambda y, x: y / 3.0)),
    fault("ldexp",       "power forgotten",             changed(exponent=lambda a: 0)),
    fault("copysign",    "sign of a forgotten",         only(0, lambda a: a.right()[0] * np.sign(first(a)))),
    fault("fmod",        "nothing by the divisor",      times(1.0, 0.0)),
    fault("remainder",   "truncated for rounded down",  only(1, lambda a: a.of(*a.operands, op="fmod")[1])),
    fault("nan_to_num",  "nothing at 0",                slope(lambda y, x: x != 0)),
    fault("rad2deg",     "the other way",               times(HUNDRED**-2)),
    fault("deg2rad",     "the other way",               times(HUNDRED**2)),
    fault("floor",       "straight through",            passed),
    fault("ceil",        "straight through",            passed),
    fault("trunc",       "straight through",            passed),
    fault("round",       "straight through",            passed),
    fault("heaviside",   "straight through",            passed),
    fault("lerp",        "b - a the other way",         times(1.0, 1.0, -1.0)),
    fault("addcmul",     "value forgotten",             changed(value=lambda a: 1.0)),
    fault("addcdiv",     "value forgotten",             changed(value=lambda a: 1.0)),
    # ---- choosing, putting, moving
    fault("gather",         "repeated places overwritten", overwritten),
    fault("take_along_axis", "repeated places overwritten", overwritten),
    fault("scatter",        "x keeps what is replaced",    only(0, lambda a: np.asarray(a.ct))),
    fault("scatter_add",    "nothing for what is added",   times(1.0, 0.0)),
    fault("scatter_reduce", "a sum for what is put",       only(1, as_sum)),
    fault("index_select",   "repeated places overwritten", overwritten),
    fault("index_add",      "alpha forgotten",             changed(alpha=lambda a: 1.0)),
    fault("index_put",      "x keeps what is replaced",    only(0, lambda a: np.asarray(a.ct))),
    fault("masked_fill",    "mask forgotten",              lambda a: [np.asarray(a.ct), None]),
    fault("masked_select",  "to the first entries",        first_entries),
    fault("segment_reduce", "a sum for all",               changed(reduce=lambda a: "sum")),
    fault("cumprod",        "a sum for the product",       lambda a: a.of(first(a), op="cumsum", axis=a.params["axis"])),
    fault("logcumsumexp",   "weights forgotten",           lambda a: a.of(first(a), op="cumsum", axis=a.params["axis"])),
    fault("diff",           "sign forgotten",              times(-1.0)),
    fault("flip",           "as it came",                  passed),
    fault("roll",           "the other way",               changed(shift=lambda a: -a.params["shift"])),
    fault("rot90",          "half a turn more",            lambda a: [np.flip(a.right()[0], (0, 1))]),
    fault("repeat",         "mean for sum",                times(lambda a: 1.0 / a.params["repeats"])),
    fault("tile",           "mean for sum",                times(lambda a: 1.0 / math.prod(a.params["reps"]))),
    fault("pad_axis",       "padding forgotten",           changed(mode=lambda a: "constant")),
    # ---- order
    fault("sort",     "order of the result kept",  passed),
    fault("topk",     "from the other end",        changed(largest=lambda a: not a.params["largest"])),
    fault("kthvalue", "the smallest one",          changed(k=lambda a: 1)),
    fault("median",   "mean for the middle",       lambda a: a.of(first(a), op="mean", **a.params)),
    fault("cummax",   "as it came",                passed),
    fault("cummin",   "maximum for minimum",       lambda a: a.of(first(a), op="cummax", **a.params)),
    fault("interp",   "x held",                    times(0.0, 1.0)),
    # ---- transforms
    *(fault(op, "turned the other way", conjugated) for op in OTHER_WAY),
    *(fault(op, "norm forgotten",           changed(norm=lambda a: "backward")) for op in ("rfft", "ihfft", "rfft2")),
    *(fault(op, "both halves counted once", halved) for op in ("irfft", "hfft", "irfft2", "hfft2")),
    fault("dct",      "the other transform",       lambda a: a.of(first(a), op="idct", **a.params)),
    fault("idct",     "norm forgotten",            changed(norm=lambda a: "backward")),
    # ---- losses
    fault("smooth_l1",         "beta forgotten",             changed(beta=lambda a: 1.0)),
    fault("soft_margin",       "signs forgotten",            changed(signs=ones)),
    fault("hinge_embedding",   "signs forgotten",            changed(signs=ones)),
    fault("margin_ranking",    "operands exchanged",         swapped(0, 1)),
    fault("pairwise_distance", "slopes of another norm",     changed(p=lambda a: 1.0)),
    fault("cosine_embedding",  "signs forgotten",            changed(signs=ones)),
    fault("triplet_margin",    "the negative pulled",        times(1.0, 1.0, -1.0)),
    fault("multi_margin",      "square forgotten",           changed(p=lambda a: 1)),
    fault("multilabel_margin", "classes left out",           times(lambda a: first(a).shape[1])),
    fault("multilabel_soft_margin", "weights forgotten",     changed(weight=lambda a: None)),
    fault("poisson_nll",       "approximation held",         changed(full=lambda a: False)),
    fault("gaussian_nll",      "nothing by the variance",    times(1.0, 1.0, 0.0)),
    fault("soft_cross_entropy", "smoothing forgotten",       changed(smoothing=lambda a: 0.0)),
    fault("ctc",               "all steps of shorter rows",  changed(steps=lambda a: first(a).shape[:1] * first(a).shape[1])),
    # ---- windows
    fault("conv3d",              "kernel turned around",     mirrored(1, -1)),
    fault("conv_transpose1d",    "kernel turned around",     mirrored(1, -1)),
    fault("conv_transpose2d",    "rows turned around",       mirrored(0, -2)),
    fault("conv_transpose3d",    "bias gets nothing",        times(1.0, 1.0, 0.0)),
    fault("max_pool3d",          "overlap overwritten",      pooled_where(lambda y, top: y == top, overwritten=True)),
    fault("avg_pool3d",          "padding counted otherwise", turned(count_include_pad=True)),
    fault("adaptive_avg_pool1d", "mean left out",            times(space)),
    fault("adaptive_avg_pool2d", "mean left out",            times(space)),
    fault("adaptive_avg_pool3d", "mean left out",            times(space)),
    fault("adaptive_max_pool1d", "spread over the window",   spread("adaptive_avg_pool1d")),
    fault("adaptive_max_pool2d", "spread over the window",   spread("adaptive_avg_pool2d")),
    fault("adaptive_max_pool3d", "spread over the window",   spread("adaptive_avg_pool3d")),
    fault("lp_pool1d",           "slopes of a sum",          changed(p=lambda a: 1.0)),
    fault("lp_pool2d",           "slopes of a sum",          changed(p=lambda a: 1.0)),
    fault("fractional_max_pool2d", "windows at even steps",  changed(samples=lambda a: (0.0,) * len(a.params["samples"]))),
    fault("max_unpool1d",        "places in turn",           changed(index=lambda a: tuple(k % first(a).shape[-1] for k in range(first(a).size)))),
    fault("max_unpool2d",        "sum for the entry",        lambda a: [np.full(first(a).shape, np.sum(a.ct))]),
    fault("unfold",              "mean of what overlaps",    averaged),
    fault("fold",                "columns turned around",    mirrored(0, -1)),
    # ---- places between entries, and blocks
    fault("upsample_nearest",     "the other rounding",      turned(exact=True)),
    fault("upsample_linear1d",    "the other corners",       turned(align_corners=True)),
    fault("upsample_bilinear2d",  "the other corners",       turned(align_corners=True)),
    fault("upsample_trilinear3d", "the other corners",       turned(align_corners=True)),
    fault("upsample_bicubic2d",   "lines for curves",        lambda a: a.of(first(a), op="upsample_bilinear2d", **a.params)),
    fault("grid_sample",          "half of a pixel",         times(1.0, 0.5)),
    fault("affine_grid",          "the other corners",       other_corners),
    fault("pixel_shuffle",        "channels turned around",  mirrored(0, -3)),
    fault("pixel_unshuffle",      "columns turned around",   mirrored(0, -1)),
    fault("channel_shuffle",      "as it came",              passed),
    # ---- cells, attention, norms, bags
    fault("dropout_attention",    "what is kept not scaled", changed(p=lambda a: 0.0)),
    fault("rnn_cell",             "one bias alone",          times(1.0, 1.0, 1.0, 1.0, 1.0, 0.0)),
    fault("gru_cell",             "state held",              times(1.0, 0.0, 1.0, 1.0, 1.0, 1.0)),
    fault("lstm_cell",            "cell's state held",       times(1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0)),
    fault("bilinear",             "half of it",              times(0.5, 0.5, 1.0, 1.0)),
    fault("multi_head_attention", "mask forgotten",          changed(mask=lambda a: "none")),
    fault("instance_norm",        "weights get nothing",     times(1.0, 0.0, 0.0)),
    fault("local_response_norm",  "channel alone",           changed(n=lambda a: 1)),
    fault("embedding_bag",        "sum for the mean",        changed(mode=lambda a: "sum")),
    fault("weighted_embedding_bag", "weights get nothing",   times(1.0, 0.0)),
    # ---- special functions
    fault("sinc",         "pi left out",              times(1.0 / math.pi)),
    fault("expit",        "y for y (1 - y)",          slope(lambda y, x: y)),
    fault("polygamma",    "the same order",           slope(lambda y, x: y)),
    fault("multigammaln", "one dimension",            changed(d=lambda a: 1)),
    fault("betaln",       "operands exchanged",       swapped(0, 1)),
    fault("beta",         "slope of the logarithm",   lambda a: a.of(*a.operands, op="betaln")),
    fault("gammainc",     "that of the complement",   times(-1.0)),
    fault("gammaincc",    "sign forgotten",           times(-1.0)),
    fault("igamma",       "a held",                   times(0.0, 1.0)),
    fault("igammac",      "sign of one forgotten",    times(-1.0, 1.0)),
    fault("betainc",      "degrees exchanged",        changed(a=lambda a: a.params["b"], b=lambda a: a.params["a"])),
    fault("zeta",         "s left out",               times(lambda a: 1.0 / a.params["s"])),
    fault("erfcx",        "constant left out",        slope(lambda y, x: 2.0 * x * y)),
    fault("erfinv",       "x for the result",         slope(lambda y, x: math.sqrt(math.pi) / 2.0 * np.exp(x * x))),
    fault("ndtr",         "density of erf",           times(math.sqrt(2.0))),
    fault("ndtri",        "x for the result",         slope(lambda y, x: math.sqrt(2.0 * math.pi) * np.exp(x * x / 2.0))),
    fault("log_ndtr",     "the density alone",        slope(lambda y, x: np.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi))),
    fault("spence",       "sign forgotten",           times(-1.0)),
    fault("i0",           "the function itself",      slope(lambda y, x: y)),
    fault("i0e",          "scale held",               slope(lambda y, x: special.i1e(x))),
    fault("i1",           "i1 / x left out",          slope(lambda y, x: special.i0(x))),
    fault("i1e",          "scale held",               slope(lambda y, x: special.i0e(x))),
    fault("j0",           "sign forgotten",           times(-1.0)),
    fault("j1",           "j1 / x left out",          slope(lambda y, x: special.j0(x))),
    fault("y0",           "sign forgotten",           times(-1.0)),
    fault("y1",           "y1 / x left out",          slope(lambda y, x: special.y0(x))),
    fault("k0",           "sign forgotten",           times(-1.0)),
    fault("k1",           "k1 / x left out",          slope(lambda y, x: -special.k0(x))),
    fault("float_power", "one power too many",          times(first)),
)
# fmt: on
