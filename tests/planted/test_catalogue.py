"""Each fault of the catalogue is found in our tape; its right twin is not accused."""

from __future__ import annotations

import pytest

from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.verify import Budget, ItemResult

from .catalogue import CATALOGUE
from .faults import FAULTS, Fault, planted, twin
from .looking import cases_of, look, look_until

CASES = 30
# Until a square matrix is met, contracted with weights; for clip, one of its ends; for
# softplus, a number from 20 to 37.
RARE = {"clip": 120, "softplus": 60, "sum": 80, "reshape": 80, "transpose": 80}


@pytest.mark.slow
@pytest.mark.parametrize("fault", CATALOGUE, ids=str)
def test_a_fault_is_found_in_the_cases_of_its_op_and_its_twin_is_not_accused(
    fault: Fault,
) -> None:
    """Nothing is shrunk: that findings are small is looked at in `test_planted.py`."""

    def named(item: ItemResult) -> set[str]:
        return {f.op for f in item.findings if f.judgement.verdict in fault.verdicts}

    cases = cases_of(fault.op, fault.dtype)
    item = look_until(
        lambda item: fault.op in named(item),
        cases,
        planted(fault, OwnTape.name),
        RARE.get(fault.op, CASES),
    )
    failing = {verdict for verdict in item.counts if verdict.fails()}
    assert failing & fault.verdicts, item.counts
    assert fault.op in named(item), item.findings
    budget = Budget(cases=item.cases, least=1, shrinking=0.0)
    right = look(cases, twin(fault, OwnTape.name), budget)
    assert not {verdict for verdict in right.counts if verdict.fails()}, right.findings
    assert not right.checked_nothing()


def test_no_name_of_a_fault_is_used_twice() -> None:
    names = [fault.name for fault in (*FAULTS, *CATALOGUE)]
    assert len(set(names)) == len(names)
