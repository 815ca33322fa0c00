"""Is every equality of a chain true? Each by itself, in intervals.

A chain that ends in a number is evaluated at the stated point; one without numbers is
an identity, which must hold wherever the names are moved to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb, ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.grammar import Formula
from gradverify.claims.point import (
    DRAWS,
    PRECISION,
    Balls,
    Point,
    allowed_error,
    certify,
    drawn,
    flat,
)
from gradverify.claims.trail import NotUnderstood, Trail

ATTEMPTS = 60  # points that are drawn for those that are inside all domains
LEAST = 6  # of them must be
CERTIFIED = 2  # of the drawn points are held against the reference
CONSTANT_DRAWS = 4


@dataclass(frozen=True, eq=False)
class Members:
    """The members of a chain as nodes, with what they were written as.

    approximate: for each `=`, whether it is an `≈`. moved: what the claim puts in the
    place of leaves, such as x = 2.
    """

    formulas: Sequence[Formula]
    nodes: Sequence[Symbol]
    moved: Mapping[int, Balls] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a chain: the first wrong equality, from 0; None for a right one.

    point: where the numbers are taken from.
    """

    step: int | None
    point: Point
    is_identity: bool = False
    note: str = ""


def judge(trail: Trail, members: Members) -> Outcome:
    """The first wrong equality; `NotUnderstood` where the chain cannot be decided."""
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        if any(is_number(f) for f in members.formulas):
            return _with_numbers(trail, members)
        return _identity(trail, members)


def judge_values(trail: Trail, members: Members) -> Outcome:
    """Of a derivative and a value that code computes: at the stated point, if any.

    Where values are left open the two must agree wherever those are moved to.
    """
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        missing = _open(trail, members)
        if missing:
            return _at_draws(trail, members, sorted(missing))
        stated = _with_numbers(trail, members)
        if stated.step is None and _narrow(trail, members, stated) is not None:
            raise NotUnderstood("the formula holds at the stated point alone")
        return stated


def _narrow(trail: Trail, members: Members, stated: Outcome) -> int | None:
    """Whether it still holds where what the derivative is by is moved."""
    del stated
    below = derivatives_below(trail, members.nodes[:1])
    moved = {
        i
        for d in below
        for i in trail.cut(trail.derivatives[d][1]).leaves
        if not trail.leaves[i].is_constant
    }
    try:
        return _at_draws(trail, members, sorted(moved)).step if moved else None
    except NotUnderstood:
        return None


def judge_printed(
    trail: Trail, node: Symbol, printed: Balls, values: Mapping[int, Balls], dtype: str
) -> Outcome:
    """Of a derivative and what a library printed of it, up to its dtype's bound."""
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        members = Members((), (node,), values)
        missing = _open(trail, members)
        if missing:
            raise NotUnderstood(next(iter(missing.values())))
        point = Point(trail, values)
        allowed: Any = 0.0
        for i in derivatives_below(trail, [node]):
            certify(point, i)
            allowed = allowed + allowed_error(point, i, dtype)
        exact = point.value(node.index)
        _check_finite([exact])
        if np.shape(exact) != np.shape(printed) and _squeezed(exact) != _squeezed(printed):  # fmt: skip  # noqa: E501
            raise NotUnderstood(f"what is printed has shape {np.shape(printed)}, the derivative {np.shape(exact)}")  # fmt: skip  # noqa: E501
        widths = np.broadcast_to(allowed, np.shape(exact)).reshape(-1)
        pairs = zip(flat(exact), flat(printed), widths, strict=True)
        right = all(e.overlaps(p + arb(0, float(w))) for e, p, w in pairs)
        return Outcome(None if right else 0, point)


def is_number(formula: Any) -> bool:
    """Whether a formula has neither names nor derivatives in it."""
    if not isinstance(formula, tuple) or not formula:
        return True
    named = ("name", "bare", "prime", "bare_prime", "apply", "apply_prime", "name_of",
             "derivative", "derivative_at", "gradient_of", "operator", "d_operator",
             "call_prime")  # fmt: skip
    return formula[0] not in named and all(is_number(part) for part in formula[1:])


def derivatives_below(trail: Trail, nodes: Iterable[Symbol]) -> list[int]:
    """The derivatives that nodes are computed from, the nearest ones."""
    found, stack, seen = [], [n.index for n in nodes], set()
    while stack:
        i = stack.pop()
        if i in seen:
            continue
        seen.add(i)
        if i in trail.derivatives:
            found.append(i)
        else:
            stack += trail.program.nodes[i].operands
    return sorted(found)


# ---- chains with numbers


def _with_numbers(trail: Trail, members: Members) -> Outcome:
    missing = _open(trail, members)
    if missing:
        return _where_values_are_open(trail, members, missing)
    point = Point(trail, members.moved)
    for i in derivatives_below(trail, members.nodes):
        certify(point, i)
    found = [point.value(n.index) for n in members.nodes]
    _check_finite(found)
    return Outcome(_first_wrong(found), point)


def _open(trail: Trail, members: Members) -> dict[int, str]:
    """The leaves without a value that the chain needs, and why they have none."""
    return {
        i: trail.leaves[i].reason
        for n in members.nodes
        for i in trail.cut(n.index).leaves
        if trail.leaves[i].value is None and i not in members.moved
    }


def _where_values_are_open(
    trail: Trail, members: Members, missing: Mapping[int, str]
) -> Outcome:
    """Members that are the same whatever the open values are can be compared."""
    points = [_drawn(trail, members, missing, k) for k in range(CONSTANT_DRAWS)]
    rows = [[point.value(n.index) for n in members.nodes] for point in points]
    for member in zip(*rows, strict=True):
        if not all(agree(member[0], other) for other in member[1:]):
            raise NotUnderstood(next(iter(missing.values())))
    for i in derivatives_below(trail, members.nodes):
        certify(points[0], i)
    _check_finite(rows[0])
    return Outcome(_first_wrong(rows[0]), points[0])


def _drawn(
    trail: Trail, members: Members, moved: Iterable[int], seed: int
) -> Point:
    point = drawn(trail, moved, seed)
    return Point(trail, {**point.leaves, **members.moved})


def _check_finite(found: Sequence[Balls]) -> None:
    if any(not b.is_finite() for value in found for b in flat(value)):
        raise NotUnderstood("a value on the way is not finite")


def _first_wrong(found: Sequence[Balls]) -> int | None:
    for k, (left, right) in enumerate(zip(found, found[1:], strict=False)):
        if not agree(left, right):
            return k
    return None


def agree(left: Balls, right: Balls) -> bool:
    """Whether two intervals, or all of two arrays of them, overlap."""
    a, b = flat(left), flat(right)
    same_shape = np.shape(left) == np.shape(right) or _squeezed(left) == _squeezed(right)  # fmt: skip  # noqa: E501
    return same_shape and all(x.overlaps(y) for x, y in zip(a, b, strict=True))


def _squeezed(value: Balls) -> tuple[int, ...]:
    return tuple(n for n in np.shape(value) if n != 1)


# ---- identities


def _identity(trail: Trail, members: Members) -> Outcome:
    leaves = sorted(
        {
            i
            for n in members.nodes
            for i in trail.cut(n.index).leaves
            if not trail.leaves[i].is_constant and i not in members.moved
        }
    )
    everywhere = _at_draws(trail, members, leaves)
    if everywhere.step is None:
        return everywhere
    stated = _at_stated(trail, members)
    if stated is None or stated.step is not None:
        return everywhere
    # It holds at the stated point: masks and targets may have to stay as they are.
    below = derivatives_below(trail, members.nodes[:1])
    moved = {i for d in below for i in trail.cut(trail.derivatives[d][1]).leaves}
    fewer = [i for i in leaves if i in moved]
    if not fewer or fewer == leaves:
        return _with_substitution(trail, members, everywhere, stated)
    narrow = _at_draws(trail, members, fewer)
    if narrow.step is None:
        return narrow
    return _with_substitution(trail, members, narrow, stated)


def _with_substitution(
    trail: Trail, members: Members, everywhere: Outcome, stated: Outcome
) -> Outcome:
    """A formula into which values were put already cannot be told from a wrong one."""
    numbers = {t for f in members.formulas for t in _numbers_of(f)}
    ends = {n.index for n in members.nodes}
    for i in sorted(set(stated.point.known) - ends):
        if i not in trail.leaves and len(flat(stated.point.known[i])) == 1:
            value = flat(stated.point.known[i])[0]
            if any(value.is_finite() and value.contains(n) for n in numbers):
                raise NotUnderstood("the formula holds at the stated point alone")
    return everywhere


def _numbers_of(formula: Any) -> Iterable[int]:
    if isinstance(formula, tuple) and formula:
        if formula[0] == "number" and formula[1][1].isdigit() and int(formula[1][1]) > 2:  # fmt: skip  # noqa: E501
            yield int(formula[1][1])
        if formula[0] == "pow":
            yield from _numbers_of(formula[1])
        else:
            for part in formula[1:]:
                yield from _numbers_of(part)


def _at_stated(trail: Trail, members: Members) -> Outcome | None:
    if _open(trail, members):
        return None
    point = Point(trail, members.moved)
    found = [point.value(n.index) for n in members.nodes]
    return Outcome(_first_wrong(found), point)


def _at_draws(trail: Trail, members: Members, leaves: Sequence[int]) -> Outcome:
    """The outcome over drawn points at which every member has a value."""
    usable = 0
    last: Point | None = None
    for seed in range(ATTEMPTS):
        point = _drawn(trail, members, leaves, seed)
        found = [point.value(n.index) for n in members.nodes]
        if any(not b.is_finite() for value in found for b in flat(value)):
            continue
        if usable < CERTIFIED:
            for i in derivatives_below(trail, members.nodes):
                certify(point, i)
        step = _first_wrong(found)
        if step is not None:
            return Outcome(step, point, is_identity=True)
        usable, last = usable + 1, point
        if usable == DRAWS:
            break
    if last is None or usable < LEAST:
        raise NotUnderstood("no points were found at which all of it has a value")
    return Outcome(None, last, is_identity=True)


# ---- readings


def merged(outcomes: Sequence[Any], is_right: Callable[[Any], bool]) -> Any:
    """The outcome of several readings; `NotUnderstood` where they differ."""
    right = [is_right(outcome) for outcome in outcomes]
    if any(right) and not all(right):
        raise NotUnderstood("it has two readings, of which one is right")
    return outcomes[0]
