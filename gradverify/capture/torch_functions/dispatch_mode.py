"""The base of our dispatch modes, which see what PyTorch computes below autograd."""

from __future__ import annotations

from torch.utils._python_dispatch import TorchDispatchMode


class DispatchMode(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A dispatch mode that does not load `torch._dynamo`.

    PyTorch hides the method of a mode from its compiler, and loads the compiler to do
    so, which takes two seconds. Nothing is compiled while a mode is active.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False
