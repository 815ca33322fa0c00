"""The table of formulas that are NaN or infinite at some points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as S
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.nonfinite import FORMULAS, of_exception
from gradverify.diagnosis.right_sweep import right
from gradverify.graph import Case

SAID = (
    (0, "exp(a)/(exp(a) + exp(b))", lambda a, b: np.exp(a) / (np.exp(a) + np.exp(b))),
    (1, "exp(b)/(exp(a) + exp(b))", lambda a, b: np.exp(b) / (np.exp(a) + np.exp(b))),
)


@pytest.mark.parametrize(("position", "says", "partial"), SAID)
def test_each_formula_of_logaddexp_says_what_it_computes(
    position: int, says: str, partial: Any
) -> None:
    a, b = np.array(0.5), np.array(2.0)
    (found,) = (f for f in FORMULAS["logaddexp"] if f.position == position)
    assert found.says == says
    assert found.partial(np.logaddexp(a, b), a, b) == partial(a, b)


# A call, its point, and the formula that raises there. That of sigmoid has a power too,
# but not one of 0.
# fmt: off
RAISING = (
    (lambda a: S.power(a, n=0.5), (0.0,),     "n*x**(n - 1)"),
    (lambda a, b: S.pow(a, b),    (0.0, 0.5), "b*a**(b - 1)"),
    (lambda a, b: S.pow(a, b),    (2.0, 0.5), None),
    (lambda a: S.sigmoid(a),      (-800.0,),  None),
)
# fmt: on


@pytest.mark.parametrize(("f", "point", "says"), RAISING)
def test_an_exception_comes_from_a_power_of_0_alone(
    f: Any, point: tuple[float, ...], says: str | None
) -> None:
    case = Case(trace(f, *(() for _ in point)), tuple(np.array(x) for x in point))
    found = of_exception(right(case), len(case.graph.nodes) - 1)
    assert (found.formula.says if found and found.formula else None) == says
