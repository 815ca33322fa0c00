"""What the names of a file stand for, place by place: code and text in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.events import Snapshot
from gradverify.claims.code.journal import Journal
from gradverify.claims.computation.file_program import Leaf, NotUnderstood, understood
from gradverify.claims.computation.numbers import interval
from gradverify.claims.computation.point import Balls, ball
from gradverify.claims.language.grammar import Formula, readings
from gradverify.claims.language.segmentation import RELATIONS, Segment, parts_of
from gradverify.claims.language.tokens import GREEK, LONGEST, Token, rewritten, scan
from gradverify.claims.language.vocabulary import TextFunction, Vocabulary, free_names
from gradverify.claims.meaning.formulas import Meaning
from gradverify.claims.meaning.kinds import RULES
from gradverify.claims.sources.fragments import Fragment


@dataclass(frozen=True, eq=False)
class State:
    """The names after a line, and the values that texts have given to leaves."""

    cell: int
    line: int
    names: Mapping[str, Any]
    values: Mapping[int, Balls] = field(default_factory=dict)
    backwards: tuple[Symbol, ...] = ()
    formulas: Mapping[str, Formula] = field(default_factory=dict)


@dataclass(eq=False)
class States:
    """All states of a file, in order; those within functions apart."""

    code: Journal
    outer: list[State] = field(default_factory=list)
    inner: list[State] = field(default_factory=list)
    history: dict[str, list[Symbol]] = field(default_factory=dict)
    coded: frozenset[str] = frozenset()

    def at(self, fragment: Fragment) -> Iterator[State]:
        """The state of a place, then the later ones, each with other names."""
        place = (fragment.cell, fragment.line)
        within = [
            s for s in self.inner if (s.cell, s.line) <= place and s.cell == place[0]
        ]
        near = [s for s in self.outer if (s.cell, s.line) <= place]
        later = [s for s in self.outer if (s.cell, s.line) > place]
        if near:
            yield near[-1]
        else:
            yield State(-1, 0, {})
        if within:
            yield within[-1]
        yield from later[:40]
        if len(later) > 40:
            yield later[-1]

    def taken(
        self, names: Mapping[str, Any], new: Mapping[str, Any], old: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The names after a statement: what code names, a text no longer does."""
        result = dict(names)
        for name, value in new.items():
            if old.get(name) is not value:
                for other in [
                    n for n in result if n not in new and _plainly(n) == _plainly(name)
                ]:
                    del result[other]
                result[name] = value
                self.remember(name, value)
        return result

    def open(self, name: str) -> Symbol:
        """A leaf for a name whose value is not stated, or not yet."""
        leaf = Leaf((), reason=f"{name} has no value in this file")
        symbol = self.code.program.leaf(leaf)
        self.remember(name, symbol)
        return symbol

    def with_letters(
        self, formula: Formula, names: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The names, and a leaf for each letter of a formula that is none of them."""
        letters = dict.fromkeys(n for n in _names_in(formula) if n not in names)
        return {**names, **{letter: self.open(letter) for letter in letters}}

    def node(self, formula: Formula, names: Mapping[str, Any]) -> Symbol:
        """A formula as a node of its own."""
        node = Meaning(RULES, self.code, Vocabulary(names)).node(formula)
        return self.code.program.copy(node) if formula[0] in ("name", "bare") else node

    def remember(self, name: str, value: Any) -> None:
        """Keep the nodes that a name has stood for."""
        if isinstance(value, Symbol):
            self.history.setdefault(name, []).append(value)

    def parts(self, text: str, state: State) -> list[Segment]:
        """The parts of a text in which any letter may be a name."""
        tokens, known = scan(text), Vocabulary(state.names)
        letters = frozenset(w for w in _letters(tokens) if known.find(w) is None)
        words = Vocabulary(state.names, free_names(text, state.names) | letters)
        return parts_of(tokens, words)

    def read(self, fragment: Fragment, state: State) -> State:
        """The state after the definitions of a text."""
        if "=" not in fragment.text or len(fragment.text) > LONGEST:
            return state
        try:
            with understood():
                parts = self.parts(rewritten(fragment.text), state)
        except NotUnderstood:
            return state
        for part in parts:
            line = fragment.line + part.line
            changed = _defined(self, part, state, fragment.kind == "doc")
            if changed is not None:
                state = replace(changed, cell=fragment.cell, line=line)
                self.outer.append(state)
        return state


def states_of(code: Journal, fragments: list[Fragment]) -> States:
    """Go through a file's statements and texts in their order."""
    result = States(code, coded=frozenset(n for s in code.snapshots for n in s.names))
    events: list[tuple[int, int, int, Any]] = []
    for snapshot in code.snapshots:
        if snapshot.depth:
            result.inner.append(_plain(snapshot))
        else:
            events.append((snapshot.cell, snapshot.line, 1, snapshot))
    events += [(f.cell, f.line, 0, f) for f in fragments if f.defines]
    result.inner.sort(key=lambda s: (s.cell, s.line))
    current, seen = State(-1, 0, {}), Snapshot(-1, 0, {})
    for cell, line, _, event in sorted(events, key=lambda e: e[:3]):
        if isinstance(event, Snapshot):
            names = result.taken(current.names, event.names, seen.names)
            seen = event
            current = replace(
                current, cell=cell, line=line, names=names, backwards=event.backwards
            )
            result.outer.append(current)
        else:
            current = result.read(event, current)
    return result


def _plain(snapshot: Snapshot) -> State:
    return State(snapshot.cell, snapshot.line, snapshot.names, {}, snapshot.backwards)


def _letters(tokens: list[Token]) -> frozenset[str]:
    """Words of one letter, with an index: what a text may define."""
    found = set()
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        is_euler = token.text == "e" and following and following.kind == "CARET"
        if token.kind == "WORD" and not is_euler:
            stem = token.text.split("_")[0]
            if (
                len(stem) == 1
                or token.text.endswith("_hat")
                or stem in {*GREEK} - {"pi", "sigma"}
                or (len(token.text) == 2 and token.text[1].isdigit())
            ):
                found.add(token.text)
    return frozenset(found)


def _defined(
    states: States, part: Segment, state: State, cautious: bool
) -> State | None:
    """The state after `name = formula`, or None where the part is none."""
    tokens = _trimmed(part.tokens)
    relation = next((i for i, t in enumerate(tokens) if t.kind in RELATIONS), None)
    kinds = {t.kind for t in tokens}
    if not relation or kinds & {"D", "GRADOF", "PRIME", "PROSE", "UNKNOWN", "OTHER"}:
        return None
    head, first, kind = tokens[:relation], tokens[0].text, tokens[0].kind
    if cautious and first in states.coded:
        return None
    members = _members(tokens[relation + 1 :])
    if not members:
        return None
    if kind in ("NAME", "UFUNC") and len(head) == 1:
        number = _written(members[0])
        if number is not None:
            return _number(states, first, number, state)
        return _formula(states, first, members[0], state)
    is_call = len(head) >= 4 and head[1].kind == "LPAR" and head[-1].kind == "RPAR"
    if kind in ("NAME", "UFUNC", "UCALL", "FUNC") and is_call:
        parameters = tuple(t.text for t in head[2:-1] if t.kind == "NAME")
        return _function(states, first, parameters, members[0], state)
    return None


def _trimmed(tokens: list[Token]) -> list[Token]:
    """Without the prose before the name that a definition begins with."""
    relation = next((i for i, t in enumerate(tokens) if t.kind in RELATIONS), 0)
    prose = [
        i for i, t in enumerate(tokens[:relation]) if t.kind in ("PROSE", "CONNECTIVE")
    ]
    return tokens[prose[-1] + 1 :] if prose else tokens


def _number(states: States, name: str, number: Fraction, state: State) -> State | None:
    """`x = 2`: the value of a name that texts alone speak of."""
    known = state.names.get(name)
    if isinstance(known, Symbol) and known.index in states.code.program.leaves:
        if name in states.coded:
            return None
        return replace(state, values={**state.values, known.index: ball(number)})
    if known is not None:
        return None
    leaf = states.open(name)
    values = {**state.values, leaf.index: ball(number)}
    return replace(state, names={**state.names, name: leaf}, values=values)


def _formula(states: States, name: str, formula: Formula, state: State) -> State | None:
    """`e = (a + b)(ab)`; what was written with a name that it explains follows it."""
    known, names = state.names.get(name), states.with_letters(formula, state.names)
    try:
        names[name] = states.node(formula, names)
        formulas = {**state.formulas, name: formula}
        if isinstance(known, Symbol) and known.index in states.code.program.leaves:
            for other, rest in state.formulas.items():
                node = names.get(other)
                if isinstance(node, Symbol) and states.code.program.depends(
                    node.index, known.index
                ):
                    names[other] = states.node(rest, names)
                    states.remember(other, names[other])
    except NotUnderstood:
        return None
    states.remember(name, names[name])
    return replace(state, names=names, formulas=formulas)


def _function(
    states: States,
    name: str,
    parameters: tuple[str, ...],
    formula: Formula,
    state: State,
) -> State | None:
    """`f(x) = x^2`."""
    if not parameters or name in states.coded:
        return None
    names = dict(state.names)
    for parameter in parameters:
        if not isinstance(names.get(parameter), Symbol):
            names[parameter] = states.open(parameter)
    names = states.with_letters(formula, names)
    names[name] = TextFunction(name, parameters, formula, dict(names))
    return replace(state, names=names)


def _members(tokens: list[Token]) -> list[Formula]:
    """The members after the first `=`, where there is one reading."""
    try:
        found = readings(tokens)
    except NotUnderstood:
        return []
    return found[0][0] if len(found) == 1 else []


def _written(formula: Formula) -> Any:
    match formula:
        case ("number", (_, text)):
            return interval(text)[0]
        case ("neg", ("number", (_, text))):
            return -interval(text)[0]
    return None


def _plainly(name: str) -> str:
    return name.replace("_", "")


def _names_in(formula: Any) -> Iterator[str]:
    if isinstance(formula, tuple) and formula:
        if formula[0] in ("NAME",):
            yield formula[1]
        else:
            for part in formula[1:]:
                yield from _names_in(part)


__all__ = ["State", "States", "states_of"]
