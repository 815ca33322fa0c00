"""The table of formulas that are NaN or infinite at some points.

Each is planted into our tape, and named; the right rule in its place is not accused.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as S
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.localize import guilty_op
from gradverify.diagnosis.nonfinite import FORMULAS, NonfiniteFormula, of_exception
from gradverify.diagnosis.right_sweep import right
from gradverify.differentiators import Differentiator, Pushed, load, mode, modes
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.graph import Case
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge
from tests.planted.catalogue import INFINITE, Rule, widened
from tests.planted.faults import Application, Cotangents, Fault, planted, twin

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


# ---- each formula, planted


def by_partial(formula: NonfiniteFormula) -> Rule:
    """The cotangent of one operand by the formula, all others right."""

    def rule(a: Application) -> Cotangents:
        given, k = a.right(), formula.position
        partial = formula.partial(np.asarray(a.y), *a.operands, **a.params)
        ct = widened(a, a.ct) if a.op in REDUCED else a.ct
        given[k] = np.reshape(ct * partial, np.shape(a.operands[k]))
        return given

    return rule


def both_branches(formula: NonfiniteFormula) -> Rule:
    """The slopes of both branches, each times whether it is taken."""

    def rule(a: Application) -> Cotangents:
        (x,) = a.operands
        return [a.ct * ((x > 0) + formula.partial(a.y, x, **a.params))]

    return rule


def unshifted(formula: NonfiniteFormula) -> Rule:
    """The rules of the softmax family by weights whose exponentials overflow."""

    def rule(a: Application) -> Cotangents:
        x = a.operands[0]
        axis = a.params.get("axis", 1)
        p = np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)
        if a.op == "logsumexp":
            return [widened(a, a.ct) * p]
        if a.op == "softmax":
            return [p * (a.ct - np.sum(p * a.ct, axis=axis, keepdims=True))]
        if a.op == "log_softmax":
            return [a.ct - p * np.sum(a.ct, axis=axis, keepdims=True)]
        return [a.right()[0] + 0.0 * p]  # cross_entropy: p less one at the targets

    return rule


REDUCED = {"prod", "norm", "std"}
SHIFTED = {"softmax", "logsumexp", "log_softmax", "cross_entropy"}


def alone(op: str, **params: Any) -> Any:
    return lambda *xs: getattr(S, op)(*xs, **params)


def summed(op: str, **params: Any) -> Any:
    """The op, contracted with weights that are not all equal."""
    return lambda x: S.sum(
        getattr(S, op)(x, **params) * np.array([3.0, -1.0]), axis=None
    )


def untaken(op: str, *more: float) -> Any:
    """The op in the branch that is not taken, where its slope is infinite."""
    mask = np.array([True, False])

    def f(*xs: Any) -> Any:
        return S.sum(S.where(mask, xs[-1], getattr(S, op)(*xs, *more)), axis=None)

    return f


L, B = [800.0, 1.0], [[800.0, 1.0]]
# An op, which of its formulas, a call, a point at which that is not finite, and what is
# named; the last may be another formula that is the same there.
# fmt: off
PLANTED: tuple[tuple[str, int, Any, tuple[Any, ...], str], ...] = (
    ("abs",           0, alone("abs"),                    (0.0,),              "0/0"),
    ("sqrt",          0, untaken("sqrt"),                 ([0.0, 4.0],),       "1/0"),
    ("prod",          0, alone("prod", axis=None),        ([0.0, 2.0, 3.0],),  "0/0"),
    ("norm",          0, alone("norm", axis=None),        ([0.0, 0.0],),       "0/0"),
    ("std",           0, alone("std", axis=None),         ([2.0, 2.0, 2.0],),  "0/0"),
    ("power",         0, alone("power", n=2),             (0.0,),              "0/0"),
    ("power",         1, alone("power", n=0),             (0.0,),              "0*inf"),
    ("power",         2, alone("power", n=2),             (-1.5,),             "log of a negative number"),
    ("power",         3, alone("power", n=2),             (0.0,),              "0*inf"),
    ("pow",           0, alone("pow"),                    (0.0, 2.0),          "0/0"),
    ("pow",           1, untaken("pow", 0.5),             ([0.0, 4.0],),       "1/0"),
    ("pow",           2, lambda a: S.pow(a, 2.0),         (-2.0,),             "log of a negative number"),
    ("pow",           3, alone("pow"),                    (0.0, 2.0),          "0*inf"),
    ("div",           0, alone("div"),                    (0.0, 1e-200),       "0/0"),
    ("hypot",         0, alone("hypot"),                  (0.0, 0.0),          "0/0"),
    ("hypot",         1, alone("hypot"),                  (0.0, 0.0),          "0/0"),
    ("atan2",         0, alone("atan2"),                  (1e-200, 1e-200),    "1/0"),
    ("atan2",         1, alone("atan2"),                  (1e-200, 1e-200),    "1/0"),
    ("sigmoid",       0, alone("sigmoid"),                (800.0,),            "inf/inf"),
    ("sigmoid",       1, alone("sigmoid"),                (-800.0,),           "inf/inf"),
    ("softplus",      0, alone("softplus"),               (800.0,),            "inf/inf"),
    ("log_sigmoid",   0, alone("log_sigmoid"),            (-800.0,),           "inf/inf"),
    ("tanh",          0, alone("tanh"),                   (800.0,),            "inf/inf"),
    ("silu",          0, alone("silu"),                   (800.0,),            "inf/inf"),
    ("silu",          1, alone("silu"),                   (-800.0,),           "inf/inf"),
    ("mish",          0, alone("mish"),                   (800.0,),            "inf/inf"),
    ("elu",           0, alone("elu"),                    (800.0,),            "0*inf"),
    ("celu",          0, alone("celu", alpha=1.0),                   (800.0,),            "0*inf"),
    ("selu",          0, alone("selu"),                   (800.0,),            "0*inf"),
    ("logaddexp",     0, alone("logaddexp"),              (800.0, 1.0),        "inf/inf"),
    ("logaddexp",     1, alone("logaddexp"),              (-800.0, -801.0),    "0/0"),
    ("softmax",       0, summed("softmax", axis=(0,)),    (L,),                "inf/inf"),
    ("logsumexp",     0, alone("logsumexp", axis=(0,)),   (L,),                "inf/inf"),
    ("log_softmax",   0, summed("log_softmax", axis=(0,)), (L,),               "inf/inf"),
    ("cross_entropy", 0, alone("cross_entropy", target=(0,), weight=None, reduction="sum", smoothing=0.0), (B,), "inf/inf"),
)
# fmt: on


def test_every_formula_is_planted() -> None:
    rows = {(op, k) for op, found in FORMULAS.items() for k in range(len(found))}
    assert {(op, k) for op, k, *_ in PLANTED} == rows


def case_of(function: Any, point: tuple[Any, ...]) -> Case:
    arrays = tuple(np.array(x) for x in point)
    return Case(trace(function, *(x.shape for x in arrays)), arrays)


def why(case: Case, who: Differentiator, found: Judgement) -> Explanation:
    mode = modes(who)[0]
    guilty = guilty_op(case, lambda c: judge(c, who, mode), found)
    return diagnose(Failure(case, found, guilty.op, who, mode))


@pytest.mark.parametrize(("op", "k", "function", "point", "kind"), PLANTED)
def test_a_planted_formula_is_named_and_its_twin_is_right(
    op: str, k: int, function: Any, point: tuple[Any, ...], kind: str
) -> None:
    case, formula = case_of(function, point), FORMULAS[op][k]
    make = by_partial
    if op in SHIFTED:
        make = unshifted
    elif formula.says.startswith("where"):
        make = both_branches
    rule = make(formula)
    fault = Fault(f"{op} by {formula.says}", op, lambda: rule, INFINITE)
    found = judge(case, planted(fault, OwnTape.name), "reverse")
    assert found.verdict is Verdict.NONFINITE
    said = why(case, planted(fault, OwnTape.name), found)
    assert kind in (said.cause, *said.equally), said.sentence
    is_untaken = "where" in case.graph.ops  # the twin of a rule times 0 is NaN as well
    right_one = OwnTape() if is_untaken else twin(fault, OwnTape.name)
    assert not judge(case, right_one, "reverse").verdict.fails()


# ---- a branch of where that is not taken


@pytest.mark.parametrize("name", ["autograd", "torch-cpu", "jax"])
def test_a_branch_that_is_not_taken_and_overflows_is_a_finding(name: str) -> None:
    """The slope is 1. The libraries multiply the cotangent 0 by exp(800)."""
    who = load(name)
    if who.available() is not None:
        pytest.skip("not installed")
    case = case_of(lambda x: S.where(np.array(True), x, S.exp(x)), (800.0,))
    found = judge(case, who, modes(who)[0])
    assert (found.verdict, found.exact) == (Verdict.NONFINITE, "1")
    said = why(case, who, found)
    assert said.cause == "0*inf"
    assert "the cotangent is 0" in said.sentence


@pytest.mark.parametrize("name", ["own-dual", "own-tape"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_is_right_beside_such_a_branch_is_not_accused(
    name: str, dtype: str
) -> None:
    case = case_of(lambda x: S.where(np.array(True), x, S.exp(x)), (800.0,))
    narrow = Case(case.graph, tuple(x.astype(dtype) for x in case.point), dtype)
    who = load(name)
    assert judge(narrow, who, modes(who)[0]).verdict is Verdict.AGREES


# ---- an infinite slope of another entry, in forward mode


class Pair:
    """An array with its tangent."""

    def __init__(self, x: Any, dx: Any) -> None:
        self.x, self.dx = x, dx


def forward_engine(times: Any) -> Differentiator:
    """An engine of two ops; `times` multiplies a slope by a tangent."""

    def reciprocal(a: Pair) -> Pair:
        with np.errstate(all="ignore"):
            return Pair(1.0 / a.x, times(-1.0 / (a.x * a.x), a.dx))

    class Forward(Differentiator):
        name = "forward"
        table = {  # noqa: RUF012
            "reciprocal": reciprocal,
            "sum": lambda a, **p: Pair(np.sum(a.x), np.sum(a.dx)),
            "mul": lambda a, b: Pair(a.x * b.x, a.dx * b.x + a.x * b.dx),
            "data": lambda x: Pair(x, np.zeros_like(x)),
        }

        @mode("jvp", default=True)
        def forward(self, function: Any, point: Any, tangents: Any) -> Pushed:
            y = function(*map(Pair, point, tangents))
            return Pushed(y.x, y.dx)

    return Forward()


def test_an_infinite_slope_makes_nan_of_the_other_entries() -> None:
    case = case_of(
        lambda x: S.sum(S.reciprocal(x), axis=None), (np.array([2.0, 1e-160]),)
    )
    who = forward_engine(lambda slope, dx: slope * dx)
    found = judge(case, who, "forward")
    assert (found.verdict, found.exact) == (Verdict.NONFINITE, "-0.25")
    said = diagnose(Failure(case, found, "reciprocal", who, "forward"))
    assert said.cause == "0*inf"
    assert "the tangent of another entry is 0" in said.sentence
    right_one = forward_engine(lambda s, dx: np.where(dx == 0, 0.0, s) * dx)
    assert not judge(case, right_one, "forward").verdict.fails()
