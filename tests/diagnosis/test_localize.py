"""The op that deviates alone is named, at a kink as well."""

from __future__ import annotations

from functools import partial

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.localize import guilty_op
from gradverify.differentiators import load
from gradverify.graph import Case
from gradverify.verdict import Verdict
from gradverify.verify import judge


def test_an_op_that_needs_its_own_cotangent_is_named_at_a_kink() -> None:
    """autograd's abs underflows at -5e-324 pulled back from 1/2, and not from 1."""
    point = (np.array([0.0, 1.0, -5e-324]),)
    graph = trace(lambda x: s.sum(s.abs(x) * np.array(0.5), axis=None), (3,))
    case = Case(graph, point)
    deviates = partial(judge, differentiator=load("autograd"), mode="reverse")
    guilty = guilty_op(case, deviates, deviates(case))
    assert guilty.op == "abs"
    assert guilty.verdict is Verdict.WRONG
