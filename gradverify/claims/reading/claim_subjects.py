"""What a chain is about: its function, its names, and where they are defined."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.bindings import Function
from gradverify.claims.judgement.members import is_number
from gradverify.claims.language.grammar import Formula
from gradverify.claims.language.vocabulary import (
    Depends,
    TextFormula,
    TextFunction,
    TextValue,
    Vocabulary,
)
from gradverify.claims.meaning.formulas import Curve, names_in
from gradverify.claims.meaning.kinds import differentiated
from gradverify.claims.meaning.states import State, States
from gradverify.claims.reading.open_file import OpenFile

NEAR = 20  # lines from a definition to a claim that surely is about it


@dataclass(frozen=True, eq=False)
class ReadingPlace:
    """What a formula is read with: the state of its place, and what the text sets."""

    file: OpenFile
    state: State
    states: States
    words: Vocabulary
    at: Sequence[tuple[str, str]]
    text: str
    section: tuple[int, int]
    line: int


def subject_of(
    formulas: Sequence[Formula], place: ReadingPlace, curve: Curve | None
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


def definitions_of(
    formulas: Sequence[Formula], state: State
) -> frozenset[tuple[str, Hashable]]:
    """The names that a claim speaks of, and where a text defines each."""
    values = ((n, state.names.get(n)) for n in mentioned_names(formulas, state))
    return frozenset((n, v.place) for n, v in values if isinstance(v, TextValue))


def is_far(formulas: Sequence[Formula], place: ReadingPlace) -> bool:
    """Whether a definition that the claim rests on stands in another section."""
    values = (place.state.names.get(n) for n in mentioned_names(formulas, place.state))
    found = [v.place for v in values if isinstance(v, TextValue)]
    return _has_far_values(formulas, place) or any(_is_away(p, place) for p in found)


def _has_far_values(formulas: Sequence[Formula], place: ReadingPlace) -> bool:
    """Whether a number that the claim is at is given to a name in another section."""
    stated = place.state.stated
    found = [stated[n] for n in mentioned_names(formulas, place.state) if n in stated]
    return any(map(is_number, formulas)) and any(_is_away(p, place) for p in found)


def _is_away(where: tuple[int, int, int], place: ReadingPlace) -> bool:
    """Whether it stands in another section, or many lines before."""
    cell, section, line = where
    return (cell, section) != place.section or place.line - line > NEAR


def mentioned_names(formulas: Sequence[Formula], state: State) -> frozenset[str]:
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
