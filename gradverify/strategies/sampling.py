"""Drawing many cases, and searching for the smallest that fails."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, find, settings
from hypothesis.control import current_build_context
from hypothesis.errors import NoSuchExample, StopTest
from hypothesis.strategies import DrawFn, SearchStrategy, composite

from gradverify.graph import Case
from gradverify.strategies.shrinking.minimise import holds, key_of, measure, minimise

T = TypeVar("T")

ROUND = 25  # draws of one search; a longer one repeats what it has drawn
ROUNDS = 4  # after so many rounds without a new case, there are no more


def _settings(count: int, *phases: Phase) -> settings:
    """Settings that leave nothing out, so that no profile or CI variable changes a
    draw.
    """
    return settings(
        max_examples=count,
        phases=phases,
        database=None,
        deadline=None,
        derandomize=False,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        backend="hypothesis",
    )


@dataclass(frozen=True)
class Sample:
    """Distinct cases, with how many draws were begun and how many were rejected.

    Hypothesis begins with small examples, and cuts a draw short that would grow larger
    (3 to 4 % of all). Such draws count as neither. Rejected is only what our own
    filters refuse.
    """

    cases: list[Case]
    begun: int
    rejected: int


def sample(strategy: SearchStrategy[Case], n: int, seed: int) -> list[Case]:
    """The cases that `draw` finds."""
    return draw(strategy, n, seed).cases


def draw(strategy: SearchStrategy[Case], n: int, seed: int) -> Sample:
    """n distinct cases, or fewer if the strategy has no more.

    They depend on the seed alone. Every search of Hypothesis begins with the simplest
    case; it is left out, unless there is nothing else.
    """
    found: dict[object, Case] = {}
    draws: Counter[str] = Counter()

    counted = _counted(strategy, draws)
    source = random.Random(seed)
    barren = 0
    while len(found) <= n and barren < ROUNDS:
        before = len(found)
        _draw(counted, found, n + 1, source, draws)
        barren = barren + 1 if len(found) == before else 0
    cases = list(found.values())
    return Sample(
        cases[1 : n + 1] if len(cases) > n else cases,
        draws["begun"],
        draws["begun"] - draws["ended"],
    )


@composite
def _counted(
    draw_from: DrawFn, strategy: SearchStrategy[Case], draws: Counter[str]
) -> Case:
    """The same cases; draws that were not cut short are counted."""
    draws["begun"] += 1
    try:
        return draw_from(strategy)
    except StopTest:
        draws["begun"] -= current_build_context().data.status.name == "OVERRUN"
        raise


def _draw(
    strategy: SearchStrategy[Case],
    found: dict[object, Case],
    enough: int,
    source: random.Random,
    draws: Counter[str],
) -> None:
    def is_enough(case: Case) -> bool:
        draws["ended"] += 1
        found.setdefault(key_of(case), case)
        return len(found) >= enough

    try:
        chosen = _settings(ROUND, Phase.generate)
        find(strategy, is_enough, settings=chosen, random=source)
    except NoSuchExample:
        pass


class _Over(BaseException):
    """The time of a search is over. Hypothesis passes on what is no `Exception`."""


def shrink(
    strategy: SearchStrategy[Case],
    fails: Callable[[Case], bool],
    seed: int,
    max_examples: int = 500,
    is_over: Callable[[], bool] = lambda: False,
) -> Case | None:
    """The smallest case found for which `fails` is true; None if none was found.

    Hypothesis searches, and shrinks its choices. Then `minimise` shrinks the graph.

    is_over: whether the search ends with what it has found by now. It is asked before
        every case.
    """
    known: dict[object, bool] = {}
    failing: list[Case] = []

    def judged(case: Case) -> bool:
        if is_over():
            raise _Over
        key = key_of(case)
        if key not in known:
            known[key] = holds(fails, case)
            if known[key]:
                failing.append(case)
        return known[key]

    try:
        chosen = _settings(max_examples, Phase.generate, Phase.shrink)
        find(strategy, judged, settings=chosen, random=random.Random(seed))
        return minimise(min(failing, key=measure), judged)
    except NoSuchExample:
        return None
    except _Over:
        return min(failing, key=measure, default=None)
