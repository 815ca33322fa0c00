"""A function of PyTorch at two points: what gradients do not pass is as at the second.

Differences of a function do not see that gradients are stopped (`detach`, `no_grad`,
`.data`, `.item()`). Differences of what is run here do. One run, at the second point,
keeps the values that autograd takes for constants; another run reads them.
"""

from __future__ import annotations

from typing import Any

import torch

from gradverify.capture.captured import NotCaptured
from gradverify.capture.torch_functions.dispatch_mode import DispatchMode

READ = "_local_scalar_dense"


class StoppedTensors(DispatchMode):
    """The operands of a run, below autograd, that require no gradient.

    before: those of an earlier run, which take the place of this one's; None for a run
    that keeps its own. Within the forward of a `Function` no gradients are recorded, so
    that nothing in it is stopped: its author says what the derivative is.

    Raises `NotCaptured` for a run whose ops differ from those of the earlier one.
    """

    def __init__(self, before: StoppedTensors | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.before = before
        self.kept: list[tuple[str, Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an op on operands of which the constant ones stand still."""
        kwargs = kwargs or {}
        if not torch.is_grad_enabled():
            return func(*args, **kwargs)
        schema = {a.name: a.alias_info for a in func._schema.arguments}
        still = {
            name: self._still(func, x, schema[name])
            for name, x in (*zip(schema, args, strict=False), *kwargs.items())
        }
        args = tuple(still[name] for name, _ in zip(schema, args, strict=False))
        kwargs = {name: still[name] for name in kwargs}
        result = func(*args, **kwargs)
        if func.name() == f"aten::{READ}" and isinstance(result, float):
            return self.standing(READ, result)
        return result

    def _still(self, func: Any, value: Any, alias: Any) -> Any:
        """An operand, with its constant tensors as they were.

        alias: how the op shares its memory. What a view is made of stays as it is,
        since the view may be written to; the view stands still where it is read.
        """
        if isinstance(value, list | tuple):
            return type(value)(self._still(func, x, alias) for x in value)
        if not isinstance(value, torch.Tensor) or value.requires_grad:
            return value
        if not (value.is_floating_point() or value.is_complex()):
            return value
        if alias is not None and not alias.is_write:
            return value
        found = self.standing(func.name(), value)
        return found if alias is None or found is value else value.copy_(found)

    def standing(self, name: str, value: Any) -> Any:
        """A constant as it was in the earlier run; one without an earlier run is kept.

        name: of the op that reads it.
        """
        is_tensor = isinstance(value, torch.Tensor)
        place = len(self.kept)
        self.kept.append((name, value.detach().clone() if is_tensor else value))
        if self.before is None:
            return value
        if place >= len(self.before.kept):
            raise NotCaptured(OTHER_OPS)
        known, found = self.before.kept[place]
        alike = not is_tensor or (found.shape, found.dtype) == (
            value.shape,
            value.dtype,
        )
        if known != name or not alike:
            raise NotCaptured(OTHER_OPS)
        return found.clone() if is_tensor else found


OTHER_OPS = "beside a point the function runs other ops, and it stops gradients"
