"""x·W computed as W·x, with a square W, is a wrong value, and that is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import load
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.graph import Case
from gradverify.strategies import networks, op_cases
from gradverify.verdict import Verdict
from gradverify.verify import Block, Budget, Finding, ItemResult, verify_item


class Transposing(OwnTape):
    """Our tape, with layers and products of square weights the wrong way round."""

    name = "transposing"

    @property
    def table(self) -> Any:
        right = OwnTape.table

        def linear(x: Any, w: Any, b: Any) -> Any:
            return right["linear"](x, _turned(right, w), b)

        def matmul(a: Any, b: Any) -> Any:
            return right["matmul"](a, _turned(right, b))

        return {**right, "linear": linear, "matmul": matmul}


def _turned(table: Any, w: Any) -> Any:
    is_square = len(w.shape) == 2 and w.shape[0] == w.shape[1]
    return table["transpose"](w, axes=(1, 0)) if is_square else w


def product() -> Case:
    """A vector times a square matrix."""
    graph = trace(lambda x, w: s.sum(x @ w * np.array([1.0, 3.0])), (2,), (2, 2))
    return Case(graph, (np.array([1.0, 2.0]), np.array([[1.0, 2.0], [4.0, 3.0]])))


def judged(what: Any, who: Any) -> ItemResult:
    written = (what,) if isinstance(what, Case) else ()
    strategy = None if written else what
    block = Block("networks", "mlp", "float64", 5, strategy, written=written)
    return verify_item(block, who, "reverse", budget=Budget(cases=25))


def cause_of(finding: Finding) -> str:
    assert finding.explanation is not None
    return finding.explanation.cause


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    [op_cases("linear"), networks(family="mlp"), product()],
    ids=["linear", "mlp", "matmul"],
)
def test_the_cause_is_named(what: Any) -> None:
    item = judged(what, Transposing())
    found = [f for f in item.findings if f.judgement.verdict is Verdict.WRONG_VALUE]
    named = [f for f in found if cause_of(f) == "transposed operand"]
    assert named, [f.explanation for f in found]
    assert "x·W is computed as W·x" in str(named[0].explanation)
    assert named[0].case.graph.size <= 3


def test_another_wrong_value_is_not_called_so() -> None:
    class Doubling(OwnTape):
        name = "doubling"

        @property
        def table(self) -> Any:
            right = OwnTape.table
            return {**right, "linear": lambda x, w, b: 2.0 * right["linear"](x, w, b)}

    item = judged(op_cases("linear"), Doubling())
    found = [f for f in item.findings if f.judgement.verdict is Verdict.WRONG_VALUE]
    assert {cause_of(f) for f in found} == {""}


def test_the_right_engine_is_not_accused() -> None:
    item = judged(networks(family="mlp"), load("own-tape"))
    assert not {v for v in item.counts if v.fails()}, item.findings
