"""Numbers near the ends of a format, under the questions beside the gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.compare import compare
from gradverify.differentiators import Derivatives, load, modes, questions, run
from gradverify.graph import Case
from gradverify.questions import JACOBIAN, JVP, Question
from gradverify.reference import Slope, reference
from gradverify.verdict import Verdict
from gradverify.verify import judge


def case(f: Callable[..., Any], *point: Sequence[float]) -> Case:
    arrays = [np.array(x, np.float64) for x in point]
    return Case(trace(f, *(x.shape for x in arrays)), arrays, "float64")


def total(x: Any) -> Any:
    return s.sum(x, axis=None)


# ---- our own engines


def verdicts(who: str, of: Case) -> set[Verdict]:
    """On an engine in all its modes."""
    engine = load(who)
    return {judge(of, engine, mode).verdict for mode in engine.modes()}


@pytest.mark.parametrize("who", ["own-dual", "own-tape"])
@pytest.mark.parametrize(
    "x", [(1e30, 3.14, 1e200), (1e-160, 2e-160, 1e-170), (1e-300, 2e-310, 1e-305)]
)
def test_a_norm_keeps_its_digits_in_every_mode(who: str, x: Sequence[float]) -> None:
    assert verdicts(who, case(lambda x: s.norm(x, axis=None), x)) == {Verdict.AGREES}


@pytest.mark.parametrize("who", ["own-dual", "own-tape"])
@pytest.mark.parametrize("pair", [(1e30, 1e200), (1e-160, 2e-170), (1e-300, 3.0)])
def test_so_does_a_hypotenuse(who: str, pair: tuple[float, float]) -> None:
    assert verdicts(who, case(s.hypot, *pair)) == {Verdict.AGREES}


# ---- a slope that overflows


def answers(rows: Any, question: Question, of: Case) -> Verdict:
    """The verdict on rows of a Jacobian that somebody gave."""
    value = float(np.sum(1.0 / of.point[0]))
    given = Derivatives(value=value, cotangents=(np.asarray(rows),))
    return compare(of, reference(of, question=question), given).verdict


def test_nan_is_no_finding_where_a_number_of_the_jacobian_overflows() -> None:
    over = case(lambda x: total(s.reciprocal(x)), [1.0, 1e-200])
    within = case(lambda x: total(s.reciprocal(x)), [1.0, 1e-100])
    nan = [[-1.0, 0.0], [np.nan, -np.inf]]
    assert answers(nan, JACOBIAN, over) is Verdict.NO_DERIVATIVE
    assert answers([[-1.0, 0.0], [np.nan, -1e200]], JACOBIAN, within) is (
        Verdict.NONFINITE
    )


def test_a_wrong_number_is_one_where_another_overflows() -> None:
    over = case(lambda x: total(s.reciprocal(x)), [1.0, 1e-200])
    assert answers([[-2.0, 0.0], [0.0, -np.inf]], JACOBIAN, over) is Verdict.WRONG


def test_in_a_gradient_no_number_is_excused_by_another() -> None:
    over = case(lambda x: total(s.reciprocal(x)), [1.0, 1e-200])
    tape = load("own-tape")
    right = run(tape, modes(tape)[0], over)
    spoilt = replace(right, cotangents=(np.array([np.nan, -np.inf]),))
    assert compare(over, reference(over), spoilt).verdict is Verdict.NONFINITE


# ---- references


@pytest.mark.parametrize("x", [1e-310, 1e-155, 1e-100, 1.5, 1e200])
def test_a_tangent_is_differenced_in_steps_that_suit_the_input(x: float) -> None:
    found = reference(case(s.reciprocal, x), question=JVP)
    assert found.status is Slope.SMOOTH


@pytest.mark.parametrize(
    ("who", "mode"),
    [("autograd", "reverse-over-reverse"), ("torch-cpu", "hessian")],
)
@pytest.mark.parametrize("x", [[5.0, 3.0], [8.004663252459068]])
def test_what_cancels_in_the_usual_second_derivative_of_a_product_is_rounding(
    x: list[float], who: str, mode: str
) -> None:
    """Both differentiate y/x: y/x**2 less itself, where 0 is right."""
    engine = load(who)
    if engine.available() is not None:
        pytest.skip("not installed")
    found = judge(case(lambda x: s.prod(x, axis=None), x), engine, mode)
    assert found.verdict in (Verdict.AGREES, Verdict.IMPRECISE)


def test_a_second_derivative_of_a_product_that_is_off_by_more_is_wrong() -> None:
    product = case(lambda x: s.prod(x, axis=None), [5.0, 3.0])
    tape = load("own-tape")
    mode = "reverse-over-reverse"
    (question,) = questions(tape, mode)
    right = run(tape, mode, product)
    assert right.cotangents[0] is not None
    off = replace(right, cotangents=(right.cotangents[0] * (1 + 1e-13),))
    found = reference(product, question=question)
    assert compare(product, found, right).verdict is Verdict.AGREES
    assert compare(product, found, off).verdict is Verdict.WRONG
