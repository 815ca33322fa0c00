"""Traps of PyTorch functions, each with a right backward and with a wrong one."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from tests.capture.pair import Pair


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


def _by_addresses(x: Any) -> Any:
    """Numbers that are read and written behind PyTorch's back, as a kernel does it."""
    y = torch.empty(x.shape, dtype=x.dtype)
    flat = x.detach().contiguous()
    for k in range(x.numel()):
        here, there = (t.data_ptr() + 8 * k for t in (flat, y))
        value = math.exp(ctypes.c_double.from_address(here).value)
        ctypes.c_double.from_address(there).value = value
    return y


def _called_with_others(f: Callable[..., Any]) -> Callable[..., Any]:
    """A module that is called with other parameters than its own."""
    layer = torch.nn.Linear(2, 2, dtype=torch.float64)

    def called(x: Any) -> Any:
        others = {"weight": f(x[:2]), "bias": x[2]}
        return torch.func.functional_call(layer, others, (x,))

    return called


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


SINE = (_through_numpy, lambda g, x: g * x.cos(), lambda g, x: g * x.cos() * 1.001)
"""A Function that is not read, so that what is around it is differenced."""


def _beside_no_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    def outer(x: Any) -> Any:
        with torch.no_grad():
            size = x.abs().max() + 1.0
        return f(x) / size

    return outer


def _written_beside(f: Callable[..., Any]) -> Callable[..., Any]:
    def outer(x: Any) -> Any:
        y = x.detach() * 2.0
        y[0] = x[1]
        return f(x) * y

    return outer


def _normalized_into_a_buffer(f: Callable[..., Any]) -> Callable[..., Any]:
    """As spectral norms keep a vector of their own up to date."""
    kept = torch.ones(4, dtype=torch.float64)

    def outer(x: Any) -> Any:
        with torch.no_grad():
            torch.div(x, x.abs().max() + 1.0, out=kept)
        return f(x) * kept.clone()

    return outer


def _differ(a: Any, b: Any) -> Any:
    return a != b


CUBE = (
    lambda x: x**3,
    lambda g, x: 3.0 * x**2 * g,
    lambda g, x: 3.0 * x * g,
)
INDEX = torch.tensor([0, 2, 2, 1])


def _solved(x: Any) -> Any:
    """The solution of y = sin(y) 0.3 + x, to six digits."""
    y, before = x, x + 1.0
    while (y - before).abs().max() > 1e-6:
        y, before = 0.3 * y.sin() + x, y
    return y


def _largest(x: Any) -> Any:
    return (x == x.amax(-1, keepdim=True)).to(x)


def _waves(alone: Callable[..., Any]) -> Callable[..., Any]:
    """Sine and cosine, with a branch of the backward for an output that is unused."""

    class Waves(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            context.set_materialize_grads(False)
            context.save_for_backward(x)
            return x.sin(), x.cos()

        @staticmethod
        def backward(context: Any, g: Any, h: Any) -> Any:
            (x,) = context.saved_tensors
            if g is None or h is None:
                return alone(g, h, x)
            return g * x.cos() - h * x.sin()

    applied: Callable[..., Any] = Waves.apply
    return applied


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
        "a C extension",
        _by_addresses,
        lambda g, x: g * torch.exp(x),
        lambda g, x: g * torch.exp(x) * 1.000001,
        tensor(3),
        truth="differences of the function",
    ),
    slopes("functional_call", *CUBE, tensor(3, 2), around=_called_with_others),
    slopes(
        "no_grad and detach inside",
        _stopped_inside,
        lambda g, x: g * (1.0 + x) * x.exp(),
        lambda g, x: g * x.exp(),
        tensor(4),
    ),
    *(
        slopes(
            f"{name} beside NumPy",
            *SINE,
            tensor(4),
            around=around,
            truth="differences of the function",
        )
        for name, around in (
            ("detach", lambda f: lambda x: f(x) * x.detach()),
            ("data", lambda f: lambda x: f(x) * x.data),
            ("no_grad", _beside_no_grad),
            ("an output that stands still", lambda f: lambda x: (f(x), x.detach())),
            ("a write into what stands still", _written_beside),
            (
                "a straight-through estimator",
                lambda f: lambda x: f(x) + x + (torch.round(x) - x).detach(),
            ),
        )
    ),
    *(
        slopes(name, *CUBE, tensor(4), around=around)
        for name, around in (
            (
                "x != x for NaN",
                lambda f: lambda x: torch.where(_differ(x, x), 0.0, f(x)),
            ),
            ("x == x", lambda f: lambda x: torch.where(~_differ(x, x), f(x), 0.0)),
            ("isnan", lambda f: lambda x: torch.where(torch.isnan(x), 0.0, f(x))),
            ("isfinite", lambda f: lambda x: torch.where(torch.isfinite(x), f(x), 0.0)),
            ("below infinity", lambda f: lambda x: torch.where(x < torch.inf, f(x), x)),
            ("nan_to_num", lambda f: lambda x: torch.nan_to_num(f(x))),
            ("isclose", lambda f: lambda x: torch.where(x.isclose(x + 9.0), x, f(x))),
            ("allclose", lambda f: lambda x: x if x.allclose(x + 9.0) else f(x)),
            ("cummax", lambda f: lambda x: torch.cummax(f(x), 0).values * x),
            ("cummin", lambda f: lambda x: torch.cummin(f(x), 0).values * x),
            ("out= of a buffer", _normalized_into_a_buffer),
        )
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
    slopes(
        "a constant of few digits in float32",
        lambda x: 0.7978845608 * x,
        lambda g, x: 0.7978845608 * g,
        lambda g, x: 0.7979 * g,
        tensor(4, dtype=torch.float32),
    ),
    slopes(
        "two entries that are equal",
        lambda x: x.amax(-1),
        lambda g, x: g[:, None] * _largest(x) / _largest(x).sum(-1, keepdim=True),
        lambda g, x: g[:, None] * _largest(x),
        tensor(2, 4),
    ),
    slopes(
        "a sparse gradient",
        lambda x: x[INDEX],
        lambda g, x: torch.sparse_coo_tensor(INDEX[None], g, x.shape),
        lambda g, x: torch.sparse_coo_tensor(INDEX[None].flip(1), g, x.shape),
        tensor(3, 2),
    ),
    slopes(
        "a solver that ends at a tolerance",
        _solved,
        lambda g, x: g / (1.0 - 0.3 * _solved(x).cos()),
        lambda g, x: g / (1.0 - 0.3 * _solved(x).sin()),
        tensor(2),
    ),
    Pair(
        "an output that is used alone",
        _waves(lambda g, h, x: g * x.cos() if h is None else -h * x.sin()),
        _waves(lambda g, h, x: g * x.sin() if h is None else -h * x.sin()),
        (tensor(3),),
    ),
)  # fmt: skip
