"""Slips planted into engines are named, at their node; right engines get no cause."""

from __future__ import annotations

import pytest

from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explain_case import explained
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.localize import WHOLE, guilty_op
from gradverify.differentiators import Differentiator, run
from gradverify.graph import Case
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge
from tests.planted.drawn import drawn, failing
from tests.planted.slips import SLIPS, WHOLE_SLIPS, Slip, by_op, rightly


def explanation(case: Case, who: Differentiator, found: Judgement) -> Explanation:
    guilty = guilty_op(case, lambda c: judge(c, who, "reverse"), found)
    why = diagnose(Failure(case, found, guilty.op, who, "reverse"))
    assert "own fault" not in why.sentence
    return why


@pytest.mark.parametrize(
    "slip", SLIPS, ids=[f"{s.cause} {s.detail}".strip() for s in SLIPS]
)
def test_a_slip_in_a_rule_is_named_at_its_node(slip: Slip) -> None:
    number = SLIPS.index(slip)
    op = slip.ops[number % len(slip.ops)]
    who = by_op(slip, op, inner=number % 2 == 0)
    case, found = failing(who, op, seed=number)
    why = explanation(case, who, found)
    assert why.node is not None
    assert case.graph.nodes[why.node].op == op
    assert slip.cause in (why.cause, *why.also), why.sentence


@pytest.mark.parametrize("cause", WHOLE_SLIPS)
def test_a_slip_beside_the_rules_is_named(cause: str) -> None:
    who = WHOLE_SLIPS[cause]()
    case, found = failing(who, None, seed=3)
    assert explanation(case, who, found).cause == cause


@pytest.mark.parametrize("inner", [False, True], ids=["autograd", "torch"])
def test_an_agreeing_case_is_given_no_cause(inner: bool) -> None:
    who = rightly("mul", inner)
    agreeing = [
        case
        for case in drawn("mul", seed=5)[:6]
        if judge(case, who, "reverse").verdict is Verdict.AGREES
    ]
    assert agreeing
    for case in agreeing:
        for op in ("mul", WHOLE):
            found = explained(case, lambda c: run(who, "reverse", c), op)
            assert not found.slips
