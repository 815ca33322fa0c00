"""PyTorch on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Rows,
    functions,
    mode,
    operators,
    tried,
)
from gradverify.graph import Array

Axis = Sequence[int] | None


class TorchCpu(Differentiator):
    """PyTorch's functions on tensors of the CPU, and `torch.autograd.grad`."""

    name = "torch-cpu"
    accepts = Accepts(dtypes=("float64", "float32"))

    @cached_property
    def table(self) -> Rows:
        """The library's functions; it is imported here."""
        import torch

        # fmt: off
        return {
            **operators("neg add sub mul div pow power matmul"),
            **functions(torch, "exp log sin cos tanh sqrt abs sigmoid relu"),
            **functions(torch, "maximum where"),
            "softplus":     torch.nn.functional.softplus,
            "sum":          _reduction(torch.sum),
            "mean":         _reduction(torch.mean),
            "logsumexp":    _reduction(torch.logsumexp, needs_dim=True),
            "reshape":      lambda x, shape: torch.reshape(x, shape),
            "transpose":    _permute,
            "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
            "data":         _tensor,
        }
        # fmt: on

    def available(self) -> str | None:
        """None, or why PyTorch cannot run here."""

        def attempt() -> Any:
            import torch

            x = torch.zeros((), requires_grad=True)
            return torch.autograd.grad(torch.sin(x), x)

        return tried("torch", attempt)

    def versions(self) -> Mapping[str, str]:
        """PyTorch's version."""
        import torch

        return {"torch": str(torch.__version__)}

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """Reverse mode, with the cotangents of all nodes."""
        import torch

        with _settings():
            inputs = [_tensor(x, requires_grad=True) for x in point]
            values = function.values(*inputs)
            output = torch.as_tensor(values[-1])
            if not output.requires_grad:
                return Pulled(output.numpy(), [None] * len(point))
            followed = {
                i: v
                for i, v in enumerate(values)
                if isinstance(v, torch.Tensor) and v.requires_grad
            }
            wrt = [*inputs, *followed.values()]
            found = torch.autograd.grad(output, wrt, allow_unused=True)
        arrays = [None if ct is None else ct.numpy() for ct in found]
        others = dict(zip(followed, arrays[len(inputs) :], strict=True))
        connected = {i: ct for i, ct in others.items() if ct is not None}
        return Pulled(output.detach().numpy(), arrays[: len(inputs)], connected)


@contextmanager
def _settings() -> Iterator[None]:
    """Gradients on, whatever the host has set, and one thread; then as before.

    One, since several processes with a thread for each core slow one another down.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)


def _tensor(x: Array, *, requires_grad: bool = False) -> Any:
    """A copy on the CPU, whatever the default device is."""
    import torch

    return torch.tensor(x, device="cpu", requires_grad=requires_grad)


def _reduction(function: Any, *, needs_dim: bool = False) -> Any:
    """A reduction of PyTorch with the params of the op table.

    Over no axis at all every element is its own result; PyTorch's `dim=()` means all.
    """

    def reduce(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        if axis is not None and len(axis) == 0:
            return x.clone()
        if axis is None and not keepdims and not needs_dim:
            return function(x)
        dims = tuple(range(x.ndim)) if axis is None else tuple(axis)
        return function(x, dim=dims or 0, keepdim=keepdims)

    return reduce


def _permute(x: Any, axes: Axis = None) -> Any:
    return x.permute(tuple(reversed(range(x.ndim))) if axes is None else tuple(axes))
