"""Is a gradient that somebody worked out the derivative of the formula, at the point?

Written numbers are rounded: a decimal given as text stands for everything that rounds
to it; any other number is exact, up to what rounding in floats explains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from flint import arb, ctx
from mpmath import mp, mpf

from gradverify.arithmetic.balls import BALLS
from gradverify.claims.checking.check_result import (
    ClaimedDerivative,
    ClaimResult,
    ExactGradient,
)
from gradverify.claims.checking.formula_graph import graph_of
from gradverify.claims.claim_limits import BALL_BITS
from gradverify.claims.computation.numbers import Stated, floats, nested, plain, stated
from gradverify.claims.mending.slips import why_wrong
from gradverify.graph import Array, Case, interpret_all
from gradverify.reference import Hull, Reference, Slope, inside_hull, reference
from gradverify.surroundings import surrounded

PRECISION = 2400  # bits: a sum of the largest and the smallest float is exact
SAME = mpf(2) ** -52  # of the exact number: a float that is next to it
DIGITS = 15  # of an exact derivative that is printed


@surrounded
def check_claim(
    expression: str, at: Mapping[str, Any], claims: Mapping[str, Any]
) -> ClaimResult:
    """Hold claimed derivatives of a formula against the exact ones.

    expression: Python syntax, such as "(a + b) * (a * b)"; read, never executed.
    at: the value of each name: a number, or nested lists of numbers.
    claims: the claimed derivative with respect to some of the names, of their shape.

    The result is true if every claim is right; its text and, in a notebook, its picture
    say which step is, and how a person arrives at the claimed number.

    Raises `ValueError` where the input makes no sense; a wrong claim raises nothing.
    """
    point = {name: floats(f"{name} (in at)", x) for name, x in at.items()}
    found = {name: _claimed(name, x, point) for name, x in claims.items()}
    if not found:
        raise ValueError(f"no claims are given; allowed: {', '.join(point)}")
    case = _case(expression, point)
    graph = case.graph
    too_large = _beyond_reach(case)
    if too_large:
        return ClaimResult(expression, _not_judged(found, "not known", too_large))
    place = {name: k for k, name in enumerate(point)}
    with np.errstate(all="ignore"):
        truth = reference(case)
        judged = _judged(found, place, truth)
    wrong = any(claim.judged and not claim.right for claim in judged)
    why = why_wrong(found, truth, [*point]) if wrong else None
    return ClaimResult(expression, judged, why, graph)


@surrounded
def exact_gradient(expression: str, at: Mapping[str, Any]) -> ExactGradient:
    """The gradient of a formula at a point, as `check_claim` would hold claims to it.

    Raises `ValueError` where the input makes no sense.
    """
    point = {name: floats(f"{name} (in at)", x) for name, x in at.items()}
    case = _case(expression, point)
    if too_large := _beyond_reach(case):
        return ExactGradient(expression, {}, too_large)
    with np.errstate(all="ignore"):
        truth = reference(case)
    if truth.status in (Slope.SMOOTH, Slope.ONE_SIDED):
        texts = (
            nested(_reshaped([plain(x, DIGITS) for x in exact.flat], exact.shape))
            for exact in truth.gradient
        )
        note = "the one-sided slope" if truth.status is Slope.ONE_SIDED else ""
        return ExactGradient(expression, dict(zip(point, texts, strict=True)), note)
    if truth.status is Slope.KINK and truth.kinked is not None:
        ends = np.cumsum([0, *(x.size for x in case.point)])
        ranges = {
            name: _range_text(truth.kinked.hull, np.arange(*ends[k : k + 2]), x.shape)
            for k, (name, x) in enumerate(point.items())
        }
        return ExactGradient(expression, ranges, "at a kink: ranges of slopes")
    return ExactGradient(expression, {}, truth.note or "the function has no derivative")


def _case(expression: str, point: Mapping[str, Array]) -> Case:
    """The formula at a point; `ValueError` where it is no single number."""
    graph = graph_of(expression, {name: x.shape for name, x in point.items()})
    if graph.output.shape != ():
        raise ValueError(
            f"the expression has shape {graph.output.shape}; allowed: a single number, "
            "such as its sum(...)"
        )
    return Case(graph, tuple(point.values()))


def _claimed(name: str, value: Any, point: Mapping[str, Array]) -> Array:
    if name not in point:
        raise ValueError(
            f"a claim is about {name!r}, which has no value; allowed: the names in at, "
            f"{', '.join(point) or 'of which there are none'}"
        )
    found = stated(f"{name} (in claims)", value)
    if found.shape != point[name].shape:
        raise ValueError(
            f"the claim about {name} has shape {found.shape}; allowed: the shape of "
            f"{name} in at, {point[name].shape}"
        )
    return found


def _beyond_reach(case: Case) -> str:
    """Why the formula cannot be evaluated at the point; empty where it can.

    Balls answer at once even where a number has more digits than there is memory.
    """
    with ctx.workprec(PRECISION):
        inputs = [BALLS.lift(x) for x in case.point]
        table = BALLS.table | {"literal": arb}
        for value in interpret_all(case.graph, table, inputs):
            for ball in np.asarray(value, dtype=object).reshape(-1):
                if not ball.is_finite():
                    return "the formula has no finite value at this point"
                if abs(ball) > arb(2) ** BALL_BITS:
                    return "a value on the way is too large"
    return ""


# ---- judging


def _judged(
    found: Mapping[str, Array], place: Mapping[str, int], truth: Reference
) -> tuple[ClaimedDerivative, ...]:
    if truth.status in (Slope.SMOOTH, Slope.ONE_SIDED):
        return tuple(
            _at_slope(name, x, place[name], truth) for name, x in found.items()
        )
    if truth.status is Slope.KINK and truth.kinked is not None:
        return _at_kink(found, place, truth, truth.kinked.hull)
    if truth.status in (Slope.NONE, Slope.KINK):  # at an edge no number is a slope
        return _not_judged(found, "no derivative", truth.note)
    return _not_judged(found, "not known", truth.note)


def _not_judged(
    found: Mapping[str, Array], exact: str, note: str
) -> tuple[ClaimedDerivative, ...]:
    return tuple(
        ClaimedDerivative(name, _texts(x), exact, False, 0.0, judged=False, note=note)
        for name, x in found.items()
    )


def _texts(claimed: Array) -> str:
    return nested(np.asarray(np.frompyfunc(lambda c: c.text, 1, 1)(claimed), object))


def _at_slope(
    name: str, claimed: Array, place: int, truth: Reference
) -> ClaimedDerivative:
    """Every entry against the exact number."""
    bound, paths = truth.loose[place], truth.paths[place]
    entries = [*zip(claimed.flat, truth.gradient[place].flat, bound.flat, strict=True)]
    right = [_is_near(c, exact, b) for c, exact, b in entries]
    texts = [_exact_text(e[1], e[0], ok) for e, ok in zip(entries, right, strict=True)]
    # Where rounding may be as large as a whole term, nearness says nothing.
    blind = [
        not (b < np.inf and b <= path / 8) and not _is_near(c, exact, 0.0)
        for (c, exact, b), path in zip(entries, paths.flat, strict=True)
    ]
    is_judged = not (all(right) and any(blind))
    notes = ["the one-sided slope"] if truth.status is Slope.ONE_SIDED else []
    if not is_judged:
        notes.append("rounding in floats may be as large as the derivative here")
    wrong = np.argwhere(~np.reshape(right, claimed.shape).astype(bool)).tolist()
    if wrong and claimed.ndim:
        notes.append(f"wrong at {', '.join(map(str, wrong))}")
    if wrong and all(ok or _looks_rounded(*e) for e, ok in zip(entries, right, strict=True)):  # fmt: skip  # noqa: E501
        notes.append("right as a rounded decimal: give it as text to say so")
    return ClaimedDerivative(
        name,
        _texts(claimed),
        nested(_reshaped(texts, claimed.shape)),
        all(right) and is_judged,
        _largest(claimed, bound),
        is_judged,
        "; ".join(notes),
    )


def _is_near(claimed: Stated, exact: Any, bound: float) -> bool:
    if claimed.value is None:
        return False
    with mp.workprec(PRECISION):
        value = mpf(claimed.value.numerator) / claimed.value.denominator
        half = mpf(claimed.half_unit.numerator) / claimed.half_unit.denominator
        rounding = max(mpf(float(bound)), SAME * abs(exact))
        return bool(abs(value - exact) <= half + rounding)


def _exact_text(exact: Any, claimed: Stated, right: bool) -> str:
    """As few digits as tell a wrong number from the exact one."""
    for digits in (15, 20, 30):
        text = plain(exact, digits)
        if right or text != claimed.text:
            break
    return text


def _looks_rounded(claimed: Stated, exact: Any, bound: float) -> bool:
    """Whether a float would be right if its digits were taken for a rounded decimal."""
    if claimed.value is None or "." not in claimed.text or claimed.half_unit:
        return False
    return _is_near(stated("", claimed.text).item(), exact, bound)


def _reshaped(texts: list[str], shape: tuple[int, ...]) -> Array:
    result = np.empty(len(texts), object)
    result[:] = texts
    return result.reshape(shape)


def _largest(claimed: Array, bound: Array) -> float:
    pairs = zip(claimed.flat, bound.flat, strict=True)
    return float(max((float(c.half_unit) + b for c, b in pairs), default=0.0))


# ---- kinks


def _at_kink(
    found: Mapping[str, Array],
    place: Mapping[str, int],
    truth: Reference,
    hull: Hull,
) -> tuple[ClaimedDerivative, ...]:
    """Any slope between the one-sided ones is right, if all claims can be together."""
    ends = np.cumsum([0, *(x.size for x in truth.case.point)])
    columns = {
        name: np.arange(ends[place[name]], ends[place[name] + 1]) for name in found
    }
    loose = np.concatenate([np.asarray(b, np.float64).reshape(-1) for b in truth.loose])
    inside = {
        name: _is_inside({name: x}, columns, hull, loose) for name, x in found.items()
    }
    together = _is_inside(found, columns, hull, loose)
    note = "at a kink any slope in the range is right"
    if all(inside.values()) and together is False:
        inside = dict.fromkeys(inside, False)
        note = "at a kink; each is possible alone, but not all of them together"
    return tuple(
        ClaimedDerivative(
            name,
            _texts(x),
            _range_text(hull, columns[name], x.shape),
            bool(inside[name]),
            _largest(x, loose[columns[name]]),
            judged=inside[name] is not None,
            note=note,
        )
        for name, x in found.items()
    )


def _is_inside(
    found: Mapping[str, Array],
    columns: Mapping[str, Array],
    hull: Hull,
    loose: Array,
) -> bool | None:
    chosen = np.concatenate([columns[name] for name in found])
    entries = [entry for x in found.values() for entry in x.flat]
    if any(entry.value is None for entry in entries):
        return False
    part = Hull(
        hull.vertices[:, chosen],
        hull.lowest[chosen],
        hull.highest[chosen],
        hull.is_complete,
    )
    allowed = loose[chosen] + np.array([float(entry.half_unit) for entry in entries])
    return inside_hull(part, np.array([float(e.value) for e in entries]), allowed)


def _range_text(hull: Hull, columns: Array, shape: tuple[int, ...]) -> str:
    texts = []
    for column in columns:
        low, high = plain(mpf(hull.lowest[column])), plain(mpf(hull.highest[column]))
        texts.append(low if low == high else f"[{low}, {high}]")
    return nested(_reshaped(texts, shape))
