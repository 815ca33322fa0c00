"""Formulas and nodes as people write them."""

# ruff: noqa: SIM905

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from flint import ctx

from gradverify.claims.claim_limits import SHOWN_FORMULA
from gradverify.claims.computation.file_program import FileProgram
from gradverify.claims.computation.point import Balls, Point, flat
from gradverify.claims.language.grammar import Formula
from gradverify.claims.language.tokens import INVERSE
from gradverify.graph import wrapped

DIGITS = 6
BINARY = {"add": ("+", 1), "sub": ("-", 1), "mul": ("·", 2), "div": ("/", 2)}


def number(ball: Any, digits: int = DIGITS) -> str:
    """A ball as a decimal: whole where it is, a range where it is wide."""
    if not ball.is_finite():
        return "no number"
    middle, radius = float(ball.mid()), float(ball.rad())
    if radius > 1e-9 * max(1.0, abs(middle)):
        return f"{middle - radius:.{digits}g} to {middle + radius:.{digits}g}"
    rounded = round(middle)
    if ball.contains(rounded) and abs(rounded) < 10**15:
        return str(rounded)
    return f"{middle:.{digits}g}"


def values(found: Balls, digits: int = DIGITS) -> str:
    """A ball, or an array of them as nested brackets."""
    if isinstance(found, np.ndarray) and found.ndim:
        return "[" + ", ".join(values(row, digits) for row in found) + "]"
    return number(found.item() if isinstance(found, np.ndarray) else found, digits)


def telling(exact: Balls, claimed: str) -> str:
    """As few digits as tell the exact number from a wrong one."""
    for digits in (DIGITS, 10, 15):
        if values(exact, digits) != claimed:
            break
    return values(exact, digits)


# ---- formulas


def spelled(formula: Formula) -> str:
    """A formula on one line."""
    return _spelled(formula)[0]


def _wrapped(formula: Formula, level: int) -> str:
    return wrapped(_spelled(formula), level)


def _spelled(formula: Formula) -> tuple[str, int]:
    match formula:
        case ("number", (_, text), *more):
            return text + ("…" if more else ""), 9
        case ("name" | "bare" | "any", (_, text)):
            return text, 9
        case ("gradient_of", (_, text)):
            return text, 9
        case ("add" | "sub" as op, a, b):
            sign = " + " if op == "add" else " - "
            return _wrapped(a, 1) + sign + _wrapped(b, 1 + (op == "sub")), 1
        case ("mul" | "juxta" | "hadamard" | "circle" | "matmul" as op, a, b):
            sign = {"hadamard": "⊙", "circle": " ∘ ", "matmul": " @ "}.get(op, "·")
            return _wrapped(a, 2) + sign + _wrapped(b, 3), 2
        case ("div" | "fraction", a, b):
            return _wrapped(a, 2) + "/" + _wrapped(b, 3), 2
        case ("div_beside", a, b, c):
            return f"{_wrapped(a, 2)}/{_wrapped(b, 3)}·{_wrapped(c, 3)}", 2
        case ("neg", a):
            return f"-{_wrapped(a, 2)}", 1
        case ("pos", a):
            return _spelled(a)
        case ("pow", a, b):
            return f"{_wrapped(a, 5)}^{_wrapped(b, 4)}", 4
    return _other(formula)


def _other(formula: Formula) -> tuple[str, int]:
    match formula:
        case ("euler",):
            return "e", 9
        case ("pi",):
            return "π", 9
        case ("transpose", a):
            return f"{_wrapped(a, 5)}^T", 4
        case ("vector", *parts):
            return f"[{', '.join(spelled(p) for p in parts)}]", 9
        case ("modulus", a):
            return f"|{spelled(a)}|", 9
        case ("root", a):
            return f"√({spelled(a)})", 9
        case ("root_of_number" | "root_of_name", (_, text)):
            return f"√{text}", 9
        case ("call" | "apply", (_, name), arguments):
            return f"{_inverse(name)}({_listed(arguments)})", 9
        case ("call_power", (_, name), (_, n), arguments):
            return f"{name}^{n}({_listed(arguments)})", 9
        case ("call_prime" | "apply_prime", (_, name), *middle, arguments):
            shown = _inverse(name) if _inverse(name) == name else f"({_inverse(name)})"
            return f"{shown}{_primes(middle)}({_listed(arguments)})", 9
        case ("apply_power", (_, name), (_, n), arguments):
            return f"{name}^{n}({_listed(arguments)})", 9
        case ("group_prime", of, primes):
            return f"({spelled(of)}){_primes([primes])}", 9
        case ("group_prime_at", of, primes, arguments):
            return f"({spelled(of)}){_primes([primes])}({_listed(arguments)})", 9
        case ("prime" | "bare_prime", (_, name), primes):
            return f"{name}{_primes([primes])}", 9
        case ("name_of", (_, name), arguments):
            return f"{name}({_listed(arguments)})", 9
    return _derivative(formula)


def _derivative(formula: Formula) -> tuple[str, int]:
    match formula:
        case ("derivative", inner, *at):
            return spelled(inner) + (at[0][1] if at else ""), 9
        case ("derivative_at", inner, place):
            return f"{spelled(inner)}({spelled(place)})", 9
        case ("d1", of, (_, wrt)):
            return f"∂{_wrapped(of, 9)}/∂{wrt}", 9
        case ("operator_of", (_, wrt), *of):
            return f"∂/∂{wrt} ({spelled(('juxta', *of))})", 9
        case ("d_operator" | "operator", (_, wrt), of):
            return f"∂/∂{wrt} ({spelled(of)})", 9
        case ("d2", (_, n), of, (_, wrt), _):
            return f"∂^{n}{_wrapped(of, 9)}/∂{wrt}^{n}", 9
        case ("d2_operator", (_, n), (_, wrt), _, of):
            return f"∂^{n}/∂{wrt}^{n} ({spelled(of)})", 9
        case ("indexed", (_, text)):
            return text, 9
        case ("gradient", of):
            return f"∇{_wrapped(of, 9)}", 9
        case ("juxta_number", (_, text), rest):
            return f"{text}·{_wrapped(rest, 3)}", 2
        case ("arguments", *parts):
            return ", ".join(spelled(part) for part in parts), 0
        case ("d_mixed", (_, n), of, (_, a), (_, b)):
            return f"∂^{n}{_wrapped(of, 9)}/∂{a}∂{b}", 9
    return "?", 9


def _inverse(name: str) -> str:
    """`f^{-1}` for the name that stands for it; any other name as it is."""
    of = name.removesuffix(INVERSE)
    return name if of == name else f"{of}^{{-1}}"


def _listed(arguments: Formula) -> str:
    return ", ".join(spelled(a) for a in arguments[1:])


def _primes(parts: list[Any]) -> str:
    return "'" * (len(parts[0][1:]) if parts else 1)


# ---- nodes

PRODUCT = {"plain": "·", "latex": r" \cdot ", "python": " * "}
POWER = {"plain": "^{}", "latex": "^{{{}}}", "python": "**{}"}
SPELLED = frozenset(
    "exp log sin cos tanh sqrt abs sigmoid softplus sign sinh cosh sech step maximum "
    "pow matmul transpose sum log1p expm1".split()
)


class _Unreadable(Exception):
    """A node that is not written as a formula."""


class Formulas:
    """Nodes of a program as formulas in the names of a place, or in their values."""

    def __init__(
        self,
        program: FileProgram,
        names: Mapping[int, str],
        point: Point | None = None,
        notation: str = "plain",
    ) -> None:
        self.program, self.names, self.point = program, names, point
        self.notation = notation

    def text(self, index: int) -> str:
        """The formula of a node; empty where it is too long to read."""
        try:
            text = self._text(index, top=True)[0]
        except (RecursionError, _Unreadable):
            return ""
        return text if len(text) <= SHOWN_FORMULA else ""

    def _text(self, index: int, top: bool = False) -> tuple[str, int]:
        node = self.program.record.nodes[index]
        if index in self.names and not top:
            return self._named(index)
        if node.op in ("data", "literal", "input"):
            return self._leaf(index)
        operands = [self._text(j) for j in node.operands]
        if sum(len(text) for text, _ in operands) > 4 * SHOWN_FORMULA:
            raise _Unreadable
        if node.op == "reshape" and node.shape != self._shape(node.operands[0]):
            raise _Unreadable
        if node.op in ("reshape", "slack", "slack_back", "accumulate"):
            return operands[0]
        if node.op in ("mul", "add"):
            return self._shortened(node.op, operands)
        if node.op in BINARY:
            return self._binary(node.op, operands)
        return self._applied(node, operands)

    def _shape(self, index: int) -> Any:
        return self.program.record.nodes[index].shape

    def _shortened(self, op: str, operands: list[tuple[str, int]]) -> tuple[str, int]:
        """Without factors 1 and summands 0."""
        neutral = "1" if op == "mul" else "0"
        rest = [o for o in operands if o[0] != neutral]
        if len(rest) == 1:
            return rest[0]
        if not rest:
            return neutral, 9
        if op == "mul" and "-1" in (rest[0][0], rest[1][0]):
            other = rest[1] if rest[0][0] == "-1" else rest[0]
            return f"-{wrapped(other, 2)}", 1
        return self._binary(op, operands)

    def _applied(self, node: Any, operands: list[tuple[str, int]]) -> tuple[str, int]:
        if node.op == "neg":
            return f"-{wrapped(operands[0], 2)}", 1
        if node.op == "power":
            n = f"{node.params['n']:g}"
            if n == "1":
                return operands[0]
            n = f"({n})" if n.startswith("-") and self.notation != "latex" else n
            return wrapped(operands[0], 5) + POWER[self.notation].format(n), 4
        if node.op == "matmul":
            return f"{wrapped(operands[0], 2)} @ {wrapped(operands[1], 3)}", 2
        if node.op == "transpose":
            return f"{wrapped(operands[0], 9)}.T", 9
        plain = node.op in SPELLED and not any(v for v in node.params.values())
        if not plain:
            raise _Unreadable
        mark = (
            "\\"
            if self.notation == "latex"
            and node.op in ("exp", "log", "sin", "cos", "tanh")
            else ""
        )
        return f"{mark}{node.op}({', '.join(t for t, _ in operands)})", 9

    def _binary(self, op: str, operands: list[tuple[str, int]]) -> tuple[str, int]:
        sign, level = BINARY[op]
        left = wrapped(operands[0], level)
        right = wrapped(operands[1], level + (op in ("sub", "div")))
        if right.startswith("-"):
            if op == "add":
                return f"{left} - {right[1:]}", level
            right = f"({right})"
        if sign == "·":
            return left + PRODUCT[self.notation] + right, level
        gap = " " if level == 1 else ""
        return f"{left}{gap}{sign}{gap}{right}", level

    def _named(self, index: int) -> tuple[str, int]:
        if self.point is None:
            return self.names[index], 9
        return _signed(values(self.point.value(index)))

    def _leaf(self, index: int) -> tuple[str, int]:
        """A number that has no name; all of an array, where its entries are equal."""
        node = self.program.record.nodes[index]
        if node.op == "input" and self.program.leaves[index].value is None:
            raise _Unreadable
        with ctx.workprec(64):
            found = flat((self.point or Point(self.program, {})).value(index))
        texts = {number(ball) for ball in found}
        if len(texts) != 1:
            raise _Unreadable
        return _signed(texts.pop())


def _signed(text: str) -> tuple[str, int]:
    return text, 1 if text.startswith("-") else 9
