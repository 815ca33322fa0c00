"""Which slips give all the numbers that somebody gave, with the fewest changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradverify.diagnosis.causes import CAUSES, Cause
from gradverify.diagnosis.observation import Observation
from gradverify.diagnosis.operand_slips import CONSTANTS, FIT, Key
from gradverify.diagnosis.right_sweep import Application, Bars
from gradverify.graph import LEAVES, Array

Edge = tuple[int, int]  # a node and one of its operands


@dataclass(frozen=True)
class Slip:
    """A cause at some edges, which explains the numbers.

    edges: pairs of a node and an operand; the first one is nearest to the output.
    op: the op of the nodes.
    """

    cause: Cause
    key: Key
    edges: tuple[Edge, ...]
    op: str

    @property
    def node(self) -> int:
        """The changed node that is nearest to the output."""
        return self.edges[0][0]

    @property
    def changes(self) -> int:
        """How many partial derivatives are changed. A swap counts as one change."""
        places = {i for i, _ in self.edges} if self.cause.whole else self.edges
        return self.cause.weight * len(places)


def slips(
    seen: Sequence[Observation], suspects: Sequence[int] | None = None
) -> list[Slip]:
    """The slips at suspected nodes that give all numbers, the likeliest first.

    suspects: the nodes to look at; all of them unless given.
    """
    if not seen or not any(o.deviates for o in seen):
        return []
    graph = seen[0].right.graph
    nodes = [i for i, node in enumerate(graph.nodes) if node.op not in LEAVES]
    nodes = [i for i in reversed(nodes) if suspects is None or i in suspects]
    fits_factor = len(seen) > 1
    found: list[Slip] = []
    with np.errstate(all="ignore"):
        for i in nodes:
            found += _at_node(seen, i, fits_factor)
        for op in dict.fromkeys(graph.nodes[i].op for i in nodes):
            several = [i for i in nodes if graph.nodes[i].op == op]
            if len(several) > 1:
                found += _at_all(seen, several, fits_factor)
    return sorted(found, key=rank)


def rank(slip: Slip) -> tuple[int, bool, int, bool, int]:
    """The order of slips: fewest changes, then the order of the table, then from the
    output back.

    A constant comes first at an op whose derivative contains that constant.
    """
    cause, fitted = slip.cause, isinstance(slip.key, float)
    unlikely = slip.key in cause.likely and slip.op not in cause.likely[slip.key]
    return slip.changes, fitted, CAUSES.index(cause), unlikely, -slip.node


# ---- at one node


def _at_node(seen: Sequence[Observation], i: int, fits_factor: bool) -> Iterator[Slip]:
    first = seen[0].right
    if first.adjoints[i] is None:
        return
    application = first.application(i)
    for cause in CAUSES:
        done: list[tuple[Edge, ...]] = []  # the first variant of a row is enough
        for key in cause.keys(application):
            for edges in _scopes(application, cause):
                if edges in done or (key == FIT and not fits_factor):
                    continue
                slip = _tried(
                    seen, application, Slip(cause, key, edges, application.node.op)
                )
                if slip is not None:
                    done.append(edges)
                    yield slip


def _scopes(a: Application, cause: Cause) -> list[tuple[Edge, ...]]:
    """Every single operand, and all operands together."""
    edges = [(a.index, k) for k in a.moved]
    one: list[tuple[Edge, ...]] = [] if cause.whole else [(e,) for e in edges]
    return [*one, tuple(edges)] if cause.whole or len(edges) > 1 else one


def _tried(seen: Sequence[Observation], a: Application, slip: Slip) -> Slip | None:
    """The slip if it gives all numbers, with its factor fitted; else None."""
    if slip.key == FIT:
        factor = _factor(seen[0], a, slip)
        if factor is None:
            return None
        slip = replace(slip, key=factor)
    numbers = _predicted(seen[0], a, slip)
    if numbers is None or not seen[0].is_explained_by(numbers):
        return None
    return slip if all(reproduces(o, slip) for o in seen) else None


def _predicted(first: Observation, a: Application, slip: Slip) -> Array | None:
    """The numbers with the slip, from what a change of an adjoint does to them."""
    bars = slip.cause.bars(a, slip.key)
    if bars is None:
        return None
    numbers = first.exact
    for _, k in slip.edges:
        change = _difference(bars[k], a.bars[k])
        if change is None:
            return None
        j = a.node.operands[k]
        if np.shape(change) != first.right.graph.nodes[j].shape:
            return None
        numbers = numbers + first.effect(j, change)
    return numbers


def _difference(bar: Any, right: Any) -> Any:
    if bar is None:
        return None if right is None else -right
    return bar if right is None else bar - right


def _factor(first: Observation, a: Application, slip: Slip) -> float | None:
    """The factor on the bars of the edges that best explains the largest error."""
    whole = np.zeros_like(first.exact)
    for _, k in slip.edges:
        if a.bars[k] is not None:
            whole = whole + first.effect(a.node.operands[k], a.bars[k])
    return _quotient(first, first.given - first.exact, whole)


def _quotient(first: Observation, error: Array, whole: Array) -> float | None:
    if not np.all(np.isfinite(error)) or not np.any(whole):
        return None
    at = int(np.argmax(np.abs(whole)))
    factor = float(1.0 + error[at] / whole[at])
    return factor if np.isfinite(factor) and not _is_known(factor) else None


def _is_known(factor: float) -> bool:
    """Whether another row says it better: a factor of 1, -1, 0, or a constant."""
    if factor == 1.0 or abs(factor) < 1e-12:
        return True
    others = (-1.0, *map(float, CONSTANTS.values()))
    return any(abs(factor - c) < 1e-9 for c in others)


# ---- by a whole sweep


def changing(slip: Slip) -> Callable[[Application], Bars | None]:
    """The change of a reverse sweep that a slip amounts to."""
    edges = set(slip.edges)

    def change(a: Application) -> Bars | None:
        mine = [k for k in range(len(a.xs)) if (a.index, k) in edges]
        if not mine:
            return None
        bars = slip.cause.bars(a, slip.key)
        if bars is None:
            return None
        return [bars[k] if k in mine else a.bars[k] for k in range(len(a.xs))]

    return change


def predicted(seen: Observation, slip: Slip) -> Array | None:
    """All numbers with the slip; None if its shapes do not fit the graph."""
    try:
        with np.errstate(all="ignore"):
            return seen.flat(seen.right.swept(changing(slip)))
    except (ValueError, TypeError):
        return None


def reproduces(seen: Observation, slip: Slip) -> bool:
    """Whether the slip gives the numbers, and the right computation does not."""
    numbers = predicted(seen, slip)
    return numbers is not None and seen.is_explained_by(numbers)


# ---- at every application of an op


def _at_all(
    seen: Sequence[Observation], nodes: Sequence[int], fits_factor: bool
) -> Iterator[Slip]:
    """The same slip at all nodes with one op."""
    first = seen[0].right
    live = [i for i in nodes if first.adjoints[i] is not None]
    if len(live) < 2:
        return
    applications = [first.application(i) for i in live]
    for cause in CAUSES:
        done: list[tuple[Edge, ...]] = []
        for key in cause.keys(applications[0]):
            for edges in _shared_scopes(applications, cause):
                if edges in done or (key == FIT and not fits_factor):
                    continue
                slip = Slip(cause, key, edges, applications[0].node.op)
                if key == FIT:
                    slip = _secant(seen[0], slip)
                if slip is not None and all(reproduces(o, slip) for o in seen):
                    done.append(edges)
                    yield slip


def _shared_scopes(
    applications: Sequence[Application], cause: Cause
) -> list[tuple[Edge, ...]]:
    places = sorted({k for a in applications for k in a.moved})
    by_place = [
        tuple((a.index, k) for a in applications if k in a.moved) for k in places
    ]
    whole = tuple((a.index, k) for a in applications for k in a.moved)
    if cause.whole:
        return [whole]
    return [*by_place, whole] if len(by_place) > 1 else by_place


def _secant(seen: Observation, slip: Slip) -> Any:
    """The slip with the factor that explains the number on which it has most effect.

    The numbers need not be linear in the factor, so that secant steps find it.
    """

    def numbers(factor: float) -> Array | None:
        return predicted(seen, replace(slip, key=factor))

    step = 2.0**-20
    ahead = numbers(1.0 + step)
    if ahead is None:
        return None
    slope = (ahead - seen.exact) / step
    at = int(np.argmax(np.abs(slope)))
    low, high = 1.0, float(1.0 + (seen.given[at] - seen.exact[at]) / slope[at])
    error = float(seen.exact[at] - seen.given[at])
    for _ in range(8):
        found = numbers(high)
        if found is None or not np.isfinite(high) or high == low:
            return None
        after = float(found[at] - seen.given[at])
        if after == error or after == 0.0:
            break
        low, high, error = high, high - after * (high - low) / (after - error), after
    return None if _is_known(high) else replace(slip, key=high)
