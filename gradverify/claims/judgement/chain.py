"""Is every equality of a chain true? Each by itself, in intervals.

A chain that ends in a number is evaluated at the stated point; one without numbers is
an identity, which must hold wherever the names are moved to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from flint import arb, ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.point import (
    PRECISION,
    Balls,
    Point,
    allowed_error,
    certify,
    flat,
)
from gradverify.claims.judgement.identities import at_draws, identity
from gradverify.claims.judgement.members import (
    Members,
    Outcome,
    agree,
    check_finite,
    derivatives_below,
    drawn_for,
    first_wrong,
    is_number,
    open_leaves,
    squeezed,
)

CONSTANT_DRAWS = 4


def judge(program: FileProgram, members: Members) -> Outcome:
    """The first wrong equality; `NotUnderstood` where the chain cannot be decided."""
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        if any(is_number(f) for f in members.formulas):
            return _with_numbers(program, members)
        return identity(program, members)


def judge_values(program: FileProgram, members: Members) -> Outcome:
    """Of a derivative and a value that code computes: at the stated point, if any.

    Where values are left open the two must agree wherever those are moved to.
    """
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        missing = open_leaves(program, members)
        if missing:
            return at_draws(program, members, sorted(missing))
        stated = _with_numbers(program, members)
        if stated.step is None and _narrow(program, members, stated) is not None:
            raise NotUnderstood("the formula holds at the stated point alone")
        return stated


def _narrow(program: FileProgram, members: Members, stated: Outcome) -> int | None:
    """Whether it still holds where what the derivative is by is moved."""
    del stated
    below = derivatives_below(program, members.nodes[:1])
    moved = {
        i
        for d in below
        for i in program.cut(program.derivatives[d][1]).leaves
        if not program.leaves[i].is_constant
    }
    try:
        return at_draws(program, members, sorted(moved)).step if moved else None
    except NotUnderstood:
        return None


def judge_printed(
    program: FileProgram,
    node: Symbol,
    printed: Balls,
    values: Mapping[int, Balls],
    dtype: str,
) -> Outcome:
    """Of a derivative and what a library printed of it, up to its dtype's bound."""
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        members = Members((), (node,), values)
        missing = open_leaves(program, members)
        if missing:
            raise NotUnderstood(next(iter(missing.values())))
        point = Point(program, values)
        allowed: Any = 0.0
        for i in derivatives_below(program, [node]):
            certify(point, i)
            allowed = allowed + allowed_error(point, i, dtype)
        exact = point.value(node.index)
        check_finite([exact])
        if squeezed(exact) != squeezed(printed):
            raise NotUnderstood(
                f"what is printed has shape {np.shape(printed)}, the derivative "
                f"{np.shape(exact)}"
            )
        widths = np.broadcast_to(allowed, np.shape(exact)).reshape(-1)
        pairs = zip(flat(exact), flat(printed), widths, strict=True)
        right = all(e.overlaps(p + arb(0, float(w))) for e, p, w in pairs)
        return Outcome(None if right else 0, point)


# ---- chains with numbers


def _with_numbers(program: FileProgram, members: Members) -> Outcome:
    missing = open_leaves(program, members)
    if missing:
        return _where_values_are_open(program, members, missing)
    point = Point(program, members.moved)
    for i in derivatives_below(program, members.nodes):
        certify(point, i)
    found = [point.value(n.index) for n in members.nodes]
    check_finite(found)
    return Outcome(first_wrong(found), point)


def _where_values_are_open(
    program: FileProgram, members: Members, missing: Mapping[int, str]
) -> Outcome:
    """Members that are the same whatever the open values are can be compared."""
    points = [drawn_for(program, members, missing, k) for k in range(CONSTANT_DRAWS)]
    rows = [[point.value(n.index) for n in members.nodes] for point in points]
    for member in zip(*rows, strict=True):
        if not all(agree(member[0], other) for other in member[1:]):
            raise NotUnderstood(next(iter(missing.values())))
    for i in derivatives_below(program, members.nodes):
        certify(points[0], i)
    check_finite(rows[0])
    return Outcome(first_wrong(rows[0]), points[0])


# ---- identities


# ---- readings


def merged(outcomes: Sequence[Any], is_right: Callable[[Any], bool]) -> Any:
    """The outcome of several readings; `NotUnderstood` where they differ."""
    right = [is_right(outcome) for outcome in outcomes]
    if any(right) and not all(right):
        raise NotUnderstood("it has two readings, of which one is right")
    return outcomes[0]
