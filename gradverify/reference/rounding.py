"""The few constants of the rounding model: formats and the safety factor.

Nobody chooses a tolerance. These numbers and the sites and reaches of the primitives
(`ops/calculus.py`) are all that the bound is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

SAFETY = 4.0
"""The factor c on every site: published accuracies are for the best code path."""


@dataclass(frozen=True)
class Format:
    """A format: unit roundoff, smallest subnormal and normal numbers, the largest."""

    unit_roundoff: float
    smallest: float
    normal: float
    largest: float


FORMATS: Mapping[str, Format] = {
    "float64": Format(
        2.0**-53, 2.0**-1074, 2.0**-1022, float(np.finfo(np.float64).max)
    ),
    "float32": Format(2.0**-24, 2.0**-149, 2.0**-126, float(np.finfo(np.float32).max)),
}


STRAIGHT = 1.0 / 16.0
"""The part of an op's reach that its operands may move while first order holds."""

Units = tuple[tuple[str, float], ...]
"""Ops and how many units of roundoff they may be off by, in the order of the names."""

ANY_OP = "*"


@dataclass(frozen=True)
class Accuracy:
    """How an engine rounds, where it says so itself.

    form: the format that it computes in, by name; empty for the case's own.
    units: ops whose values and derivatives are declared to be off by more than usual;
        `ANY_OP` stands for all.
    """

    form: str = ""
    units: Units = ()


USUAL_ACCURACY = Accuracy()
