"""GitHub Actions: what is written there ends no command, no cell and no element."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from gradverify.plugin.github_actions import in_github_actions
from gradverify.records import Changes, Discrepancy, Records
from gradverify.report.commands import command
from gradverify.report.job_summary import job_summary, workflow_commands

Make = Callable[..., Discrepancy]


def many(found: Make, n: int) -> Records:
    return Records(
        tuple(found(finding=f"toy:reverse:float64/op{k:03}/wrong") for k in range(n))
    )


def test_a_command_is_one_line_with_what_to_do(found: Make) -> None:
    (line,) = workflow_commands(Records((found(),)))
    assert line == (
        "::error title=gradverify%3A toy%2C reverse%2C float64::the derivative is "
        "wrong: (a + b) * (a * b) at a = 2.0, b = 3.0; got 11.0 for d/da, exact 21"
        "%0Agradverify replay 50b29d13a8"
    )


def test_texts_of_strangers_end_no_command(found: Make) -> None:
    hostile = found(got="x\n::set-output name=a::b\r\n100%0A::error::")
    hostile = msgspec.structs.replace(hostile, differentiator="t,o:y\n::warning::")
    (line,) = workflow_commands(Records((hostile,)))
    assert "\n" not in line
    assert "\r" not in line
    title = line.partition("title=")[2].partition("::")[0]
    assert not set(title) & set(":,")
    assert "100%250A" in line


def test_what_is_not_seen_is_left_out() -> None:
    line = command("a\x1b[31m\x00\u202eb\nc%", file="d\ud800\t:e,f", line=3)
    assert line == "::error file=d%3Ae%2Cf,line=3::a[31mb%0Ac%25"


def test_no_more_than_ten_and_the_new_ones_first(found: Make) -> None:
    assert len(workflow_commands(many(found, 12))) == 10
    new = Changes(base="old", newly_wrong=["toy:reverse:float64/op011/wrong"])
    first = found(finding=new.newly_wrong[0], got="77.0")
    records = many(found, 11)
    records = Records((*records.discrepancies, first), changes=new)
    assert "got 77.0" in workflow_commands(records)[0]


def test_what_fails_nothing_is_no_annotation(found: Make) -> None:
    assert not workflow_commands(Records((found(failed=False),)))


def test_the_summary_is_the_run_in_markdown(records: Records) -> None:
    text = job_summary(records)
    assert text.startswith("# ✗ gradverify: ")
    assert "1 newly wrong, exp 20 → 612 ulps" in text
    assert "gradverify replay 50b29d13a8" in text


def test_a_summary_that_does_not_fit_is_its_first_line(records: Records) -> None:
    whole = job_summary(records)
    short = job_summary(records, most=len(whole.encode()) - 1)
    assert short.splitlines() == [
        whole.splitlines()[0], "", "The rest does not fit here: see the page."
    ]  # fmt: skip


def test_a_large_run_fits(found: Make) -> None:
    assert len(job_summary(many(found, 3000)).encode()) < 100_000


def test_the_summary_is_appended_to_what_is_there(
    records: Records, tmp_path: Path
) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    lines = list(in_github_actions(records, {"GITHUB_STEP_SUMMARY": str(path)}))
    assert [line.startswith("::error ") for line in lines] == [True]
    assert path.read_text().startswith("before\n# ✗ gradverify")
    (*_, line) = in_github_actions(records, {"GITHUB_STEP_SUMMARY": str(tmp_path)})
    assert "cannot be written" in line
