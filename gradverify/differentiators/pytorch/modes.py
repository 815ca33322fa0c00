"""How PyTorch is asked for a derivative: a mode is one method.

The name of the method stands in ids. A script that shows a deviation calls the library
as the mode's row in `TAILS` (`spelling.py`) says; without a row it calls the method.
"""

from __future__ import annotations

from collections.abc import Sequence

from gradverify.differentiators.protocol import (
    Differentiator,
    Lowered,
    Pulled,
    mode,
)
from gradverify.differentiators.pytorch.settings import settings
from gradverify.differentiators.pytorch.table import tensor
from gradverify.graph import Array


class TorchModes(Differentiator):
    """The modes, on tensors of `device`; abstract."""

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """Reverse mode, with the cotangents of all nodes."""
        import torch

        with settings():
            inputs = [tensor(self.device, x, requires_grad=True) for x in point]
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
