"""The Markdown file: the page in short, with every text as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gradverify.records import Discrepancy, Item, Note, Records
from gradverify.report.markdown import code, markdown, plain


def test_the_file_of_a_run(
    records: Records, golden: Callable[[str, str], None]
) -> None:
    golden("summary.md", markdown(records))


def test_no_records_make_a_file() -> None:
    assert markdown(Records()).startswith("# ✓ gradverify: Nothing was compared")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a*b", "`a*b`"),
        ("a|b", "`a\\|b`"),
        ("a`b", "``a`b``"),
        ("`a``", "``` `a`` ```"),
        ("a\nb", "`a\\nb`"),
    ],
)
def test_code_ends_where_it_should(text: str, written: str) -> None:
    assert code(text) == written


def test_text_is_no_markup() -> None:
    assert plain("<b> [x](y) *a* | @all\n# b") == (
        r"&lt;b\> \[x\](y) \*a\* \| \@all\\n\# b"
    )


def test_hostile_texts_stay_texts(found: Callable[..., Discrepancy]) -> None:
    hostile = "`| </td><script>\n# title"
    bad = found(
        got=hostile, where=hostile, finding=hostile, reproducer="```\n" + hostile
    )
    item = Item(id="i", suite="ops", block=hostile, differentiator=hostile, mode="m",
                dtype="float64", outcome="failed", counts={"WRONG": 1})  # fmt: skip
    text = markdown(Records((bad,), (item,), (Note(text=hostile),)))
    outside = [line for line in text.splitlines() if "<script>" in line]
    assert all(line.count("`") for line in outside)
    assert "````python" in text  # a fence that the code does not end
    assert "\n# title" not in text.partition("````python")[0]
