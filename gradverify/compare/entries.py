"""One number against its exact one and its bound; and the worst of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mpmath import mp, mpf

from gradverify.reference.rounding import FORMATS
from gradverify.verdict import Judgement, Verdict

DROPPED_PATH = 8.0  # a bound over an eighth of a path could hide its loss
DIGITS = 25  # of an exact number as text
OVERFLOWS = "an intermediate overflows, in the value or on the way back"


@dataclass(frozen=True)
class Entry:
    """One number to judge: where it stands, what was got, what is exact and allowed."""

    where: str
    got: float
    exact: Any
    tight: float
    loose: float
    paths: float | None


_SEVERITY = (
    Verdict.WRONG,
    Verdict.NONFINITE,
    Verdict.IMPRECISE,
    Verdict.AGREES,
    Verdict.NO_DERIVATIVE,
    Verdict.VACUOUS,
)


def worst(dtype: str, entries: Sequence[Entry]) -> Judgement:
    """The judgement of the entry that is worst; of the best checked where all agree."""
    judgements = [_judge(dtype, entry) for entry in entries]
    if not judgements:
        return Judgement(Verdict.AGREES, note="no entries")
    faults = [j.smallest_fault for j in judgements if j.verdict is not Verdict.VACUOUS]
    seen = max((f for f in faults if f is not None), default=None)

    def badness(j: Judgement) -> tuple[int, float]:
        return _SEVERITY.index(j.verdict), -(j.bound_ratio or 0.0)

    return replace(min(judgements, key=badness), smallest_fault=seen)


def _judge(dtype: str, entry: Entry) -> Judgement:
    form = FORMATS[dtype]
    base = Judgement(Verdict.AGREES, entry.where, repr(entry.got), decimal(entry.exact))
    if mp.isnan(entry.exact) or abs(entry.exact) > form.largest:
        note = f"the exact number is not finite in {dtype}"
        return replace(base, verdict=Verdict.NO_DERIVATIVE, note=note)
    if not math.isfinite(entry.loose):
        return replace(base, verdict=Verdict.VACUOUS, note=OVERFLOWS)
    if not math.isfinite(entry.got):
        return replace(base, verdict=Verdict.NONFINITE, allowed=entry.tight)
    error = abs(mpf(entry.got) - entry.exact)
    fault = entry.tight / entry.paths if entry.paths else None
    if error > entry.loose:
        verdict = Verdict.WRONG
    elif fault is not None and fault * DROPPED_PATH > 1.0:
        verdict = Verdict.VACUOUS
    else:
        verdict = Verdict.AGREES if error <= entry.tight else Verdict.IMPRECISE
    allowed = entry.loose if verdict is Verdict.WRONG else entry.tight
    return replace(
        base,
        verdict=verdict,
        error_ulps=float(error / _ulp(entry.exact, dtype)),
        allowed=allowed,
        bound_ratio=float(error / allowed) if allowed else (math.inf if error else 0.0),
        smallest_fault=fault,
    )


def _ulp(exact: Any, dtype: str) -> Any:
    """The spacing of the format's numbers at an exact one."""
    form = FORMATS[dtype]
    if exact == 0:
        return mpf(form.smallest)
    spacing = mpf(2) ** (mp.frexp(exact)[1] - 1) * (2 * form.unit_roundoff)
    return max(spacing, mpf(form.smallest))


def decimal(exact: Any) -> str:
    """An exact number as decimal text: 21 rather than 21.0."""
    return str(mp.nstr(exact, DIGITS)).removesuffix(".0")
