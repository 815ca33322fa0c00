"""README is short, leads to every page, and says what is measured and printed."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MEASURED = (DOCS / "measured.md").read_text(encoding="utf-8")
LINES = 95  # a screen and a half, with its blank lines


def test_it_is_a_screen_and_a_half() -> None:
    assert len(README.splitlines()) <= LINES


def test_it_leads_to_every_page_of_the_documentation() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)[^)]*\)", README))
    pages = {
        p.relative_to(ROOT).as_posix()
        for p in DOCS.rglob("*.md")
        if not {"_made", "_build"} & {*p.parts} and p.name != "index.md"
    }
    assert len(pages) > 20
    assert pages - linked == set()


def test_its_links_lead_somewhere() -> None:
    for page in (README, *(p.read_text("utf-8") for p in DOCS.glob("*/*.md"))):
        assert "](/" not in page
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", README)
    assert [x for x in links if "://" not in x and not (ROOT / x).exists()] == []


def cells(text: str, head: str) -> list[list[str]]:
    """The rows of the table whose head begins so."""
    table = text[text.index(head) :].partition("\n\n")[0]
    return [
        [c.strip(" *") for c in line.split("|")[1:-1]] for line in table.splitlines()
    ]


def test_its_figures_are_those_that_were_measured() -> None:
    """The table of README is that of the page, turned."""
    head, _, *told = cells(README, "| | gradverify |")
    _, _, *rows = cells(MEASURED, "| | found, of 790 |")
    measured = {re.sub(r", 64 bits", "", row[0]): row for row in rows}
    columns = {"found, of 790": 1, "never": 3, "accused": 5}
    assert len(told) == len(columns)
    for line, (words, column) in zip(told, columns.items(), strict=True):
        assert words in line[0]
        assert line[1:] == [measured[name][column] for name in head[1:]]


def test_its_two_commands_stand_at_the_top() -> None:
    first = README.partition("## ")[0]
    setup = "python3 -m venv .venv && . .venv/bin/activate && "
    setup += 'python -m pip install -e ".[dev]"'
    assert f"{setup} && gradverify run " in first
    assert f"{setup} && pytest -n auto" in first
