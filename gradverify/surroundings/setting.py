"""A global setting: how it is read and set, and what it is to be."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Value = Any


@dataclass(frozen=True, eq=False)
class Setting:
    """One global setting of Python or of a library.

    library: the module that has it, which the functions get; "" for Python itself.
    ours: what our stages run under, given what the host has set.
    built_in: what a built-in differentiator of that library runs under.
    for_engines: an engine's call sees what the host has set; else it sees ours.
    in_calls: it is looked at around every call of an engine; else around a stage alone,
    since it costs more than a call may, or is meant to change.
    """

    name: str
    library: str
    read: Callable[[Any], Value]
    write: Callable[[Any, Value], object]
    ours: Callable[[Value], Value] = lambda host: host
    built_in: Value = None
    for_engines: bool = True
    in_calls: bool = True
    same: Callable[[Value, Value], bool] = operator.eq


def functions_of(
    *names: str,
) -> tuple[Callable[[Any], Value], Callable[[Any, Value], object]]:
    """The columns that read and set what stands under some names of a module."""
    read = operator.itemgetter(*names)
    return (
        lambda module: read(vars(module)),
        lambda module, found: vars(module).update(zip(names, found, strict=True)),
    )


def fixed(value: Value) -> Callable[[Value], Value]:
    """The column `ours` for a value that does not depend on the host's."""
    return lambda host: value


def never(one: Value, other: Value) -> bool:
    """The column `same` for states that take long to compare: they are put back."""
    return False
