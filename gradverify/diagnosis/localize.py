"""Where: the first op that deviates by itself, at the values that it met."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.autodiff.sweep import reverse
from gradverify.diagnosis.op_alone import node_values, op_alone, op_nodes, output_alone
from gradverify.graph import (
    CONSTANTS,
    Array,
    Case,
    Graph,
    Node,
    apply_op,
    input_leaf,
    interpret_all,
)
from gradverify.questions import (
    GRADIENT,
    QUESTIONS,
    by_cotangent_input,
    tangents_of,
)
from gradverify.reference import Reference, reference
from gradverify.reference.exact import middle
from gradverify.reference.gradient_program import gradient_program
from gradverify.verdict import Judgement, Verdict

WHOLE = "graph"  # the op of a discrepancy that no op shows by itself


@dataclass(frozen=True)
class Guilty:
    """The op that deviates alone, the case that shows it, and the judgement on that.

    `op` is "graph" and the rest None if all ops are right alone. Then they interact
    wrongly, such as in a fan-out that is overwritten.
    """

    op: str
    alone: Case | None = None
    judgement: Judgement | None = None


# What is wrong with a derivative as a number; one of them alone may be another of them
# in a graph, such as a missing cotangent that makes a sum wrong.
NUMBERS = frozenset({
    Verdict.WRONG, Verdict.WRONG_VALUE, Verdict.NONFINITE, Verdict.MISSING,
})  # fmt: skip


# A cotangent of a wrong shape may make a later sum raise, or be broadcast in it.
SHAPES = frozenset({Verdict.WRONG_SHAPE, Verdict.CRASHED})
OF_SHAPES = re.compile(r"shape|broadcast|dimension", re.IGNORECASE)
# So may a tangent of a wrong dtype make a later op raise.
OF_DTYPES = re.compile(r"dtype|\b(double|float)\b", re.IGNORECASE)


def guilty_op(
    case: Case, judge: Callable[[Case], Judgement], judgement: Judgement
) -> Guilty:
    """Judge every op alone, and name the first that deviates as the case does.

    An op deviates as the case does if it has the same verdict; after an exception, it
    must raise the same one. If no op does, and the numbers of the case are wrong, an op
    is named whose numbers are wrong in another way. An op whose cotangents have a shape
    that does not fit is named for what later sums make of them. One whose error is far
    smaller than that of the case is named only if no other one deviates: digits that a
    library loses are not what made the first digit wrong.

    An op's result is made a scalar by a product and a sum. These two are suspects too.
    If all ops are right and the numbers of the case are not finite, an op is named that
    gives no finite number where it has no derivative: its operand does not move in the
    case, and 0 times what it gives is no number.

    If all ops are right at second order, each has a cotangent that is an input at last:
    a rule may forget to differentiate by it.

    judgement: of the case.
    """
    first: Guilty | None = None
    undefined: Guilty | None = None
    same: list[Guilty] = []
    for alone, rest in _suspects(case, judgement.question):
        found = judgement if _are_one(alone, case) else judge(alone)
        if not _may_be(found, judgement):
            if undefined is None and _spreads(found, judgement):
                nonfinite = replace(found, verdict=Verdict.NONFINITE)
                undefined = Guilty(alone.graph.ops[0], alone, nonfinite)
            continue
        guilty = Guilty(alone.graph.ops[0], alone, found)
        if rest is not None and is_same(other := judge(rest), found):
            guilty = Guilty(rest.graph.ops[0], rest, other)
        if is_same(found, judgement):
            if _is_as_large(found, judgement):
                return guilty
            same.append(guilty)
        first = first or guilty
    largest = max(same, key=lambda g: _size(g.judgement), default=None)
    if first is None and QUESTIONS[judgement.question].order == 2:
        for alone in _by_moving_cotangents(case):
            if _may_be(found := judge(alone), judgement):
                return Guilty(alone.graph.ops[0], alone, found)
    return largest or first or undefined or Guilty(WHOLE)


FAR = 1e6  # times smaller than the error of the case


def _size(found: Judgement | None) -> float:
    """The error in units of roundoff; infinite where there is no such number."""
    ulps = None if found is None else found.error_ulps
    return math.inf if ulps is None else ulps


def _is_as_large(found: Judgement, wanted: Judgement) -> bool:
    """Whether an op's error may be that of the case."""
    return _size(found) * FAR >= _size(wanted) or math.isinf(_size(wanted))


def is_same(found: Judgement, wanted: Judgement) -> bool:
    """Whether two cases deviate in the same way.

    The verdicts must be the same, and after exceptions the exceptions.
    """
    if found.verdict is not wanted.verdict:
        return False
    return exception_of(found) == exception_of(wanted)


def _are_one(alone: Case, case: Case) -> bool:
    """Whether the case is one op already, so that its judgement is the op's."""
    points = zip(alone.point, case.point, strict=False)
    return alone.graph == case.graph and all(
        a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in points
    )


def exception_of(judgement: Judgement) -> str:
    """The exception that was raised, without its numbers, which belong to shapes and
    values; empty if none was.
    """
    if judgement.verdict is not Verdict.CRASHED:
        return ""
    return re.sub(r"[\d().,\[\]\s-]+", " ", judgement.got)


def _may_be(found: Judgement, wanted: Judgement) -> bool:
    both = {found.verdict, wanted.verdict}
    if both <= NUMBERS or both == SHAPES or is_same(found, wanted):
        return True
    if found.verdict is Verdict.WRONG_DTYPE and wanted.verdict is Verdict.CRASHED:
        return bool(OF_DTYPES.search(wanted.got))
    if not _is_of_shapes(found):
        return False
    return wanted.verdict in NUMBERS or _is_of_shapes(wanted)


def _spreads(found: Judgement, wanted: Judgement) -> bool:
    """Whether an op without a derivative here gives what is not finite in the case."""
    is_undefined = found.verdict is Verdict.NO_DERIVATIVE
    is_finite = re.search(r"nan|inf", found.got) is None
    return is_undefined and not is_finite and wanted.verdict is Verdict.NONFINITE


def _is_of_shapes(found: Judgement) -> bool:
    """Whether a cotangent has a wrong shape, or the exception is about shapes."""
    if found.verdict is Verdict.CRASHED:
        return bool(OF_SHAPES.search(found.got))
    return found.verdict is Verdict.WRONG_SHAPE


# By what a cotangent is scaled, one after the other, until other tangents are drawn.
SCALES = (1.25, 1.5, 1.75, -1.25, -1.5, -1.75)
# Until no tangent is drawn for an operand, which is so for one in eight.
MANY_SCALES = (
    1.0,
    *SCALES,
    *(k * scale for k in (2, 4, 8, 16, 32) for scale in SCALES),
)


def _suspects(
    case: Case, question: str = GRADIENT.name
) -> Iterator[tuple[Case, Case | None]]:
    """Every op alone, with what makes a scalar of its result.

    An operand that occurs twice in the graph is two inputs of the op alone, and either
    may happen to have no tangent; an entry of one may be held still as well. With other
    cotangents, at the end, every entry moves in one of them, and an operand that has no
    tangent in the graph has none in one of them either.
    """
    values = node_values(case)
    others = () if question == GRADIENT.name else (_moved, _unmoved)
    more = (pair for find in others for pair in find(case, values))
    for i, ct in chain(_candidates(case), more):
        try:
            alone = op_alone(case, i, values, ct)
        except ValueError:  # the literal is no operand of this op alone
            continue
        if alone.point:
            yield alone, output_alone(case, i, values, ct)


def _by_moving_cotangents(case: Case) -> Iterator[Case]:
    """Every op alone with a cotangent that is an input, after that product by itself.

    The cotangent is the one that reaches the op. Either factor of the product may
    happen to have no tangent, but hardly in both orders. Scales are there for other
    tangents of the op.
    """
    values, cotangents = node_values(case), _cotangents(case, reference(case))
    for i in op_nodes(case.graph):
        ct, moving = cotangents[i], []
        for scale in (1.0, *SCALES[:2]):
            one = _by_moving_cotangent(case, i, values, scale)
            if one is not None and ct is not None and np.all(np.isfinite(ct)):
                x = one.point[-1]
                cotangent = np.broadcast_to(ct / scale, x.shape).astype(case.dtype)
                one = replace(one, point=(*one.point[:-1], cotangent))
            moving += [] if one is None else [one]
        factors = (np.asarray(values[i], case.dtype), *(m.point[-1] for m in moving))
        for order in ((0, 1), (1, 0)) if moving else ():
            shape = case.graph.nodes[i].shape
            nodes: list[Node] = [input_leaf(shape), input_leaf(shape)]
            nodes.append(apply_op(nodes, "mul", order))
            if shape:
                nodes.append(apply_op(nodes, "sum", (2,)))
            yield Case(Graph(tuple(nodes)), factors[:2], case.dtype)
        yield from moving


def _by_moving_cotangent(
    case: Case, i: int, values: Sequence[Any], scale: float
) -> Case | None:
    """The op alone, times a scale and a cotangent that is an input; None for a plain
    sum, which is taken for the contraction itself.
    """
    shape = case.graph.nodes[i].shape
    try:
        alone = op_alone(case, i, values, np.full(shape, scale))
    except ValueError:  # the literal is no operand of this op alone
        return None
    moving = by_cotangent_input(alone)
    return moving if alone.point and moving.point[-1].shape == shape else None


def _moved(case: Case, values: Sequence[Any]) -> Iterator[tuple[int, Array]]:
    """Ops of which an entry is held still, with cotangents for which it moves."""
    nodes = case.graph.nodes
    for i in op_nodes(case.graph):
        still: list[Array] = []
        for scale in (1.0, *SCALES):
            ct = np.full(nodes[i].shape, scale)
            try:
                alone = op_alone(case, i, values, ct)
            except ValueError:
                break
            rests = _at_rest(alone)
            if still and any(np.any(s > r) for s, r in zip(still, rests, strict=True)):
                yield i, ct
            still = [s & r for s, r in zip(still or rests, rests, strict=True)]
            if not any(map(np.any, still)):
                break


def _unmoved(case: Case, values: Sequence[Any]) -> Iterator[tuple[int, Array]]:
    """Ops of which an operand has no tangent, with cotangents for which it has none."""
    tangents = tangents_of(case.graph, case.dtype)
    pairs = zip(case.graph.inputs, tangents, strict=True)
    moving = {i for i, tangent in pairs if tangent is not None}
    nodes = case.graph.nodes
    for i in op_nodes(case.graph):
        if not moving.isdisjoint(nodes[i].operands):
            moving.add(i)
        operands = [j for j in nodes[i].operands if nodes[j].op not in CONSTANTS]
        wanted = {k for k, j in enumerate(operands) if j not in moving}
        for scale in MANY_SCALES if wanted else ():
            ct = np.full(nodes[i].shape, scale)
            try:
                alone = op_alone(case, i, values, ct)
            except ValueError:  # the literal is no operand of this op alone
                break
            found = tangents_of(alone.graph, alone.dtype)
            absent = {k for k, tangent in enumerate(found) if tangent is None}
            if not wanted.isdisjoint(absent):
                yield i, ct
                wanted -= absent
            if not wanted:
                break


def _at_rest(alone: Case) -> list[Array]:
    """Which entries of the inputs have no tangent."""
    tangents = tangents_of(alone.graph, alone.dtype)
    return [
        np.ones(x.shape, bool) if v is None else v == 0
        for x, v in zip(alone.point, tangents, strict=True)
    ]


def _candidates(case: Case) -> Iterator[tuple[int, Array]]:
    """Ops, with cotangents to pull back through each.

    Cotangents of ones come first, since they need the fewest other ops around the op.
    """
    nodes = case.graph.nodes
    scalars_first = sorted(op_nodes(case.graph), key=lambda i: nodes[i].shape != ())
    for i in scalars_first:
        yield i, np.ones(nodes[i].shape)
    cotangents = _cotangents(case, reference(case))
    for i in scalars_first:
        ct = cotangents[i]
        if ct is not None and np.all(np.isfinite(ct)) and np.any(ct != 1.0):
            yield i, ct


def _cotangents(case: Case, found: Reference) -> list[Array | None]:
    """The exact cotangents, as floats; by floats if the reference has none.

    At a kink they belong to one branch. That is enough, since an op must be right for
    any cotangent.
    """
    nodes, exact = case.graph.nodes, found.exact
    expansion = gradient_program(case.graph, case.dtype).expansion
    if exact is not None:
        return [
            middle(exact.cotangents[j], node.shape).astype(float)
            for j, node in zip(expansion.place, nodes, strict=True)
        ]
    with np.errstate(all="ignore"):
        point = [EXTENDED.lift(x) for x in case.point]
        values = interpret_all(expansion.graph, EXTENDED.table, point)
        seed = {len(values) - 1: np.longdouble(1.0)}
        cotangents = reverse(expansion.graph, EXTENDED, values, seed)
        picked = [cotangents[j] for j in expansion.place]
        return [None if ct is None else np.asarray(ct, float) for ct in picked]
