"""Python expressions over a whitelist: from a syntax tree to a value on the program."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code import array_functions as losses
from gradverify.claims.code import library as calls
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.syntax import root, source
from gradverify.claims.computation.bindings import (
    Function,
    Instance,
    Layer,
    Unknown,
    Value,
    known,
    symbol,
)
from gradverify.claims.computation.file_program import NotUnderstood

BITS = 512  # of the numerator or denominator of a constant
FOLD: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Mod: lambda a, b: a % b,
}
OPERATORS = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
CONSTANTS = {"pi": Fraction(np.pi), "e": Fraction(np.e)}


class Evaluator:
    """Reads expressions in a scope.

    follow: reads a function of the file. call: reads a call of whatever kind.
    """

    def __init__(
        self,
        code: Journal,
        names: dict[str, Value],
        follow: Callable[[Function, Any, Any], Value],
        call: Callable[[Evaluator, ast.Call], Value],
    ) -> None:
        self.code, self.program, self.names = code, code.program, names
        self.follow, self.call = follow, call

    def read(self, node: ast.expr) -> Value:
        """The value; `NotUnderstood` says what is not read."""
        match node:
            case ast.Constant():
                return _constant(node)
            case ast.Name(id=name):
                return self.name(name)
            case ast.Tuple() | ast.List():
                return tuple(self.read(e) for e in node.elts)
            case ast.UnaryOp():
                return self.unary(node)
            case ast.BinOp():
                return self.binary(node.op, self.read(node.left), self.read(node.right))
            case ast.Compare(ops=[op], comparators=[right]):
                return self.compare(op, self.read(node.left), self.read(right))
            case ast.Call():
                return self.call(self, node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.Lambda():
                body = ast.Return(node.body, lineno=node.lineno, end_lineno=node.lineno)
                return Function("lambda", node.args, (body,))
            case ast.JoinedStr():
                return tuple(self.part(v) for v in node.values)
        raise NotUnderstood(f"{source(node)} is not read")

    def part(self, node: ast.expr) -> Value:
        """A piece of an f-string: text, or a value, or why it is not known."""
        if isinstance(node, ast.FormattedValue):
            try:
                return self.read(node.value)
            except NotUnderstood as error:
                return Unknown(str(error))
        return node.value if isinstance(node, ast.Constant) else Unknown("text")

    def name(self, name: str) -> Value:
        """What a name stands for."""
        if name in self.names:
            return self.names[name]
        raise NotUnderstood(f"{name} has no value in this file")

    def unary(self, node: ast.UnaryOp) -> Value:
        """Signs."""
        value = known(self.read(node.operand))
        if isinstance(node.op, ast.UAdd):
            return value
        if isinstance(node.op, ast.USub):
            if isinstance(value, Fraction | np.ndarray):
                return -value
            return self.program.apply("neg", symbol(self.program, value))
        raise NotUnderstood(f"{source(node)} is not read")

    def binary(self, op: ast.operator, a: Value, b: Value) -> Value:
        """An operator applied; constants stay constants."""
        a, b = known(a), known(b)
        if isinstance(a, bool) or isinstance(b, bool):
            a, b = (Fraction(int(x)) if isinstance(x, bool) else x for x in (a, b))
        if isinstance(a, Fraction) and isinstance(b, Fraction):
            return self.folded(op, a, b)
        if isinstance(a, tuple | str) and isinstance(b, tuple | str):
            raise NotUnderstood("lists and texts that are joined are not read")
        if isinstance(op, ast.Pow):
            return losses.power(self.program, a, b)
        if isinstance(op, ast.MatMult):
            return losses.dot(self.program, a, b)
        if type(op) in OPERATORS:
            name, left, right = (
                OPERATORS[type(op)],
                symbol(self.program, a),
                symbol(self.program, b),
            )
            return self.program.apply(name, left, right)
        raise NotUnderstood(f"the operator {type(op).__name__} is not read")

    def folded(self, op: ast.operator, a: Fraction, b: Fraction) -> Value:
        """Arithmetic on two constants, of bounded size."""
        if isinstance(op, ast.Pow):
            bits = max(a.numerator.bit_length(), a.denominator.bit_length(), 1)
            if b.denominator == 1 and abs(b) * bits <= BITS and (a or b > 0):
                return Fraction(a ** int(b))
            if b.denominator == 1 and b != Fraction(1, 2):
                raise NotUnderstood("a constant is too large")
            return losses.power(self.program, a, b)
        if type(op) not in FOLD:
            raise NotUnderstood(f"the operator {type(op).__name__} is not read")
        try:
            result = Fraction(FOLD[type(op)](a, b))
        except ZeroDivisionError:
            raise NotUnderstood("a division by zero") from None
        if max(result.numerator.bit_length(), result.denominator.bit_length()) > BITS:
            raise NotUnderstood("a constant is too large")
        return result

    def compare(self, op: ast.cmpop, a: Value, b: Value) -> Value:
        """A comparison as 1 and 0: the slope of a ramp, which has a kink there."""
        left, right = symbol(self.program, a), symbol(self.program, b)
        if isinstance(op, ast.Gt | ast.GtE):
            return self.program.apply("step", self.program.apply("sub", left, right))
        if isinstance(op, ast.Lt | ast.LtE):
            return self.program.apply("step", self.program.apply("sub", right, left))
        raise NotUnderstood(f"the comparison {type(op).__name__} is not read")

    # ---- attributes and subscripts

    def attribute(self, node: ast.Attribute) -> Value:
        """`x.T`, `x.grad`, `x.shape`, `math.pi`, `self.w`."""
        if root(node) in calls.MODULES and root(node) not in self.names:
            if node.attr in CONSTANTS:
                return CONSTANTS[node.attr]
            raise NotUnderstood(f"{source(node)} is not read")
        holder = self.read(node.value)
        if isinstance(holder, Instance):
            return self.member(holder, node.attr)
        if isinstance(holder, Layer) and node.attr in holder.weights:
            return holder.weights[node.attr]
        if node.attr in ("data", "real", "val", "value"):
            return known(holder)
        known(holder)
        if node.attr == "grad":
            x, name = symbol(self.program, holder), source(node.value)
            return self.code.gradient(x, name, tuple(self.code.backwards))
        if node.attr == "T":
            return losses.transposed(self.program, holder)
        if node.attr == "shape":
            shape = symbol(self.program, holder).shape
            return tuple(Fraction(n) for n in shape)
        if node.attr == "size":
            return Fraction(int(np.prod(symbol(self.program, holder).shape)))
        raise NotUnderstood(f"{source(node)} is not read")

    def member(self, holder: Instance, name: str) -> Value:
        """An attribute of an object, or a method of its class."""
        if name in holder.attributes:
            return holder.attributes[name]
        for part in holder.kind.body if holder.kind else ():
            if isinstance(part, ast.FunctionDef) and part.name == name:
                return Function(name, part.args, tuple(part.body), holder)
        raise NotUnderstood(f"the attribute {name} is not read")

    def subscript(self, node: ast.Subscript) -> Value:
        """`x[0]`, `x[1:3]`, `x[0, 1]` with whole numbers."""
        holder = known(self.read(node.value))
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(holder, tuple) and len(parts) == 1:
            at = losses.whole(losses.stated(self.program, self.read(parts[0])))
            if not -len(holder) <= at < len(holder):
                raise NotUnderstood(f"{source(node)} is outside the list")
            return holder[at]
        x, axis = symbol(self.program, holder), 0
        for part in parts:
            x, axis = self.sliced(x, part, axis)
        return x

    def sliced(self, x: Symbol, part: ast.expr, axis: int) -> tuple[Symbol, int]:
        """One entry, or a range of them, along one axis."""
        if axis >= len(x.shape):
            raise NotUnderstood(f"{source(part)}: more subscripts than axes")
        length, back = x.shape[axis], axis - len(x.shape)
        if isinstance(part, ast.Slice):
            low = 0 if part.lower is None else self.place(part.lower, length)
            high = length if part.upper is None else self.place(part.upper, length)
            if part.step is not None:
                raise NotUnderstood("a slice with a step is not read")
            whole = (low, high) == (0, length)
            return (
                x
                if whole
                else self.program.apply("slice", x, axis=(back,), start=low, stop=high)
            ), axis + 1
        if isinstance(part, ast.List):
            return self.chosen(x, part, axis), axis + 1
        at = self.place(part, length)
        one = self.program.apply("slice", x, axis=(back,), start=at, stop=at + 1)
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        return self.program.apply("reshape", one, shape=shape), axis

    def chosen(self, x: Symbol, part: ast.List, axis: int) -> Symbol:
        """The entries that a list names, along one axis."""
        back, rows = axis - len(x.shape), []
        for entry in part.elts:
            at = self.place(entry, x.shape[axis])
            rows.append(
                self.program.apply("slice", x, axis=(back,), start=at, stop=at + 1)
            )
        result = rows[0]
        for row in rows[1:]:
            result = self.program.apply("concatenate", result, row, axis=(back,))
        return result

    def place(self, part: ast.expr, length: int) -> int:
        """A whole number that names an entry, counted from the start."""
        at = losses.whole(losses.stated(self.program, self.read(part)))
        return at + length if at < 0 else at


def _constant(node: ast.Constant) -> Value:
    value = node.value
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int) and value.bit_length() <= BITS:
        return Fraction(value)
    if isinstance(value, float) and abs(value) < 1e300:
        return Fraction(repr(value))
    raise NotUnderstood("a number is too large, or none that is read")
