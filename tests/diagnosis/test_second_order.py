"""What is said of a second derivative that is wrong: where, why, and in which modes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.localize import WHOLE, guilty_op
from gradverify.graph import Case
from gradverify.ops import Shape
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge

from ..planted.question_faults import FAULTS, FORWARD, SECOND, QuestionFault

TWO = ("add", "mul", "div", "atan2", "hypot", "logaddexp")
APART, EQUAL = ([0.7, 1.9], [1.3, -0.6]), ([0.7, 1.9], [0.7, 1.9])

HELD = "is held constant where the derivative is differentiated"
HERE = "at these numbers alone: moved to others it is right"

# A fault and its op; the cause, and what the sentence says.
SAID: Sequence[tuple[str, str, str, str]] = (
    ("factor detached", "exp", "saved values detached",
     f"at b = exp(a): ∂b/∂a {HELD}"),
    ("factor detached", "div", "saved values detached",
     f"at c = a / b: each of its partial derivatives {HELD}"),
    ("factor of operand 1 detached", "mul", "saved values detached",
     f"at c = a * b: ∂c/∂b {HELD}"),
    ("second derivative of the wrong sign", "atan2", "sign of a second derivative",
     "at c = atan2(a, b): the derivative of each of its partial derivatives has"),
    ("second derivative twice as large", "log1p", "factor of a second derivative",
     "at b = log1p(a): the derivative of ∂b/∂a is taken twice"),
    ("cotangent detached", "exp", "cotangent detached",
     "at b = exp(a): the cotangent that ∂b/∂a is multiplied by is held constant"),
    ("cotangent detached", "mul", "cotangent detached",
     "at c = a * b: the cotangent that each of its partial derivatives"),
    ("second partials exchanged", "div", "second partials exchanged",
     "at c = a / b: its second derivatives by its two operands are exchanged"),
    ("zero second derivative at ties", "logaddexp", "saved values detached", HERE),
)  # fmt: skip


def fault(name: str, op: str) -> QuestionFault:
    (found,) = (f for f in FAULTS if (f.name, f.family) == (name, op))
    return found


def program(op: str) -> Callable[..., Any]:
    """The op and another one after it, so that its cotangent depends on the inputs."""
    row = getattr(SYMBOLS, op)
    return lambda *x: SYMBOLS.sum(SYMBOLS.cos(row(*x)), axis=None)


def explanation(planted: QuestionFault, mode: str) -> tuple[Judgement, Explanation]:
    op = planted.family
    both = EQUAL if "ties" in planted.name else APART
    point = [np.array(x) for x in (both if op in TWO else both[:1])]
    case = Case(trace(program(op), *(x.shape for x in point)), point, "float64")
    who = planted.planted()
    found = judge(case, who, mode)
    guilty = guilty_op(case, lambda c: judge(c, who, mode), found)
    return found, diagnose(Failure(case, found, guilty.op, who, mode))


@pytest.mark.parametrize(("name", "op", "cause", "says"), SAID)
def test_a_cause_is_named_at_its_op(name: str, op: str, cause: str, says: str) -> None:
    found, said = explanation(fault(name, op), SECOND)
    assert found.verdict.fails()
    assert said.cause == cause, said.sentence
    assert says in said.sentence
    assert said.op == op
    assert (HERE in said.sentence) is (says == HERE)


def test_which_modes_are_right_is_said_first() -> None:
    """The rule of forward mode holds its factor constant, that of reverse does not."""
    planted = fault("factor of the forward rule detached", "sin")
    _, said = explanation(planted, FORWARD)
    first, _, why = said.sentence.partition("; ")
    assert first.startswith("right in reverse, ")
    assert first.endswith("wrong in forward-over-forward, reverse-over-forward")
    assert why.startswith(f"at b = sin(a): ∂b/∂a {HELD}")


def test_rows_of_a_hessian_are_explained_as_a_product_is() -> None:
    found, said = explanation(fault("second partials exchanged", "mul"), "hessian")
    assert found.where.startswith("H[")
    assert said.cause == "second partials exchanged"
    first, _, _ = said.sentence.partition("; ")
    assert "wrong in hessian, reverse-over-reverse" in first


@pytest.mark.parametrize("shape", [(), (2,), (1, 2)])
def test_where_every_op_is_right_alone_the_graph_is_named(shape: Shape) -> None:
    """Sums, means and literals among them."""
    graph = trace(lambda x: SYMBOLS.sum(SYMBOLS.sin(x) * 2.0 + x), shape)
    case = Case(graph, [np.full(shape, 0.7)], "float64")
    looked: list[str] = []

    def right(alone: Case) -> Judgement:
        looked.append(str(alone.graph))
        return Judgement(Verdict.AGREES)

    wrong = Judgement(Verdict.WRONG, question="second")
    assert guilty_op(case, right, wrong).op == WHOLE
    assert any(text.startswith(("sin(a) * b", "sum(sin(a) * b")) for text in looked)
