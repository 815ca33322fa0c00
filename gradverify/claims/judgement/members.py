"""The members of a chain as nodes, compared at a point."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.point import Balls, Point, drawn, flat
from gradverify.claims.language.grammar import Formula


@dataclass(frozen=True, eq=False)
class Members:
    """The members of a chain as nodes, with what they were written as.

    approximate: for each `=`, whether it is an `≈`. moved: what the claim puts in the
    place of leaves, such as x = 2.
    """

    formulas: Sequence[Formula]
    nodes: Sequence[Symbol]
    moved: Mapping[int, Balls] = field(default_factory=dict)
    approximate: Sequence[bool] = ()


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a chain: the first wrong equality, from 0; None for a right one.

    point: where the numbers are taken from. is_vacuous: whether it is right and shows
    nothing, as 0 = 0 does.
    """

    step: int | None
    point: Point
    is_identity: bool = False
    is_vacuous: bool = False


def is_number(formula: Any) -> bool:
    """Whether a formula has neither names nor derivatives in it."""
    if not isinstance(formula, tuple) or not formula:
        return True
    named = ("name", "any", "node", "bare", "prime", "bare_prime", "apply",
             "apply_prime", "name_of", "derivative", "derivative_at", "gradient_of",
             "operator", "operator_of", "d_operator",
             "call_prime", "indexed", "gradient", "d1", "d2", "d_mixed")  # fmt: skip
    return formula[0] not in named and all(is_number(part) for part in formula[1:])


COMMON = (0, 1, -1)
DERIVATIVES = ("d1", "d2", "d_mixed", "d_operator", "operator", "d2_operator",
               "indexed", "operator_of",
               "gradient", "gradient_of", "prime", "bare_prime", "apply_prime",
               "call_prime", "group_prime", "group_prime_at")  # fmt: skip


def has_derivative(formula: Any) -> bool:
    """Whether a formula has derivatives in it."""
    if not isinstance(formula, tuple) or not formula:
        return False
    return formula[0] in DERIVATIVES or any(map(has_derivative, formula[1:]))


def derivatives_below(program: FileProgram, nodes: Iterable[Symbol]) -> list[int]:
    """The derivatives that nodes are computed from, the nearest ones."""
    found, stack, seen = [], [n.index for n in nodes], set()
    while stack:
        i = stack.pop()
        if i in seen:
            continue
        seen.add(i)
        if i in program.derivatives:
            found.append(i)
        else:
            stack += program.record.nodes[i].operands
    return sorted(found)


def needed_leaves(program: FileProgram, members: Members) -> set[int]:
    """The leaves that the members need, and those of what is differentiated in them.

    f = x² + 3y has the derivative 2x by x, which has no y in it. To differentiate f at
    a point, y is needed there all the same.
    """
    below = derivatives_below(program, members.nodes)
    wanted = {n.index for n in members.nodes} | {
        program.derivatives[i][0] for i in below
    }
    return {i for n in wanted for i in program.cut(n).leaves}


def open_leaves(program: FileProgram, members: Members) -> dict[int, str]:
    """The leaves without a value that the chain needs, and why they have none."""
    return {
        i: program.leaves[i].reason
        for i in sorted(needed_leaves(program, members))
        if program.leaves[i].value is None and i not in members.moved
    }


def drawn_for(
    program: FileProgram, members: Members, moved: Iterable[int], seed: int
) -> Point:
    """A point at which leaves are moved, and those that the claim sets are set."""
    point = drawn(program, moved, seed)
    return Point(program, {**point.leaves, **members.moved})


def member_agrees(members: Members, outcome: Outcome) -> bool:
    """Whether a member of a wrong chain, its last one aside, is the derivative.

    The chain rule written out is right whatever the functions are, so that it does not
    show that they are the author's: only a member without derivatives counts.
    """
    if outcome.step is None or len(members.nodes) < 3:
        return False
    try:
        found = [outcome.point.value(n.index) for n in members.nodes]
    except NotUnderstood:
        return False
    return any(
        agree_as_written(found[0], other)
        and not (is_number(formula) and _is_common(other))
        for formula, other in zip(members.formulas[1:-1], found[1:-1], strict=True)
        if not has_derivative(formula)
    )


def is_empty(program: FileProgram, members: Members, outcome: Outcome) -> bool:
    """Whether a right chain of formulas shows nothing: X = X, or 0 = 0 in all places.

    `y' = 2y` holds where y is 0, and says nothing about that y. A member that is
    written as a number is a statement.
    """
    if outcome.step is not None or any(map(is_number, members.formulas)):
        return False
    if len({program.derivatives.get(n.index, n.index) for n in members.nodes}) == 1:
        return True
    values = (outcome.point.value(n.index) for n in members.nodes)
    return outcome.is_identity and all(b == 0 for value in values for b in flat(value))


def is_telling(
    program: FileProgram, members: Members, outcome: Outcome, moving: Set[str]
) -> bool:
    """Whether what comes out right shows that the function is the one that was read.

    Few functions have the derivative 2xy; many have 0, 1 or another number, and the
    chain rule written out holds for all of them. A number counts where it is taken at
    a point.

    moving: names of unknown functions, whose rates may stand in a result.
    """
    rest = [_without_rates(f, moving) for f in members.formulas[1:]]
    plain = [f for f in rest if not has_derivative(f)]
    if not all(map(is_number, plain)):
        return True
    head = members.nodes[0].index
    leaves = program.cut(head).leaves
    is_at_point = any(not program.leaves[i].is_constant for i in leaves)
    return bool(plain) and is_at_point and not _is_common(outcome.point.value(head))


def _is_common(value: Balls) -> bool:
    """Whether all entries are 0, 1 or -1, which many derivatives are somewhere."""
    return all(any(b.contains(n) for n in COMMON) for b in flat(value))


def _without_rates(formula: Any, moving: Set[str]) -> Any:
    if not isinstance(formula, tuple) or not formula:
        return formula
    match formula:
        case ("derivative", ("d1", ("name", (kind, of)), _)) if of in moving:
            return ("name", (kind, of))
    return tuple(_without_rates(part, moving) for part in formula)


def check_finite(found: Sequence[Balls]) -> None:
    """Raise `NotUnderstood` where a value is NaN or infinite."""
    if any(not b.is_finite() for value in found for b in flat(value)):
        raise NotUnderstood("a value on the way is not finite")


def first_wrong(members: Members, found: Sequence[Balls]) -> int | None:
    """The first pair of neighbours that do not agree, from 0; None without one.

    Pairs with an ≈ between two formulas are not looked at.
    """
    skipped = loose_steps(members)
    same = agree_as_written if members.formulas else agree
    for k, (left, right) in enumerate(itertools.pairwise(found)):
        if k not in skipped and not same(left, right):
            return k
    return None


def loose_steps(members: Members) -> frozenset[int]:
    """The pairs with an ≈ between two formulas, which nothing exact can be said of."""
    return frozenset(
        k
        for k, approximate in enumerate(members.approximate)
        if approximate
        and not is_number(members.formulas[k])
        and not is_number(members.formulas[k + 1])
    )


def agree(left: Balls, right: Balls) -> bool:
    """Whether two intervals, or all of two arrays of them, overlap."""
    a, b = flat(left), flat(right)
    return squeezed(left) == squeezed(right) and all(
        x.overlaps(y) for x, y in zip(a, b, strict=True)
    )


def agree_as_written(left: Balls, right: Balls) -> bool:
    """Whether what a text writes agrees, in either layout.

    A matrix and its transpose are the same Jacobian in two conventions. A number beside
    an array stands for all of its diagonal: ∂z/∂b = 1 is the identity.
    """
    if agree(left, right):
        return True
    if np.ndim(left) == 2 and agree(np.transpose(left), right):
        return True
    for number, other in ((left, right), (right, left)):
        if np.ndim(number) == 0 and np.ndim(other) == 1:
            return all(b.overlaps(number_of(number)) for b in flat(other))
        if np.ndim(number) == 0 and np.ndim(other) == 2:
            return _is_diagonal(other, number_of(number))
    return False


def number_of(value: Balls) -> Any:
    """The one ball of a value without axes."""
    (ball,) = flat(value)
    return ball


def _is_diagonal(matrix: Balls, number: Any) -> bool:
    rows, columns = np.shape(matrix)
    return rows == columns and all(
        matrix[i][j].overlaps(number) if i == j else matrix[i][j].contains(0)
        for i in range(rows)
        for j in range(columns)
    )


def squeezed(value: Balls) -> tuple[int, ...]:
    """The shape without axes of length 1."""
    return tuple(n for n in np.shape(value) if n != 1)
