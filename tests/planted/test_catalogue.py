"""Each fault of the catalogue is found in our tape; its right twin is not accused."""

from __future__ import annotations

from functools import cache

import pytest

from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.strategies import op_cases
from gradverify.verify import Block, Budget, verify_item

from .catalogue import CATALOGUE
from .faults import FAULTS, Fault, planted, twin

SEED = 3
CASES = 30
# Until a square matrix is met, contracted with weights; for clip, one of its ends; for
# softplus, a number from 20 to 37.
RARE = {"clip": 120, "softplus": 60, "sum": 80, "reshape": 80, "transpose": 80}

every_fault = pytest.mark.parametrize("fault", CATALOGUE, ids=str)


@cache
def block(op: str, dtype: str) -> Block:
    return Block("ops", op, dtype, SEED, op_cases(op, dtype=dtype))


def budget(fault: Fault) -> Budget:
    # nothing is shrunk: that findings are small is looked at in test_planted.py
    return Budget(cases=RARE.get(fault.op, CASES), shrinking=0.0)


@pytest.mark.slow
@every_fault
def test_a_fault_is_found_in_the_cases_of_its_op(fault: Fault) -> None:
    who = planted(fault, OwnTape.name)
    cases = block(fault.op, fault.dtype)
    item = verify_item(cases, who, "reverse", budget=budget(fault))
    failing = {verdict for verdict in item.counts if verdict.fails()}
    assert failing & fault.verdicts, item.counts
    named = {f.op for f in item.findings if f.judgement.verdict in fault.verdicts}
    assert fault.op in named, item.findings


@pytest.mark.slow
@every_fault
def test_its_twin_is_not_accused(fault: Fault) -> None:
    who = twin(fault, OwnTape.name)
    cases = block(fault.op, fault.dtype)
    item = verify_item(cases, who, "reverse", budget=budget(fault))
    assert not {verdict for verdict in item.counts if verdict.fails()}, item.findings
    assert not item.checked_nothing()


def test_no_name_of_a_fault_is_used_twice() -> None:
    names = [fault.name for fault in (*FAULTS, *CATALOGUE)]
    assert len(set(names)) == len(names)
