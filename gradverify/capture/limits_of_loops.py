"""The derivative of what a loop converges to, where the loop ends before it is there.

A solver iterates until a tolerance is met, and its author gives the derivative of the
solution, by the implicit function theorem. The derivative of the last iterate is
another number; its error shrinks no faster than that of the iterate itself. So the loop
is run on, to twice as many turns. How far the derivative moves says how far it was off.
"""

from __future__ import annotations

import numpy as np

from gradverify.capture.captured import NotCaptured, contracted
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.truths import Look
from gradverify.capture.wider_derivative import derivatives
from gradverify.graph import Case
from gradverify.reference import Slope, floats_of, reference

NEAR = 1e-2  # of its size that a value moves at most when its loop is run on
SAFE = 8.0  # times the largest move of an entry that a derivative may be off


def is_of_limit(
    call: FunctionCall, who: FunctionCall, look: Look, mode: str, variant: str
) -> bool:
    """Whether derivatives are those of the limit, as far as the loop has come to it.

    who: the call that is captured.
    """
    captured = look.captured
    if captured is None or not captured.searches or call.modes[mode] == "hvp":
        return False
    point = look.case.point
    try:
        made = contracted(who.capture_longer(point), look.weights)
    except (NotCaptured, ValueError):
        return False
    found = reference(Case(made.graph, point, look.case.dtype), look.model)
    if found.status is not Slope.SMOOTH or look.found.status is not Slope.SMOOTH:
        return False
    value, limit = float(look.found.value), float(found.value)
    if abs(value - limit) > NEAR * abs(limit):
        return False
    given = derivatives(call, mode, variant, point, look.weights)
    exact = [floats_of(x) for x in found.gradient]
    before = [floats_of(x) for x in look.found.gradient]
    moves = [np.abs(a - b) for a, b in zip(exact, before, strict=True)]
    room = SAFE * max(float(np.max(x, initial=0.0)) for x in moves)
    return all(
        got is None
        or bool(np.all(np.abs(got - x) <= room + np.asarray(bound.loose, float)))
        for got, x, bound in zip(given, exact, found.bounds, strict=True)
    )
