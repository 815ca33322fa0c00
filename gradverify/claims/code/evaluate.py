"""Python expressions over a whitelist: from a syntax tree to a value on the program."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code import array_functions as arrays
from gradverify.claims.code import library
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.syntax import root, source
from gradverify.claims.computation.bindings import (
    Function,
    Instance,
    Layer,
    Unknown,
    Value,
    known,
    named,
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
            case ast.Dict():
                return self.table(node)
            case ast.Lambda():
                body = ast.Return(node.body, lineno=node.lineno, end_lineno=node.lineno)
                return Function("lambda", node.args, (body,))
            case ast.JoinedStr():
                return tuple(self.part(v) for v in node.values)
        raise NotUnderstood(f"{source(node)} is not read")

    def table(self, node: ast.Dict) -> dict[str, Value]:
        """A dict whose keys are texts; its entries are names of their own."""
        result: dict[str, Value] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            name = None if key is None else self.read(key)
            if not isinstance(name, str):
                raise NotUnderstood(f"{source(node)} is not read")
            result[name] = named(self.program, name, self.read(value))
        return result

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
            return arrays.power(self.program, a, b)
        if isinstance(op, ast.MatMult):
            return arrays.dot(self.program, a, b)
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
            return arrays.power(self.program, a, b)
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
        """A comparison as 1 and 0; where both sides are equal, as Python has it.

        After `h = maximum(0, z)` the two are equal in `h <= 0` wherever z is negative.
        """
        if not isinstance(op, ast.Gt | ast.GtE | ast.Lt | ast.LtE):
            raise NotUnderstood(f"the comparison {type(op).__name__} is not read")
        apply = self.program.apply
        left, right = symbol(self.program, a), symbol(self.program, b)
        if isinstance(op, ast.Lt | ast.LtE):
            left, right = right, left
        half = apply("step", apply("sub", left, right))  # 1/2 where they are equal
        twice = apply("mul", self.program.constant(Fraction(2)), half)
        one = self.program.constant(Fraction(1))
        if isinstance(op, ast.GtE | ast.LtE):
            return apply("minimum", twice, one)
        above = apply("sub", twice, one)
        return apply("maximum", above, self.program.constant(Fraction(0)))

    # ---- attributes and subscripts

    def attribute(self, node: ast.Attribute) -> Value:
        """`x.T`, `x.grad`, `x.shape`, `math.pi`, `self.w`."""
        if root(node) in library.MODULES and root(node) not in self.names:
            if node.attr in CONSTANTS:
                return CONSTANTS[node.attr]
            if library.is_function(node.attr):
                return Layer(node.attr)
            raise NotUnderstood(f"{source(node)} is not read")
        holder = self.read(node.value)
        if isinstance(holder, Instance):
            return self.member(holder, node.attr)
        if isinstance(holder, Layer) and node.attr in holder.weights:
            return holder.weights[node.attr]
        if node.attr in ("data", "real", "val", "value"):
            return known(holder)
        known(holder)
        stated = self.code.stated
        is_node = node.attr == "grad" and isinstance(holder, Symbol)
        if is_node and holder.index in stated:
            return stated[holder.index]
        if node.attr == "grad":
            x, name = symbol(self.program, holder), source(node.value)
            return self.code.gradient(x, name, tuple(self.code.backwards))
        if node.attr == "T":
            return arrays.transposed(self.program, holder)
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
        """`x[0]`, `x[1:3]`, `x[0, 1]` with whole numbers, and entries of tables."""
        holder = known(self.read(node.value))
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if isinstance(holder, dict):
            key = self.read(node.slice)
            if key not in holder:
                raise NotUnderstood(f"{source(node)} is no entry that is read")
            return known(holder[key])
        if isinstance(holder, tuple) and len(parts) == 1:
            at = arrays.whole(arrays.stated(self.program, self.read(parts[0])))
            if not -len(holder) <= at < len(holder):
                raise NotUnderstood(f"{source(node)} is outside the list")
            return holder[at]
        plain = ast.Slice | ast.List | ast.Constant | ast.UnaryOp
        is_axis = any(isinstance(p, ast.Constant) and p.value is None for p in parts)
        if is_axis or not all(isinstance(part, plain) for part in parts):
            return self.taken(symbol(self.program, holder), node.slice)
        x, axis = symbol(self.program, holder), 0
        for part in parts:
            x, axis = self.sliced(x, part, axis)
        return x

    def taken(self, x: Symbol, tree: ast.expr) -> Symbol:
        """Entries that are named by stated arrays of whole numbers."""
        places = self.places(x.shape, tree)
        flat = self.program.apply("reshape", x, shape=(int(np.prod(x.shape)),))
        index = tuple(int(i) for i in np.ravel(places))
        chosen = self.program.apply("take", flat, axis=(-1,), index=index)
        return self.program.apply("reshape", chosen, shape=np.shape(places))

    def places(self, shape: tuple[int, ...], tree: ast.expr) -> Any:
        """The places, in one long row, of what an index names."""
        parts = tree.elts if isinstance(tree, ast.Tuple) else [tree]
        index = tuple(self.index(part) for part in parts)
        size = int(np.prod(shape))
        try:
            return np.arange(size).reshape(shape)[index]
        except (IndexError, ValueError) as error:
            raise NotUnderstood(f"{source(tree)} is no index ({error})") from None

    def index(self, part: ast.expr) -> Any:
        """A slice, a whole number, or an array of whole numbers that is stated."""
        if isinstance(part, ast.Slice):
            ends = (part.lower, part.upper, part.step)
            return slice(*(None if e is None else self.whole(e) for e in ends))
        if isinstance(part, ast.Constant) and part.value is None:
            return None
        value = arrays.stated_array(self.program, self.read(part))
        return np.vectorize(arrays.whole, otypes=[int])(value)[()]

    def whole(self, tree: ast.expr) -> int:
        """A whole number that the file states."""
        return arrays.whole(arrays.stated(self.program, self.read(tree)))

    def changed(self, holder: Value, tree: ast.expr, value: Value) -> Symbol:
        """An array with some entries replaced: those of a mask, or of an index."""
        x = symbol(self.program, known(holder))
        new = symbol(self.program, known(value))
        if isinstance(tree, ast.Compare):
            mask = symbol(self.program, self.read(tree))
            if new.shape not in ((), x.shape) or mask.shape != x.shape:
                raise NotUnderstood("the entries that are replaced are not read")
            return arrays.where(self.program, mask, new, x)
        places = np.ravel(self.places(x.shape, tree))
        hot = np.full(int(np.prod(x.shape)), Fraction(0), dtype=object)
        hot[places] = Fraction(1)
        mask = self.program.number(hot.reshape(x.shape), is_constant=True)
        if new.shape == ():
            return arrays.where(self.program, mask, new, x)
        flat = self.program.apply("reshape", new, shape=(int(np.prod(new.shape)),))
        if len(set(places.tolist())) != len(places) or flat.shape != places.shape:
            raise NotUnderstood("the entries that are replaced are not read")
        spread = self.spread(flat, places, x)
        return arrays.where(self.program, mask, spread, x)

    def spread(self, flat: Symbol, places: Any, x: Symbol) -> Symbol:
        """Numbers added up at their places in an array of the shape of x."""
        index = tuple(int(i) for i in places)
        size = int(np.prod(x.shape))
        found = self.program.apply("put", flat, axis=(-1,), index=index, length=size)
        return self.program.apply("reshape", found, shape=x.shape)

    def added_at(self, holder: Value, tree: ast.expr, values: Value) -> Symbol:
        """`np.add.at`: what comes to one place adds up."""
        x = symbol(self.program, known(holder))
        places = self.places(x.shape, tree)
        new = symbol(self.program, known(values))
        wide = self.program.apply("broadcast_to", new, shape=np.shape(places))
        flat = self.program.apply("reshape", wide, shape=(int(np.size(places)),))
        return self.program.apply("add", x, self.spread(flat, np.ravel(places), x))

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
        at = arrays.whole(arrays.stated(self.program, self.read(part)))
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
