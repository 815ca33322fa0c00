"""A finding in several modes of an engine is one, and shows all modes side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from gradverify.records import Discrepancy, Item, Records
from gradverify.report.findings import Card, findings
from gradverify.report.page import page
from gradverify.report.wording import all_of

from .made import item

Make = Callable[..., Discrepancy]


def in_mode(d: Discrepancy, mode: str, **fields: Any) -> Discrepancy:
    """The same in another mode, found by the item of that mode."""
    name = f"pyproject.toml::textbook::eleven[toy:{mode}:float64]"
    finding = f"toy:{mode}:float64/mul/wrong"
    return msgspec.structs.replace(d, mode=mode, item=name, finding=finding, **fields)


def ran(mode: str, outcome: str, **fields: Any) -> Item:
    made = item("textbook", "eleven", outcome, {"AGREES": 1}, cases=1, **fields)
    name = f"pyproject.toml::textbook::eleven[toy:{mode}:float64]"
    return msgspec.structs.replace(made, mode=mode, id=name)


def card(found: Records) -> Card:
    made = findings(found)
    assert made is not None
    ((_, (only,)),) = made.groups
    return only


def test_modes_that_go_wrong_and_those_that_do_not(found: Make) -> None:
    one = in_mode(found(), "reverse")
    other = in_mode(found(), "forward", got="15.0", where="d/db")
    items = (
        ran("reverse", "failed"),
        ran("forward", "failed"),
        ran("vmapped", "passed"),
    )
    records = Records((one, other), items)
    seen = card(records).modes
    assert [(m.mode, m.kind, m.word, m.got, m.where) for m in seen] == [
        ("forward", "bad", "wrong", "", ""),  # its numbers stand above
        ("reverse", "bad", "wrong", "11.0", "d/da"),
        ("vmapped", "fine", "right", "", ""),
    ]
    assert card(records).head.who == "toy, forward and reverse, float64"
    html = page(records)
    assert html.count('<article class="card') == 1
    assert 'aria-label="the modes of toy"' in html


def test_only_what_ran_at_the_same_cases_is_beside_it(found: Make) -> None:
    one = in_mode(found(), "reverse")
    elsewhere = msgspec.structs.replace(ran("forward", "passed"), block="other")
    idle = msgspec.structs.replace(ran("vmapped", "skipped"), cases=0)
    narrow = msgspec.structs.replace(ran("func", "passed"), dtype="float32")
    items = (ran("reverse", "failed"), elsewhere, idle, narrow)
    assert card(Records((one,), items)).modes == []
    assert 'aria-label="the modes of' not in page(Records((one,), items))


def test_many_modes_are_counted(found: Make) -> None:
    modes = [in_mode(found(), mode) for mode in ("reverse", "forward", "vmapped")]
    assert all_of(modes) == "toy, 3 modes, float64"
    wide = msgspec.structs.replace(modes[0], dtype="float32")
    assert all_of([modes[0], wide]) == "toy, reverse, float64 and toy, reverse, float32"
