"""What can be said of one derivative, in the sentences that people read."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.Enum):
    """The verdicts; their values are what terminal, page, records and docs print."""

    AGREES = "agrees with the exact derivative within rounding"
    KINK_CONVENTION = "at a kink, a slope between the one-sided ones"
    KINK_COMPOSITION = (
        "at a kink, each op's convention is admissible, but their composition is not "
        "the derivative"
    )
    IMPRECISE = "loses digits: more error than a stable formula, right otherwise"
    WRONG = "the derivative is wrong"
    WRONG_VALUE = "the value is wrong already"
    NONFINITE = "NaN or infinite where the derivative is finite"
    MISSING = "no derivative given where it is not zero"
    STALE = "left over or added up from an earlier run"
    WRONG_SHAPE = "the derivative has the wrong shape"
    WRONG_DTYPE = "the result has the wrong dtype"
    INPUT_MUTATED = "the differentiator changed its input"
    CRASHED = "the differentiator raised an exception"
    TIMED_OUT = "no answer within the time limit"
    NONDETERMINISTIC = "two runs of the same case differ"
    NO_DERIVATIVE = "the function has no derivative here; nothing was judged"
    UNSUPPORTED = "the differentiator has no such op"
    VACUOUS = "rounding could hide a dropped path here; nothing was checked"
    UNRESOLVED = "the reference could not decide"

    def fails(self, policy: str = "wrong") -> bool:
        """Whether an item with this verdict fails.

        policy: "wrong", "imprecise" or "new".
        """
        return self in FAILING or (policy == "imprecise" and self is Verdict.IMPRECISE)

    @property
    def is_finding(self) -> bool:
        """Whether it is worth a record of its own."""
        return self in FAILING or self in LISTED


FAILING = frozenset({
    Verdict.WRONG, Verdict.WRONG_VALUE, Verdict.NONFINITE, Verdict.MISSING,
    Verdict.STALE, Verdict.WRONG_SHAPE, Verdict.WRONG_DTYPE, Verdict.INPUT_MUTATED,
    Verdict.CRASHED, Verdict.TIMED_OUT, Verdict.NONDETERMINISTIC,
})  # fmt: skip

LISTED = frozenset(
    {Verdict.KINK_CONVENTION, Verdict.KINK_COMPOSITION, Verdict.IMPRECISE}
)


@dataclass(frozen=True)
class Judgement:
    """The verdict on one differentiator at one case, with the number that decided it.

    where: "value", "d/da", "d/da[0, 1]", "d/dc" for an intermediate; for another
        question than the gradient "tangent[0]", "Hv[a][0, 1]", "dy/da[2, 0]".
    got: the number, or the exception, as text.
    exact: decimal text, or a hull.
    error_ulps: the error in ulps of the exact number.
    allowed: the bound, absolute.
    bound_ratio: the error divided by the bound.
    smallest_fault: a relative fault of this size in any entry would have been seen.
    note: one more sentence.
    warnings: those of the engine.
    changed: the global settings that the engine changed, by name.
    trace: the traceback of an exception of the engine.
    fatal: the engine's process ended; op: the op in which it did, if it was in one.
    question: what was asked, by its name.
    """

    verdict: Verdict
    where: str = ""
    got: str = ""
    exact: str = ""
    error_ulps: float | None = None
    allowed: float | None = None
    bound_ratio: float | None = None
    smallest_fault: float | None = None
    note: str = ""
    warnings: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    fatal: bool = False
    op: str = ""
    trace: str = ""
    question: str = "gradient"
