"""What is sought of a case: its program, its quotients and our own exact numbers.

One class a question. The stages of a reference are the same for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mpmath import mp, mpf

from gradverify.graph import Array, Case
from gradverify.questions import GRADIENT, JVP, SECOND, Question
from gradverify.reference.along_tangent import (
    array_of,
    displacement_of,
    paths_along,
    tangent_program,
)
from gradverify.reference.bound import Bound
from gradverify.reference.differences import (
    Demand,
    Differences,
    differences,
    differences_along,
    value_at,
)
from gradverify.reference.errors import paths_at
from gradverify.reference.exact import Exact, exact_gradient, exact_tangent
from gradverify.reference.gradient_program import (
    GradientProgram,
    expand,
    gradient_program,
)
from gradverify.reference.rounding import RoundingModel
from gradverify.reference.roundings import Roundings
from gradverify.reference.second_order import second_order_program
from gradverify.reference.smooth import allowed_of, directions_of, scale_along

Slopes = tuple[Differences, Sequence[Array], Array]
Paths = list[tuple[Array, ...]]


class Sought(ABC):
    """What a question seeks of the cases of one graph.

    program: that whose targets hold the answer.
    """

    question: Question
    program: GradientProgram

    @abstractmethod
    def paths(self, whole: Roundings) -> Paths:
        """For each point and part, the sum over paths of |products along the path|."""

    @abstractmethod
    def slopes(
        self,
        point: Sequence[Array],
        bounds: Sequence[Bound],
        paths: Sequence[Array],
        demand: Demand,
    ) -> Slopes:
        """The quotients, the directions over the entries of the answer whose slopes
        they are, and the errors that would not matter.
        """

    @abstractmethod
    def exact(self, point: Sequence[Array]) -> Exact | None:
        """Our own answer in balls."""

    @abstractmethod
    def value(self, case: Case, found: Differences) -> Any:
        """The exact value that an engine returns beside its answer."""


class ByInputs(Sought):
    """The gradient of the program's expansion."""

    def __init__(self, question: Question, program: GradientProgram) -> None:
        self.question, self.program = question, program

    def paths(self, whole: Roundings) -> Paths:
        """By one reverse sweep in absolute values."""
        return paths_at(self.program.expansion.graph, whole.values)

    def slopes(
        self,
        point: Sequence[Array],
        bounds: Sequence[Bound],
        paths: Sequence[Array],
        demand: Demand,
    ) -> Slopes:
        """Along every entry, or along two directions through many."""
        directions, allowed = directions_of(point, bounds, paths)
        graph = self.program.expansion.graph
        found = differences(graph, point, directions, allowed, demand=demand)
        return found, directions, allowed

    def exact(self, point: Sequence[Array]) -> Exact | None:
        """By one reverse sweep."""
        return exact_gradient(self.program.expansion.graph, point)

    def value(self, case: Case, found: Differences) -> Any:
        """The output, or that of the graph whose second derivative this is."""
        if self.question is SECOND:
            return _value(case, found)
        return mpf("nan") if found.value is None else found.value


class AlongTangents(Sought):
    """The tangent of the array that the cases contract."""

    question = JVP

    def __init__(
        self,
        program: GradientProgram,
        case: Case,
        tangents: Sequence[Array | None],
    ) -> None:
        self.program, self.tangents = program, tangents
        self.array = array_of(case.graph, program)

    def paths(self, whole: Roundings) -> Paths:
        """By forward mode in absolute values."""
        return [(paths_along(self.array, x, self.tangents),) for x in whole.points]

    def slopes(
        self,
        point: Sequence[Array],
        bounds: Sequence[Bound],
        paths: Sequence[Array],
        demand: Demand,
    ) -> Slopes:
        """Along the tangents, of all entries at once, in steps that suit the inputs."""
        step = displacement_of(point, self.tangents)
        scale = scale_along(point, step)
        allowed = allowed_of(bounds, paths) * scale
        found = differences_along(
            self.array, point, step * scale, allowed, demand=demand
        )
        return found, list(np.eye(len(allowed)) * scale), allowed

    def exact(self, point: Sequence[Array]) -> Exact | None:
        """By forward mode."""
        return exact_tangent(self.array, point, self.tangents)

    def value(self, case: Case, found: Differences) -> Any:
        """The contraction of the array."""
        return _value(case, found)


def _value(case: Case, found: Differences) -> Any:
    """The output in mpmath; NaN outside the domain."""
    with mp.workprec(max(200, found.precision)):
        value = value_at(expand(case.graph, case.dtype).graph, case.point)
        return mpf("nan") if value is None else value


Seeker = Callable[[Case, RoundingModel, Sequence[Array | None]], Sought]


def _gradient(
    case: Case, model: RoundingModel, tangents: Sequence[Array | None]
) -> Sought:
    del tangents
    return ByInputs(GRADIENT, gradient_program(case.graph, case.dtype, model.units))


def _second(
    case: Case, model: RoundingModel, tangents: Sequence[Array | None]
) -> Sought:
    program = second_order_program(case.graph, case.dtype, model.units, tangents)
    return ByInputs(SECOND, program)


def _tangent(
    case: Case, model: RoundingModel, tangents: Sequence[Array | None]
) -> Sought:
    program = tangent_program(case.graph, case.dtype, model.units, tangents)
    return AlongTangents(program, case, tangents)


SOUGHT: Mapping[Question, Seeker] = {
    GRADIENT: _gradient,
    SECOND: _second,
    JVP: _tangent,
}
