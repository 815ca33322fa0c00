"""A factor off by 1e-9 in the rule of a primitive is found, in an op made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import pytest

from gradverify.autodiff.rules import RULES
from gradverify.differentiators import Differentiator
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.strategies import op_cases
from gradverify.verify import Block, Budget, ItemResult, verify_item

from .faults import WRONG, Fault, always, planted, times, twin

CASES = 12

# A primitive whose rule our tape runs, and a public op that is made of it.
# fmt: off
MADE_OF: Mapping[str, str] = {
    "expm1": "expm1", "log1p": "log1p", "sinh": "sinh", "cosh": "cosh",
    "asinh": "acosh", "erf": "erf", "erfc": "gelu", "log_gamma": "lgamma",
    "polygamma": "digamma", "scale": "log2", "rise": "gelu", "atan2": "asin",
    "hypot": "hypot", "logaddexp": "logaddexp", "cumsum": "cumsum", "slice": "slice",
    "pad": "concatenate", "sqrt": "std", "maximum": "max", "div": "tan",
}
# fmt: on


@cache
def block(op: str) -> Block:
    return Block("ops", op, "float64", 5, op_cases(op))


def fault_in(primitive: str) -> Fault:
    factors = (1.0 + 1e-9,) * len(RULES[primitive])
    return Fault("factor off by 1e-9", primitive, always(times(*factors)), WRONG)


def judged(primitive: str, make: Callable[[Fault, str], Differentiator]) -> ItemResult:
    engine = make(fault_in(primitive), OwnTape.name)
    budget = Budget(cases=CASES, shrinking=0.0)  # what is small is in test_planted.py
    return verify_item(block(MADE_OF[primitive]), engine, "reverse", budget=budget)


@pytest.mark.slow
@pytest.mark.parametrize("primitive", MADE_OF)
def test_a_factor_off_by_1e_9_is_found(primitive: str) -> None:
    item = judged(primitive, planted)
    assert {v for v in item.counts if v.fails()} == WRONG
    assert {f.op for f in item.findings if f.judgement.verdict.fails()} == {
        MADE_OF[primitive]
    }


@pytest.mark.slow
@pytest.mark.parametrize("primitive", MADE_OF)
def test_its_twin_is_not_accused(primitive: str) -> None:
    item = judged(primitive, twin)
    assert not {v for v in item.counts if v.fails()}, item.findings
    assert not item.checked_nothing()
