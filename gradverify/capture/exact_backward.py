"""Wrong formula or lost digits? The formula of a backward, run in many digits, tells.

A backward that is right in exact arithmetic and wrong in floats loses digits: 1 - y*y
for the slope of tanh where y is 1. A wrong formula stays wrong in any number of digits.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import numpy as np
from mpmath import mp, mpf

from gradverify.arithmetic.floats import FLOATS
from gradverify.capture.captured import NotCaptured, contracted
from gradverify.capture.function_call import FunctionCall
from gradverify.capture.truths import Look, unit_of
from gradverify.graph import Array, Graph, interpret
from gradverify.reference import floats_of
from gradverify.reference.differences import value_at
from gradverify.reference.gradient_program import expand

BITS = 2200  # an exponential of a few hundred is no more than this
ROOM = 2.0**10  # units of roundoff: constants that both sides round by themselves
ALIKE = 64.0  # how many times fewer digits the formula may lose than what was returned
MOST = 20_000  # numbers of a program that are computed in many digits


class BackwardFormula(enum.Enum):
    """What a backward computes, in exact arithmetic."""

    RIGHT = "the formula is right, and loses its digits in floats"
    WRONG = "the formula is wrong in any number of digits"
    UNKNOWN = "the formula could not be read"


def formula_of(
    call: FunctionCall, look: Look, asked: Sequence[bool], given: Sequence[Array | None]
) -> BackwardFormula:
    """Whether the backward of a call is right at a point, in exact arithmetic.

    asked: for each argument, whether its derivative counts. given: what was returned;
    a formula that loses fewer digits in floats is not the one that ran, as where a
    kernel of the library is read by its decomposition.
    """
    if not look.found.gradient:
        return BackwardFormula.UNKNOWN
    point = look.case.point
    try:
        captured = call.capture_backward(point, look.weights)
    except NotCaptured:
        return BackwardFormula.UNKNOWN
    except Exception:  # the backward raises, or asks for what a trace has not
        return BackwardFormula.UNKNOWN
    if sum(int(np.prod(n.shape, dtype=int)) for n in captured.nodes) > MOST:
        return BackwardFormula.UNKNOWN
    exact = [floats_of(x) for x in look.found.gradient]
    weights = [
        _scales(x) if counts else np.zeros(x.shape)
        for x, counts in zip(exact, asked, strict=True)
    ]
    if list(captured.shapes) != [x.shape for x in exact]:
        return BackwardFormula.UNKNOWN
    made = contracted(captured, weights).graph
    with mp.workprec(BITS):
        formula = value_at(expand(made, look.case.dtype).graph, point)
        if formula is None:
            return BackwardFormula.UNKNOWN
        terms = [
            mpf(float(w[place])) * x[place]
            for x, w in zip(look.found.gradient, weights, strict=True)
            for place in np.ndindex(x.shape)
        ]
        right = mp.fsum(terms)
        size = 1 + mp.fsum(map(abs, terms))
        if abs(formula - right) > ROOM * unit_of(look.case.dtype) * size:
            return BackwardFormula.WRONG
        in_floats = _in_floats(made, point, look.case.dtype)
        got = sum(
            float(np.sum(w * g)) for w, g in zip(weights, given, strict=True)
            if g is not None
        )  # fmt: skip
        if not np.isfinite(in_floats) or not np.isfinite(got):
            both = np.isfinite(in_floats) == np.isfinite(got)
            return BackwardFormula.RIGHT if both else BackwardFormula.UNKNOWN
        lost = abs(mpf(in_floats) - right) >= abs(mpf(got) - right) / ALIKE
    return BackwardFormula.RIGHT if lost else BackwardFormula.UNKNOWN


def _in_floats(graph: Graph, point: Sequence[Array], dtype: str) -> float:
    """The value of a graph in NumPy floats of a dtype."""

    def lifted(value: Array) -> Array:
        return value if value.dtype == bool else value.astype(dtype)

    table = {**FLOATS.table, "data": lifted}
    with np.errstate(all="ignore"):
        return float(interpret(graph, table, [np.asarray(x, dtype) for x in point]))


def _scales(x: Array) -> Array:
    """Weights that make all entries of about the same size, of mixed signs."""
    signs = np.where(np.arange(x.size) % 3 == 1, -1.0, 1.0).reshape(x.shape)
    with np.errstate(all="ignore"):
        found = np.where(x == 0, 1.0, 1.0 / np.abs(x))
    spread = 1.0 + 0.37 * np.mod(np.arange(x.size) * 0.618, 1.0).reshape(x.shape)
    scales: Array = np.clip(found, 1e-290, 1e290) * signs * spread
    return scales
