"""One number against its exact number and its bound; and the worst of many numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from mpmath import mp, mpf

from gradverify.formats import Format, format_of
from gradverify.verdict import Judgement, Verdict

DROPPED_PATH = 8.0  # a bound over an eighth of a path could hide its loss
DIGITS = 25  # digits of an exact number as text
HIDDEN = "zeros would agree as well: the derivative is below what rounding explains"
UNBOUNDED = "rounding explains anything"  # `Reference.unbounded` says why


class Entry(NamedTuple):
    """One number to judge.

    where: what it is, such as "d/da[0, 1]".
    place: its index in the array; empty for a scalar.
    paths: the sum over paths of the sizes of their products, if it is known.
    """

    where: str
    got: float
    exact: Any
    tight: float
    loose: float
    paths: float | None
    place: tuple[int, ...] = ()


_ORDER = (
    Verdict.WRONG,
    Verdict.NONFINITE,
    Verdict.IMPRECISE,
    Verdict.AGREES,
    Verdict.NO_DERIVATIVE,
    Verdict.VACUOUS,
)
_SEVERITY = {verdict: k for k, verdict in enumerate(_ORDER)}


def worst(dtype: str, entries: Sequence[Entry]) -> Judgement:
    """The judgement of the worst entry.

    Among entries with the same verdict, it is the one whose error is the largest part
    of its bound.
    """
    if not entries:
        return Judgement(Verdict.AGREES, note="no entries")
    found = [_judge(format_of(dtype), entry) for entry in entries]
    faults = [f.fault for f in found if f.verdict is not Verdict.VACUOUS]
    seen = max((f for f in faults if f is not None), default=None)

    def badness(k: int) -> tuple[int, float]:
        return _SEVERITY[found[k].verdict], -(found[k].ratio or 0.0)

    k = min(range(len(found)), key=badness)
    # only one entry is written out, since decimal text costs more than all the rest
    return _written(dtype, entries[k], found[k], seen)


class _Found(NamedTuple):
    """The verdict on one entry, and the numbers that decided it."""

    verdict: Verdict
    error: float | None = None
    allowed: float | None = None
    ratio: float | None = None
    fault: float | None = None


def all_hidden(entries: Sequence[Entry]) -> bool:
    """Whether zeros in the place of all entries would pass as well.

    Nothing is hidden if every exact entry is zero. An example of a hidden gradient is
    that of a cross-entropy so small that the loss is 0 in floats.
    """
    nonzero = [entry for entry in entries if entry.exact != 0]
    return bool(nonzero) and all(abs(e.exact) <= e.tight for e in nonzero)


def _judge(form: Format, entry: Entry) -> _Found:
    size = abs(float(entry.exact))
    if not size < form.largest and not abs(entry.exact) <= form.largest:  # NaN as well
        return _Found(Verdict.NO_DERIVATIVE)
    if not math.isfinite(entry.loose):
        return _Found(Verdict.VACUOUS)
    if not math.isfinite(entry.got):
        return _Found(Verdict.NONFINITE, allowed=entry.tight)
    whole = abs(mpf(entry.got) - entry.exact)
    error = float(whole)
    least = error or (
        math.ulp(0.0) if whole else 0.0
    )  # a number smaller than all floats is not zero
    fault = entry.tight / entry.paths if entry.paths else None
    if least > entry.loose:
        verdict = Verdict.WRONG
    elif fault is not None and fault * DROPPED_PATH > 1.0:
        verdict = Verdict.VACUOUS
    else:
        verdict = Verdict.AGREES if least <= entry.tight else Verdict.IMPRECISE
    allowed = entry.loose if verdict is Verdict.WRONG else entry.tight
    ratio = error / allowed if allowed else (math.inf if least else 0.0)
    return _Found(verdict, error, allowed, ratio, fault)


def _written(dtype: str, entry: Entry, found: _Found, seen: float | None) -> Judgement:
    note = ""
    if found.verdict is Verdict.NO_DERIVATIVE:
        note = f"the exact number is not finite in {dtype}"
    elif not math.isfinite(entry.loose):
        note = UNBOUNDED
    at = str(list(entry.place)) if entry.place else ""
    error = found.error
    return Judgement(
        found.verdict,
        entry.where + at,
        repr(entry.got),
        decimal(entry.exact),
        error_ulps=None if error is None else error / _ulp(entry.exact, dtype),
        allowed=found.allowed,
        bound_ratio=found.ratio,
        smallest_fault=seen,
        note=note,
    )


def _ulp(exact: Any, dtype: str) -> float:
    """The distance between neighbouring numbers of the format at an exact number."""
    form = format_of(dtype)
    if abs(exact) < form.normal:
        return form.smallest
    exponent: int = mp.frexp(exact)[1] - 1
    return math.ldexp(form.spacing, exponent)


def decimal(exact: Any) -> str:
    """An exact number as decimal text, for example 21 and not 21.0."""
    return str(mp.nstr(exact, DIGITS)).removesuffix(".0")
