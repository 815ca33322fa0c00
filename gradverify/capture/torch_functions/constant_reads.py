"""Where a function of PyTorch takes numbers out of autograd's sight.

They leave it by a read: `.numpy()`, `.tolist()`, `.item()`, `float()`, `np.asarray`.
They are handed to a `Function` by an argument that requires no gradient. To autograd
both are constants. A mode below autograd sees neither: a read runs no op, and within
the forward of a `Function` nothing tells a constant from what is differentiated.
"""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch._functorch import utils as _functorch
from torch.autograd.function import Function
from torch.overrides import TorchFunctionMode

from gradverify.capture.torch_functions.dispatch_mode import DispatchMode
from gradverify.capture.user_lines import running_line

READS = frozenset({
    "numpy", "tolist", "item", "__float__", "__array__", "__dlpack__",
})  # fmt: skip
DECISIONS = READS | {"__bool__"}
FEWEST = 3  # reads in one line that may be those of a search by halves
LAST = 2  # reads in one line: a loop that ends had another answer before its last
LIBRARY = str(Path(torch.__file__).parent)
STOPS = frozenset({"aten::detach", "aten::detach_"})
STOPS_IN_PLACE = frozenset({"detach_", "requires_grad_"})
TRANSPARENT = ("CheckpointFunction",)
"""Functions whose forward is the user's own code, which PyTorch differentiates."""

CALLER = str(Path(__file__).with_name("torch_call.py"))
"""Whose frames lie around the user's function."""

_APPLY = Function.apply.__func__.__code__  # type: ignore[attr-defined]


class TurnsOfLoops:
    """What a `Function` reads, line by line, to see whether a loop of it ends by it.

    wanted: how often each line read in a run before. Where it is given, the last of
    these reads, and as many again, get what was read before it. So a loop goes on that
    ends by what it reads; nothing else reads more often than before.
    times: how many times as many turns there are.
    """

    def __init__(self, wanted: Mapping[Any, int] | None = None, times: int = 2) -> None:
        self.wanted, self.times = wanted or {}, times
        self.values: dict[Any, list[Any]] = {}
        self.applied: list[FrameType] = []  # kept, so that none takes another's place

    def read(self, value: Any) -> Any:
        """What the function gets for a value that it reads."""
        frame = _application()
        if frame is None:
            return value
        if not any(x is frame for x in self.applied):
            self.applied.append(frame)
        turn = next(k for k, x in enumerate(self.applied) if x is frame)
        line = running_line(LIBRARY)
        key = turn, None if line is None else (line.path, line.number)
        values = self.values.setdefault(key, [])
        values.append(value)
        last, count = self.wanted.get(key, 0), len(values)
        goes_on = LAST <= last <= count < self.times * last
        return values[last - 2] if goes_on else value

    def counts(self, fewest: int = LAST) -> dict[Any, int]:
        """How often each line has read in one application, of those that may loop."""
        found = {key: len(v) for key, v in self.values.items()}
        return {key: n for key, n in found.items() if n >= fewest}

    def went_on(self) -> bool:
        """Whether a line has read more often than in the run before."""
        return any(len(self.values.get(k, ())) > n for k, n in self.wanted.items())


class Watch(DispatchMode):
    """A mode below autograd that is told what it does not see.

    roots: tensors that are differentiated. inner: results of ops that follow them,
        kept so that their ids stay their own. Where PyTorch runs several ops for one,
        below autograd, the results between require no gradient and follow all the same.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.turns = TurnsOfLoops()
        self.roots: dict[int, Any] = {}
        self.inner: dict[int, Any] = {}

    def input(self, tensor: Any) -> None:
        """A tensor that is differentiated."""
        self.roots[id(tensor)] = tensor

    def follows(self, tensor: Any) -> bool:
        """Whether autograd differentiates through a tensor, outside of a `Function`.

        A leaf that requires a gradient and is no input is the function's own.
        """
        if not tensor.requires_grad:
            return id(tensor) in self.inner
        return not tensor.is_leaf or id(tensor) in self.roots

    def note_results(self, func: Any, result: Any) -> None:
        """Note the results of an op that follows a tensor."""
        if func.name() not in STOPS:
            for x in result if isinstance(result, tuple | list) else (result,):
                if isinstance(x, torch.Tensor):
                    self.inner[id(x)] = x

    def stop_in_place(self, tensor: Any) -> None:
        """A tensor of the user stands still from now on."""
        self.inner.pop(id(tensor), None)

    @abstractmethod
    def read(self, name: str, tensor: Any, value: Any) -> Any:
        """What the user gets for a value that was read, outside of any `Function`."""

    @abstractmethod
    def handed_over(self, tensor: Any) -> Any:
        """What a `Function` gets for a floating argument without a gradient."""


def applied_class(frame: FrameType) -> Any:
    """The `Function` that a frame applies; None if it applies none."""
    if frame.f_code is not _APPLY:
        return None
    found = frame.f_locals.get("cls")
    return None if getattr(found, "__name__", "") in TRANSPARENT else found


def is_in_function() -> bool:
    """Whether the forward of a `Function` is running."""
    return _application() is not None


def _application() -> FrameType | None:
    """The frame that applies the innermost `Function` whose forward is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != CALLER:
        if frame.f_code is _APPLY and applied_class(frame) is not None:
            return frame
        frame = frame.f_back
    return None


class _Reads(TorchFunctionMode):
    """Tells a watch of the reads that run while it is active."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run what was called; a read outside of any `Function` is told."""
        value = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name in STOPS_IN_PLACE:
            self.watch.stop_in_place(args[0])
        if name not in DECISIONS:
            return value
        if is_in_function():
            return self.watch.turns.read(value)
        if name not in READS:
            return value
        tensor = args[0]
        is_number = tensor.is_floating_point() or tensor.is_complex()
        return self.watch.read(name, tensor, value) if is_number else value


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Run under a watch, and tell it of reads and of arguments of a `Function`.

    `Function.apply` passes its arguments through one function of PyTorch, wherever the
    user keeps the bound method; while this lasts, that function is ours.
    """
    before = _functorch.unwrap_dead_wrappers

    def handed(args: tuple[Any, ...]) -> tuple[Any, ...]:
        args = before(args)
        if not torch.is_grad_enabled():
            return args
        return tuple(watch.handed_over(x) if _stands_still(x) else x for x in args)

    _functorch.unwrap_dead_wrappers = handed
    try:
        with watch, _Reads(watch):
            yield
    finally:
        _functorch.unwrap_dead_wrappers = before


def _stands_still(x: Any) -> bool:
    return (
        isinstance(x, torch.Tensor)
        and not x.requires_grad
        and (x.is_floating_point() or x.is_complex())
    )
