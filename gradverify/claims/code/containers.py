"""Lists and tables that code goes through: `enumerate`, `zip`, `reversed`, `items`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import UNROLLED
from gradverify.claims.code import array_functions as arrays
from gradverify.claims.computation.bindings import Counted, Value
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood


def enumerated(program: FileProgram, x: Value, start: Value = Fraction(0)) -> Value:
    """`enumerate(x)`: pairs of a place and an entry."""
    several = entries(program, x, "enumerate")
    return tuple((Counted(k + start), v) for k, v in enumerate(several))


def zipped(program: FileProgram, *several: Value) -> Value:
    """`zip(a, b)`."""
    return tuple(zip(*(entries(program, x, "zip") for x in several), strict=False))


def backwards(program: FileProgram, x: Value) -> Value:
    """`reversed(x)`."""
    return tuple(entries(program, x, "reversed"))[::-1]


def listed(program: FileProgram, x: Value = ()) -> Value:
    """`list(x)` and `tuple(x)`."""
    return tuple(entries(program, x, "list"))


def entries(program: FileProgram, x: Value, what: str) -> tuple[Value, ...]:
    """What a loop goes through: the entries of a list, the rows of an array."""
    if isinstance(x, dict):
        return tuple(x)
    if isinstance(x, np.ndarray) and x.ndim == 1:
        return tuple(x)
    if isinstance(x, Symbol) and x.shape and x.shape[0] <= UNROLLED:
        return tuple(row(program, x, at) for at in range(x.shape[0]))
    if not isinstance(x, tuple):
        raise NotUnderstood(f"{what} goes through a list that is not read")
    return x


def row(program: FileProgram, x: Symbol, at: int) -> Value:
    """One entry along the first axis; of labels, which nobody moves, a number."""
    leaf = program.leaves.get(x.index)
    if leaf is not None and leaf.is_constant and leaf.value is not None:
        found = leaf.value[at]
        if np.ndim(found) == 0 and found.denominator == 1:
            return Counted(found)
    return arrays.entry(program.apply, x, 0, at)


def entry_or(
    table: dict[str, Value], method: str, key: Value, default: Value = None
) -> Value:
    """`table.get(key, default)`, and `setdefault`, which keeps what it gives."""
    if not isinstance(key, str):
        raise NotUnderstood("a key that is no text is not read")
    return (
        table.get(key, default) if method == "get" else table.setdefault(key, default)
    )


def of_table(name: str, table: Mapping[str, Value]) -> Value:
    """`table.items()`, `.values()`, `.keys()`, `.copy()`; None for another method."""
    found = TABLE_METHODS.get(name)
    return None if found is None else found(table)


TABLE_METHODS: Mapping[str, Callable[[Any], Value]] = {
    "items": lambda table: tuple(table.items()),
    "values": lambda table: tuple(table.values()),
    "keys": tuple,
    "copy": dict,
}
