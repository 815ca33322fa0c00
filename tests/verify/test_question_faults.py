"""Faults that only one question sees are found, and their right twins are not."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from gradverify.known import shipped_rows
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import Budget, ItemResult, verify_item

from ..planted.question_faults import FAULTS, Planted, QuestionFault, unexplained

CASES = 40


def looked_at(who: Planted, fault: QuestionFault, mode: str, cases: int) -> ItemResult:
    asked = Asked(suites=("ops",), ops=(fault.family,), dtypes=("float64",), seed=3)
    (block,) = blocks(asked)
    budget = Budget(cases=cases, shrinking=0.0)
    return verify_item(block, who, mode, budget=budget, known=shipped_rows())


def test_there_are_forty() -> None:
    assert len(FAULTS) >= 40
    assert {fault.mode for fault in FAULTS} >= {"reverse", "forward"}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.name}, {f.family}")
def test_a_fault_is_found_by_its_question(fault: QuestionFault) -> None:
    result = looked_at(fault.planted(), fault, fault.mode, CASES)
    assert any(v.fails() for v in result.counts), dict(result.counts)
    assert result.fault is None


OPS = {fault.family: fault for fault in FAULTS if fault.right is not None}


@pytest.mark.parametrize("op", [*OPS])
def test_a_right_function_made_in_the_same_way_is_not_accused(op: str) -> None:
    twin = OPS[op].twin()
    for mode in ("reverse", "forward", "reverse-over-reverse"):
        result = looked_at(twin, OPS[op], mode, CASES // 2)
        assert not unexplained(result), mode
        assert result.counts[Verdict.AGREES] > 5
