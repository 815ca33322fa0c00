"""Where a CI looks: properties in a junitxml file, and a Markdown file of the run."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from ..scratch import TOY_ENGINE, Scratch


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A scratch repository in which `eleven` ran through the toy engine."""
    found = Scratch(tmp_path_factory.mktemp("reported"))
    found.write("tox.ini", "[pytest]\n")
    found.write("conftest.py", TOY_ENGINE)
    found.pytest(
        "--junitxml=junit.xml", "--gradverify-seed=7", "tox.ini::textbook::eleven"
    )
    return found


def test_an_entry_of_junitxml_says_what_was_found(reported: Scratch) -> None:
    entry = ElementTree.parse(reported.root / "junit.xml").find(".//testcase")
    assert entry is not None
    found = {p.get("name"): p.get("value") for p in entry.iter("property")}
    assert found["gradverify.differentiator"] == "toy"
    assert found["gradverify.seed"] == "7"
    assert found["gradverify.WRONG"] == "1"
    assert (found["gradverify.finding"] or "").startswith(
        "toy:forward:float64/mul/wrong case "
    )
    assert float(found["gradverify.worst_error_in_bounds"] or 0) > 1e9


def test_the_run_has_a_markdown_file(reported: Scratch) -> None:
    text = reported.text("gradverify.md")
    assert text.startswith("# ✗ gradverify: 1 comparison of 1 differentiator")
    assert "gradverify accept toy:forward:float64/mul/wrong" in text
