"""The inverse of a function that a text defines, near a stated number: `(f^{-1})'(2)`.

A text seldom writes the inverse down. It states a number b, and one sees the a with
f(a) = b. Near b the inverse is a + (x - b) / f'(a), but for terms of second order,
which its slope at b does not see.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

from flint import ctx

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.computation.file_program import (
    FileProgram,
    Leaf,
    NotUnderstood,
)
from gradverify.claims.computation.point import PRECISION, Point, ball, flat

FURTHEST = 12  # from 0, of the numbers that people choose as a
SEEN = sorted(
    {Fraction(n, d) for d in (1, 2, 3) for n in range(-FURTHEST * d, FURTHEST * d + 1)}
)


def inverse_at(
    program: FileProgram, function: Callable[[Symbol], Symbol], x: Symbol
) -> Symbol:
    """The inverse of a function, as far as its value and its slope at x go.

    Where the function passes through x anywhere else, another part of it may be meant.
    """
    leaves = (program.leaves[i] for i in program.cut(x.index).leaves)
    if x.shape or not all(leaf.is_constant for leaf in leaves):
        raise NotUnderstood("the inverse function is not written down")
    tried = program.leaf(Leaf((), reason="what an inverse function gives"))
    value = function(tried).index
    with ctx.workprec(PRECISION):
        (wanted,) = flat(Point(program, {}).value(x.index))
        points = (Point(program, {tried.index: ball(a)}) for a in SEEN)
        given = [flat(point.value(value))[0] for point in points]
        found = [a for a, b in zip(SEEN, given, strict=True) if wanted.overlaps(b)]
        above = [0.0 if wanted.overlaps(b) else float(b - wanted) for b in given]
    if len(found) != 1 or any(a * b < 0.0 for a, b in itertools.pairwise(above)):
        raise NotUnderstood("what the function takes to this number is not seen")
    a = program.copy(program.constant(found[0]))
    back = function(a)
    slope = program.derivative(back, a)
    step = program.apply("div", program.apply("sub", x, back), slope)
    return program.apply("add", a, step)
