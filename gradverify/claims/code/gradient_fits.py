"""Whether gradients are derivatives of a value, as numbers at a drawn point show."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.gradient_names import ONE, Gradient
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood
from gradverify.claims.computation.point import Balls, Point, drawn, flat

NOUGHT = 1e-12  # at a point whose coordinates are about 1
DRAWS = 12  # points that are tried


def fitting_ones(
    program: FileProgram,
    y: Symbol,
    gradients: Sequence[Gradient],
    holds: frozenset[int] = frozenset(),
    over: Fraction = ONE,
) -> list[Gradient]:
    """The gradients that are derivatives of y, as numbers at some point show."""
    pairs = _with_derivatives(program, y, gradients, holds)
    point = _common_point(program, pairs)
    return [] if point is None else [g for g, d in pairs if _holds(point, g, d, over)]


def first_fitting(
    program: FileProgram, y: Symbol, gradients: Sequence[Gradient]
) -> Gradient | None:
    """The first of several gradients that is a derivative of y.

    Where some have no value at any point, the others are looked at one by one.
    """
    pairs = _with_derivatives(program, y, gradients)
    point = _common_point(program, pairs)
    for g, exact in pairs:
        own = _common_point(program, [(g, exact)]) if point is None else point
        if own is not None and _holds(own, g, exact):
            return g
    return None


def _with_derivatives(
    program: FileProgram,
    y: Symbol,
    gradients: Sequence[Gradient],
    holds: frozenset[int] = frozenset(),
) -> list[tuple[Gradient, Symbol]]:
    """Gradients with what they should be, where y depends on what they are by."""
    pairs: list[tuple[Gradient, Symbol]] = []
    for g in gradients:
        if g.x.index != y.index and program.depends(y.index, g.x.index):
            try:
                pairs.append((g, program.derivative(y, g.x, holds)))
            except NotUnderstood:
                continue
    return pairs


def _common_point(
    program: FileProgram, pairs: Sequence[tuple[Gradient, Symbol]]
) -> Point | None:
    nodes = [n for g, exact in pairs for n in (exact.index, g.assigned.value.index)]
    return _point(program, nodes)


def _holds(point: Point, g: Gradient, exact: Symbol, over: Fraction = ONE) -> bool:
    claimed = point.value(g.assigned.value.index)
    return _same(point.value(exact.index), claimed, over)


def is_derivative(program: FileProgram, y: Symbol, x: Symbol, claimed: Symbol) -> bool:
    """Whether a value is the derivative of y by x, as numbers at some point show."""
    if not program.depends(y.index, x.index):
        return False
    try:
        exact = program.derivative(y, x)
    except NotUnderstood:
        return False
    point = _point(program, [exact.index, claimed.index])
    return point is not None and _same(
        point.value(exact.index), point.value(claimed.index)
    )


def _point(program: FileProgram, nodes: Sequence[int]) -> Point | None:
    """A point at which nodes have values: all that is no constant is drawn."""
    leaves = program.leaves_beneath(nodes)
    moved = [i for i in leaves if not program.leaves[i].is_constant]
    for seed in range(DRAWS):
        point = drawn(program, moved, seed)
        found = [b for n in nodes for b in flat(point.value(n))]
        if found and all(b.is_finite() for b in found):
            return point
    return None


def _same(left: Balls, right: Balls, over: Fraction = ONE) -> bool:
    """Whether numbers are those on the left, divided by a number of examples."""
    a = [float(x * over.denominator / over.numerator) for x in flat(left)]
    b = [float(y) for y in flat(right)]
    least = max(map(abs, a), default=0.0) * 1e-6 + 1e-12
    return len(a) == len(b) and all(
        abs(x - y) <= 1e-9 * max(abs(x), abs(y), least)
        for x, y in zip(a, b, strict=True)
    )


def divisors_of(
    program: FileProgram,
    y: Symbol,
    gradient: Gradient,
    holds: frozenset[int],
    sizes: Sequence[Fraction],
) -> list[Fraction]:
    """The sizes by which a gradient is the derivative of y divided."""
    x, value = gradient.x, gradient.assigned.value
    if x.index == y.index or not program.depends(y.index, x.index):
        return []
    try:
        exact = program.derivative(y, x, holds)
    except NotUnderstood:
        return []
    point = _point(program, [exact.index, value.index])
    if point is None:
        return []
    sides = point.value(exact.index), point.value(value.index)
    return [over for over in sizes if _same(*sides, over)]


def is_zero(program: FileProgram, value: Symbol) -> bool:
    """Whether all entries of a value are 0 at a drawn point."""
    point = _point(program, [value.index])
    return point is not None and all(
        abs(float(b)) < NOUGHT for b in flat(point.value(value.index))
    )
