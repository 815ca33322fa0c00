"""The errors in an item's comparisons: a histogram in ulps, and the largest ones."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from gradverify.verdict import Judgement, Verdict

# Verdicts of cases whose error in ulps says nothing.
NOT_MEASURED = frozenset({Verdict.NO_DERIVATIVE, Verdict.VACUOUS, Verdict.UNRESOLVED})


@dataclass
class ErrorHistogram:
    """Errors, gathered one by one.

    exponents: how many comparisons had an error with this binary exponent, in ulps. An
        error in [2**e, 2**(e+1)) counts for e; no error at all counts for -inf. Keys
        are text.
    ulps, ratio: the largest error in ulps, and in units of its bound; None if none was
        measured.
    """

    exponents: Counter[str] = field(default_factory=Counter)
    ulps: float | None = None
    ratio: float | None = None

    def add(self, judgement: Judgement) -> None:
        """Count a judgement's error, if it has one."""
        error = judgement.error_ulps
        if judgement.verdict in NOT_MEASURED or error is None or math.isnan(error):
            return
        self.exponents[_exponent(error)] += 1
        self.ulps = max(error, self.ulps or 0.0)
        if judgement.bound_ratio is not None:
            self.ratio = max(judgement.bound_ratio, self.ratio or 0.0)


def _exponent(error: float) -> str:
    if not 0.0 < error < math.inf:
        return "inf" if error else "-inf"
    return str(math.frexp(error)[1] - 1)
