"""A question put to an engine at a case, beside the right answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gradverify.differentiators import Derivatives, Differentiator, run
from gradverify.graph import Case
from gradverify.questions import Question
from gradverify.reference import Reference, RoundingModel, reference


@dataclass(frozen=True)
class Asking:
    """A question about a case, put to an engine in a mode, with the right answer.

    limit: seconds for one answer.
    """

    case: Case
    differentiator: Differentiator
    mode: str
    found: Reference
    limit: float

    def run(self, times: float = 1.0) -> Derivatives:
        """What the engine answers in so many times its limit."""
        return run(
            self.differentiator,
            self.mode,
            self.case,
            limit=times * self.limit,
            question=self.found.question,
        )

    def at(self, case: Case) -> Asking:
        """The same question about another case."""
        found = reference(case, model_of(self.differentiator), self.found.question)
        return replace(self, case=case, found=found)

    def about(self, question: Question) -> Reference:
        """What is right of the case where that is asked."""
        return reference(self.case, model_of(self.differentiator), question)


def model_of(differentiator: Differentiator) -> RoundingModel:
    """What the engine declares of its ops."""
    return RoundingModel(units=tuple(sorted(differentiator.accuracy.items())))
