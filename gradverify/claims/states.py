"""What the names of a file stand for, place by place: code and text in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flint import ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code import Code, Snapshot
from gradverify.claims.finding import Fragment
from gradverify.claims.grammar import Formula, readings
from gradverify.claims.meaning import Meaning, assignments, interval
from gradverify.claims.naming import (
    RELATIONS,
    Part,
    TextFunction,
    Vocabulary,
    free_names,
    parts_of,
)
from gradverify.claims.point import PRECISION, Balls, Point, ball, flat
from gradverify.claims.rewriting import LONGEST, Token, rewritten, scan
from gradverify.claims.trail import Leaf, NotUnderstood
from gradverify.claims.values import Unknown

LETTER = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True, eq=False)
class State:
    """The names after a line, and the values that texts have given to leaves."""

    cell: int
    line: int
    names: Mapping[str, Any]
    values: Mapping[int, Balls] = field(default_factory=dict)
    backwards: tuple[Symbol, ...] = ()


@dataclass(eq=False)
class States:
    """All states of a file, in order; those within functions apart."""

    code: Code
    outer: list[State] = field(default_factory=list)
    inner: list[State] = field(default_factory=list)
    history: dict[str, list[Symbol]] = field(default_factory=dict)
    coded: frozenset[str] = frozenset()

    def at(self, fragment: Fragment) -> Iterator[State]:
        """The state of a place, then the later ones, each with other names."""
        place = (fragment.cell, fragment.line)
        within = [s for s in self.inner if (s.cell, s.line) <= place and s.cell == place[0]]  # fmt: skip  # noqa: E501
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

    def remember(self, name: str, value: Any) -> None:
        """Keep the nodes that a name has stood for."""
        if isinstance(value, Symbol):
            self.history.setdefault(name, []).append(value)

    def read(self, fragment: Fragment, state: State) -> State:
        """The state after the definitions of a text."""
        if "=" not in fragment.text or len(fragment.text) > LONGEST:
            return state
        text = rewritten(fragment.text)
        try:
            tokens = scan(text)
            letters = _letters(tokens) - set(state.names)
            words = Vocabulary(state.names, free_names(text, state.names) | letters)
            parts = parts_of(tokens, words)
        except NotUnderstood:
            return state
        for part in parts:
            line = fragment.line + part.line
            changed = _defined(self, part, state, letters, fragment.kind == "doc")
            if changed is not None:
                names, values = changed
                state = State(fragment.cell, line, names, values, state.backwards)
                self.outer.append(state)
        return state


def states_of(code: Code, fragments: list[Fragment]) -> States:
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
            names = dict(current.names)
            for name, value in event.names.items():
                if seen.names.get(name) is not value:
                    names[name] = value
                    result.remember(name, value)
            seen = event
            current = State(cell, line, names, current.values, event.backwards)
            result.outer.append(current)
        else:
            current = result.read(event, current)
    return result


def _plain(snapshot: Snapshot) -> State:
    return State(
        snapshot.cell, snapshot.line, snapshot.names, {}, snapshot.backwards
    )


def _letters(tokens: list[Token]) -> frozenset[str]:
    """Words of one letter, with an index: what a text may define."""
    found = set()
    for token in tokens:
        if token.kind == "WORD":
            stem = token.text.split("_")[0]
            if len(stem) == 1 or token.text.endswith("_hat") or stem in GREEK_STEMS:
                found.add(token.text)
            elif len(token.text) == 2 and token.text[1].isdigit():
                found.add(token.text)
    return frozenset(found)


GREEK_STEMS = frozenset("alpha beta gamma delta epsilon theta lambda mu rho phi psi omega eta".split())  # fmt: skip  # noqa: E501


def _defined(
    states: States, part: Part, state: State, letters: frozenset[str], cautious: bool
) -> tuple[dict[str, Any], dict[int, Balls]] | None:
    """The names and values after `name = formula`, or None where it is none."""
    tokens = _trimmed(part.tokens)
    relation = next((i for i, t in enumerate(tokens) if t.kind in RELATIONS), None)
    if not relation or any(t.kind in ("D", "GRADOF", "PRIME") for t in tokens):
        return None
    head, kind = tokens[:relation], tokens[0].kind
    if any(t.kind in ("PROSE", "UNKNOWN", "OTHER") for t in tokens):
        return None
    first = tokens[0].text
    if cautious and first in states.coded:
        return None
    if kind in ("NAME", "UFUNC") and len(head) == 1:
        return _value(states, first, tokens[relation + 1 :], state)
    is_call = len(head) >= 4 and head[1].kind == "LPAR" and head[-1].kind == "RPAR"
    if kind in ("NAME", "UFUNC", "FUNC") and is_call:
        parameters = tuple(t.text for t in head[2:-1] if t.kind == "NAME")
        rest = tokens[relation + 1 :]
        return _function(states, first, parameters, rest, state)
    del letters
    return None


def _trimmed(tokens: list[Token]) -> list[Token]:
    """Without the prose before the name that a definition begins with."""
    relation = next((i for i, t in enumerate(tokens) if t.kind in RELATIONS), 0)
    prose = [i for i, t in enumerate(tokens[:relation]) if t.kind in ("PROSE", "CONNECTIVE")]  # fmt: skip  # noqa: E501
    return tokens[prose[-1] + 1 :] if prose else tokens


def _value(
    states: States, name: str, right: list[Token], state: State
) -> tuple[dict[str, Any], dict[int, Balls]] | None:
    members = _members(right)
    if not members:
        return None
    known, code = state.names.get(name), states.code
    number = _written(members[0])
    names, values = dict(state.names), dict(state.values)
    if number is not None:
        if isinstance(known, Symbol) and known.index in code.trail.leaves:
            if name not in states.coded:
                values[known.index] = ball(number)
                return names, values
            return None
        if known is not None:
            return None
        leaf = code.trail.leaf(Leaf((), reason=f"{name} has no value in this file"))
        names[name], values[leaf.index] = leaf, ball(number)
        states.remember(name, leaf)
        return names, values
    free = frozenset(_names_in(members[0])) - set(names)
    for letter in free:
        leaf = code.trail.leaf(Leaf((), reason=f"{letter} has no value in this file"))
        names[letter] = leaf
    try:
        node = Meaning(code, Vocabulary(names)).node(members[0])
    except NotUnderstood:
        return None
    if isinstance(known, Symbol) and _same(states, known, node, values):
        return None
    names[name] = code.trail.copy(node)
    states.remember(name, names[name])
    return names, values


def _function(
    states: States, name: str, parameters: tuple[str, ...], right: list[Token], state: State  # noqa: E501
) -> tuple[dict[str, Any], dict[int, Balls]] | None:
    members = _members(right)
    if not members or not parameters or name in states.coded:
        return None
    names = dict(state.names)
    scope = dict(names)
    for parameter in parameters:
        leaf = states.code.trail.leaf(
            Leaf((), reason=f"{parameter} has no value in this file")
        )
        scope[parameter] = names.get(parameter, leaf)
        names.setdefault(parameter, leaf)
    for letter in frozenset(_names_in(members[0])) - set(names):
        leaf = states.code.trail.leaf(
            Leaf((), reason=f"{letter} has no value in this file")
        )
        names[letter] = scope[letter] = leaf
    names[name] = TextFunction(name, parameters, members[0], scope)
    return names, dict(state.values)


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


def _names_in(formula: Any) -> Iterator[str]:
    if isinstance(formula, tuple) and formula:
        if formula[0] in ("NAME",):
            yield formula[1]
        else:
            for part in formula[1:]:
                yield from _names_in(part)


def _same(states: States, a: Symbol, b: Symbol, values: Mapping[int, Balls]) -> bool:
    """Whether two nodes have one value, here or wherever their leaves are moved to."""
    from gradverify.claims.point import drawn

    if a.shape != b.shape:
        return False
    trail = states.code.trail
    with ctx.workprec(PRECISION):
        here = Point(trail, values)
        found = [flat(here.value(x.index)) for x in (a, b)]
        if all(v.is_finite() for row in found for v in row):
            return all(x.overlaps(y) for x, y in zip(*found, strict=True))
        moved = {i for x in (a, b) for i in trail.cut(x.index).leaves}
        there = drawn(trail, moved, 1)
        found = [flat(there.value(x.index)) for x in (a, b)]
        return all(x.overlaps(y) for x, y in zip(*found, strict=True))


__all__ = ["State", "States", "Unknown", "assignments", "states_of"]
