"""The few constants of the rounding model, beside the formats.

Nobody chooses a tolerance. These numbers, the formats (`formats.py`) and the sites and
reaches of the primitives (`ops/calculus.py`) are all that the bound is made of.
"""

from __future__ import annotations

from dataclasses import dataclass

SAFETY = 4.0
"""The factor c on every site: published accuracies are for the best code path."""

STRAIGHT = 1.0 / 16.0
"""The part of an op's reach that its operands may move while first order holds."""

Units = tuple[tuple[str, float], ...]
"""Ops and how many units of roundoff they may be off by, in the order of the names."""

ANY_OP = "*"


@dataclass(frozen=True)
class RoundingModel:
    """How an engine rounds, where it says so itself.

    form: the format that it computes in, by name; empty for the case's own.
    units: ops whose values and derivatives are declared to be off by more than usual;
        `ANY_OP` stands for all.
    """

    form: str = ""
    units: Units = ()


USUAL_ROUNDING = RoundingModel()
