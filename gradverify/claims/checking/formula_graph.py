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

PARAMS = {"dim": "axis", "keepdim": "keepdims", "label_smoothing": "smoothing"}
DEFAULTS: Mapping[str, Any] = {  # of params that a call may leave out
    "reduction": "mean", "delta": 1.0, "weight": None, "smoothing": 0.0,
    "log_target": False, "eps": 1e-5,
}
REDUCTIONS = ("mean", "sum", "none")
NUMBERS = ("delta", "smoothing", "eps")
BY_CLASS = ("cross_entropy", "nll")  # the second operand names classes
MATRIX_FUNCTIONS = ("trace", "det", "inv", "outer")
MATRIX_SIZE = 4  # of a determinant or an inverse
TERMS = 1000  # of a sum over a generator
CONSTANTS = {"pi": Fraction(math.pi), "e": Fraction(math.e)}
# fmt: on


PARAM_VALUES = "whole numbers, tuples of them, and for keepdims True or False"
SYNTAX = (
    "names, numbers, + - * / ** @, parentheses, entries such as z[0], and calls such "
    "as exp(x)"
)


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
        self.program, self.steps = Program(), 0
        self.elements = sum(math.prod(shape) for shape in shapes.values())
        self.names: dict[str, Value] = {
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
            case ast.Name(id=name) if name in CONSTANTS:
                return CONSTANTS[name]
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
            case ast.Attribute(attr="T"):
                return self.apply(node, "transpose", self.read(node.value), axes=None)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript():
                return self.entry(node)
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

    # ---- entries, sums and matrices

    def entry(self, node: ast.Subscript) -> Symbol:
        """`z[0]`, `z[-1, 2]`, `z[1:3]`."""
        x, axis = self.leaf(self.read(node.value)), 0
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for part in parts:
            if axis >= len(x.shape):
                allowed = f"at most {len(x.shape)} for an array of shape {x.shape}"
                self.refuse(node, "has more indices than axes", allowed)
            length, back = x.shape[axis], axis - len(x.shape)
            if isinstance(part, ast.Slice):
                if part.step is not None:
                    self.refuse(node, "has a step", "slices such as z[1:3]")
                ends = [
                    None if e is None else self.whole(e)
                    for e in (part.lower, part.upper)
                ]
                low, high, _ = slice(*ends).indices(length)
                x = self.apply(node, "slice", x, axis=(back,), start=low, stop=high)
                axis += 1
                continue
            at = self.whole(part)
            if not -length <= at < length:
                allowed = f"{-length} to {length - 1}"
                self.refuse(node, f"has no entry {at} along axis {axis}", allowed)
            at %= length
            one = self.apply(node, "slice", x, axis=(back,), start=at, stop=at + 1)
            shape = (*x.shape[:axis], *x.shape[axis + 1 :])
            x = self.apply(node, "reshape", one, shape=shape)
        return x

    def whole(self, node: ast.expr) -> int:
        """A whole number that the formula states."""
        value = self.read(node)
        if not isinstance(value, Fraction) or value.denominator != 1:
            self.refuse(node, "is no index", "whole numbers")
        return int(value)

    def sum_of(self, node: ast.Call) -> Value | None:
        """`sum(x[i] * y[i] for i in range(3))`, `sum([a, b])`; None for other sums."""
        match node.args:
            case [ast.GeneratorExp() | ast.ListComp() as terms]:
                values = self.terms(terms)
            case [ast.List() | ast.Tuple() as listed]:
                values = [self.read(part) for part in listed.elts]
            case _:
                return None
        total: Value = Fraction(0)
        for k, value in enumerate(values):
            total = value if k == 0 else self.binary(node, "add", total, value)
        return total

    def terms(self, node: ast.GeneratorExp | ast.ListComp) -> list[Value]:
        """The values of a generator over a range, or over the rows of an array."""
        allowed = "one `for` over range(…) or over an array, without a condition"
        match node.generators:
            case [ast.comprehension(target=ast.Name(id=name), iter=several, ifs=[])]:
                pass
            case _:
                self.refuse(node, "is not understood", allowed)
        steps: list[Value]
        match several:
            case ast.Call(func=ast.Name(id="range"), args=[_, *_] as ends, keywords=[]):
                found = range(*(self.whole(end) for end in ends[:3]))
                if len(found) > TERMS:
                    self.refuse(node, f"has {len(found)} terms", f"up to {TERMS}")
                steps = [Fraction(k) for k in found]
            case _:
                x = self.leaf(self.read(several))
                if not x.shape:
                    self.refuse(several, "is a single number", allowed)
                steps = [self.row(several, x, k) for k in range(x.shape[0])]
        hidden, values = self.names.get(name), []
        self.steps += len(steps)
        if self.steps > TERMS:  # of all sums: nested ones multiply
            self.refuse(node, f"has over {TERMS} terms", f"up to {TERMS} in all")
        for step in steps:
            self.names[name] = step
            values.append(self.read(node.elt))
        self.names.pop(name, None)
        if hidden is not None:
            self.names[name] = hidden
        return values

    def row(self, node: ast.expr, x: Symbol, at: int) -> Symbol:
        """One entry along the first axis."""
        back = -len(x.shape)
        one = self.apply(node, "slice", x, axis=(back,), start=at, stop=at + 1)
        return self.apply(node, "reshape", one, shape=x.shape[1:])

    def matrix(self, node: ast.Call) -> Value | None:
        """`trace`, `det`, `inv` and `outer`, written by other ops; None for others."""
        prefix, _, name = _dotted(node.func).rpartition(".")
        prefix = prefix.removesuffix("linalg").removesuffix(".")
        if prefix not in ("", *PREFIXES) or node.keywords:
            return None
        if name not in MATRIX_FUNCTIONS:
            return None
        operands = [self.leaf(self.read(arg)) for arg in node.args]
        if name == "outer" and len(operands) == 2:
            tall, wide = (math.prod(x.shape) for x in operands)
            left = self.apply(node, "reshape", operands[0], shape=(tall, 1))
            right = self.apply(node, "reshape", operands[1], shape=(1, wide))
            return self.apply(node, "mul", left, right)
        shapes = [x.shape for x in operands]
        if len(shapes) != 1 or len(shapes[0]) != 2 or shapes[0][0] != shapes[0][1]:
            self.refuse(node, f"has operands of shapes {shapes}", "one square matrix")
        x, n = operands[0], shapes[0][0]
        if name == "trace":
            one = self.program.append(data_leaf(np.eye(n)))
            product = self.apply(node, "mul", x, one)
            return self.apply(node, "sum", product, axis=None, keepdims=False)
        if n > MATRIX_SIZE:
            self.refuse(node, f"is of a matrix of size {n}", f"up to {MATRIX_SIZE}")
        rows = [self.row(node, x, i) for i in range(n)]
        entries = [[self.row(node, row, j) for j in range(n)] for row in rows]
        whole = self.minor(node, entries)
        if name == "det":
            return whole
        parts = [
            self.apply(node, "reshape", self.cofactor(node, entries, j, i), shape=(1,))
            for i in range(n)
            for j in range(n)
        ]
        flat = parts[0]
        for part in parts[1:]:
            flat = self.apply(node, "concatenate", flat, part, axis=(-1,))
        square = self.apply(node, "reshape", flat, shape=(n, n))
        return self.apply(node, "div", square, whole)

    def minor(self, node: ast.expr, entries: list[list[Symbol]]) -> Symbol:
        """A determinant, by Laplace's expansion along the first row."""
        if not entries:
            return self.leaf(Fraction(1))
        total: Symbol | None = None
        for j, first in enumerate(entries[0]):
            part = self.apply(node, "mul", first, self.cofactor(node, entries, 0, j))
            total = part if total is None else self.apply(node, "add", total, part)
        assert total is not None
        return total

    def cofactor(
        self, node: ast.expr, entries: list[list[Symbol]], i: int, j: int
    ) -> Symbol:
        """The signed determinant without one row and one column."""
        rest = [
            [x for c, x in enumerate(row) if c != j]
            for r, row in enumerate(entries)
            if r != i
        ]
        found = self.minor(node, rest)
        return found if (i + j) % 2 == 0 else self.apply(node, "neg", found)

    # ---- calls

    def call(self, node: ast.Call) -> Value:
        """A public op, or an alias of one, applied."""
        if isinstance(node.func, ast.Name) and node.func.id == "sum":
            total = self.sum_of(node)
            if total is not None:
                return total
        found = self.matrix(node)
        if found is not None:
            return found
        name = self.function(node.func)
        row = OPS[FUNCTIONS[name]]
        if any(isinstance(arg, ast.Starred) for arg in node.args):
            self.refuse(node, "unpacks its operands", f"{name} of {row.arity} operands")
        counts: tuple[int, ...] = (row.arity,)
        if row.name in BY_CLASS:
            counts = (1, 2)
        elif row.name == "layer_norm":
            counts = (1, 3)
        if len(node.args) not in counts:
            problem = f"has {len(node.args)} operands"
            self.refuse(node, problem, f"{name} of {row.arity}, keywords for the rest")
        params = {k: DEFAULTS[k] for k in row.params if k in DEFAULTS}
        params |= dict(self.param(node, row.params, k) for k in node.keywords)
        if row.name in BY_CLASS:
            return self.by_class(node, row.name, params)
        if row.name == "layer_norm" and len(node.args) == 1:
            x = self.leaf(self.read(node.args[0]))
            weight = self.program.append(data_leaf(np.ones(x.shape[-1:])))
            bias = self.program.append(data_leaf(np.zeros(x.shape[-1:])))
            return self.apply(node, row.name, x, weight, bias, **params)
        operands = [self.read(arg) for arg in node.args]
        if row.operator is not None and row.arity == 2:
            return self.binary(node, row.name, operands[0], operands[1])
        return self.apply(node, row.name, *operands, **params)

    def by_class(self, node: ast.Call, op: str, params: dict[str, Any]) -> Symbol:
        """`cross_entropy(z, 2)`, or a list of classes for rows of scores."""
        allowed = f"{op}(z, 2), or {op}(z, [0, 2]) for rows of scores"
        if len(node.args) == 2:
            params["target"] = self.classes(node.args[1])
        if "target" not in params:
            self.refuse(node, "does not say which class is right", allowed)
        z, target = self.leaf(self.read(node.args[0])), params["target"]
        if len(z.shape) == 1:
            z = self.apply(node, "reshape", z, shape=(1, *z.shape))
        if len(z.shape) != 2 or len(target) != z.shape[0]:
            problem = f"has {len(target)} classes for scores of shape {z.shape}"
            self.refuse(node, problem, allowed)
        if not all(0 <= c < z.shape[1] for c in target):
            self.refuse(node, "names a class that is none", f"0 to {z.shape[1] - 1}")
        return self.apply(node, op, z, **params)

    def classes(self, node: ast.expr) -> tuple[int, ...]:
        """A whole number, or a list of them."""
        parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
        return tuple(self.whole(part) for part in parts)

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
        if name == "target":
            return name, self.classes(keyword.value)
        try:
            value = ast.literal_eval(keyword.value)
        except (ValueError, TypeError):
            self.refuse(keyword.value, "is no constant", PARAM_VALUES)
        if name == "reduction":
            if value not in REDUCTIONS:
                self.refuse(keyword.value, "is no reduction", ", ".join(REDUCTIONS))
            return name, value
        if name in NUMBERS:
            if type(value) not in (int, float) or not 0 <= value <= LARGEST:
                self.refuse(keyword.value, f"is no {name}", "numbers from 0")
            return name, float(value)
        if name == "log_target" and isinstance(value, bool):
            return name, value
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
