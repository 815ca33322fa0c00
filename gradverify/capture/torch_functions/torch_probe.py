"""What a function of PyTorch touches beside its arguments: parameters and buffers."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from gradverify.capture.torch_functions.dispatch_mode import DispatchMode


@dataclass
class Touched:
    """What one run of a function met outside.

    parameters: leaves that require gradients, in the order in which they were met;
        those that were made within the run are gone after it.
    written: tensors that it wrote to, and what they held before.
    random: whether it drew random numbers. outputs: how many floating ones it returned.
    """

    parameters: dict[int, weakref.ref[Any]] = field(default_factory=dict)
    written: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    random: bool = False
    outputs: int = 0

    def kept(self) -> Iterator[Any]:
        """The parameters that outlived the run, one for each piece of memory."""
        alive = [x for ref in self.parameters.values() if (x := ref()) is not None]
        seen = set()
        for x in sorted(alive, key=lambda x: not isinstance(x, torch.nn.Parameter)):
            place = x.untyped_storage()._cdata, x.storage_offset(), tuple(x.shape)
            if place not in seen:
                seen.add(place)
                yield x


class TorchProbe(DispatchMode):
    """Notes what is touched while it is active; it changes nothing."""

    def __init__(self, arguments: list[Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.touched = Touched()
        self.known = {id(x) for x in arguments}
        self.made = {x.untyped_storage()._cdata for x in arguments}
        self.kept: list[Any] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run the op, and note its tensors."""
        kwargs = kwargs or {}
        flat = tree_leaves((args, kwargs))
        tensors = [x for x in flat if isinstance(x, torch.Tensor)]
        for x in tensors:
            is_new = id(x) not in self.known
            if is_new and x.requires_grad and x.is_leaf and not self._is_made(x):
                self.touched.parameters.setdefault(id(x), weakref.ref(x))
        for x in _written(func, args, kwargs):
            if not self._is_made(x):
                self.touched.written.setdefault(id(x), (x, x.detach().clone()))
        is_custom = func.namespace not in ("aten", "prims")  # what is in it is not seen
        if is_custom or torch.Tag.nondeterministic_seeded in func.tags:
            self.touched.random = True
        result = func(*args, **kwargs)
        given = {x.untyped_storage()._cdata for x in tensors}
        for x in tree_leaves(result):
            if isinstance(x, torch.Tensor):
                address = x.untyped_storage()._cdata
                if address not in given:
                    self.made.add(address)
                    self.kept.append(x.untyped_storage())  # its address stays its own
        return result

    def _is_made(self, x: Any) -> bool:
        return x.untyped_storage()._cdata in self.made


UNSAID = {
    "aten::native_batch_norm": (3, 4),
    "aten::cudnn_batch_norm": (3, 4),
    "aten::miopen_batch_norm": (3, 4),
}
"""Ops that write to operands without saying so in their schema: running statistics."""


def _written(func: Any, args: Any, kwargs: Any) -> Iterator[Any]:
    """The tensors that an op writes to."""
    places = UNSAID.get(func.name(), ())
    for k, argument in enumerate(func._schema.arguments):
        info = argument.alias_info
        if (info is not None and info.is_write) or k in places:
            x = args[k] if k < len(args) else kwargs.get(argument.name)
            yield from (y for y in tree_leaves(x) if isinstance(y, torch.Tensor))
