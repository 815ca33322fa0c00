"""Where a slope saturates, the usual formulas lose its tail: in no mode an accusation.

1 - y² for tanh, y (1 - y) for a sigmoid, y + 1 for expm1: their derivatives too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import load
from gradverify.graph import Case
from gradverify.questions import SECOND
from gradverify.reference import reference
from gradverify.verdict import Verdict
from gradverify.verify import judge

from ..planted.question_faults import Planted, Rule, elementwise

# No softplus at 25: PyTorch drops its tail above 20 in the value, too.
SATURATED: dict[str, tuple[tuple[float, ...], ...]] = {
    "tanh": ((25.0,), (-25.0,), (300.0,), (1e-155,)),
    "sigmoid": ((100.0,), (40.0,), (-100.0,)),
    "expm1": ((-20.0,), (-40.0,), (-800.0,)),
    "asinh": ((1e5,), (-1e8,)),
    "softplus": ((40.0,), (-30.0,), (800.0,)),
    "log_sigmoid": ((30.0,), (-40.0,)),
    "logaddexp": ((30.0, 0.0), (0.0, 40.0)),
    "gelu": ((-6.0,), (6.0,)),
    "silu": ((30.0,), (-30.0,)),
    "mish": ((25.0,),),
}
PARAMS: dict[str, dict[str, Any]] = {"gelu": {"approximate": "tanh"}}
MODES = (
    "forward",
    "jvp",
    "reverse",
    "reverse-over-reverse",
    "forward-over-reverse",
    "reverse-over-forward",
    "forward-over-forward",
    "jacobian",
    "jacfwd",
    "hessian",
)
NOT_ACCUSED = {Verdict.AGREES, Verdict.IMPRECISE, Verdict.UNSUPPORTED, Verdict.VACUOUS}


def at(op: str, point: tuple[float, ...]) -> Case:
    def weighted(*x: Any) -> Any:
        y = getattr(s, op)(*x, **PARAMS.get(op, {}))
        return s.sum(y * np.array([0.75]))

    graph = trace(weighted, *[(1,)] * len(point))
    return Case(graph, tuple(np.array([x]) for x in point))


def cases() -> Iterator[Any]:
    for op, points in SATURATED.items():
        for point in points:
            yield pytest.param(op, point, id=f"{op} at {point}")


@pytest.mark.parametrize("engine", ["own-dual", "own-tape", "torch-cpu", "autograd"])
@pytest.mark.parametrize(("op", "point"), [*cases()])
def test_no_mode_is_accused_of_a_lost_tail(
    op: str, point: tuple[float, ...], engine: str
) -> None:
    if engine == "autograd":
        pytest.importorskip("autograd")
    who, case = load(engine), at(op, point)
    found = {m: judge(case, who, m).verdict for m in MODES if m in who.modes()}
    assert set(found.values()) <= NOT_ACCUSED, found
    if engine.startswith("own"):  # these use the stable formulas
        assert set(found.values()) <= {Verdict.AGREES, Verdict.VACUOUS}, found


@pytest.mark.parametrize("point", [(25.0,), (1e-155,)])
def test_nor_are_those_of_jax(point: tuple[float, ...]) -> None:
    pytest.importorskip("jax")
    who, case = load("jax"), at("tanh", point)
    found = {m: judge(case, who, m).verdict for m in MODES if m in who.modes()}
    assert set(found.values()) <= NOT_ACCUSED, found


def twice(moving: Any, partial: Any, k: int) -> Any:
    return 2 * moving * partial


def judged(op: str, x: float, rule: Rule, mode: str) -> Verdict:
    who = Planted("planted", {op: elementwise(op, rule)})
    return judge(at(op, (x,)), who, mode).verdict


TAILS = [("tanh", 25.0), ("sigmoid", 40.0), ("expm1", -40.0)]
ASKED = ["reverse", "forward", "reverse-over-reverse", "hessian"]


@pytest.mark.parametrize("mode", ASKED)
@pytest.mark.parametrize(("op", "x"), TAILS)
def test_a_tail_that_is_doubled_is_found(op: str, x: float, mode: str) -> None:
    doubled = Rule(pull=twice, push=twice)
    assert judged(op, x, Rule(), mode) is Verdict.AGREES
    assert judged(op, x, doubled, mode) in {Verdict.IMPRECISE, Verdict.WRONG}
    assert judged(op, 0.7, Rule(), mode) is Verdict.AGREES
    assert judged(op, 0.7, doubled, mode) is Verdict.WRONG


@pytest.mark.parametrize(
    ("op", "x"), [("tanh", 4.0), ("sigmoid", 8.0), ("expm1", -5.0)]
)
def test_no_more_is_allowed_than_the_formulas_lose(op: str, x: float) -> None:
    """At second order, within 2000 roundings of a number of size 1."""
    found = reference(at(op, (x,)), question=SECOND)
    (bound,) = found.bounds
    assert bound.tight[0] < 1e-2 * bound.loose[0]
    assert 2.0**-53 < bound.loose[0] < 2000 * 2.0**-53
