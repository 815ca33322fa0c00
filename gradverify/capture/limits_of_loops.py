"""The derivative of what a loop converges to, where the loop ends before it is there.

A solver iterates until a tolerance is met, and its author gives the derivative of the
solution, by the implicit function theorem. The derivative of the last iterate is
another number; its error shrinks no faster than that of the iterate itself. So the loop
is run on, to twice as many turns. How far each entry of the derivative moves says how
far it was off. Only a loop that converges has a limit: of one that does, the second
doubling of its turns moves the value by less than the first.
"""

from __future__ import annotations

import numpy as np
from mpmath import mp

from gradverify.capture.captured import contracted
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.truths import Look
from gradverify.capture.wider_derivative import derivatives, is_asked
from gradverify.graph import Case, Graph
from gradverify.reference import Slope, floats_of, reference
from gradverify.reference.differences import value_at
from gradverify.reference.gradient_program import expand
from gradverify.verdict import Verdict

BITS = 400  # in which the values of a loop that is run on are compared
SHRINKS = 0.5  # of the first move, at most, is the second move of what converges
SAFE = 8.0  # times its move that a derivative may be off
MOST_MOVED = 1 / 12  # of its size that a derivative moves at most where it is judged


def of_limit(
    call: FunctionCall, who: FunctionCall, look: Look, mode: str, variant: str
) -> Verdict | None:
    """What a deviation is if derivatives are those of the limit of a loop.

    Imprecise, as far as the loop has come; unresolved, if it ends so early that a wrong
    derivative might pass. None if there is no such loop, or they are not of its limit.
    who: the call that is captured.
    """
    if look.captured is None or call.modes[mode] == "hvp":
        return None
    try:
        return _verdict(call, who, look, mode, variant)
    except Exception:  # the user's code may raise anything where its loop is run on
        return None


def _verdict(
    call: FunctionCall, who: FunctionCall, look: Look, mode: str, variant: str
) -> Verdict | None:
    point = look.case.point
    made = contracted(who.capture_longer(point), look.weights).graph
    found = reference(Case(made, point, look.case.dtype), look.model)
    if found.status is not Slope.SMOOTH or look.found.status is not Slope.SMOOTH:
        return None
    last = contracted(who.capture_longer(point, 4), look.weights).graph
    if not _converges((look.case.graph, made, last), look):
        return None
    given = derivatives(call, mode, variant, point, look.weights)
    share = 0.0
    for k, got in enumerate(given):
        exact, before = floats_of(found.gradient[k]), floats_of(look.found.gradient[k])
        if not is_asked(variant, k):
            continue
        size = float(np.max(np.abs(exact), initial=0.0))
        moves = np.abs(exact - before)
        moved = float(np.max(moves, initial=0.0)) / size if size else 0.0
        room = SAFE * np.maximum(moves, moved * np.abs(exact))
        numbers = np.zeros_like(exact) if got is None else got
        bound = np.asarray(found.bounds[k].loose, float)
        if not np.all(np.abs(numbers - exact) <= room + bound):
            return None
        share = max(share, moved)
    return Verdict.IMPRECISE if share <= MOST_MOVED else Verdict.UNRESOLVED


def _converges(graphs: tuple[Graph, ...], look: Look) -> bool:
    """Whether a loop of n, 2 n and 4 n turns comes to rest. The numbers are exact."""
    with mp.workprec(BITS):
        values = [
            value_at(expand(graph, look.case.dtype).graph, look.case.point)
            for graph in graphs
        ]
        if any(x is None for x in values):
            return False
        once, twice, fourfold = values
        return bool(abs(fourfold - twice) <= SHRINKS * abs(twice - once))
