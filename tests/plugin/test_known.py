"""The witnesses of known deviations, in a repository with an engine of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.graph import Case
from gradverify.known import FILE_NAME, Deviation, append_row
from gradverify.verdict import Verdict

PRODUCT = trace(lambda x, y: SYMBOLS.mul(x, y), (), ())


@pytest.fixture
def judged(
    pytester: pytest.Pytester, plugin_arguments: tuple[str, ...], toy_engine: str
) -> Any:
    """Run the witness of a row that says how the toy engine's product deviates."""

    def run(*verdicts: Verdict, engine: str = toy_engine) -> pytest.RunResult:
        (pytester.path / "pytest.ini").write_text("[pytest]\n")
        (pytester.path / "conftest.py").write_text(engine)
        row = Deviation(
            id="toy-mul",
            differentiator="toy",
            op="mul",
            verdict=verdicts,
            reason="planted",
            witness=Case(PRODUCT, (np.array(3.0), np.array(7.0))),
        )
        append_row(pytester.path / FILE_NAME, row)
        return pytester.runpytest_subprocess(
            *plugin_arguments, "--gradverify", "--gradverify-suites", "known"
        )

    return run


def discrepancies(path: Path) -> list[tuple[str, str | None, bool]]:
    lines = (path / "reports" / "gradverify.jsonl").read_text().splitlines()
    found = [r for r in map(json.loads, lines) if r["type"] == "discrepancy"]
    return [(r["finding"], r["known"], r["failed"]) for r in found]


WRONG = "toy:forward:float64/mul/wrong"


def test_a_witness_that_deviates_as_its_row_says_passes(
    judged: Any, pytester: pytest.Pytester
) -> None:
    judged(Verdict.WRONG).assert_outcomes(passed=1)
    assert discrepancies(pytester.path) == [(WRONG, "toy-mul", False)]


def test_a_witness_that_fails_as_its_row_does_not_say_is_a_finding(
    judged: Any, pytester: pytest.Pytester
) -> None:
    result = judged(Verdict.IMPRECISE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["toy, forward, float64: the derivative is wrong"])
    result.stdout.no_fnmatch_line("*take the row out*")
    assert discrepancies(pytester.path) == [(WRONG, None, True)]


def test_a_witness_that_agrees_says_that_its_row_is_to_go(
    judged: Any, pytester: pytest.Pytester, toy_engine: str
) -> None:
    right = toy_engine.replace(
        "self.x * other.dx)", "self.x * other.dx + self.dx * other.x)"
    )
    result = judged(Verdict.WRONG, engine=right)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*toy-mul no longer shows*take the row out*"])
    assert discrepancies(pytester.path) == []
