"""Conditions on an op's operands, such as `x > 20` or `n < 0 and x == 0`; and formulas.

Either is read once, over a whitelist, and becomes a function of the operands. Over
arrays a condition holds where any element fulfils it, unless it says `all(...)`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, ClassVar, NoReturn

import numpy as np

from gradverify.expressions import Expression, Reader, SyntaxRows, parse
from gradverify.ops import OPS

Test = Callable[[Mapping[str, Any]], Any]
"""What a part of a condition becomes: a function of the arrays that names stand for."""

# fmt: off
OPERATORS: SyntaxRows = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply,
    ast.Div: np.true_divide, ast.USub: np.negative,
    ast.And: lambda *parts: reduce(np.logical_and, parts),
    ast.Or: lambda *parts: reduce(np.logical_or, parts),
    ast.Not: np.logical_not,
}


def _sizes(x: Any) -> Any:
    """The singular values of every matrix, the largest first; 1 of what is none."""
    x = np.asarray(x, np.float64)
    if x.ndim < 2 or not x.size or not np.isfinite(x).all():
        return np.ones(1)
    return np.linalg.svd(x, compute_uv=False)


def rcond(x: Any) -> Any:
    """The smallest singular value over the largest; 0 for a matrix of zeros."""
    sizes = _sizes(x)
    return sizes[..., -1] / np.where(sizes[..., 0] == 0, 1.0, sizes[..., 0])


def gap(x: Any) -> Any:
    """How near two singular values are, as a part of the largest; 1 if there is one."""
    sizes = _sizes(x)
    if sizes.shape[-1] < 2:
        return np.ones(1)
    apart = -np.diff(sizes, axis=-1).max(axis=-1)
    return apart / np.where(sizes[..., 0] == 0, 1.0, sizes[..., 0])


def symmetric(x: Any) -> Any:
    """The symmetric part of every square matrix; what is none, as it is."""
    x = np.asarray(x, np.float64)
    is_square = x.ndim > 1 and x.shape[-1] == x.shape[-2]
    return x / 2 + np.swapaxes(x, -1, -2) / 2 if is_square else x


def rows(x: Any) -> Any:
    """The number of rows of a matrix."""
    return np.shape(x)[-2] if np.ndim(x) > 1 else 0


def columns(x: Any) -> Any:
    """The number of columns of a matrix."""
    return np.shape(x)[-1] if np.ndim(x) > 1 else 0


FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "any": np.any, "all": np.all, "abs": np.abs, "min": np.min, "max": np.max,
    "size": np.size, "ndim": np.ndim, "rcond": rcond, "gap": gap, "rows": rows,
    "columns": columns, "symmetric": symmetric,
}
# fmt: on

NAMES: Mapping[int, tuple[str, ...]] = {
    1: ("x",),
    2: ("a", "b"),
    3: ("mask", "a", "b"),
    4: ("x", "y", "w", "b"),
    6: ("x", "h", "w", "u", "b", "d"),
    7: ("x", "y", "z", "w", "b", "u", "d"),
}
"""What the operands of an op are called, by their number."""

OF_OP: Mapping[str, tuple[str, ...]] = {
    "lstm_cell": ("x", "h", "c", "w", "u", "b", "d"),
}
"""Where operands are called otherwise than those of most ops of that number."""

COTANGENT = "ct"

VALUE = "value"
"""What the result of an op is called beside its operands."""

LAYER = ("x", "w", "b")
"""Those of a network layer: weights and bias."""

SYNTAX = (
    "names, numbers, texts beside == and !=, + - * /, comparisons, and, or, not, and "
    f"{', '.join(FUNCTIONS)} of one thing"
)


def operands_of(op: str) -> tuple[str, ...]:
    """What the operands of an op are called, in their order."""
    if op in OF_OP:
        return OF_OP[op]
    row = OPS[op]
    return LAYER if row.arity == 3 and not row.masks else NAMES[row.arity]


def operand_names(op: str) -> tuple[str, ...]:
    """What the operands and params of an op are called in a condition.

    And the cotangent that reaches it, where a product with that underflows.
    """
    row = OPS[op]
    return (*operands_of(op), *row.params, COTANGENT)


@dataclass(frozen=True)
class OperandFormula:
    """A number for each element of an op's operands, by an expression that was read.

    Raises `ExpressionError` (a `ValueError`) that names what is not understood, its
    column, and what is allowed.
    """

    op: str
    text: str

    def __post_init__(self) -> None:
        _ = self._function  # an error shows where the formula is stated

    @cached_property
    def _function(self) -> Test:
        expression = parse(self.text)
        reader = _ConditionReader(expression, operand_names(self.op))
        function: Test = reader.read(expression.tree)
        if isinstance(function, _Text):
            reader.unread(expression.tree)
        return function

    def value(self, operands: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """The formula at these operands.

        Raises `ValueError` or `TypeError` if shapes do not fit each other.
        """
        values = dict(zip(operands_of(self.op), operands, strict=True))
        # A param that is left out compares with nothing, as None does.
        absent = dict.fromkeys(OPS[self.op].params) | {COTANGENT: 1.0}
        scope = absent | dict(params) | values
        arrays = {k: np.asarray(() if x is None else x) for k, x in scope.items()}
        with np.errstate(all="ignore"):
            return self._function(arrays)


@dataclass(frozen=True)
class Condition:
    """A condition that was read and checked; empty text holds always.

    Raises what `OperandFormula` raises.
    """

    op: str
    text: str

    def __post_init__(self) -> None:
        _ = self._formula  # an error shows where the condition is stated

    @cached_property
    def _formula(self) -> OperandFormula | None:
        return OperandFormula(self.op, self.text) if self.text.strip() else None

    def holds(self, operands: Sequence[Any], params: Mapping[str, Any]) -> bool:
        """Whether any element of the operands fulfils the condition.

        Shapes that do not fit each other fulfil none.
        """
        if self._formula is None:
            return True
        try:
            return bool(np.any(self._formula.value(operands, params)))
        except (ValueError, TypeError):
            return False


@dataclass(frozen=True)
class _Text:
    """A text, such as the name of a form. It is equal to a param, or it is not."""

    value: str

    def __call__(self, arrays: Mapping[str, Any]) -> Any:
        return np.asarray(self.value)


ALIKE = (operator.eq, operator.ne)


def _applied(function: Callable[..., Any]) -> Callable[..., Test]:
    def rule(reader: _ConditionReader, node: ast.expr, *operands: Test) -> Test:
        for operand in operands:
            if isinstance(operand, _Text) and function not in ALIKE:
                problem = f"{operand.value!r} is no number"
                reader.expression.refuse(node, problem, SYNTAX)
        return lambda arrays: function(*[operand(arrays) for operand in operands])

    return rule


class _ConditionReader(Reader):
    """Makes a function of the text of a condition."""

    def __init__(self, expression: Expression, names: tuple[str, ...]) -> None:
        self.expression, self.names = expression, names

    def unread(self, node: ast.expr) -> NoReturn:
        """Raise the error about a node that conditions do not have."""
        problem = f"{self.expression.source(node)} is not understood"
        self.expression.refuse(node, problem, SYNTAX)

    def constant(self, node: ast.Constant) -> Test:
        """True, False, a number, or a text that a param is compared with."""
        if isinstance(node.value, str):
            return _Text(node.value)
        is_flag = isinstance(node.value, bool)
        value = np.asarray(node.value if is_flag else self.expression.number(node))
        return lambda arrays: value

    def name(self, node: ast.Name) -> Test:
        """An operand, a param, or the cotangent."""
        if node.id not in self.names:
            problem = f"{node.id} is no operand or param of the op"
            self.expression.refuse(node, problem, ", ".join(self.names))
        return operator.itemgetter(node.id)

    def call(self, node: ast.Call) -> Test:
        """A function of one thing."""
        match node:
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
                name in FUNCTIONS
            ):
                return _applied(FUNCTIONS[name])(self, node, self.read(argument))
        self.unread(node)

    rows: ClassVar[SyntaxRows] = {
        ast.Constant: constant,
        ast.Name: name,
        ast.Call: call,
        **{kind: _applied(function) for kind, function in OPERATORS.items()},
    }
