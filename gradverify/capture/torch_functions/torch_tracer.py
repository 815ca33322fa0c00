"""A function of PyTorch, run on real tensors and written down op by op.

The tracer stands below autograd, where every op of the library arrives: those of plain
functions, of modules, of the forward of an `autograd.Function`, and of custom ops. It
sees views and writes in place by their storages, and what autograd does not
differentiate through by `requires_grad`. (`make_fx` was tried: it freezes what goes
through NumPy without a word, does not see which tensors share memory, and asks of a
`Function` that it be written in one of two styles.)
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch.utils._pytree import tree_map

from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.capture.absent import Absent
from gradverify.capture.captured import NotCaptured, SourceLine
from gradverify.capture.complex_parts import conjugated, of_real, parts_of, stretched
from gradverify.capture.moved_entries import reshaped
from gradverify.capture.torch_functions.constant_reads import (
    CALLER,
    STOPS,
    Watch,
    applied_class,
)
from gradverify.capture.torch_functions.storages import Storages, places
from gradverify.capture.torch_functions.torch_complex import (
    COMPLEX_ROWS,
    MAKERS,
    is_complex,
    makes_complex,
)
from gradverify.capture.torch_functions.torch_rows import Context, Missing, numpy_of
from gradverify.capture.torch_functions.torch_table import ROWS
from gradverify.capture.trace_notes import TraceNotes
from gradverify.capture.user_lines import is_users, line_at
from gradverify.graph import apply_op, input_leaf

FLOATS = {torch.float64: "float64", torch.float32: "float32"}
LIBRARY = str(Path(torch.__file__).parent)
LAYERS = str(Path(torch.nn.__file__).parent)


@dataclass(frozen=True)
class CallSite:
    """Where an op was called: the user's line, and the `Function` that it is in."""

    line: SourceLine | None
    function: str | None


class TorchTracer(Watch):  # type: ignore[no-untyped-call]
    """Writes down what is computed from some tensors while it is active."""

    def __init__(self, dtype: str) -> None:
        super().__init__()
        self.program = Program(dtype)
        self.storages = Storages()
        self.seen = TraceNotes()
        self.absent = Absent()
        self.inside: str | None = None  # a custom op
        self.taken_apart = 0
        self.stopped: dict[int, Symbol] = {}

    # ---- arguments

    def input(self, tensor: Any) -> None:
        """A tensor that is differentiated."""
        symbol = self.program.append(input_leaf(tuple(tensor.shape)))
        self.storages.bind(tensor, symbol)
        self.storages.made(tensor)
        super().input(tensor)

    def symbol(self, tensor: Any) -> Symbol | None:
        """The symbol of a tensor; None if it does not depend on any input."""
        cell = self.storages.cell(tensor)
        if cell is None:
            return None
        symbol = cell.read(tensor)
        if symbol is None:
            raise NotCaptured("a view shows memory that was never written")
        if tensor.is_conj():
            symbol = conjugated(symbol)
        return -symbol if tensor.is_neg() else symbol

    def read(self, name: str, tensor: Any, value: Any) -> Any:
        """A value that was read is a constant of the program."""
        if name not in ("item", "__float__") and self.storages.cell(tensor) is not None:
            self.seen.read()  # of a single number an op tells
        return value

    def handed_over(self, tensor: Any) -> Any:
        """An argument of a `Function` that stands still, as a copy of its own."""
        symbol = self.symbol(tensor)
        if symbol is None:
            return tensor
        return self._still(tensor, symbol)

    # ---- ops

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Run an op, and write it down if it has an operand that depends on inputs."""
        kwargs = kwargs or {}
        name = func.name().partition("::")[2]
        tensors = [*_tensors(args), *_tensors(tuple(kwargs.values()))]
        where = _place(self.inside, self.seen.authors)
        if func.namespace not in ("aten", "prims") and self._has(func):
            return self._custom(func, args, kwargs)
        if not any(self.storages.cell(t) is not None for t in tensors):
            return self._plain(func, args, kwargs)
        rows = ROWS
        if name in MAKERS or makes_complex(kwargs) or is_complex(args):
            rows = COMPLEX_ROWS
        row = rows.get(name)
        if row is None and kwargs.get("out") is None:
            row = rows.get(name.partition(".")[0])
        if row is None and func._schema.is_mutable:
            return self._in_place(func, name, args, kwargs, where)
        if row is None:
            return self._decomposed(func, name, args, kwargs, where)
        return self._by_row(row, func, name, args, kwargs, where)

    def _plain(self, func: Any, args: Any, kwargs: Any) -> Any:
        """An op of constants; random numbers are constants of the program."""
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.seen.remarks["random numbers are drawn with the same seed in every "
                              "run"] = None  # fmt: skip
        result = func(*args, **kwargs)
        for tensor in _tensors((result,)):
            if tensor.untyped_storage()._cdata not in {
                t.untyped_storage()._cdata for t in _tensors(args)
            }:
                self.storages.made(tensor)
        return result

    def _by_row(
        self, row: Any, func: Any, name: str, args: Any, kwargs: Any, where: CallSite
    ) -> Any:
        before = len(self.program.nodes)
        read = self._unheld if func.name() in STOPS else self._reader(where)
        operands = _mapped(read, args)
        options = {k: _mapped(read, v) for k, v in kwargs.items()}
        result = func(*args, **kwargs)
        if torch.is_grad_enabled() and any(
            self.follows(t) for t in (*_tensors(args), *_tensors(kwargs.values()))
        ):
            self.note_results(func, result)
        context = Context(
            name, func, args, kwargs, result, self.program, self.seen, self.absent,
            where.function is not None, self,
        )  # fmt: skip
        try:
            found = row(context, *operands, **options)
        except Missing as missing:
            raise self._refusal(str(missing), where) from None
        except ValueError as error:
            raise self._refusal(f"{name}: {error}", where) from None
        self._bind(result, found)
        self._sign(before, where)
        return result

    def _bind(self, result: Any, found: Any) -> None:
        tensors = result if isinstance(result, tuple | list) else (result,)
        symbols = found if isinstance(found, tuple | list) else (found,)
        for tensor, symbol in zip(tensors, symbols, strict=False):
            if isinstance(tensor, torch.Tensor):
                self.storages.made(tensor)
                is_plain = not (tensor.is_conj() or tensor.is_neg())  # else a view
                if isinstance(symbol, Symbol) and is_plain:
                    self.storages.bind(tensor, symbol)

    def _sign(self, before: int, where: CallSite) -> None:
        """The user's line at all nodes that an op has made."""
        if where.line is not None:
            for i in range(before, len(self.program.nodes)):
                self.seen.lines.setdefault(i, where.line)

    # ---- operands

    def _reader(self, where: CallSite) -> Callable[[Any], Any]:
        def read(tensor: Any) -> Any:
            return self._operand(tensor, where)

        return read

    def _unheld(self, tensor: Any) -> Any:
        """The symbol of what `detach` is given: what it returns may follow again.

        Autograd keeps a result by two of them, and gives the second one its history.
        """
        symbol = self.symbol(tensor)
        return numpy_of(tensor) if symbol is None else symbol

    def _operand(self, tensor: Any, where: CallSite) -> Any:
        """The symbol of an operand, or its values."""
        symbol = self.symbol(tensor)
        if symbol is None:
            return numpy_of(tensor)
        return self._held(tensor, symbol) if self._stops(tensor, where) else symbol

    def output(self, tensor: Any, symbol: Symbol) -> Symbol:
        """The symbol of an output; one that requires no gradient stands still."""
        return symbol if tensor.requires_grad else self._held(tensor, symbol)

    def _stops(self, tensor: Any, where: CallSite) -> bool:
        """Whether autograd sees a constant here: after `detach`, `no_grad`, `.data`.

        Within a `Function` nothing stops, because its author says what the derivative
        is.
        """
        if where.function is not None or self.taken_apart:
            return False
        if not torch.is_grad_enabled():
            return False
        is_number = tensor.is_floating_point() or tensor.is_complex()
        return bool(is_number and not self.follows(tensor))

    def _held(self, tensor: Any, symbol: Symbol) -> Symbol:
        """A node that the library does not differentiate through."""
        if symbol.index in self.seen.held:
            return symbol
        if symbol.index not in self.stopped:
            nodes = self.program.nodes
            node = apply_op(nodes, "reshape", [symbol.index], shape=symbol.shape)
            held = self.stopped[symbol.index] = self.program.append(node)
            self.seen.held[held.index] = np.array(numpy_of(tensor))
            self.absent.same(symbol, held)
        self.seen.remarks[STOPPED] = None
        return self.stopped[symbol.index]

    # ---- ops that write

    def _in_place(
        self, func: Any, name: str, args: Any, kwargs: Any, where: CallSite
    ) -> Any:
        """An op that writes, as the op that does not, and a write."""
        targets = [*_written(func, args, kwargs)]
        base, _, overload = name.partition(".")
        pure_name = base.removesuffix("_")
        if len(targets) != 1:
            raise self._refusal(f"{func} writes to {len(targets)} tensors", where)
        (target,) = targets
        self._own(target)
        before = len(self.program.nodes)
        if pure_name in WRITES:
            new = self._written_by(pure_name, func, target, args, where)
            result = func(*args, **kwargs)
        else:
            pure = _pure(pure_name, overload, func)
            if pure is None:
                raise self._refusal(f"there is no row for {func.name()}", where)
            options = {k: v for k, v in kwargs.items() if k != "out"}
            with torch.no_grad():
                copied = self.__torch_dispatch__(pure, (), args, options)
            new = self._unheld(copied)
            result = func(*args, **kwargs)
        cell = self.storages.cell(target)
        assert cell is not None
        if isinstance(new, Symbol):
            new = self._cast(new, target)
        else:
            new = self.program.lift(np.asarray(new, float))
        if target.is_complex():
            new = stretched(self._parts(new, args), tuple(target.shape))
        elif new.shape != tuple(target.shape):
            shape = tuple(target.shape)
            new = self.program.apply("broadcast_to", new, shape=shape)
        cell.write(target, new)
        self._sign(before, where)
        return result

    def _parts(self, new: Symbol, args: Any) -> Symbol:
        """What is written into complex numbers, which may be real ones."""
        source = args[1] if len(args) > 1 else args[0]
        is_real = isinstance(source, torch.Tensor) and not source.is_complex()
        same = isinstance(source, torch.Tensor) and new.shape == tuple(source.shape)
        return of_real(new) if is_real and same else new

    def _cast(self, symbol: Symbol, target: Any) -> Symbol:
        if target.dtype not in FLOATS and not target.is_complex():
            raise NotCaptured(f"a number is written into a tensor of {target.dtype}")
        return symbol

    def _own(self, target: Any) -> None:
        """Make a cell of a tensor that held constants until now."""
        if self.storages.cell(target) is not None:
            return
        whole = torch.empty(0, dtype=target.dtype).set_(target.untyped_storage())
        if target.dtype not in FLOATS and not target.is_complex():
            raise NotCaptured(f"a number is written into a tensor of {target.dtype}")
        data = self.program.lift(np.array(numpy_of(whole), float))
        self.storages.bind(whole, data)

    def _written_by(
        self, name: str, func: Any, target: Any, args: Any, where: CallSite
    ) -> Any:
        if name == "zero":
            return np.zeros(places(target).shape)
        value = args[1]
        if isinstance(value, torch.Tensor):
            return self._operand(value, where)
        filled = np.full(tuple(target.shape), value)
        return parts_of(filled) if target.is_complex() else filled.astype(float)

    # ---- ops without a row

    def _decomposed(
        self, func: Any, name: str, args: Any, kwargs: Any, where: CallSite
    ) -> Any:
        """An op without a row, by the ops that the library says it is made of."""
        decomposition = _decompositions().get(func)
        if decomposition is None and _is_composite(func):
            decomposition = func.decompose
        if decomposition is None:
            raise self._refusal(f"there is no row for {func.name()}", where)
        stopped = self._stopper(where)
        args, kwargs = tree_map(stopped, args), tree_map(stopped, kwargs)
        self.taken_apart += 1  # autograd sees the op as a whole
        try:
            with self:
                result = decomposition(*args, **kwargs)
        finally:
            self.taken_apart -= 1
        if result is NotImplemented:
            raise self._refusal(f"there is no row for {func.name()}", where)
        return result

    def _stopper(self, where: CallSite) -> Callable[[Any], Any]:
        """What an operand that stands still is handed over as: a copy of its own."""

        def stopped(x: Any) -> Any:
            symbol = self.symbol(x) if isinstance(x, torch.Tensor) else None
            if symbol is None or not self._stops(x, where):
                return x
            return self._still(x, symbol)

        return stopped

    def _still(self, tensor: Any, symbol: Symbol) -> Any:
        """A copy of a tensor that is held constant."""
        copied = tensor.detach().clone()
        self.storages.bind(copied, self._held(tensor, symbol))
        return copied

    def _has(self, func: Any) -> bool:
        return bool(func.has_kernel_for_dispatch_key(torch._C.DispatchKey.CPU) or (
            func.has_kernel_for_dispatch_key(
                torch._C.DispatchKey.CompositeExplicitAutograd)))  # fmt: skip

    def _custom(self, func: Any, args: Any, kwargs: Any) -> Any:
        """A custom op: what its implementation in Python runs."""
        key = torch._C.DispatchKey.CPU
        if not func.has_kernel_for_dispatch_key(key):
            key = torch._C.DispatchKey.CompositeExplicitAutograd
        before, self.inside = self.inside, func.name()
        self.seen.functions[func.name()] = None
        try:
            with self:
                return func._op_dk(key, *args, **kwargs)
        finally:
            self.inside = before

    def _refusal(self, reason: str, where: CallSite) -> NotCaptured:
        at = f", at {where.line}" if where.line is not None else ""
        return NotCaptured(f"{reason}{at}")


STOPPED = (
    "the function stops gradients (detach, no_grad); what it stops is held constant"
)
WRITES = ("copy", "fill", "zero")


def _tensors(args: Any) -> Iterator[Any]:
    for value in args:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


def _mapped(read: Callable[[Any], Any], value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return read(value)
    if isinstance(value, list | tuple):
        return type(value)(_mapped(read, v) for v in value)
    return value


def _written(func: Any, args: Any, kwargs: Mapping[str, Any]) -> Iterator[Any]:
    """The tensors that an op writes to, by its schema."""
    for k, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[k] if k < len(args) else kwargs.get(argument.name)
            yield from _tensors((value,))


@cache
def _decompositions() -> Mapping[Any, Any]:
    from torch._decomp import core_aten_decompositions, decomposition_table

    return {**decomposition_table, **core_aten_decompositions()}


def _is_composite(func: Any) -> bool:
    key = torch._C.DispatchKey.CompositeImplicitAutograd
    return bool(func.has_kernel_for_dispatch_key(key))


def _pure(name: str, overload: str, func: Any) -> Any:
    """The op that does the same without writing; after `out=`, that of its operands."""
    packet = getattr(torch.ops.aten, name, None)
    if packet is None:
        return None
    wanted = overload if overload not in ("", "out") else "default"
    names = [n for n in packet.overloads() if _has_tensor(getattr(packet, n))]
    if wanted in names and not getattr(packet, wanted)._schema.is_mutable:
        return getattr(packet, wanted)
    operands = _operands(func)
    alike = (getattr(packet, n) for n in names)
    return next(
        (f for f in alike if not f._schema.is_mutable and _operands(f) == operands),
        None,
    )


def _has_tensor(func: Any) -> bool:
    """Whether it is an op of tensors; some packets hold those of numbers as well."""
    return any("Tensor" in kind for _, kind in _operands(func))


def _operands(func: Any) -> list[tuple[str, str]]:
    """The names and types of what an op reads."""
    arguments = func._schema.arguments
    return [(a.name, str(a.type)) for a in arguments if not a.is_out]


def _place(inside: str | None, authors: dict[str, SourceLine]) -> CallSite:
    """The user's line that is running, and the `Function` whose forward it is in."""
    line: SourceLine | None = None
    function = inside
    library: SourceLine | None = None
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code.co_filename == CALLER:
            break
        if function is None and (cls := applied_class(frame)) is not None:
            function = cls.__name__
            if function not in authors:
                back = getattr(getattr(cls, "backward", None), "__code__", None)
                if back is not None:
                    authors[function] = SourceLine(
                        back.co_filename, back.co_firstlineno
                    )
        if line is None and is_users(code.co_filename, LIBRARY):
            line = line_at(code.co_filename, frame.f_lineno)
        if library is None and code.co_filename.startswith(LAYERS):
            library = line_at(code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return CallSite(line or library, function)


def outputs_of(tracer: TorchTracer, tensors: Sequence[Any]) -> list[Symbol]:
    """The symbols of the outputs; one that is constant or held is data."""
    found = []
    for tensor in tensors:
        symbol = tracer.symbol(tensor)
        if symbol is None:
            symbol = tracer.program.lift(numpy_of(tensor).astype(float))
            symbol = reshaped(symbol, tuple(tensor.shape))
        else:
            symbol = tracer.output(tensor, symbol)
        found.append(symbol)
    return found


def gradient_of(tracer: TorchTracer, leaf: Any, gradient: Any) -> Symbol:
    """The symbol of a derivative; zeros where there is none, or data."""
    if gradient is None:
        return tracer.program.lift(np.zeros(tuple(leaf.shape)))
    symbol = tracer.symbol(gradient)
    if symbol is None:
        return tracer.program.lift(numpy_of(gradient).astype(float))
    return symbol
