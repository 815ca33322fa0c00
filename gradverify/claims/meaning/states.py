"""What the names of a file stand for, place by place: code and text in their order.

A text defines names by formulas, which are kept as formulas: what they mean is found
out where they are used, so that the order of `y = w x` and `w = 2` does not matter.
Every definition and every statement of code makes a new state, and a claim is read in
the state of its own place. So of two functions called f, each is differentiated where
it stands: in its list item, its table row, its sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from flint import ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import FRAGMENT_CHARACTERS, REREADINGS
from gradverify.claims.code.events import Snapshot
from gradverify.claims.code.journal import Journal
from gradverify.claims.computation.bindings import Unknown
from gradverify.claims.computation.file_program import (
    Leaf,
    NotUnderstood,
    understood,
)
from gradverify.claims.computation.point import PRECISION, Balls, Point, flat
from gradverify.claims.language.candidates import is_claim, looks_like_a_claim
from gradverify.claims.language.grammar import Formula, readings
from gradverify.claims.language.index_sums import Sums, sums_of
from gradverify.claims.language.segmentation import RELATIONS, Segment, parts_of
from gradverify.claims.language.tokens import INVERSE, Token, rewritten, scan
from gradverify.claims.language.vocabulary import (
    Depends,
    Place,
    TextFormula,
    TextFunction,
    TextValue,
    Vocabulary,
    free_words,
)
from gradverify.claims.meaning.formulas import Meaning, names_in
from gradverify.claims.meaning.kinds import RULES
from gradverify.claims.sources.fragments import Fragment
from gradverify.ops import Shape

ROUGH = 0.05  # relative: how far a rounded number may be from the one of the code


@dataclass(frozen=True, eq=False)
class Relation:
    """An equation between two letters, which says how one depends on the other.

    names: the two, in the order of the alphabet.
    """

    left: Formula
    right: Formula
    names: tuple[str, str]
    place: Place


@dataclass(frozen=True, eq=False)
class State:
    """The names after a line, and the values that texts have given to leaves.

    clashes: names to which text and code give different values. stated: where a text
    gave a number to a name. again: functions that a section defines several times.
    relation: the last equation between two letters. unread: names that a definition
    was given for which is not understood, and none before it that is.
    """

    cell: int
    line: int
    names: Mapping[str, Any]
    values: Mapping[int, Balls] = field(default_factory=dict)
    backwards: tuple[Symbol, ...] = ()
    clashes: frozenset[str] = frozenset()
    stated: Mapping[str, Place] = field(default_factory=dict)
    relation: Relation | None = None
    again: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Reading:
    """A text as it was cut: its tokens, its parts that are claims with their states."""

    fragment: Fragment
    tokens: Sequence[Token]
    claims: Sequence[tuple[Segment, State]]
    parts: Sequence[Segment]
    problem: str = ""


@dataclass(eq=False)
class States:
    """All states of a file, in order; those within functions apart."""

    code: Journal
    outer: list[State] = field(default_factory=list)
    inner: list[State] = field(default_factory=list)
    history: dict[str, list[Symbol]] = field(default_factory=dict)
    coded: frozenset[str] = frozenset()
    primed: frozenset[str] = frozenset()
    readings: list[Reading] = field(default_factory=list)
    sums: Sums | None = None

    def around(self, fragment: Fragment, own: State) -> Iterator[State]:
        """The state of a place, then the later ones, each with other names."""
        place = (fragment.cell, fragment.line)
        within = [
            s for s in self.inner if (s.cell, s.line) <= place and s.cell == place[0]
        ]
        later = [s for s in self.outer if (s.cell, s.line) > place]
        yield own
        if within:
            yield within[-1]
        yield from later[:40]
        if len(later) > 40:
            yield later[-1]

    def taken(
        self, names: Mapping[str, Any], new: Mapping[str, Any], old: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The names after a statement of code.

        What code names, a text no longer does; but where code uses the name for
        something that is no number, as `f, ax = plt.subplots()`, the text's stays.
        """
        result = dict(names)
        for name, value in new.items():
            if old.get(name) is value:
                continue
            if isinstance(value, Unknown) and isinstance(names.get(name), TextValue):
                continue
            for other in [
                n for n in result if n not in new and _plainly(n) == _plainly(name)
            ]:
                del result[other]
            result[name] = value
            self.remember(name, value)
        return result

    def open(self, name: str, shape: Shape = ()) -> Symbol:
        """A leaf for a name whose value is not stated, or not yet."""
        leaf = Leaf(shape, reason=f"{name} has no value in this file")
        symbol = self.code.program.leaf(leaf)
        self.remember(name, symbol)
        return symbol

    def remember(self, name: str, value: Any) -> None:
        """Keep the nodes that a name has stood for."""
        if isinstance(value, Symbol):
            self.history.setdefault(name, []).append(value)

    def tokens(self, fragment: Fragment) -> list[Token]:
        """The tokens of a text; a prime that is part of a name belongs to its word."""
        text = fragment.text
        if self.sums is not None:
            text = self.sums.written_out(text)
        found = scan(rewritten(text), fragment.kind == "formula")
        return _with_primes(found, self.primed)

    def words(self, tokens: Sequence[Token], state: State) -> Vocabulary:
        """The vocabulary of a text in a state."""
        known = Vocabulary(state.names)
        return Vocabulary(state.names, free_words(tokens, known))

    def read(self, fragment: Fragment, state: State) -> State:
        """The state after the definitions of a text; its claims are kept."""
        matters = looks_like_a_claim(fragment.text)
        if not matters and (not fragment.defines or "=" not in fragment.text):
            return state
        if len(fragment.text) > FRAGMENT_CHARACTERS:
            if matters:
                why = f"a text of {len(fragment.text)} characters"
                self.readings.append(Reading(fragment, (), (), (), why))
            return state
        try:
            with understood():
                return self._read(fragment, state)
        except NotUnderstood as error:
            self.readings.append(Reading(fragment, (), (), (), str(error)))
            return state

    def _read(self, fragment: Fragment, state: State) -> State:
        """Part by part; after a definition the rest is cut anew, in its light."""
        tokens, outside = self.tokens(fragment), state
        if fragment.defines:
            state = _said_to_depend(fragment, state)
        claims: list[tuple[Segment, State]] = []
        done, parts = -1, list[Segment]()
        for _ in range(REREADINGS):
            parts = parts_of(tokens, self.words(tokens, state))
            for part in parts:
                if part.at <= done:
                    continue
                done = part.at
                is_said = is_claim(part)
                if is_said:
                    claims.append((part, state))
                names_it = not is_said or any(t.kind == "PRIME" for t in part.tokens)
                if names_it and (fragment.defines or fragment.kind == "comment"):
                    changed = self._defined(fragment, part, state)
                    if changed is not None:
                        has_names = changed.unread == state.unread
                        state = changed
                        if has_names:
                            break
            else:
                break
        self.readings.append(Reading(fragment, tokens, claims, parts))
        return state if fragment.defines else outside

    def _defined(self, fragment: Fragment, part: Segment, state: State) -> State | None:
        """The state after a definition; None where the part is none."""
        try:
            with understood():
                changed = _definition(self, fragment, part, state)
        except NotUnderstood:
            return None
        if changed is None:
            return None
        if changed.unread != state.unread:
            return changed
        line = fragment.line + part.line
        state = replace(changed, cell=fragment.cell, line=line)
        if fragment.defines:
            self.outer.append(state)
        return state


def states_of(code: Journal, fragments: list[Fragment]) -> States:
    """Go through a file's statements and texts in their order."""
    result = States(code, coded=frozenset(n for s in code.snapshots for n in s.names))
    result.primed = _primed(fragments)
    result.sums = sums_of(f.text for f in fragments)
    events: list[tuple[int, int, int, Any]] = []
    for snapshot in code.snapshots:
        if snapshot.depth:
            result.inner.append(_plain(snapshot))
        else:
            events.append((snapshot.cell, snapshot.line, 0, snapshot))
    events += [(f.cell, f.line, 1, f) for f in fragments]
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


# ---- primes that are part of a name


def _primed(fragments: Sequence[Fragment]) -> frozenset[str]:
    """Names that have a prime: `y'` where a text has `∂L/∂y'`, or `let f' = …`."""
    found: set[str] = set()
    for fragment in fragments:
        if "'" not in fragment.text and "prime" not in fragment.text:
            continue
        if len(fragment.text) <= FRAGMENT_CHARACTERS:
            found |= _primed_in(scan(rewritten(fragment.text)))
    return frozenset(found)


NAMING = frozenset(
    [
        "let",
        "define",
        "denote",
        "call",
        "write",
        "sei",
        "soit",
        "sea",
        "prediction",
        "is",
    ]
)


def _primed_in(tokens: Sequence[Token]) -> set[str]:
    found: set[str] = set()
    plain = [t for t in tokens if t.kind not in ("SEP", "NL")]
    for i, token in enumerate(plain[:-1]):
        if token.kind != "WORD" or plain[i + 1].kind != "PRIME":
            continue
        if i + 2 < len(plain) and plain[i + 2].kind in ("PRIME", "LPAR"):
            continue
        before = plain[i - 1] if i else None
        below = i > 1 and plain[i - 2].kind in ("SLASH", "LB")
        differentiated = before is not None and before.kind == "D" and below
        under = i > 2 and plain[i - 2].kind == "LB" and plain[i - 3].kind == "RB"
        names = before is not None and before.text.lower() in NAMING
        defines = i + 2 < len(plain) and plain[i + 2].kind == "EQ"
        slash = i > 1 and plain[i - 2].kind == "SLASH"
        if (differentiated and (under or slash)) or (names and defines):
            found.add(token.text)
    return found


def _with_primes(tokens: Sequence[Token], primed: frozenset[str]) -> list[Token]:
    result: list[Token] = []
    for token in tokens:
        last = result[-1] if result else None
        whole = last is not None and last.text in primed
        if last is not None and last.text[:1] == "d" and last.text[1:] in primed:
            whole = True  # the f' of df'/dx
        if token.kind == "PRIME" and last is not None and whole:
            result[-1] = last.of("WORD", f"{last.text}'")
        else:
            result.append(token)
    return result


# ---- what depends on what


# "y is some function of x", in several languages; the name, and what it depends on.
FUNCTION_OF = re.compile(
    r"\b([b-zB-Z])\b(?:\([a-z]\))? (?:is|being|,? seen as|as|ist|est|es|é|è)? ?"
    r"(?:[a-zé]+ ){0,3}(?:function|Funktion|fonction|función|função|funzione)"
    r" (?:of|von|de|di) ([a-z])\b"
    r"|\b([b-zB-Z])\b (?:depends on|dépend de|depende de|dipende da) ([a-z])\b"
    r"|\b([b-zB-Z])\b hängt von ([a-z])\b"
)


def _said_to_depend(fragment: Fragment, state: State) -> State:
    """The state in which names depend on others, as the words of a text say."""
    if fragment.kind == "formula" or "'" in fragment.text.split("unction")[0][-3:]:
        return state
    names = dict(state.names)
    plain = re.sub(r"[$`]|\\[()]", "", fragment.text)
    for match in FUNCTION_OF.finditer(plain):
        name, on = (g for g in match.groups() if g)
        if name != on and not isinstance(names.get(name), TextValue | Symbol):
            place = fragment.cell, fragment.section, fragment.line
            names[name] = Depends(name, (on,), place)
    return replace(state, names=names)


# ---- definitions


UNREADABLE = frozenset({"PROSE", "UNKNOWN", "OTHER", "CONNECTIVE", "ELL"})
DIFFERENTIAL = frozenset({"D", "GRADOF", "PRIME", "NABLA", "INDEXED"})


def _definition(
    states: States, fragment: Fragment, part: Segment, state: State
) -> State | None:
    """The state after `name = formula`, or None where the part is none."""
    tokens = _trimmed(part.tokens)
    found = _relation(fragment, part, tokens, state)
    if found is not None:
        return replace(state, relation=found)
    relation = next((i for i, t in enumerate(tokens) if t.kind in RELATIONS), None)
    if not relation:
        return None
    head, rest = tokens[:relation], tokens[relation + 1 :]
    kinds = {t.kind for t in tokens}
    place = fragment.cell, fragment.section, fragment.line + part.line
    point = _point(head, rest)
    if point:
        for entry, number in point:
            changed = _number(states, entry, ("number", ("NUMBER", number)), state)
            if changed is not None:
                state = replace(changed, stated={**changed.stated, entry: place})
        return state
    name = head[0].text
    if kinds & DIFFERENTIAL:
        rest = _computed_last(head, rest)
        kinds = {t.kind for t in (*head, *rest)}
    if not rest or head[0].kind not in ("NAME", "UFUNC", "UCALL", "FUNC"):
        return None
    is_call = len(head) > 1
    if fragment.kind == "doc" and name in states.coded:
        return None
    if not fragment.defines and name in states.coded and not is_call:
        return None  # a comment says again what the code has
    parameters = _parameters(head)
    if parameters is None:
        return None
    if kinds & UNREADABLE:
        return _unread(name, place, head[0], state)
    members = _members(rest)
    if not members:
        is_new = name not in state.names and not kinds & DIFFERENTIAL
        return _unread(name, place, head[0], state) if is_new else None
    changed = _bound(states, name, parameters, members, place, state)
    known, new = state.names.get(name), changed.names.get(name) if changed else None
    if changed is None or not isinstance(known, TextFunction):
        return changed
    is_other = isinstance(new, TextFunction) and new.formula != known.formula
    is_near = known.place[:2] == place[:2]
    again = changed.again - {name} if not is_near else changed.again
    return replace(changed, again=again | {name} if is_other and is_near else again)


def _computed_last(head: Sequence[Token], rest: Sequence[Token]) -> list[Token]:
    """`3t^2 - 4` of `v(t) = s'(t) = 3t^2 - 4`; nothing where it is no such chain."""
    ends = [i for i, t in enumerate(rest) if t.kind in RELATIONS]
    if not ends or len(head) != 4 or any(t.kind in DIFFERENTIAL for t in head):
        return []
    first, last = rest[: ends[0]], list(rest[ends[-1] + 1 :])
    is_derived = any(t.kind in DIFFERENTIAL for t in first)
    is_plain = not any(t.kind in DIFFERENTIAL for t in last)
    is_of_it = any(t.text == head[2].text for t in last)
    is_equal = rest[ends[-1]].kind == "EQ"
    return last if is_derived and is_plain and is_of_it and is_equal else []


def _relation(
    fragment: Fragment, part: Segment, tokens: Sequence[Token], state: State
) -> Relation | None:
    """`x^2 + y^2 = 25`: an equation that defines no name by a formula."""
    kinds = [t.kind for t in tokens]
    is_plain = sum(k in RELATIONS for k in kinds) == 1 and "EQ" in kinds
    if not is_plain or {*kinds} & (UNREADABLE | DIFFERENTIAL | {"COMMA"}):
        return None
    at = kinds.index("EQ")
    sides = tokens[:at], tokens[at + 1 :]
    calls = (["UCALL", "LPAR"], ["UFUNC", "LPAR"], ["NAME", "LPAR"])
    if len(sides[0]) == 1 or not all(sides) or kinds[:2] in calls:
        return None  # it defines a name, or a function
    try:
        several = readings(tokens)
    except NotUnderstood:
        return None
    if len(several) != 1:
        return None
    left, right = several[0][0]
    names = sorted({*names_in(left), *names_in(right)})
    letters = [n for n in names if not isinstance(state.names.get(n), Symbol)]
    if len(names) != 2 or any(len(n) != 1 for n in names) or not letters:
        return None
    place = fragment.cell, fragment.section, fragment.line + part.line
    return Relation(left, right, (names[0], names[1]), place)


def _point(head: Sequence[Token], rest: Sequence[Token]) -> list[tuple[str, str]]:
    """The names and numbers of `(x_0, y_0) = (1, 1)`; nothing where it is none."""
    if not head or {head[0].kind, rest[0].kind if rest else ""} != {"LPAR"}:
        return []
    names = [t.text for t in head[1:-1] if t.kind != "COMMA"]
    inner = "".join(t.text for t in rest[1:-1])
    numbers = inner.split(",")
    plain = all(re.fullmatch(r"-?\d+(\.\d+)?", n) for n in numbers)
    is_named = all(t.kind in ("NAME", "COMMA") for t in head[1:-1])
    if not plain or not is_named or len(names) != len(numbers):
        return []
    return [*zip(names, numbers, strict=True)]


def _parameters(head: Sequence[Token]) -> tuple[str, ...] | None:
    """() for `y =`, names for `f(x, y) =`; None where it is neither."""
    if len(head) == 1:
        return () if head[0].kind != "FUNC" else None
    inner = head[2:-1]
    if head[1].kind != "LPAR" or head[-1].kind != "RPAR" or not inner:
        return None
    if any(t.kind not in ("NAME", "UFUNC", "COMMA") for t in inner):
        return None
    return tuple(t.text for t in inner if t.kind != "COMMA")


def _unread(name: str, place: Place, token: Token, state: State) -> State | None:
    """A definition that is not understood takes away the one before it."""
    known = state.names.get(name)
    if token.formula and known is None:
        return replace(state, unread=state.unread | {name})
    if not token.formula or not isinstance(known, TextValue):
        return None
    why = Unknown(f"the definition of {name} in line {place[2]} is not understood")
    return replace(state, names={**state.names, name: why})


def _bound(
    states: States,
    name: str,
    parameters: tuple[str, ...],
    members: Sequence[Formula],
    place: Place,
    state: State,
) -> State | None:
    formula = members[0]
    known = state.names.get(name)
    mentioned = set(names_in(formula))
    if name in mentioned and not _is_itself(name, formula):
        return None  # x = x - 1 says what x becomes
    if _is_own_point(name, formula):  # at t = t_0, t is a variable again
        if not isinstance(known, TextValue):
            return None
        names = {n: v for n, v in state.names.items() if n != name}
        return replace(state, names=names)
    depends = _dependence(name, formula, state)
    if depends is not None:
        found = Depends(name, depends, place)
        return replace(state, names={**state.names, name: found})
    if parameters:
        function = TextFunction(name, parameters, formula, place)
        if not mentioned and isinstance(known, TextValue):
            return None
        if isinstance(known, TextFunction) and _is_at_point(known, parameters):
            return None
        stem, _, index = name.partition("_")  # what df/dx is of, behind f_a(x) = a x
        is_family = len(stem) == 1 and index.isalpha() and not name.endswith(INVERSE)
        also = {stem: function} if is_family else {}
        names = _without_others(parameters, place, state)
        return replace(state, names={**names, **also, name: function})
    composed = _composition(name, formula, place, state)
    if composed is not None:
        return replace(state, names={**state.names, name: composed})
    if not mentioned:
        if isinstance(known, TextValue) and known.place[:2] == place[:2]:
            return None  # numbers put into a formula do not take its place
        changed = _number(states, name, formula, state)
        if changed is None:
            return None
        return replace(changed, stated={**changed.stated, name: place})
    several = {name: TextFormula(name, formula, place)}
    others = states.sums.others(name) if states.sums is not None else {}
    for other, numbers in others.items():  # p_1 and p_3 beside p_2, which was p_i
        again = _renumbered(formula, numbers, states.sums)
        several[other] = TextFormula(other, again, place)
    return replace(state, names={**state.names, **several})


def _without_others(
    parameters: Sequence[str], place: Place, state: State
) -> dict[str, Any]:
    """The names, without what other sections call by the letters of parameters.

    After `y = p x` in one section, the y of `f(x, y) = x y` in another is a variable.
    """
    return {
        name: value
        for name, value in state.names.items()
        if name not in parameters
        or not isinstance(value, TextValue)
        or value.place[:2] == place[:2]
    }


def _renumbered(formula: Any, numbers: Mapping[str, str], sums: Sums | None) -> Any:
    """The formula with the numbers of its indices exchanged."""
    if not isinstance(formula, tuple):
        return formula
    match formula:
        case ("NAME", str(name)):
            stem, _, number = name.rpartition("_")
            is_indexed = sums is not None and stem in sums.stems
            if is_indexed and number in numbers:
                return ("NAME", f"{stem}_{numbers[number]}")
            return formula
    return tuple(_renumbered(part, numbers, sums) for part in formula)


def _is_own_point(name: str, formula: Formula) -> bool:
    """Whether it is the same letter with an index: a point, and no definition."""
    match formula:
        case ("name", (_, other)):
            return bool(other.partition("_")[0] == name and other != name)
    return False


def _is_at_point(known: TextFunction, parameters: Sequence[str]) -> bool:
    """Whether `p(x_0)` is the value of a known p(x), and no function of its own."""
    pairs = [*zip(known.parameters, parameters, strict=False)]
    own = all(new.partition("_")[0] == old for old, new in pairs)
    return own and known.parameters != tuple(parameters) and bool(pairs)


def _is_itself(name: str, formula: Formula) -> bool:
    match formula:
        case ("apply" | "name_of", (_, other), _):
            return bool(other == name)
    return False


def _dependence(name: str, formula: Formula, state: State) -> tuple[str, ...] | None:
    """The names that `y = y(x)` or `x = g(t)` says it depends on, g being unknown."""
    match formula:
        case ("apply", (_, function), arguments):
            known = function in state.names and function != name
            names = [a[1][1] for a in arguments[1:] if a[0] == "name"]
            if not known and len(names) == len(arguments) - 1:
                return tuple(names)
        case ("juxta", ("name", (_, function)), ("name", (_, on))):
            if function == name:
                return (on,)
    return None


def _composition(
    name: str, formula: Formula, place: Place, state: State
) -> TextFunction | None:
    """`F = g ∘ f`: F(x) = g(f(x))."""
    match formula:
        case ("circle", ("bare", outer), ("bare", inner)):
            found = state.names.get(inner[1])
            if isinstance(found, TextFunction):
                operands = (("name", ("NAME", p)) for p in found.parameters)
                below = ("apply", inner, ("arguments", *operands))
                whole = ("apply", outer, ("arguments", below))
                return TextFunction(name, found.parameters, whole, place)
    return None


def _trimmed(tokens: list[Token]) -> list[Token]:
    """Without the prose before the name that a definition begins with."""
    relation = next((i for i, t in enumerate(tokens) if t.kind in RELATIONS), 0)
    prose = [
        i
        for i, t in enumerate(tokens[:relation])
        if t.kind in ("PROSE", "CONNECTIVE", "TRANSPOSE")
    ]
    return tokens[prose[-1] + 1 :] if prose else tokens


def _number(states: States, name: str, formula: Formula, state: State) -> State | None:
    """`x = 2`: the value of a name that texts alone speak of."""
    value = _value(states, formula)
    known = state.names.get(name)
    program = states.code.program
    if isinstance(known, Symbol) and known.index in program.leaves:
        if name in states.coded:
            return _clashing(states, name, known, value, state)
        if known.shape != np.shape(value):
            leaf = states.open(name, np.shape(value))
            values = {**state.values, leaf.index: value}
            return replace(state, names={**state.names, name: leaf}, values=values)
        return replace(state, values={**state.values, known.index: value})
    if isinstance(known, Symbol) and not known.shape and not np.shape(value):
        return _clashing(states, name, known, value, state)
    if known is not None and not isinstance(known, Unknown | TextValue):
        return None
    leaf = states.open(name, np.shape(value))
    values = {**state.values, leaf.index: value}
    return replace(state, names={**state.names, name: leaf}, values=values)


def _clashing(
    states: States, name: str, known: Symbol, value: Balls, state: State
) -> State | None:
    """A text gives a name another value than the code does. It holds in the text."""
    if known.shape != np.shape(value) or known.shape:
        return None
    coded = flat(Point(states.code.program, {}).value(known.index))[0]
    (ball,) = flat(value)
    if not coded.is_finite() or abs(float(ball) - float(coded)) <= ROUGH * abs(
        float(coded)
    ):
        return None
    leaf = known if known.index in states.code.program.leaves else states.open(name)
    return replace(
        state,
        names={**state.names, name: leaf},
        values={**state.values, leaf.index: value},
        clashes=state.clashes | {name},
    )


def _value(states: States, formula: Formula) -> Balls:
    """A written number is taken exactly, and so is what is computed from some."""
    meaning = Meaning(RULES, states.code, Vocabulary({}), exact=True)
    with ctx.workprec(PRECISION):
        return Point(states.code.program, {}).value(meaning.node(formula).index)


def _members(tokens: list[Token]) -> list[Formula]:
    """The members after the first `=`, where there is one reading."""
    try:
        found = readings(tokens)
    except NotUnderstood:
        return []
    return found[0][0] if len(found) == 1 else []


def _plainly(name: str) -> str:
    return name.replace("_", "")


__all__ = ["Reading", "State", "States", "states_of"]
