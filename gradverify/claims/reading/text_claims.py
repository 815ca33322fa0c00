"""Claims that texts make: each formula read in every way, and each way computed."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
    Set,
)
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import BESIDE, RANGE_ENTRIES, STATES, TERMS
from gradverify.claims.computation.bindings import Function
from gradverify.claims.computation.file_program import NotUnderstood, understood
from gradverify.claims.computation.numbers import interval
from gradverify.claims.computation.point import Balls, ball
from gradverify.claims.judgement.chain import judge, merged, nearly
from gradverify.claims.judgement.curves import on_curve
from gradverify.claims.judgement.members import (
    Members,
    Outcome,
    agree,
    has_derivative,
    is_empty,
    is_number,
    is_telling,
    member_agrees,
    squeezed,
)
from gradverify.claims.judgement.read_claim import Explained, ReadClaim
from gradverify.claims.language.candidates import (
    is_claim,
    left_trimmed,
    line_of,
    notation,
    points_of,
    problem_of,
    without_opaque,
)
from gradverify.claims.language.context import doubts_of
from gradverify.claims.language.grammar import Formula, readings
from gradverify.claims.language.index_sums import Sums
from gradverify.claims.language.segmentation import Segment, parts_of
from gradverify.claims.language.tokens import Token
from gradverify.claims.language.vocabulary import (
    Depends,
    TextFormula,
    TextFunction,
    TextValue,
    Vocabulary,
    free_words,
)
from gradverify.claims.meaning.formulas import Curve, Meaning, names_in
from gradverify.claims.meaning.function_values import with_function_values
from gradverify.claims.meaning.kinds import RULES, differentiated
from gradverify.claims.meaning.states import Reading, State, States
from gradverify.claims.mending.spelled import spelled
from gradverify.claims.mending.why import Wrong, explain
from gradverify.claims.reading.open_file import OpenFile

BRANCH = "it holds on another branch of the curve, which may be the one that is meant"
EQUATION = "it may be an equation to be solved, and not a claim about the derivative"
NEAR = 20  # lines from a definition to a claim that surely is about it
CLASH = "the text and the code give a name of it different values"
ENDS_WELL = "the end of the chain is right, and a step on the way fails as we read it"
SPECIAL = "the function has names in exponents that the claim has numbers for"
UNKNOWN_FUNCTION = "the text does not say what the function is"
INDICES = "it may be said of indices that are equal, or that are not"
SHAPE = "it has another shape than ours, so that one of us reads it otherwise"
AGAIN = "what it is about is defined several times before it"
LATER = "what it is about is defined only after it, or anew"

Way = TypeVar("Way")
Read = TypeVar("Read")


@dataclass(frozen=True, eq=False)
class Tried:
    """A claim under one reading in one state."""

    outcome: Outcome
    explained: Explained
    chain: tuple[str, ...]
    subject: Hashable
    member: bool
    doubts: tuple[str, ...] = ()
    is_far: bool = False
    mentioned: frozenset[str] = frozenset()
    rests_on: frozenset[tuple[str, Hashable]] = frozenset()
    tells: bool = True
    valued: frozenset[str] = frozenset()


def in_text(file: OpenFile, read: Reading, states: States) -> Iterator[ReadClaim]:
    """The claims of a comment, a string or a text."""
    fragment = read.fragment
    if read.problem:
        text = line_of(fragment, 0)[:60]
        yield ReadClaim(fragment.cell, fragment.line, text, reason=read.problem)
        return
    values = points_of(read.parts)
    for part, state in read.claims:
        yield _claim(file, read, part, state, values.get(part.line, []), states)


def _claim(
    file: OpenFile,
    read: Reading,
    part: Segment,
    own: State,
    at: Sequence[tuple[str, str]],
    states: States,
) -> ReadClaim:
    """One claim: in the state of its place, else in later ones that know its names."""
    fragment = read.fragment
    place = fragment.cell, fragment.line + part.line, line_of(fragment, part.line)
    reason, chain = "", tuple[str, ...]()
    for state in _states(states, read, part, own):
        try:
            with understood():
                tried = _in_state(file, read, part, state, at, states)
        except NotUnderstood as error:
            if not reason:
                reason = str(error).replace("{name}", "a value")
                chain = _shown(read, part, state)
            continue
        doubts = doubts_of(read.tokens, part, fragment.lead)
        if states.sums is not None:
            explained = replace(tried.explained, corrected="")
            tried = replace(tried, explained=explained)  # it has numbers for indices
            if states.sums.free_in(place[2]) > 1:
                doubts = (*doubts, INDICES)
        if state is not own:
            later = _later(tried.mentioned, state, own, place[:2])
            if later and doubts and tried.outcome.step is None:
                reason = reason or doubts[0]
                continue
            doubts = (*later, *doubts)
        return ReadClaim(
            *place,
            tried.chain,
            tried.outcome,
            tried.explained,
            subject=tried.subject,
            doubts=(*tried.doubts, *doubts),
            member=tried.member,
            is_far=tried.is_far,
            rests_on=tried.rests_on,
            tells=tried.tells,
            valued=tried.valued,
        )
    return ReadClaim(*place, chain, reason=reason)


def _later(
    mentioned: frozenset[str], state: State, own: State, place: tuple[int, int]
) -> tuple[str, ...]:
    """Whether the claim rests on a text that comes after it, and is not beside it."""
    for name in mentioned:
        value = state.names.get(name)
        if isinstance(value, TextValue) and value is not own.names.get(name):
            cell, _, line = value.place
            beside = cell == place[0] and line - place[1] <= BESIDE
            is_anew = name in own.names or name in own.unread
            if is_anew or not beside or value.name != name:
                return (LATER,)
    return ()


def _states(
    states: States, read: Reading, part: Segment, own: State
) -> Iterator[State]:
    """The own state; then those in which names of the claim mean something else."""
    seen: list[tuple[Any, ...]] = []
    words = {
        t.text for t in part.tokens if t.kind in ("NAME", "UFUNC", "UCALL", "PROSE")
    }
    for state in states.around(read.fragment, own):
        known = Vocabulary(state.names)
        found = {w: known.find(w) for w in words}
        meaning = tuple(id(state.names.get(f or "")) for f in found.values())
        if meaning not in seen:
            seen.append(meaning)
            yield state
        if len(seen) == STATES:
            return


def _shown(read: Reading, part: Segment, state: State) -> tuple[str, ...]:
    """The chain as text, where it can be read."""
    try:
        with understood():
            found = readings(left_trimmed(part.tokens))
            return tuple(spelled(f) for f in found[0][0])
    except NotUnderstood:
        return ()


# ---- ways to read a claim


def _in_state(
    file: OpenFile,
    read: Reading,
    part: Segment,
    state: State,
    at: Sequence[tuple[str, str]],
    states: States,
) -> Tried:
    """The first way under which the claim is right, else the usual way."""

    def attempt(flipped: frozenset[str]) -> Tried:
        with understood():
            return _read_so(file, read, part, state, at, states, flipped)

    return _first_right(attempt, _flips(part, state), lambda t: t.outcome)


def _first_right(
    attempt: Callable[[Way], Read],
    ways: Iterable[Way],
    outcome: Callable[[Read], Outcome],
) -> Read:
    """What comes out right in the first way in which anything does.

    Else what the first way gives in which the claim is understood. If there is none,
    the first problem is raised.
    """
    first: Read | None = None
    problem: NotUnderstood | None = None
    for way in ways:
        try:
            found = attempt(way)
        except NotUnderstood as error:
            problem = problem or error
            continue
        if outcome(found).step is None:
            return found
        first = found if first is None else first
    if first is None:
        assert problem is not None
        raise problem
    return first


def _flips(part: Segment, state: State) -> Iterator[frozenset[str]]:
    """No word read otherwise than usual, then each of those that may be."""
    yield frozenset()
    texts = {t.text for t in part.tokens} | {t.kind for t in part.tokens}
    for word, mark in (("e", "EULER"), ("pi", "pi"), ("sigma", "sigma")):
        if mark in texts and word in state.names:
            yield frozenset({word})
    if any(t.kind == "NUMBER" and "," in t.text for t in part.tokens):
        yield frozenset({","})


def _read_so(
    file: OpenFile,
    read: Reading,
    part: Segment,
    state: State,
    at: Sequence[tuple[str, str]],
    states: States,
    flipped: frozenset[str],
) -> Tried:
    words = _vocabulary(read.tokens, state, flipped)
    if flipped or state.names:
        part = _again(read.tokens, part, words)
    tokens = without_opaque(left_trimmed(part.tokens))
    if "," in flipped:
        tokens = _with_commas_apart(tokens)
    problem = problem_of(tokens)
    if problem:
        raise NotUnderstood(problem)
    found = readings(tokens)
    sign = next((t.text for t in tokens if t.kind == "D"), "∂")
    text = line_of(read.fragment, part.line)
    section = read.fragment.cell, read.fragment.section
    line = read.fragment.line + part.line
    place = _Place(file, state, states, words, at, text, section, line)
    tried = [
        _judged(place, with_function_values(members), marks, sign)
        for members, marks in found
    ]
    if any("'operator_of'" in repr(members) for members, _ in found):
        # d/dx u v is meant as one of two: of u, or of the whole product
        tried = [t for t in tried if t.outcome.step is None] or tried
    result: Tried = merged(tried, lambda t: t.outcome.step is None)
    return result


def _with_commas_apart(tokens: Sequence[Token]) -> list[Token]:
    """`(2,1)` as two numbers, where it was read as one with a decimal comma."""
    result: list[Token] = []
    for token in tokens:
        if token.kind != "NUMBER":
            result.append(token)
            continue
        for k, piece in enumerate(token.text.split(",")):
            result += [token.of("COMMA", ",")] if k else []
            result.append(token.of("NUMBER", piece))
    return result


def _vocabulary(
    tokens: Sequence[Token], state: State, flipped: frozenset[str] = frozenset()
) -> Vocabulary:
    known = Vocabulary(state.names, flipped=flipped)
    return Vocabulary(state.names, free_words(tokens, known), flipped)


def _again(tokens: Sequence[Token], part: Segment, words: Vocabulary) -> Segment:
    """The same part of the text in another vocabulary."""
    for other in parts_of(tokens, words):
        if other.at == part.at and is_claim(other):
            return other
    return part


# ---- one reading


@dataclass(frozen=True, eq=False)
class _Place:
    """What a formula is read with: the state of its place, and what the text sets."""

    file: OpenFile
    state: State
    states: States
    words: Vocabulary
    at: Sequence[tuple[str, str]]
    text: str
    section: tuple[int, int]
    line: int


def _judged(
    place: _Place, formulas: Sequence[Formula], marks: Sequence[bool], sign: str
) -> Tried:
    """A reading computed: derivatives as total ones, then as partial ones.

    People write both with the same sign. A d at the head is a total one, though.
    """
    formulas, marks = _from_derivative(formulas, marks, place.state)
    formulas, marks = _at_numbers(formulas, marks, place)
    formulas, marks, doubts = _without_equation(formulas, marks)
    members, outcome, meaning = _as_meant(place, formulas, marks, sign)
    program = place.file.code.program
    if outcome.step is not None and nearly(program, members, outcome):
        outcome = replace(outcome, step=None)
    outcome = replace(outcome, is_vacuous=is_empty(program, members, outcome))
    chain = tuple(spelled(f) for f in formulas)
    names = {**place.state.names, **meaning.bound}
    wrong = Wrong(
        program,
        members,
        outcome,
        names,
        chain,
        notation(place.text),
        meaning.node,
        _mentioned(formulas, place.state),
        bool(meaning.curves),
    )
    if meaning.curves:
        doubts = ()
    strange: tuple[str, ...] = ()
    if outcome.step is not None:
        strange = _doubts(place, members, outcome, meaning)
    return Tried(
        outcome,
        explain(wrong),
        chain,
        _subject(formulas, place, meaning.curve),
        member_agrees(members, outcome),
        (*doubts, *strange),
        _is_far(formulas, place),
        _mentioned(formulas, place.state),
        _definitions(formulas, place.state),
        is_telling(program, members, outcome, {*meaning.moving}),
        frozenset(
            n
            for n in _mentioned(formulas, place.state)
            if n in place.state.stated and any(map(is_number, formulas))
        ),
    )


def _as_meant(
    place: _Place, formulas: Sequence[Formula], marks: Sequence[bool], sign: str
) -> tuple[Members, Outcome, Meaning]:
    """The first kind of derivatives with which the chain holds, else the usual one."""

    def attempt(mode: _Mode) -> tuple[Members, Outcome, Meaning]:
        members, meaning = _members(place, formulas, marks, mode)
        program, everywhere = place.file.code.program, bool(meaning.curves)
        outcome = judge(program, members, everywhere=everywhere)
        if outcome.step is not None and meaning.curve is not None:
            found = meaning.curve
            outcome = on_curve(program, members, found.gap, found.x, found.y)
            if outcome.step is not None:  # where y is a root, it is that above 0
                outcome = _on_branch(place, members, found, 1) or outcome
        return members, outcome, meaning

    curve = _curve(place, formulas)
    along = [] if curve is None else [_Mode(curve=curve)]
    modes = [*along, *_modes(formulas, sign, place.states.sums)]
    return _first_right(attempt, modes, lambda found: found[1])


def _on_branch(
    place: _Place, members: Members, curve: Curve, sign: int
) -> Outcome | None:
    """The outcome where y has this sign, if all of the chain holds there."""
    program = place.file.code.program
    try:
        found = on_curve(program, members, curve.gap, curve.x, curve.y, sign)
    except NotUnderstood:
        return None
    return found if found.step is None else None


def _explained(state: State) -> frozenset[str]:
    """Names of which the text says what they depend on, or what they are."""
    return frozenset(n for n, v in state.names.items() if isinstance(v, TextValue))


def _curve(place: _Place, formulas: Sequence[Formula]) -> tuple[str, str] | None:
    """Of which name, by which, a chain speaks that an equation near it relates."""
    relation = place.state.relation
    if relation is None or relation.place[:2] != place.section:
        return None
    if not 0 <= place.line - relation.place[2] <= NEAR:
        return None
    text = repr(formulas)
    for of, wrt in (relation.names[::-1], relation.names):
        if isinstance(place.state.names.get(of), TextValue):
            continue
        by = f"('d1', ('name', ('NAME', '{of}')), ('NAME', '{wrt}'))"
        twice = f"('name', ('NAME', '{of}')), ('NAME', '{wrt}'), ('NUMBER', '2'))"
        if by in text or twice in text or f"('prime', ('NAME', '{of}')" in text:
            return of, wrt
    return None


def _doubts(
    place: _Place, members: Members, outcome: Outcome, meaning: Meaning
) -> tuple[str, ...]:
    """Why a chain that fails may not be what the author claims."""
    formulas, state = members.formulas, place.state
    said = {n for n, value in state.names.items() if isinstance(value, Depends)}
    if meaning.drawn.keys() - meaning.moving.keys() - said:
        raise NotUnderstood(UNKNOWN_FUNCTION)
    heads = {of for of, _ in _rates_in(formulas[0])}
    doubts = []
    if heads and heads <= meaning.moving.keys() - _explained(state):
        doubts.append(UNKNOWN_FUNCTION)  # rates of which an equation may be the data
    known = {*meaning.moving, *(n for on in meaning.moving.values() for n in on)}
    if meaning.curve is not None:
        known |= {meaning.curve.of, meaning.curve.wrt}
    doubts += _strangers(formulas, place, known)
    if state.again & _mentioned(formulas, state) and _is_far(formulas, place):
        doubts.append(AGAIN)
    if state.clashes & _mentioned(formulas, state):
        doubts.append(CLASH)
    if _ends_well(members, outcome):
        doubts.append(ENDS_WELL)
    if meaning.curve is not None and _on_branch(place, members, meaning.curve, -1):
        doubts.append(BRANCH)
    if _is_special(formulas, state):
        doubts.append(SPECIAL)
    if _is_of_another_shape(members, outcome):
        doubts.append(SHAPE)
    if _rates_differ(members, outcome, meaning):
        doubts.append(UNKNOWN_FUNCTION)
    return tuple(doubts)


@dataclass(frozen=True)
class _Mode:
    """How derivatives are read. head, inner: whether those there hold other names.

    is_free: whether values that the text gives to names elsewhere are left aside.
    is_one_hot: whether the targets of a loss sum to 1. curve: which name the equation
    of the place makes a function of which.
    """

    head: bool = False
    inner: bool = False
    is_free: bool = False
    is_one_hot: bool = False
    curve: tuple[str, str] | None = None


TARGETS = ("y", "t")


def _modes(
    formulas: Sequence[Formula], sign: str, sums: Sums | None
) -> Iterator[_Mode]:
    yield _Mode()
    if not any(is_number(f) for f in formulas):
        yield _Mode(is_free=True)
    if any("'d1'" in repr(f) for f in formulas[1:]):
        yield _Mode(inner=True)
    if sign == "∂":
        yield _Mode(head=True, inner=True)
    if sums is not None and sums.stems & {*TARGETS}:
        yield _Mode(is_one_hot=True)


def _from_derivative(
    formulas: Sequence[Formula], marks: Sequence[bool], state: State
) -> tuple[Sequence[Formula], Sequence[bool]]:
    """Without a name that is only given to the derivative, as in `m = f'(2) = 4`.

    `dy = f'(x) dx` says what dy is to mean, and nothing about f. So does `v(t)` before
    `s'(t)`, whatever another example calls v.
    """
    head = formulas[0]
    if is_number(head) or has_derivative(head):
        return formulas, marks
    is_anew = _is_named_by(head, formulas[1])
    if not is_anew and any(n in state.names for n in names_in(head)):
        return formulas, marks
    if len(formulas) < 3:
        raise NotUnderstood("it says what a name is to mean")
    return formulas[1:], marks[1:]


def _is_named_by(head: Formula, derivative: Formula) -> bool:
    """Whether `v(t)` stands before a derivative of another function of t."""
    match derivative:
        case ("apply_prime", (_, of), _, ("arguments", ("name", (_, by)))):
            pass
        case _:
            return False
    match head:
        case ("apply", (_, name), ("arguments", ("name", (_, argument)))) | (
            "juxta",
            ("name", (_, name)),
            ("name", (_, argument)),
        ):
            return bool(argument == by and name not in (of, by))
    return False


def _at_numbers(
    formulas: Sequence[Formula], marks: Sequence[bool], place: _Place
) -> tuple[Sequence[Formula], Sequence[bool]]:
    """Without a head that says at which numbers: `f'(x_1) = f'(7) = 147`.

    It says what x_1 is, whatever another section calls so. Where its own section gives
    x_1 a number, the head claims that it is this one.
    """
    stated = place.state.stated
    own = {n for n, where in stated.items() if where[:2] == place.section}
    match formulas:
        case [
            ("apply_prime" | "derivative_at", *of, ("arguments", *names)),
            (_, *same, ("arguments", *numbers)),
            _,
            *_,
        ] if of == same and all(map(is_number, numbers)):
            if not any(map(is_number, names)) and not own & {*names_in(("", *names))}:
                return formulas[1:], marks[1:]
    return formulas, marks


def _without_equation(
    formulas: Sequence[Formula], marks: Sequence[bool]
) -> tuple[Sequence[Formula], Sequence[bool], tuple[str, ...]]:
    """Without a `= 0` that asks where the derivative vanishes.

    `f'(x) = 2x - 4 = 0` claims that f'(x) is 2x - 4. What `f'(x) = 0` says alone is
    open, unless it is said of a stated point.
    """
    if _asks_where(formulas):
        return formulas, marks, (EQUATION,)
    is_zero = formulas[-1] == ("number", ("NUMBER", "0"))
    if not is_zero or _is_at_a_point(formulas[0]):
        return formulas, marks, ()
    if len(formulas) > 2:
        return formulas[:-1], marks[:-1], ()
    return formulas, marks, (EQUATION,)


def _is_at_a_point(formula: Any) -> bool:
    """Whether a derivative is taken at numbers, or at names such as x_0.

    Where `∂f/∂x(x, y)` is 0 is what a text asks; at (1, 2) it claims it.
    """
    if not isinstance(formula, tuple) or not formula:
        return False
    if formula[0] == "derivative_at":
        return any(a[0] != "name" or len(a[1][1]) > 1 for a in formula[2][1:])
    return any(map(_is_at_a_point, formula[1:]))


def _asks_where(formulas: Sequence[Formula]) -> bool:
    """`f'(x) = 2`, with a letter in the parentheses: where is the slope 2?"""
    match formulas[0]:
        case ("apply_prime", _, _, ("arguments", ("name", _))):
            return len(formulas) == 2 and is_number(formulas[1])
    return False


def _members(
    place: _Place, formulas: Sequence[Formula], marks: Sequence[bool], mode: _Mode
) -> tuple[Members, Meaning]:
    """The members of a chain written down as nodes."""
    code = place.file.code
    meaning = Meaning(
        RULES,
        code,
        place.words,
        place.states.history,
        backwards=place.state.backwards,
        moving=_moving(formulas, place.state),
    )
    _as_numbers(meaning, place.state)
    if mode.is_one_hot:
        _as_one_hot(meaning)
    relation = place.state.relation
    if mode.curve is not None and relation is not None:
        meaning.moving = {}
        meaning.put_on(relation.left, relation.right, *mode.curve)
    nodes, moved = [], {} if mode.is_free else dict(place.state.values)
    for k, formula in enumerate(formulas):
        meaning.approximate = k > 0 and marks[k - 1]
        meaning.direct = mode.inner if k else mode.head
        nodes.append(meaning.node(formula))
    for name, number in () if mode.is_free else place.at:
        found = place.words.find(name)
        if found is None:
            raise NotUnderstood(f"{name} has no value in this file")
        moved[_leaf(place.file, meaning.named(found), found)] = _ball(number)
    for index, leaf in meaning.at.items():
        _leaf(place.file, Symbol(code.program.record, index), "a name")
        stated = code.program.leaves[leaf.index].value
        assert stated is not None
        moved[index] = ball(stated.item())
    return Members(formulas, nodes, moved, tuple(marks)), meaning


def _as_one_hot(meaning: Meaning) -> None:
    """Targets that sum to 1: the last one is 1 less the others."""
    program = meaning.code.program
    for stem in TARGETS:
        rest = program.constant(Fraction(1))
        for k in range(1, TERMS):
            rest = program.apply("sub", rest, meaning.any_name(f"{stem}_{k}"))
        meaning.bound[f"{stem}_{TERMS}"] = rest


def _as_numbers(meaning: Meaning, state: State) -> None:
    """A parameter of a text's function is one number, where code has a range of them.

    `x = np.linspace(-2, 2, 400)` draws the graph of f(x) = x³.
    """
    for value in [*state.names.values()]:
        for name in value.parameters if isinstance(value, TextFunction) else ():
            coded = state.names.get(name)
            if isinstance(coded, Symbol) and sum(coded.shape) > RANGE_ENTRIES:
                meaning.bound[name] = meaning.any_number(name)


def _moving(formulas: Sequence[Formula], state: State) -> Mapping[str, tuple[str, ...]]:
    """Names that depend on another one since a derivative of theirs is spoken of.

    In `dA/dt = 2π r dr/dt` r is a function of t, of which nothing else is known.
    """
    found: dict[str, tuple[str, ...]] = {}
    letters = _primed_letters(formulas)
    for of, wrt in [*_inner_derivatives(formulas), *((n, "x") for n in letters)]:
        value = state.names.get(of)
        if isinstance(value, TextFormula | TextFunction | Depends) or of == wrt:
            continue
        if not isinstance(value, Symbol) or of not in _coded(state):
            found[of] = tuple(dict.fromkeys((*found.get(of, ()), wrt)))
    return found


def _primed_letters(formulas: Sequence[Formula]) -> set[str]:
    """Letters beside `(uv)'` whose derivatives are spoken of: functions of one name."""
    text = repr(formulas)
    if "'group_prime'" not in text:
        return set()
    return {
        n for n in names_in(tuple(formulas)) if f"('prime', ('NAME', '{n}')" in text
    }


def _coded(state: State) -> frozenset[str]:
    """Names whose nodes code has computed."""
    return frozenset(
        n for n, v in state.names.items()
        if isinstance(v, Symbol) and v.index not in state.values
    )  # fmt: skip


def _inner_derivatives(formulas: Sequence[Formula]) -> Iterator[tuple[str, str]]:
    """The rates within a chain, its head aside where that is one derivative alone."""
    heads = [*_rates_in(formulas[0])]
    inner = [pair for f in formulas[1:] for pair in _rates_in(f)]
    alone = formulas[0][0] in ("derivative", "d1") and len(heads) == 1
    return iter(inner if alone else [*heads, *inner])


def _rates_in(formula: Any) -> Iterator[tuple[str, str]]:
    """Of which name by which a formula has a derivative."""
    if not isinstance(formula, tuple) or not formula:
        return
    match formula:
        case ("d1", ("name", (_, of)), (_, wrt)):
            yield of, wrt
        case _:
            for part in formula[1:]:
                yield from _rates_in(part)


def _leaf(file: OpenFile, node: Symbol, name: str) -> int:
    """The node, where it may be given another value."""
    if node.index not in file.code.program.leaves:
        raise NotUnderstood(f"{name} is computed, so that it cannot be set")
    return node.index


def _ball(text: str) -> Balls:
    sign = -1 if text.startswith("-") else 1
    return ball(sign * interval(text.lstrip("-"))[0])


# ---- what it is about


def _subject(
    formulas: Sequence[Formula], place: _Place, curve: Curve | None
) -> Hashable:
    """What the derivative is of, and in which section; None where that is not known."""
    found = _differentiated(formulas, place.state, curve)
    return None if found is None else (found, place.section)


def _differentiated(
    formulas: Sequence[Formula], state: State, curve: Curve | None
) -> Hashable:
    """A definition, a node of code, or a formula's names."""
    if curve is not None and state.relation is not None:
        return ("curve", state.relation.place)
    head = formulas[0]
    while head[0] == "derivative" or head[0] == "derivative_at":
        head = head[1]
    name = differentiated(head)
    if name is None:
        match head:
            case ("apply_prime" | "bare_prime" | "prime", (_, found), *_):
                name = found
    if name is None:
        places = ((n, getattr(state.names.get(n), "place", None))
                  for n in names_in(head))  # fmt: skip
        defined = frozenset(found for found in places if found[1] is not None)
        return ("names", defined) if defined else ("formula", repr(head))
    value = state.names.get(name)
    if isinstance(value, Symbol):
        return ("code", value.index)
    if isinstance(value, Function):
        return ("code", name, value.cell, value.line)
    place = getattr(value, "place", None)
    return ("text", name, place) if place is not None else None


def _definitions(
    formulas: Sequence[Formula], state: State
) -> frozenset[tuple[str, Hashable]]:
    """The names that a claim speaks of, and where a text defines each."""
    values = ((n, state.names.get(n)) for n in _mentioned(formulas, state))
    return frozenset((n, v.place) for n, v in values if isinstance(v, TextValue))


def _strangers(
    formulas: Sequence[Formula], place: _Place, also: Set[str]
) -> tuple[str, ...]:
    """Names of the claim that nothing says anything about, and its function has not."""
    known = _mentioned(formulas[:1], place.state) | also
    claimed = {n for f in formulas[1:] for n in names_in(f)}
    names = place.state.names
    coded = _coded(place.state)
    strange = sorted(
        n
        for n in claimed - known
        if n not in coded and not isinstance(names.get(n), TextValue | Function)
    )
    return tuple(f"nothing in the text says what {n} is" for n in strange)


def _is_far(formulas: Sequence[Formula], place: _Place) -> bool:
    """Whether a definition that the claim rests on stands in another section."""
    values = (place.state.names.get(n) for n in _mentioned(formulas, place.state))
    found = [v.place for v in values if isinstance(v, TextValue)]
    return _has_far_values(formulas, place) or any(_is_away(p, place) for p in found)


def _has_far_values(formulas: Sequence[Formula], place: _Place) -> bool:
    """Whether a number that the claim is at is given to a name in another section."""
    stated = place.state.stated
    found = [stated[n] for n in _mentioned(formulas, place.state) if n in stated]
    return any(map(is_number, formulas)) and any(_is_away(p, place) for p in found)


def _is_away(where: tuple[int, int, int], place: _Place) -> bool:
    """Whether it stands in another section, or many lines before."""
    cell, section, line = where
    return (cell, section) != place.section or place.line - line > NEAR


def _ends_well(members: Members, outcome: Outcome) -> bool:
    """Whether a formula on the way fails and the last one is the derivative."""
    if outcome.step is None or is_number(members.formulas[-1]):
        return False
    return outcome.step < len(members.nodes) - 2 and agree(
        outcome.point.value(members.nodes[0].index),
        outcome.point.value(members.nodes[-1].index),
    )


def _is_of_another_shape(members: Members, outcome: Outcome) -> bool:
    """Whether the two sides of the wrong equality differ in their shapes."""
    step = outcome.step or 0
    left, right = (np.zeros(n.shape) for n in members.nodes[step : step + 2])
    return squeezed(left) != squeezed(right)


def _rates_differ(members: Members, outcome: Outcome, meaning: Meaning) -> bool:
    """Whether one side of a later equality has a rate of an unknown function.

    In `∂L/∂w = ∂L/∂s · ∂s/∂w = 6 cos(s)` the text has put in what it knows of s.
    """
    step = outcome.step or 0
    if not step or not meaning.moving:
        return False
    left, right = (
        {pair for pair in _rates_in(f) if pair[0] in meaning.moving}
        for f in members.formulas[step : step + 2]
    )
    return left != right


def _is_special(formulas: Sequence[Formula], state: State) -> bool:
    """Whether a claim may be of one member of a family, as 2x is of x^n for n = 2."""
    claimed = {n for f in formulas[1:] for n in names_in(f)}
    for name in _mentioned(formulas[:1], state):
        value = state.names.get(name)
        if isinstance(value, TextFormula | TextFunction):
            inside = {n for e in _exponents(value.formula) for n in names_in(e)}
            if isinstance(value, TextFunction):
                inside -= {*value.parameters}
            if any(n not in state.names for n in inside - claimed):
                return True
    return False


def _exponents(formula: Any) -> Iterator[Formula]:
    if isinstance(formula, tuple) and formula:
        if formula[0] == "pow":
            yield formula[2]
        for part in formula[1:]:
            yield from _exponents(part)


def _mentioned(formulas: Sequence[Formula], state: State) -> frozenset[str]:
    """The names that formulas speak of, and those in the definitions of these."""
    known = {n for f in formulas for n in names_in(f)}
    waiting = [*known]
    while waiting:
        value = state.names.get(waiting.pop())
        formula = value.formula if isinstance(value, TextFormula | TextFunction) else ()
        new = set(names_in(formula)) - known
        if isinstance(value, TextFunction):
            new |= set(value.parameters) - known
        if isinstance(value, Function):
            new |= {a.arg for a in value.parameters.args} - known
        if isinstance(value, Depends):
            new |= set(value.on) - known
        known |= new
        waiting += new
    return frozenset(known)
