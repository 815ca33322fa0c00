"""Wrong formula or lost digits? Other runs of the function tell.

A library's backward may subtract numbers that are larger than what it returns, as that
of a solver does. How large they were cannot be seen from outside. So the derivative is
asked for in the wider format: lost digits shrink with the roundoff, and a wrong formula
stays as wrong. Where there is no wider format, a function that is differenced is asked
at points an ulp away: what it jumps there, rounding explains.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradverify.capture.captured import NotCaptured, contracted
from gradverify.capture.differenced import ROUNDINGS
from gradverify.capture.exact_backward import BackwardFormula
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.function_engine import pushed
from gradverify.capture.truths import Look, unit_of
from gradverify.graph import Array, Case
from gradverify.reference import RoundingModel, Slope, floats_of, reference

SHRUNK = 2.0**-16
"""What a deviation must shrink to. From float32 to double the roundoff shrinks to
2**-29; the rest is for terms of first order in the rounding of what is handed over."""
MOVES = 8  # points an ulp away
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
    if wide.dtype != call.dtype:
        others = [_widened(wide, mode, variant, look)]
    else:
        others = [
            derivatives(call, mode, variant, near, look.weights)
            for near in _near(point)
        ]
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
    """
    point, weights = _in_format(wide, look)
    try:
        captured = wide.capture(point)
        made = contracted(captured, weights)
        model = RoundingModel(captured.form or wide.dtype)
        found = reference(Case(made.graph, point, wide.dtype), model)
        others = derivatives(wide, mode, variant, point, weights)
    except (NotCaptured, NotImplementedError, ValueError, RuntimeError):
        return BackwardFormula.UNKNOWN
    if found.status is not Slope.SMOOTH:
        return BackwardFormula.UNKNOWN
    got = derivatives(call, mode, variant, look.case.point, look.weights)
    sides = zip(got, others, look.found.gradient, found.gradient, strict=True)
    pairs = zip(sides, look.found.bounds, found.bounds, strict=True)
    for (narrow, wider, own, exact), bound, allowed in pairs:
        if narrow is None or wider is None:
            continue
        lost = np.abs(narrow - floats_of(own))
        off = ~(lost <= np.asarray(bound.loose, float))
        left = np.abs(wider - floats_of(exact))
        room = np.asarray(allowed.loose, float) + SHRUNK * lost
        if np.any(off & ~(left <= room)):
            return BackwardFormula.WRONG
    return BackwardFormula.RIGHT


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


def _widened(
    wide: FunctionCall, mode: str, variant: str, look: Look
) -> tuple[Array | None, ...]:
    return derivatives(wide, mode, variant, *_in_format(wide, look))


def _in_format(call: FunctionCall, look: Look) -> tuple[tuple[Array, ...], ...]:
    """The point and the cotangents of a look in the format of a call."""
    sides = look.case.point, look.weights
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
