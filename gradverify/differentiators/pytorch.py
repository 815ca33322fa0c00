"""PyTorch on the CPU and on a CUDA device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, final

from gradverify.differentiators.layers.pytorch import layer_rows
from gradverify.differentiators.protocol import (
    Accepts,
    Differentiator,
    Lowered,
    Pulled,
    Rows,
    functions,
    mode,
    operators,
    sliced,
    tried,
)
from gradverify.differentiators.spelling import Spelling
from gradverify.differentiators.spelling.pytorch import torch_spelling
from gradverify.graph import Array

Axis = Sequence[int] | None


class Torch(Differentiator):
    """PyTorch's functions on tensors of `device`; abstract, a final class each."""

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
            **functions(torch, "sign square rsqrt reciprocal exp2 expm1 log2 log10"),
            **functions(torch, "log1p tan asin acos atan sinh cosh asinh acosh atanh"),
            **functions(torch, "erf erfc lgamma digamma"),
            **functions(torch, "minimum atan2 hypot logaddexp"),
            **functions(torch.nn.functional, "softplus leaky_relu elu silu gelu"),
            **functions(torch.nn.functional, log_sigmoid="logsigmoid"),
            **layer_rows(),
            "clip":         lambda x, low, high: torch.clamp(x, low, high),
            "sum":          _reduction(torch.sum),
            "mean":         _reduction(torch.mean),
            "logsumexp":    _reduction(torch.logsumexp, needs_dim=True),
            "prod":         _prod,
            "max":          _extreme(torch.max, torch.amax),
            "min":          _extreme(torch.min, torch.amin),
            "var":          _spread(torch.var),
            "std":          _spread(torch.std),
            "norm":         _reduction(torch.linalg.vector_norm),
            "softmax":      lambda x, axis: torch.softmax(x, axis[0]),
            "log_softmax":  lambda x, axis: torch.log_softmax(x, axis[0]),
            "cumsum":       lambda x, axis: torch.cumsum(x, axis[0]),
            "slice":        sliced,
            "concatenate":  lambda a, b, axis: torch.cat((a, b), axis[0]),
            "stack":        lambda a, b, axis: torch.stack((a, b), axis[0]),
            "einsum":       lambda a, b, subscripts: torch.einsum(subscripts, a, b),
            "reshape":      lambda x, shape: torch.reshape(x, shape),
            "transpose":    _permute,
            "broadcast_to": lambda x, shape: torch.broadcast_to(x, shape),
            "data":         partial(_tensor, self.device),
        }
        # fmt: on

    def available(self) -> str | None:
        """None, or why PyTorch cannot run here."""

        def attempt() -> Any:
            import torch

            if self.device == "cuda" and not torch.cuda.is_available():
                raise RuntimeError("PyTorch sees no CUDA device")
            x = torch.zeros((), requires_grad=True, device=self.device)
            return torch.autograd.grad(torch.sin(x), x)[0].cpu()

        return tried("torch", attempt)

    def versions(self) -> Mapping[str, str]:
        """The versions of PyTorch and, on a GPU, of CUDA, with the GPU's name."""
        import torch

        found = {"torch": str(torch.__version__)}
        if self.device == "cuda":
            found |= {"cuda": str(torch.version.cuda)}
            found |= {"gpu": torch.cuda.get_device_name()}
        return found

    def spelling(self, mode: str) -> Spelling:
        """Tensors, and `torch.autograd.grad`."""
        return torch_spelling(self.device)

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """Reverse mode, with the cotangents of all nodes."""
        import torch

        with _settings():
            inputs = [_tensor(self.device, x, requires_grad=True) for x in point]
            values = function.values(*inputs)
            output = torch.as_tensor(values[-1], device=self.device)
            value = output.detach().cpu().numpy()
            if not output.requires_grad:
                return Pulled(value, [None] * len(point))
            followed = {
                i: v
                for i, v in enumerate(values)
                if isinstance(v, torch.Tensor) and v.requires_grad
            }
            wrt = [*inputs, *followed.values()]
            found = torch.autograd.grad(output, wrt, allow_unused=True)
        arrays = [None if ct is None else ct.cpu().numpy() for ct in found]
        others = dict(zip(followed, arrays[len(inputs) :], strict=True))
        connected = {i: ct for i, ct in others.items() if ct is not None}
        return Pulled(value, arrays[: len(inputs)], connected)


@final
class TorchCpu(Torch):
    """PyTorch on the CPU."""

    name = "torch-cpu"


@final
class TorchCuda(Torch):
    """PyTorch on the current CUDA device."""

    name = "torch-cuda"
    device = "cuda"


@contextmanager
def _settings() -> Iterator[None]:
    """Gradients on, whatever the host has set, one thread, no TF32; then as before.

    One, since several processes with a thread for each core slow one another down.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _full_precision(), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _full_precision() -> Iterator[None]:
    """Products of float32 matrices without TF32 or bfloat16; then as before."""
    import torch

    backends: Any = torch.backends
    if not hasattr(backends.cuda.matmul, "fp32_precision"):  # before PyTorch 2.9
        precision = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(precision)
        return
    places = (backends.cuda.matmul, backends.mkldnn.matmul)
    before = [place.fp32_precision for place in places]
    try:
        for place in places:
            place.fp32_precision = "ieee"
        yield
    finally:
        for place, precision in zip(places, before, strict=True):
            place.fp32_precision = precision


def _tensor(device: str, x: Array, *, requires_grad: bool = False) -> Any:
    """A copy on that device, whatever the default one is."""
    import torch

    return torch.tensor(x, device=device, requires_grad=requires_grad)


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


def _prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """PyTorch's product is over all axes, or over one after the other."""
    import torch

    if axis is None and not keepdims:
        return torch.prod(x)
    dims = range(x.ndim) if axis is None else (a % x.ndim for a in axis)
    y = x.clone()  # over no axis at all every element is its own result
    for dim in sorted(dims, reverse=True):
        y = torch.prod(y, dim, keepdim=keepdims)
    return y


def _extreme(whole: Any, several: Any) -> Any:
    """torch.max of all or along one axis, torch.amax along several: three rules."""

    def reduce(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
        if axis is None and not keepdims:
            return whole(x)
        if axis is not None and len(axis) == 1:
            return whole(x, dim=axis[0], keepdim=keepdims).values
        return _reduction(several)(x, axis, keepdims)

    return reduce


def _spread(function: Any) -> Any:
    """A variance or its root: `ddof` is PyTorch's `correction`."""

    def reduce(x: Any, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> Any:
        dims = tuple(range(x.ndim)) if axis is None else tuple(axis)
        if not dims and x.ndim:
            return x - x  # PyTorch's `dim=()` means all
        return function(x, dim=dims or None, correction=ddof, keepdim=keepdims)

    return reduce


def _permute(x: Any, axes: Axis = None) -> Any:
    return x.permute(tuple(reversed(range(x.ndim))) if axes is None else tuple(axes))
