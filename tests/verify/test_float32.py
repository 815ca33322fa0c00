"""float32: its own overflow, an intermediate's, and results of another dtype."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import pytest

from gradverify.differentiators import Lowered, Pulled, mode
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.formats import DTYPES
from gradverify.graph import Array, Case, Graph, apply_op, input_leaf
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import judge

FORMAT = "the exact number is not finite in float32"
WITHIN = "an intermediate of %s overflows float32"


def case(steps: Sequence[tuple[str, ...]], *point: float) -> Case:
    """Steps over float32 numbers; an operand is a place: "0" is the first input."""
    nodes = [input_leaf() for _ in point]
    for op, *operands in steps:
        nodes.append(apply_op(nodes, op, [int(i) for i in operands]))
    return Case(Graph(tuple(nodes)), tuple(map(np.array, point)), "float32")


# name: steps, point, verdict, note
# fmt: off
CASES = {
    "the number itself overflows":
        ([("exp", "0")], (100.0,), "NO_DERIVATIVE", FORMAT),
    "its derivative alone overflows":
        ([("reciprocal", "0")], (1e-25,), "NO_DERIVATIVE", FORMAT),
    "a square on the way overflows":
        ([("mul", "0", "0"), ("sqrt", "1")], (1e30,), "VACUOUS", WITHIN % "mul"),
    "an exponential on the way does":
        ([("exp", "0"), ("log", "1")], (100.0,), "VACUOUS", WITHIN % "exp"),
    "an op that is scaled within":
        ([("hypot", "0", "1")], (1e30, 1e30), "AGREES", ""),
    "a saturated op that is stable":
        ([("softplus", "0")], (200.0,), "AGREES", ""),
    "a large derivative that fits":
        ([("square", "0")], (1e30,), "AGREES", ""),
    "the number itself underflows":
        ([("exp", "0")], (-200.0,), "VACUOUS", ""),
}
# fmt: on


@pytest.mark.parametrize("name", CASES)
def test_an_overflow_of_the_format_is_told_from_one_on_the_way(name: str) -> None:
    steps, point, verdict, note = CASES[name]
    judgement = judge(case(steps, *point), OwnTape(), "reverse")
    assert judgement.verdict is Verdict[verdict]
    assert judgement.note == note


@final
class Recast(OwnTape):
    """Our tape, whose numbers take another dtype on their way out."""

    name = "recast"

    def __init__(self, value: str, cotangent: str) -> None:
        self.value, self.cotangent = value, cotangent

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The tape's own numbers, as arrays of those dtypes."""
        found = OwnTape().reverse(function, point, np.ones(()))
        as_dtype: Callable[[Any, str], Any] = np.asarray
        cotangents = [as_dtype(ct, self.cotangent) for ct in found.cotangents]
        return Pulled(as_dtype(found.value, self.value), cotangents)


@pytest.mark.parametrize(
    ("value", "cotangent", "verdict", "where"),
    [
        ("float64", "float32", Verdict.WRONG_DTYPE, "value"),
        ("float32", "float64", Verdict.WRONG_DTYPE, "d/da"),
        ("float16", "float32", Verdict.WRONG_DTYPE, "value"),
        ("float32", "float32", Verdict.AGREES, "d/da"),
    ],
)
def test_a_result_has_the_dtype_that_went_in(
    value: str, cotangent: str, verdict: Verdict, where: str
) -> None:
    one = case([("sin", "0")], 0.5)
    judgement = judge(one, Recast(value, cotangent), "reverse")
    assert (judgement.verdict, judgement.where) == (verdict, where)


def test_every_op_and_family_has_a_block_in_each_dtype() -> None:
    found = [
        (b.suite, b.family, b.dtype) for b in blocks(Asked(suites=("ops", "graphs")))
    ]
    assert len(set(found)) == len(found)
    for suite, family, _ in found:
        assert all((suite, family, dtype) in found for dtype in DTYPES)
