"""An older run's findings: fixed, gone, worse, and what is newly wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gradverify.records import Discrepancy, Item, Records, changes
from gradverify.report.wording import changed
from gradverify.verdict import Verdict

Make = Callable[..., Discrepancy]
WHERE = "pyproject.toml::ops::mul[toy:reverse:float64]"
MUL = "toy:reverse:float64/mul"


@pytest.fixture
def kind(found: Make) -> Callable[..., Discrepancy]:
    """A finding of `mul` by its verdict."""

    def make(verdict: str, **fields: Any) -> Discrepancy:
        name = {"finding": f"{MUL}/{verdict.lower()}", "item": WHERE}
        return found(verdict=Verdict[verdict], **name | fields)

    return make


def run(*found: Discrepancy, cases: int = 20, outcome: str = "passed") -> Records:
    item = Item(id=WHERE, suite="ops", block="mul", differentiator="toy",
                mode="reverse", dtype="float64", cases=cases,
                outcome=outcome)  # fmt: skip
    return Records(found, (item,))


def of(before: Records, now: Records, **options: Any) -> dict[str, Any]:
    """The lists that are not empty."""
    found = changes(before, now, base="old.jsonl", **options)
    names = ("newly_wrong", "fixed", "newly_imprecise", "worse", "gone")
    lists = {name: getattr(found, name) for name in names}
    return {name: entries for name, entries in lists.items() if entries}


def test_a_finding_that_was_there_is_no_change(kind: Make) -> None:
    assert of(run(kind("WRONG")), run(kind("WRONG"))) == {}


def test_a_finding_that_came_is_newly_wrong(kind: Make) -> None:
    assert of(run(), run(kind("WRONG"))) == {"newly_wrong": [f"{MUL}/wrong"]}
    assert of(run(), run(kind("IMPRECISE", failed=False))) == {
        "newly_imprecise": [f"{MUL}/imprecise"]
    }


def test_a_convention_at_a_kink_is_no_change(kind: Make) -> None:
    assert of(run(), run(kind("KINK_CONVENTION", failed=False))) == {}


def test_a_finding_that_went_is_fixed_where_its_item_ran(kind: Make) -> None:
    before = run(kind("WRONG"))
    assert of(before, run()) == {"fixed": [f"{MUL}/wrong"]}
    for now in (run(cases=0), run(outcome="skipped"), Records()):
        assert of(before, now) == {"gone": [f"{MUL}/wrong"]}


def test_a_finding_whose_old_case_deviates_still_is_not_fixed(kind: Make) -> None:
    assert of(run(kind("WRONG")), run(), still={f"{MUL}/wrong"}) == {}


def test_a_finding_that_fails_in_another_way_is_not_fixed(kind: Make) -> None:
    now = run(kind("NONFINITE"))
    assert of(run(kind("WRONG")), now) == {"newly_wrong": [f"{MUL}/nonfinite"]}


def test_a_finding_that_was_accepted_since_is_neither_fixed_nor_new(kind: Make) -> None:
    known = run(kind("WRONG", known="row", failed=False))
    assert of(run(kind("WRONG")), known) == {}
    assert of(known, known) == {}
    assert of(known, run(kind("WRONG"))) == {"newly_wrong": [f"{MUL}/wrong"]}


@pytest.mark.parametrize(
    ("before", "now", "is_worse"),
    [(3.0, 40.0, True), (3.0, 5.0, False), (40.0, 3.0, False), (None, 40.0, False),
     (3.0, float("inf"), False)],
)  # fmt: skip
def test_an_error_that_doubled_is_worse(
    kind: Make, before: float | None, now: float, is_worse: bool
) -> None:
    old, new = (
        run(kind("IMPRECISE", failed=False, error_ulps=ulps)) for ulps in (before, now)
    )
    worse = {"worse": [(f"{MUL}/imprecise", repr(before), repr(now))]}
    assert of(old, new) == (worse if is_worse else {})


def test_a_verdict_of_a_later_version_says_itself_whether_it_fails(kind: Make) -> None:
    import msgspec

    later = msgspec.structs.replace(kind("WRONG"), verdict="ODD", finding=f"{MUL}/odd")
    assert of(run(), run(later)) == {"newly_wrong": [f"{MUL}/odd"]}


def test_the_sentence(kind: Make) -> None:
    before = run(kind("IMPRECISE", failed=False, error_ulps=3.0), kind("CRASHED"),
                 kind("MISSING", item="elsewhere"))  # fmt: skip
    now = run(kind("IMPRECISE", failed=False, error_ulps=40.0), kind("WRONG"))
    found = changes(before, now, base="old.jsonl")
    assert changed(found) == "1 newly wrong, mul 3 → 40 ulps, 1 no longer checked"
    assert changed(changes(now, now, base="old.jsonl")) == "no change"
