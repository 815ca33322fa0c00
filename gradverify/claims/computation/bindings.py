"""What a name in a file may stand for, and how values meet an op."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.file_program import FileProgram, Leaf, NotUnderstood


@dataclass(frozen=True)
class Unknown:
    """A value that is not understood, and why; `open` where it is only not stated."""

    reason: str


NOT_CHOSEN = "it is not chosen yet what this operand is: "  # why, in a search


@dataclass(frozen=True)
class Open:
    """An array whose shape is known and whose numbers the file leaves to chance."""

    shape: tuple[int, ...]
    reason: str


class AxisLength(Fraction):
    """How many entries an axis has: `m = X.shape[0]` is no number that is moved."""


class Counted(Fraction):
    """A whole number that stays one under a name: `x.ndim`, the t of a loop."""


@dataclass(frozen=True, eq=False)
class Function:
    """A function that can be read: a `def` or a `lambda`, and what it is bound to."""

    name: str
    parameters: ast.arguments
    body: tuple[ast.stmt, ...]
    bound: Any = None
    cell: int = 0
    line: int = 0


@dataclass(eq=False)
class Instance:
    """An object of a class that can be read, such as an `nn.Module`."""

    kind: ast.ClassDef | None
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class StandIn(Instance):
    """An object of ours, in place of one that the file is given from elsewhere.

    supposed: its methods whose results are what such an object is supposed to give.
    """

    supposed: frozenset[str] = frozenset()

    def anew(self) -> StandIn:
        """Another one, which nothing was kept in yet."""
        return StandIn(self.kind, {}, self.supposed)


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer of a library: its name in the table of ops, weights and keywords."""

    op: str
    weights: Mapping[str, Any] = field(default_factory=dict)
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class GradientOf:
    """What `grad(f)` returns: the derivative by one argument."""

    function: Any
    argument: int = 0


Value = Any  # Symbol, Fraction, an object array of Fractions, tuple, str, or the above


def known(value: Value) -> Value:
    """The value, or the error that says why it is not understood."""
    if isinstance(value, Unknown):
        raise NotUnderstood(value.reason)
    return value


def symbol(program: FileProgram, value: Value) -> Symbol:
    """The node of a value; numbers without a name become constants."""
    value = known(value)
    if isinstance(value, Symbol):
        return value
    if isinstance(value, bool):
        value = Fraction(int(value))
    if isinstance(value, Fraction):
        return program.constant(value)
    if isinstance(value, Open):
        return program.leaf(Leaf(value.shape, reason=value.reason))
    array = numbers(value)
    if array is not None:
        return program.number(array, is_constant=True)
    if isinstance(value, tuple) and value:
        return _stacked(program, [symbol(program, v) for v in value])
    raise NotUnderstood(f"a {type(value).__name__.lower()} stands where a number is")


def _stacked(program: FileProgram, parts: list[Symbol]) -> Symbol:
    wide = [program.apply("reshape", p, shape=(1, *p.shape)) for p in parts]
    result = wide[0]
    for part in wide[1:]:
        result = program.apply("concatenate", result, part, axis=(-len(part.shape),))
    return result


def numbers(value: Value) -> Any:
    """Nested lists of numbers as an object array of fractions; else None."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Fraction):
        return np.asarray(value, dtype=object)
    if not isinstance(value, tuple):
        return None
    rows = [numbers(v) for v in value]
    if any(r is None for r in rows) or len({r.shape for r in rows}) > 1:
        return None
    inner = rows[0].shape if rows else ()
    flat = [entry for row in rows for entry in row.flat]
    result = np.empty(len(flat), dtype=object)
    result[:] = flat
    return result.reshape(len(rows), *inner)


def named(program: FileProgram, name: str, value: Value) -> Value:
    """What a name stands for from now on: a number becomes a leaf of its own."""
    if isinstance(value, bool | str | Counted):
        return value
    if isinstance(value, AxisLength):
        return program.number(value, is_constant=True)
    if isinstance(value, Fraction | np.ndarray):
        return program.number(value)
    if isinstance(value, Open):
        reason = value.reason.replace("{name}", name)
        return program.leaf(Leaf(value.shape, reason=reason))
    if isinstance(value, Unknown):
        return Unknown(value.reason.replace("{name}", name))
    if isinstance(value, tuple) and any(map(_is_array, value)):
        # Each array of a list is one array, however often it is taken out.
        parts = enumerate(value)
        return tuple(
            named(program, f"{name}[{k}]", v) if _is_array(v) else v for k, v in parts
        )
    return value


def _is_array(value: Value) -> bool:
    return isinstance(value, Open) or (isinstance(value, np.ndarray) and value.ndim > 0)
