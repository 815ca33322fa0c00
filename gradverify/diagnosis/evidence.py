"""What a page draws beside a deviation: quotients, and the error along a line."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from mpmath import mp, mpf

from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.diagnosis.explain_case import Look
from gradverify.diagnosis.observation import Observation, observed
from gradverify.graph import Array, Case, OutsideDomain, interpret
from gradverify.reference.gradient_program import expand

Place = tuple[int, int]  # an input, and one of its entries, flat

STEPS = ("1e-1", "1e-2", "1e-3", "1e-4", "1e-6", "1e-8", "1e-12", "1e-16", "1e-24")
OFFSETS = (-0.5, -0.1, -0.01, 0.0, 0.01, 0.1, 0.5)
DIGITS = 60  # digits of the quotients while they are computed; fewer are shown
SHOWN = 20


def worst_entry(seen: Observation) -> Place:
    """The input and its entry, by flat index, whose error is most beyond its bound."""
    worst, place = -1.0, (0, 0)
    for k, i in enumerate(seen.right.graph.inputs):
        exact = seen.right.adjoints[i]
        right = np.zeros(seen.got[i].shape) if exact is None else exact
        errors = np.abs(seen.got[i] - right).reshape(-1)
        allowed = np.asarray(seen.allowed[i]).reshape(-1)
        for j, (error, room) in enumerate(zip(errors, allowed, strict=True)):
            size = float(error / room) if room else float("inf") if error else 0.0
            if size > worst:
                worst, place = size, (k, j)
    return place


def quotients(case: Case, place: Place) -> tuple[tuple[str, str], ...]:
    """Forward difference quotients for one entry, from coarse to fine steps, in mpmath.

    A step that leaves the domain is left out.
    """
    graph = expand(case.graph, case.dtype).graph
    which, entry = place
    found = []
    with mp.workdps(DIGITS):

        def value(step: mpf) -> mpf:
            inputs = [np.asarray(MULTIPRECISION.lift(x), object) for x in case.point]
            flat = inputs[which].reshape(-1).copy()
            flat[entry] = flat[entry] + step
            inputs[which] = flat.reshape(inputs[which].shape)
            return interpret(graph, MULTIPRECISION.table, [x[()] for x in inputs])

        for text in STEPS:
            step = mpf(text)
            try:
                slope = (value(step) - value(mpf(0))) / step
            except (OutsideDomain, ArithmeticError, ValueError):
                continue
            if isinstance(slope, mpf) and mp.isfinite(slope):
                found.append((text, str(mp.nstr(slope, SHOWN))))
    return tuple(found)


def line(case: Case, place: Place, look: Look) -> tuple[tuple[str, str, str], ...]:
    """The error and its bound, in ulps, at points on a line through the point.

    One entry of one input is moved along it.
    """
    return tuple(_errors(case, place, look))


def _errors(case: Case, place: Place, look: Look) -> Iterator[tuple[str, str, str]]:
    which, entry = place
    at = float(case.point[which].reshape(-1)[entry])
    for offset in OFFSETS:
        moved = offset * (abs(at) or 1.0)
        there = _moved(case, place, moved)
        derivatives = look(there)
        seen = None if derivatives is None else observed(there, derivatives)
        if seen is None:
            continue
        i = case.graph.inputs[which]
        exact = seen.right.adjoints[i]
        right = 0.0 if exact is None else np.asarray(exact).reshape(-1)[entry]
        error = abs(seen.got[i].reshape(-1)[entry] - right)
        room = np.asarray(seen.allowed[i]).reshape(-1)[entry]
        kind = np.dtype(case.dtype).type
        ulp = float(np.spacing(kind(abs(float(right)))))
        yield repr(moved), repr(float(error) / ulp), repr(float(room) / ulp)


def _moved(case: Case, place: Place, step: float) -> Case:
    which, entry = place
    point: list[Array] = [np.array(x) for x in case.point]
    flat = point[which].reshape(-1)
    flat[entry] += step
    return Case(case.graph, tuple(point), case.dtype)
