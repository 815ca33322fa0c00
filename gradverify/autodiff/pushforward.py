"""Forward mode along a written tape: tangents go the way that the values went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradverify.autodiff.operands import own, zeros
from gradverify.autodiff.sweep import pushed
from gradverify.autodiff.tape import Step, Tape, Variable


def pushforward(tape: Tape, y: Variable, tangents: Mapping[Variable, Any]) -> Any:
    """The tangent of y, if some variables have tangents of their own shapes.

    Raises `ValueError` for a variable of another tape or a shape that does not fit.
    """
    m = tape.arithmetic
    found: list[Any] = [None] * len(tape.steps)
    for x, x_dot in tangents.items():
        if x.tape is not tape or y.tape is not tape:
            raise ValueError("y and all that has a tangent must be on this tape")
        found[x.index] = own(m, x_dot, like=x.primal)
        if np.shape(found[x.index]) != x.shape:
            raise ValueError(
                f"a tangent of shape {np.shape(x_dot)} does not fit a variable of "
                f"shape {x.shape}"
            )
    for i, step in enumerate(tape.steps[: y.index + 1]):
        if step[0]:
            found[i] = _pushed(m, step, found)
    total = found[y.index]
    if total is None:
        return zeros(m, y.shape, y.primal)
    return total if np.shape(total) == y.shape else m.broadcast_to(total, shape=y.shape)


def _pushed(m: Any, step: Step, found: list[Any]) -> Any:
    """The tangent of a step's result; None if no operand has a tangent."""
    rules, y, xs, parents, params = step
    total: Any = None
    for k, (rule, j) in enumerate(zip(rules, parents, strict=True)):
        if j < 0 or found[j] is None or rule == 0.0:
            continue
        term = pushed(m, rule, found[j], k, y, xs, params)
        total = term if total is None else total + term
    return total
