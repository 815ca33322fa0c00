"""Conditions that a file decides itself: `y is None`, a flag, the name of a kind."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.bindings import AxisLength, Instance, Value
from gradverify.claims.computation.file_program import NotUnderstood

Read = Callable[[ast.expr], Value]
SOMETHING = (Symbol, Instance, dict, tuple, str, np.ndarray)


def truth_of(test: ast.expr, read: Read) -> bool | None:
    """Whether a condition holds; None where it depends on numbers that may move."""
    match test:
        case ast.Constant(value=bool(value)):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            found = truth_of(inner, read)
            return None if found is None else not found
        case ast.BoolOp(op=op, values=parts):
            return _joined(isinstance(op, ast.And), [truth_of(p, read) for p in parts])
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(left, op, right, read)
        case ast.Call(func=ast.Name(id="isinstance"), args=[one, kind]):
            return _is_of(one, kind, read)
        case ast.Name() | ast.Attribute() | ast.Subscript():
            value = _read(test, read)
            return value if isinstance(value, bool) else None
    return None


KINDS: Mapping[str, type] = {  # what stands for an array of NumPy is a node
    "list": tuple, "tuple": tuple, "dict": dict, "str": str, "ndarray": Symbol,
}  # fmt: skip


def _is_of(one: ast.expr, kind: ast.expr, read: Read) -> bool | None:
    """`isinstance(x, list)`, of a value that is known and a kind that we know."""
    wanted = KINDS.get(ast.unparse(kind).rpartition(".")[2])
    value = _read(one, read)
    if wanted is None or not isinstance(value, Symbol | dict | tuple | str):
        return None
    return isinstance(value, wanted)


def _joined(is_all: bool, parts: list[bool | None]) -> bool | None:
    if (not is_all) in parts:
        return not is_all
    return None if None in parts else is_all


def _compared(
    left: ast.expr, op: ast.cmpop, right: ast.expr, read: Read
) -> bool | None:
    """`x is None`, `kind == "relu"`, `t == 0` in a loop that is written out."""
    is_text = isinstance(right, ast.Constant) and isinstance(right.value, str)
    if isinstance(op, ast.Is | ast.IsNot) and not is_text:
        return _is_nothing(left, op, right, read)
    sides = _read(left, read), _read(right, read)
    if all(isinstance(s, str) for s in sides):
        found = TEXTS.get(type(op))
        return None if found is None else bool(found(*sides))
    if not all(_is_whole(s) for s in sides):
        return None
    compared = COMPARED.get(type(op))
    return None if compared is None else bool(compared(*sides))


TEXTS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Is: lambda a, b: a == b,  # Python keeps a written text once
    ast.IsNot: lambda a, b: a != b,
}
COMPARED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}


def _is_whole(value: Value) -> bool:
    """Whether it is a whole number that nobody moves: an index, the size of an axis."""
    is_number = isinstance(value, AxisLength) or hasattr(value, "denominator")
    return is_number and value.denominator == 1


def _is_nothing(
    left: ast.expr, op: ast.cmpop, right: ast.expr, read: Read
) -> bool | None:
    if not (isinstance(right, ast.Constant) and right.value is None):
        return None
    try:
        value = read(left)
    except NotUnderstood:
        return None
    if value is not None and not isinstance(value, SOMETHING):
        return None
    return (value is None) == isinstance(op, ast.Is)


def _read(tree: ast.expr, read: Read) -> Value:
    try:
        return read(tree)
    except NotUnderstood:
        return None
