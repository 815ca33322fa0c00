"""Shards of a run as one: what occurs twice counts once, other seeds count again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from gradverify.records import Discrepancy, Item, Note, Records, Run, joined


def shard(seed: int | None, *items: Item, **fields: Any) -> Records:
    """A shard that was cut where there is no seed."""
    found = tuple(fields.pop("found", ()))
    run = None if seed is None else Run(seed=seed, **fields)
    return Records(found, items, run=run)


def item(block: str, cases: int, **fields: Any) -> Item:
    return Item(
        id=f"x.toml::ops::{block}[toy:reverse:float64]",
        suite="ops",
        block=block,
        differentiator="toy",
        mode="reverse",
        dtype="float64",
        outcome="passed",
        counts={"AGREES": cases},
        cases=cases,
        **fields,
    )


def whole(parts: Sequence[Records]) -> tuple[int, dict[str, int]]:
    found = joined(parts)
    assert found.run is not None
    return len(found.items), found.run.counts["toy"]


def test_shards_add_up() -> None:
    parts = [shard(0, item("add", 20)), shard(0, item("mul", 30))]
    assert whole(parts) == (2, {"AGREES": 50})
    assert not joined(parts).notes


def test_one_file_is_left_as_it_is(records: Records) -> None:
    assert joined([records]) is records


def test_an_item_of_two_shards_of_one_seed_counts_once_where_it_got_furthest() -> None:
    parts = [shard(0, item("add", 20)), shard(0, item("add", 30), item("mul", 5))]
    for given in (parts, parts[::-1]):
        assert whole(given) == (2, {"AGREES": 35})
        (note,) = joined(given).notes
        assert note.text == (
            "1 item occurs in several shards of one seed, and counted once"
        )


def test_under_another_seed_it_met_other_cases_and_counts_again() -> None:
    parts = [shard(0, item("add", 20)), shard(1, item("add", 30))]
    assert whole(parts) == (2, {"AGREES": 50})
    assert [note.text for note in joined(parts).notes] == ["shards of the seeds 0, 1"]


def test_a_shard_that_was_cut_is_one_of_the_same_seed() -> None:
    parts = [shard(7, item("add", 20)), shard(None, item("add", 3), item("mul", 5))]
    assert whole(parts) == (2, {"AGREES": 25})
    assert joined([shard(None, item("add", 3))] * 2).run is None


def test_discrepancies_follow_their_items(found: Any) -> None:
    def of(case: str) -> Discrepancy:
        return msgspec.structs.replace(found(item=item("mul", 0).id), case=case)

    less = shard(0, item("mul", 10), found=[of("aaaaaaaaaa")])
    more = shard(0, item("mul", 20), found=[of("bbbbbbbbbb"), of("bbbbbbbbbb")])
    for parts in ([less, more], [more, less]):
        assert [d.case for d in joined(parts).discrepancies] == ["bbbbbbbbbb"]
    # one without an item, such as of a worker that died, is kept
    orphan = shard(0, item("add", 5), found=[of("cccccccccc")])
    assert len(joined([orphan, shard(0, item("sub", 5))]).discrepancies) == 1


def test_the_whole_run_is_made_of_what_is_kept() -> None:
    one = shard(
        0, item("add", 20, ops={"add": 20}, draws={"begun": 40, "rejected": 10}),
        started="2030-01-02", seconds={"run": 3.0}, exit=5, commit="a",
        differentiators={"toy": {}}, regimes={"add:zero": 0, "add:tie": 2},
    )  # fmt: skip
    other = shard(
        0, item("mul", 30, ops={"add": 1, "mul": 30}, regimes={"add:tie": 4}),
        started="2030-01-01", seconds={"run": 4.0}, exit=0, commit="b",
        absent={"toy": "not named", "jax": "not installed"},
    )  # fmt: skip
    run = joined([one, other]).run
    assert run is not None
    assert run.items == {"passed": 2}
    assert run.ops == {"add": 21, "mul": 30}
    assert run.regimes == {"add:zero": 0, "add:tie": 4}
    assert run.rejection_rate == pytest.approx(0.25)
    assert (run.started, run.seconds, run.exit) == ("2030-01-01", {"run": 7.0}, 0)
    assert run.commit is None
    assert run.absent == {"jax": "not installed"}
    assert "shards of several commits: a, b" in joined([one, other]).notes[0].text


@pytest.mark.parametrize(
    ("exits", "whole"), [((0, 1), 1), ((0, 5), 0), ((5, 5), 5), ((1, 5), 1)]
)
def test_a_shard_without_items_decides_nothing(
    exits: tuple[int, int], whole: int
) -> None:
    run = joined([shard(0, exit=status) for status in exits]).run
    assert run is not None
    assert run.exit == whole


def test_a_note_of_both_is_said_once() -> None:
    both = Records(notes=(Note(text="a"), Note(text="b")))
    assert [n.text for n in joined([both, both]).notes] == ["a", "b"]


def test_common_answers_are_found_across_shards(found: Any) -> None:
    one = found(finding="toy:reverse:float64/mul/wrong")
    other = msgspec.structs.replace(
        found(finding="twin:reverse:float64/mul/wrong"), differentiator="twin"
    )
    parts = [shard(0, item("add", 1), found=[d]) for d in (one, other)]
    assert [bool(d.common) for d in joined(parts).discrepancies] == [True, True]
