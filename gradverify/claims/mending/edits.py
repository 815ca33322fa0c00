"""The one small change of a claimed formula that makes it right.

Where `6x + 4` is claimed and `6x - 4` is the derivative, a sign was mistaken in one
place. That a single change puts a formula right shows that it was read as it is meant.

Formulas are computed in floats at some drawn points; what is no plain arithmetic, such
as a derivative within them, is asked of its node.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from gradverify.claims.claim_limits import FORMULA_EDITS
from gradverify.claims.computation.numbers import decimal_point
from gradverify.claims.language.grammar import Formula

Numbers = tuple[float, ...]  # of a formula, at each of the points
Asked = Callable[[Formula], Numbers]  # what is no plain arithmetic

SAME = 1e-9  # relative
NUMBERS = ("number", "0"), ("number", "1")

# fmt: off
ARITHMETIC: Mapping[str, Callable[..., float]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "juxta": lambda a, b: a * b, "hadamard": lambda a, b: a * b,
    "circle": lambda a, b: a * b,
    "div": lambda a, b: a / b, "fraction": lambda a, b: a / b,
    "div_beside": lambda a, b, c: a / b * c, "neg": lambda a: -a, "pos": lambda a: a,
    "pow": lambda a, b: a ** b, "root": math.sqrt, "euler": lambda: math.e,
    "pi": lambda: math.pi,
}
FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "exp": math.exp, "ln": math.log,
    "log": math.log, "sqrt": math.sqrt, "tanh": math.tanh, "sinh": math.sinh,
    "cosh": math.cosh, "sigma": lambda x: 1 / (1 + math.exp(-x)),
}
TAKEN_FOR = {  # functions that are mistaken for each other
    "sin": ("cos",), "cos": ("sin",), "sinh": ("cosh",), "cosh": ("sinh",),
    "exp": ("ln",), "ln": ("exp",), "log": ("exp",), "tanh": ("sigma",),
}
# fmt: on


def edited(
    formula: Formula, exact: Numbers, names: Sequence[str], asked: Asked
) -> str | None:
    """What one change makes a formula right at all points; None where none does.

    exact: what it should be, at each point. names: what a name may be mistaken for.
    """
    known: dict[str, Numbers] = {}

    def ask(part: Formula) -> Numbers:
        key = repr(part)
        if key not in known:
            known[key] = asked(part)
        return known[key]

    for count, (other, says) in enumerate(_changes(formula, names)):
        if count == FORMULA_EDITS:
            return None
        try:
            found = [number(other, k, ask) for k in range(len(exact))]
        except (ArithmeticError, ValueError, TypeError):
            continue
        if all(_same(a, b) for a, b in zip(found, exact, strict=True)):
            return says
    return None


def _same(a: Any, b: float) -> bool:
    if isinstance(a, complex):
        return False
    return cmath.isfinite(a) and abs(a - b) <= SAME * max(abs(a), abs(b))


def number(formula: Formula, k: int, ask: Asked) -> float:
    """The value of a formula at a point, in floats."""
    kind, *parts = formula
    if kind == "number":
        return float(decimal_point(parts[0][1]))
    if kind in ARITHMETIC:
        return ARITHMETIC[kind](*(number(p, k, ask) for p in parts))
    if kind == "call" and parts[0][1] in FUNCTIONS and len(parts[1]) == 2:
        return FUNCTIONS[parts[0][1]](number(parts[1][1], k, ask))
    return ask(formula)[k]


def _changes(formula: Formula, names: Sequence[str]) -> Iterator[tuple[Formula, str]]:
    """The formula with one change in one place, the plainest changes first."""
    for change in (_signs, _factors, _numbers, _functions, _dropped):
        yield from _everywhere(formula, change)
    for name in names:
        for other in names:
            whole = _throughout(formula, other, name)
            if name != other and whole != formula:
                yield whole, f"{other} stands where {name} should"
    for by_name in (_renamed, _multiplied):
        for name in names:
            yield from _everywhere(formula, partial(by_name, name))


Change = Callable[[Formula], Iterator[tuple[Formula, str]]]


def _everywhere(formula: Any, change: Change) -> Iterator[tuple[Any, str]]:
    """The change made at the root, or within one part."""
    if not isinstance(formula, tuple) or not formula or formula[0] in OPAQUE:
        return
    yield from change(formula)
    for i, part in enumerate(formula[1:], 1):
        if isinstance(part, tuple):
            for other, says in _everywhere(part, change):
                yield (*formula[:i], other, *formula[i + 1 :]), says


OPAQUE = frozenset(
    ["NAME", "NUMBER", "FUNC", "UFUNC", "UCALL", "PRIME", "derivative", "derivative_at"]
)
TERMS = frozenset(
    [
        "name",
        "number",
        "juxta",
        "mul",
        "div",
        "fraction",
        "pow",
        "call",
        "apply",
        "neg",
        "root",
        "euler",
    ]
)


def _signs(f: Formula) -> Iterator[tuple[Formula, str]]:
    match f:
        case ("add", a, b):
            yield ("sub", a, b), "the sign of a term is wrong"
        case ("sub", a, b):
            yield ("add", a, b), "the sign of a term is wrong"
        case ("neg", a):
            yield a, "the sign of a term is wrong"
        case (kind, *_) if kind in TERMS:
            yield ("neg", f), "the sign of a term is wrong"


def _factors(f: Formula) -> Iterator[tuple[Formula, str]]:
    if f[0] not in TERMS and f[0] not in ("add", "sub"):
        return
    for n in ("2", "3", "4", "5"):
        yield (
            ("mul", ("number", ("NUMBER", n)), f),
            f"a factor {n} is missing in a term",
        )
        yield (
            ("div", f, ("number", ("NUMBER", n))),
            f"a factor {n} is too much in a term",
        )


def _numbers(f: Formula) -> Iterator[tuple[Formula, str]]:
    match f:
        case ("number", (_, text)) if text.isdigit():
            for n in (int(text) - 1, int(text) + 1):
                says = f"{text} stands where {n} should"
                yield ("number", ("NUMBER", str(n))), says
        case ("pow", base, ("name", _) as exponent):
            one = ("number", ("NUMBER", "1"))
            yield ("pow", base, ("sub", exponent, one)), "the exponent is not lowered"
        case ("name", _) | ("apply", *_):
            square = ("pow", f, ("number", ("NUMBER", "2")))
            yield square, "an exponent is one too small"
            yield ("number", ("NUMBER", "1")), "a factor is too much"


def _functions(f: Formula) -> Iterator[tuple[Formula, str]]:
    match f:
        case ("call", (kind, name), arguments):
            for other in TAKEN_FOR.get(name, ()):
                yield ("call", (kind, other), arguments), f"{name} stands for {other}"
            inner = arguments[1] if len(arguments) == 2 else None
            if inner is not None:
                yield inner, f"{name} is too much"
                if inner[0] in ("juxta", "mul"):
                    for part in inner[1:]:
                        changed = ("call", (kind, name), ("arguments", part))
                        yield changed, "what stands within a function is mistaken"


def _dropped(f: Formula) -> Iterator[tuple[Formula, str]]:
    match f:
        case ("add" | "sub", a, b):
            yield a, "a term is too much"
            yield b if f[0] == "add" else ("neg", b), "a term is too much"
        case ("mul" | "juxta", a, b):
            yield a, "a factor is too much"
            yield b, "a factor is too much"
        case ("div" | "fraction", a, b):
            yield a, "a divisor is too much"
            yield (f[0], b, a), "a fraction is upside down"


def _renamed(name: str, f: Formula) -> Iterator[tuple[Formula, str]]:
    match f:
        case ("name", (kind, other)) if other != name:
            yield ("name", (kind, name)), f"{other} stands where {name} should"


def _throughout(f: Any, old: str, new: str) -> Any:
    """The formula with one name in the place of another, wherever it stands."""
    if not isinstance(f, tuple):
        return f
    if f[:1] == ("name",) and f[1][1] == old:
        return ("name", (f[1][0], new))
    return f[:1] + tuple(_throughout(part, old, new) for part in f[1:])


def _multiplied(name: str, f: Formula) -> Iterator[tuple[Formula, str]]:
    if f[0] in TERMS or f[0] in ("add", "sub"):
        factor = ("name", ("NAME", name))
        yield ("mul", factor, f), f"a factor {name} is missing"
        yield ("div", f, factor), f"a factor {name} is too much"
