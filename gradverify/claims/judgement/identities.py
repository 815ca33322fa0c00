"""Equalities that must hold wherever their names are moved to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.point import (
    DRAWS,
    Point,
    UncertifiedError,
    certify,
    flat,
)
from gradverify.claims.judgement.members import (
    Members,
    Outcome,
    derivatives_below,
    drawn_for,
    first_wrong,
    needed_leaves,
    open_leaves,
)

ATTEMPTS = 60  # points that are drawn for those that are inside all domains


LEAST = 6  # of them must be


CERTIFIED = 2  # of the drawn points are held against the reference


PASSED_BY = 6  # points at which it says nothing, as where a sigmoid is 1 in floats


def identity(program: FileProgram, members: Members) -> Outcome:
    """The outcome of a chain without numbers."""
    leaves = sorted(
        i
        for i in needed_leaves(program, members)
        if not program.leaves[i].is_constant and i not in members.moved
    )
    everywhere = at_draws(program, members, leaves)
    if everywhere.step is None:
        return _wherever_moved(program, members, everywhere)
    stated = _at_stated(program, members)
    if stated is None or stated.step is not None:
        return everywhere
    # It holds at the stated point: masks and targets may have to stay as they are.
    below = derivatives_below(program, members.nodes[:1])
    moved = {i for d in below for i in program.cut(program.derivatives[d][1]).leaves}
    fewer = [i for i in leaves if i in moved]
    if not fewer or fewer == leaves:
        return _with_substitution(program, members, everywhere, stated)
    narrow = at_draws(program, members, fewer)
    if narrow.step is None:
        return narrow
    return _with_substitution(program, members, narrow, stated)


def _wherever_moved(program: FileProgram, members: Members, found: Outcome) -> Outcome:
    """A right outcome looked at away from the values that the text gives its names.

    Where a text said `x = 2` long before, `(x³)' = 6x` holds there and nowhere else,
    and with `x = 0` all multiples of x are 0. Where a member has fewer of these names
    than another one, values were put into it, and it holds at these alone.
    """
    named = [members.moved.keys() & program.cut(n.index).leaves for n in members.nodes]
    if not named[0] or any(names != named[0] for names in named):
        return found
    kept = {i: v for i, v in members.moved.items() if i not in named[0]}
    free = replace(members, moved=kept)
    leaves = [
        i
        for i in sorted(needed_leaves(program, free))
        if not program.leaves[i].is_constant and i not in kept
    ]
    try:
        elsewhere = at_draws(program, free, leaves)
    except NotUnderstood:
        return found
    if elsewhere.step is not None:
        raise NotUnderstood("the formula holds at the stated point alone")
    return elsewhere


def _with_substitution(
    program: FileProgram, members: Members, everywhere: Outcome, stated: Outcome
) -> Outcome:
    """A formula into which values were put already cannot be told from a wrong one."""
    numbers = {t for f in members.formulas for t in _numbers_of(f)}
    ends = {n.index for n in members.nodes}
    for i in sorted(set(stated.point.known) - ends):
        if i not in program.leaves and len(flat(stated.point.known[i])) == 1:
            value = flat(stated.point.known[i])[0]
            if any(value.is_finite() and value.contains(n) for n in numbers):
                raise NotUnderstood("the formula holds at the stated point alone")
    return everywhere


def _numbers_of(formula: Any) -> Iterable[int]:
    if isinstance(formula, tuple) and formula:
        if (
            formula[0] == "number"
            and formula[1][1].isdigit()
            and int(formula[1][1]) > 2
        ):
            yield int(formula[1][1])
        if formula[0] == "pow":
            yield from _numbers_of(formula[1])
        else:
            for part in formula[1:]:
                yield from _numbers_of(part)


def _at_stated(program: FileProgram, members: Members) -> Outcome | None:
    if open_leaves(program, members):
        return None
    point = Point(program, members.moved)
    found = [point.value(n.index) for n in members.nodes]
    return Outcome(first_wrong(members, found), point)


def at_draws(
    program: FileProgram, members: Members, leaves: Sequence[int], inside: bool = False
) -> Outcome:
    """The outcome over drawn points at which every member has a value.

    inside: whether only points between 0 and 1 are drawn, where probabilities are.
    """
    usable = passed_by = 0
    last: Point | None = None
    for seed in range(1, ATTEMPTS, 2) if inside else range(ATTEMPTS):
        point = drawn_for(program, members, leaves, seed)
        found = [point.value(n.index) for n in members.nodes]
        if any(not b.is_finite() for value in found for b in flat(value)):
            continue
        if usable < CERTIFIED:
            try:
                for i in derivatives_below(program, members.nodes):
                    certify(point, i)
            except UncertifiedError:
                passed_by += 1
                if passed_by > PASSED_BY:
                    raise
                continue
        step = first_wrong(members, found)
        if step is not None:
            return Outcome(step, point, is_identity=True)
        usable, last = usable + 1, point
        if usable == DRAWS:
            break
    if last is None or usable < LEAST:
        raise NotUnderstood("no points were found at which all of it has a value")
    return Outcome(None, last, is_identity=True)
