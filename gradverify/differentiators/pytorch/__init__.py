"""PyTorch on the CPU and on a CUDA device."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, final

from gradverify.differentiators.protocol import Accepts, Rows, tried
from gradverify.differentiators.pytorch.modes import TorchModes
from gradverify.differentiators.pytorch.spelling import torch_spelling
from gradverify.differentiators.pytorch.table import rows
from gradverify.differentiators.spelling import Spelling


class Torch(TorchModes):
    """PyTorch's functions on tensors of `device`; abstract, a final class each."""

    accepts = Accepts(dtypes=("float64", "float32"), absent_tangents=True)

    @cached_property
    def table(self) -> Rows:
        """The library's functions; it is imported here."""
        return rows(self.device)

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
        """Tensors, and the calls of `TAILS`."""
        return torch_spelling(self.device)


@final
class TorchCpu(Torch):
    """PyTorch on the CPU."""

    name = "torch-cpu"


@final
class TorchCuda(Torch):
    """PyTorch on the current CUDA device."""

    name = "torch-cuda"
    device = "cuda"
