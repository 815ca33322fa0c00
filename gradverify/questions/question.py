"""The questions: which arrays answer each, and which kinds of modes are asked it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gradverify.graph import Case, names_of
from gradverify.ops import Shape
from gradverify.questions.contraction import contracted
from gradverify.questions.drawn import chosen

ORDERS = (1, 2)  # of derivatives that may be asked for
MOST_ROWS = 4  # of a Jacobian or a Hessian; each costs a reference of its own


class Part(NamedTuple):
    """One array of an answer: what it is called, and its shape."""

    name: str
    shape: Shape


@dataclass(frozen=True)
class Question:
    """What is asked of a case.

    name: as it stands in records. order: of the derivative. says: what comes back, in
        words. part: how the array that belongs to an input is called.
    """

    name: str
    order: int
    says: str
    part: str = "d/d{x}"

    def parts(self, case: Case) -> list[Part]:
        """The arrays that answer: one for each input, or the tangent of the array."""
        graph = case.graph
        if self is JVP:
            return [Part(self.part, graph.nodes[contracted(graph).node].shape)]
        names, lead = names_of(graph), (len(self.rows(case)),) * self.is_matrix
        return [
            Part(self.part.format(x=names[i]), lead + graph.nodes[i].shape)
            for i in graph.inputs
        ]

    @property
    def is_matrix(self) -> bool:
        """Whether rows of a matrix answer, stacked along a first axis."""
        return self in (JACOBIAN, HESSIAN)

    def rows(self, case: Case) -> tuple[int, ...]:
        """Which rows of a matrix are judged: all, or some that the graph draws.

        A row of a Jacobian belongs to an entry of the array, one of a Hessian to an
        entry of all inputs, one after another.
        """
        if not self.is_matrix:
            return ()
        graph = case.graph
        shape = graph.nodes[contracted(graph).node].shape
        entries = math.prod(shape)
        if self is HESSIAN:
            entries = sum(x.size for x in case.point)
        return chosen(graph, case.dtype, entries, MOST_ROWS)


GRADIENT = Question("gradient", 1, "the gradient")
JVP = Question("jvp", 1, "the tangent of the result", "tangent")
SECOND = Question("second", 2, "the Hessian times a tangent", "Hv[{x}]")
JACOBIAN = Question("jacobian", 1, "rows of the Jacobian", "dy/d{x}")
HESSIAN = Question("hessian", 2, "rows of the Hessian", "H[{x}]")

QUESTIONS: Mapping[str, Question] = {
    q.name: q for q in (GRADIENT, JVP, SECOND, JACOBIAN, HESSIAN)
}

_OF_KIND: Mapping[str, tuple[Question, ...]] = {
    "gradient": (GRADIENT,),
    "vjp": (GRADIENT,),
    "jvp": (GRADIENT, JVP),
    "hvp": (SECOND,),
    "jacobian": (JACOBIAN,),
    "hessian": (HESSIAN,),
}


def questions_of(kind: str) -> tuple[Question, ...]:
    """What a mode of that kind is asked, in this order."""
    return _OF_KIND[kind]


def order_of(kind: str) -> int:
    """The highest order of derivatives that a mode of that kind is asked for."""
    return max(question.order for question in questions_of(kind))
