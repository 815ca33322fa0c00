"""How the time of a run is cut, on a clock that the tests move by hand."""

from __future__ import annotations

import re

import pytest

from gradverify import records
from gradverify.plugin import clock as clocks
from gradverify.plugin.clock import END, PROFILES, Clock
from gradverify.report.wording import OUT_OF_TIME, looked_at

from ..scratch import RIGHT_ENGINE, Scratch


class Hand:
    """Stands in for `time`; time passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    monkeypatch.setattr(clocks, "time", hand)
    return hand


def of(blocks: int, seconds: float = 100.0, extra: int = 0) -> Clock:
    """A clock for so many blocks, and extra ones that get what those leave over."""
    clock = Clock(seconds / (1.0 - END))
    clock.shared.expected, clock.extra.expected = blocks, extra
    clock.extra.rank = 1
    return clock


def look(clock: Clock, hand: Hand, block: int, takes: float, cases: int = 20) -> float:
    part = clock.part(clock.shared, block)
    with clock.running():
        hand.now += takes
    clock.looked(clock.shared, block, cases, takes)
    return part


def test_every_block_gets_an_even_part(hand: Hand) -> None:
    clock = of(4)
    assert [look(clock, hand, k, 25.0) for k in range(4)] == pytest.approx([25.0] * 4)


def test_what_a_block_leaves_over_goes_to_those_after_it(hand: Hand) -> None:
    clock = of(4)
    parts = [look(clock, hand, k, 10.0) for k in range(4)]
    assert parts == pytest.approx([25.0, 30.0, 40.0, 70.0])


def test_what_a_block_takes_too_much_is_taken_from_those_after_it(hand: Hand) -> None:
    clock = of(4)
    parts = [look(clock, hand, k, 40.0) for k in range(4)]
    assert parts == pytest.approx([25.0, 20.0, 10.0, 0.0])


def test_a_block_counts_once_for_all_that_look_at_it(hand: Hand) -> None:
    clock = of(2)
    assert look(clock, hand, 1, 10.0) == pytest.approx(50.0)
    assert look(clock, hand, 1, 10.0) == pytest.approx(45.0)
    assert look(clock, hand, 2, 10.0) == pytest.approx(80.0)


def test_time_that_was_spent_before_is_not_shared_out() -> None:
    clock = of(2)
    clock.spent = 60.0
    assert clock.part(clock.shared, 1) == pytest.approx(20.0)


def test_extra_blocks_are_spread_over_what_there_is_time_for(
    hand: Hand,
) -> None:
    clock = of(20, extra=20)
    looked = []
    for k in range(20):
        look(clock, hand, k, 2.0)  # 40 of 100 s, so that 60 are for 20 s each
        looked.append(clock.affords(clock.extra, k))
        if looked[-1]:
            with clock.running():
                hand.now += 20.0
            clock.looked(clock.extra, k, 20, 20.0)
    assert sum(looked) in (2, 3, 4)
    assert any(looked[10:])
    assert clock.spent < 120.0
    assert clock.affords(
        clock.extra, 0
    )  # asked again, by another mode of the same engine


def test_all_that_is_extra_is_looked_at_where_there_is_time(hand: Hand) -> None:
    clock = of(5, extra=5)
    for k in range(5):
        look(clock, hand, k, 2.0)
        assert clock.affords(clock.extra, k)
        with clock.running():
            hand.now += 2.0
        clock.looked(clock.extra, k, 20, 2.0)


def test_a_queue_of_a_higher_rank_takes_nothing_from_those_below(hand: Hand) -> None:
    """Shared blocks need all the time, 90 of 100 s: those of the third queue wait."""
    clock = of(90)
    clock.compiled.expected, clock.compiled.rank = 90, 1
    clock.extra.expected, clock.extra.rank = 200, 2
    looked: dict[str, int] = dict.fromkeys(("shared", "compiled", "extra"), 0)
    for k in range(90):
        for name, queue in zip(looked, clock.queues, strict=True):
            if clock.affords(queue, k):
                looked[name] += 1
                with clock.running():
                    hand.now += 1.0
                clock.looked(queue, k, 2, 1.0)
    assert looked["shared"] >= 85
    assert looked["compiled"] < 15
    assert looked["extra"] < 5
    assert clock.spent < 110.0


def test_a_block_looks_at_fewer_cases_where_the_least_does_not_fit(hand: Hand) -> None:
    clock = of(100)
    assert clock.least(clock.shared, 1.0, 20) == 2  # nothing is known yet
    look(clock, hand, 0, 4.0)  # 0.2 s a case
    assert clock.least(clock.shared, 1.0, 20) == 5
    assert clock.least(clock.shared, 0.0, 20) == 2


def test_blocks_that_do_not_fit_are_left_out_evenly_and_the_time_is_kept(
    hand: Hand,
) -> None:
    clock, looked = of(100), []
    for k in range(100):
        looked.append(clock.affords(clock.shared, k))
        if looked[-1]:
            look(clock, hand, k, 4.0, cases=2)
    assert 20 <= sum(looked) <= 26
    assert clock.spent <= 104.0
    assert all(any(looked[k : k + 10]) for k in range(0, 90, 10))


def test_a_slow_block_takes_the_part_of_no_other_where_all_fit(hand: Hand) -> None:
    """Those of the first queue take 60 of 100 s, one in ten of them ten times as long
    as others; what is left is for the second queue.
    """
    clock = of(90)
    clock.compiled.expected, clock.compiled.rank = 90, 1
    shared, compiled = [], []
    for k in range(90):
        shared.append(clock.affords(clock.shared, k))
        if shared[-1]:
            look(clock, hand, k, 3.5 if k % 10 == 6 else 0.35, cases=2)
        compiled.append(clock.affords(clock.compiled, k))
        if compiled[-1]:
            with clock.running():
                hand.now += 3.0
            clock.looked(clock.compiled, k, 2, 3.0)
    assert all(shared)
    assert sum(compiled) > 5
    assert clock.spent < 110.0


def test_what_the_first_blocks_load_is_no_price_of_the_others(hand: Hand) -> None:
    clock, looked = of(100), []
    for k in range(100):
        looked.append(clock.affords(clock.shared, k))
        if looked[-1]:
            takes = 30.0 if k == 0 else 0.6
            look(clock, hand, k, takes, cases=2)
    assert all(looked)


def test_every_block_is_looked_at_where_there_is_time(hand: Hand) -> None:
    clock = of(100)
    for k in range(100):
        assert clock.affords(clock.shared, k)
        look(clock, hand, k, 0.9)


def test_slow_loading_leaves_a_share_of_the_time(hand: Hand) -> None:
    clock = of(10)
    clock.spent = 200.0
    assert clock.left == pytest.approx(0.3 * clock.seconds)
    look(clock, hand, 0, 0.5 * clock.seconds)
    assert clock.left == 0.0


def test_the_profiles_are_what_the_readme_says() -> None:
    seconds = {name: profile.seconds for name, profile in PROFILES.items()}
    assert seconds == {"smoke": 20.0, "ci": 120.0, "deep": 7200.0}
    assert all(p.least <= p.chunk <= p.most for p in PROFILES.values())


def test_written_cases_have_a_part_of_the_time() -> None:
    clock = Clock(8.0)
    clock.written = 1.9
    assert clock.affords_written
    clock.written = 2.0
    assert not clock.affords_written


def test_an_item_that_there_is_no_time_for_is_told_in_two_reports(
    scratch: Scratch,
) -> None:
    """It is not set up, and what ran before it is torn down all the same."""
    call = "        y = function("
    pause = "        __import__('time').sleep(0.15)\n"  # so that not all ops are met
    scratch.write("conftest.py", RIGHT_ENGINE.replace(call, pause + call))
    scratch.write("test_own.py", "def test_own(tmp_path): assert tmp_path")
    only = ("--gradverify", "--gradverify-differentiators", "toy")
    done = scratch.pytest(*only, "--gradverify-time", "1", "-q", "-rs")
    left = [i for i in scratch.of_type("item") if i["reason"].startswith(OUT_OF_TIME)]
    assert left
    done.assert_outcomes(
        passed=1 + sum(i["outcome"] == "passed" for i in scratch.of_type("item")),
        skipped=sum(i["outcome"] == "skipped" for i in scratch.of_type("item")),
    )
    assert f"{OUT_OF_TIME} of 1 s" in done.stdout.str()
    said = looked_at(records.read(scratch.root / "reports" / "gradverify.jsonl"))
    assert re.search(rf"\([1-9]\d* of \d+ ops in no mode\) {OUT_OF_TIME}", said), said


@pytest.mark.slow
def test_a_slow_engine_leaves_examples_of_the_textbook_out(scratch: Scratch) -> None:
    call = "        y = function("
    pause = "        __import__('time').sleep(0.3)\n"
    scratch.write("conftest.py", RIGHT_ENGINE.replace(call, pause + call))
    only = ("--gradverify-only", "--gradverify-suites", "textbook")
    done = scratch.pytest(*only, "--gradverify-time", "4", "-q")
    assert done.ret == 0
    items = scratch.of_type("item")
    late = [i for i in items if i["reason"].startswith(OUT_OF_TIME)]
    assert late, "most of them"
    assert any(i["outcome"] == "passed" for i in items), "but not the first"


def test_witnesses_have_a_part_of_the_time_and_end_with_it(hand: Hand) -> None:
    clock = of(4)
    clock.has_witnesses = True
    with clock.running():
        hand.now += 2.0
    assert clock.left == pytest.approx(98.0 - clocks.WITNESSES * clock.seconds)
    while clock.left > 0.0:
        look(clock, hand, int(hand.now), 1.0)
    assert not clock.is_over
    with clock.running():
        hand.now += clocks.WITNESSES * clock.seconds
    assert clock.is_over
