"""Why a second derivative is wrong: changes of the right second sweep.

The gradient of a graph is a program, and Hv is the gradient of that program contracted
with v. A rule of the first sweep multiplies the cotangent that comes to it by a factor.
The factor is made of values that a library has saved, such as the y of exp. A slip
changes what flows back to the saved values, or to the cotangent: nothing does if they
were kept without their history. A row of a Hessian is Hv for a unit tangent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.arithmetic.symbols import Program
from gradverify.autodiff.rules import rules_of
from gradverify.autodiff.sweep import operand_shapes, pullback, walk_back
from gradverify.diagnosis.localize import WHOLE
from gradverify.diagnosis.naming import Naming
from gradverify.formats import format_of
from gradverify.graph import Array, Case, Graph, Node, interpret_all
from gradverify.questions import SECOND, Question, tangents_of
from gradverify.reference import Reference, Slope, floats_of, reference
from gradverify.reference.gradient_program import (
    GradientProgram,
    gradient_program,
    swept_back,
)
from gradverify.reference.second_order import contracted_program

LEFT = 0.125  # of every error a slip may leave
ROUNDINGS = 64  # units of roundoff of our own sweep


@dataclass(frozen=True)
class SecondOrderSlip:
    """What is done to the derivative of a product of cotangent and factor.

    cause: its name. says: how that is said. saved, cotangent: what flows back to saved
    values, and to the cotangent, is multiplied by these.
    """

    cause: str
    says: str
    saved: float = 1.0
    cotangent: float = 1.0


SLIPS = (
    SecondOrderSlip(
        "saved values detached",
        "{factor} is held constant where the derivative is differentiated, as if it "
        "had been saved without its history",
        saved=0.0,
    ),
    SecondOrderSlip(
        "sign of a second derivative",
        "the derivative of {factor} has the wrong sign",
        saved=-1.0,
    ),
    SecondOrderSlip(
        "factor of a second derivative",
        "the derivative of {factor} is taken twice",
        saved=2.0,
    ),
    SecondOrderSlip(
        "cotangent detached",
        "the cotangent that {factor} is multiplied by is held constant where the "
        "derivative is differentiated, so that a term of the product rule is dropped",
        cotangent=0.0,
    ),
)

EXCHANGED = "products exchanged"
PARTIALS = "second partials exchanged"
JOIN = "accumulate"  # the op that adds the terms of a cotangent; it belongs to no rule

# A node of the first expansion, and one of its operands: whose factors they are.
Owner = tuple[int, int]


@dataclass(frozen=True)
class FoundSlip:
    """A slip that gives the numbers.

    node, operand: of the case's graph; None where it is about several.
    """

    cause: str
    sentence: str
    node: int | None = None
    operand: int | None = None


def second_order_slip(
    case: Case,
    given: Sequence[Any],
    words: Naming,
    question: Question = SECOND,
    op: str = WHOLE,
) -> FoundSlip | None:
    """The slip that turns the right answer into the one that was given; None if none
    does.

    question: of second order.
    given: one array for each input, or None for zeros.
    op: the one that deviates alone, which alone is changed then; or "graph".
    """
    found = reference(case, question=question)
    if found.status is not Slope.SMOOTH:
        return None
    got, sweep = _flat(given, found), _SecondSweep(case, question)
    for slip in SLIPS:
        for owners, node, operand in sweep.groups(op):
            if _explains(sweep.changed(owners, slip), got, found):
                text = slip.says.format(factor=_factor(words, node, operand))
                return FoundSlip(slip.cause, _at(words, node, text), node, operand)
    for owners, node in sweep.pairs(op):
        if _explains(sweep.exchanged(owners, node), got, found):
            text = "its second derivatives by its two operands are exchanged"
            return FoundSlip(PARTIALS, _at(words, node, text), node)
    return _exchanged(case, got, found, words)


def _factor(words: Naming, node: int | None, operand: int | None) -> str:
    if node is None:
        return "every factor of the chain rule"
    if operand is None:
        return "each of its partial derivatives"
    return words.partial(node, operand)


def _at(words: Naming, node: int | None, text: str) -> str:
    return text if node is None else f"at {words.line(node)}: {text}"


def _exchanged(
    case: Case, got: Array, found: Reference, words: Naming
) -> FoundSlip | None:
    """Whether the products by two inputs of one shape have changed places."""
    exact = [floats_of(x) for x in found.gradient]
    for i in range(len(exact)):
        for j in range(i + 1, len(exact)):
            if exact[i].shape != exact[j].shape:
                continue
            other = [*exact]
            other[i], other[j] = exact[j], exact[i]
            if _explains(_flat(other, found), got, found):
                a, b = (words.names[case.graph.inputs[k]] for k in (i, j))
                text = f"the products by {a} and by {b} are exchanged"
                return FoundSlip(EXCHANGED, text)
    return None


def _explains(numbers: Array, got: Array, found: Reference) -> bool:
    """Whether the numbers are the given ones, and most of every error is theirs."""
    exact = np.concatenate([floats_of(x).reshape(-1) for x in found.gradient])
    room = np.concatenate([b.loose.reshape(-1) for b in found.bounds])
    unit = ROUNDINGS * format_of(found.case.dtype).unit_roundoff
    with np.errstate(all="ignore"):
        allowed = room + unit * (np.abs(numbers) + np.abs(exact))
        error, rest = np.abs(got - exact), np.abs(got - numbers)
    wrong = error > room
    return bool(
        np.any(wrong)
        and np.all(rest <= allowed)
        and np.all(rest[wrong] <= LEFT * error[wrong])
    )


def _flat(given: Sequence[Any], found: Reference) -> Array:
    return np.concatenate([
        np.zeros(x.size) if g is None else np.asarray(g, np.longdouble).reshape(-1)
        for g, x in zip(given, found.gradient, strict=True)
    ])  # fmt: skip


def _tangents(case: Case, question: Question) -> list[Sequence[Array | None]]:
    """The tangents that a question is about: those of the case, or a unit for each row
    of its Hessian.
    """
    if question is SECOND:
        return [tangents_of(case.graph, case.dtype)]
    found: list[Sequence[Array | None]] = []
    for row in question.rows(case):
        unit = np.zeros(sum(x.size for x in case.point))
        unit[row] = 1.0
        ends = np.cumsum([x.size for x in case.point])[:-1]
        parts = zip(np.split(unit, ends), case.point, strict=True)
        found.append([part.reshape(x.shape) for part, x in parts])
    return found


class _SecondSweep:
    """The gradient program at a case, and the sweeps back over it, with changes.

    There is one sweep for each tangent.
    """

    def __init__(self, case: Case, question: Question) -> None:
        self.case = case
        self.first: GradientProgram = gradient_program(case.graph, case.dtype)
        self.forward = len(self.first.expansion.graph.nodes)
        self.owners = _owners(self.first)
        self.programs: list[tuple[tuple[Node, ...], list[Any]]] = []
        for tangents in _tangents(case, question):
            graph = Graph(tuple(contracted_program(self.first, tangents).nodes))
            with np.errstate(all="ignore"):
                point = [EXTENDED.lift(np.asarray(x)) for x in case.point]
                values = interpret_all(graph, EXTENDED.table, point)
            self.programs.append((graph.nodes, values))

    def groups(self, name: str) -> Iterator[tuple[set[Owner], int | None, int | None]]:
        """Factors that a slip may change together, with the node and the operand.

        Those of one operand of an op, those of an op, and all. Only ops of that name
        are changed by themselves, if it is the name of one.
        """
        expansion = self.first.expansion
        by_op: dict[int, set[Owner]] = {}
        for owner in dict.fromkeys(self.owners.values()):
            by_op.setdefault(expansion.origin(owner[0]), set()).add(owner)
        nodes = self.case.graph.nodes
        for op, owners in by_op.items():
            if name not in (WHOLE, nodes[op].op):
                continue
            if {i for i, _ in owners} == {expansion.place[op]}:  # a primitive
                for owner in sorted(owners) if len(nodes[op].operands) > 1 else ():
                    yield {owner}, op, owner[1]
            alone = len(nodes[op].operands) == 1
            yield owners, op, 0 if alone else None
        if len(by_op) > 1:
            yield set(self.owners.values()), None, None

    def pairs(self, name: str) -> Iterator[tuple[set[Owner], int]]:
        """The factors of each op of two operands of one shape, with its node."""
        expansion, nodes = self.first.expansion, self.case.graph.nodes
        for op, node in enumerate(nodes):
            shapes = {nodes[j].shape for j in node.operands}
            if len(set(node.operands)) != 2 or len(node.operands) != 2:
                continue
            if len(shapes) == 1 and name in (WHOLE, node.op):
                every = self.owners.values()
                yield {o for o in every if expansion.origin(o[0]) == op}, op

    def changed(self, owners: set[Owner], slip: SecondOrderSlip) -> Array:
        """The answer, if a slip changes what the products of some owners pass on."""

        def passed(i: int, j: int, bar: Any) -> Any:
            if self.owners.get(i) not in owners or self.owners.get(j) in owners:
                return bar  # from one node of a factor to another
            return bar * (slip.saved if j < self.forward else slip.cotangent)

        swept = [self._swept(*run, passed) for run in self.programs]
        return self._answer(swept)

    def exchanged(self, owners: set[Owner], op: int) -> Array:
        """The answer, if what the factors of an op pass on to its two operands has
        changed places.
        """
        expansion = self.first.expansion
        a, b = (expansion.place[j] for j in self.case.graph.nodes[op].operands)
        swept = []
        for nodes, values in self.programs:
            saved: dict[int, Any] = {}

            def kept(i: int, j: int, bar: Any, saved: dict[int, Any] = saved) -> Any:
                if self.owners.get(i) not in owners or j >= self.forward:
                    return bar
                saved[j] = bar + saved.get(j, 0.0)
                return 0.0 * bar

            def inner(i: int, j: int, bar: Any) -> Any:
                return bar if expansion.origin(i) == op else None

            def every(i: int, j: int, bar: Any) -> Any:
                return bar

            whole, forward = self._swept(nodes, values, kept), nodes[: self.forward]
            passed = self._swept(forward, values, inner, saved)
            other = {a: passed[b], b: passed[a]}
            seeds = {i: bar for i, bar in other.items() if bar is not None}
            rest = self._swept(forward, values, every, seeds)
            swept.append([
                x if y is None else y if x is None else x + y
                for x, y in zip(whole, rest, strict=False)  # the first nodes are one
            ])  # fmt: skip
        return self._answer(swept)

    def _swept(
        self,
        nodes: Sequence[Node],
        values: Sequence[Any],
        passed: Callable[[int, int, Any], Any],
        seeds: Mapping[int, Any] | None = None,
    ) -> list[Any]:
        """What every node receives in a sweep back.

        passed: a node, its operand and a bar to what the operand receives.
        seeds: where the sweep begins; without them at the end.
        """

        def pull(i: int, ct: Any) -> list[Any]:
            node = nodes[i]
            x = [values[j] for j in node.operands]
            shapes = operand_shapes(nodes, node)
            rules = rules_of(node.op, len(x))
            bars = pullback(EXTENDED, rules, ct, values[i], x, node, shapes)
            return [
                None if bar is None else passed(i, j, bar)
                for bar, j in zip(bars, node.operands, strict=True)
            ]

        begin = {len(nodes) - 1: np.longdouble(1.0)} if seeds is None else seeds
        with np.errstate(all="ignore"):
            return walk_back(nodes, begin, pull)

    def _answer(self, swept: Sequence[Sequence[Any]]) -> Array:
        """The parts of the answer, one after another; each has the rows of all
        sweeps.
        """
        inputs, parts = self.first.expansion.graph.inputs, []
        for i, x in zip(inputs, self.case.point, strict=True):
            rows = [0.0 * x if found[i] is None else found[i] for found in swept]
            parts += [np.asarray(row, np.longdouble).reshape(-1) for row in rows]
        return np.concatenate(parts)


def _owners(first: GradientProgram) -> dict[int, Owner]:
    """For each node of the first sweep the node and operand whose factor it helps to
    make.
    """
    program = Program()
    program.nodes.extend(first.expansion.graph.nodes)
    owners: dict[int, Owner] = {}
    begin = len(program.nodes)

    def noted(i: int, bars: Sequence[Any]) -> None:
        nonlocal begin
        for k, bar in enumerate(bars):
            if bar is not None:
                for made in range(begin, bar.index + 1):
                    if program.nodes[made].op != JOIN:
                        owners.setdefault(made, (i, k))
                begin = max(begin, bar.index + 1)
        begin = len(program.nodes)

    swept_back(program, noted)
    return owners
