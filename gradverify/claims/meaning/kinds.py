"""What every kind of formula becomes: one function a kind, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import EXPONENT
from gradverify.claims.code import array_functions as arrays
from gradverify.claims.computation.bindings import Function, symbol
from gradverify.claims.computation.constants import plain_number
from gradverify.claims.computation.file_program import NotUnderstood
from gradverify.claims.computation.numbers import decimal_point
from gradverify.claims.language.grammar import Formula
from gradverify.claims.language.segmentation import UNKNOWN_FUNCTIONS
from gradverify.claims.language.tokens import INVERSE
from gradverify.claims.language.vocabulary import (
    BASED,
    FUNCTIONS,
    INVERSES,
    PIECEWISE,
    TextFormula,
    TextFunction,
)
from gradverify.claims.meaning.formulas import Meaning, Rule, number_leaf
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
    if right[0] == "transpose" and len(a.shape) == len(b.shape) == 1:
        return arrays.outer(m.code.program, a, b)
    return m.code.program.apply("matmul", a, b)


def _scaled(m: Meaning, number: Any, rest: Formula) -> Symbol:
    """`3x^2` after `d/dx`."""
    return _product(m, ("number", number), rest)


def _starred(m: Meaning, left: Formula, right: Formula) -> Symbol:
    a, b = m.node(left), m.node(right)
    if () not in (a.shape, b.shape) and a.shape != b.shape:
        return m.code.program.apply("matmul", a, b)
    return m.code.program.apply("mul", a, b)


def _matmul(m: Meaning, left: Formula, right: Formula) -> Symbol:
    return arrays.dot(m.code.program, m.node(left), m.node(right))


def _div_beside(m: Meaning, top: Formula, first: Formula, rest: Formula) -> Symbol:
    """The reading of `1/2x` as (1/2)x."""
    return _product(m, ("div", top, first), rest)


def _power(m: Meaning, base: Formula, exponent: Formula) -> Symbol:
    n = _exact(exponent)
    x = m.node(base)
    plain = None if n is None else plain_number(n)
    if plain is not None:
        if abs(plain) > EXPONENT:
            raise NotUnderstood("an exponent is too large")
        return m.code.program.apply("power", x, n=plain)
    if base[0] == "euler":
        return m.code.program.apply("exp", m.node(exponent))
    return arrays.power(m.code.program, x, m.node(exponent))


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
    if len(node.shape) < 2:
        return node
    return m.code.program.apply("transpose", node, axes=None)


def _operands(m: Meaning, arguments: Formula) -> list[Symbol]:
    return [m.node(part) for part in arguments[1:]]


def _call(m: Meaning, function: Any, arguments: Formula) -> Symbol:
    operands = _operands(m, arguments)
    return _of_mathematics(m, function[1], operands)


def _of_mathematics(m: Meaning, name: str, operands: Sequence[Symbol]) -> Symbol:
    """`sin`, `sec`, a logarithm of any base, a function in pieces."""
    apply = m.code.program.apply
    one = m.code.program.constant(Fraction(1))
    if name == PIECEWISE:
        return _piecewise(m, operands)
    if name in INVERSES and len(operands) == 1:
        return apply("div", one, apply(INVERSES[name], *operands))
    if name.startswith(BASED) and len(operands) == 1:
        base = name.removeprefix(BASED)
        b = m.number(base) if base.isdigit() else m.any_name(base)
        return apply("div", apply("log", *operands), apply("log", b))
    op = FUNCTIONS[name]
    if op in ("sum", "mean"):
        return m.code.program.apply(op, *operands, axis=None)
    if OPS[op].arity != len(operands):
        raise NotUnderstood(f"{name} takes {OPS[op].arity} operands")
    return m.code.program.apply(op, *operands)


def _piecewise(m: Meaning, operands: Sequence[Symbol]) -> Symbol:
    """Values, each with what is above 0 where it holds, and the value elsewhere."""
    *pairs, result = operands
    for value, above in reversed([*zip(pairs[::2], pairs[1::2], strict=True)]):
        holds = m.code.program.apply("step", above)
        result = arrays.where(m.code.program, holds, value, result)
    return result


def _call_power(m: Meaning, function: Any, n: Any, arguments: Formula) -> Symbol:
    return _power(m, ("call", function, arguments), ("number", n))


def _call_prime(m: Meaning, function: Any, primes: Any, arguments: Formula) -> Symbol:
    """`sin'(x)`: by what stands in the parentheses."""
    (x,) = _operands(m, arguments)
    inner = m.code.program.copy(x)
    result = _of_mathematics(m, function[1], [inner])
    for _ in range(_order(primes)):
        result = m.code.program.derivative(result, inner)
    return result


def _places(m: Meaning, arguments: Formula, count: int) -> list[Symbol]:
    """The operands of a function, or a point: numbers are taken exactly.

    `0,0` was read as one number with a decimal comma; where two are needed it is two.
    """
    parts = list(arguments[1:])
    if len(parts) != count:
        parts = [piece for part in parts for piece in _apart(part)]
    return [_place(m, part) for part in parts]


def _apart(formula: Formula) -> list[Formula]:
    match formula:
        case ("number", ("NUMBER", text)) if "," in text:
            return [("number", ("NUMBER", piece)) for piece in text.split(",")]
        case ("neg", inner):
            first, *rest = _apart(inner)
            return [("neg", first), *rest]
    return [formula]


def _place(m: Meaning, formula: Formula) -> Symbol:
    match formula:
        case ("number", (_, text)):
            return number_leaf(m, text)
        case ("neg", ("number", (_, text))):
            return number_leaf(m, f"-{text}")
    return m.node(formula)


def _apply(m: Meaning, name: Any, arguments: Formula) -> Symbol:
    value = m.words.names.get(name[1])
    if isinstance(value, Function):
        return m.applied(value, _operands(m, arguments))
    known = isinstance(value, TextFunction | TextFormula)
    if isinstance(value, TextFunction) and _is_stem(arguments, value.parameters):
        return m.called(name[1], [m.any_name(p) for p in value.parameters])
    count = len(m.names_of(name[1])) if known else len(arguments) - 1
    return m.called(name[1], _places(m, arguments, count))


def _is_stem(arguments: Formula, parameters: Sequence[str]) -> bool:
    """Whether `J(theta)` stands for J(theta_0, theta_1), as J was defined."""
    match arguments:
        case (_, ("name", (_, stem))) if len(parameters) > 1:
            return all(p.rpartition("_")[0] == stem for p in parameters)
    return False


def _apply_power(m: Meaning, name: Any, n: Any, arguments: Formula) -> Symbol:
    return _power(m, ("apply", name, arguments), ("number", n))


def _apply_prime(m: Meaning, name: Any, primes: Any, arguments: Formula) -> Symbol:
    if isinstance(m.words.names.get(name[1]), TextFunction | Function):
        function = m.value(name[1])
        return m.primed(function, _places(m, arguments, 1), _order(primes))
    (x,) = _places(m, arguments, 1)
    inner = m.code.program.copy(x)
    if name[1].endswith(INVERSE) and _order(primes) > 1:
        raise NotUnderstood("the second derivative of an inverse is not read")
    result = m.called(name[1], [inner])
    for _ in range(_order(primes)):
        result = m.code.program.derivative(result, inner)
    return result


def _bare(m: Meaning, name: Any) -> Symbol:
    return m.named(name[1])


def _bare_prime(m: Meaning, name: Any, primes: Any) -> Symbol:
    return m.primed(m.value(name[1]), [], _order(primes))


def _order(primes: Any) -> int:
    return len(primes[1:]) or 1


def _prime(m: Meaning, name: Any, primes: Any) -> Symbol:
    """`y'`: by the one name that y is computed from."""
    y, program = m.named(name[1]), m.code.program
    if m.curve is not None and name[1] == m.curve.of:
        for _ in range(_order(primes)):
            y = m.along(m.curve, y)
        return y
    if y.index in program.leaves:
        raise NotUnderstood(f"nothing in the text says what {name[1]} is")
    names = {**m.words.names, **m.bound}
    named = {v.index: k for k, v in names.items() if isinstance(v, Symbol)}
    cut = program.cut(y.index, frozenset(named) - {y.index})
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


def _group_prime(m: Meaning, of: Formula, primes: Any) -> Symbol:
    """`(uv)'` and `(x sin x)'`: by the one variable that it is computed from."""
    y = m.node(of)
    x = _variable(m, y)
    for _ in range(_order(primes)):
        y = m.code.program.derivative(y, x)
    return y


def _variable(m: Meaning, y: Symbol) -> Symbol:
    """The one name without a formula that a node is computed from; else x, else t."""
    program = m.code.program
    reached = program.cut(y.index).place
    names = {**m.words.names, **m.leaves, **m.bound}
    found = {
        name: value
        for name, value in names.items()
        if isinstance(value, Symbol)
        and value.index in reached
        and value.index in program.leaves
    }
    several = {v.index for v in found.values()}
    usual: list[str] = [n for n in ("x", "t") if n in found]
    if len(several) == 1:
        usual = [*found]
    if not usual:
        raise NotUnderstood("a prime does not say with respect to what")
    return found[usual[0]]


def _group_prime_at(m: Meaning, of: Formula, primes: Any, arguments: Formula) -> Symbol:
    """`(g ∘ f)'(x)` and `(f + g)'(x)`: every function in it is applied to x."""
    (x,) = _places(m, arguments, 1)
    inner = m.code.program.copy(x)
    result = m.node(_applied_to(m, of, ("node", inner)))
    for _ in range(_order(primes)):
        result = m.code.program.derivative(result, inner)
    return result


def _applied_to(m: Meaning, formula: Any, x: Formula) -> Formula:
    """The formula with its functions applied; ∘ applies one to the other."""
    match formula:
        case ("circle", outer, inner) if _is_function(m, outer) and _has_function(
            m, inner
        ):
            return _applied_to(m, outer, _applied_to(m, inner, x))
        case ("bare" | "name", token) if _is_function(m, formula):
            return ("apply", token, ("arguments", x))
        case (str(kind), *parts) if kind.islower():
            return (kind, *(_applied_to(m, part, x) for part in parts))
    return formula  # type: ignore[no-any-return]


def _is_function(m: Meaning, formula: Any) -> bool:
    match formula:
        case ("bare" | "name", (_, name)):
            value = m.words.names.get(name)
            unknown = value is None and name in UNKNOWN_FUNCTIONS
            return unknown or isinstance(value, TextFunction | Function)
    return False


def _has_function(m: Meaning, formula: Any) -> bool:
    return _is_function(m, formula) or (
        isinstance(formula, tuple) and any(_has_function(m, f) for f in formula[1:])
    )


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


def _d2_operator(m: Meaning, n: Any, wrt: Any, again: Any, of: Formula) -> Symbol:
    return _d2(m, n, of, wrt, again)


def _derivative_at(m: Meaning, inner: Formula, place: Formula) -> Symbol:
    """`∂f/∂x(2, 3)`: the names that f is a function of are bound to the numbers."""
    name = differentiated(inner)
    if name is None:
        raise NotUnderstood("the derivative of a value is not applied to anything")
    unknown = name not in m.words.names and name in UNKNOWN_FUNCTIONS
    if unknown and inner[0] == "d1" and len(place) == 2:  # dg/dx(x), for any g
        primes = ("primes", ("PRIME", "'"))
        return _apply_prime(m, ("UCALL", name), primes, place)
    names = m.names_of(name)
    operands = _places(m, place, len(names))
    if len(operands) != len(names):
        raise NotUnderstood(f"{name} takes {len(names)} operands")
    if all(
        m.any_name(n).index == x.index for n, x in zip(names, operands, strict=True)
    ):
        return m.node(inner)
    own = [m.code.program.copy(x) if _is_used(m, x) else x for x in operands]
    return m.inside(dict(zip(names, own, strict=True))).node(inner)


def _is_used(m: Meaning, x: Symbol) -> bool:
    return x.index in {v.index for v in m.bound.values() if isinstance(v, Symbol)}


def differentiated(formula: Formula) -> str | None:
    """The name of the function within a derivative."""
    match formula:
        case ("d1", ("bare" | "name" | "apply", (_, name), *_), _):
            return str(name)
        case ("d2" | "d_mixed", _, ("bare" | "name" | "apply", (_, name), *_), *_):
            return str(name)
        case ("gradient", ("bare" | "name" | "apply", (_, name), *_)):
            return str(name)
        case ("indexed", (_, text)):
            return str(text).rpartition("_")[0]
    return None


def _indexed(m: Meaning, token: Any) -> Symbol:
    """`f_{xy}`: by x, then by y."""
    name, _, index = token[1].rpartition("_")
    result = m.named(name)
    for letter in index:
        result = m.derivative(result, letter)
    return result


def _gradient(m: Meaning, of: Formula) -> Symbol:
    """`∇f`: the partial derivatives by all that f is a function of, in their order."""
    match of:
        case ("apply", name, arguments):
            place = ("arguments", *arguments[1:])
            return _derivative_at(m, ("gradient", ("bare", name)), place)
        case ("bare" | "name", (_, name)):
            names = m.names_of(name)
            result = m.named(name)
            parts = tuple(m.derivative(result, n) for n in names)
            return parts[0] if len(parts) == 1 else symbol(m.code.program, parts)
    raise NotUnderstood("the gradient of a formula is not understood")


def _circle(m: Meaning, left: Formula, right: Formula) -> Symbol:
    """Functions beside f(x) are applied to it; of numbers, their product by entries."""
    if right[0] == "apply" and _are_functions(m, left):
        return m.node(_composed(left, right))
    return m.code.program.apply("mul", m.node(left), m.node(right))


def _are_functions(m: Meaning, formula: Formula) -> bool:
    """Whether it is g or `h ∘ g`."""
    match formula:
        case ("circle", outer, inner):
            return _are_functions(m, outer) and _are_functions(m, inner)
    return _is_function(m, formula)


def _composed(formula: Formula, x: Formula) -> Formula:
    """`h ∘ g` applied to x."""
    match formula:
        case ("circle", outer, inner):
            return _composed(outer, _composed(inner, x))
    return ("apply", formula[1], ("arguments", x))


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
    "circle": _circle,
    "div_beside": _div_beside, "pow": _pow, "vector": _vector, "transpose": _transpose,
    "root": _op("sqrt"),
    "root_of_number": lambda m, t: m.code.program.apply("sqrt", _number(m, t)),
    "root_of_name": lambda m, t: m.code.program.apply("sqrt", _name(m, t)),
    "call": _call, "call_power": _call_power, "call_prime": _call_prime,
    "apply": _apply, "apply_prime": _apply_prime, "apply_power": _apply_power,
    "bare": _bare,
    "group_prime": _group_prime, "group_prime_at": _group_prime_at,
    "node": lambda m, node: node, "any": lambda m, token: m.any_name(token[1]),
    "bare_prime": _bare_prime, "prime": _prime, "name_of": _name_of,
    "derivative": _derivative, "derivative_at": _derivative_at, "d1": _d1,
    "d_operator": _d_operator, "operator": _d_operator, "d2_operator": _d2_operator,
    "operator_of": lambda m, wrt, *of: _d_operator(m, wrt, ("juxta", *of)),
    "indexed": _indexed, "gradient": _gradient, "juxta_number": _scaled,
    "d2": _d2, "d_mixed": _d_mixed,
    "gradient_of": _gradient_of,
}
# fmt: on
