"""Lost digits are told from a wrong formula: where, how many, what keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as S
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.lost_digits import in_graph, rewriting
from gradverify.diagnosis.right_sweep import right
from gradverify.differentiators import load
from gradverify.graph import Case
from gradverify.verdict import Verdict
from gradverify.verify import judge


def case_of(function: Callable[..., Any], *point: Any) -> Case:
    arrays = tuple(np.array(x, np.float64) for x in point)
    return Case(trace(function, *(x.shape for x in arrays)), arrays)


LOG_SIGMOID = "log_sigmoid(x) for log(sigmoid(x))"

# fmt: off
IN_GRAPHS = [
    (lambda x: S.log(1.0 + x),      1e-9,  "log", "log1p(x) for log(1 + x)"),
    (lambda x: S.exp(x) - 1.0,      1e-9,  "sub", "expm1(x) for exp(x) - 1"),
    (lambda x: 1.0 - S.erf(x),      5.0,   "sub", "erfc(x) for 1 - erf(x)"),
    (lambda x: 1.0 - S.cos(x),      1e-5,  "sub", "2*sin(x/2)**2 for 1 - cos(x)"),
    (lambda x: S.log(S.sigmoid(x)), 40.0,  "log", LOG_SIGMOID),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "x", "op", "keeps"), IN_GRAPHS, ids=[row[3] for row in IN_GRAPHS]
)
def test_the_node_that_loses_digits_and_what_keeps_them(
    function: Any, x: float, op: str, keeps: str
) -> None:
    case = case_of(function, x)
    found = in_graph(right(case))
    assert found is not None
    assert case.graph.nodes[found.node].op == op
    assert found.digits > 5
    assert found.keeps == keeps


@pytest.mark.parametrize(
    "function",
    [
        lambda x: 1.0 - S.cosh(x),
        lambda x: 1.0 - S.erfc(x),
        lambda x: S.expm1(x) - 1.0,
        lambda x: S.exp2(x) - 1.0,
    ],
    ids=["cosh is not cos", "erfc is not erf", "expm1 is not exp", "exp2 is not exp"],
)
def test_an_op_is_not_rewritten_as_one_whose_name_it_begins_with(function: Any) -> None:
    graph = case_of(function, 0.5).graph
    assert rewriting(graph, len(graph.nodes) - 1) == ""


def test_a_graph_that_keeps_its_digits_is_not_blamed() -> None:
    assert in_graph(right(case_of(lambda x: S.log1p(x) * S.sin(x), 1e-9))) is None


@pytest.mark.parametrize(
    ("op", "x", "usual", "keeps"),
    [
        (S.tanh, 9.0, "1 - y*y", "sech(x)**2"),
        (S.sigmoid, 25.0, "y*(1 - y)", "sigmoid(x)*sigmoid(-x)"),
    ],
    ids=["tanh", "sigmoid"],
)
def test_a_librarys_usual_formula_is_named(
    op: Any, x: float, usual: str, keeps: str
) -> None:
    torch = load("torch-cpu")
    if reason := torch.available():
        pytest.skip(reason)
    case = case_of(op, x)
    found = judge(case, torch, "reverse")
    assert found.verdict is Verdict.IMPRECISE
    why = diagnose(Failure(case, found, case.graph.ops[0], torch, "reverse"))
    assert why.cause == "rounding"
    assert f"the formula {usual}" in why.sentence
    assert why.rewriting == keeps
    assert float(why.digits_lost or 0) > 5
    assert why.script.startswith('"""torch ')


def test_a_wrong_formula_is_not_called_rounding() -> None:
    from tests.planted.drawn import failing
    from tests.planted.slips import Slip as Planted
    from tests.planted.slips import by_op, scaled

    who = by_op(Planted("constant factor", ("sin",), scaled(1.0 + 1e-9)), "sin", True)
    case, found = failing(who, "sin", seed=1)
    why = diagnose(Failure(case, found, "sin", who, "reverse"))
    assert why.cause == "constant factor"
    assert "1.000000001" in why.sentence
    assert why.digits_lost is None
