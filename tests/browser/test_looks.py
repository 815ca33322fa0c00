"""The page in the dark, on a phone, on paper, without JavaScript, and to a reader."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradverify.report.page import page

from ..report import made
from ..report.test_page import HOSTILE, hostile

pytestmark = pytest.mark.slow

Visit = Callable[..., Any]

GROUND = "getComputedStyle(document.body).backgroundColor"
WIDTH = "document.documentElement.scrollWidth"


def script(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def brightness(colour: str) -> float:
    numbers = colour.partition("(")[2].rstrip(")").split(",")[:3]
    return sum(map(float, numbers)) / 3


@pytest.mark.parametrize(("scheme", "is_dark"), [("dark", True), ("light", False)])
def test_the_system_chooses_dark_or_light(
    visit: Visit, html: Path, scheme: str, is_dark: bool
) -> None:
    tab = visit(html, color_scheme=scheme)
    assert (brightness(tab.evaluate(GROUND)) < 60) is is_dark
    tab.click("#theme")
    assert (brightness(tab.evaluate(GROUND)) < 60) is not is_dark


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_text_has_contrast(visit: Visit, html: Path, scheme: str) -> None:
    assert visit(html, color_scheme=scheme).evaluate(script("contrast.js")) == []


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_is_wider_than_the_screen(visit: Visit, html: Path, width: int) -> None:
    tab = visit(html, viewport={"width": width, "height": 800})
    assert tab.evaluate(WIDTH) == width
    tab.evaluate(
        "for (const part of document.querySelectorAll('details')) part.open = true"
    )
    assert tab.evaluate(WIDTH) == width


def test_nothing_is_wider_than_paper(visit: Visit, html: Path) -> None:
    tab = visit(html, viewport={"width": 794, "height": 1123})  # A4
    tab.emulate_media(media="print")
    assert tab.evaluate(WIDTH) == 794


def test_a_finding_opens_with_its_sentence_and_its_numbers(tab: Any) -> None:
    card = tab.locator("#discrepancies .card").first
    shown = card.locator(":scope > header, :scope > .what").all_inner_texts()
    assert "d = mul(a, b) passes 1 on to a where it should pass b = 3" in shown[0]
    assert {"a", "claimed d/da", "exact", "error"} <= {
        text.strip() for text in card.locator(":scope > .what th").all_inner_texts()
    }
    folded = card.locator(":scope > details")
    assert folded.count() == 3
    opened = [fold.get_attribute("open") is not None for fold in folded.all()]
    assert opened == [True, False, False]  # of the first finding alone


def test_all_can_be_read_without_javascript(visit: Visit, html: Path) -> None:
    tab = visit(html, java_script_enabled=False)
    assert not tab.is_visible(".tools")
    assert not tab.is_visible("button.copy >> nth=0")
    for text in ("a factor was dropped", "the first wrong step", "exp loses its tail",
                 "gradverify replay"):  # fmt: skip
        assert tab.locator(f"text={text}").first.is_visible(), text
    script = tab.locator("text=import toy").first
    assert not script.is_visible()  # folded, as all but the sentence and the numbers
    tab.click("text=A script that shows it")
    assert script.is_visible()
    assert tab.locator("#findings tbody tr").count() == 3
    href = tab.locator('#matrix a[data-query^="op:mul"]').get_attribute("href")
    assert tab.locator(href).is_visible()


def test_paper_shows_no_buttons(visit: Visit, html: Path) -> None:
    tab = visit(html, color_scheme="dark")
    tab.emulate_media(media="print")
    assert brightness(tab.evaluate(GROUND)) == 255
    assert not tab.is_visible(".bar")
    assert not tab.is_visible("button.copy >> nth=0")
    assert tab.is_visible("table.ran th button >> nth=0")  # a heading, on paper as well


def test_a_reader_finds_names_for_all_it_can_use(visit: Visit, html: Path) -> None:
    tab = visit(html)
    unnamed = tab.evaluate(script("unnamed.js"))
    assert unnamed == []
    levels = tab.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert tab.evaluate("document.documentElement.lang") == "en"


def test_hostile_texts_run_nothing(visit: Visit, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(page(hostile(made.found)), encoding="utf-8")
    tab = visit(path)
    tab.fill("#filter", "script")
    tab.wait_for_timeout(200)
    tab.locator("#findings tbody tr").first.click()
    assert HOSTILE[:25] in tab.inner_text("tr.detail")
    assert tab.locator("img").count() == 0
    assert tab.locator("script").count() == 2  # its own, and the island


def test_a_script_from_elsewhere_would_not_run(visit: Visit, tmp_path: Path) -> None:
    """The policy holds by itself: a script that got in is refused."""
    text = page(made.run_records()).replace(
        "<main", "<script>document.title = 'taken'</script><main", 1
    )
    path = tmp_path / "taken.html"
    path.write_text(text, encoding="utf-8")
    tab = visit(path, silent=False)  # the browser says on the console what it refused
    assert tab.title() != "taken"
