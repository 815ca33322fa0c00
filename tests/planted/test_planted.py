"""Planted faults are found, named and made small; their right twins are not accused."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from gradverify.diagnosis.localize import WHOLE
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.strategies import USUAL, graphs
from gradverify.verify import Block, Budget, Finding, ItemResult

from .engines import ENGINES
from .faults import FAULTS, Fault, planted, twin
from .looking import SEED, cases_of, look, look_until

RARE = {"matmul": 120, "sigmoid": 60}  # cases until the fault is met twice or so
CASES = 30
SCALAR = ("neg", "exp", "sin", "tanh", "add", "sub", "mul", "div", "maximum")

SCALARS = replace(USUAL, ranks=range(1))

# In daily work the faults in our tape stand for the same ones in the other engines.
every_engine = pytest.mark.parametrize(
    "engine",
    [
        pytest.param(name, marks=() if name == OwnTape.name else pytest.mark.slow)
        for name in ENGINES
    ],
)
every_fault = pytest.mark.parametrize("fault", FAULTS, ids=str)


@cache
def block(op: str) -> Block:
    """The op's own cases, or small graphs that share subexpressions."""
    if op == WHOLE:
        strategy = graphs(ops=SCALAR, max_nodes=4, within=SCALARS)
        return Block("graphs", "shared", "float64", SEED, strategy)
    return cases_of(op)


@every_engine
@every_fault
def test_a_fault_is_found_and_made_small_and_its_twin_is_not_accused(
    fault: Fault, engine: str
) -> None:
    def failing(item: ItemResult) -> list[Finding]:
        return [f for f in item.findings if f.judgement.verdict.fails()]

    item = look_until(
        lambda item: any(f.op == fault.op for f in failing(item)),
        block(fault.op),
        planted(fault, engine),
        RARE.get(fault.op, CASES),
        shrinking=float("inf"),
    )
    assert {f.judgement.verdict for f in failing(item)} <= fault.verdicts
    named = [f for f in failing(item) if f.op == fault.op]
    assert named, [f.finding for f in failing(item)]
    smallest = min(named, key=lambda f: f.case.graph.size)
    assert smallest.case.graph.size <= 2
    numbers = [float(x) for array in smallest.case.point for x in array.flat]
    assert all(x == round(x, 2) and abs(x) <= 100 for x in numbers), numbers
    right = look(block(fault.op), twin(fault, engine), Budget(cases=CASES))
    accused = {v.name: n for v, n in right.counts.items() if v.fails()}
    assert not accused, right.findings
    assert not right.checked_nothing()


def test_no_name_of_a_fault_is_used_twice() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
