"""Working with the page: matrix, filter, tables, copying, themes, links, keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

Visit = Callable[..., Any]

MUL = '#matrix a[data-query="op:mul who:toy:reverse"]'
EXP = '#matrix a[data-query="op:exp who:toy:reverse"]'
CARDS = "#discrepancies .card"
ROWS = "#findings tbody tr:not(.detail)"


def visible(tab: Any, selector: str) -> int:
    return sum(element.is_visible() for element in tab.locator(selector).all())


def test_a_click_on_the_matrix_filters_what_is_below(visit: Visit, html: Path) -> None:
    tab = visit(html)
    assert visible(tab, CARDS) == 1
    tab.click(EXP)
    assert tab.input_value("#filter") == "op:exp who:toy:reverse"
    assert visible(tab, CARDS) == 0
    assert tab.locator(ROWS).count() == 1
    assert "1 of 3" in tab.inner_text("#listing h2")
    tab.click(MUL)
    assert visible(tab, CARDS) == 1
    tab.click(MUL)
    assert tab.input_value("#filter") == ""
    assert tab.locator(ROWS).count() == 3


def test_the_worst_error_shows_on_hover(tab: Any) -> None:
    title = tab.locator(EXP).get_attribute("title")
    assert "worst error 612 ulps" in title
    assert "worst error 3.1 times the bound" in title


@pytest.mark.parametrize(
    ("text", "cards", "rows"),
    [
        ("", 1, 3),
        ("op:mul", 1, 1),
        ("op:mu", 0, 0),
        ("who:toy", 1, 3),
        ("who:toy:reverse verdict:wrong", 1, 1),
        ("who:torch-cpu", 0, 0),
        ("KINK", 0, 1),
        ("factor dropped", 1, 0),
        ("block:eleven", 1, 2),
        ("<b>", 0, 0),
    ],
)
def test_the_filter_box(tab: Any, text: str, cards: int, rows: int) -> None:
    tab.fill("#filter", text)
    tab.wait_for_timeout(200)
    assert visible(tab, CARDS) == cards
    assert tab.locator(ROWS).count() == rows


def test_a_filter_is_a_link(visit: Visit, html: Path) -> None:
    tab = visit(html, at="#filter=op%3Aexp")
    assert tab.input_value("#filter") == "op:exp"
    assert tab.locator(ROWS).count() == 1
    tab.fill("#filter", "op:mul")
    tab.wait_for_timeout(200)
    assert tab.evaluate("location.hash") == "#filter=op%3Amul"


def test_a_table_sorts_by_its_headings(visit: Visit, html: Path) -> None:
    tab = visit(html)

    def cases() -> list[str]:
        return tab.locator(f"{ROWS} td:nth-child(10)").all_text_contents()

    assert cases() == ["1", "3", "1"]
    heading = tab.locator('#findings th[data-column="count"]')
    heading.locator("button").click()
    assert cases() == ["3", "1", "1"]
    assert heading.get_attribute("aria-sort") == "descending"
    heading.locator("button").click()
    assert cases() == ["1", "1", "3"]


def test_a_static_table_sorts_numbers_as_numbers(visit: Visit, html: Path) -> None:
    tab = visit(html)
    tab.evaluate(
        """() => {
          const body = document.querySelector("table.ran tbody");
          for (const n of ["1,000", "9"]) {
            const row = body.rows[0].cloneNode(true);
            row.cells[1].textContent = n;
            body.append(row);
          }
        }"""
    )
    tab.click("table.ran th:nth-child(2) button")
    found = tab.locator("table.ran tbody td:nth-child(2)").all_text_contents()
    assert found == ["1,000", "43", "9"]


def test_a_row_opens(visit: Visit, html: Path) -> None:
    tab = visit(html)
    tab.locator(ROWS).first.click()
    assert "toy:reverse:float64/mul/wrong" in tab.inner_text("tr.detail")
    tab.locator(ROWS).first.click()
    assert tab.locator("tr.detail").count() == 0


def test_the_reproducer_is_copied(visit: Visit, html: Path) -> None:
    tab = visit(html)
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.click("text=A script that shows it")
    tab.click("#discrepancies .code button.copy")
    tab.wait_for_selector("text=Copied")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[1] == "import toy"
    assert copied.splitlines()[2] == ""
    assert copied.endswith('print(a.grad, "should be 21.0")\n')
    tab.click("#discrepancies .next button.copy >> nth=0")
    copied = tab.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("gradverify replay ")
    assert "\n" not in copied


def test_shortcuts(visit: Visit, html: Path) -> None:
    tab = visit(html)
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.id") == "filter"
    tab.keyboard.type("op:exp")
    tab.wait_for_timeout(200)
    assert visible(tab, CARDS) == 0
    tab.keyboard.press("Escape")
    assert visible(tab, CARDS) == 1
    tab.keyboard.press("j")
    assert "card" in tab.evaluate("document.activeElement.className")
    tab.keyboard.press("d")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.keyboard.press("?")
    assert tab.is_visible("#keys")
    tab.keyboard.press("Escape")
    assert not tab.is_visible("#keys")


def test_a_deep_link_points_at_its_discrepancy(visit: Visit, html: Path) -> None:
    tab = visit(html, at="#f-toy-reverse-float64-mul-wrong")
    tab.wait_for_timeout(100)
    box = tab.locator("#f-toy-reverse-float64-mul-wrong").bounding_box()
    assert 0 < box["y"] < 400
