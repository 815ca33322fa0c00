"""What a terminal shows: a failure in 15 lines of 100 columns, a summary."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradverify.graph import Case
from gradverify.records import Discrepancy, Records
from gradverify.report.terminal import failure_text, summary
from gradverify.verdict import Verdict

Make = Callable[..., Discrepancy]
Golden = Callable[[str, str], None]


def fits(text: str) -> bool:
    blocks = text.split("\n\n")
    return all(
        len(block.splitlines()) <= 15 and all(len(x) <= 100 for x in block.splitlines())
        for block in blocks
    )


def test_a_wrong_derivative(found: Make, golden: Golden) -> None:
    text = failure_text([found(note="a path was dropped")])
    assert fits(text)
    golden("wrong.txt", text + "\n")


def test_an_exception_and_more_kinds(found: Make, golden: Golden) -> None:
    crash = found(verdict=Verdict.CRASHED, where="", exact="", error_ulps=None,
                  bound_ratio=None, got="ValueError: no\x1b[31m\nsuch thing",
                  note="ValueError: no\x1b[31m\nsuch thing")  # fmt: skip
    text = failure_text([found(), crash], more=2)
    assert "\x1b" not in text
    golden("crashed.txt", text + "\n")


def test_a_large_graph_is_cut(found: Make, wide_case: Case, golden: Golden) -> None:
    text = failure_text([found(wide_case, bound_ratio=float("inf"))])
    assert fits(text)
    golden("wide.txt", text + "\n")


def test_without_commands(found: Make) -> None:
    assert "gradverify replay" not in failure_text([found()], said=None)


def test_the_summary(records: Records, golden: Golden) -> None:
    golden("summary.txt", "\n".join(summary(records)) + "\n")


def test_a_brief_summary(records: Records, golden: Golden) -> None:
    golden("summary-brief.txt", "\n".join(summary(records, brief=True)) + "\n")


def test_many_findings_are_cut(found: Make) -> None:
    many: Any = tuple(
        found(finding=f"toy:reverse:float64/op{i}/wrong") for i in range(30)
    )
    lines = list(summary(Records(discrepancies=many)))
    assert lines[0] == "discrepancies: 30"
    assert "  and 10 more in the page" in lines
