"""Slips in ops of further kinds are named: arrays, matrices, losses, special functions."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special

from gradverify.arithmetic.symbols import SYMBOLS as S
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explanation import Explanation
from gradverify.graph import Case, Graph, Node, apply_op, data_leaf, input_leaf
from gradverify.verify import judge
from tests.planted.layer_rules import Layer, Rule, changed, only
from tests.planted.op_faults import averaged, engine, first, overwritten, passed, slope

pytest.importorskip("torch")

MATRIX = [[1.0, 1.0], [2.0, 1.0]]
# 1/sqrt(2 pi), in single precision
DENSITY = float(np.float32(1.0 / math.sqrt(2.0 * math.pi)))


def inverse_as_it_is(a: Layer) -> list[Any]:
    return [np.asarray(a.ct) * a.y * np.linalg.inv(first(a))]


def with_epsilon(a: Layer) -> list[Any]:
    p, t = a.operands
    return [np.asarray(a.ct) * (p - t) / (p * (1.0 - p) + 1e-7), a.right()[1]]


def kernel_around(a: Layer) -> Any:
    return np.flip(a.right()[1], -1)


# fmt: off
SLIPS = (
    ("det",  inverse_as_it_is, lambda a: S.det(a), (MATRIX,), "transposed", "is not transposed as it must be"),
    ("gather", overwritten, lambda a: S.sum(S.gather(a, axis=(-1,), index=(0, 0))), ([1.0],), "index overwritten", "the last alone counts"),
    ("repeat", averaged, lambda a: S.sum(S.repeat(a, repeats=2, axis=(-1,))), ([1.0],), "index overwritten", "the mean is taken"),
    ("flip", passed, lambda a: S.sum(S.flip(a, axis=None) * a), ([1.0, 2.0],), "passed on", "as if the op did nothing"),
    ("index_put", only(0, lambda a: np.asarray(a.ct)), lambda a: S.sum(S.index_put(a, a, index=(0, 1), accumulate=False)), ([1.0, 1.0],), "passed on", "by its first operand taken as 1"),
    ("index_add", changed(alpha=lambda a: 1.0), lambda a: S.sum(S.index_add(a, a, axis=(-1,), index=(0, 1), alpha=-0.5)), ([1.0, 1.0],), "other param", "alpha=1.0"),
    ("conv1d", only(1, kernel_around), lambda a, w: S.sum(S.conv1d(a, w, np.ones(1), stride=(1,), padding=(0,), dilation=(1,), groups=1)), ([[[1.0, 2.0]]], [[[1.0, 1.0]]]), "turned around", "along axis -1"),
    ("lerp", only(2, lambda a: a.ct * a.operands[1]), lambda a: S.lerp(a, a, a), (1.0,), "operand", "the operand a is returned for"),
    ("bce", with_epsilon, lambda a: S.bce(a, np.ones(()), reduction="mean"), (0.5,), "epsilon", "1e-7 is added"),
    ("erfinv", slope(lambda y, x: 0.886227 * np.exp(y * y)), lambda a: S.erfinv(a), (0.5,), "short constant", "0.886227"),
    ("exp2", slope(lambda y, x: 0.6931 * y), lambda a: S.exp2(a), (1.3,), "short constant", "has too few digits: 0.6931"),
    ("log10", slope(lambda y, x: 1 / (2.3026 * x)), lambda a: S.log10(a), (1.3,), "short constant", "which is 1 / 2.3026"),
    ("log2", slope(lambda y, x: 1 / (0.693 * x)), lambda a: S.log2(a), (1.3,), "short constant", "which is 1 / 0.693"),
    ("i1", slope(lambda y, x: special.i0(x)), lambda a: S.i1(a), (1.0,), "wrong formula", "i0(a)"),
    ("ndtr", slope(lambda y, x: DENSITY * np.exp(-x * x / 2.0)), lambda a: S.ndtr(a), (1.0,), "short constant", "0.39894229"),
)
# fmt: on


@pytest.mark.parametrize(("op", "rule", "f", "point", "cause", "says"), SLIPS)
def test_a_slip_is_named(
    op: str, rule: Rule, f: Any, point: Any, cause: str, says: str
) -> None:
    why = explanation(op, rule, case_of(f, *point))
    assert why.cause == cause, why.sentence
    assert says in why.sentence


def case_of(f: Any, *point: Any) -> Case:
    arrays = tuple(np.array(x) for x in point)
    return Case(trace(f, *(x.shape for x in arrays)), arrays)


def explanation(op: str, rule: Rule, case: Case) -> Explanation:
    who = engine("planted", op, rule)
    found = judge(case, who, "reverse")
    assert found.verdict.fails()
    why = diagnose(Failure(case, found, op, who, "reverse"))
    assert "own fault" not in why.sentence
    return why


def test_an_op_with_a_mask_has_an_explanation() -> None:
    nodes: list[Node] = [input_leaf((2,)), data_leaf(np.array([True, False]))]
    nodes.append(apply_op(nodes, "masked_fill", (0, 1), value=1.0))
    nodes.append(apply_op(nodes, "sum", (2,)))
    case = Case(Graph(tuple(nodes)), (np.array([1.0, 3.0]),))
    why = explanation("masked_fill", lambda a: [np.asarray(a.ct), None], case)
    assert why.cause == "passed on"


@pytest.mark.parametrize(
    "case",
    [
        case_of(S.sin, 0.5),
        case_of(lambda x, w: S.sum(S.sin(x) * w), [0.5, 0.7], [1.0, 0.0]),
    ],
    ids=["a number", "beside an exact zero"],
)
def test_an_error_that_stays_is_not_called_rounding(case: Case) -> None:
    """A slope that is off by 1e-9 x is off as much beside the point; no row has it."""
    rule = slope(lambda y, x: np.cos(x) * (1.0 + 1e-9 * x))
    why = explanation("sin", rule, case)
    assert why.cause == "steady error"
    assert "lost to rounding" not in why.sentence


def test_a_failing_verdict_is_not_contradicted_by_its_sentence() -> None:
    """The square of the divisor is subnormal, and has lost digits."""
    rule = only(1, lambda a: -a.ct * a.operands[0] * a.operands[1] ** -2.0)
    why = explanation("div", rule, case_of(lambda a, b: a / b, 20000.0, 2e154))
    assert "more than rounding explains" in why.sentence
    assert "lost to rounding" not in why.sentence


def test_a_truth_does_not_repeat_the_name_of_what_is_true() -> None:
    rule = only(1, lambda a: np.asarray(a.ct))
    why = explanation("xlogy", rule, case_of(S.xlogy, 1.0, 2.0))
    assert why.sentence.endswith("taken as 1 (it is 0.5)")


def test_no_formula_names_an_op_that_is_not_public() -> None:
    rule = slope(lambda y, x: -special.zeta(3.0, x))
    why = explanation("zeta", rule, case_of(lambda a: S.zeta(a, s=2.0), 1.3))
    assert "a factor 1/2 too much" in why.sentence
    assert "slack" not in why.sentence


def test_one_path_is_not_said_twice() -> None:
    rule = only(1, lambda a: 0.0 * a.right()[1])
    why = explanation("mul", rule, case_of(lambda a: 3.0 * np.ones(2)[0] * a, 2.0))
    assert "or zero is given" not in why.sentence


def test_a_constant_stands_in_a_formula_by_its_name() -> None:
    rule = slope(lambda y, x: 2.0 * np.exp(y * y))
    why = explanation("erfinv", rule, case_of(S.erfinv, 0.5))
    assert "sqrt(pi)/2 * exp(b * b)" in why.sentence
    assert "scale(" not in why.sentence
