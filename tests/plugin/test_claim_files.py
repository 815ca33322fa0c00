"""`pytest --gradverify-claims`: lecture notes are collected and never imported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

NOTES = """\
import pathlib
pathlib.Path("ran").write_text("imported")
a = 2.0
b = 3.0
e = (a + b) * (a * b)
# ∂e/∂a = 21
# ∂e/∂b = 11
# ∂q/∂b = 1
"""


@pytest.fixture
def run(pytester: pytest.Pytester, plugin_arguments: tuple[str, ...]) -> Any:
    """Run pytest in a repository with lecture notes and a test of its own."""
    pytester.makepyprojecttoml("[tool.pytest.ini_options]\n")
    folder = pytester.mkdir("lectures")
    (folder / "notes.py").write_text(NOTES, encoding="utf-8")
    (folder / "text.md").write_text("$x = 3$, $y = x^2$, $y' = 2x = 6$\n")
    pytester.makepyfile(test_own="def test_own(): pass")

    def runner(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(*plugin_arguments, *arguments)

    return runner


def records(path: Path) -> list[dict[str, Any]]:
    text = (path / "reports" / "claims.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_claims_are_items_beside_tests(run: Any, pytester: pytest.Pytester) -> None:
    result = run("--gradverify-claims", "lectures")
    result.assert_outcomes(passed=3, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*notes.py:7: wrong", "    ∂e/∂b ≠ 11"])
    assert not (pytester.path / "ran").exists()


def test_the_claims_are_written_down(run: Any, pytester: pytest.Pytester) -> None:
    run("--gradverify-claims", "lectures")
    found = [r for r in records(pytester.path) if r["type"] == "claim"]
    assert [r["verdict"] for r in found] == [
        "right", "wrong", "not understood", "right",
    ]  # fmt: skip
    assert found[0]["file"] == "lectures/notes.py"
    page = (pytester.path / "reports" / "claims.html").read_text(encoding="utf-8")
    assert "lectures/notes.py, line 7" in page


def test_globs_in_the_ini_file(run: Any, pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        '[tool.pytest.ini_options]\ngradverify_claims = "lectures/*.md"\n'
    )
    run().assert_outcomes(passed=2)


def test_one_item_can_be_named(run: Any) -> None:
    item = "lectures/notes.py::line6"
    run("--gradverify-claims", "lectures", item).assert_outcomes(passed=1)


def test_a_path_with_a_space_is_quoted(run: Any, pytester: pytest.Pytester) -> None:
    (pytester.path / "lectures").rename(pytester.path / "my notes")
    result = run("--gradverify-claims", "'my notes/text.md' 'my notes/notes.py'")
    result.assert_outcomes(passed=3, failed=1, skipped=1)


def test_a_quote_that_is_not_closed_is_an_error(run: Any) -> None:
    result = run("--gradverify-claims", "'lectures")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--gradverify-claims: 'lectures: No closing*"])


def test_paths_that_are_nowhere_are_an_error(run: Any) -> None:
    result = run("--gradverify-claims", "nowhere")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*nowhere: no such files*"])
