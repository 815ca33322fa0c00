"""Every kind of fault is planted into an engine and found; without one, none is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import (
    Differentiator,
    Pushed,
    load,
    mode,
    operators,
    run,
)
from gradverify.graph import Array, Case, Graph, apply_op, input_leaf
from gradverify.questions import GRADIENT, JVP, SECOND, Question, tangents_of
from gradverify.selftest import BY_QUESTION, FAULTS, Planted, score
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import judge

TAPE = load("own-tape")
SOME = ("exp", "mul", "relu", "max", "atan2")


def one_op(op: str, *values: Any) -> Case:
    arrays = [np.asarray(v, float) for v in values]
    nodes = [input_leaf(x.shape) for x in arrays]
    nodes.append(apply_op(nodes, op, range(len(nodes))))
    if nodes[-1].shape:
        nodes.append(apply_op(nodes, "sum", [len(nodes) - 1]))
    return Case(Graph(tuple(nodes)), tuple(arrays), "float64")


def keeping(alone: Case, bars: Sequence[Array]) -> list[Any] | None:
    """No fault at all."""
    return list(bars)


# fmt: off
WRONG = (
    ("sign",    one_op("mul", 2, 3),     (-3.0, -2.0)),
    ("factor",  one_op("mul", 2, 3),     (3.0 * (1 + 1e-9), 2.0 * (1 + 1e-9))),
    ("dropped", one_op("mul", 2, 3),     (3.0, 0.0)),
    ("swapped", one_op("mul", 2, 3),     (2.0, 3.0)),
    ("kink",    one_op("abs", 0),        (3.0,)),
    ("kink",    one_op("maximum", 1, 1), (2.0, 2.0)),
    ("tail",    one_op("mul", 30, 3),    (6.0, 30.0)),
)
# fmt: on


@pytest.mark.parametrize(("kind", "case", "gradient"), WRONG)
def test_a_fault_gives_the_gradient_of_its_wrong_rule(
    kind: str, case: Case, gradient: tuple[float, ...]
) -> None:
    planted = Planted(TAPE, "reverse", case.graph.ops[0], FAULTS[GRADIENT][kind])
    assert judge(case, planted, "altering").verdict is Verdict.WRONG
    assert planted.altered
    found = run(planted, "altering", case).cotangents
    assert found == pytest.approx(gradient, rel=1e-15)


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        ("swapped", one_op("exp", 1)),
        ("swapped", one_op("mul", [1, 2], 3)),
        ("kink", one_op("abs", 1)),
        ("kink", one_op("exp", 0)),
        ("tail", one_op("exp", 1)),
    ],
)
def test_what_a_fault_cannot_change_stays_right(kind: str, case: Case) -> None:
    planted = Planted(TAPE, "reverse", case.graph.ops[0], FAULTS[GRADIENT][kind])
    assert judge(case, planted, "altering").verdict is Verdict.AGREES
    assert not planted.altered


@pytest.mark.parametrize("op", SOME)
def test_the_right_twin_is_not_accused(op: str) -> None:
    (block,) = blocks(Asked(suites=["ops"], ops=[op], dtypes=["float64"]))
    cases = [case for _, case in itertools.islice(block.cases(), 20)]
    assert cases
    for case in cases:
        planted = Planted(TAPE, "reverse", op, keeping)
        found = judge(case, planted, "altering")
        assert not found.verdict.fails(), (case, found)
        assert not planted.altered


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "mode", "question"),
    [
        ("own-tape", "reverse", GRADIENT),
        ("own-dual", "jvp", JVP),
        ("own-tape", "forward-over-reverse", SECOND),
    ],
)
def test_every_kind_is_found_in_every_op_that_it_can_change(
    engine: str, mode: str, question: Question
) -> None:
    ops = SOME if question is GRADIENT else ("exp", "mul")
    found = score(load(engine), mode, ops=ops)
    assert found.planted() == found.found()
    assert {key.partition(":")[2] for key in found.found()} == {*FAULTS[question]}
    assert not any(op.deviating or op.vacuous for op in found.ops)


TWICE = trace(lambda a, b: s.mul(s.mul(a, b), b), (), ())  # a b², whose Hv mixes both


@pytest.mark.parametrize(
    ("engine", "mode", "question"),
    [("own-dual", "jvp", JVP), ("own-tape", "reverse-over-reverse", SECOND)],
)
def test_a_fault_is_carried_on_to_what_was_asked(
    engine: str, mode: str, question: Question
) -> None:
    """Along (u, v) the first product of a b² has the tangent b u + a v."""
    point = (np.asarray(2.0), np.asarray(3.0))
    case = Case(TWICE, point, "float64")
    u, v = (float(np.asarray(t)) for t in tangents_of(TWICE, "float64"))
    right = {
        JVP: (9 * u + 12 * v,),
        SECOND: (6 * v, 6 * u + 4 * v),
    }[question]
    forgotten = {  # of the first product: its second operand, and its own curvature
        JVP: ("dropped", (9 * u + 6 * v,)),
        SECOND: ("held", (3 * v, 3 * u + 4 * v)),
    }[question]
    for kind, fault, numbers in (
        ("none", keeping, right),
        (forgotten[0], FAULTS[question][forgotten[0]], forgotten[1]),
    ):
        planted = Planted(load(engine), mode, "mul", fault)
        asked = BY_QUESTION[question]
        found = run(planted, asked, case, question=question).cotangents
        assert [float(x) for x in found] == pytest.approx(numbers, rel=1e-15), kind
        judgement = judge(case, planted, asked)
        assert judgement.verdict.fails() == planted.altered == (kind != "none")


def test_rows_of_a_matrix_have_no_faults_of_their_own() -> None:
    with pytest.raises(ValueError, match=r"no faults .* the kind 'jacobian'"):
        score(TAPE, "jacobian", ops=["exp"])


def test_a_tail_within_the_loose_bound_is_missed_and_said_to_be() -> None:
    (tanh,) = score(TAPE, "reverse", ops=["tanh"]).ops
    assert tanh.missed == {"tail": Verdict.IMPRECISE}
    assert "tail" not in tanh.found


class Wrong(Differentiator):
    """An engine that forgets a path by itself."""

    name = "wrong"
    table = operators("add mul")

    @mode("jvp")
    def forward(self, function: Any, point: Any, tangents: Any) -> Pushed:
        pairs = zip(point, tangents, strict=True)
        y = function(*(_Pair(x, dx) for x, dx in pairs))
        return Pushed(y.x, y.dx)


class _Pair:
    def __init__(self, x: Any, dx: Any) -> None:
        self.x, self.dx = x, dx

    def __mul__(self, y: Any) -> _Pair:
        return _Pair(self.x * y.x, self.x * y.dx)


def test_cases_in_which_the_engine_deviates_by_itself_count_for_nothing() -> None:
    case = one_op("mul", 2, 3)
    assert judge(case, Wrong(), "forward").verdict is Verdict.WRONG
    found = score(Wrong(), "forward", ops=["mul", "exp"], cases=20)
    (mul,) = found.ops
    assert mul.deviating > 0
    # A case that is left may be one that no fault changes, such as a product of zeros.
    assert sum(mul.met.values()) <= mul.cases - mul.deviating
    assert found.absent == {"exp": "the table has no row for it"}
