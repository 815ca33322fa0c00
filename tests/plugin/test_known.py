"""The witnesses of known deviations, in a repository with an engine of its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.graph import Case
from gradverify.known import FILE_NAME, Deviation, append_rows
from gradverify.verdict import Verdict

from ..scratch import RIGHT_ENGINE, Scratch

PRODUCT = trace(lambda x, y: SYMBOLS.mul(x, y), (), ())


@pytest.fixture
def judged(repository: Scratch) -> Callable[..., pytest.RunResult]:
    """Run the witness of a row that says how the toy engine's product deviates."""

    def run(*verdicts: Verdict) -> pytest.RunResult:
        row = Deviation(
            id="toy-mul",
            differentiator="toy",
            op="mul",
            verdict=verdicts,
            reason="planted",
            witness=Case(PRODUCT, (np.array(3.0), np.array(7.0))),
        )
        append_rows(repository.root / FILE_NAME, row)
        return repository.pytest("--gradverify", "--gradverify-suites", "known")

    return run


def discrepancies(repository: Scratch) -> list[tuple[str, str | None, bool]]:
    found = repository.of_type("discrepancy")
    return [(r["finding"], r["known"], r["failed"]) for r in found]


WRONG = "toy:forward:float64/mul/wrong"


def test_a_witness_that_deviates_as_its_row_says_passes(
    judged: Callable[..., pytest.RunResult], repository: Scratch
) -> None:
    judged(Verdict.WRONG).assert_outcomes(passed=1)
    assert discrepancies(repository) == [(WRONG, "toy-mul", False)]


def test_a_witness_that_fails_as_its_row_does_not_say_is_a_finding(
    judged: Callable[..., pytest.RunResult], repository: Scratch
) -> None:
    result = judged(Verdict.IMPRECISE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["toy, forward, float64: the derivative is wrong"])
    result.stdout.no_fnmatch_line("*take the row out*")
    assert discrepancies(repository) == [(WRONG, None, True)]


def test_a_witness_that_agrees_says_that_its_row_is_to_go(
    judged: Callable[..., pytest.RunResult], repository: Scratch
) -> None:
    repository.write("conftest.py", RIGHT_ENGINE)
    result = judged(Verdict.WRONG)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*toy-mul no longer shows*take the row out*"])
    assert discrepancies(repository) == []
