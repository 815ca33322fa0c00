"""`pytest --gradverify-claims`: lecture notes are collected and never imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..scratch import Scratch

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


def furnish(root: Path) -> Scratch:
    """A repository with lecture notes and a test of its own."""
    found = Scratch(root)
    found.write("pyproject.toml", "[tool.pytest.ini_options]\n")
    found.write("lectures/notes.py", NOTES)
    found.write("lectures/text.md", "$x = 3$, $y = x^2$, $y' = 2x = 6$\n")
    found.write("test_own.py", "def test_own(): pass")
    return found


@pytest.fixture
def repository(tmp_path: Path) -> Scratch:
    return furnish(tmp_path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scratch, pytest.RunResult]:
    """A repository after a run over the claims of a folder, and how that run ended."""
    found = furnish(tmp_path_factory.mktemp("ran"))
    return found, found.pytest("--gradverify-claims", "lectures")


def test_claims_are_items_beside_tests(ran: tuple[Scratch, pytest.RunResult]) -> None:
    repository, result = ran
    result.assert_outcomes(passed=3, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["*notes.py:7: wrong", "    ∂e/∂b ≠ 11"])
    assert not (repository.root / "ran").exists()


def test_the_claims_are_written_down(ran: tuple[Scratch, pytest.RunResult]) -> None:
    repository, _ = ran
    found = repository.of_type("claim", "claims.jsonl")
    assert [r["verdict"] for r in found] == [
        "right", "wrong", "not understood", "right",
    ]  # fmt: skip
    assert found[0]["file"] == "lectures/notes.py"
    assert "lectures/notes.py, line 7" in repository.text("claims.html")


def test_globs_in_the_ini_file(repository: Scratch) -> None:
    repository.write(
        "pyproject.toml",
        '[tool.pytest.ini_options]\ngradverify_claims = "lectures/*.md"\n',
    )
    repository.pytest().assert_outcomes(passed=2)


def test_one_item_can_be_named(repository: Scratch) -> None:
    item = "lectures/notes.py::line6"
    result = repository.pytest("--gradverify-claims", "lectures", item)
    result.assert_outcomes(passed=1)


def test_a_path_with_a_space_is_quoted(repository: Scratch) -> None:
    (repository.root / "lectures").rename(repository.root / "my notes")
    result = repository.pytest(
        "--gradverify-claims", "'my notes/text.md' 'my notes/notes.py'"
    )
    result.assert_outcomes(passed=3, failed=1, skipped=1)


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        ("'lectures", "*--gradverify-claims: 'lectures: No closing*"),
        ("nowhere", "*nowhere: no such files*"),
    ],
    ids=["a quote that is not closed", "paths that are nowhere"],
)
def test_what_is_no_path_is_a_usage_error(
    repository: Scratch, paths: str, text: str
) -> None:
    result = repository.pytest("--gradverify-claims", paths)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([text])
