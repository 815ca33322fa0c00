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


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(visit: Visit, html: Path, width: int) -> None:
    tab = visit(html, viewport={"width": width, "height": 800})
    assert tab.evaluate(WIDTH) == width


def test_all_can_be_read_without_javascript(visit: Visit, html: Path) -> None:
    tab = visit(html, java_script_enabled=False)
    assert not tab.is_visible(".tools")
    assert not tab.is_visible("button.copy >> nth=0")
    for text in ("a factor was dropped", "the first wrong step", "exp loses its tail",
                 "import toy", "gradverify replay"):  # fmt: skip
        assert tab.locator(f"text={text}").first.is_visible(), text
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
