"""A factor off by 1e-9 in the rule of a primitive is found, in an op made of it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gradverify.autodiff.rules import RULES
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.verify import Budget, ItemResult

from .faults import WRONG, Fault, always, planted, times, twin
from .looking import cases_of, look, look_until

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


def fault_in(primitive: str) -> Fault:
    factors = (1.0 + 1e-9,) * len(RULES[primitive])
    return Fault("factor off by 1e-9", primitive, always(times(*factors)), WRONG)


def failing(item: ItemResult) -> set[str]:
    """The ops that fail."""
    return {f.op for f in item.findings if f.judgement.verdict.fails()}


@pytest.mark.slow
@pytest.mark.parametrize("primitive", MADE_OF)
def test_a_factor_off_by_1e_9_is_found_and_its_twin_is_not_accused(
    primitive: str,
) -> None:
    """Nothing is shrunk: that findings are small is looked at in `test_planted.py`."""
    op, fault = MADE_OF[primitive], fault_in(primitive)
    cases = cases_of(op)
    item = look_until(
        lambda item: op in failing(item), cases, planted(fault, OwnTape.name), CASES
    )
    assert {v for v in item.counts if v.fails()} == WRONG
    assert failing(item) == {op}
    budget = Budget(cases=item.cases, least=1, shrinking=0.0)
    right = look(cases, twin(fault, OwnTape.name), budget)
    assert not {v for v in right.counts if v.fails()}, right.findings
    assert not right.checked_nothing()
