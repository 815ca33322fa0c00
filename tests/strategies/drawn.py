"""Cases of one op that several tests look at, drawn once in a process."""

from __future__ import annotations

from functools import cache

from gradverify.graph import Case
from gradverify.strategies import op_cases, sample


@cache
def cases_of(op: str, dtype: str) -> tuple[Case, ...]:
    """Twenty cases of an op."""
    return tuple(sample(op_cases(op, dtype=dtype), 20, 7))
