"""Lists and tables that code goes through: `enumerate`, `zip`, `reversed`, `items`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.claims.computation.bindings import AxisLength, Value
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood


def enumerated(program: FileProgram, x: Value, start: Value = Fraction(0)) -> Value:
    """`enumerate(x)`: pairs of a place and an entry."""
    del program
    first = AxisLength(start)
    return tuple(
        (AxisLength(k + first), v) for k, v in enumerate(_entries(x, "enumerate"))
    )


def zipped(program: FileProgram, *several: Value) -> Value:
    """`zip(a, b)`."""
    del program
    return tuple(zip(*(_entries(x, "zip") for x in several), strict=False))


def backwards(program: FileProgram, x: Value) -> Value:
    """`reversed(x)`."""
    del program
    return tuple(_entries(x, "reversed"))[::-1]


def listed(program: FileProgram, x: Value = ()) -> Value:
    """`list(x)` and `tuple(x)`."""
    del program
    return tuple(_entries(x, "list"))


def _entries(x: Value, what: str) -> tuple[Value, ...]:
    if isinstance(x, dict):
        return tuple(x)
    if isinstance(x, np.ndarray) and x.ndim == 1:
        return tuple(x)
    if not isinstance(x, tuple):
        raise NotUnderstood(f"{what} goes through a list that is not read")
    return x


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
