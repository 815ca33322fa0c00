"""The table of suites: every row makes blocks of its own."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from gradverify.graph import case_to_json
from gradverify.suites import SUITES, TABLE, Suite
from gradverify.suites.blocks import Asked, blocks
from gradverify.suites.textbook import textbook_cases

MADE = [row for row in TABLE if row.blocks is not None]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a saved case."""
    folder = tmp_path / "gradverify-cases"
    folder.mkdir()
    (case, *_), *_ = textbook_cases().values()
    text = json.dumps(case_to_json(case))
    (folder / "one.json").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("row", MADE, ids=lambda row: row.name)
def test_a_suite_makes_blocks_of_its_name(row: Suite, repository: Path) -> None:
    found = blocks(Asked(suites=(row.name,), root=repository))
    assert found
    assert {block.suite for block in found} == {row.name}
    assert all((block.strategy is not None) == row.is_drawn for block in found)


def test_blocks_are_in_the_order_of_the_table(repository: Path) -> None:
    found = dict.fromkeys(b.suite for b in blocks(Asked(root=repository)))
    assert [*found] == [row.name for row in MADE]


def test_every_suite_has_a_name_and_words_of_its_own() -> None:
    assert len(set(SUITES)) == len(TABLE) > 5
    assert len({row.says for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("suite", ["ops", "graphs", "networks"])
def test_each_dtype_is_first_at_every_other_family(suite: str) -> None:
    found = blocks(Asked(suites=(suite,)))
    first = {}
    for block in found:
        first.setdefault(block.family, block.dtype)
    counts = Counter(first.values())
    assert abs(counts["float64"] - counts["float32"]) <= 1
