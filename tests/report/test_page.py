"""The page: made of records alone, all of it escaped, nothing asked of a network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from gradverify.records import (
    Changes,
    Claim,
    Diagnosis,
    Discrepancy,
    Evidence,
    Item,
    Known,
    Note,
    Records,
    Run,
    Selftest,
)
from gradverify.report.page import SECTIONS, Section, page


def without_assets(html: str) -> str:
    html = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", html, flags=re.DOTALL)
    return re.sub(r"sha256-[^']+", "sha256-", html)


def test_the_page_of_a_run(
    records: Records, golden: Callable[[str, str], None]
) -> None:
    pytest.importorskip("pygraphviz")
    html = re.sub(r"<svg.*?</svg>", "<svg></svg>", page(records), flags=re.DOTALL)
    golden("page.html", without_assets(html))


class Tags(HTMLParser):
    """Collects tags and attributes, and checks that tags are closed in order."""

    VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.ids: list[str] = []
        self.values: dict[str, set[str]] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        for name, value in attrs:
            self.values.setdefault(name, set()).add(value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_it_is_well_formed_and_self_contained(records: Records) -> None:
    tags = Tags(page(records))
    assert not tags.open
    assert not tags.seen & {"img", "iframe", "object", "embed", "base"}
    assert not set(tags.values) & {"src", "onclick", "onload", "style", "srcset"}
    assert all(link.startswith(("#", "data:")) for link in tags.values["href"])
    assert len(tags.ids) == len(set(tags.ids))


def test_the_policy_lets_in_the_page_alone(records: Records) -> None:
    html = page(records)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    assert "unsafe" not in policy[1]
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        assert text is not None
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy[1]


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x00\x1b]8;;\udcff"


def hostile(found: Callable[..., Discrepancy]) -> Records:
    """Records of which every text is markup."""
    texts = [HOSTILE, HOSTILE]
    bad = found(
        got=HOSTILE, note=HOSTILE, exact=HOSTILE, where=HOSTILE, finding=HOSTILE,
        item=HOSTILE, op=HOSTILE, reproducer=HOSTILE,
        diagnosis=Diagnosis(sentence=HOSTILE, cause=HOSTILE, node=3, operand=0,
                            also=texts, paths=texts, latex=HOSTILE,
                            digits_lost=HOSTILE, rewriting=HOSTILE),
        evidence=Evidence(values=texts, adjoints=texts,
                          quotients=[(HOSTILE, HOSTILE)] * 3,
                          line=[(HOSTILE, HOSTILE, HOSTILE)] * 3),
    )  # fmt: skip
    known = found(known=HOSTILE, failed=False, got=HOSTILE, finding=HOSTILE)
    kink = found(failed=False, got=HOSTILE, exact=HOSTILE, op=HOSTILE)
    kinks = [kink, *_with(kink, verdict="KINK_CONVENTION", formula=HOSTILE, graph={})]
    item = Item(id=HOSTILE, suite=HOSTILE, block=HOSTILE, differentiator=HOSTILE,
                mode=HOSTILE, dtype=HOSTILE, outcome="failed", counts={HOSTILE: 1},
                reason=HOSTILE, errors={HOSTILE: 1, "2": 3}, ops={HOSTILE: 1},
                op_pairs={HOSTILE: 2}, regimes={HOSTILE: 1}, worst_ulps=HOSTILE,
                median_fault="1e-3")  # fmt: skip
    run = Run(counts={HOSTILE: {HOSTILE: 1}}, absent={HOSTILE: HOSTILE}, seed=0,
              differentiators={HOSTILE: {HOSTILE: HOSTILE}}, devices=[HOSTILE],
              seconds={"all " + HOSTILE: 1.0})  # fmt: skip
    claim = Claim(file=HOSTILE, line=1, text=HOSTILE, verdict="wrong", chain=texts,
                  step=0, claimed=HOSTILE, exact=HOSTILE, cause=HOSTILE, cell=1,
                  reason=HOSTILE, corrected=HOSTILE)  # fmt: skip
    return Records(
        (bad, known, *kinks), (item,), (Note(text=HOSTILE),), run, (claim,),
        Changes(base=HOSTILE, newly_wrong=texts, worse=[(HOSTILE, HOSTILE, HOSTILE)]),
        (Selftest(engine=HOSTILE, planted={HOSTILE: 1}),),
        (Known(id=HOSTILE, reason=HOSTILE, when=HOSTILE, link=HOSTILE),),
    )  # fmt: skip


def _with(record: Discrepancy, **fields: object) -> list[Discrepancy]:
    import msgspec

    return [msgspec.structs.replace(record, **fields)]


def test_everything_is_escaped(found: Callable[..., Discrepancy]) -> None:
    html = page(hostile(found))
    html.encode("utf-8", "strict")
    assert "could not be made" not in html
    body = without_assets(html)
    assert "<script>alert" not in body
    assert "<img" not in body
    assert "\x00" not in body
    assert "\x1b" not in body
    tags = Tags(body)
    assert not tags.open
    assert "onerror" not in tags.values


def test_a_section_that_fails_leaves_the_others(records: Records) -> None:
    def fails(found: Records) -> None:
        raise ValueError("<b>no such luck</b>")

    broken = Section("matrix", "Matrix", fails)
    sections = tuple(broken if s.name == "matrix" else s for s in SECTIONS)
    html = page(records, sections)
    assert "ValueError: &lt;b&gt;no such luck&lt;/b&gt;" in html
    assert html.count("could not be made") == 1
    assert 'id="trust"' in html
    assert not Tags(html).open


def test_a_template_that_fails_leaves_the_others(records: Records) -> None:
    broken = Section("matrix", "Matrix", lambda found: {"columns": 3})
    sections = tuple(broken if s.name == "matrix" else s for s in SECTIONS)
    html = page(records, sections)
    assert "UndefinedError" in html
    assert html.count("could not be made") == 1
    assert 'id="trust"' in html


def test_no_section_of_a_run_fails(records: Records) -> None:
    html = page(records)
    assert "could not be made" not in html
    for section in SECTIONS:
        assert f'<section id="{section.name}">' in html


def test_records_without_a_last_line_still_make_a_page(records: Records) -> None:
    html = page(Records(records.discrepancies, records.items, (), None))
    assert "they were cut" in html
    assert "35" in html


def test_no_records_make_an_empty_page() -> None:
    assert "Nothing was compared." in page(Records())


def test_a_verdict_of_a_later_version_stands_for_itself(records: Records) -> None:
    run = Run(counts={"toy": {"PUZZLING": 3}})
    assert "puzzling" in page(Records((), records.items, (), run))
