"""From a formula in Python syntax, and the shapes of its names, to a graph."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from fractions import Fraction
from functools import partial
from typing import Any, ClassVar, NoReturn

import numpy as np

from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.claims.checking.formula_params import DEFAULTS, PARAMS, read_param
from gradverify.claims.claim_limits import (
    ALL_TERMS,
    EXACT_BITS,
    FORMULA_ELEMENTS,
    MATRIX_ROWS,
    SUM_TERMS,
)
from gradverify.claims.code.array_functions import entry
from gradverify.claims.code.function_names import FUNCTIONS
from gradverify.claims.code.syntax import dotted
from gradverify.claims.computation.constants import (
    CONSTANTS,
    EXACT,
    LARGEST_FLOAT,
    OPERATORS,
    bits,
    folded,
    plain_number,
)
from gradverify.expressions import (
    Expression,
    ExpressionError,
    Reader,
    SyntaxRows,
    parse,
)
from gradverify.graph import Graph, data_leaf, input_leaf
from gradverify.ops import OPS, Shape

Value = Symbol | Fraction  # a Fraction is a constant, kept exactly


# fmt: off
PREFIXES = (
    "math", "np", "numpy", "anp", "jnp", "jax.numpy", "jax.nn", "torch", "F",
    "nn.functional", "torch.nn.functional", "scipy.special", "special",
)
# fmt: on

COMMON = ("exp", "log", "sin", "sqrt", "sum", "tanh")  # where no name is near
PARAM_VALUES = "numbers, texts, True and False, and tuples of these"
SYNTAX = "names, numbers, + - * / ** @, parentheses, x[0], x.T and calls such as exp(x)"


def graph_of(expression: str, shapes: Mapping[str, Shape]) -> Graph:
    """The graph of a formula, one input for each name of `shapes`, in their order.

    The text is parsed and never executed. `ExpressionError` (a `ValueError`) names
    what is not understood, its column, and what is allowed.
    """
    reader = _Formula(parse(expression), shapes)
    return reader.graph()


def _operator(op: str) -> Callable[..., Value]:
    return lambda reader, node, a, b: reader.binary(node, op, a, b)


class _Formula(Reader):
    """Writes a program down: the parts of a formula are nodes of it, or constants."""

    def __init__(self, expression: Expression, shapes: Mapping[str, Shape]) -> None:
        self.expression = expression
        self.program = Program()
        self.indices: dict[str, int] = {}  # those of sums that are written out
        self.terms = 0
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

    def unread(self, node: ast.expr) -> NoReturn:
        """Raise the error about a kind of node that formulas do not have."""
        self.refuse(node, f"({type(node).__name__}) is not understood")

    def constant(self, node: ast.Constant) -> Fraction:
        """A number, which is the float that Python reads."""
        return Fraction(self.expression.number(node))

    def name(self, node: ast.Name) -> Value:
        """An index of a sum, an input, or pi and e."""
        if node.id in self.indices:
            return Fraction(self.indices[node.id])
        for known in (self.names, CONSTANTS):
            if node.id in known:
                return known[node.id]
        names = ", ".join(self.names) or "none: no values are given"
        self.refuse(node, "is a name without a value", names)

    # ---- operators

    def same(self, node: ast.expr, a: Value) -> Value:
        """`+a`."""
        return a

    def negative(self, node: ast.expr, a: Value) -> Value:
        """`-a`."""
        return -a

    def caret(self, node: ast.expr, a: Value, b: Value) -> NoReturn:
        """Raise the error about `a^2`, which is no power in Python."""
        self.refuse(node, "takes ^ for a power", "** for powers, as in a**2")

    def binary(self, node: ast.expr, op: str, a: Value, b: Value) -> Value:
        """An operator applied; two constants stay a constant where that is exact."""
        if isinstance(a, Fraction) and isinstance(b, Fraction) and op in EXACT:
            return self.folded(node, op, a, b)
        if op == "pow" and isinstance(a, Symbol) and isinstance(b, Fraction):
            exponent = plain_number(b)
            if exponent is not None:
                return self.apply(node, "power", a, n=exponent)
        return self.apply(node, op, a, b)

    def folded(self, node: ast.expr, op: str, a: Fraction, b: Fraction) -> Value:
        """Arithmetic on constants; one with too many digits is rounded to a float."""
        try:
            exact = folded(op, a, b)
        except ZeroDivisionError:
            self.refuse(node, "divides by zero", "divisors other than 0")
        if exact is None:
            return self.root(node, a, b)
        if abs(exact) > LARGEST_FLOAT:
            self.out_of_range(node)
        return exact if bits(exact) <= EXACT_BITS else Fraction(float(exact))

    def root(self, node: ast.expr, a: Fraction, b: Fraction) -> Value:
        """A constant power that is no fraction, or one with too many digits."""
        if a <= 0:
            self.refuse(node, "is no real number", "powers of positive numbers")
        try:
            float(a) ** float(b)
        except OverflowError:
            self.out_of_range(node)
        return self.apply(node, "pow", self.leaf(a), self.leaf(b))

    def out_of_range(self, node: ast.expr) -> NoReturn:
        """Raise the error about a constant that no float holds."""
        self.refuse(
            node, "is outside the range of a float", f"up to {float(LARGEST_FLOAT)}"
        )

    # ---- leaves

    def leaf(self, value: Value) -> Symbol:
        """The symbol itself, or a constant as data, which may meet any op."""
        if isinstance(value, Symbol):
            return value
        plain = plain_number(value)
        if plain is not None:
            return self.program.append(data_leaf(float(plain)))
        top, bottom = (
            plain_number(Fraction(n)) for n in (value.numerator, value.denominator)
        )
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
        if self.elements > FORMULA_ELEMENTS:
            allowed = f"{FORMULA_ELEMENTS} elements in all"
            self.refuse(node, "makes the arrays too large", allowed)
        return result

    def literal(self, value: Value) -> Symbol:
        """The symbol itself, or a constant as a plain number where that is exact."""
        plain = None if isinstance(value, Symbol) else plain_number(value)
        return self.leaf(value) if plain is None else self.program.lift(plain)

    # ---- calls

    def call(self, node: ast.Call) -> Value:
        """A public op, or an alias of one, applied."""
        match node:
            case ast.Call(func=ast.Name(id="sum"), args=[ast.GeneratorExp() as each]):
                return self.generated(each)
            case ast.Call(args=[matrix], keywords=[]) if _last(node.func) in MATRICES:
                rule = MATRICES[_last(node.func)]
                return rule(self, node, self.leaf(self.read(matrix)))
            case ast.Call(args=[left, right], keywords=[]) if (
                _last(node.func) == "outer"
            ):
                return self.outer(node, self.read(left), self.read(right))
        name = self.function(node.func)
        row = OPS[FUNCTIONS[name]]
        if "target" in row.params and len(node.args) == 2:
            target = ast.keyword(arg="target", value=node.args[1])
            args, keywords = node.args[:1], [*node.keywords, target]
            node = ast.copy_location(ast.Call(node.func, args, keywords), node)
        if any(isinstance(arg, ast.Starred) for arg in node.args):
            self.refuse(node, "unpacks its operands", f"{name} of {row.arity} operands")
        if row.name in WEIGHTLESS and len(node.args) == 1:
            return WEIGHTLESS[row.name](self, node)
        if len(node.args) != row.arity:
            problem = f"has {len(node.args)} operands"
            self.refuse(node, problem, f"{name} of {row.arity}, keywords for the rest")
        given = dict(self.param(node, row.params, k) for k in node.keywords)
        params = {k: DEFAULTS[k] for k in row.params if k in DEFAULTS} | given
        operands = [self.read(arg) for arg in node.args]
        if row.operator is not None and row.arity == 2:
            return self.binary(node, row.name, operands[0], operands[1])
        if "target" in row.params and len(self.leaf(operands[0]).shape) == 1:
            x = self.leaf(operands[0])
            operands = [self.apply(node, "reshape", x, shape=(1, *x.shape))]
        return self.apply(node, row.name, *operands, **params)

    def layer_norm(self, node: ast.Call) -> Value:
        """`layer_norm(x)`: with weights 1 and biases 0."""
        x = self.leaf(self.read(node.args[0]))
        given = dict(self.param(node, ("eps",), k) for k in node.keywords)
        size = x.shape[-1:]
        ones = self.program.append(data_leaf(np.ones(size)))
        zeros = self.program.append(data_leaf(np.zeros(size)))
        params = {"eps": DEFAULTS["eps"]} | given
        return self.apply(node, "layer_norm", x, ones, zeros, **params)

    def generated(self, each: ast.GeneratorExp) -> Value:
        """`sum(x[i]**2 for i in range(3))`, written out."""
        match each.generators:
            case [ast.comprehension(
                target=ast.Name(id=name),
                iter=ast.Call(func=ast.Name(id="range"), args=ends),
                ifs=[],
            )]:  # fmt: skip
                places = range(*(self.whole(end) for end in ends))
            case _:
                self.refuse(each, "is not understood", "sum(… for i in range(n))")
        if not 0 < len(places) <= SUM_TERMS:
            self.refuse(each, f"has {len(places)} terms", f"from 1 to {SUM_TERMS}")
        self.terms += len(places)
        if self.terms > ALL_TERMS:
            self.refuse(each, "has too many terms", f"up to {ALL_TERMS} in all")
        around = self.indices
        terms: list[Value] = []
        for place in places:
            self.indices = {**around, name: place}
            terms.append(self.read(each.elt))
        self.indices = around
        result = terms[0]
        for term in terms[1:]:
            result = self.binary(each, "add", result, term)
        return result

    # ---- subscripts and matrices

    def whole(self, node: ast.expr) -> int:
        """A whole number, such as that of a subscript."""
        value = self.read(node)
        if isinstance(value, Fraction) and value.denominator == 1:
            return int(value)
        self.refuse(node, "is no whole number", "0, 1, -1, …")

    def subscript(self, node: ast.Subscript) -> Value:
        """`x[0]`, `x[0, 1]`, `x[1:3]`."""
        x = self.leaf(self.read(node.value))
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        axis = 0
        for part in parts:
            if axis >= len(x.shape):
                problem = f"has more subscripts than axes: the shape is {x.shape}"
                self.refuse(node, problem, "one for each axis")
            x, axis = self.entry(node, x, part, axis)
        return x

    def entry(
        self, node: ast.expr, x: Symbol, part: ast.expr, axis: int
    ) -> tuple[Symbol, int]:
        """One entry along an axis, or a range of them; the next axis."""
        length = x.shape[axis]
        if isinstance(part, ast.Slice):
            ends = (part.lower, part.upper, part.step)
            low, high, step = slice(
                *(None if end is None else self.whole(end) for end in ends)
            ).indices(length)
            if step != 1 or high <= low:
                self.refuse(part, "is not understood", "ranges such as 1:3")
            back = (axis - len(x.shape),)
            cut = self.apply(node, "slice", x, axis=back, start=low, stop=high)
            return cut, axis + 1
        at = self.whole(part)
        if not -length <= at < length:
            self.refuse(node, f"is outside the {length} entries", f"0 to {length - 1}")
        return entry(partial(self.apply, node), x, axis, at % length), axis

    def outer(self, node: ast.expr, a: Value, b: Value) -> Value:
        """The products of every entry of a with every entry of b."""
        left, right = self.leaf(a), self.leaf(b)
        tall = self.apply(node, "reshape", left, shape=(math.prod(left.shape), 1))
        wide = self.apply(node, "reshape", right, shape=(1, math.prod(right.shape)))
        return self.apply(node, "mul", tall, wide)

    def entries(self, node: ast.expr, x: Symbol) -> list[list[Symbol]]:
        """The entries of a square matrix, one by one."""
        if len(x.shape) != 2 or x.shape[0] != x.shape[1] or x.shape[0] > MATRIX_ROWS:
            problem = f"is of a matrix of shape {x.shape}"
            self.refuse(node, problem, f"square ones, up to {MATRIX_ROWS} rows")

        at, places = partial(entry, partial(self.apply, node)), range(x.shape[0])
        rows = [at(x, 0, i) for i in places]
        return [[at(row, 0, j) for j in places] for row in rows]

    def determinant(self, node: ast.expr, rows: list[list[Symbol]]) -> Value:
        """By the first row, written out."""
        if len(rows) == 1:
            return rows[0][0]
        result: Value | None = None
        for j, factor in enumerate(rows[0]):
            rest = [row[:j] + row[j + 1 :] for row in rows[1:]]
            minor = self.determinant(node, rest)
            term = self.binary(node, "mul", factor, minor)
            if result is None:
                result = term
            else:
                result = self.binary(node, "sub" if j % 2 else "add", result, term)
        assert result is not None
        return result

    def inverse(self, node: ast.expr, x: Symbol) -> Value:
        """The adjugate by the determinant, written out."""
        rows = self.entries(node, x)
        n, whole = len(rows), self.determinant(node, rows)
        found: Symbol | None = None
        for i in range(n):
            for j in range(n):
                rest = [r[:i] + r[i + 1 :] for k, r in enumerate(rows) if k != j]
                minor = self.determinant(node, rest) if rest else Fraction(1)
                entry = self.leaf(self.binary(node, "div", minor, whole))
                entry = -entry if (i + j) % 2 else entry
                one = self.apply(node, "reshape", entry, shape=(1,))
                found = (
                    one
                    if found is None
                    else self.apply(node, "concatenate", found, one, axis=(0,))
                )
        assert found is not None
        return self.apply(node, "reshape", found, shape=(n, n))

    def trace(self, node: ast.expr, x: Symbol) -> Value:
        """The sum of the diagonal."""
        if len(x.shape) != 2 or x.shape[0] != x.shape[1]:
            self.refuse(node, f"is of a matrix of shape {x.shape}", "square ones")
        eye = self.program.append(data_leaf(np.eye(x.shape[0])))
        product = self.apply(node, "mul", x, eye)
        return self.apply(node, "sum", product, axis=None)

    def function(self, node: ast.expr) -> str:
        """The name of a function that is known, without its module's."""
        prefix, _, name = dotted(node).rpartition(".")
        if name in FUNCTIONS and (not prefix or prefix in PREFIXES):
            return name
        near = get_close_matches(name, sorted(FUNCTIONS), n=5) or COMMON
        allowed = f"such as {', '.join(sorted(near))}; `gradverify ops` lists all"
        self.refuse(node, "is no function that is known", allowed)

    def param(
        self, call: ast.Call, known: tuple[str, ...], keyword: ast.keyword
    ) -> tuple[str, Any]:
        """A keyword of a call: whole numbers, tuples of them, True and False."""
        name = PARAMS.get(keyword.arg or "", keyword.arg or "**")
        if name not in known:
            allowed = ", ".join(known) or "none for this function"
            self.refuse(call, f"has the keyword {keyword.arg!r}", allowed)
        value = _Param(self.expression).read(keyword.value)
        try:
            return name, read_param(name, value)
        except ValueError as error:
            self.refuse(keyword.value, f"is no {name}", str(error))

    def attribute(self, node: ast.Attribute) -> Value:
        """`x.T`, math.pi and math.e."""
        if node.attr == "T":
            x = self.leaf(self.read(node.value))
            return self.apply(node, "transpose", x, axes=None)
        prefix, _, name = dotted(node).rpartition(".")
        if prefix in PREFIXES and name in CONSTANTS:
            return CONSTANTS[name]
        self.refuse(node, "is not understood", f"{SYNTAX}; math.pi and math.e")

    rows: ClassVar[SyntaxRows] = {
        ast.Constant: constant,
        ast.Name: name,
        ast.Attribute: attribute,
        ast.Subscript: subscript,
        ast.Call: call,
        ast.UAdd: same,
        ast.USub: negative,
        ast.BitXor: caret,
        **{kind: _operator(op) for kind, op in OPERATORS.items()},
    }


class _Param(Reader):
    """The value of a keyword: what may stand there is written out, without names."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression

    def unread(self, node: ast.expr) -> NoReturn:
        """Raise the error about anything else."""
        problem = f"{self.expression.source(node)} is no constant"
        self.expression.refuse(node, problem, PARAM_VALUES)

    def constant(self, node: ast.Constant) -> bool | int | float | str | None:
        """A number, a text, True, False or None."""
        match node.value:
            case None | bool() | str():
                return node.value
            case int() | float():
                return self.expression.number(node)
        self.unread(node)

    def several(self, node: ast.Tuple | ast.List) -> tuple[Any, ...]:
        """`(0, 1)` and `[0, 1]`."""
        return tuple(self.read(part) for part in node.elts)

    def negative(self, node: ast.expr, value: Any) -> int | float:
        """`-1`."""
        if isinstance(value, int | float):
            return -value
        self.unread(node)

    rows: ClassVar[SyntaxRows] = {
        ast.Constant: constant,
        ast.Tuple: several,
        ast.List: several,
        ast.USub: negative,
    }


# Functions that may be called without their weights.
WEIGHTLESS: Mapping[str, Callable[[_Formula, ast.Call], Value]] = {
    "layer_norm": _Formula.layer_norm
}

MATRICES: Mapping[str, Callable[[_Formula, ast.expr, Symbol], Value]] = {
    "trace": _Formula.trace,
    "inv": _Formula.inverse,
    "det": lambda reader, node, x: reader.determinant(node, reader.entries(node, x)),
}


def _last(node: ast.expr) -> str:
    """The name of a function, whatever module it is taken from."""
    return dotted(node).rpartition(".")[2]


__all__ = ["ExpressionError", "graph_of"]
