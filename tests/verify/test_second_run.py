"""A second run of the same case: what differs by a rounding, and what by more."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import Pulled, load, mode
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.graph import Case
from gradverify.verdict import Verdict
from gradverify.verify import judge


class Unsteady(OwnTape):
    """Our tape, of which every second gradient is larger by a factor."""

    name = "unsteady"

    def __init__(self, off: float) -> None:
        self.off, self.runs = off, count()

    @mode("vjp", default=True)
    def shaky(self, function: Any, point: Any, cotangent: Any) -> Pulled:
        own = type(load("own-tape")).modes()["reverse"].__get__(self, type(self))
        value, bars, *_ = own(function, point, cotangent)
        factor = 1.0 + self.off * (next(self.runs) % 2)
        return Pulled(value, [bar * factor for bar in bars])


@pytest.mark.parametrize(
    ("off", "verdict"),
    [
        (2.0**-52, Verdict.AGREES),
        (1e-9, Verdict.NONDETERMINISTIC),
    ],
)
def test_two_roundings_of_one_number_are_no_finding(
    off: float, verdict: Verdict
) -> None:
    case = Case(trace(lambda x: s.exp(s.sin(x)), ()), (np.array(0.7),), "float64")
    assert judge(case, Unsteady(off), "shaky", twice=True).verdict is verdict
