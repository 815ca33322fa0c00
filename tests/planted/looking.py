"""Cases of one op, which all tests of planted faults share, and how far to look."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from gradverify.differentiators import Differentiator
from gradverify.strategies import op_cases
from gradverify.verify import Block, Budget, ItemResult, verify_item

SEED = 3
FIRST = 5  # cases that are looked at first; twice as many each time after that
CHUNK = 10  # cases that are drawn at once


@cache
def cases_of(op: str, dtype: str = "float64") -> Block:
    """The cases of an op. Their references are computed once in this process."""
    return Block("ops", op, dtype, SEED, op_cases(op, dtype=dtype), chunk=CHUNK)


def look(block: Block, who: Differentiator, budget: Budget) -> ItemResult:
    """What is seen in the first cases of a block, whatever was looked at before."""
    block.count = None
    return verify_item(block, who, "reverse", budget=budget)


def look_until(
    is_found: Callable[[ItemResult], bool],
    block: Block,
    who: Differentiator,
    most: int,
    shrinking: float = 0.0,
) -> ItemResult:
    """What is seen in as few cases as are needed for a finding, or in the most."""
    cases = min(FIRST, most)
    while True:
        item = look(block, who, Budget(cases=cases, least=1, shrinking=shrinking))
        if cases == most or is_found(item):
            return item
        cases = min(2 * cases, most)
