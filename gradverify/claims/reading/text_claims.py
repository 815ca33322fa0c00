"""Claims that texts make: each formula read, and judged in every reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.file_program import NotUnderstood, understood
from gradverify.claims.computation.numbers import interval
from gradverify.claims.computation.point import Balls, ball
from gradverify.claims.judgement.chain import judge, merged
from gradverify.claims.judgement.members import Members, Outcome
from gradverify.claims.judgement.verdicts import Claim
from gradverify.claims.language.candidates import (
    is_claim,
    left_trimmed,
    line_of,
    looks_like_a_claim,
    notation,
    points_of,
    problem_of,
)
from gradverify.claims.language.grammar import Formula, readings
from gradverify.claims.language.segmentation import Segment, parts_of
from gradverify.claims.language.tokens import LONGEST, rewritten, scan
from gradverify.claims.language.vocabulary import Vocabulary, free_names
from gradverify.claims.meaning.formulas import Meaning
from gradverify.claims.meaning.kinds import RULES
from gradverify.claims.meaning.states import State, States
from gradverify.claims.mending.spelled import spelled
from gradverify.claims.mending.why import Explained, Wrong, explain
from gradverify.claims.reading.open_file import OpenFile
from gradverify.claims.sources.fragments import Fragment


def in_fragment(file: OpenFile, fragment: Fragment, states: States) -> Iterator[Claim]:
    """The claims of a comment, a string or a text."""
    if not looks_like_a_claim(fragment.text):
        return
    if len(fragment.text) > LONGEST:
        yield file.not_understood(
            fragment.cell,
            fragment.line,
            fragment.text[:60],
            f"a text of {len(fragment.text)} characters",
        )
        return
    chosen: list[tuple[Segment, State, str]] = []
    for state in states.at(fragment):
        try:
            with understood():
                text = rewritten(fragment.text)
                words = Vocabulary(state.names, free_names(text, state.names))
                parts = parts_of(scan(text), words)
        except NotUnderstood as error:
            yield file.not_understood(
                fragment.cell, fragment.line, line_of(fragment, 0), str(error)
            )
            return
        found = [p for p in parts if is_claim(p)]
        if not chosen:
            first = parts, state
        if found and all(not problem_of(p) for p in found):
            first = parts, state
            break
        if not chosen:
            chosen = [(p, state, "") for p in found]
    parts, state = first
    values = points_of(parts)
    for part in parts:
        if is_claim(part):
            yield _claim(file, fragment, part, state, values, states)


def _claim(
    file: OpenFile,
    fragment: Fragment,
    part: Segment,
    state: State,
    values: Any,
    states: States,
) -> Claim:
    """One chain, judged."""
    line = fragment.line + part.line
    text = line_of(fragment, part.line)
    problem = problem_of(part)
    tokens = left_trimmed(part.tokens)
    if problem:
        return file.not_understood(fragment.cell, line, text, problem)
    chain: list[str] = []
    try:
        with understood():
            found = readings(tokens)
            chain = [spelled(f) for f in found[0][0]]
            judged = [
                _judged(
                    file, members, marks, state, values.get(part.line, []), states, text
                )
                for members, marks in found
            ]
            outcome, explained = merged(judged, lambda j: j[0].step is None)
    except NotUnderstood as error:
        reason = str(error).replace("{name}", "a value")
        return file.not_understood(fragment.cell, line, text, reason, chain)
    return file.finished(fragment.cell, line, text, chain, outcome, explained)


def _judged(
    file: OpenFile,
    formulas: Sequence[Formula],
    marks: Sequence[bool],
    state: State,
    at: Sequence[tuple[str, str]],
    states: States,
    text: str,
) -> tuple[Outcome, Explained]:
    """A reading judged: derivatives as total ones, else those within as partial."""
    outcomes = []
    for direct in (False, True):
        members, meaning = _members(file, formulas, marks, state, at, states, direct)
        outcome = judge(file.code.program, members)
        outcomes.append((members, outcome, meaning))
        if outcome.step is None or not _has_inner(formulas):
            break
    best = next((o for o in outcomes if o[1].step is None), outcomes[0])
    chain = [spelled(f) for f in formulas]
    names = {**state.names, **best[2].bound}
    wrong = Wrong(file.code.program, best[0], best[1], names, chain, notation(text))
    return best[1], explain(wrong)


def _members(
    file: OpenFile,
    formulas: Sequence[Formula],
    marks: Sequence[bool],
    state: State,
    at: Sequence[tuple[str, str]],
    states: States,
    direct: bool,
) -> tuple[Members, Meaning]:
    """The members of a chain written down as nodes."""
    words = Vocabulary(state.names, _free_in(formulas, state))
    meaning = Meaning(
        RULES, file.code, words, states.history, backwards=state.backwards
    )
    nodes, moved = [], dict(state.values)
    for k, formula in enumerate(formulas):
        meaning.approximate = k > 0 and marks[k - 1]
        meaning.direct = direct and k > 0
        nodes.append(meaning.node(formula))
    for name, number in at:
        found = words.find(name)
        if found is None:
            raise NotUnderstood(f"{name} has no value in this file")
        moved[_leaf(file, meaning.named(found), found)] = _ball(number)
    for index, leaf in meaning.at.items():
        _leaf(file, Symbol(file.code.program.record, index), "a name")
        stated = file.code.program.leaves[leaf.index].value
        assert stated is not None
        moved[index] = ball(stated.item())
    return Members(formulas, nodes, moved), meaning


def _leaf(file: OpenFile, node: Symbol, name: str) -> int:
    """The node, where it may be given another value."""
    if node.index not in file.code.program.leaves:
        raise NotUnderstood(f"{name} is computed, so that it cannot be set")
    return node.index


def _ball(text: str) -> Balls:
    sign = -1 if text.startswith("-") else 1
    return ball(sign * interval(text.lstrip("-"))[0])


def _free_in(formulas: Sequence[Formula], state: State) -> frozenset[str]:
    def walk(formula: Any) -> Iterator[str]:
        if isinstance(formula, tuple) and formula:
            if formula[0] == "NAME":
                yield formula[1]
            for part in formula[1:]:
                yield from walk(part)

    return frozenset(n for f in formulas for n in walk(f) if n not in state.names)


def _has_inner(formulas: Sequence[Formula]) -> bool:
    return any("'d1'" in repr(f) for f in formulas[1:])
