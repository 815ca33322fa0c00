"""The few constants of the rounding model, beside the formats.

Nobody chooses a tolerance. These numbers, the formats (`formats.py`) and the sites and
reaches of the primitives (`ops/calculus.py`) are all that the bound is made of.
"""

from __future__ import annotations

from dataclasses import dataclass

SAFETY = 4.0
"""The factor on every site.

Accuracies that libraries publish are measured on their best code path. A factor of 4
leaves room for the others.
"""

STRAIGHT = 1.0 / 16.0
"""First order holds while the operands of an op move less than this part of its reach.

For example, the reach of `sin` is a radian, so that its operand may move 1/16 of one.
"""

Units = tuple[tuple[str, float], ...]
"""Pairs of an op and the units of roundoff that it may be off by, sorted by name."""

ANY_OP = "*"


@dataclass(frozen=True)
class RoundingModel:
    """What an engine declares about its own rounding.

    form: the name of the format that it computes in; empty for that of the case.
    units: ops whose values and derivatives may be off by more than usual, with how
        much. `ANY_OP` stands for every op.
    """

    form: str = ""
    units: Units = ()


USUAL_ROUNDING = RoundingModel()
