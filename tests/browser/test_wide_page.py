"""Long text does not widen the page, in a window of any width."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradverify.records import Note
from gradverify.report.page import page

from ..report.made import run_records

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("width", [1200, 400])
def test_long_text_does_not_widen_the_page(
    browser: Any, tmp_path: Path, width: int
) -> None:
    whole = run_records()
    long = msgspec.structs.replace(
        whole.discrepancies[0],
        note="n" * 3_000,
        got="g" * 1_500,
        exact="1" * 1_500,
        formula="f" * 2_000,
        traceback="T" * 5_000,
        finding=f"toy:forward:float64/{'m' * 300}/wrong",
        op="o" * 400,
        item="i" * 500,
        differentiator="d" * 60,
    )
    notes = (Note(text="w" * 5_000), *whole.notes)
    found = (long, *whole.discrepancies[1:])
    path = tmp_path / "page.html"
    path.write_text(
        page(msgspec.structs.replace(whole, discrepancies=found, notes=notes)),
        encoding="utf-8",
    )
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.goto(path.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    tab.close()
