"""Where a CI looks: properties in a junitxml file, and a Markdown file of the run."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest


@pytest.fixture
def reported(
    pytester: pytest.Pytester, plugin_arguments: tuple[str, ...], toy_engine: str
) -> Path:
    """A scratch repository in which `eleven` ran through the toy engine."""
    pytester.makeini("[pytest]\n")
    pytester.makeconftest(toy_engine)
    pytester.runpytest_subprocess(
        *plugin_arguments,
        "--junitxml=junit.xml",
        "--gradverify-seed=7",
        "tox.ini::textbook::eleven",
    )
    return pytester.path


def test_an_entry_of_junitxml_says_what_was_found(reported: Path) -> None:
    entry = ElementTree.parse(reported / "junit.xml").find(".//testcase")
    assert entry is not None
    found = {p.get("name"): p.get("value") for p in entry.iter("property")}
    assert found["gradverify.differentiator"] == "toy"
    assert found["gradverify.seed"] == "7"
    assert found["gradverify.WRONG"] == "1"
    assert (found["gradverify.finding"] or "").startswith(
        "toy:forward:float64/mul/wrong case "
    )
    assert float(found["gradverify.worst_error_in_bounds"] or 0) > 1e9


def test_the_run_has_a_markdown_file(reported: Path) -> None:
    text = (reported / "reports" / "gradverify.md").read_text(encoding="utf-8")
    assert text.startswith("# ✗ gradverify: 1 comparison of 1 differentiator")
    assert "gradverify accept toy:forward:float64/mul/wrong" in text
