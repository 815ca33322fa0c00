"""What a tester must know about an op: the columns of the op table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]


def everywhere(*operands: Any, **params: Any) -> bool:
    """The domain of an op that is defined at every finite value."""
    del operands, params
    return True


@dataclass(frozen=True)
class Kink:
    """Where an op has two slopes: `margin` changes sign and `branches` swap there.

    Both are written over an arithmetic `m`. The op equals `branches[0]` where the
    margin is positive and `branches[1]` where it is negative.
    """

    margin: Callable[..., Any]
    branches: Callable[..., tuple[Any, Any]]


@dataclass(frozen=True)
class Op:
    """One row of the op table.

    shape: operand shapes and params to the result's shape; `ValueError` where the
        shapes or the params are not legal.
    domain: operand values (NumPy arrays) and params to truth: is every element
        inside the *open* set where the op is smooth or has a kink?
    expansion: the op over primitives, in its stable form, over an arithmetic `m`;
        None makes the op a primitive, which every arithmetic and the rules must know.
    derivative_error: for a derivative d usually computed from the rounded output y
        (1 - y*y for tanh): d and y to the absolute error of that formula, in units
        of the unit roundoff.
    operator: the Python operator that spells the op; only such ops meet literals.
    masks: positions of operands that are Boolean data, never differentiated.
    internal: used by expansions and gradient programs alone, never drawn or judged.
    """

    name: str
    arity: int
    shape: Callable[..., Shape]
    params: tuple[str, ...] = ()
    domain: Callable[..., Any] = everywhere
    kink: Kink | None = None
    expansion: Callable[..., Any] | None = None
    derivative_error: Callable[[Any, Any], Any] | None = None
    operator: str | None = None
    masks: tuple[int, ...] = ()
    internal: bool = False

    @property
    def is_primitive(self) -> bool:
        """Whether arithmetics and rules must have a row for this op."""
        return self.expansion is None


@dataclass(frozen=True)
class Table:
    """The op table: rows by name, in the order in which they are listed."""

    rows: Mapping[str, Op] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Op:
        if name not in self.rows:
            known = ", ".join(sorted(n for n, r in self.rows.items() if not r.internal))
            raise ValueError(f"unknown op {name!r}; the ops are {known}")
        return self.rows[name]

    def __iter__(self) -> Any:
        return iter(self.rows.values())

    def public(self) -> tuple[str, ...]:
        """The names a differentiator's table must account for."""
        return tuple(row.name for row in self if not row.internal)

    def primitives(self) -> tuple[str, ...]:
        """The names an arithmetic must account for, internal ones included."""
        return tuple(row.name for row in self if row.is_primitive)
