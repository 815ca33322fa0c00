"""Conditions on an op's operands, such as `x > 20` or `n < 0 and x == 0`; and formulas.

They are read by a whitelist and never executed; over arrays a condition holds where any
element fulfils it, unless it says `all(...)`.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradverify.expressions import Expression, parse
from gradverify.ops import OPS
from gradverify.ops.shapes import celu, clip, elementwise, power

# fmt: off
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}

ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply,
    ast.Div: np.true_divide,
}

LOGIC: Mapping[type[ast.boolop], Callable[[Any, Any], Any]] = {
    ast.And: np.logical_and, ast.Or: np.logical_or,
}

FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "any": np.any, "all": np.all, "abs": np.abs, "min": np.min, "max": np.max,
    "size": np.size, "ndim": np.ndim,
}
# fmt: on

NAMES: Mapping[int, tuple[str, ...]] = {
    1: ("x",),
    2: ("a", "b"),
    3: ("mask", "a", "b"),
}
"""What the operands of an op are called, by their number."""

COTANGENT = "ct"

ELEMENTWISE = (elementwise, power, clip, celu)
"""The shape rules of ops whose elements do not meet."""

VALUE = "value"
"""What the result of an op is called beside its operands."""

LAYER = ("x", "w", "b")
"""Those of a network layer: weights and bias."""

SYNTAX = (
    "names, numbers, + - * /, comparisons, and, or, not, and "
    f"{', '.join(FUNCTIONS)} of one thing"
)


def operands_of(op: str) -> tuple[str, ...]:
    """What the operands of an op are called, in their order."""
    row = OPS[op]
    return LAYER if row.arity == 3 and not row.masks else NAMES[row.arity]


def is_elementwise(op: str) -> bool:
    """Whether an element of the result depends on one of each operand alone."""
    return OPS[op].shape in ELEMENTWISE


def operand_names(op: str) -> tuple[str, ...]:
    """What the operands and params of an op are called in a condition.

    And the cotangent that reaches it, where a product with that underflows.
    """
    row = OPS[op]
    return (*operands_of(op), *row.params, COTANGENT)


@dataclass(frozen=True)
class Formula:
    """A number for each element of an op's operands, by an expression that was read
    and checked.

    Raises `ExpressionError` (a `ValueError`) that names what is not understood, its
    column, and what is allowed.
    """

    op: str
    text: str

    def __post_init__(self) -> None:
        _check(self._expression, self._expression.tree, operand_names(self.op))

    @cached_property
    def _expression(self) -> Expression:
        return parse(self.text)

    def value(self, operands: Sequence[Any], params: Mapping[str, Any]) -> Any:
        """The expression at these operands.

        Raises `ValueError` or `TypeError` if shapes do not fit each other.
        """
        values = dict(zip(operands_of(self.op), operands, strict=True))
        # A param that is left out compares with nothing, as None does.
        absent = dict.fromkeys(OPS[self.op].params) | {COTANGENT: 1.0}
        scope = absent | dict(params) | values
        arrays = {k: np.asarray(() if x is None else x) for k, x in scope.items()}
        with np.errstate(all="ignore"):
            return _value(self._expression.tree, arrays)


@dataclass(frozen=True)
class Condition:
    """A condition that was read and checked; empty text holds always.

    Raises what `Formula` raises.
    """

    op: str
    text: str

    def __post_init__(self) -> None:
        _ = self._formula

    @cached_property
    def _formula(self) -> Formula | None:
        return Formula(self.op, self.text) if self.text.strip() else None

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


def _check(expression: Expression, node: ast.expr, names: tuple[str, ...]) -> None:
    """Refuse everything that is not on the list."""
    match node:
        case ast.Constant(value=bool()):
            return
        case ast.Constant():
            expression.number(node)
        case ast.Name(id=name):
            if name not in names:
                problem = f"{name} is no operand or param of the op"
                expression.refuse(node, problem, ", ".join(names))
        case ast.Compare() if all(type(op) in COMPARISONS for op in node.ops):
            _check_all(expression, [node.left, *node.comparators], names)
        case ast.BoolOp():
            _check_all(expression, node.values, names)
        case ast.BinOp(op=op) if type(op) in ARITHMETIC:
            _check_all(expression, [node.left, node.right], names)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            _check(expression, node.operand, names)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if (
            name in FUNCTIONS
        ):
            _check(expression, argument, names)
        case _:
            problem = f"{expression.source(node)} is not understood"
            expression.refuse(node, problem, SYNTAX)


def _check_all(
    expression: Expression, nodes: Sequence[ast.expr], names: tuple[str, ...]
) -> None:
    for node in nodes:
        _check(expression, node, names)


def _value(node: ast.expr, scope: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return np.asarray(value)
        case ast.Name(id=name):
            return scope[name]
        case ast.Compare():
            return _compared(node, scope)
        case ast.BoolOp(op=logic, values=values):
            result = _value(values[0], scope)
            for other in values[1:]:
                result = LOGIC[type(logic)](result, _value(other, scope))
            return result
        case ast.BinOp(op=arithmetic):
            left, right = _value(node.left, scope), _value(node.right, scope)
            return ARITHMETIC[type(arithmetic)](left, right)
        case ast.UnaryOp(op=ast.Not()):
            return np.logical_not(_value(node.operand, scope))
        case ast.UnaryOp():
            return np.negative(_value(node.operand, scope))
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return FUNCTIONS[name](_value(argument, scope))
    raise AssertionError(f"{type(node).__name__} passed the check")


def _compared(node: ast.Compare, scope: Mapping[str, Any]) -> Any:
    values = [_value(x, scope) for x in (node.left, *node.comparators)]
    result: Any = True
    for op, a, b in zip(node.ops, values, values[1:], strict=False):
        result = np.logical_and(result, COMPARISONS[type(op)](a, b))
    return result
