"""A function of PyTorch at two points: what gradients do not pass is as at the second.

Differences of a function do not see that gradients are stopped (`detach`, `no_grad`,
`.data`, `.item()`, `.numpy()`). Differences of what is run here do. One run, at the
second point, keeps the values that autograd takes for constants; another run reads
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_leaves

from gradverify.capture.captured import NotCaptured
from gradverify.capture.torch_functions.constant_reads import Watch, is_in_function

ITEM = "_local_scalar_dense"


class StoppedTensors(Watch):  # type: ignore[no-untyped-call]
    """The operands of a run, below autograd, that require no gradient.

    before: those of an earlier run, which take the place of this one's; None for a run
    that keeps its own. Within the forward of a `Function` nothing is stopped: its
    author says what the derivative is.

    Raises `NotCaptured` for a run whose ops differ from those of the earlier one.
    """

    def __init__(self, before: StoppedTensors | None = None) -> None:
        super().__init__()
        self.before = before
        self.kept: list[tuple[str, Any]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an op on operands of which the constant ones stand still."""
        kwargs = kwargs or {}
        if not torch.is_grad_enabled() or is_in_function():
            return func(*args, **kwargs)
        moves = any(
            isinstance(x, torch.Tensor) and self.follows(x)
            for x in tree_leaves((args, kwargs))
        )
        schema = {a.name: a.alias_info for a in func._schema.arguments}
        still = {
            name: self._still(func, x, schema[name])
            for name, x in (*zip(schema, args, strict=False), *kwargs.items())
        }
        args = tuple(still[name] for name, _ in zip(schema, args, strict=False))
        kwargs = {name: still[name] for name in kwargs}
        result = func(*args, **kwargs)
        if moves:
            self.note_results(func, result)
        if func.name() == f"aten::{ITEM}" and isinstance(result, float):
            return self.standing(ITEM, result)
        return result

    def read(self, name: str, tensor: Any, value: Any) -> Any:
        """The value as it was in the earlier run."""
        del tensor
        if name == "__dlpack__":
            raise NotCaptured("a tensor is handed over by DLPack, outside of autograd")
        return self.standing(name, value)

    def handed_over(self, tensor: Any) -> Any:
        """The argument as it was; the same tensor where nothing moved it."""
        found = self.standing("Function", tensor)
        return tensor if _equal(found, tensor) else found

    def same_as(self, other: StoppedTensors) -> bool:
        """Whether another run, at another point, kept the same constants."""
        if len(self.kept) != len(other.kept):
            return False
        return all(
            a == b and _kind(x) == _kind(y) and _equal(x, y)
            for (a, x), (b, y) in zip(self.kept, other.kept, strict=True)
        )

    def _still(self, func: Any, value: Any, alias: Any) -> Any:
        """An operand, with its constant tensors as they were.

        alias: how the op shares its memory. What a view is made of stays as it is,
        since the view may be written to; the view stands still where it is read.
        """
        if isinstance(value, list | tuple):
            return type(value)(self._still(func, x, alias) for x in value)
        if not isinstance(value, torch.Tensor) or self.follows(value):
            return value
        if not (value.is_floating_point() or value.is_complex()):
            return value
        if alias is not None and not alias.is_write:
            return value
        found = self.standing(func.name(), value)
        return found if alias is None or found is value else value.copy_(found)

    def standing(self, name: str, value: Any) -> Any:
        """A constant as it was in the earlier run; one without an earlier run is kept.

        name: of what reads it.
        """
        place = len(self.kept)
        self.kept.append((name, _copied(value)))
        if self.before is None:
            return value
        if place >= len(self.before.kept):
            raise NotCaptured(OTHER_OPS)
        known, found = self.before.kept[place]
        if known != name or _kind(found) != _kind(value):
            raise NotCaptured(OTHER_OPS)
        return _copied(found)


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return value.copy()
    return [_copied(x) for x in value] if isinstance(value, list) else value


def _kind(value: Any) -> Mapping[str, Any]:
    """What two runs must have alike."""
    names = ("shape", "dtype")
    return {"type": type(value), **{n: getattr(value, n, None) for n in names}}


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return a is b or bool(torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)))
    return bool(np.array_equal(a, b))


OTHER_OPS = "beside a point the function runs other ops, and it stops gradients"
