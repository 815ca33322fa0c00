"""Equalities that hold on a curve, such as x² + y² = 25, and need not elsewhere."""

from __future__ import annotations

import numpy as np
from flint import arb, ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.point import PRECISION, Point, flat
from gradverify.claims.judgement.members import (
    Members,
    Outcome,
    drawn_for,
    first_wrong,
    needed_leaves,
)

STARTS = 60  # points from which the curve is looked for
LEAST = 4  # points on it that are needed
STEPS = 60  # of Newton's method
NEAR = arb(2) ** -200


def on_curve(
    program: FileProgram,
    members: Members,
    gap: Symbol,
    x: Symbol,
    y: Symbol,
    sign: int = 0,
) -> Outcome:
    """The outcome at points where `gap` is 0; `NotUnderstood` where none are found.

    sign: of y at the points, where only one branch of the curve is meant.
    """
    if {x.index, y.index} <= {*members.moved}:
        raise NotUnderstood("the stated point need not be on the curve")
    down = program.derivative(gap, y)
    moved = sorted(
        i
        for i in needed_leaves(program, members) | {x.index, y.index}
        if not program.leaves[i].is_constant and i not in members.moved
    )
    usable, last = 0, None
    with ctx.workprec(PRECISION), np.errstate(all="ignore"):
        for seed in range(STARTS):
            start = drawn_for(program, members, moved, seed)
            point = _moved_onto(program, start, gap, down, y)
            if point is None or not _is_on_branch(point, y, sign):
                continue
            found = [point.value(n.index) for n in members.nodes]
            if any(not b.is_finite() for value in found for b in flat(value)):
                continue
            step = first_wrong(members, found)
            if step is not None:
                return Outcome(step, point, is_identity=True)
            usable, last = usable + 1, point
            if usable == 2 * LEAST:
                break
    if last is None or usable < LEAST:
        raise NotUnderstood("no points were found on the curve")
    return Outcome(None, last, is_identity=True)


def _is_on_branch(point: Point, y: Symbol, sign: int) -> bool:
    (value,) = flat(point.value(y.index))
    return not sign or bool(sign * value > 0)


def _moved_onto(
    program: FileProgram, start: Point, gap: Symbol, down: Symbol, y: Symbol
) -> Point | None:
    """The point with another y, at which the gap is 0 (Newton's method)."""
    leaves = dict(start.leaves)
    for _ in range(STEPS):
        point = Point(program, leaves)
        (height,), (slope,) = (flat(point.value(n.index)) for n in (gap, down))
        if not height.is_finite() or not slope.is_finite() or slope.contains(0):
            return None
        (now,) = flat(leaves[y.index])
        change = height / slope
        middle = (now - change).mid()
        if abs(change) < NEAR:
            return Point(program, {**leaves, y.index: middle + arb(0, NEAR)})
        leaves[y.index] = middle
    return None
