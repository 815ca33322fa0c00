"""Why a Hessian times a tangent is wrong: changes of the right second sweep.

The gradient of a graph is a program, and Hv is the gradient of that program contracted
with v. What a rule of the first sweep multiplies by, such as the y of exp, is a value
that a library has saved. A slip changes what flows back to saved values: nothing does
if they were saved without their history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.arithmetic.symbols import Program
from gradverify.autodiff.rules import rules_of
from gradverify.autodiff.sweep import operand_shapes, pullback, walk_back
from gradverify.diagnosis.naming import Naming
from gradverify.formats import format_of
from gradverify.graph import Array, Case, Graph, Node, interpret_all
from gradverify.questions import SECOND, tangents_of
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
    """What is done to the derivative of factors, and how that is said.

    cause: its name. factor: what flows back to saved values is multiplied by it.
    """

    cause: str
    factor: float
    says: str


SLIPS = (
    SecondOrderSlip(
        "saved values detached",
        0.0,
        "{factor} is held constant where the derivative is differentiated, as if it "
        "had been saved without its history",
    ),
    SecondOrderSlip(
        "sign of a second derivative",
        -1.0,
        "the derivative of {factor} has the wrong sign",
    ),
    SecondOrderSlip(
        "factor of a second derivative",
        2.0,
        "the derivative of {factor} is taken twice",
    ),
)

EXCHANGED = "products exchanged"

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
    case: Case, given: Sequence[Any], words: Naming
) -> FoundSlip | None:
    """The slip that turns the right Hv into the one that was given; None if none does.

    given: one array for each input, or None for zeros.
    """
    found = reference(case, question=SECOND)
    if found.status is not Slope.SMOOTH:
        return None
    got = _flat(given, case)
    sweep = _SecondSweep(case)
    for slip in SLIPS:
        for owners, node, operand in sweep.groups():
            numbers = sweep.changed(owners, slip.factor)
            if _explains(numbers, got, found):
                text = slip.says.format(factor=_factor(words, node, operand))
                return FoundSlip(slip.cause, _at(words, node, text), node, operand)
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
            if _explains(_flat(other, case), got, found):
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


def _flat(given: Sequence[Any], case: Case) -> Array:
    return np.concatenate([
        np.zeros(x.size) if g is None else np.asarray(g, np.longdouble).reshape(-1)
        for g, x in zip(given, case.point, strict=True)
    ])  # fmt: skip


class _SecondSweep:
    """The gradient program at a case, and the sweep back over it, with changes."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.first: GradientProgram = gradient_program(case.graph, case.dtype)
        self.forward = len(self.first.expansion.graph.nodes)
        self.owners = _owners(self.first)
        tangents = tangents_of(case.graph, case.dtype)
        program = contracted_program(self.first, tangents)
        self.nodes: tuple[Node, ...] = tuple(program.nodes)
        graph = Graph(self.nodes)
        with np.errstate(all="ignore"):
            point = [EXTENDED.lift(np.asarray(x)) for x in case.point]
            self.values = interpret_all(graph, EXTENDED.table, point)

    def groups(self) -> Iterator[tuple[set[Owner], int | None, int | None]]:
        """Factors that a slip may change together, with the node and the operand.

        Those of one operand of an op, those of an op, and all.
        """
        expansion = self.first.expansion
        by_op: dict[int, set[Owner]] = {}
        for owner in dict.fromkeys(self.owners.values()):
            by_op.setdefault(expansion.origin(owner[0]), set()).add(owner)
        nodes = self.case.graph.nodes
        for op, owners in by_op.items():
            if {i for i, _ in owners} == {expansion.place[op]}:  # a primitive
                for owner in sorted(owners) if len(nodes[op].operands) > 1 else ():
                    yield {owner}, op, owner[1]
            alone = len(nodes[op].operands) == 1
            yield owners, op, 0 if alone else None
        if len(by_op) > 1:
            yield set(self.owners.values()), None, None

    def changed(self, owners: set[Owner], factor: float) -> Array:
        """Hv, if what the factors of some owners pass on to saved values is changed."""
        nodes, values = self.nodes, self.values

        def pull(i: int, ct: Any) -> list[Any]:
            node = nodes[i]
            x = [values[j] for j in node.operands]
            shapes = operand_shapes(nodes, node)
            rules = rules_of(node.op, len(x))
            bars = pullback(EXTENDED, rules, ct, values[i], x, node, shapes)
            if self.owners.get(i) not in owners:
                return bars
            return [
                bar * factor if bar is not None and j < self.forward else bar
                for bar, j in zip(bars, node.operands, strict=True)
            ]

        with np.errstate(all="ignore"):
            found = walk_back(nodes, {len(nodes) - 1: np.longdouble(1.0)}, pull)
        inputs = self.first.expansion.graph.inputs
        return _flat([found[i] for i in inputs], self.case)


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
                    owners.setdefault(made, (i, k))
                begin = max(begin, bar.index + 1)
        begin = len(program.nodes)

    swept_back(program, noted)
    return owners
