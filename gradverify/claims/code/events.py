"""What statements do that claims may be about: they print, assign, and go on."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.bindings import Value


@dataclass(frozen=True, eq=False)
class Displayed:
    """Something that a statement prints: texts and values, in order."""

    cell: int
    line: int
    last_line: int
    parts: tuple[Value, ...]
    text: str
    is_print: bool


@dataclass(frozen=True, eq=False)
class Assigned:
    """A name that was given a value, in the names of that place.

    name: `dW` for `dW = …`, for `self.dW = …` and for `grads["W"] = …`; `x_grad` for
    `x.grad = …`. names: those of the scope, and what its objects and tables hold.
    scope: of a function that is followed, another one each time. is_update: whether the
    old value is changed, as by `+=` or by `dz[z <= 0] = 0`. added: what later
    statements add to it, where they are taken together with it.
    """

    cell: int
    line: int
    last_line: int
    name: str
    value: Value
    text: str
    names: Mapping[str, Value]
    tree: ast.expr
    depth: int = 0
    scope: int = 0
    is_update: bool = False
    added: tuple[ast.expr, ...] = ()


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What every name stands for after the statement that ends in a line."""

    cell: int
    line: int
    names: Mapping[str, Value]
    backwards: tuple[Symbol, ...] = ()
    depth: int = 0
