"""Python expressions over a whitelist: from a syntax tree to a value on the trail."""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims import calls
from gradverify.claims.trail import NotUnderstood
from gradverify.claims.values import (
    Function,
    GradientOf,
    Instance,
    Layer,
    Open,
    Unknown,
    Value,
    known,
    numbers,
    symbol,
)
from gradverify.expressions import shortened

if TYPE_CHECKING:
    from gradverify.claims.code import Code

BITS = 512  # of the numerator or denominator of a constant
FOLD = {
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
    """Reads expressions in a scope; `follow` reads a function of the file."""

    def __init__(
        self,
        code: Code,
        names: dict[str, Value],
        follow: Callable[[Function, Any, Any], Value],
    ) -> None:
        self.code, self.trail, self.names = code, code.trail, names
        self.follow = follow

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
                return self.call(node)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.Lambda():
                body = ast.Return(node.body, lineno=node.lineno, end_lineno=node.lineno)
                return Function("lambda", node.args, (body,))
            case ast.JoinedStr():
                return tuple(self.part(v) for v in node.values)
        raise NotUnderstood(f"{_source(node)} is not read")

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
            return self.trail.apply("neg", symbol(self.trail, value))
        raise NotUnderstood(f"{_source(node)} is not read")

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
            return calls.power(self.trail, a, b)
        if isinstance(op, ast.MatMult):
            return calls.dot(self.trail, a, b)
        if type(op) in OPERATORS:
            name, left, right = OPERATORS[type(op)], symbol(self.trail, a), symbol(self.trail, b)  # fmt: skip  # noqa: E501
            return self.trail.apply(name, left, right)
        raise NotUnderstood(f"the operator {type(op).__name__} is not read")

    def folded(self, op: ast.operator, a: Fraction, b: Fraction) -> Value:
        """Arithmetic on two constants, of bounded size."""
        if isinstance(op, ast.Pow):
            bits = max(a.numerator.bit_length(), a.denominator.bit_length(), 1)
            if b.denominator == 1 and abs(b) * bits <= BITS and (a or b > 0):
                return Fraction(a ** int(b))
            if b.denominator == 1 and b != Fraction(1, 2):
                raise NotUnderstood("a constant is too large")
            return calls.power(self.trail, a, b)
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
        left, right = symbol(self.trail, a), symbol(self.trail, b)
        if isinstance(op, ast.Gt | ast.GtE):
            return self.trail.apply("step", self.trail.apply("sub", left, right))
        if isinstance(op, ast.Lt | ast.LtE):
            return self.trail.apply("step", self.trail.apply("sub", right, left))
        raise NotUnderstood(f"the comparison {type(op).__name__} is not read")

    # ---- attributes and subscripts

    def attribute(self, node: ast.Attribute) -> Value:
        """`x.T`, `x.grad`, `x.shape`, `math.pi`, `self.w`."""
        if _root(node) in calls.MODULES and _root(node) not in self.names:
            if node.attr in CONSTANTS:
                return CONSTANTS[node.attr]
            raise NotUnderstood(f"{_source(node)} is not read")
        holder = self.read(node.value)
        if isinstance(holder, Instance):
            return self.member(holder, node.attr)
        if isinstance(holder, Layer) and node.attr in holder.weights:
            return holder.weights[node.attr]
        if node.attr in ("data", "real", "val", "value"):
            return known(holder)
        known(holder)
        if node.attr == "grad":
            x, name = symbol(self.trail, holder), _source(node.value)
            return self.code.gradient(x, name, tuple(self.code.backwards))
        if node.attr == "T":
            return calls.transposed(self.trail, holder)
        if node.attr == "shape":
            shape = symbol(self.trail, holder).shape
            return tuple(Fraction(n) for n in shape)
        if node.attr == "size":
            return Fraction(int(np.prod(symbol(self.trail, holder).shape)))
        raise NotUnderstood(f"{_source(node)} is not read")

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
            at = calls.whole(calls.stated(self.trail, self.read(parts[0])))
            if not -len(holder) <= at < len(holder):
                raise NotUnderstood(f"{_source(node)} is outside the list")
            return holder[at]
        x, axis = symbol(self.trail, holder), 0
        for part in parts:
            x, axis = self.sliced(x, part, axis)
        return x

    def sliced(self, x: Symbol, part: ast.expr, axis: int) -> tuple[Symbol, int]:
        """One entry, or a range of them, along one axis."""
        if axis >= len(x.shape):
            raise NotUnderstood(f"{_source(part)}: more subscripts than axes")
        length, back = x.shape[axis], axis - len(x.shape)
        if isinstance(part, ast.Slice):
            low = 0 if part.lower is None else self.place(part.lower, length)
            high = length if part.upper is None else self.place(part.upper, length)
            if part.step is not None:
                raise NotUnderstood("a slice with a step is not read")
            whole = (low, high) == (0, length)
            return (x if whole else self.trail.apply("slice", x, axis=(back,), start=low, stop=high)), axis + 1  # fmt: skip  # noqa: E501
        at = self.place(part, length)
        one = self.trail.apply("slice", x, axis=(back,), start=at, stop=at + 1)
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        return self.trail.apply("reshape", one, shape=shape), axis

    def place(self, part: ast.expr, length: int) -> int:
        at = calls.whole(calls.stated(self.trail, self.read(part)))
        return at + length if at < 0 else at

    # ---- calls

    def call(self, node: ast.Call) -> Value:
        """A function of a library or of the file, a method, a layer, a class."""
        if any(isinstance(a, ast.Starred) for a in node.args) or any(
            k.arg is None for k in node.keywords
        ):
            raise NotUnderstood(f"{_source(node)}: unpacked operands are not read")
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")  # fmt: skip  # noqa: E501
        if name in calls.OUTSIDE and name not in self.names:
            raise NotUnderstood(f"{{name}} comes from {name}(), not from the file")
        if name == "backward":
            return self.backward(node)
        if name in ("zero_grad", "zero_"):
            self.code.backwards.clear()
            return None
        if isinstance(node.func, ast.Name | ast.Attribute):
            target = self.target(node.func)
            if target is None:
                return self.library(node, name)
        else:
            target = self.read(node.func)
        return self.applied(target, node)

    def target(self, func: ast.expr) -> Value:
        """What of the file is called; None for a library's function or method."""
        if isinstance(func, ast.Name):
            found = self.names.get(func.id)
            if isinstance(found, ast.ClassDef) and func.id in calls.ARRAYS:
                return None  # a class of the file that wraps a number
            return found
        assert isinstance(func, ast.Attribute)
        if _root(func) in calls.MODULES and _root(func) not in self.names:
            return None
        if isinstance(func.value, ast.Call) and _source(func.value) == "super()":
            return Layer("identity")
        holder = self.read(func.value)
        if isinstance(holder, Instance):
            return self.member(holder, func.attr)
        return None

    def applied(self, target: Value, node: ast.Call) -> Value:
        """Something of the file, applied to operands."""
        if isinstance(target, ast.ClassDef):
            return self.instance(target, node)
        operands, keywords = self.operands(node)
        if isinstance(target, Instance):
            target = self.member(target, "__call__" if _defines(target.kind, "__call__") else "forward")  # fmt: skip  # noqa: E501
        if isinstance(target, Function):
            return self.follow(target, operands, keywords)
        if isinstance(target, Layer):
            if target.op == "identity":
                return operands[0] if operands else None
            extra = [w for k, w in target.weights.items() if k != "axis"]
            return calls.call(self.trail, target.op, (*operands, *extra), keywords)
        if isinstance(target, GradientOf):
            return self.derived(target, operands)
        known(target)
        raise NotUnderstood(f"{_source(node)} is not read")

    def derived(self, target: GradientOf, operands: Any) -> Symbol:
        """`grad(f)(x)`."""
        leaves = [self.own(v) for v in operands]
        y = symbol(self.trail, self.follow(target.function, leaves, {}))
        result = self.trail.derivative(y, leaves[target.argument])
        self.trail.gradients.add(result.index)
        return result

    def own(self, value: Value) -> Symbol:
        """An operand as a node that can be differentiated by."""
        array = numbers(known(value))
        if array is not None:
            return self.trail.number(array)
        return symbol(self.trail, value)

    def operands(self, node: ast.Call) -> tuple[tuple[Value, ...], dict[str, Value]]:
        """Positional ones and keywords, read."""
        keywords = {str(k.arg): self.keyword(k) for k in node.keywords}
        return tuple(self.read(a) for a in node.args), keywords

    def keyword(self, keyword: ast.keyword) -> Value:
        if keyword.arg in ("dtype", "device", "requires_grad", "generator", "label", "_children", "_op", "name"):  # fmt: skip  # noqa: E501
            return None
        return self.read(keyword.value)

    def library(self, node: ast.Call, name: str) -> Value:
        """A function or a method of a library."""
        if name in ("grad", "value_and_grad") and node.args:
            return self.grad(node)
        operands, keywords = self.operands(node)
        keywords = {k: v for k, v in keywords.items() if v is not None}
        is_method = isinstance(node.func, ast.Attribute) and not (
            _root(node.func) in calls.MODULES and _root(node.func) not in self.names
        )
        if is_method:
            assert isinstance(node.func, ast.Attribute)
            operands = (self.read(node.func.value), *operands)
        if name in calls.LAYERS or name == "Linear":
            return calls.layer(self.trail, name, operands, keywords)
        if name in calls.UNCHANGED and is_method:
            return known(operands[0])
        if name in calls.ARRAYS and operands:
            return self.array(operands[0])
        return calls.call(self.trail, name, operands, keywords)

    def array(self, value: Value) -> Value:
        """`np.array(…)` and its kin: the numbers, or what they are given."""
        found = numbers(known(value))
        if found is None:
            return value if isinstance(value, Open) else symbol(self.trail, value)
        return found if found.shape else found.item()

    def grad(self, node: ast.Call) -> Value:
        """`torch.autograd.grad(y, x)` and `jax.grad(f)`."""
        operands, keywords = self.operands(node)
        if isinstance(operands[0], Function):
            argument = keywords.get("argnums", keywords.get("argnum", operands[1] if len(operands) > 1 else Fraction(0)))  # fmt: skip  # noqa: E501
            return GradientOf(operands[0], calls.whole(argument))
        if len(operands) < 2:
            raise NotUnderstood(f"{_source(node)} is not read")
        y, wanted = symbol(self.trail, operands[0]), operands[1]
        several = wanted if isinstance(wanted, tuple) else (wanted,)
        found = []
        for x in several:
            result = self.trail.derivative(y, symbol(self.trail, x))
            self.trail.gradients.add(result.index)
            found.append(result)
        return tuple(found)

    def backward(self, node: ast.Call) -> None:
        """`y.backward()`; with a cotangent of its own it is not read."""
        if not isinstance(node.func, ast.Attribute):
            raise NotUnderstood(f"{_source(node)} is not read")
        y = symbol(self.trail, self.read(node.func.value))
        if node.args or y.shape != ():
            raise NotUnderstood("backward() of an array, or with a gradient, is not read")  # fmt: skip  # noqa: E501
        self.code.backwards.append(y)

    def instance(self, kind: ast.ClassDef, node: ast.Call) -> Instance:
        """An object of a class of the file: its `__init__` is followed."""
        result = Instance(kind)
        if _defines(kind, "__init__"):
            operands, keywords = self.operands(node)
            self.follow(self.member(result, "__init__"), operands, keywords)
        return result


def _constant(node: ast.Constant) -> Value:
    value = node.value
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int) and value.bit_length() <= BITS:
        return Fraction(value)
    if isinstance(value, float) and abs(value) < 1e300:
        return Fraction(repr(value))
    raise NotUnderstood("a number is too large, or none that is read")


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _defines(kind: ast.ClassDef | None, name: str) -> bool:
    body = kind.body if kind else []
    return any(isinstance(p, ast.FunctionDef) and p.name == name for p in body)


def _source(node: ast.AST) -> str:
    return shortened(ast.unparse(node))
