"""Claims that texts make: each formula read in every way, and each way computed."""

from __future__ import annotations

from collections.abc import (
    Callable,
    Hashable,
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from gradverify.claims.claim_limits import BESIDE, STATES
from gradverify.claims.computation.file_program import NotUnderstood, understood
from gradverify.claims.judgement.chain import judge, merged, nearly
from gradverify.claims.judgement.curves import on_curve
from gradverify.claims.judgement.members import (
    Members,
    Outcome,
    is_empty,
    is_number,
    is_telling,
    member_agrees,
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
from gradverify.claims.language.segmentation import Segment, parts_of
from gradverify.claims.language.tokens import Token
from gradverify.claims.language.vocabulary import (
    TextValue,
    Vocabulary,
    free_words,
)
from gradverify.claims.meaning.formulas import Meaning
from gradverify.claims.meaning.function_values import with_function_values
from gradverify.claims.meaning.states import Reading, State, States
from gradverify.claims.mending.spelled import spelled
from gradverify.claims.mending.why import Wrong, explain
from gradverify.claims.reading.chain_doubts import doubts_of_chain
from gradverify.claims.reading.chain_heads import (
    at_numbers,
    from_derivative,
    without_equation,
)
from gradverify.claims.reading.chain_members import (
    DerivativeMode,
    curve_of,
    members_of,
    modes_of,
    on_branch,
)
from gradverify.claims.reading.claim_subjects import (
    ReadingPlace,
    definitions_of,
    is_far,
    mentioned_names,
    subject_of,
)
from gradverify.claims.reading.open_file import OpenFile

INDICES = "it may be said of indices that are equal, or that are not"
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
    place = ReadingPlace(file, state, states, words, at, text, section, line)
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


def _judged(
    place: ReadingPlace, formulas: Sequence[Formula], marks: Sequence[bool], sign: str
) -> Tried:
    """A reading computed: derivatives as total ones, then as partial ones.

    People write both with the same sign. A d at the head is a total one, though.
    """
    formulas, marks = from_derivative(formulas, marks, place.state)
    formulas, marks = at_numbers(formulas, marks, place)
    formulas, marks, doubts = without_equation(formulas, marks)
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
        mentioned_names(formulas, place.state),
        bool(meaning.curves),
    )
    if meaning.curves:
        doubts = ()
    strange: tuple[str, ...] = ()
    if outcome.step is not None:
        strange = doubts_of_chain(place, members, outcome, meaning)
    return Tried(
        outcome,
        explain(wrong),
        chain,
        subject_of(formulas, place, meaning.curve),
        member_agrees(members, outcome),
        (*doubts, *strange),
        is_far(formulas, place),
        mentioned_names(formulas, place.state),
        definitions_of(formulas, place.state),
        is_telling(program, members, outcome, {*meaning.moving}),
        frozenset(
            n
            for n in mentioned_names(formulas, place.state)
            if n in place.state.stated and any(map(is_number, formulas))
        ),
    )


def _as_meant(
    place: ReadingPlace, formulas: Sequence[Formula], marks: Sequence[bool], sign: str
) -> tuple[Members, Outcome, Meaning]:
    """The first kind of derivatives with which the chain holds, else the usual one."""

    def attempt(mode: DerivativeMode) -> tuple[Members, Outcome, Meaning]:
        members, meaning = members_of(place, formulas, marks, mode)
        program, everywhere = place.file.code.program, bool(meaning.curves)
        outcome = judge(program, members, everywhere=everywhere)
        if outcome.step is not None and meaning.curve is not None:
            found = meaning.curve
            outcome = on_curve(program, members, found.gap, found.x, found.y)
            if outcome.step is not None:  # where y is a root, it is that above 0
                outcome = on_branch(place, members, found, 1) or outcome
        return members, outcome, meaning

    curve = curve_of(place, formulas)
    along = [] if curve is None else [DerivativeMode(curve=curve)]
    modes = [*along, *modes_of(formulas, sign, place.states.sums)]
    return _first_right(attempt, modes, lambda found: found[1])
