"""Is every equality of a chain true? Each by itself, in intervals.

A chain that ends in a number is evaluated at the stated point; one without numbers is
an identity, which must hold wherever the names are moved to.
"""

from __future__ import annotations

import itertools
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
    loose_steps,
    open_leaves,
    squeezed,
)

CONSTANT_DRAWS = 4
ROUNDED_PI = 3e-6  # relative: how far 3.14159 is from π


def judge(program: FileProgram, members: Members, everywhere: bool = False) -> Outcome:
    """The first wrong equality; `NotUnderstood` where the chain cannot be decided.

    everywhere: whether numbers are claimed wherever names are moved to, at no point.
    """
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        if len(loose_steps(members)) == len(members.nodes) - 1:
            raise NotUnderstood("an approximation by a formula is no equality")
        if any(is_number(f) for f in members.formulas) and not everywhere:
            return _with_numbers(program, members)
        return identity(program, members)


def nearly(program: FileProgram, members: Members, outcome: Outcome) -> bool:
    """Whether a chain that has π in it is right up to the digits of a π in code."""
    if "('pi',)" not in repr(members.formulas):
        return False
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        found = [flat(outcome.point.value(n.index)) for n in members.nodes]
    return all(
        len(a) == len(b)
        and all(
            abs(float(x) - float(y)) <= ROUNDED_PI * abs(float(x))
            for x, y in zip(a, b, strict=True)
        )
        for a, b in itertools.pairwise(found)
    )


def judge_values(program: FileProgram, members: Members) -> Outcome:
    """Of a derivative and a value that code computes: at the stated point, if any.

    Where values are left open the two must agree wherever those are moved to.
    """
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        missing = open_leaves(program, members)
        if missing:
            found = at_draws(program, members, sorted(missing))
            if found.step is not None and _is_guarded(program, members):
                return at_draws(program, members, sorted(missing), inside=True)
            return found
        stated = _with_numbers(program, members)
        claimed = program.leaves.get(members.nodes[1].index)
        if claimed is not None and claimed.value is not None:
            return stated  # a number claims nothing elsewhere
        if stated.step is None and _narrow(program, members) is not None:
            raise NotUnderstood("the formula holds at the stated point alone")
        elsewhere = None if stated.step is not None else _elsewhere(program, members)
        return elsewhere or stated


GUARD = 1e-3  # how near to 0 or 1 a probability is clipped


def _is_guarded(program: FileProgram, members: Members) -> bool:
    """Whether probabilities are clipped on the way, as before a logarithm.

    Outside of them the exact slope is 0, which nobody means.
    """
    nodes = program.record.nodes
    for index in members.nodes[0].index, *derivatives_below(program, members.nodes[:1]):
        y = program.derivatives.get(index, (index, 0))[0]
        for i in program.cut(y).place:
            if nodes[i].op in ("maximum", "minimum"):
                ends = [_constant(program, j) for j in nodes[i].operands]
                if any(e is not None and 0 < e < 1 and min(e, 1 - e) < GUARD
                       for e in ends):  # fmt: skip
                    return True
    return False


def _constant(program: FileProgram, index: int) -> float | None:
    """The number that a node is, if it is one that nobody moves."""
    node = program.record.nodes[index]
    while node.op in ("reshape", "broadcast_to"):
        index = node.operands[0]
        node = program.record.nodes[index]
    if node.op in ("data", "literal") and np.size(node.value) == 1:
        return float(np.ravel(node.value)[0])
    leaf = program.leaves.get(index)
    if leaf is None or leaf.value is None or leaf.value.size != 1:
        return None
    return float(leaf.value.item())


def _elsewhere(program: FileProgram, members: Members) -> Outcome | None:
    """What comes out where all names are moved, if it is wrong there.

    At x = 2 both x² and 2x are 4, so that a wrong formula may look right there. If a
    formula lacks a name that the derivative has, the name's value may have been put in.
    Such a formula is not looked at elsewhere.
    """
    exact, claimed = (_moved(program, n.index) for n in members.nodes[:2])
    if not exact or not exact <= claimed:
        return None
    if any(program.leaves[i].shape for i in claimed):
        return None  # labels and masks stay as they are
    try:  # a seed such as dL = 1 stays as it is
        found = at_draws(program, members, sorted(exact))
    except NotUnderstood:
        return None
    return None if found.step is None else found


def _moved(program: FileProgram, node: int) -> set[int]:
    leaves = program.cut(node).leaves
    return {i for i in leaves if not program.leaves[i].is_constant}


def _narrow(program: FileProgram, members: Members) -> int | None:
    """Whether it still holds where what the derivative is by is moved."""
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
    return Outcome(first_wrong(members, found), point)


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
    return Outcome(first_wrong(members, rows[0]), points[0])


# ---- identities


# ---- readings


def merged(outcomes: Sequence[Any], is_right: Callable[[Any], bool]) -> Any:
    """The one outcome that all readings have; `NotUnderstood` if they differ."""
    right = [is_right(outcome) for outcome in outcomes]
    if any(right) and not all(right):
        raise NotUnderstood("it has two readings, of which one is right")
    return outcomes[0]
