"""What the nodes of a program are worth at a point, in balls; and the certified truth.

The point is the one that the file states, or one that is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb, fmpq

from gradverify.arithmetic.balls import BALLS
from gradverify.claims.claim_limits import BALL_BITS
from gradverify.claims.computation.file_program import FileProgram, Leaf, NotUnderstood
from gradverify.graph import Array, Case, Graph, Node
from gradverify.reference import Reference, Slope, reference

PRECISION = 320  # bits: enough for sums of a hundred digits
LARGEST = arb(2) ** BALL_BITS
SAME = 1e-12  # of the sum over paths: how near our two references must be
DRAWS = 20

Balls = Any  # a ball, or an object array of balls


class UncertifiedError(NotUnderstood):
    """At this point the derivative cannot be held against the reference."""


@dataclass(eq=False)
class Point:
    """Values of leaves, and of every node that was asked for."""

    program: FileProgram
    leaves: Mapping[int, Balls]
    known: dict[int, Balls] = field(default_factory=dict)

    def value(self, index: int) -> Balls:
        """The value of a node, NaN where it has none."""
        nodes, wanted, stack = self.program.record.nodes, set(), [index]
        while stack:
            i = stack.pop()
            if i not in wanted and i not in self.known:
                wanted.add(i)
                stack += nodes[i].operands
        for i in sorted(wanted):
            self.known[i] = self._computed(i, nodes[i])
        return self.known[index]

    def _computed(self, i: int, node: Node) -> Balls:
        if node.op == "input":
            return (
                self.leaves[i] if i in self.leaves else written(self.program.leaves[i])
            )
        if node.op in ("data", "literal"):
            return BALLS.lift(np.asarray(node.value, np.float64))
        operands = [self.known[j] for j in node.operands]
        return limited(BALLS.table[node.op](*operands, **node.params))


def flat(value: Balls) -> list[Any]:
    """The balls of an array, or the one ball."""
    return list(np.asarray(value, dtype=object).reshape(-1))


def limited(value: Balls) -> Balls:
    """Balls too large to work with become NaN."""
    return _each(lambda b: b if abs(b) < LARGEST else arb("nan"))(value)


def _each(function: Any) -> Any:
    ufunc = np.frompyfunc(function, 1, 1)
    return lambda value: (
        ufunc(value) if isinstance(value, np.ndarray) else function(value)
    )


def ball(value: Fraction, half_unit: Fraction = Fraction(0)) -> Any:
    """The interval around a fraction."""
    middle = arb(fmpq(value.numerator, value.denominator))
    if not half_unit:
        return middle
    radius = arb(fmpq(half_unit.numerator, half_unit.denominator))
    return middle + arb(0, radius)


def written(leaf: Leaf) -> Balls:
    """A leaf as balls: the number, or everything that rounds to it, or NaN."""
    result = np.empty(leaf.shape, dtype=object)
    for index in np.ndindex(leaf.shape):
        if leaf.value is None:
            result[index] = arb("nan")
        else:
            half = leaf.half_unit
            width: Any = Fraction(0) if half is None else half[index]
            number: Any = leaf.value[index]
            result[index] = ball(number, width)
    return result[()]


# ---- drawn points


def drawn(program: FileProgram, moved: Iterable[int], seed: int) -> Point:
    """A point at which leaves are moved; the others are as the file states them.

    Half of the points are inside (0.1, 0.9), where most functions have values.
    """
    generator = np.random.default_rng([7, seed])
    low, high = (7, 58) if seed % 2 else (-150, 150)
    leaves = {}
    for i in sorted(moved):
        shape = program.leaves[i].shape
        numbers = generator.integers(low, high, size=shape)
        odd = np.frompyfunc(lambda n: arb(2 * int(n) + 1) / 128, 1, 1)
        leaves[i] = np.asarray(odd(numbers), dtype=object)[()]
    return Point(program, leaves)


# ---- the truth


def certify(point: Point, derivative: int) -> Reference | None:
    """Hold a derivative's ball against the mpmath-certified reference.

    None where it is 0 or 1 by the shape of the program. At a kink its value becomes
    the range of slopes. Raises `UncertifiedError` where there is no derivative, and
    `NotUnderstood` where the two do not agree.
    """
    program = point.program
    y, x = program.derivatives[derivative]
    if y == x or not program.depends(y, x):
        return None
    case, place = case_at(point, y, x, "float64")
    truth = reference(case)
    if truth.status is Slope.KINK and truth.kinked is not None:
        point.known[derivative] = _range(truth, place)
        return truth
    if truth.status not in (Slope.SMOOTH, Slope.ONE_SIDED):
        raise UncertifiedError(
            truth.note or f"the derivative is not known: {truth.status.name}"
        )
    rows = zip(
        flat(point.value(derivative)),
        truth.gradient[place].flat,
        truth.loose[place].flat,
        truth.paths[place].flat,
        strict=True,
    )
    for found, exact, bound, paths in rows:
        allowed = 4 * float(bound) + SAME * float(paths) + SAME * abs(float(exact))
        if not abs(float(found.mid()) - float(exact)) <= allowed:
            raise NotUnderstood(
                f"our two references disagree: {float(found)} and {float(exact)}"
            )
    return truth


def allowed_error(point: Point, derivative: int, dtype: str) -> Array:
    """How far rounding may take each entry of a derivative in a dtype."""
    y, x = point.program.derivatives[derivative]
    if y == x or not point.program.depends(y, x):
        return np.zeros(point.program.record.nodes[x].shape)
    case, place = case_at(point, y, x, dtype)
    truth = reference(case)
    if not truth.bounds:
        return np.zeros(case.point[place].shape)
    return np.asarray(truth.loose[place], np.float64)


def case_at(point: Point, y: int, x: int, dtype: str) -> tuple[Case, int]:
    """The function of x and the leaves beside it, at floats; x's place among them."""
    cut = point.program.cut(y, frozenset({x}))
    nodes, leaves = list(cut.graph.nodes), list(cut.leaves)
    if cut.graph.output.shape != ():
        nodes.append(Node("sum", (len(nodes) - 1,), {"axis": None, "keepdims": False}))
    values = [floats(point.value(i)) for i in leaves]
    if not all(np.all(np.isfinite(v)) for v in values):
        raise NotUnderstood("a value on the way is not finite or not known")
    return Case(Graph(tuple(nodes)), tuple(values), dtype), leaves.index(x)


def floats(value: Balls) -> Array:
    """The middles of balls."""
    array = np.asarray(value, dtype=object)
    return np.array([float(b) for b in array.flat]).reshape(array.shape)


def _range(truth: Reference, place: int) -> Balls:
    """Everything between the lowest and the highest slope."""
    assert truth.kinked is not None
    sizes = [x.size for x in truth.case.point]
    start, shape = sum(sizes[:place]), truth.case.point[place].shape
    hull = truth.kinked.hull
    lowest, highest = hull.vertices.min(axis=0), hull.vertices.max(axis=0)
    result = np.empty(sizes[place], dtype=object)
    for k in range(sizes[place]):
        low, high = arb(float(lowest[start + k])), arb(float(highest[start + k]))
        result[k] = (low + high) / 2 + arb(0, (high - low) / 2)
    return result.reshape(shape)[()]
