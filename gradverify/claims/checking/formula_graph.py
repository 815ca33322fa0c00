"""From a formula in Python syntax, and the shapes of its names, to a graph."""

from __future__ import annotations

import ast
import math
import operator
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np

from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.claims.code.function_names import FUNCTIONS
from gradverify.expressions import Expression, ExpressionError, parse
from gradverify.graph import Graph, data_leaf, input_leaf
from gradverify.ops import OPS, Shape

Value = Symbol | Fraction  # a Fraction is a constant, kept exactly

EXACT_BITS = 2048  # of the numerator or denominator of a constant; then it is rounded
LARGEST = Fraction(sys.float_info.max)
ELEMENTS = 100_000  # of all arrays on the way, together

# fmt: off
OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div",
    ast.Pow: "pow", ast.MatMult: "matmul",
}

PYTHON: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul,
    "div": operator.truediv, "pow": operator.pow,
}

PREFIXES = (
    "math", "np", "numpy", "anp", "jnp", "jax.numpy", "jax.nn", "torch", "F",
    "nn.functional", "torch.nn.functional", "scipy.special", "special",
)

PARAMS = {"dim": "axis", "keepdim": "keepdims"}
CONSTANTS = {"pi": Fraction(math.pi), "e": Fraction(math.e)}
# fmt: on


PARAM_VALUES = "whole numbers, tuples of them, and for keepdims True or False"
SYNTAX = "names, numbers, + - * / ** @, parentheses and calls such as exp(x)"


def graph_of(expression: str, shapes: Mapping[str, Shape]) -> Graph:
    """The graph of a formula, one input for each name of `shapes`, in their order.

    The text is parsed and never executed. `ExpressionError` (a `ValueError`) names
    what is not understood, its column, and what is allowed.
    """
    reader = _Reader(parse(expression), shapes)
    return reader.graph()


class _Reader:
    """Writes a program down while it walks over the syntax tree."""

    def __init__(self, expression: Expression, shapes: Mapping[str, Shape]) -> None:
        self.expression = expression
        self.program = Program()
        self.elements = sum(math.prod(shape) for shape in shapes.values())
        self.names = {
            name: self.program.append(input_leaf(shape))
            for name, shape in shapes.items()
        }

    def graph(self) -> Graph:
        """The program up to the value of the whole expression."""
        result = self.leaf(self.read(self.expression.tree))
        if result.index != len(self.program.nodes) - 1:  # a bare name: others follow it
            result = self.program.apply("reshape", result, shape=result.shape)
        return self.program.graph(result)

    def refuse(self, node: ast.expr, problem: str, allowed: str = SYNTAX) -> NoReturn:
        """Raise the error about `node`, whose text comes first."""
        self.expression.refuse(
            node, f"{self.expression.source(node)} {problem}", allowed
        )

    def read(self, node: ast.expr) -> Value:
        """The value of a syntax tree."""
        match node:
            case ast.Constant():
                return Fraction(self.expression.number(node))
            case ast.Name(id=name) if name in self.names:
                return self.names[name]
            case ast.Name():
                known = ", ".join(self.names) or "none: no values are given"
                self.refuse(node, "is a name without a value", known)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.read(node.operand)
            case ast.UnaryOp(op=ast.USub()):
                return -self.read(node.operand)
            case ast.BinOp(op=op) if type(op) in OPERATORS:
                operands = self.read(node.left), self.read(node.right)
                return self.binary(node, OPERATORS[type(op)], *operands)
            case ast.Call():
                return self.call(node)
            case ast.Attribute():
                return self.attribute(node)
        self.refuse(node, f"({type(node).__name__}) is not understood")

    # ---- operators

    def binary(self, node: ast.expr, op: str, a: Value, b: Value) -> Value:
        """An operator applied; two constants stay a constant where that is exact."""
        if isinstance(a, Fraction) and isinstance(b, Fraction) and op in PYTHON:
            return self.folded(node, op, a, b)
        if op == "pow" and isinstance(a, Symbol) and isinstance(b, Fraction):
            exponent = _plain(b)
            if exponent is not None:
                return self.apply(node, "power", a, n=exponent)
        return self.apply(node, op, a, b)

    def folded(self, node: ast.expr, op: str, a: Fraction, b: Fraction) -> Value:
        """Arithmetic on constants, by fractions, of a size that is bounded first."""
        if op == "pow" and not (b.denominator == 1 and abs(b) * _bits(a) <= EXACT_BITS):
            return self.root(node, a, b)
        try:
            exact = Fraction(PYTHON[op](a, b))
        except ZeroDivisionError:
            self.refuse(node, "divides by zero", "divisors other than 0")
        if abs(exact) > LARGEST:
            self.out_of_range(node)
        return exact if _bits(exact) <= EXACT_BITS else Fraction(float(exact))

    def root(self, node: ast.expr, a: Fraction, b: Fraction) -> Value:
        """A constant power that is no fraction, or one with too many digits."""
        if abs(a) == 1 and b.denominator == 1:
            return a if b % 2 else Fraction(1)
        if a <= 0:
            self.refuse(node, "is no real number", "powers of positive numbers")
        try:
            float(a) ** float(b)
        except OverflowError:
            self.out_of_range(node)
        return self.apply(node, "pow", self.leaf(a), self.leaf(b))

    def out_of_range(self, node: ast.expr) -> NoReturn:
        """Raise the error about a constant that no float holds."""
        self.refuse(node, "is outside the range of a float", f"up to {float(LARGEST)}")

    # ---- leaves

    def leaf(self, value: Value) -> Symbol:
        """The symbol itself, or a constant as data, which may meet any op."""
        if isinstance(value, Symbol):
            return value
        plain = _plain(value)
        if plain is not None:
            return self.program.append(data_leaf(float(plain)))
        top, bottom = _plain(Fraction(value.numerator)), _plain(Fraction(value.denominator))  # fmt: skip  # noqa: E501
        if top is None or bottom is None:
            return self.program.append(data_leaf(float(value)))
        return self.program.apply("div", np.float64(top), np.float64(bottom))

    def apply(self, node: ast.expr, op: str, *operands: Value, **params: Any) -> Symbol:
        """An op applied; constants become literals beside an operator, else data."""
        takes_literals = op in ("add", "sub", "mul", "div") and not all(
            isinstance(x, Fraction) for x in operands
        )
        leaves = [self.literal(x) if takes_literals else self.leaf(x) for x in operands]
        try:
            result = self.program.apply(op, *leaves, **params)
        except (ValueError, OverflowError) as error:
            problem, _, allowed = str(error).partition("; allowed are ")
            self.refuse(node, f"does not fit: {problem}", allowed or SYNTAX)
        self.elements += math.prod(result.shape)
        if self.elements > ELEMENTS:
            self.refuse(
                node, "makes the arrays too large", f"{ELEMENTS} elements in all"
            )
        return result

    def literal(self, value: Value) -> Symbol:
        """The symbol itself, or a constant as a plain number where that is exact."""
        plain = None if isinstance(value, Symbol) else _plain(value)
        return self.leaf(value) if plain is None else self.program.lift(plain)

    # ---- calls

    def call(self, node: ast.Call) -> Value:
        """A public op, or an alias of one, applied."""
        name = self.function(node.func)
        row = OPS[FUNCTIONS[name]]
        if any(isinstance(arg, ast.Starred) for arg in node.args):
            self.refuse(node, "unpacks its operands", f"{name} of {row.arity} operands")
        if len(node.args) != row.arity:
            problem = f"has {len(node.args)} operands"
            self.refuse(node, problem, f"{name} of {row.arity}, keywords for the rest")
        params = dict(self.param(node, row.params, k) for k in node.keywords)
        operands = [self.read(arg) for arg in node.args]
        if row.operator is not None and row.arity == 2:
            return self.binary(node, row.name, operands[0], operands[1])
        return self.apply(node, row.name, *operands, **params)

    def function(self, node: ast.expr) -> str:
        """The name of a function that is known, without its module's."""
        prefix, _, name = _dotted(node).rpartition(".")
        if name in FUNCTIONS and (not prefix or prefix in PREFIXES):
            return name
        near = get_close_matches(name, sorted(FUNCTIONS), n=8, cutoff=0.0)
        allowed = f"such as {', '.join(near)}; `gradverify ops` lists all"
        self.refuse(node, "is no function that is known", allowed)

    def param(
        self, call: ast.Call, known: tuple[str, ...], keyword: ast.keyword
    ) -> tuple[str, Any]:
        """A keyword of a call: whole numbers, tuples of them, True and False."""
        name = PARAMS.get(keyword.arg or "", keyword.arg or "**")
        if name not in known:
            allowed = ", ".join(known) or "none for this function"
            self.refuse(call, f"has the keyword {keyword.arg!r}", allowed)
        try:
            value = ast.literal_eval(keyword.value)
        except (ValueError, TypeError):
            self.refuse(keyword.value, "is no constant", PARAM_VALUES)
        if name == "keepdims" and isinstance(value, bool):
            return name, value
        if name in ("axis", "axes") and value is None:
            return name, None
        numbers = (value,) if isinstance(value, int) else value
        if not isinstance(numbers, tuple | list) or not all(
            type(n) is int for n in numbers
        ):
            self.refuse(keyword.value, f"is no {name}", PARAM_VALUES)
        return name, tuple(numbers)

    def attribute(self, node: ast.Attribute) -> Fraction:
        """math.pi and math.e."""
        prefix, _, name = _dotted(node).rpartition(".")
        if prefix in PREFIXES and name in CONSTANTS:
            return CONSTANTS[name]
        self.refuse(node, "is not understood", f"{SYNTAX}; math.pi and math.e")


def _dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of attributes that starts at a name; else nothing."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join(reversed([*names, node.id]))


def _plain(value: Fraction) -> int | float | None:
    """The number as Python has it, None where no float equals it."""
    if abs(value) > LARGEST or Fraction(float(value)) != value:
        return None
    return int(value) if value.denominator == 1 else float(value)


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


__all__ = ["ExpressionError", "graph_of"]
