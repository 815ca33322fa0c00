"""Making a failing case small: steps on its graph, until no smaller case fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gradverify.graph import Case
from gradverify.strategies.draft import is_sound
from gradverify.strategies.shrinking.cuts import fewer_entries, fewer_nodes, same_leaves
from gradverify.strategies.shrinking.editable_case import EditableCase
from gradverify.strategies.shrinking.plainer import plainer_values, ugliness

Measure = tuple[int, int, int, float]


def measure(case: Case) -> Measure:
    """What is made small: first the ops, then nodes, entries, and ugliness."""
    graph = case.graph
    entries = sum(x.size for x in case.point)
    return graph.size, len(graph.nodes), entries, ugliness(case)


def key_of(case: Case) -> object:
    """What distinguishes one case from another; hashable."""
    return case.graph.key, tuple(x.tobytes() for x in case.point), case.dtype


def holds(fails: Callable[[Case], bool], case: Case) -> bool:
    """Whether the case fails.

    A case that cannot be judged does not count as failing.
    """
    try:
        return bool(fails(case))
    except Exception:
        return False


def minimise(case: Case, fails: Callable[[Case], bool], budget: int = 400) -> Case:
    """A smallest case for which `fails` is still true.

    Every step makes the case smaller and keeps it failing. Nodes are cut off, or
    replaced by their operands or by leaves with their values. Inputs are dropped and
    merged. Shapes lose entries and axes. Numbers become plain.

    A case that does not fail is returned as it is.

    budget: the number of cases that are tried at most.
    """
    search = _Search(fails, budget, must_be_sound=is_sound(case))
    best = case
    while True:
        better = search.step(best)
        if better is None:
            return best
        best = better


class _Search:
    """What has been tried, and how much more may be."""

    def __init__(
        self, fails: Callable[[Case], bool], budget: int, *, must_be_sound: bool
    ) -> None:
        self.fails = fails
        self.budget = budget
        self.must_be_sound = must_be_sound
        self.tried: set[object] = set()

    def step(self, best: Case) -> Case | None:
        """The first candidate that is smaller and fails."""
        size = measure(best)
        for candidate in candidates(best):
            if self.budget <= 0:
                return None
            if measure(candidate) < size and self._accepts(candidate):
                return candidate
        return None

    def _accepts(self, candidate: Case) -> bool:
        key = key_of(candidate)
        if key in self.tried:
            return False
        self.tried.add(key)
        if self.must_be_sound and not is_sound(candidate):
            return False
        self.budget -= 1
        return holds(self.fails, candidate)


def candidates(case: Case) -> Iterator[Case]:
    """Cases that may be smaller: the largest cuts first, then plainer numbers."""
    program = EditableCase.of(case)
    for change in (fewer_nodes, same_leaves, fewer_entries, plainer_values):
        for candidate in change(program):
            made = candidate.case()
            if made is not None:
                yield made
