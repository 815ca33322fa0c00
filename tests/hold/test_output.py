"""What is printed: in every encoding, and no text of strangers acts on a terminal."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from gradverify.cli import main
from gradverify.outside.printing import fitted, visible, visible_lines
from gradverify.suites.blocks import SAVED, Asked, blocks

from ..scratch import PATHS

ENCODINGS = ("cp1252", "cp437", "latin-1", "ascii", "utf-8", "utf-16")
NOTES = "a, b = 2, 3\nc = a + b\nd = a * b\ne = c * d\n# ∂e/∂a = d + c = 6 + 5 = 11\n"
HOSTILE = "\x1b[31mred\x1b]0;title\x07 \u202etxt.exe\u2066 \x9b2J\r\x08"


def said(encoding: str, *arguments: str) -> tuple[int, str, str]:
    """The status of a command, and its output where that has this encoding."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    with redirect_stdout(out), redirect_stderr(err):
        status = main(arguments)
    texts = (s.buffer.getvalue().decode(encoding) for s in (out, err))  # type: ignore[attr-defined]
    return status, *texts


def acts(text: str) -> set[str]:
    """The characters of a text that a terminal acts on."""
    return {c for c in text if not c.isprintable() and c not in "\n\t"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_check_says_the_same_in_every_encoding(encoding: str) -> None:
    given = ["check", "(a+b)*(a*b)", "--at", "a=2", "--at", "b=3", "--claim", "a=11"]
    status, out, _ = said(encoding, *given)
    assert status == 1
    assert "claimed 11, exact 21 - wrong" in out
    assert "\\u" not in out


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_claims_are_told_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.py"
    path.write_text(NOTES, encoding="utf-8")
    status, out, _ = said(encoding, "claims", str(path))
    assert status == 1
    assert "exact      21" in out
    status, out, _ = said(encoding, "claims", "--json", str(path))
    assert status == 1
    assert json.loads(out)["exact"] == "21"


def test_a_diff_has_the_very_signs_of_the_file_whatever_the_encoding(
    tmp_path: Path,
) -> None:
    path = tmp_path / "notes.py"
    path.write_text(NOTES, encoding="utf-8")
    out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", write_through=True)
    with redirect_stdout(out):
        assert main(["claims", "--fix", str(path)]) == 1
    diff = out.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined]
    assert "-# ∂e/∂a = d + c = 6 + 5 = 11" in diff
    assert "+# ∂e/∂a = c·b + d = 5·3 + 6 = 21" in diff


def test_signs_have_stand_ins_and_unknown_ones_are_spelled() -> None:
    assert fitted("∂e/∂a ≠ 5·3, 10⁻¹⁵ → …", "ascii") == "de/da != 5*3, 10^-15 -> ..."
    assert fitted("Übung 漢", "ascii") == "\\xdcbung \\u6f22"
    assert fitted("\udcff", "utf-8") == "\\udcff"
    assert fitted("∂", None) == "∂"


def test_control_characters_are_spelled_out() -> None:
    assert not acts(visible(HOSTILE))
    assert visible("a\nb") == "a\\nb"
    assert visible_lines("a\n\tb\x1b") == "a\n\tb\\x1b"


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", f"{HOSTILE} + a", "--at", "a=1", "--claim", "a=1"],
        ["check", "a", "--at", f"{HOSTILE}=1", "--claim", "a=1"],
        ["check", "a", "--at", f"a={HOSTILE}", "--claim", "a=1"],
        ["claims", f"{HOSTILE}.py"],
        ["report", f"{HOSTILE}.jsonl"],
        ["network", HOSTILE, "--forward-entry", "v,1,1"],
        ["network", "4-3-2", "--forward-entry", HOSTILE],
    ],
)
def test_no_argument_acts_on_the_terminal(arguments: list[str]) -> None:
    status, out, err = said("utf-8", *arguments)
    assert status == 2
    assert not acts(out + err)
    assert "red" in err


def test_no_name_and_no_text_of_a_file_acts_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / f"n\x1b[31m\u202e{'x' * 20}.py"
    path.write_text(NOTES + f"# ∂e/∂a = {HOSTILE} = 12\n", encoding="utf-8")
    kinds = ([], ["--json"], ["--fix"], ["--verbose"])
    told = [said("utf-8", "claims", *options, str(path)) for options in kinds]
    assert "n\\x1b[31m\\u202exxx" in told[0][1]
    assert not acts("".join(out + err for _, out, err in told))


def test_lines_beside_a_correction_that_act_on_a_terminal_are_in_no_diff(
    tmp_path: Path,
) -> None:
    path = tmp_path / "notes.py"
    path.write_text(NOTES + "# \x1b]0;title\x07\n", encoding="utf-8")
    status, out, err = said("utf-8", "claims", "--fix", str(path))
    assert status == 1
    assert "no diff: the lines beside a correction have \\x07, \\x1b" in err
    assert not acts(out + err)


def test_no_name_of_a_saved_case_acts_on_the_terminal(tmp_path: Path) -> None:
    (tmp_path / SAVED).mkdir()
    (tmp_path / SAVED / "a\x1b[31m\u202e.json").write_text("{", encoding="utf-8")
    (block,) = blocks(Asked(suites=("cases",), root=tmp_path))
    assert block.family == "a\\x1b[31m\\u202e"


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_output_is_no_verdict(unbuffered: str) -> None:
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gradverify", "check", "a*b", "--at", "a=2",
             "--at", "b=3", "--claim", "a=2"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": ":".join(PATHS), "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )  # fmt: skip
    assert done.returncode == 74
    assert done.stderr.decode().splitlines() == [
        "gradverify: standard output cannot be written: No space left on device"
    ]


def test_a_reader_that_has_gone_is_no_verdict() -> None:
    done = subprocess.Popen(
        [sys.executable, "-m", "gradverify", "ops"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(PATHS)},
    )
    assert done.stdout is not None
    done.stdout.close()
    _, err = done.communicate()
    assert (done.returncode, err) == (141, b"")


def test_a_fault_of_ours_has_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def faulty(*arguments: object, **options: object) -> object:
        raise ZeroDivisionError(f"ours {HOSTILE}")

    monkeypatch.setattr("gradverify.claims.checking.check.exact_gradient", faulty)
    status, out, err = said("ascii", "check", "a", "--at", "a=1")
    assert (status, out) == (70, "")
    assert "This is a fault of gradverify itself" in err
    assert not acts(err)


def test_an_interrupt_has_its_usual_status(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("gradverify.claims.checking.check.exact_gradient", interrupted)
    assert said("utf-8", "check", "a", "--at", "a=1")[0] == 130
