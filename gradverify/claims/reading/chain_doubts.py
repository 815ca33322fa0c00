"""Why a chain that fails may not be what its author claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any

import numpy as np

from gradverify.claims.computation.bindings import Function
from gradverify.claims.computation.file_program import NotUnderstood
from gradverify.claims.judgement.members import (
    Members,
    Outcome,
    agree,
    is_number,
    squeezed,
)
from gradverify.claims.language.grammar import Formula
from gradverify.claims.language.vocabulary import (
    Depends,
    TextFormula,
    TextFunction,
    TextValue,
)
from gradverify.claims.meaning.formulas import Meaning, names_in
from gradverify.claims.meaning.states import State
from gradverify.claims.reading.chain_members import coded_names, on_branch, rates_in
from gradverify.claims.reading.claim_subjects import (
    ReadingPlace,
    is_far,
    mentioned_names,
)

BRANCH = "it holds on another branch of the curve, which may be the one that is meant"
CLASH = "the text and the code give a name of it different values"
ENDS_WELL = "the end of the chain is right, and a step on the way fails as we read it"
SPECIAL = "the function has names in exponents that the claim has numbers for"
UNKNOWN_FUNCTION = "the text does not say what the function is"
SHAPE = "it has another shape than ours, so that one of us reads it otherwise"
AGAIN = "what it is about is defined several times before it"


def _explained(state: State) -> frozenset[str]:
    """Names of which the text says what they depend on, or what they are."""
    return frozenset(n for n, v in state.names.items() if isinstance(v, TextValue))


def doubts_of_chain(
    place: ReadingPlace, members: Members, outcome: Outcome, meaning: Meaning
) -> tuple[str, ...]:
    """Why a chain that fails may not be what the author claims."""
    formulas, state = members.formulas, place.state
    said = {n for n, value in state.names.items() if isinstance(value, Depends)}
    if meaning.drawn.keys() - meaning.moving.keys() - said:
        raise NotUnderstood(UNKNOWN_FUNCTION)
    heads = {of for of, _ in rates_in(formulas[0])}
    doubts = []
    if heads and heads <= meaning.moving.keys() - _explained(state):
        doubts.append(UNKNOWN_FUNCTION)  # rates of which an equation may be the data
    known = {*meaning.moving, *(n for on in meaning.moving.values() for n in on)}
    if meaning.curve is not None:
        known |= {meaning.curve.of, meaning.curve.wrt}
    doubts += _strangers(formulas, place, known)
    if state.again & mentioned_names(formulas, state) and is_far(formulas, place):
        doubts.append(AGAIN)
    if state.clashes & mentioned_names(formulas, state):
        doubts.append(CLASH)
    if _ends_well(members, outcome):
        doubts.append(ENDS_WELL)
    if meaning.curve is not None and on_branch(place, members, meaning.curve, -1):
        doubts.append(BRANCH)
    if _is_special(formulas, state):
        doubts.append(SPECIAL)
    if _is_of_another_shape(members, outcome):
        doubts.append(SHAPE)
    if _rates_differ(members, outcome, meaning):
        doubts.append(UNKNOWN_FUNCTION)
    return tuple(doubts)


def _strangers(
    formulas: Sequence[Formula], place: ReadingPlace, also: Set[str]
) -> tuple[str, ...]:
    """Names of the claim that nothing says anything about, and its function has not."""
    known = mentioned_names(formulas[:1], place.state) | also
    claimed = {n for f in formulas[1:] for n in names_in(f)}
    names = place.state.names
    coded = coded_names(place.state)
    strange = sorted(
        n
        for n in claimed - known
        if n not in coded and not isinstance(names.get(n), TextValue | Function)
    )
    return tuple(f"nothing in the text says what {n} is" for n in strange)


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
        {pair for pair in rates_in(f) if pair[0] in meaning.moving}
        for f in members.formulas[step : step + 2]
    )
    return left != right


def _is_special(formulas: Sequence[Formula], state: State) -> bool:
    """Whether a claim may be of one member of a family, as 2x is of x^n for n = 2."""
    claimed = {n for f in formulas[1:] for n in names_in(f)}
    for name in mentioned_names(formulas[:1], state):
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
