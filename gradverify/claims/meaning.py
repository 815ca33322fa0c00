"""From a formula to its node on the trail, in the names of its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims import calls
from gradverify.claims.code import Code
from gradverify.claims.grammar import Formula
from gradverify.claims.naming import FUNCTIONS, TextFunction, Vocabulary
from gradverify.claims.trail import Leaf, NotUnderstood
from gradverify.claims.values import Function, Unknown, Value, symbol
from gradverify.ops import OPS

LONGEST = 60  # characters of a number


@dataclass(eq=False)
class Meaning:
    """Writes formulas down as nodes.

    words: the names of the place. history: for a name, the nodes it has stood for.
    direct: whether derivatives within a formula hold the other names. approximate:
    whether the member stands after an ≈, so that its numbers are one unit wider.
    """

    code: Code
    words: Vocabulary
    history: Mapping[str, list[Symbol]] = field(default_factory=dict)
    direct: bool = False
    approximate: bool = False
    bound: dict[str, Value] = field(default_factory=dict)
    at: dict[int, Symbol] = field(default_factory=dict)
    backwards: tuple[Symbol, ...] = ()

    def node(self, formula: Formula) -> Symbol:
        """The node of a formula; `NotUnderstood` where it has none."""
        kind, *parts = formula
        rule: Callable[..., Symbol] | None = RULES.get(kind)
        if rule is None:
            raise NotUnderstood(f"{kind} is not understood here")
        return rule(self, *parts)

    # ---- names and numbers

    def value(self, name: str) -> Value:
        """What a name stands for."""
        if name in self.bound:
            return self.bound[name]
        found = self.words.names.get(name)
        if found is None and name in self.words.free:
            leaf = Leaf((), reason=f"{name} has no value in this file")
            self.bound[name] = found = self.code.trail.leaf(leaf)
        if found is None:
            raise NotUnderstood(f"{name} has no value in this file")
        if isinstance(found, Unknown):
            raise NotUnderstood(found.reason)
        return found

    def named(self, name: str) -> Symbol:
        """The node that a name stands for."""
        value = self.value(name)
        if isinstance(value, TextFunction | Function):
            return self.applied(value, self.parameters(value))
        return symbol(self.code.trail, value)

    def number(self, text: str, ellipsis: bool = False) -> Symbol:
        """A written number: exact where it is whole, else all that rounds to it."""
        value, half = interval(text, self.approximate or ellipsis)
        return self.code.trail.leaf(
            Leaf((), _object(value), _object(half), is_constant=True)
        )

    def parameters(self, function: Any) -> list[Symbol]:
        """The nodes that a function's parameters stand for in this place."""
        if isinstance(function, Function):
            names = tuple(a.arg for a in function.parameters.args)
            scope: Mapping[str, Value] = {}
        else:
            names, scope = function.parameters, function.scope
        found = []
        for name in names:
            here = self.words.names.get(name, scope.get(name))
            if name in self.bound or here is None:
                here = self.value(name)
            found.append(symbol(self.code.trail, here))
        return found

    # ---- derivatives

    def derivative(self, of: Symbol, wrt: str) -> Symbol:
        """By the node that the name stood for when `of` was computed from it."""
        trail, x = self.code.trail, self.named(wrt)
        if not trail.depends(of.index, x.index):
            for older in reversed(self.history.get(wrt, [])):
                if trail.depends(of.index, older.index):
                    self.bound[wrt] = x = older
                    break
        stops = frozenset(self.stops()) if self.direct else frozenset()
        return trail.derivative(of, x, stops)

    def stops(self) -> list[int]:
        """The nodes that have names."""
        values = self.words.names.values()
        return [v.index for v in values if isinstance(v, Symbol)]

    def inner(self, formula: Formula) -> Symbol:
        """What is differentiated; it is never a partial one by itself."""
        return self.node(formula)

    def at_text(self, node: Symbol, text: str) -> Symbol:
        """A derivative at `|_{x=2}`: the same nodes, at another point."""
        values = dict(assignments(text))
        if not values:
            raise NotUnderstood(f"{text!r} is not understood")
        for name, number in values.items():
            found = self.words.find(name)
            if found is None:
                raise NotUnderstood(f"{name} has no value in this file")
            self.at[self.named(found).index] = number_leaf(self, number)
        return node

    # ---- functions

    def applied(self, function: Any, operands: list[Symbol]) -> Symbol:
        """A function of the file or of a text, with these operands."""
        if isinstance(function, TextFunction):
            scope = dict(function.scope)
            names = function.parameters
            if len(operands) != len(names):
                raise NotUnderstood(f"{function.name} takes {len(names)} operands")
            inner = Meaning(self.code, Vocabulary(scope), self.history)
            inner.bound = dict(zip(names, operands, strict=True))
            return inner.node(function.formula)
        if not operands:
            raise NotUnderstood(f"{function.name} is not applied to anything")
        return symbol(self.code.trail, self.code.follow(function, tuple(operands)))

    def primed(self, function: Any, operands: list[Symbol], order: int) -> Symbol:
        """`f'(x)`: by the one operand, which becomes a node of its own."""
        if not operands:
            operands = self.parameters(function)
        if len(operands) != 1:
            raise NotUnderstood("a prime needs a function of one operand")
        x = self.code.trail.copy(operands[0])
        if operands[0].index in self.code.trail.leaves:
            x = operands[0]
        result = self.applied(function, [x])
        for _ in range(order):
            result = self.code.trail.derivative(result, x)
        return result


def _object(value: Any) -> Any:
    return np.asarray(value, dtype=object)


def interval(text: str, approximate: bool = False) -> tuple[Fraction, Fraction]:
    """The number and how far it may be off: half a unit of the last decimal."""
    if len(text) > LONGEST:
        raise NotUnderstood("a number has too many digits")
    plain = decimal_point(text)
    mantissa, _, exponent = plain.lower().partition("e")
    if exponent and abs(int(exponent)) > 300:
        raise NotUnderstood("a number is too large, or too small")
    decimals = len(mantissa.partition(".")[2])
    unit = Fraction(10) ** (int(exponent or 0) - decimals)
    rounded = "." in mantissa or bool(exponent)
    half = (unit / 2 if rounded else Fraction(0)) + (unit if approximate else 0)
    return Fraction(plain), half


def decimal_point(text: str) -> str:
    """A number with a decimal comma, as Python writes it.

    `NotUnderstood` where commas may part thousands as well.
    """
    if text.count(",") + text.count(".") > 1:
        raise NotUnderstood(f"{text} has two readings: decimals or thousands")
    if re.fullmatch(r"[1-9]\d{0,2},\d{3}", text):
        raise NotUnderstood(f"{text} has two readings: decimals or thousands")
    text = text.replace(",", ".")
    return f"0{text}" if text.startswith(".") else text


def assignments(text: str) -> list[tuple[str, str]]:
    """`x=2, y=-1` as pairs."""
    found = re.findall(r"([A-Za-z]\w*)\s*=\s*(-?\s*\d[\d.,]*\d|-?\s*\d)", text)
    return [(name, number.replace(" ", "")) for name, number in found]


def number_leaf(meaning: Meaning, text: str) -> Symbol:
    """A stated number, taken exactly."""
    sign = -1 if text.startswith("-") else 1
    value, _ = interval(text.lstrip("-"))
    return meaning.code.trail.number(sign * value)


# ---- one rule a kind of formula


def _op(op: str) -> Callable[..., Symbol]:
    def rule(m: Meaning, *parts: Formula) -> Symbol:
        return m.code.trail.apply(op, *(m.node(p) for p in parts))

    return rule


def _name(m: Meaning, token: Any) -> Symbol:
    return m.named(token[1])


def _number(m: Meaning, token: Any, ellipsis: Any = None) -> Symbol:
    return m.number(token[1], ellipsis is not None)


def _product(m: Meaning, left: Formula, right: Formula) -> Symbol:
    """A product without a sign, or with a dot: of matrices, where both are arrays."""
    a, b = m.node(left), m.node(right)
    if () in (a.shape, b.shape):
        return m.code.trail.apply("mul", a, b)
    return m.code.trail.apply("matmul", a, b)


def _starred(m: Meaning, left: Formula, right: Formula) -> Symbol:
    a, b = m.node(left), m.node(right)
    if () not in (a.shape, b.shape) and a.shape != b.shape:
        return m.code.trail.apply("matmul", a, b)
    return m.code.trail.apply("mul", a, b)


def _matmul(m: Meaning, left: Formula, right: Formula) -> Symbol:
    return calls.dot(m.code.trail, m.node(left), m.node(right))


def _div_beside(m: Meaning, top: Formula, first: Formula, rest: Formula) -> Symbol:
    """The reading of `1/2x` as (1/2)x."""
    return _product(m, ("div", top, first), rest)


def _power(m: Meaning, base: Formula, exponent: Formula) -> Symbol:
    n = _exact(exponent)
    x = m.node(base)
    if n is not None and Fraction(float(n)) == n:
        plain = int(n) if n.denominator == 1 else float(n)
        if abs(plain) > 1000:
            raise NotUnderstood("an exponent is too large")
        return m.code.trail.apply("power", x, n=plain)
    if base[0] == "euler":
        return m.code.trail.apply("exp", m.node(exponent))
    return calls.power(m.code.trail, x, m.node(exponent))


def _exact(formula: Formula) -> Fraction | None:
    """The exponent as a number, where it is written as one."""
    match formula:
        case ("number", (_, text)):
            return Fraction(decimal_point(text))
        case ("neg", inner):
            found = _exact(inner)
            return None if found is None else -found
        case ("div" | "fraction", top, bottom):
            a, b = _exact(top), _exact(bottom)
            return a / b if a is not None and b else None
    return None


def _pow(m: Meaning, base: Formula, exponent: Formula) -> Symbol:
    if base[0] == "euler":
        return m.code.trail.apply("exp", m.node(exponent))
    return _power(m, base, exponent)


def _euler(m: Meaning) -> Symbol:
    return m.code.trail.apply("exp", m.code.trail.constant(Fraction(1)))


def _pi(m: Meaning) -> Symbol:
    four = m.code.trail.constant(Fraction(4))
    one = m.code.trail.constant(Fraction(1))
    return m.code.trail.apply("mul", four, m.code.trail.apply("atan2", one, one))


def _vector(m: Meaning, *parts: Formula) -> Symbol:
    return symbol(m.code.trail, tuple(m.node(p) for p in parts))


def _transpose(m: Meaning, x: Formula) -> Symbol:
    node = m.node(x)
    return node if len(node.shape) < 2 else m.code.trail.apply("transpose", node, axes=None)  # fmt: skip  # noqa: E501


def _operands(m: Meaning, arguments: Formula) -> list[Symbol]:
    return [m.node(part) for part in arguments[1:]]


def _call(m: Meaning, function: Any, arguments: Formula) -> Symbol:
    op = FUNCTIONS[function[1]]
    operands = _operands(m, arguments)
    if op in ("sum", "mean"):
        return m.code.trail.apply(op, *operands, axis=None)
    if OPS[op].arity != len(operands):
        raise NotUnderstood(f"{function[1]} takes {OPS[op].arity} operands")
    return m.code.trail.apply(op, *operands)


def _call_power(m: Meaning, function: Any, n: Any, arguments: Formula) -> Symbol:
    return _power(m, ("call", function, arguments), ("number", n))


def _call_prime(m: Meaning, function: Any, arguments: Formula) -> Symbol:
    (x,) = _operands(m, arguments)
    inner = m.code.trail.copy(x)
    return m.code.trail.derivative(m.code.trail.apply(FUNCTIONS[function[1]], inner), inner)  # fmt: skip  # noqa: E501


def _apply(m: Meaning, name: Any, arguments: Formula) -> Symbol:
    return m.applied(m.value(name[1]), _operands(m, arguments))


def _apply_prime(m: Meaning, name: Any, primes: Any, arguments: Formula) -> Symbol:
    return m.primed(m.value(name[1]), _operands(m, arguments), _order(primes))


def _bare(m: Meaning, name: Any) -> Symbol:
    return m.named(name[1])


def _bare_prime(m: Meaning, name: Any, primes: Any) -> Symbol:
    return m.primed(m.value(name[1]), [], _order(primes))


def _order(primes: Any) -> int:
    return len(primes[1:]) or 1


def _prime(m: Meaning, name: Any, primes: Any) -> Symbol:
    """`y'`: by the one name that y is computed from."""
    y, trail = m.named(name[1]), m.code.trail
    named = {v.index: k for k, v in m.words.names.items() if isinstance(v, Symbol)}
    cut = trail.cut(y.index, frozenset(named))
    direct = [i for i in cut.leaves if i in named and i != y.index]
    leaves = [i for i in trail.cut(y.index).leaves if not trail.leaves[i].is_constant]
    if len(direct) != 1 and len(leaves) != 1:
        raise NotUnderstood(f"{name[1]}' does not say with respect to what")
    x = Symbol(trail.program, direct[0] if len(direct) == 1 else leaves[0])
    result = y
    for _ in range(_order(primes)):
        result = trail.derivative(result, x)
    return result


def _derivative(m: Meaning, inner: Formula, at: Any = None) -> Symbol:
    result = m.node(inner)
    return result if at is None else m.at_text(result, at[1])


def _d1(m: Meaning, of: Formula, wrt: Any) -> Symbol:
    return m.derivative(m.inner(of), wrt[1])


def _d_operator(m: Meaning, wrt: Any, of: Formula) -> Symbol:
    return m.derivative(m.inner(of), wrt[1])


def _d2(m: Meaning, n: Any, of: Formula, wrt: Any, again: Any) -> Symbol:
    if n[1] != again[1] or n[1] not in ("2", "3"):
        raise NotUnderstood(f"a derivative of order {n[1]} by order {again[1]}")
    result = m.inner(of)
    for _ in range(int(n[1])):
        result = m.derivative(result, wrt[1])
    return result


def _d_mixed(m: Meaning, n: Any, of: Formula, first: Any, second: Any) -> Symbol:
    del n
    return m.derivative(m.derivative(m.inner(of), second[1]), first[1])


def _derivative_at(m: Meaning, inner: Formula, place: Formula) -> Symbol:
    """`df/dx(2)`, of a function of one operand."""
    match inner:
        case ("d1", ("bare", name), _):
            return m.primed(m.value(name[1]), [m.node(place)], 1)
    raise NotUnderstood("the derivative of a value is not applied to anything")


def _name_of(m: Meaning, name: Any, arguments: Formula) -> Symbol:
    """`L(w)` for a name that is a value: the value."""
    del arguments
    return m.named(name[1])


def _gradient_of(m: Meaning, token: Any) -> Symbol:
    name = m.words.find(token[1].partition(".")[0])
    if name is None:
        raise NotUnderstood(f"{token[1]}: that name has no value in this file")
    return m.code.gradient(m.named(name), name, m.backwards)


# fmt: off
RULES: Mapping[str, Callable[..., Any]] = {
    "name": _name, "number": _number, "euler": _euler, "pi": _pi,
    "add": _op("add"), "sub": _op("sub"), "div": _op("div"), "fraction": _op("div"),
    "neg": _op("neg"), "pos": lambda m, x: m.node(x), "modulus": _op("abs"),
    "mul": _starred, "juxta": _product, "hadamard": _op("mul"), "matmul": _matmul,
    "div_beside": _div_beside, "pow": _pow, "vector": _vector, "transpose": _transpose,
    "root": _op("sqrt"),
    "root_of_number": lambda m, t: m.code.trail.apply("sqrt", _number(m, t)),
    "root_of_name": lambda m, t: m.code.trail.apply("sqrt", _name(m, t)),
    "call": _call, "call_power": _call_power, "call_prime": _call_prime,
    "apply": _apply, "apply_prime": _apply_prime, "bare": _bare,
    "bare_prime": _bare_prime, "prime": _prime, "name_of": _name_of,
    "derivative": _derivative, "derivative_at": _derivative_at, "d1": _d1,
    "d_operator": _d_operator, "operator": _d_operator, "d2": _d2, "d_mixed": _d_mixed,
    "gradient_of": _gradient_of,
}
# fmt: on
