"""Traps of PyTorch functions, each with a right backward and with a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


def tensor(*shape: int, dtype: torch.dtype = torch.float64) -> Any:
    """Numbers that hide nothing, the same in every run."""
    source = torch.Generator().manual_seed(sum(shape) + 3)
    return torch.randn(*shape, dtype=dtype, generator=source)


def function(
    forward: Callable[..., Any], backward: Callable[..., Any], *, modern: bool = False
) -> Callable[..., Any]:
    """The `apply` of an `autograd.Function` in the old style, or with setup_context."""

    class Old(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *xs: Any) -> Any:
            ctx.save_for_backward(*(x for x in xs if isinstance(x, torch.Tensor)))
            return forward(*xs)

        @staticmethod
        def backward(ctx: Any, *g: Any) -> Any:
            return backward(*g, *ctx.saved_tensors)

    class Modern(torch.autograd.Function):
        @staticmethod
        def forward(*xs: Any) -> Any:
            return forward(*xs)

        @staticmethod
        def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
            ctx.save_for_backward(*inputs)

        @staticmethod
        def backward(ctx: Any, *g: Any) -> Any:
            return backward(*g, *ctx.saved_tensors)

    applied: Callable[..., Any] = (Modern if modern else Old).apply
    return applied


@dataclass(frozen=True)
class Pair:
    """A function with a right derivative and one with a wrong one, at arguments."""

    name: str
    right: Callable[..., Any]
    wrong: Callable[..., Any]
    args: tuple[Any, ...]
    truth: str = "the captured program"


def slopes(
    name: str,
    forward: Callable[..., Any],
    right: Callable[..., Any],
    wrong: Callable[..., Any],
    *args: Any,
    around: Callable[[Any], Callable[..., Any]] = lambda f: f,
    **options: Any,
) -> Pair:
    """A pair of functions that differ in their backward."""
    modern = options.pop("modern", False)
    pair = [around(function(forward, b, modern=modern)) for b in (right, wrong)]
    return Pair(name, pair[0], pair[1], args, **options)


def _through_numpy(x: Any) -> Any:
    return torch.from_numpy(np.sin(x.detach().numpy()))


def _stopped_inside(x: Any) -> Any:
    with torch.no_grad():
        y = torch.exp(x)
    return y * x.detach()


def _in_place(x: Any) -> Any:
    y = x.clone()
    y[0] = 3.0 * x[1]
    y.t()[0].mul_(2.0)
    return y * y


def _in_place_back(g: Any, x: Any) -> Any:
    y = x.clone()
    y[0] = 3.0 * x[1]
    y[:, 0] *= 2.0
    bar = 2.0 * y * g
    bar[:, 0] *= 2.0
    return torch.stack([torch.zeros_like(bar[0]), bar[1] + 3.0 * bar[0]])


def _branch(x: Any) -> Any:
    return x * x if x.sum() > 0 else x.exp()


def _branch_back(g: Any, x: Any) -> Any:
    return 2.0 * x * g if x.sum() > 0 else x.exp() * g


def _loop(x: Any) -> Any:
    y = torch.ones_like(x)
    for _ in range(4):
        y = y * x + 1.0
    return y


def _loop_back(g: Any, x: Any) -> Any:
    y, slope = torch.ones_like(x), torch.zeros_like(x)
    for _ in range(4):
        slope, y = slope * x + y, y * x + 1.0
    return slope * g


def _scaled_by_item(x: Any) -> Any:
    return x / x[0].item()


def _scaled_by_item_back(g: Any, x: Any) -> Any:
    bar = g / x[0]
    bar[0] = bar[0] - (g * x).sum() / x[0] ** 2
    return bar


def _gather(x: Any, index: Any) -> Any:
    return x[index] ** 2


def _gather_back(g: Any, x: Any, index: Any) -> Any:
    bar = torch.zeros_like(x)
    return bar.index_add(0, index, 2.0 * x[index] * g), None


def _gather_lost(g: Any, x: Any, index: Any) -> Any:
    bar = torch.zeros_like(x)
    bar[index] = 2.0 * x[index] * g
    return bar, None


def _layer_back(g: Any, x: Any, w: Any) -> Any:
    inner = g * (1.0 - torch.tanh(x @ w) ** 2)
    return inner @ w.T, x.T @ inner


def _two(x: Any) -> Any:
    return x.sin(), x.sum()


def _dropped(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: torch.nn.functional.dropout(f(x), 0.5)


def _normed(f: Callable[..., Any]) -> Callable[..., Any]:
    norm = torch.nn.BatchNorm1d(3, dtype=torch.float64)
    return lambda x: norm(f(x))


def _differentiated(f: Callable[..., Any]) -> Callable[..., Any]:
    def outer(x: Any) -> Any:
        u = torch.sin(x * x)
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return f(slope)

    return outer


def _estimated(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x: f(x + (torch.round(x) - x).detach())


CUBE = (
    lambda x: x**3,
    lambda g, x: 3.0 * x**2 * g,
    lambda g, x: 3.0 * x * g,
)
INDEX = torch.tensor([0, 2, 2, 1])

PAIRS = (
    slopes("old style", *CUBE, tensor(4)),
    slopes("setup_context", *CUBE, tensor(4), modern=True),
    slopes(
        "through NumPy",
        _through_numpy,
        lambda g, x: g * torch.cos(x),
        lambda g, x: g * torch.cos(x) * 1.000001,
        tensor(4),
        truth="differences of the function",
    ),
    slopes(
        "no_grad and detach inside",
        _stopped_inside,
        lambda g, x: g * (1.0 + x) * x.exp(),
        lambda g, x: g * x.exp(),
        tensor(4),
    ),
    slopes("dropout", *CUBE, tensor(9), around=_dropped),
    slopes("BatchNorm in training", *CUBE, tensor(5, 3), around=_normed),
    slopes("a derivative inside", *CUBE, tensor(4), around=_differentiated),
    slopes("a declared straight-through", *CUBE, tensor(4), around=_estimated),
    slopes(
        "writes in place and views",
        _in_place,
        _in_place_back,
        lambda g, x: _in_place_back(g, x) * torch.tensor([1.0, 0.5, 1.0]),
        tensor(2, 3),
    ),
    slopes(
        "a branch on values",
        _branch,
        _branch_back,
        lambda g, x: 2.0 * x * g,
        tensor(4),
    ),
    slopes(
        "a loop", _loop, _loop_back, lambda g, x: _loop_back(g, x) - 0.01 * g, tensor(4)
    ),
    slopes(
        "a number that is read",
        _scaled_by_item,
        _scaled_by_item_back,
        lambda g, x: g / x[0],
        tensor(4),
        truth="differences of the function",
    ),
    slopes("integer inputs", _gather, _gather_back, _gather_lost, tensor(3), INDEX),
    slopes(
        "a Boolean input",
        lambda x, mask: torch.where(mask, x.exp(), x),
        lambda g, x, mask: (torch.where(mask, x.exp(), torch.ones_like(x)) * g, None),
        lambda g, x, mask: (torch.where(~mask, x.exp(), torch.ones_like(x)) * g, None),
        tensor(3),
        torch.tensor([True, False, True]),
    ),
    slopes(
        "several outputs",
        _two,
        lambda g, h, x: g * x.cos() + h,
        lambda g, h, x: g * x.cos(),
        tensor(3),
    ),
    slopes(
        "a dict and a tuple",
        lambda x, w: x * w,
        lambda g, x, w: (g * w, g * x),
        lambda g, x, w: (g * x, g * w),
        {"x": tensor(3), "more": (tensor(3) + 1.0,)},
        around=lambda f: lambda batch: f(batch["x"], batch["more"][0]),
    ),
    slopes(
        "float32",
        lambda x, w: torch.tanh(x @ w),
        _layer_back,
        lambda g, x, w: (_layer_back(g, x, w)[0], x.T @ g),
        tensor(2, 3, dtype=torch.float32),
        tensor(3, 2, dtype=torch.float32),
    ),
)  # fmt: skip
