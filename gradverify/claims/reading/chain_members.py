"""The members of a chain as nodes: in the names of a place, at its stated numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import RANGE_ENTRIES, TERMS
from gradverify.claims.computation.file_program import NotUnderstood
from gradverify.claims.computation.numbers import interval
from gradverify.claims.computation.point import Balls, ball
from gradverify.claims.judgement.curves import on_curve
from gradverify.claims.judgement.members import Members, Outcome, is_number
from gradverify.claims.language.grammar import Formula
from gradverify.claims.language.index_sums import Sums
from gradverify.claims.language.vocabulary import (
    Depends,
    TextFormula,
    TextFunction,
    TextValue,
)
from gradverify.claims.meaning.formulas import Curve, Meaning, names_in
from gradverify.claims.meaning.kinds import RULES
from gradverify.claims.meaning.states import State
from gradverify.claims.reading.claim_subjects import NEAR, ReadingPlace
from gradverify.claims.reading.open_file import OpenFile


def on_branch(
    place: ReadingPlace, members: Members, curve: Curve, sign: int
) -> Outcome | None:
    """The outcome where y has this sign, if all of the chain holds there."""
    program = place.file.code.program
    try:
        found = on_curve(program, members, curve.gap, curve.x, curve.y, sign)
    except NotUnderstood:
        return None
    return found if found.step is None else None


def curve_of(
    place: ReadingPlace, formulas: Sequence[Formula]
) -> tuple[str, str] | None:
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


@dataclass(frozen=True)
class DerivativeMode:
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


def modes_of(
    formulas: Sequence[Formula], sign: str, sums: Sums | None
) -> Iterator[DerivativeMode]:
    yield DerivativeMode()
    if not any(is_number(f) for f in formulas):
        yield DerivativeMode(is_free=True)
    if any("'d1'" in repr(f) for f in formulas[1:]):
        yield DerivativeMode(inner=True)
    if sign == "∂":
        yield DerivativeMode(head=True, inner=True)
    if sums is not None and sums.stems & {*TARGETS}:
        yield DerivativeMode(is_one_hot=True)


def members_of(
    place: ReadingPlace,
    formulas: Sequence[Formula],
    marks: Sequence[bool],
    mode: DerivativeMode,
) -> tuple[Members, Meaning]:
    """The members of a chain written down as nodes."""
    code = place.file.code
    meaning = Meaning(
        RULES,
        code,
        place.words,
        place.states.history,
        backwards=place.state.backwards,
        moving=moving_names(formulas, place.state),
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


def moving_names(
    formulas: Sequence[Formula], state: State
) -> Mapping[str, tuple[str, ...]]:
    """Names that depend on another one since a derivative of theirs is spoken of.

    In `dA/dt = 2π r dr/dt` r is a function of t, of which nothing else is known.
    """
    found: dict[str, tuple[str, ...]] = {}
    letters = _primed_letters(formulas)
    for of, wrt in [*_inner_derivatives(formulas), *((n, "x") for n in letters)]:
        value = state.names.get(of)
        if isinstance(value, TextFormula | TextFunction | Depends) or of == wrt:
            continue
        if not isinstance(value, Symbol) or of not in coded_names(state):
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


def coded_names(state: State) -> frozenset[str]:
    """Names whose nodes code has computed."""
    return frozenset(
        n for n, v in state.names.items()
        if isinstance(v, Symbol) and v.index not in state.values
    )  # fmt: skip


def _inner_derivatives(formulas: Sequence[Formula]) -> Iterator[tuple[str, str]]:
    """The rates within a chain, its head aside where that is one derivative alone."""
    heads = [*rates_in(formulas[0])]
    inner = [pair for f in formulas[1:] for pair in rates_in(f)]
    alone = formulas[0][0] in ("derivative", "d1") and len(heads) == 1
    return iter(inner if alone else [*heads, *inner])


def rates_in(formula: Any) -> Iterator[tuple[str, str]]:
    """Of which name by which a formula has a derivative."""
    if not isinstance(formula, tuple) or not formula:
        return
    match formula:
        case ("d1", ("name", (_, of)), (_, wrt)):
            yield of, wrt
        case _:
            for part in formula[1:]:
                yield from rates_in(part)


def _leaf(file: OpenFile, node: Symbol, name: str) -> int:
    """The node, where it may be given another value."""
    if node.index not in file.code.program.leaves:
        raise NotUnderstood(f"{name} is computed, so that it cannot be set")
    return node.index


def _ball(text: str) -> Balls:
    sign = -1 if text.startswith("-") else 1
    return ball(sign * interval(text.lstrip("-"))[0])
