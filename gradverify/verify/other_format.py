"""Wrong formula or lost digits? The same point in the engine's other format tells.

Lost digits are a number of units of roundoff, and so grow and shrink with the format; a
wrong formula is off by the same part of the number in every format. Where an engine has
one format, usual formulas that lose digits tell: what they lose near the same point.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from mpmath import mpf

from gradverify.compare import compare, flat_gradient
from gradverify.differentiators import Derivatives, unsupported
from gradverify.formats import DTYPES, format_of
from gradverify.graph import Array, Case
from gradverify.questions import GRADIENT, JVP, Question
from gradverify.reference import Doubled, Reference, Slope
from gradverify.reference.hull import is_point
from gradverify.verdict import Judgement, Verdict
from gradverify.verify.asking import Asking
from gradverify.verify.thawed import thawed
from gradverify.verify.usual_formulas import usual_formulas

SHRUNK = 2.0**-20  # of its part of the number: an error that a wider format takes away
NEAR = (1.0, 1.0 + 2.0**-7, 1.0 - 2.0**-7, 1.0 + 2.0**-6)
ALONG = tuple(1.0 + k * 2.0**-9 for k in range(-3, 4))
ALIKE = 16.0  # how many times fewer units a narrower format may lose
FINER = 2.0**-8  # of an error in a narrower format, which no wrong formula knows of
CLOSE = 2.0**-8  # of a number: how near it is to another at about the same point
STEADY = 0.25  # of an error: what one that is no rounding differs by between points
DOUBTFUL = 2.0**10  # units, below which an engine of one format is told that it has one

# The questions that usual formulas are asked as well, and the mode that answers.
ASKED_OF_FORMULAS: Mapping[Question, str] = {GRADIENT: "reverse", JVP: "forward"}

UNTOLD = (
    "the engine has no other format here that would tell a wrong formula from lost "
    "digits"
)


@dataclass(frozen=True)
class WorstNumber:
    """Which number deviates most, of the value and then all derivatives; how much.

    part: its error as a part of the exact number.
    """

    entry: int
    part: float


def reconsidered(
    judgement: Judgement, asking: Asking, derivatives: Derivatives
) -> Judgement:
    """`IMPRECISE` in place of `WRONG` or `WRONG_VALUE` if digits are lost.

    At least half of the digits must be right. A value that loses digits does not hide
    its derivatives: they are judged, and reconsidered, as if it did not.
    """
    own = deviation(judgement, asking.found, derivatives)
    unit = format_of(asking.case.dtype).unit_roundoff
    if own is None or not 0.0 < own.part <= math.sqrt(unit):
        return judgement
    loss = _loss(asking, own)
    if not loss.says:
        behind = (_loss(other, own) for other in _behind(asking, own))
        loss = next((found for found in behind if found.says), loss)
    if loss.says:
        return _imprecise(judgement, asking, derivatives, loss.says)
    is_doubtful = not loss.was_told and own.part <= DOUBTFUL * unit
    return replace(judgement, note=UNTOLD) if is_doubtful else judgement


@dataclass(frozen=True)
class Told:
    """What tells that digits are lost, empty if nothing does; and whether a format did.

    was_told: whether the engine answered in another format.
    """

    says: str
    was_told: bool


def _loss(asking: Asking, own: WorstNumber) -> Told:
    """What the other formats say, or the usual formulas if there is no other."""
    case, told = asking.case, False
    for dtype in DTYPES:
        parts = [
            _part_there(asking.at(other), own.entry)
            for other in _in_format(case, dtype)
            if unsupported(asking.differentiator, other) is None
        ]
        part = max((p for p in parts if p is not None), default=None)
        if part is None:
            continue
        told = True
        says = _says(asking, own, part, dtype)
        if says and not _is_steady(asking, own.entry):
            return Told(f"digits are lost: {says}", told)
    if not told and asking.found.question in ASKED_OF_FORMULAS:
        formula = _usual_loss(asking, own)
        if formula is not None:
            return Told(f"digits are lost, as by the formula {formula}", told)
    return Told("", told)


def _says(asking: Asking, own: WorstNumber, there: float, dtype: str) -> str:
    """How an error goes with the roundoff of a format; empty if it does not.

    Where a number happens to be rounded well in a narrower one, or where a formula is
    another one there, other counts of units are lost. The error is one of roundings
    still if it goes up and down near the case, and is much smaller in the wider format.
    """
    unit = format_of(asking.case.dtype).unit_roundoff
    unit_there = format_of(dtype).unit_roundoff
    is_wider = unit_there < unit
    if is_wider and there <= SHRUNK * own.part:
        return f"in {dtype} they are there"
    if not is_wider and ALIKE * there / unit_there >= own.part / unit:
        return f"in {dtype} the error is as many units of roundoff"
    narrow, wide = (own.part, there) if is_wider else (there, own.part)
    if wide <= FINER * narrow and _goes_up_and_down(asking, own):
        size = "smaller" if is_wider else "larger"
        return f"the error goes up and down near this point, and is {size} in {dtype}"
    return ""


def _usual_loss(asking: Asking, own: WorstNumber) -> str | None:
    """The usual formula that is as far off near this point, if there is one."""
    case = asking.case
    by = ASKED_OF_FORMULAS[asking.found.question]
    for says, engine in usual_formulas(case.graph, case.dtype):
        usual = replace(asking, differentiator=engine, mode=by)
        near = _near(case, case.dtype, NEAR)
        parts = (_part_there(usual.at(other), own.entry) for other in near)
        most = max((p for p in parts if p is not None), default=0.0)
        if own.part <= ALIKE * most:
            return None if _is_smooth(asking, own.entry) else says
    return None


def _imprecise(
    judgement: Judgement, asking: Asking, derivatives: Derivatives, note: str
) -> Judgement:
    what = ""
    if judgement.verdict is Verdict.WRONG_VALUE:
        value = float(asking.found.value)
        right = replace(derivatives, value=value)
        rest = compare(asking.case, asking.found, right)
        if rest.verdict.fails():
            rest = reconsidered(rest, asking, right)
        if rest.verdict.fails():
            return rest
        what = "the value, not the derivative; "
    return replace(judgement, verdict=Verdict.IMPRECISE, note=what + note)


def deviation(
    judgement: Judgement, found: Reference, derivatives: Derivatives
) -> WorstNumber | None:
    """The value if that is wrong, else the derivative furthest beyond its bound.

    None if it cannot be said.
    """
    signed = _errors(found, derivatives)
    if signed is None:
        return None
    errors = np.abs(signed)
    if judgement.verdict is Verdict.WRONG_VALUE:
        return WorstNumber(0, _part(float(errors[0]), found, 0))
    loose = [found.value_bound.loose, *(b for x in found.loose for b in np.ravel(x))]
    with np.errstate(all="ignore"):
        ratios = errors / np.array(loose, np.float64)
    ratios[0] = 0.0
    k = int(np.argmax(np.where(errors == 0.0, 0.0, ratios)))
    if found.kinked is not None and not ratios[k] > 1.0:
        return None  # every number is in its range, and all of them together are wrong
    return WorstNumber(k, _part(float(errors[k]), found, k))


def _errors(found: Reference, derivatives: Derivatives) -> Array | None:
    """What value and all derivatives are too large by; None where that has no sense.

    At a kink, a derivative is too large by what it is above all slopes of its range.
    """
    if found.status not in {Slope.SMOOTH, Slope.KINK}:
        return None
    if any(isinstance(x, Doubled) for x in found.gradient):
        return None
    try:
        answer = flat_gradient(found.case, derivatives, found.question)
        numbers = [float(derivatives.value), *answer]
    except (TypeError, ValueError):
        return None
    ranges = _ranges(found)
    if len(ranges) != len(numbers) or not np.all(np.isfinite(numbers)):
        return None
    pairs = zip(numbers, ranges, strict=True)
    return np.array([_beyond(mpf(float(got)), *ends) for got, ends in pairs])


def _beyond(number: Any, low: Any, high: Any) -> float:
    return float(number - min(max(number, low), high))


def _ranges(found: Reference) -> list[tuple[Any, Any]]:
    """The least and the largest number that the value and each derivative may be."""
    exact = [found.value, *(v for x in found.gradient for v in x.ravel())]
    if found.kinked is None:
        return [(x, x) for x in exact]
    low, high = found.kinked.hull.lowest, found.kinked.hull.highest
    ends = zip(low, high, strict=True)
    moved = [
        (x, x) if is_point(a, b) else (mpf(float(a)), mpf(float(b)))
        for x, (a, b) in zip(exact[1:], ends, strict=True)
    ]
    return [(exact[0], exact[0]), *moved]


def _part(error: float, found: Reference, entry: int) -> float:
    """An error as a part of the exact number."""
    size = float(max(map(abs, _ranges(found)[entry])))
    return error / size if size else math.inf if error else 0.0


def _in_format(case: Case, dtype: str) -> list[Case]:
    """The same graph at the same point in another format; empty if that is not there.

    In a narrower one it is beside a few points near it as well, because a rounding may
    be small by chance.
    """
    if dtype == case.dtype:
        return []
    wider = format_of(dtype).unit_roundoff < format_of(case.dtype).unit_roundoff
    return _near(case, dtype, (1.0,) if wider else NEAR)


def _near(case: Case, dtype: str, factors: Sequence[float]) -> list[Case]:
    found = []
    for factor in factors:
        with np.errstate(all="ignore"):
            point = tuple(_moved(x, factor - 1.0).astype(dtype) for x in case.point)
        pairs = zip(case.point, point, strict=True)
        same = (np.isfinite(y) & ((x == 0) == (y == 0)) for x, y in pairs)
        if all(map(np.all, same)):
            found.append(Case(case.graph, point, dtype))
    return found


def _moved(x: Array, part: float) -> Array:
    """Numbers that grow by up to that part of themselves, equal ones by as much.

    Others grow by other parts: what all of them are scaled by would leave the roundings
    of what no scale changes as they are, such as those of orthonormal columns.
    """
    with np.errstate(all="ignore"):
        share = np.where(x == 0.0, 0.0, 0.75 + 0.25 * np.sin(3.0 * np.log(np.abs(x))))
    return np.asarray(x * (1.0 + part * share))


def _behind(asking: Asking, own: WorstNumber) -> Iterator[Asking]:
    """The question behind clips, wherever the number that deviates is the same there.

    Values move there that do not where a clip stands before them. It must deviate there
    as well, since the clip itself may be what is wrong.
    """
    case, found = asking.case, asking.found
    if found.question is not GRADIENT:
        return
    here = _ranges(found)[own.entry]
    size = max(map(abs, here))
    for other in thawed(case, _near(case, case.dtype, NEAR[1:])):
        there = asking.at(other)
        if there.found.status not in {Slope.SMOOTH, Slope.KINK}:
            continue
        pairs = zip(here, _ranges(there.found)[own.entry], strict=True)
        part = _part_there(there, own.entry)
        deviates = part is not None and 2.0 * part >= own.part
        if deviates and all(abs(x - y) <= CLOSE * size for x, y in pairs):
            yield there


def _is_steady(asking: Asking, entry: int) -> bool:
    """Whether the error is the same part of the number at all points near the case.

    Roundings go up and down from point to point, and a wrong constant does not.
    """
    parts = _parts_near(asking, entry, (*NEAR, *ALONG))
    known = [part for part in parts if part is not None]
    if len(known) < len(NEAR):
        return False
    return max(known) - min(known) <= STEADY * max(map(abs, known))


def _is_smooth(asking: Asking, entry: int) -> bool:
    """Whether the error has one sign near the case, and its logarithm is a line.

    That of a wrong formula is; roundings go up and down about any line.
    """
    parts = _parts_near(asking, entry, ALONG)
    known = np.array([part for part in parts if part is not None])
    if len(known) < len(ALONG):
        return False
    if not (np.all(known > 0.0) or np.all(known < 0.0)):
        return False
    sizes = np.log(np.abs(known))
    rest = sizes - np.polyval(np.polyfit(ALONG, sizes, 1), ALONG)
    return bool(np.max(np.abs(rest)) <= STEADY)


def _goes_up_and_down(asking: Asking, own: WorstNumber) -> bool:
    """Whether the error changes its sign more than once among points on a line.

    Much smaller ones do not count: they are the roundings of what is right there, where
    an engine takes a branch of its own at the case, and that branch is wrong.
    """
    parts = _parts_near(asking, own.entry, ALONG)
    known = [p for p in parts if p is not None and ALIKE * abs(p) >= own.part]
    turns = sum(a * b < 0.0 for a, b in itertools.pairwise(known))
    return turns > 1


def _parts_near(
    asking: Asking, entry: int, factors: Sequence[float]
) -> list[float | None]:
    """The error at points near the case, with its sign, as a part of the number."""
    near = _near(asking.case, asking.case.dtype, factors)
    return [_part_there(asking.at(other), entry, signed=True) for other in near]


def _part_there(asking: Asking, entry: int, *, signed: bool = False) -> float | None:
    """The error of an answer as a part of the number; None if it is no answer."""
    derivatives = asking.run()
    if derivatives.error is not None or derivatives.timed_out:
        return None
    errors = _errors(asking.found, derivatives)
    if errors is None:
        return None
    error = float(errors[entry])
    return _part(error if signed else abs(error), asking.found, entry)
