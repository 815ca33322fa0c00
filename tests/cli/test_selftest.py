"""`gradverify selftest`: its table, its record, its errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify import records
from gradverify.cli import main


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository, which is the current folder."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_table_has_a_row_an_op_and_the_share_found(
    capfd: pytest.CaptureFixture[str], repository: Path
) -> None:
    assert main(["selftest", "own-dual", "--ops", "mul,abs", "--cases", "60"]) == 0
    text = capfd.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines()[1:4]}
    assert rows["op"] == ["sign", "factor", "dropped", "swapped", "kink", "tail"]
    assert rows["mul"] == ["found", "found", "found", "found", ".", "found"]
    assert rows["abs"] == ["found", "found", "found", ".", "found", "found"]
    assert "found 10 of 10 (100.0 %)" in text
    (kept,) = records.read(repository / "reports" / "selftest.jsonl").selftests
    assert (kept.engine, kept.mode, kept.dtype) == ("own-dual", "forward", "float64")
    assert kept.planted == kept.found
    assert kept.planted["abs:kink"] == 1


def test_a_mode_of_second_derivatives_has_faults_of_its_own(
    capfd: pytest.CaptureFixture[str], repository: Path
) -> None:
    asked = ["selftest", "own-tape", "--ops", "exp", "--cases", "20"]
    assert main([*asked, "--mode", "reverse-over-reverse"]) == 0
    assert "swapped   held      tail" in capfd.readouterr().out
    (kept,) = records.read(repository / "reports" / "selftest.jsonl").selftests
    assert kept.mode == "reverse-over-reverse"
    assert kept.found["exp:held"] == 1


def test_a_missed_fault_is_named_and_ends_with_1(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["selftest", "own-tape", "--ops", "tanh", "--cases", "20"]) == 1
    text = capfd.readouterr().out
    assert "missed: tanh, tail: loses digits" in text
    assert "found 3 of 4 (75.0 %)" in text


def test_a_second_score_takes_the_place_of_the_first(repository: Path) -> None:
    for ops in ("neg", "exp"):
        assert main(["selftest", "own-tape", "--ops", ops, "--cases", "20"]) == 0
    kept = records.read(repository / "reports" / "selftest.jsonl").selftests
    assert [key for score in kept for key in score.found] == [
        "exp:sign",
        "exp:factor",
        "exp:dropped",
        "exp:tail",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["torch"], "no differentiator 'torch'; did you mean torch-cpu or torch-cuda?"),
        (["own-tape", "--ops", "expp"], "--ops 'expp' is unknown; did you mean exp"),
        (
            ["own-tape", "--mode", "up"],
            "--mode 'up': own-tape has reverse, reverse-over",
        ),
        (["own-tape", "--mode", "jacobian"], "to plant faults into"),
        (["own-tape", "--dtype", "int8"], "--dtype 'int8': own-tape takes float64"),
    ],
)
def test_errors_name_what_is_unknown(
    arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["selftest", *arguments]) == 2
    assert message in capfd.readouterr().err
