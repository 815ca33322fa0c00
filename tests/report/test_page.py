"""The page: made of records alone, all of it escaped, no script, no network."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

from gradverify.records import Discrepancy, Item, Records, Run
from gradverify.report.page import page


def without_style(html: str) -> str:
    return re.sub(r"<style>.*?</style>", "<style></style>", html, flags=re.DOTALL)


def test_the_page_of_a_run(
    records: Records, golden: Callable[[str, str], None]
) -> None:
    golden("page.html", without_style(page(records)))


class Tags(HTMLParser):
    """Collects tags, and checks that they are closed in order."""

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_well_formed_and_self_contained(records: Records) -> None:
    html = page(records)
    tags = Tags()
    tags.feed(html)
    assert not tags.open
    assert not tags.seen & {"script", "img", "link", "iframe", "object"}
    assert not tags.attributes & {"src", "href", "onclick", "style"}
    assert "default-src 'none'" in html
    assert "url(" not in html


HOSTILE = "<script>alert(1)</script>\"'&\x00\x1b]8;;\udcff"


def test_everything_is_escaped(found: Callable[..., Discrepancy]) -> None:
    bad = found(got=HOSTILE, note=HOSTILE, exact=HOSTILE, where=HOSTILE,
                finding=HOSTILE, item=HOSTILE)  # fmt: skip
    item = Item(id=HOSTILE, suite=HOSTILE, block=HOSTILE, differentiator=HOSTILE,
                mode=HOSTILE, dtype="float64", outcome="failed",
                counts={HOSTILE: 1}, reason=HOSTILE)  # fmt: skip
    run = Run(counts={HOSTILE: {HOSTILE: 1}}, absent={HOSTILE: HOSTILE},
              differentiators={HOSTILE: {HOSTILE: HOSTILE}}, seed=0)  # fmt: skip
    html = page(Records((bad,), (item,), (), run))
    assert "<script" not in html
    html.encode("utf-8", "replace")
    tags = Tags()
    tags.feed(html)
    assert not tags.open
    assert "script" not in tags.seen


def test_records_without_a_last_line_still_make_a_page(records: Records) -> None:
    html = page(Records(records.discrepancies, records.items, (), None))
    assert "they were cut" in html
    assert "35" in html


def test_no_records_make_an_empty_page() -> None:
    assert "Nothing was compared." in page(Records())


def test_a_verdict_of_a_later_version_stands_for_itself(records: Records) -> None:
    run = Run(counts={"toy": {"PUZZLING": 3}})
    assert "puzzling" in page(Records((), records.items, (), run))
