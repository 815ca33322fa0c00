"""Wrong formula or lost digits? Other runs of the function tell.

A library's backward may subtract numbers that are larger than what it returns, as that
of a solver does. How large they were cannot be seen from outside. So the derivative is
asked for in the wider format: lost digits shrink with the roundoff, and a wrong formula
stays as wrong. Where there is no wider format, a function that is differenced is asked
at points an ulp away: what it jumps there, rounding explains.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gradverify.capture.captured import contracted
from gradverify.capture.differenced import ROUNDINGS
from gradverify.capture.exact_backward import BackwardFormula
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.function_engine import pushed
from gradverify.capture.symmetric_arguments import kept_symmetric
from gradverify.capture.truths import Look, unit_of
from gradverify.graph import Array, Case
from gradverify.reference import RoundingModel, Slope, floats_of, reference

SHRUNK = 2.0**-16
"""What a deviation must shrink to. From float32 to double the roundoff shrinks to
2**-29; the rest is for terms of first order in the rounding of what is handed over."""
MOVES = 8  # points an ulp away
STRAYS = 2.0**12  # units of roundoff that a point moves to show what rounding does
SPREAD = 4.0  # how many of its largest jumps a derivative may be off


def formula_by_runs(
    call: FunctionCall, wide: FunctionCall, look: Look, mode: str, variant: str
) -> BackwardFormula:
    """Whether rounding explains the entries that deviate by more than their bound.

    wide: the call in the widest format that it takes, or the call itself. The error of
    the differences, a part of the bound, is allowed to a wider run as well.
    """
    point, right = look.case.point, [floats_of(x) for x in look.found.gradient]
    found = derivatives(call, mode, variant, point, look.weights)
    try:
        if wide.dtype != call.dtype:
            sides = _in_format(wide, point, look.weights)
            others = [derivatives(wide, mode, variant, *sides)]
        else:
            others = [
                derivatives(call, mode, variant, near, look.weights)
                for near in _near(point)
            ]
    except Exception:  # the user's code may raise anything at what it was not handed
        return BackwardFormula.UNKNOWN
    explained = False
    for k, (exact, bound) in enumerate(zip(right, look.found.bounds, strict=True)):
        got = found[k]
        if got is None or any(other[k] is None for other in others):
            continue
        lost, allowed = np.abs(got - exact), np.asarray(bound.loose, float)
        off = ~(lost <= allowed)
        if wide.dtype != call.dtype:
            own = ROUNDINGS * unit_of(call.dtype) * np.abs(exact)
            room = np.maximum(allowed - own, 0.0) + SHRUNK * lost
            is_explained = np.abs(np.asarray(others[0][k]) - exact) <= room
        else:
            jumps = np.abs(np.array([other[k] for other in others]) - got)
            is_explained = lost <= allowed + SPREAD * np.max(jumps, axis=0)
        if np.any(off & ~is_explained):
            return BackwardFormula.UNKNOWN
        explained |= bool(np.any(off))
    return BackwardFormula.RIGHT if explained else BackwardFormula.UNKNOWN


def formula_in_wide(
    call: FunctionCall, wide: FunctionCall, look: Look, mode: str, variant: str
) -> BackwardFormula:
    """Whether what deviates is lost in the roundoff of a wider format.

    The wider program has its own derivative, since constants have more digits there.
    A kernel may be wrong in the narrow format alone. Rounding jumps where the point and
    the cotangents move a little, and a wrong formula goes along with them. So nothing
    is told where the deviation hardly changes between such points.
    """
    try:
        return _formula_in_wide(call, wide, look, mode, variant)
    except Exception:  # the user's code may raise anything in another format
        return BackwardFormula.UNKNOWN


def _formula_in_wide(
    call: FunctionCall, wide: FunctionCall, look: Look, mode: str, variant: str
) -> BackwardFormula:
    point, weights = _in_format(wide, look.case.point, look.weights)
    captured = wide.capture(point)
    made = contracted(captured, weights)
    model = RoundingModel(captured.form or wide.dtype)
    found = reference(Case(made.graph, point, wide.dtype), model)
    if found.status is not Slope.SMOOTH:
        return BackwardFormula.UNKNOWN
    got = derivatives(call, mode, variant, look.case.point, look.weights)
    others = derivatives(wide, mode, variant, point, weights)
    sides = zip(got, others, look.found.gradient, found.gradient, strict=True)
    pairs = zip(sides, look.found.bounds, found.bounds, strict=True)
    lost: dict[int, Array] = {}
    for k, ((narrow, wider, own, exact), bound, allowed) in enumerate(pairs):
        if not is_asked(variant, k) or (narrow is None and not np.any(exact)):
            continue
        if narrow is None or wider is None:
            return BackwardFormula.UNKNOWN
        away = np.abs(narrow - floats_of(own))
        off = ~(away <= np.asarray(bound.loose, float))
        left = np.abs(wider - floats_of(exact))
        room = np.asarray(allowed.loose, float) + SHRUNK * away
        if np.any(off & ~(left <= room)):
            return BackwardFormula.WRONG
        if np.any(off):
            lost[k] = np.where(off, away, 0.0)
    if lost and _is_restless(call, wide, look, mode, variant, lost):
        return BackwardFormula.RIGHT
    return BackwardFormula.UNKNOWN


def _is_restless(
    call: FunctionCall,
    wide: FunctionCall,
    look: Look,
    mode: str,
    variant: str,
    lost: Mapping[int, Array],
) -> bool:
    """Whether what is lost changes as much where the point and the cotangents move.

    A derivative that stands still while the point moves has been rounded away, if what
    is lost is no more than a few roundoffs of the cotangents.
    """
    size = max(float(np.max(np.abs(w), initial=0.0)) for w in look.weights)
    rounded_away = ROUNDINGS * unit_of(call.dtype) * size
    errors: list[Sequence[Array]] = []
    values: list[Sequence[Array]] = []
    for near, weights in _about(look, call.symmetric):
        narrow = derivatives(call, mode, variant, near, weights)
        wider = derivatives(wide, mode, variant, *_in_format(wide, near, weights))
        values.append([_numbers(narrow[k]) for k in lost])
        errors.append([_numbers(narrow[k]) - _numbers(wider[k]) for k in lost])
    for k, away in enumerate(lost.values()):
        here, *there = (np.asarray(e[k]) for e in errors)
        jumps = np.max(np.abs(np.array(there) - here), axis=0)
        fixed = np.array([v[k] for v in values[: 1 + MOVES]])
        is_still = np.all(fixed == fixed[0], axis=0) & (away <= rounded_away)
        if not np.all((away <= SPREAD * jumps) | is_still):
            return False
    return True


def _numbers(x: Array | None) -> Array:
    return np.asarray(np.nan if x is None else x, np.float64)


def _about(
    look: Look, symmetric: frozenset[int]
) -> Iterator[tuple[Sequence[Array], Sequence[Array]]]:
    """The point and the cotangents; the point moved; the cotangents moved as well.

    Each by up to STRAYS units of roundoff of every number.
    """
    source = np.random.default_rng(0)

    def moved(x: Array) -> Array:
        step = STRAYS * unit_of(x.dtype.name) * source.uniform(-1.0, 1.0, x.shape)
        return np.asarray(x * (1.0 + step), x.dtype)

    point, weights = look.case.point, [np.asarray(w) for w in look.weights]
    yield point, weights
    for _ in range(MOVES):
        yield kept_symmetric([moved(x) for x in point], symmetric), weights
    for _ in range(MOVES):
        near = kept_symmetric([moved(x) for x in point], symmetric)
        yield near, [moved(w) for w in weights]


def is_asked(variant: str, k: int) -> bool:
    """Whether a variant asks for the derivative by an argument."""
    return not variant.startswith("only ") or int(variant.split()[1]) == k


def derivatives(
    call: FunctionCall,
    mode: str,
    variant: str,
    point: Sequence[Array],
    weights: Sequence[Array],
) -> tuple[Array | None, ...]:
    """What a call gives in a mode of first order, one array an argument."""
    if call.modes[mode] == "jvp":
        return tuple(pushed(call, mode, point, weights))
    return call.pull(mode, point, weights, variant).cotangents


def _in_format(
    call: FunctionCall, *sides: Sequence[Array]
) -> tuple[tuple[Array, ...], ...]:
    """A point and cotangents in the format of a call."""
    return tuple(tuple(np.asarray(x, call.dtype) for x in side) for side in sides)


def _near(point: Sequence[Array]) -> list[tuple[Array, ...]]:
    """The point with each number moved by an ulp up, down, or not at all."""
    source = np.random.default_rng(0)
    return [
        tuple(
            np.asarray(np.nextafter(x, x + source.integers(-1, 2, x.shape)), x.dtype)
            for x in point
        )
        for _ in range(MOVES)
    ]
