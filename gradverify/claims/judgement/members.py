"""The members of a chain as nodes, compared at a point."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
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


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a chain: the first wrong equality, from 0; None for a right one.

    point: where the numbers are taken from.
    """

    step: int | None
    point: Point
    is_identity: bool = False
    note: str = ""


def is_number(formula: Any) -> bool:
    """Whether a formula has neither names nor derivatives in it."""
    if not isinstance(formula, tuple) or not formula:
        return True
    named = ("name", "bare", "prime", "bare_prime", "apply", "apply_prime", "name_of",
             "derivative", "derivative_at", "gradient_of", "operator", "d_operator",
             "call_prime")  # fmt: skip
    return formula[0] not in named and all(is_number(part) for part in formula[1:])


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


def open_leaves(program: FileProgram, members: Members) -> dict[int, str]:
    """The leaves without a value that the chain needs, and why they have none."""
    return {
        i: program.leaves[i].reason
        for n in members.nodes
        for i in program.cut(n.index).leaves
        if program.leaves[i].value is None and i not in members.moved
    }


def drawn_for(
    program: FileProgram, members: Members, moved: Iterable[int], seed: int
) -> Point:
    """A point at which leaves are moved, and those that the claim sets are set."""
    point = drawn(program, moved, seed)
    return Point(program, {**point.leaves, **members.moved})


def check_finite(found: Sequence[Balls]) -> None:
    """Raise `NotUnderstood` where a value is NaN or infinite."""
    if any(not b.is_finite() for value in found for b in flat(value)):
        raise NotUnderstood("a value on the way is not finite")


def first_wrong(found: Sequence[Balls]) -> int | None:
    """The first pair of neighbours that do not agree, from 0; None without one."""
    for k, (left, right) in enumerate(itertools.pairwise(found)):
        if not agree(left, right):
            return k
    return None


def agree(left: Balls, right: Balls) -> bool:
    """Whether two intervals, or all of two arrays of them, overlap."""
    a, b = flat(left), flat(right)
    return squeezed(left) == squeezed(right) and all(
        x.overlaps(y) for x, y in zip(a, b, strict=True)
    )


def squeezed(value: Balls) -> tuple[int, ...]:
    """The shape without axes of length 1."""
    return tuple(n for n in np.shape(value) if n != 1)
