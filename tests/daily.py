"""Which tests daily work leaves out: what takes long, and most rows of long tables.

`slow` on a test says that it is slow by nature. Two kinds more are marked here. A test
that took long when tests were last measured stands in `slow_tests.txt`, which
`python -m tests.benchmarks.bench_tests` writes. Of a test with many rows, such as one
an op, every eighth row stands for the others: what breaks a mechanism breaks those as
well, and what breaks one row alone is seen where all tests run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

LIST = Path(__file__).with_name("slow_tests.txt")

MANY = 48  # rows of a test, from which on daily work takes
EVERY = 8  # each eighth


def listed() -> frozenset[str]:
    """The ids of the tests that took long."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def function_of(test: str) -> str:
    """The id of a test without its row."""
    return test.partition("[")[0]


def left_out(tests: Iterable[str]) -> Iterator[str]:
    """The ids of those that daily work leaves out, of all that were collected."""
    tests, long = list(tests), listed()
    rows = Counter(map(function_of, tests))
    seen = {function: count() for function in rows}
    for test in tests:
        function = function_of(test)
        row = next(seen[function])
        if test in long or (rows[function] >= MANY and row % EVERY):
            yield test
