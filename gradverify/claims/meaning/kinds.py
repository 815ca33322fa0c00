"""What every kind of formula becomes: one function a kind, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code import array_functions as losses
from gradverify.claims.computation.bindings import symbol
from gradverify.claims.computation.file_program import NotUnderstood
from gradverify.claims.computation.numbers import decimal_point
from gradverify.claims.language.grammar import Formula
from gradverify.claims.language.vocabulary import FUNCTIONS
from gradverify.claims.meaning.formulas import Meaning, Rule
from gradverify.ops import OPS


def _op(op: str) -> Callable[..., Symbol]:
    def rule(m: Meaning, *parts: Formula) -> Symbol:
        return m.code.program.apply(op, *(m.node(p) for p in parts))

    return rule


def _name(m: Meaning, token: Any) -> Symbol:
    return m.named(token[1])


def _number(m: Meaning, token: Any, ellipsis: Any = None) -> Symbol:
    return m.number(token[1], ellipsis is not None)


def _product(m: Meaning, left: Formula, right: Formula) -> Symbol:
    """A product without a sign, or with a dot: of matrices, where both are arrays."""
    a, b = m.node(left), m.node(right)
    if () in (a.shape, b.shape):
        return m.code.program.apply("mul", a, b)
    return m.code.program.apply("matmul", a, b)


def _starred(m: Meaning, left: Formula, right: Formula) -> Symbol:
    a, b = m.node(left), m.node(right)
    if () not in (a.shape, b.shape) and a.shape != b.shape:
        return m.code.program.apply("matmul", a, b)
    return m.code.program.apply("mul", a, b)


def _matmul(m: Meaning, left: Formula, right: Formula) -> Symbol:
    return losses.dot(m.code.program, m.node(left), m.node(right))


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
        return m.code.program.apply("power", x, n=plain)
    if base[0] == "euler":
        return m.code.program.apply("exp", m.node(exponent))
    return losses.power(m.code.program, x, m.node(exponent))


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
        return m.code.program.apply("exp", m.node(exponent))
    return _power(m, base, exponent)


def _euler(m: Meaning) -> Symbol:
    return m.code.program.apply("exp", m.code.program.constant(Fraction(1)))


def _pi(m: Meaning) -> Symbol:
    four = m.code.program.constant(Fraction(4))
    one = m.code.program.constant(Fraction(1))
    return m.code.program.apply("mul", four, m.code.program.apply("atan2", one, one))


def _vector(m: Meaning, *parts: Formula) -> Symbol:
    return symbol(m.code.program, tuple(m.node(p) for p in parts))


def _transpose(m: Meaning, x: Formula) -> Symbol:
    node = m.node(x)
    return (
        node
        if len(node.shape) < 2
        else m.code.program.apply("transpose", node, axes=None)
    )


def _operands(m: Meaning, arguments: Formula) -> list[Symbol]:
    return [m.node(part) for part in arguments[1:]]


def _call(m: Meaning, function: Any, arguments: Formula) -> Symbol:
    op = FUNCTIONS[function[1]]
    operands = _operands(m, arguments)
    if op in ("sum", "mean"):
        return m.code.program.apply(op, *operands, axis=None)
    if OPS[op].arity != len(operands):
        raise NotUnderstood(f"{function[1]} takes {OPS[op].arity} operands")
    return m.code.program.apply(op, *operands)


def _call_power(m: Meaning, function: Any, n: Any, arguments: Formula) -> Symbol:
    return _power(m, ("call", function, arguments), ("number", n))


def _call_prime(m: Meaning, function: Any, arguments: Formula) -> Symbol:
    (x,) = _operands(m, arguments)
    inner = m.code.program.copy(x)
    return m.code.program.derivative(
        m.code.program.apply(FUNCTIONS[function[1]], inner), inner
    )


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
    y, program = m.named(name[1]), m.code.program
    named = {v.index: k for k, v in m.words.names.items() if isinstance(v, Symbol)}
    cut = program.cut(y.index, frozenset(named))
    direct = [i for i in cut.leaves if i in named and i != y.index]
    leaves = [
        i for i in program.cut(y.index).leaves if not program.leaves[i].is_constant
    ]
    if len(direct) != 1 and len(leaves) != 1:
        raise NotUnderstood(f"{name[1]}' does not say with respect to what")
    x = Symbol(program.record, direct[0] if len(direct) == 1 else leaves[0])
    result = y
    for _ in range(_order(primes)):
        result = program.derivative(result, x)
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
RULES: Mapping[str, Rule] = {
    "name": _name, "number": _number, "euler": _euler, "pi": _pi,
    "add": _op("add"), "sub": _op("sub"), "div": _op("div"), "fraction": _op("div"),
    "neg": _op("neg"), "pos": lambda m, x: m.node(x), "modulus": _op("abs"),
    "mul": _starred, "juxta": _product, "hadamard": _op("mul"), "matmul": _matmul,
    "div_beside": _div_beside, "pow": _pow, "vector": _vector, "transpose": _transpose,
    "root": _op("sqrt"),
    "root_of_number": lambda m, t: m.code.program.apply("sqrt", _number(m, t)),
    "root_of_name": lambda m, t: m.code.program.apply("sqrt", _name(m, t)),
    "call": _call, "call_power": _call_power, "call_prime": _call_prime,
    "apply": _apply, "apply_prime": _apply_prime, "bare": _bare,
    "bare_prime": _bare_prime, "prime": _prime, "name_of": _name_of,
    "derivative": _derivative, "derivative_at": _derivative_at, "d1": _d1,
    "d_operator": _d_operator, "operator": _d_operator, "d2": _d2, "d_mixed": _d_mixed,
    "gradient_of": _gradient_of,
}
# fmt: on
