"""From a formula to its node on the program, in the names of its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.statements import follow
from gradverify.claims.computation.bindings import Function, Unknown, Value, symbol
from gradverify.claims.computation.file_program import Leaf, NotUnderstood
from gradverify.claims.computation.numbers import interval
from gradverify.claims.language.assignments import assignments
from gradverify.claims.language.grammar import Formula
from gradverify.claims.language.vocabulary import TextFunction, Vocabulary

Rule = Callable[..., Symbol]  # of the meaning and the parts of a formula


@dataclass(eq=False)
class Meaning:
    """Writes formulas down as nodes, each kind of formula by its rule.

    words: the names of the place. history: for a name, the nodes it has stood for.
    direct: whether derivatives within a formula hold the other names. approximate:
    whether the member stands after an ≈, so that its numbers are one unit wider.
    """

    rules: Mapping[str, Rule]
    code: Journal
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
        rule = self.rules.get(kind)
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
            self.bound[name] = found = self.code.program.leaf(leaf)
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
        return symbol(self.code.program, value)

    def number(self, text: str, ellipsis: bool = False) -> Symbol:
        """A written number: exact where it is whole, else all that rounds to it."""
        value, half = interval(text, self.approximate or ellipsis)
        return self.code.program.leaf(
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
            found.append(symbol(self.code.program, here))
        return found

    # ---- derivatives

    def derivative(self, of: Symbol, wrt: str) -> Symbol:
        """By the node that the name stood for when `of` was computed from it."""
        program, x = self.code.program, self.named(wrt)
        if not program.depends(of.index, x.index):
            for older in reversed(self.history.get(wrt, [])):
                if program.depends(of.index, older.index):
                    self.bound[wrt] = x = older
                    break
        stops = frozenset(self.stops()) if self.direct else frozenset()
        return program.derivative(of, x, stops)

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
            inner = Meaning(self.rules, self.code, Vocabulary(scope), self.history)
            inner.bound = dict(zip(names, operands, strict=True))
            return inner.node(function.formula)
        if not operands:
            raise NotUnderstood(f"{function.name} is not applied to anything")
        return symbol(self.code.program, follow(self.code, function, tuple(operands)))

    def primed(self, function: Any, operands: list[Symbol], order: int) -> Symbol:
        """`f'(x)`: by the one operand, which becomes a node of its own."""
        if not operands:
            operands = self.parameters(function)
        if len(operands) != 1:
            raise NotUnderstood("a prime needs a function of one operand")
        x = self.code.program.copy(operands[0])
        if operands[0].index in self.code.program.leaves:
            x = operands[0]
        result = self.applied(function, [x])
        for _ in range(order):
            result = self.code.program.derivative(result, x)
        return result


def _object(value: Any) -> Any:
    return np.asarray(value, dtype=object)


def number_leaf(meaning: Meaning, text: str) -> Symbol:
    """A stated number, taken exactly."""
    sign = -1 if text.startswith("-") else 1
    value, _ = interval(text.lstrip("-"))
    return meaning.code.program.number(sign * value)


# ---- one rule a kind of formula
