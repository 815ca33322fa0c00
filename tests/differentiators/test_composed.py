"""Ops that are composed of a library's own run where constants meet."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import load
from gradverify.graph import Case
from gradverify.verdict import Verdict
from gradverify.verify import judge


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", ["copysign", "beta", "betaln"])
def test_two_operands_without_a_derivative_are_numbers(op: str, dtype: str) -> None:
    """autograd rounds to a plain number, and hands another one over for a constant."""
    apply = getattr(s, op)
    graph = trace(lambda a: a * apply(s.round(a), np.asarray(2.0)), ())
    case = Case(graph, (np.array(1.25, dtype),), dtype)
    assert judge(case, load("autograd"), "reverse").verdict is Verdict.AGREES
