"""A rule that takes a branch of its own at a tie is said to, and is no other op's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explanation import Explanation
from gradverify.graph import Case
from gradverify.verdict import Verdict
from gradverify.verify import judge

from ..planted.engines import ENGINES


def branching(first: float, second: float) -> Any:
    """The rule of logaddexp, but for two numbers where its operands are equal."""

    def rule(ct: Any, y: Any, a: Any, b: Any) -> Any:
        shares = (first, np.exp(a - y)), (second, np.exp(b - y))
        return [np.asarray(ct * np.where(a == b, *s), y.dtype) for s in shares]

    return rule


def explained(op: str, rule: Any, case: Case, verdict: Verdict) -> Explanation:
    who = ENGINES["own-tape"].with_rule("planted", op, rule)
    found = judge(case, who, "reverse")
    assert found.verdict is verdict
    return diagnose(Failure(case, found, op, who, "reverse"))


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        ((1.0, 0.0), "where its operands are equal the rule is wrong"),
        ((1.0, 1.0), "each of the operands that are equal gets the whole cotangent"),
        ((0.0, 0.0), "none of the operands that are equal gets anything"),
    ],
)
@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_branch_at_a_tie_is_named(
    shares: tuple[float, float], says: str, shape: tuple[int, ...]
) -> None:
    graph = trace(lambda a, b: s.sum(s.logaddexp(a, b), axis=None), shape, shape)
    point = np.resize([1.3, -0.4, 2.0], shape)
    case = Case(graph, (point, point))
    found = explained("logaddexp", branching(*shares), case, Verdict.WRONG)
    assert found.cause == "ties"
    assert says in found.sentence


def test_a_slip_that_is_wrong_beside_a_tie_as_well_is_none_of_ties() -> None:
    def whole(ct: Any, y: Any, a: Any, b: Any) -> Any:
        return [ct, ct]

    case = Case(trace(s.logaddexp, (), ()), (np.array(1.3), np.array(1.3)))
    assert explained("logaddexp", whole, case, Verdict.WRONG).cause == "factor dropped"


def test_what_fails_nothing_is_not_said_to_be_no_rounding() -> None:
    """The slope of gelu with a constant of three digits, within what float32 loses."""

    def rule(ct: Any, y: Any, x: Any, approximate: str) -> Any:
        one = x.dtype.type
        k, c = one(np.sqrt(2 / np.pi)), one(0.0447)
        t = np.tanh(k * (x + c * x**3))
        steep = (1 - t * t) * k * (1 + 3 * c * x * x)
        return [(ct * (0.5 * (1 + t) + 0.5 * x * steep)).astype(x.dtype)]

    graph = trace(lambda a: s.gelu(a, approximate="tanh"), ())
    case = Case(graph, (np.array(2.5, "float32"),), "float32")
    found = explained("gelu", rule, case, Verdict.IMPRECISE)
    assert "no rounding" not in found.sentence
