"""The exact value of a case and its allowed error, without any derivative."""

from __future__ import annotations

from typing import Any

import numpy as np
from mpmath import mp

from gradverify.graph import Case
from gradverify.reference.bound import Bound, bounds_at
from gradverify.reference.differences import value_at
from gradverify.reference.gradient_program import GradientProgram, expand
from gradverify.reference.rounding import USUAL_ROUNDING, RoundingModel
from gradverify.reference.roundings import roundings

BITS = 300  # of the value; what a format holds cancels to no less


def value_alone(
    case: Case, model: RoundingModel = USUAL_ROUNDING
) -> tuple[Any, Bound] | None:
    """The value, an mpf, and how far it may be off; None where it is not finite.

    It costs a tenth of a reference, whose value and bound these are.
    """
    expansion = expand(case.graph, case.dtype)
    last = len(expansion.graph.nodes) - 1
    program = GradientProgram(expansion, expansion.graph, last, (), ())
    with np.errstate(all="ignore"):
        whole = roundings(program, [case.point], model.form or case.dtype)
        if any(np.any(np.isinf(v)) for v in whole.values if v.dtype != bool):
            return None
        (bound,) = bounds_at(program, whole, [last])(0)
    with mp.workprec(BITS):
        value = value_at(expansion.graph, case.point)
    return None if value is None else (value, bound)
