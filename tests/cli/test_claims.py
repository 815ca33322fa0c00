"""`gradverify claims`: what is printed, the diff, the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradverify.cli import main

CODE = "a = 2.0\nb = 3.0\nc = a + b\nd = a * b\ne = c * d\n"
RIGHT = CODE + "# ∂e/∂a = d + cb = 21\n"
WRONG = CODE + "# ∂e/∂a = d + c = 6 + 5 = 11\n"
UNKNOWN = CODE + "# ∂q/∂a = 3\n"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script with one wrong claim, in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "notes.py"
    path.write_text(WRONG, encoding="utf-8")
    return path


# texts of files, and the exit status
STATUSES = (
    ((RIGHT,), 0),
    ((RIGHT, UNKNOWN), 0),
    ((RIGHT, WRONG), 1),
    ((UNKNOWN,), 3),
    (("x = 1\n",), 3),
)


@pytest.mark.parametrize(("texts", "status"), STATUSES)
def test_the_exit_status(tmp_path: Path, texts: tuple[str, ...], status: int) -> None:
    for k, text in enumerate(texts):
        (tmp_path / f"{k}.py").write_text(text, encoding="utf-8")
    assert main(["claims", str(tmp_path)]) == status


@pytest.mark.parametrize("name", ["nowhere.py", "broken.ipynb", "table.csv"])
def test_a_file_that_cannot_be_read_ends_with_2(
    script: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if name != "nowhere.py":
        script.with_name(name).write_text("{", encoding="utf-8")
    assert main(["claims", name, "notes.py"]) == 2
    captured = capsys.readouterr()
    assert name in captured.err
    assert "notes.py:6: wrong" in captured.out


def test_a_wrong_step_is_marked(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", "notes.py"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "notes.py:6: wrong",
        "    ∂e/∂a ≠ d + c = 6 + 5 = 11",
        "    claimed    11",
        "    exact      21",
        "    cause      at d = a * b: a factor of the chain rule is dropped: ∂d/∂a "
        "taken as 1 (it is b = 3); or at e = c * d: a factor 1/3 too much in ∂e/∂d (it "
        "is c = 5)",
        "    correct    ∂e/∂a = c·b + d = 5·3 + 6 = 21",
        "1 file: 0 right, 1 wrong, 0 unsure, 0 not understood",
    ]


def test_json_has_an_object_a_claim(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", "--json", "notes.py"]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    expected = {
        "file": "notes.py", "cell": None, "line": 6, "verdict": "wrong", "step": 0,
        "claimed": "11", "exact": "21", "reason": "",
    }  # fmt: skip
    assert expected.items() <= found.items()
    assert {"text", "cause", "chain", "corrected"} <= set(found)


def test_fix_prints_a_diff_and_writes_nothing(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", "--fix", "notes.py"]) == 1
    diff = capsys.readouterr().out
    assert "-# ∂e/∂a = d + c = 6 + 5 = 11" in diff
    assert "+# ∂e/∂a = c·b + d = 5·3 + 6 = 21" in diff
    assert script.read_text(encoding="utf-8") == WRONG


def test_the_diff_of_a_notebook_fits_its_json(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = [line + "\n" for line in WRONG.splitlines()]
    cell = {"cell_type": "code", "source": source, "outputs": []}
    book = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}
    text = json.dumps(book, indent=1, ensure_ascii=False)
    script.with_name("a.ipynb").write_text(text, encoding="utf-8")
    assert main(["claims", "--fix", "a.ipynb"]) == 1
    assert '+    "# ∂e/∂a = c·b + d = 5·3 + 6 = 21\\n"' in capsys.readouterr().out


def test_sarif_names_file_and_line(script: Path) -> None:
    assert main(["claims", "--sarif", "out.sarif", "notes.py"]) == 1
    found = json.loads(script.with_name("out.sarif").read_text(encoding="utf-8"))
    (result,) = found["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "notes.py"}, "region": {"startLine": 6},
    }  # fmt: skip


def test_sarif_writes_over_no_notes(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = script.read_text(encoding="utf-8")
    assert main(["claims", "--sarif", "notes.py", "notes.py"]) == 2
    assert "--sarif notes.py: a file of notes" in capsys.readouterr().err
    assert script.read_text(encoding="utf-8") == before


def test_what_is_not_there_is_said_so(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", "lectures/"]) == 2
    assert "lectures: there is no such file or folder" in capsys.readouterr().err


def test_the_uri_of_sarif_is_percent_encoded(script: Path) -> None:
    script.rename(script.with_name("week #1.py"))
    assert main(["claims", "--sarif", "out.sarif", "week #1.py"]) == 1
    found = json.loads(script.with_name("out.sarif").read_text(encoding="utf-8"))
    (result,) = found["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "week%20%231.py"}


def test_github_gets_no_empty_line_where_nothing_is_wrong(
    script: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    script.write_text(RIGHT, encoding="utf-8")
    assert main(["claims", "notes.py"]) == 0
    assert (
        capsys.readouterr().out
        == "1 file: 1 right, 0 wrong, 0 unsure, 0 not understood\n"
        "--verbose shows those that are right as well\n"
    )
    assert main(["claims", "notes.py", "--verbose"]) == 0
    assert "--verbose" not in capsys.readouterr().out


def test_a_name_of_a_file_ends_no_command(
    script: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    script.rename(script.with_name("a,b::\x1b[2J.py"))
    main(["claims", "a,b::\x1b[2J.py"])
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("::error file=a%2Cb%3A%3A[2J.py,line=6,title=gradverify::")


def test_github_gets_annotations(
    script: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    main(["claims", "notes.py"])
    assert "::error file=notes.py,line=6,title=gradverify::" in capsys.readouterr().out


def test_a_file_without_claims_says_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "Some words.\n\nThe derivative is left to the reader.\n"
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    assert main(["claims", "a.md"]) == 3
    printed = capsys.readouterr().out
    assert "a.md: no claim found; read are chains such as" in printed
    assert "line 3 speaks of a derivative: The derivative is left" in printed


def test_an_unsure_claim_fails_nothing_and_shows_both_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(CODE + "# ∂e/∂a = 22\n", encoding="utf-8")
    assert main(["claims", "a.py", "--sarif", "out.sarif"]) == 0
    printed = capsys.readouterr().out
    assert "a.py:6: unsure: nothing shows that our reading is the author's" in printed
    assert "    claimed    22\n    exact      21\n" in printed
    found = json.loads((tmp_path / "out.sarif").read_text(encoding="utf-8"))
    (result,) = found["runs"][0]["results"]
    assert (result["ruleId"], result["kind"]) == ("unsure-derivative", "review")


def test_fix_puts_one_formula_of_several_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.md").write_text(
        "$f(x) = x^2$ has $f'(x) = x$, and at $x = 3$ we get $f'(3) = 6$.\n\n"
        "Let $g(x) = x^3$. Then $g'(x) = 3x$ and $g''(x) = 6x$.\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["claims", "--fix", "a.md"]) == 1
    added = [r for r in capsys.readouterr().out.splitlines() if r[:1] == "+"][1:]
    assert added == [
        "+$f(x) = x^2$ has $f'(x) = 2·x$, and at $x = 3$ we get $f'(3) = 6$.",
        "+Let $g(x) = x^3$. Then $g'(x) = 3·x^2$ and $g''(x) = 6x$.",
    ]
