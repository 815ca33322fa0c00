"""Custom functions of PyTorch, 61 of them, each with a right backward and with a wrong one.

The right ones are awkward where real ones are: they save outputs, write in place, read
numbers, take masks and indices. The wrong ones have the slips that people make.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as nn

from tests.capture.torch_pairs import Pair, function, tensor

F64, F32 = torch.float64, torch.float32


def pair(
    name: str,
    forward: Callable[..., Any],
    right: Callable[..., Any],
    wrong: Callable[..., Any],
    *args: Any,
) -> Pair:
    """Two functions with the same forward."""
    return Pair(name, function(forward, right), function(forward, wrong), args)


class _Context:
    """What a backward that saves more than its arguments needs."""

    def __init__(self, forward: Any, backward: Any) -> None:
        self.forward, self.backward = forward, backward

    def apply(self) -> Callable[..., Any]:
        """A `Function` whose forward returns its output and what it saves."""
        run, back = self.forward, self.backward

        class Saving(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *xs: Any) -> Any:
                y, *kept = run(*xs)
                ctx.save_for_backward(*kept)
                return y

            @staticmethod
            def backward(ctx: Any, g: Any) -> Any:
                return back(ctx, g, *ctx.saved_tensors)

        applied: Callable[..., Any] = Saving.apply
        return applied


def saving(
    name: str,
    right: tuple[Callable[..., Any], Callable[..., Any]],
    wrong: tuple[Callable[..., Any], Callable[..., Any]],
    *args: Any,
) -> Pair:
    """Two functions that save what they computed; each is a forward and a backward."""
    return Pair(name, _Context(*right).apply(), _Context(*wrong).apply(), args)


def last(x: Any) -> Any:
    """The sum along the last axis, which stays."""
    return x.sum(-1, keepdim=True)


def mean(x: Any) -> Any:
    """The mean along the last axis, which stays."""
    return x.mean(-1, keepdim=True)


# ---- norms


def _normal(x: Any, eps: float = 1e-5) -> tuple[Any, Any]:
    r = torch.rsqrt(x.var(-1, keepdim=True, unbiased=False) + eps)
    return (x - mean(x)) * r, r


def layer_norm(x: Any, w: Any, b: Any) -> Any:
    return _normal(x)[0] * w + b


def layer_norm_back(g: Any, x: Any, w: Any, b: Any, centred: float = 1.0) -> Any:
    n, r = _normal(x)
    h = g * w
    return r * (h - centred * mean(h) - n * mean(h * n)), (g * n).sum(0), g.sum(0)


def rms(x: Any, eps: float = 1e-3) -> Any:
    return torch.rsqrt(mean(x * x) + eps)


def rms_norm(x: Any, w: Any) -> Any:
    return x * rms(x) * w


def rms_back(g: Any, x: Any, w: Any, scale: Any = None) -> Any:
    r = rms(x)
    n, h = x * r, g * w
    inner = r if scale is None else scale(x)
    return r * h - n * inner * mean(h * n), (g * n).sum(0)


def l2(x: Any) -> Any:
    return x / x.norm(dim=-1, keepdim=True)


def l2_back(g: Any, x: Any) -> Any:
    s = x.norm(dim=-1, keepdim=True)
    y = x / s
    return (g - y * last(g * y)) / s


def group_norm(x: Any) -> Any:
    rows = x.reshape(x.shape[0], 2, -1)
    return _normal(rows)[0].reshape(x.shape)


def group_back(g: Any, x: Any, count: int | None = None) -> Any:
    rows, bar = (z.reshape(x.shape[0], 2, -1) for z in (x, g))
    n, r = _normal(rows)
    size = count or rows.shape[-1]
    back = r * (bar - last(bar) / size - n * last(bar * n) / size)
    return back.reshape(x.shape)


# ---- softmax and attention


def softmax_back(g: Any, x: Any) -> Any:
    y = torch.softmax(x, -1)
    return y * (g - last(g * y))


def log_softmax_back(g: Any, x: Any) -> Any:
    return g - torch.softmax(x, -1) * last(g)


def _scores(q: Any, k: Any, causal: bool) -> Any:
    s = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if causal:
        mask = torch.ones(s.shape[-2:], dtype=torch.bool).triu(1)
        s = s.masked_fill(mask, -math.inf)
    return s


def attention(causal: bool) -> Callable[..., Any]:
    return lambda q, k, v: torch.softmax(_scores(q, k, causal), -1) @ v


def attention_back(
    causal: bool, *, unscaled: bool = False, masked: bool = True, mixed: bool = False
) -> Callable[..., Any]:
    """The backward; unscaled: dk lacks 1/sqrt(d); masked: whether the mask is kept."""

    def back(g: Any, q: Any, k: Any, v: Any) -> Any:
        p = torch.softmax(_scores(q, k, causal and masked), -1)
        dp = g @ v.transpose(-1, -2)
        ds = p * (dp - last(dp * p))
        scale = 1.0 / math.sqrt(q.shape[-1])
        dk = ds.transpose(-1, -2) @ q * (1.0 if unscaled else scale)
        dv = (dp if mixed else p).transpose(-1, -2) @ g
        return ds @ k * scale, dk, dv

    return back


def rotary(x: Any, sign: float = 1.0) -> Any:
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2], dtype=x.dtype)[:, None] * 0.5 ** torch.arange(
        half, dtype=x.dtype
    )
    cos, sin = angle.cos(), sign * angle.sin()
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)


# ---- losses

TARGET = torch.tensor([2, 0, -100, 1])


def cross_entropy(x: Any, t: Any) -> Any:
    return nn.cross_entropy(x, t)


def cross_entropy_back(g: Any, x: Any, t: Any, counted: bool = False) -> Any:
    seen = t != -100
    p = torch.softmax(x, -1)
    hot = nn.one_hot(t.clamp(min=0), x.shape[-1]).to(x.dtype)
    bar = (p - hot) * seen[:, None]
    count = len(t) if counted else int(seen.sum())
    return g * bar / count, None


def smooth(x: Any, t: Any) -> Any:
    d = x - t
    return torch.where(d.abs() < 1, 0.5 * d * d, d.abs() - 0.5).mean()


def smooth_back(g: Any, x: Any, t: Any) -> Any:
    d = (x - t).clamp(-1, 1) * g / x.numel()
    return d, -d


def bce(x: Any, t: Any) -> Any:
    return (nn.softplus(x) - t * x).mean()


def dice(x: Any, t: Any) -> Any:
    p = torch.sigmoid(x)
    return 1 - 2 * (p * t).sum() / (p.sum() + t.sum())


def dice_back(g: Any, x: Any, t: Any, whole: bool = True) -> Any:
    p = torch.sigmoid(x)
    top, bottom = 2 * (p * t).sum(), p.sum() + t.sum()
    rest = top / bottom**2 if whole else 0
    return g * (rest - 2 * t / bottom) * p * (1 - p), g * (rest - 2 * p / bottom)


def focal(x: Any) -> Any:
    p = torch.sigmoid(x)
    return -((1 - p) ** 2) * torch.log(p)


def focal_back(g: Any, x: Any, factor: float = 1.0) -> Any:
    p = torch.sigmoid(x)
    return g * (2 * factor * (1 - p) * torch.log(p) - (1 - p) ** 2 / p) * p * (1 - p)


# ---- convolutions, scatters, in place


def conv_back(g: Any, x: Any, w: Any, flip: bool = False) -> Any:
    k = w.flip(-1) if flip else w
    dx = nn.conv_transpose1d(g, k)
    cols = x.unfold(-1, w.shape[-1], 1)
    return dx, torch.einsum("not,nitk->oik", g, cols)


INDEX = torch.tensor([0, 2, 2, 1, 2])


def gathered_back(g: Any, x: Any, lost: bool = False) -> Any:
    bar = torch.zeros_like(x)
    if lost:
        bar[INDEX] = g
        return bar
    return bar.index_add(0, INDEX, g)


def scattered(x: Any) -> Any:
    return torch.zeros(3, x.shape[1], dtype=x.dtype).index_add(0, INDEX, x * x)


def overwritten(good: bool) -> tuple[Any, Any]:
    """A saved input that the forward writes to, unless it saves a copy."""

    def run(x: Any) -> Any:
        y = x.clone()
        kept = y.clone() if good else y
        y.data.mul_(y.data)
        return y.clone(), kept

    return run, lambda ctx, g, x: 2 * x * g


def dropout(scale: bool, same: bool = True) -> tuple[Any, Any]:
    def run(x: Any) -> Any:
        mask = (torch.rand_like(x) > 0.25).to(x.dtype)
        other = mask if same else (torch.rand_like(x) > 0.25).to(x.dtype)
        return x * mask / 0.75, other

    return run, lambda ctx, g, mask: g * mask / (0.75 if scale else 1.0)


def frozen(ctx: Any, g: Any, x: Any, w: Any) -> Any:
    """A backward that asks which derivatives are needed."""
    dx = g * w if ctx.needs_input_grad[0] else None
    dw = g * x if ctx.needs_input_grad[1] else None
    return dx, dw


def frozen_wrong(ctx: Any, g: Any, x: Any, w: Any) -> Any:
    both = all(ctx.needs_input_grad)
    return g * w, g * x if both else g * w


def complex_product(x: Any, w: Any) -> Any:
    return x * w


COMPLEX = torch.complex(tensor(3), tensor(3) + 0.5)
GELU_A = math.sqrt(2 / math.pi)


def gelu_back(g: Any, x: Any, cubic: float = 3.0) -> Any:
    u = GELU_A * (x + 0.044715 * x**3)
    t = torch.tanh(u)
    du = GELU_A * (1 + cubic * 0.044715 * x * x)
    return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * du)


def isrlu(x: Any) -> Any:
    return x * torch.rsqrt(1 + torch.clamp(x, max=0.0) ** 2)


def isrlu_back(g: Any, x: Any) -> Any:
    return g * torch.rsqrt(1 + torch.clamp(x, max=0.0) ** 2) ** 3


def swiglu(x: Any, w: Any) -> Any:
    return nn.silu(x) * w


def swiglu_back(g: Any, x: Any, w: Any, through: bool = True) -> Any:
    s = torch.sigmoid(x)
    slope = s * (1 + x * (1 - s)) if through else s
    return g * w * slope, g * nn.silu(x)


def lse(x: Any) -> Any:
    return torch.logsumexp(x, -1)


def summed_to(x: Any, shape: Any) -> Any:
    return x.sum_to_size(shape)


def cumulative_back(g: Any, x: Any) -> Any:
    return g.flip(-1).cumsum(-1).flip(-1)


def det2(x: Any) -> Any:
    return x[0, 0] * x[1, 1] - x[0, 1] * x[1, 0]


def det2_back(g: Any, x: Any, transposed: bool = False) -> Any:
    adj = torch.stack(
        [torch.stack([x[1, 1], -x[1, 0]]), torch.stack([-x[0, 1], x[0, 0]])]
    )
    return g * (adj.t() if transposed else adj)


def bilinear(x: Any, a: Any, y: Any) -> Any:
    return torch.einsum("bi,ij,bj->b", x, a, y)


def bilinear_back(g: Any, x: Any, a: Any, y: Any, turned: bool = False) -> Any:
    dx = g[:, None] * (y @ a.t())
    dy = g[:, None] * (x @ (a.t() if turned else a))
    return dx, torch.einsum("b,bi,bj->ij", g, x, y), dy


def scan(x: Any, a: Any) -> Any:
    h, out = torch.zeros_like(x[0]), []
    for row in x:
        h = torch.tanh(a * h + row)
        out.append(h)
    return torch.stack(out)


def scan_back(g: Any, x: Any, a: Any, carried: bool = True) -> Any:
    hs = [torch.zeros_like(x[0]), *scan(x, a)]
    bar, da, dx = torch.zeros_like(x[0]), torch.zeros_like(a), []
    for k in reversed(range(len(x))):
        u = (g[k] + bar) * (1 - hs[k + 1] ** 2)
        dx.append(u)
        da = da + u * hs[k]
        bar = a * u if carried else torch.zeros_like(u)
    return torch.stack(dx[::-1]), da


def pooled_back(g: Any, x: Any, size: float = 2.0) -> Any:
    return g.repeat_interleave(2, -1) / size


def maxed(x: Any) -> Any:
    return x.max(-1)[0]


def maxed_back(g: Any, x: Any) -> Any:
    return nn.one_hot(x.argmax(-1), x.shape[-1]).to(x.dtype) * g[:, None]


def float32_constant(g: Any, x: Any) -> Any:
    third = torch.tensor(1.0 / 3.0, dtype=F32).to(x.dtype)
    return g * third


A, B = tensor(3, 4), tensor(3, 4) * 0.5 + 1.0
SQUARE = tensor(3, 3)
HEADS = tuple(tensor(2, 4, n) for n in (6, 6, 6))
Q, K, V = tensor(2, 4, 6), tensor(2, 4, 6) * 0.7, tensor(2, 4, 6) + 0.2
T01 = torch.rand(3, 4, dtype=F64, generator=torch.Generator().manual_seed(2))

# fmt: off
PAIRS: tuple[Pair, ...] = (
    # factors and signs
    pair("cotangent forgotten", isrlu, isrlu_back, lambda g, x: isrlu_back(torch.ones_like(g), x), A),
    pair("arguments swapped", lambda a, b: a / b, lambda g, a, b: (g / b, -g * a / b**2), lambda g, a, b: (g / a, -g * b / a**2), A, B),
    pair("sign of a difference", lambda a, b: (a - b) ** 2, lambda g, a, b: (2 * g * (a - b), -2 * g * (a - b)), lambda g, a, b: (2 * g * (a - b), 2 * g * (a - b)), A, B),
    pair("factor 2 of a square", lambda x: x * x, lambda g, x: 2 * x * g, lambda g, x: x * g, A),
    pair("off by 1e-9", lambda x: x.exp() * x, lambda g, x: g * x.exp() * (1 + x), lambda g, x: g * x.exp() * (1 + x) * (1 + 1e-9), A),
    pair("a float32 constant", lambda x: x / 3.0, lambda g, x: g / 3.0, float32_constant, A),
    pair("reciprocal without its minus", lambda x: 1 / x, lambda g, x: -g / x**2, lambda g, x: g / x**2, B),
    pair("power by the wrong exponent", lambda x: x**4, lambda g, x: 4 * g * x**3, lambda g, x: 4 * g * x**4, A),
    pair("chain rule of an inner scale", lambda x: torch.sin(3 * x), lambda g, x: 3 * g * torch.cos(3 * x), lambda g, x: g * torch.cos(3 * x), A),
    pair("derivative at the output", lambda x: torch.tanh(x), lambda g, x: g * (1 - torch.tanh(x) ** 2), lambda g, x: g * (1 - x**2), A),
    # broadcasts and reductions
    pair("bias not summed right", lambda x, b: x + b, lambda g, x, b: (g, g.sum(0)), lambda g, x, b: (g, g.mean(0)), A, tensor(4)),
    pair("mean without its count", lambda x: x.mean(), lambda g, x: g.expand(x.shape) / x.numel(), lambda g, x: g.expand(x.shape) / x.shape[0], A),
    pair("sum of a broadcast factor", lambda x, s: x * s, lambda g, x, s: (g * s, last(g * x)), lambda g, x, s: (g * s, last(g)), A, tensor(3, 1)),
    pair("reduction over the wrong axis", lambda x: x.sum(0), lambda g, x: g.expand(x.shape), lambda g, x: g[:, None].expand(x.shape), SQUARE),
    pair("logsumexp", lse, lambda g, x: g[:, None] * torch.softmax(x, -1), lambda g, x: g[:, None] * torch.softmax(x, 0), A),
    pair("cumulative sum the wrong way", lambda x: x.cumsum(-1), cumulative_back, lambda g, x: g.cumsum(-1), A),
    pair("variance by n and by n - 1", lambda x: x.var(-1), lambda g, x: 2 * g[:, None] * (x - mean(x)) / (x.shape[-1] - 1), lambda g, x: 2 * g[:, None] * (x - mean(x)) / x.shape[-1], A),
    pair("product without the others", lambda x: x.prod(-1), lambda g, x: g[:, None] * x.prod(-1, keepdim=True) / x, lambda g, x: (g[:, None] * x.prod(-1, keepdim=True)).expand(x.shape), B),
    # activations
    pair("GELU by tanh", lambda x: nn.gelu(x, approximate="tanh"), gelu_back, lambda g, x: gelu_back(g, x, 2.0), A),
    pair("SiLU without its second term", nn.silu, lambda g, x: g * torch.sigmoid(x) * (1 + x * (1 - torch.sigmoid(x))), lambda g, x: g * torch.sigmoid(x), A),
    pair("leaky slope on the wrong side", lambda x: nn.leaky_relu(x, 0.1), lambda g, x: torch.where(x > 0, g, 0.1 * g), lambda g, x: torch.where(x > 0, 0.1 * g, g), A),
    pair("mask from the wrong tensor", lambda x, y: nn.relu(x) * y, lambda g, x, y: (g * y * (x > 0), g * nn.relu(x)), lambda g, x, y: (g * y * (y > 0), g * nn.relu(x)), A, tensor(3, 4) - 0.3),
    pair("softplus with beta", lambda x: nn.softplus(x, beta=2.0), lambda g, x: g * torch.sigmoid(2 * x), lambda g, x: 2 * g * torch.sigmoid(2 * x), A),
    pair("ELU below zero", nn.elu, lambda g, x: g * torch.where(x > 0, torch.ones_like(x), x.exp()), lambda g, x: g * torch.where(x > 0, torch.ones_like(x), x.exp() - 1), A),
    pair("Mish", nn.mish, lambda g, x: g * (torch.tanh(nn.softplus(x)) + x * (1 - torch.tanh(nn.softplus(x)) ** 2) * torch.sigmoid(x)), lambda g, x: g * (torch.tanh(nn.softplus(x)) + x * (1 - torch.tanh(nn.softplus(x)) ** 2)), A),
    pair("SwiGLU", swiglu, swiglu_back, lambda g, x, w: swiglu_back(g, x, w, through=False), A, B),
    pair("squared ReLU", lambda x: nn.relu(x) ** 2, lambda g, x: 2 * g * nn.relu(x), lambda g, x: g * nn.relu(x), A),
    pair("hard swish", nn.hardswish, lambda g, x: g * torch.where(x < -3, torch.zeros_like(x), torch.where(x > 3, torch.ones_like(x), x / 3 + 0.5)), lambda g, x: g * torch.where(x < -3, torch.zeros_like(x), torch.where(x > 3, torch.ones_like(x), x / 3)), 2 * A),
    # norms
    pair("LayerNorm without its mean term", layer_norm, layer_norm_back, lambda g, x, w, b: layer_norm_back(g, x, w, b, 0.0), A, tensor(4), tensor(4) + 1),
    pair("RMSNorm with eps in the wrong place", rms_norm, rms_back, lambda g, x, w: rms_back(g, x, w, lambda x: 1 / (x.norm(dim=-1, keepdim=True) / 2 + 1e-3)), A, tensor(4)),
    pair("RMSNorm weight", rms_norm, rms_back, lambda g, x, w: (rms_back(g, x, w)[0], (g * x).sum(0)), A, tensor(4)),
    pair("unit vectors without projection", l2, l2_back, lambda g, x: g / x.norm(dim=-1, keepdim=True), A),
    pair("GroupNorm by the wrong count", group_norm, group_back, lambda g, x: group_back(g, x, 4), tensor(2, 4, 3)),
    pair("standardised by a deviation that stands still", lambda x: _normal(x)[0], lambda g, x: _normal(x)[1] * (g - mean(g) - _normal(x)[0] * mean(g * _normal(x)[0])), lambda g, x: _normal(x)[1] * (g - mean(g)), A),
    # softmax and attention
    pair("softmax without its sum", lambda x: torch.softmax(x, -1), softmax_back, lambda g, x: torch.softmax(x, -1) * g * (1 - torch.softmax(x, -1)), A),
    pair("log-softmax", lambda x: torch.log_softmax(x, -1), log_softmax_back, lambda g, x: g - torch.softmax(x, -1) * g, A),
    pair("attention, dk without 1/sqrt(d)", attention(False), attention_back(False), attention_back(False, unscaled=True), Q, K, V),
    pair("attention, causal mask not applied back", attention(True), attention_back(True), attention_back(True, masked=False), Q, K, V),
    pair("attention, dv by the wrong weights", attention(True), attention_back(True), attention_back(True, mixed=True), Q, K, V),
    pair("rotary embedding turned forward", rotary, lambda g, x: rotary(g, -1.0), lambda g, x: rotary(g), tensor(3, 4)),
    pair("temperature", lambda x: torch.softmax(x / 0.5, -1), lambda g, x: softmax_back(g, x / 0.5) / 0.5, lambda g, x: softmax_back(g, x / 0.5), A),
    # losses
    pair("cross-entropy counts what is ignored", cross_entropy, cross_entropy_back, lambda g, x, t: cross_entropy_back(g, x, t, counted=True), tensor(4, 3), TARGET),
    pair("smooth L1, target's sign", smooth, smooth_back, lambda g, x, t: (smooth_back(g, x, t)[0],) * 2, A, B),
    pair("BCE with logits", bce, lambda g, x, t: (g * (torch.sigmoid(x) - t) / x.numel(), -g * x / x.numel()), lambda g, x, t: (g * (torch.sigmoid(x) - t), -g * x / x.numel()), A, T01),
    pair("Dice loss without its denominator", dice, dice_back, lambda g, x, t: dice_back(g, x, t, whole=False), A, T01),
    pair("focal loss", focal, focal_back, lambda g, x: focal_back(g, x, 0.5), A),
    pair("KL divergence", lambda p, q: (p * (p / q).log()).sum(), lambda g, p, q: (g * ((p / q).log() + 1), -g * p / q), lambda g, p, q: (g * (p / q).log(), -g * p / q), T01 + 0.1, T01.flip(0) + 0.2),
    # matrices and layers
    pair("linear, dW turned", lambda x, w: x @ w.t(), lambda g, x, w: (g @ w, g.t() @ x), lambda g, x, w: (g @ w, (x.t() @ g).reshape(w.shape)), A, tensor(2, 4)),
    pair("bilinear", bilinear, bilinear_back, lambda g, x, a, y: bilinear_back(g, x, a, y, turned=True), tensor(2, 3), SQUARE, tensor(2, 3) + 0.4),
    pair("determinant of 2 by 2", det2, det2_back, lambda g, x: det2_back(g, x, transposed=True), tensor(2, 2)),
    pair("convolution with a flipped kernel", nn.conv1d, conv_back, lambda g, x, w: conv_back(g, x, w, flip=True), tensor(2, 2, 6), tensor(3, 2, 3)),
    pair("mean pooling", lambda x: nn.avg_pool1d(x, 2), pooled_back, lambda g, x: pooled_back(g, x, 1.0), tensor(1, 2, 6)),
    pair("largest entries", maxed, maxed_back, lambda g, x: maxed_back(g, -x), A),
    pair("a recurrence that carries nothing", scan, scan_back, lambda g, x, a: scan_back(g, x, a, carried=False), tensor(4, 3), tensor(3)),
    # indices and memory
    pair("gather with repeated indices", lambda x: x[INDEX], gathered_back, lambda g, x: gathered_back(g, x, lost=True), tensor(3, 2)),
    pair("scatter", scattered, lambda g, x: 2 * x * g[INDEX], lambda g, x: 2 * x * g[INDEX.flip(0)], tensor(5, 2)),
    saving("a saved tensor that is written to", overwritten(True), overwritten(False), A),
    saving("dropout without its scale", dropout(True), dropout(False), A),
    saving("dropout with another mask", dropout(True), dropout(True, same=False), tensor(6, 5)),
    saving("needs_input_grad", (lambda x, w: (x * w, x, w), frozen), (lambda x, w: (x * w, x, w), frozen_wrong), A, B),
    pair("complex product without conjugation", complex_product, lambda g, x, w: (g * w.conj(), g * x.conj()), lambda g, x, w: (g * w, g * x), COMPLEX, COMPLEX.flip(0)),
)
# fmt: on
