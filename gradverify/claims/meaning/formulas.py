"""From a formula to its node on the program, in the names of its place."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from gradverify.claims.language.tokens import INVERSE
from gradverify.claims.language.vocabulary import (
    Depends,
    TextFormula,
    TextFunction,
    TextValue,
    Vocabulary,
)
from gradverify.claims.meaning.inverse_functions import inverse_at

Rule = Callable[..., Symbol]  # of the meaning and the parts of a formula


@dataclass(frozen=True, eq=False)
class Curve:
    """A name that an equation makes a function of another one: F(x, y) = 0.

    gap: F. x, y: leaves. slope: dy/dx, which is -∂F/∂x over ∂F/∂y.
    """

    of: str
    wrt: str
    gap: Symbol
    x: Symbol
    y: Symbol
    slope: Symbol


@dataclass(eq=False)
class Meaning:
    """Writes formulas down as nodes, each kind of formula by its rule.

    words: the names of the place. history: for a name, the nodes it has stood for.
    direct: whether derivatives within a formula hold the other names. approximate:
    whether the member stands after an ≈, so that its numbers are one unit wider.
    bound: names that have a node already. open: names whose formula is being read.
    moving: names that depend on another one, as r on t where dr/dt is spoken of.
    drawn: for functions without a formula, their coefficients. exact: whether
    decimals are taken as written, and not as everything that rounds to them. leaves:
    names without a value. unknown: of those, why code's value is not known. curves:
    names along which a derivative was taken through a third one. made: what functions
    of the text gave, so that u(x) is one node wherever it stands. curve: an equation
    by which a name is a function of another one.
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
    open: set[str] = field(default_factory=set)
    moving: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drawn: dict[str, list[Symbol]] = field(default_factory=dict)
    exact: bool = False
    leaves: dict[str, Symbol] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    curves: list[str] = field(default_factory=list)
    made: dict[Hashable, Symbol] = field(default_factory=dict)
    curve: Curve | None = None

    def node(self, formula: Formula) -> Symbol:
        """The node of a formula; `NotUnderstood` where it has none."""
        kind, *parts = formula
        rule = self.rules.get(kind)
        if rule is None:
            raise NotUnderstood(f"{kind} is not understood here")
        return rule(self, *parts)

    def inside(self, bound: Mapping[str, Value]) -> Meaning:
        """The same place with some names bound to other nodes.

        Names that are defined by formulas are read anew, in the light of those.
        """
        kept = {
            name: value
            for name, value in self.bound.items()
            if not isinstance(self.words.names.get(name), TextValue)
        }
        return replace(self, bound={**kept, **bound}, open=set(self.open))

    # ---- names and numbers

    def value(self, name: str) -> Value:
        """What a name stands for."""
        if name in self.bound:
            return self.bound[name]
        found = self.words.names.get(name)
        if name in self.moving and not isinstance(found, TextFormula | Function):
            found = Depends(name, self.moving[name])
        if isinstance(found, TextFormula):
            found = self._read(found)
        elif isinstance(found, Depends):
            known = self.any_name if name in self.moving else self.named
            operands = [known(n) for n in found.on]
            self.bound[name] = found = self.any_function(name, operands)
        elif found is None and (name in self.words.free or self.open):
            self.bound[name] = found = self.any_number(name)
        elif isinstance(found, Unknown) and len(name.split("_")[0]) == 1:
            self.unknown.setdefault(name, found.reason)
            self.bound[name] = found = self.any_number(name)
        if found is None:
            raise NotUnderstood(f"{name} has no value in this file")
        if isinstance(found, Unknown):
            raise NotUnderstood(found.reason)
        return found

    def _read(self, found: TextFormula) -> Symbol:
        """The node of a name that a text defines by a formula."""
        if found.name in self.open:
            raise NotUnderstood(f"{found.name} is defined by itself")
        self.open.add(found.name)
        try:
            node = self.code.program.copy(self.node(found.formula))
        finally:
            self.open.discard(found.name)
        self.bound[found.name] = node
        return node

    def any_function(self, name: str, operands: Sequence[Symbol]) -> Symbol:
        """A function of which nothing is known but its operands: one drawn by us.

        It is a polynomial whose coefficients are open. What holds for it wherever they
        are moved to holds for every function that has two derivatives.
        """
        program = self.code.program
        terms: list[tuple[Symbol, ...]] = [(), *((x,) for x in operands)]
        terms += [(x, y) for i, x in enumerate(operands) for y in operands[i:]]
        if name not in self.drawn:
            leaf = Leaf((), reason=f"{name} is any function")
            self.drawn[name] = [program.leaf(leaf) for _ in terms]
        if len(self.drawn[name]) != len(terms):
            raise NotUnderstood(f"{name} is applied to different numbers of operands")
        result = self.drawn[name][0]
        for factor, term in zip(self.drawn[name][1:], terms[1:], strict=True):
            for x in term:
                factor = program.apply("mul", factor, x)
            result = program.apply("add", result, factor)
        return program.copy(result)

    def named(self, name: str) -> Symbol:
        """The node that a name stands for."""
        value = self.value(name)
        if isinstance(value, TextFunction | Function):
            return self.applied(value, self.parameters(value))
        return symbol(self.code.program, value)

    def number(self, text: str, ellipsis: bool = False) -> Symbol:
        """A written number: exact where it is whole, else all that rounds to it."""
        value, half = interval(text, self.approximate or ellipsis)
        if self.exact:
            return self.code.program.number(value, is_constant=True)
        return self.code.program.leaf(
            Leaf((), _object(value), _object(half), is_constant=True)
        )

    def parameters(self, function: Any) -> list[Symbol]:
        """The nodes that a function's parameters stand for in this place."""
        if isinstance(function, Function):
            names = tuple(a.arg for a in function.parameters.args)
        else:
            names = function.parameters
        return [self.any_name(name) for name in names]

    def any_number(self, name: str) -> Symbol:
        """A leaf for a name that has no value, the same one wherever it is met."""
        if name not in self.leaves:
            leaf = Leaf((), reason=f"{name} has no value in this file")
            self.leaves[name] = self.code.program.leaf(leaf)
        return self.leaves[name]

    def any_name(self, name: str) -> Symbol:
        """The node of a name, which may be one that stands for any number."""
        try:
            return self.named(name)
        except NotUnderstood:
            self.bound[name] = found = self.any_number(name)
            return found

    def names_of(self, name: str) -> tuple[str, ...]:
        """What a function is a function of, in the order in which it is written."""
        value = self.words.names.get(name)
        if isinstance(value, TextFunction):
            return value.parameters
        if isinstance(value, Function):
            return tuple(a.arg for a in value.parameters.args)
        if isinstance(value, TextFormula):
            return tuple(dict.fromkeys(self._leaves_of(value.formula, {name})))
        raise NotUnderstood(f"{name} is no function that a text defines")

    def _leaves_of(self, formula: Any, seen: set[str]) -> Iterator[str]:
        for name in names_in(formula):
            value = self.words.names.get(name)
            if isinstance(value, TextFormula) and name not in seen:
                yield from self._leaves_of(value.formula, seen | {name})
            elif not isinstance(value, TextFunction | Function):
                yield name

    # ---- derivatives

    def derivative(self, of: Symbol, wrt: str) -> Symbol:
        """By the node that the name stood for when `of` was computed from it."""
        program, x = self.code.program, self.named(wrt)
        if self.curve is not None and wrt == self.curve.wrt:
            return self.along(self.curve, of)
        if not program.depends(of.index, x.index):
            for older in reversed(self.history.get(wrt, [])):
                if program.depends(of.index, older.index):
                    self.bound[wrt] = x = older
                    break
            else:
                return self.along_a_curve(of, x, wrt)
        stops = frozenset(self.stops()) if self.direct else frozenset()
        if len(of.shape) == 1 and len(x.shape) == 1 and not stops:
            return self.jacobian(of, x)
        return program.derivative(of, x, stops)

    def put_on(self, left: Formula, right: Formula, of: str, wrt: str) -> None:
        """Make a name a function of another one by the equation left = right."""
        program = self.code.program
        x, y = self.any_name(wrt), self.any_name(of)
        if not {x.index, y.index} <= {*program.leaves}:
            raise NotUnderstood(f"{of} is computed from other names")
        gap = program.apply("sub", self.node(left), self.node(right))
        down, across = (program.derivative(gap, leaf) for leaf in (y, x))
        slope = program.apply("neg", program.apply("div", across, down))
        self.curve = Curve(of, wrt, gap, x, y, slope)

    def along(self, curve: Curve, of: Symbol) -> Symbol:
        """d/dx of what depends on x, and on y, which depends on x."""
        program = self.code.program
        direct = program.derivative(of, curve.x)
        through = program.derivative(of, curve.y)
        product = program.apply("mul", through, curve.slope)
        return program.apply("add", direct, product)

    def jacobian(self, of: Symbol, x: Symbol) -> Symbol:
        """∂y/∂x of vectors: a row for each entry of y; entry by entry, the diagonal."""
        program = self.code.program
        try:
            return program.derivative(of, x)
        except NotUnderstood:
            rows = []
            for k in range(of.shape[0]):
                entry = program.apply("slice", of, axis=(-1,), start=k, stop=k + 1)
                row = program.derivative(program.apply("reshape", entry, shape=()), x)
                rows.append(row)
            return symbol(program, tuple(rows))

    def along_a_curve(self, of: Symbol, x: Symbol, wrt: str) -> Symbol:
        """dy/dx where y and x are both computed from one t: (dy/dt)/(dx/dt)."""
        program = self.code.program
        common = [
            i
            for i in {*program.cut(of.index).leaves} & {*program.cut(x.index).leaves}
            if not program.leaves[i].is_constant
        ]
        if len(common) != 1 or {x.index, of.index} & {*program.leaves}:
            why = f"the text does not say how what is differentiated depends on {wrt}"
            raise NotUnderstood(next(iter(self.unknown.values()), why))
        self.curves.append(wrt)
        t = Symbol(program.record, common[0])
        top, bottom = (program.derivative(y, t) for y in (of, x))
        return program.apply("div", top, bottom)

    def stops(self) -> list[int]:
        """The nodes that have names."""
        values = [*self.words.names.values(), *self.bound.values()]
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
            names = function.parameters
            if len(operands) != len(names):
                raise NotUnderstood(f"{function.name} takes {len(names)} operands")
            if function.name in self.open:
                raise NotUnderstood(f"{function.name} is defined by itself")
            inner = self.inside(dict(zip(names, operands, strict=True)))
            bound = {
                k: v.index for k, v in inner.bound.items() if isinstance(v, Symbol)
            }
            key = (id(function), tuple(sorted(bound.items())))
            if key not in self.made:
                inner.open.add(function.name)
                inner.direct = False
                self.made[key] = inner.node(function.formula)
            return self.made[key]
        if not isinstance(function, Function):
            raise NotUnderstood("a value is applied, and not a function")
        if not operands:
            raise NotUnderstood(f"{function.name} is not applied to anything")
        return symbol(self.code.program, follow(self.code, function, tuple(operands)))

    def called(self, name: str, operands: list[Symbol]) -> Symbol:
        """A name that is applied: a function, a computed name, or an unknown one."""
        value = self.words.names.get(name)
        if name not in self.bound and isinstance(value, TextFormula):
            names = self.names_of(name)
            if len(names) != len(operands):
                raise NotUnderstood(f"{name} is computed from {', '.join(names)}")
            same = all(
                self.any_name(n).index == x.index
                for n, x in zip(names, operands, strict=True)
            )
            bound = {} if same else dict(zip(names, operands, strict=True))
            return (self if same else self.inside(bound)).named(name)
        if name not in self.bound and isinstance(value, Depends):
            return self.named(name)
        if value is None and name not in self.bound and name.endswith(INVERSE):
            (x,) = operands
            of = self.words.names.get(name.removesuffix(INVERSE))
            if not isinstance(of, TextFunction) or len(of.parameters) != 1:
                raise NotUnderstood("the inverse function is not written down")
            return inverse_at(self.code.program, lambda a: self.applied(of, [a]), x)
        if value is None and (name not in self.bound or name in self.drawn):
            result = self.any_function(name, operands)
            self.bound.setdefault(name, result)
            return result
        return self.applied(self.value(name), operands)

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


def names_in(formula: Any) -> Iterator[str]:
    """The names that a formula mentions, in its order."""
    if isinstance(formula, tuple) and formula:
        if formula[0] in ("NAME", "UFUNC", "UCALL"):
            yield formula[1]
        elif formula[0] == "INDEXED":  # f_xy
            stem, _, index = formula[1].rpartition("_")
            yield from (stem, *index)
        else:
            for part in formula[1:]:
                yield from names_in(part)


def _object(value: Any) -> Any:
    return np.asarray(value, dtype=object)


def number_leaf(meaning: Meaning, text: str) -> Symbol:
    """A stated number, taken exactly."""
    sign = -1 if text.startswith("-") else 1
    value, _ = interval(text.lstrip("-"))
    return meaning.code.program.number(sign * value, is_constant=True)
