"""Slips planted into engines are named, at their node; right engines get no cause."""

# The rows of the tables are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as S
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explain_case import explained
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.localize import WHOLE, guilty_op
from gradverify.differentiators import Accepts, Differentiator, Pulled, mode, run
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.graph import Case
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge
from tests.planted.drawn import drawn, failing
from tests.planted.layer_faults import LAYER_FAULTS, planted
from tests.planted.slips import (
    SLIPS,
    WHOLE_SLIPS,
    Slip,
    by_op,
    formula,
    over_one_less,
    rightly,
    scaled,
)


def explanation(case: Case, who: Differentiator, found: Judgement) -> Explanation:
    guilty = guilty_op(case, lambda c: judge(c, who, "reverse"), found)
    why = diagnose(Failure(case, found, guilty.op, who, "reverse"))
    assert "own fault" not in why.sentence
    return why


@pytest.mark.slow
@pytest.mark.parametrize(
    "slip", SLIPS, ids=[f"{s.cause} {s.detail}".strip() for s in SLIPS]
)
def test_a_slip_in_a_rule_is_named_at_its_node(slip: Slip) -> None:
    number = SLIPS.index(slip)
    op = slip.ops[number % len(slip.ops)]
    inner = number % 2 == 0
    who = by_op(slip, op, inner)
    case, found = failing(who, op, number, twin=rightly(op, inner))
    why = explanation(case, who, found)
    assert why.node is not None
    assert case.graph.nodes[why.node].op == op
    assert slip.cause in (why.cause, *why.equally), why.sentence


WEIGHTS = np.array([[1.0], [2.0], [0.3]])
ROWS_OF_3 = ([[1.0], [2.0], [5.0]], [1.0], [0.0])
QKV = ([[1.0], [2.0]], [[1.0], [2.5]], [[0.7], [2.0]])


def batch_norm(x: Any, w: Any, b: Any) -> Any:
    return S.sum(S.batch_norm(x, w, b, eps=1e-5) * WEIGHTS, axis=None)


def attention(q: Any, k: Any, v: Any) -> Any:
    y = S.scaled_dot_product_attention(q, k, v, mask="none")
    return S.sum(y * np.array([[1.0], [0.3]]), axis=None)


def rows(x: Any) -> Any:
    return S.sum(S.embedding(x, index=(0, 0)), axis=None)


# fmt: off
LAYERS = (
    ("no path through the variance", batch_norm, ROWS_OF_3, "held constant", "the variance within"),
    ("statistics held",              batch_norm, ROWS_OF_3, "held constant", "mean and deviation within"),
    ("repeated rows overwritten",    rows, ([[1.0], [2.0]],), "index overwritten", "the last alone counts"),
    ("no row sum",                   attention, QKV, "held constant", "the sum within"),
)
# fmt: on


@pytest.mark.parametrize(("fault", "f", "point", "cause", "says"), LAYERS)
def test_a_slip_in_a_layer_is_named(
    fault: str, f: Any, point: Any, cause: str, says: str
) -> None:
    pytest.importorskip("torch")
    planted_fault = next(known for known in LAYER_FAULTS if known.name == fault)
    why = at(planted(planted_fault), f, *point)
    assert why.cause == cause
    assert says in why.sentence


# fmt: off
CASES = (
    ("exp",  scaled(1.0 + 3e-14),  lambda a: S.exp(a), (1.0,), "constant factor", "1.00000000000003"),
    ("mean", over_one_less, lambda a: S.mean(a, axis=None), ([1.0, 2.0],), "scaled by n", "n/(n-1)"),
    ("mul",  formula(lambda y, a, b: a, lambda y, a, b: b), lambda a: 3.0 * a, (2.0,), "swapped", "swapped"),
    ("selu", formula(lambda y, x: 1.0507 + 0 * x), lambda a: S.selu(a), (1.0,), "short constant", "too few digits: 1.0507"),
    ("selu", formula(lambda y, x: 1.0507 * 1.67326 * np.exp(x)), lambda a: S.selu(a), (-1.0,), "short constant", "which is 1.0507 * 1.67326"),
    ("mean", lambda op, ct, y, xs, params: [np.broadcast_to(ct[:, None] / len(ct), np.shape(xs[0]))], lambda a: S.sum(S.mean(a, axis=(0,)) * np.array([1.0, 3.0]), axis=None), ([[1.0, 2.0], [3.0, 5.0]],), "another axis", "spread along another axis"),
    ("sigmoid", formula(lambda y, x: np.exp(x) / (1 + np.exp(x)) ** 2), lambda a: S.sigmoid(a), (800.0,), "inf/inf", "where exp overflows"),
    ("maximum", formula(lambda y, a, b: a >= b, lambda y, a, b: b >= a), lambda a: S.maximum(a, a), (1.0,), "ties", "the whole cotangent"),
    ("maximum", formula(lambda y, a, b: a > b, lambda y, a, b: b > a), lambda a: S.maximum(a, a), (1.0,), "ties", "none of the operands"),
    ("prod", lambda op, ct, y, xs, params: [ct * y / xs[0]], lambda a: S.prod(a, axis=None), ([0.0, 2.0],), "0/0", "the formula b/a"),
)
# fmt: on


@pytest.mark.parametrize(("op", "rule", "f", "point", "cause", "says"), CASES)
def test_a_slip_at_a_point_that_hides_it_is_named(
    op: str, rule: Any, f: Any, point: Any, cause: str, says: str
) -> None:
    who = by_op(Slip(cause, (op,), rule), op, inner=False)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        why = at(who, f, *point)
    assert why.cause == cause, why.sentence
    assert says in why.sentence


def at(who: Differentiator, f: Any, *point: Any) -> Explanation:
    arrays = tuple(np.array(x) for x in point)
    case = Case(trace(f, *(x.shape for x in arrays)), arrays)
    found = judge(case, who, "reverse")
    assert found.verdict.fails()
    return explanation(case, who, found)


def test_bars_of_another_shape_are_no_slip_and_no_fault_of_ours() -> None:
    """sum over an axis, its cotangent transposed and broadcast along the other one."""

    def turned(op: str, ct: Any, y: Any, xs: Any, params: Any) -> Any:
        return [np.broadcast_to(np.reshape(ct, (1, -1)), np.shape(xs[0]))]

    def f(a: Any) -> Any:
        return S.sum(S.sum(a, axis=(-1,)) * np.array([0.3, 0.6, 0.8]), axis=None)

    who = by_op(Slip("", ("sum",), turned), "sum", inner=False)
    why = at(who, f, np.arange(9.0).reshape(3, 3))
    assert "own fault" not in why.sentence


def test_no_slip_is_offered_that_changes_less_than_it_is_matched_with() -> None:
    """At a = 1e-9 the partial of exp is 1 to nine digits; "taken as 1" is another
    slip, and not this one.
    """
    who = by_op(Slip("", ("exp",), scaled(1.0 + 1e-13)), "exp", inner=False)
    why = at(who, S.exp, 1e-15)
    assert why.cause == "constant factor"
    assert "a factor 1 too much" not in why.sentence


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


class ShortSelu(Differentiator):
    """Our tape, with selu as a library has it whose constants are short."""

    name = "short"
    reverse = OwnTape.reverse

    def __init__(self, above: float, below: float) -> None:
        self.above, self.below = above, below

    @property
    def table(self) -> Any:
        """The tape's rows, but for one."""
        rows = OwnTape.table

        def selu(x: Any) -> Any:
            below = rows["expm1"](rows["minimum"](x, 0.0))
            return rows["relu"](x) * self.above + below * self.below

        return {**rows, "selu": selu}


SCALE, BELOW = 1.0507009873554805, 1.7580993408473766  # of selu, above and below 0
ABOVE_SHORT = "1.0507"
BELOW_SHORT = "1.758094282, which is 1.0507 * 1.67326"
# The constants above and below 0, a point, and what is named.
# fmt: off
SHORT = (
    (1.0507, BELOW,            (2.0,),                  (ABOVE_SHORT,)),
    (1.0507, BELOW,            (1.5, -0.7),             (ABOVE_SHORT,)),
    (1.0507, 1.0507 * 1.67326, (-0.7,),                 (BELOW_SHORT,)),
    (1.0507, 1.0507 * 1.67326, (1.5, -0.7),             (ABOVE_SHORT, BELOW_SHORT)),
    (1.0507, 1.0507 * 1.67326, (1.5, -0.7, 0.3, -2.0),  (ABOVE_SHORT, BELOW_SHORT)),
    (1.0507, 1.7581,           (1.5, -0.7),             (ABOVE_SHORT, "1.7581")),
)
# fmt: on


@pytest.mark.parametrize(("above", "below", "point", "said"), SHORT)
def test_constants_that_are_too_short_in_the_value_are_named(
    above: float, below: float, point: tuple[float, ...], said: tuple[str, ...]
) -> None:
    """Above and below 0 selu has a constant each; an array may meet both."""
    call = trace(lambda x: S.sum(S.selu(x), axis=None), (len(point),))
    case, who = Case(call, (np.array(point),)), ShortSelu(above, below)
    found = judge(case, who, "reverse")
    assert found.verdict is Verdict.WRONG_VALUE
    why = explanation(case, who, found)
    assert why.cause == "short constant", why.sentence
    assert why.sentence.count("has too few digits") == len(said)
    assert all(f"has too few digits: {short}" in why.sentence for short in said)
    assert not judge(case, ShortSelu(SCALE, BELOW), "reverse").verdict.fails()


def test_what_no_constant_explains_is_not_put_down_to_one() -> None:
    """Above 0 a constant is short, below it a factor is wrong."""
    call = trace(lambda x: S.sum(S.selu(x), axis=None), (2,))
    case, who = Case(call, (np.array([1.5, -0.7]),)), ShortSelu(1.0507, 2.0)
    why = explanation(case, who, judge(case, who, "reverse"))
    assert why.cause != "short constant", why.sentence


class Zeros(Differentiator):
    """Our tape in float32, which gives 0 for every derivative."""

    name = "zero"
    accepts = Accepts(dtypes=("float32",))
    table = OwnTape.table

    @mode("gradient", default=True)
    def reverse(self, function: Any, point: Any) -> Any:
        """The right value, and zeros."""
        found = OwnTape.reverse.method(self, function, point, np.ones(()))
        return Pulled(found.value, [np.zeros_like(x) for x in point])


def test_a_short_number_in_float32_is_not_called_tf32() -> None:
    """0 and 1 are numbers of every format."""
    point = (np.array(0.7, np.float32), np.array(1.3, np.float32))
    case = Case(trace(lambda a, b: S.sin(a) * a + b, (), ()), point, "float32")
    found = judge(case, Zeros(), "reverse")
    why = explanation(case, Zeros(), found)
    assert why.cause == "zero", why.sentence
    assert "TF32" not in " ".join((why.sentence, *why.also))
