"""Smooth points: which quotients are taken, and what they say with our own gradient.

The quotients use no derivative rule and are the truth. Our own gradient has more
digits, and no truncation error. Where the quotients confirm it, its digits are given.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb, ctx
from mpmath import mp, mpf

from gradverify.arithmetic.matrices import Matrix
from gradverify.graph import Array
from gradverify.reference.bound import Bound
from gradverify.reference.differences import USUAL, Demand, Differences
from gradverify.reference.doubled import doubled
from gradverify.reference.exact import Exact, flat, middle, to_mpf
from gradverify.reference.levels import TINY, Slope
from gradverify.reference.steps import exactly

UNKNOWN = mpf(2) ** -1076  # a quarter of the least float, which is nothing
COMPONENTS = 16  # input entries up to which every one is differenced


def directions_of(
    point: Sequence[Array], found: Sequence[Bound], paths: Sequence[Array]
) -> tuple[list[Array], Array]:
    """The displacements to take quotients along, and the error allowed for each.

    With few input entries, there is one displacement for each. With many, there are two
    through all of them.

    An allowed error is that of rounding, kept between 2**-60 and 2**-20 of the paths of
    its entry. So a quotient is asked for digits even where rounding explains anything,
    and not for more than it has where rounding explains nothing.
    """
    scale = np.concatenate([step_sizes(x) for x in point] or [np.zeros(0)])
    if len(scale) <= COMPONENTS:
        return list(np.diag(scale)), allowed_of(found, paths) * scale
    draw = np.random.default_rng(len(scale))
    return [
        scale * draw.integers(64, 128, len(scale)) / 64 for _ in range(2)
    ], np.zeros(2)


def allowed_of(found: Sequence[Bound], paths: Sequence[Array]) -> Array:
    """The errors allowed of all entries, within the limits of `directions_of`."""
    errors = [
        np.clip(b.tight, 2.0**-60 * a, 2.0**-20 * a).reshape(-1)
        for b, a in zip(found, paths, strict=True)
    ]
    return np.concatenate([np.zeros(0), *errors])


def step_sizes(x: Array) -> Array:
    """min(|x|, 1) of every entry, rounded down to a power of two; 1 at 0."""
    size = np.minimum(np.abs(x.reshape(-1)).astype(float), 1.0)
    exponents = np.frexp(size)[1]
    return np.where(size == 0.0, 1.0, np.ldexp(1.0, exponents - 1))


def scale_along(point: Sequence[Array], displacement: Array) -> np.longdouble:
    """The power of two, at most 1, that makes a displacement no longer than any entry.

    Longer ones leap over all that happens near a small entry. Beside a subnormal entry
    it is below all doubles where a tangent is long.
    """
    sizes = np.concatenate([step_sizes(x) for x in point] or [np.zeros(0)])
    moved = displacement != 0
    exponents = np.frexp(sizes[moved])[1] - np.frexp(displacement[moved])[1]
    one = np.longdouble(1.0)
    return np.ldexp(one, min(0, *exponents)) if moved.any() else one


def conclude_smooth(
    point: Sequence[Array],
    found: Differences,
    directions: Sequence[Array],
    allowed: Array,
    exact: Exact | None,
    demand: Demand = USUAL,
) -> tuple[Slope, tuple[Any, ...], str]:
    """What the differences and our own gradient say together.

    The differences are the truth; where they confirm our gradient, to an eighth of
    what matters or as far as is demanded, its digits are given, which have no
    truncation error.

    directions: one for each slope, over the entries of our derivative: the slope is
        their sum, weighted by the direction.
    """
    if found.status is not Slope.SMOOTH or exact is None:
        return _rough(point, found, directions, exact)
    balls, shapes = exact.derivative, exact.shapes
    ours = [_digits(b, s, exact) for b, s in zip(balls, shapes, strict=True)]
    with mp.workprec(max(found.precision, exact.precision)):
        columns = (found.slopes, found.errors, directions, exactly(allowed, mpf))
        for slope, error, direction, matters in zip(*columns, strict=True):
            own = _along(direction, balls, shapes, exact.precision)
            least = max(TINY, error, UNKNOWN * exactly(np.sum(direction), mpf))
            limit = max(matters / 8, demand.agree * abs(own), least)
            if abs(slope - own) <= limit:
                continue
            # where parts cancel, their sum is known to no more than they are
            parts = _along(direction, balls, shapes, exact.precision, abs)
            if abs(slope - own) > max(limit, demand.agree * parts):
                return Slope.UNRESOLVED, (), OUR_FAULT
    return Slope.SMOOTH, tuple(ours), ""


def _digits(balls: Any, shape: tuple[int, ...], exact: Exact) -> Any:
    """The midpoints of balls; those of a large matrix as `Doubled`."""
    if isinstance(balls, Matrix):
        return doubled(balls, exact.precision)
    return middle(balls, shape)


def _along(
    direction: Array,
    balls: Sequence[Any],
    shapes: Sequence[tuple[int, ...]],
    precision: int,
    size: Callable[[Any], Any] = lambda ball: ball,
) -> Any:
    """The slope of our gradient along a direction.

    size: with `abs`, the sum of the sizes of its parts instead.
    """
    sizes = [math.prod(shape) for shape in shapes]
    parts = np.split(direction, np.cumsum(sizes)[:-1])
    with ctx.workprec(precision):
        total = arb(0)
        for part, ball in zip(parts, balls, strict=True):
            if isinstance(ball, Matrix):
                sizes_of = map(size, ball.whole.entries())
                weights = exactly(part, arb).tolist()
                total += sum(map(operator.mul, sizes_of, weights), arb(0))
            elif ball is not None:  # most steps move one entry alone
                entries = flat(ball)
                for k in np.flatnonzero(part).tolist():
                    total += size(entries[k]) * exactly(part[k], arb)
    return to_mpf(total)


def _per_entry(slopes: Sequence[Any], directions: Sequence[Array]) -> list[Any]:
    """Derivatives by single entries, from slopes along one entry each."""
    return [s / d.max() for s, d in zip(slopes, directions, strict=True)]


OUR_FAULT = (
    "our difference quotients and our own exact gradient disagree: an error of "
    "gradverify, please report it"
)


def _rough(
    point: Sequence[Array],
    found: Differences,
    directions: Sequence[Array],
    exact: Exact | None,
) -> tuple[Slope, tuple[Any, ...], str]:
    if found.status is Slope.SMOOTH:
        return Slope.NONE, (), "the derivative exists only as a limit of other points"
    if found.status is Slope.KINK:
        if exact is not None:
            return Slope.UNRESOLVED, (), OUR_FAULT
        return Slope.NONE, (), "two slopes meet at the edge of a domain"
    if found.status is Slope.ONE_SIDED and len(directions) == sum(
        x.size for x in point
    ) == len(found.slopes):
        with mp.workprec(found.precision):
            entries = _per_entry(found.slopes, directions)
        return Slope.ONE_SIDED, _shaped(entries, point), "the point is a domain's edge"
    if found.status is Slope.ONE_SIDED:
        return Slope.NONE, (), "the point is on the edge of a domain"
    if found.status is Slope.NONE:
        return Slope.NONE, (), "the difference quotients grow without limit"
    return Slope.UNRESOLVED, (), f"no answer with {found.precision} bits"


def _shaped(entries: Sequence[Any], point: Sequence[Array]) -> tuple[Any, ...]:
    result = []
    start = 0
    for x in point:
        array = np.empty(x.size, dtype=object)
        array[:] = entries[start : start + x.size]
        start += x.size
        result.append(array.reshape(x.shape))
    return tuple(result)
