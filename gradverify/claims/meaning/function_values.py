"""A function's name that stands for its value: `s' = s(1 - s)`, `s'(a) = s(1 - s)`.

Beside the derivative of a function, its bare name is its value at the same place. What
looks like the function applied to `1 - s` is then a product.
"""

from __future__ import annotations

from typing import Any

from gradverify.claims.language.grammar import Formula


def with_function_values(formulas: list[Formula]) -> list[Formula]:
    """The members with bare names of the function as its value; else as they are."""
    found = _head(formulas[0], repr(formulas[1:]))
    if found is None:
        return formulas
    name, value, head = found
    rest = [_replaced(f, name, value) for f in formulas[1:]]
    return formulas if rest == formulas[1:] else [head, *rest]


def _head(formula: Formula, rest: str) -> tuple[str, Formula, Formula] | None:
    """The function's name, its value, and the head as a derivative of it applied.

    rest: the other members as text; the logistic function is known without a text.
    """
    x: Formula = ("arguments", ("any", ("NAME", "x")))
    is_known = "('FUNC', 'sigma')" in rest
    match formula:
        case ("bare_prime", token, _):
            return token[1], ("bare", token), formula
        case ("call_prime" | "apply_prime", (_, name), primes, arguments):
            if is_known and name == "sigma":
                formula = ("call_prime", ("FUNC", name), primes, arguments)
            return name, _value(name, arguments, is_known), formula
        case ("prime", (_, "sigma" as name), primes) if is_known:
            head = ("call_prime", ("FUNC", name), primes, x)
            return name, _value(name, x, is_known), head
        case ("derivative", ("d1", ("name" | "bare", (kind, name)), (_, wrt))):
            if is_known or kind == "UFUNC":
                at: Formula = ("arguments", ("any", ("NAME", wrt)))
                of = _value(name, at, is_known)
                return name, of, ("derivative", ("d1", of, ("NAME", wrt)))
    return None


def _value(name: str, arguments: Formula, is_known: bool) -> Formula:
    if is_known and name == "sigma":
        return ("call", ("FUNC", name), arguments)
    return ("apply", ("UCALL", name), arguments)


def _replaced(formula: Any, name: str, value: Formula) -> Any:
    match formula:
        case ("name" | "bare", (_, found)) if found == name:
            return value
        case ("call" | "apply", (_, found), ("arguments", x)) if found == name:
            inner = _replaced(x, name, value)
            is_product = f"('bare', ('UFUNC', '{name}')" in repr(x) or inner != x
            return ("juxta", value, inner) if is_product else formula
        case (str(kind), *parts) if kind.islower():
            return (kind, *(_replaced(part, name, value) for part in parts))
    return formula
