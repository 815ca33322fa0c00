"""Which slip explains the deviation of an engine at a case.

The case is moved to generic numbers first (its twins), and the engine is run there. At
(1, 1), for example, a forgotten factor of a * b cannot be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gradverify.diagnosis.generic_points import (
    GOLDEN,
    PointStyle,
    larger_twins,
    moved,
    twins,
)
from gradverify.diagnosis.graph_slips import WholeSlip, whole_slips
from gradverify.diagnosis.localize import WHOLE
from gradverify.diagnosis.observation import Observation, observed
from gradverify.diagnosis.op_alone import node_values, op_alone, part_up_to
from gradverify.diagnosis.right_sweep import Right
from gradverify.diagnosis.slip_search import Edge, Slip, rank, reproduces, slips
from gradverify.differentiators import Derivatives
from gradverify.graph import LEAVES, Array, Case

TWINS = 3

Look = Callable[[Case], Derivatives | None]
"""Runs the engine on a case; None where it cannot be run."""


@dataclass(frozen=True)
class FoundSlips:
    """What explains a deviation, the likeliest first; and what was observed.

    of_op: where there is none, a slip that gives what the op gives alone. The graph's
        numbers have another mistake in them, such as the same one with other params.
    """

    slips: tuple[Slip | WholeSlip, ...]
    seen: tuple[Observation, ...]
    plain: Observation | None
    suspects: tuple[int, ...]
    of_op: Slip | None = None


def explained(case: Case, look: Look, op: str, *, leaves: bool = True) -> FoundSlips:
    """The slips that give what the engine gives, at the case and at its twins.

    op: the op that deviates alone, or "graph".
    leaves: whether other literals and data may be tried.
    """
    inner = op == WHOLE  # if an op deviates alone, only that op is looked at
    plain = _seen(case, look, None, inner)
    seen = _at_twins(case, look, plain, leaves, inner)
    if plain is not None and plain.deviates:
        seen.append(plain)
    suspects = _suspects(case, op, seen)
    if not seen:
        return FoundSlips((), (), plain, suspects)
    found: list[Slip | WholeSlip] = []
    alone = SlipsAlone()
    if op == WHOLE:
        found += whole_slips(seen)
    else:
        alone = _alone(case, look, suspects, seen)
        found += alone.put_back
    if not found and not alone.is_unexplained:
        found += slips(seen, suspects)
    if not found and op != WHOLE:
        found += whole_slips(seen)
    of_op = None if found else alone.of_op
    return FoundSlips(tuple(found), tuple(seen), plain, suspects, of_op)


def smallest_part(case: Case, look: Look) -> int | None:
    """The last node of the smallest part of the graph that deviates.

    It is found by bisection: if a part deviates, every larger part that contains it
    deviates too, except by chance. None if the whole graph does not deviate.
    """
    ops = [i for i, node in enumerate(case.graph.nodes) if node.op not in LEAVES]
    low, high = 0, len(ops) - 1

    def deviates(i: int) -> bool:
        seen = _seen(part_up_to(case, i), look, None)
        return seen is not None and seen.deviates

    if not ops or not deviates(ops[high]):
        return None
    while low < high:
        middle = (low + high) // 2
        if deviates(ops[middle]):
            high = middle
        else:
            low = middle + 1
    return ops[high]


def _seen(
    case: Case, look: Look, before: Right | None, inner: bool = False
) -> Observation | None:
    derivatives = look(case)
    if derivatives is None:
        return None
    return observed(case, derivatives, before, inner=inner)


def _at_twins(
    case: Case, look: Look, first: Observation | None, leaves: bool, inner: bool
) -> list[Observation]:
    """Up to three twins at which the deviation still shows, and one with larger
    arrays.
    """
    found: list[Observation] = []
    before = None if first is None else first.right
    for which in range(TWINS):
        for twin in twins(case, which, leaves=leaves):
            seen = _seen(twin, look, before, inner)
            before = seen.right if seen is not None else None
            if seen is not None and seen.deviates:
                found.append(seen)
                break
        else:
            break
    return [*found, *_larger(case, look, inner)]


def _larger(case: Case, look: Look, inner: bool = False) -> Iterator[Observation]:
    """A twin with larger arrays at which the deviation still shows, if there is one."""
    for twin in larger_twins(case):
        seen = _seen(twin, look, None, inner)
        if seen is not None and seen.deviates:
            yield seen
            return


def _suspects(case: Case, op: str, seen: Sequence[Observation]) -> tuple[int, ...]:
    """The nodes whose rule may be wrong.

    If an op deviates alone, these are its nodes. If the engine gave the adjoints of all
    nodes, then the nodes that feed the first wrong adjoint on the way back are suspects
    too.
    """
    nodes = case.graph.nodes
    ops = [i for i, node in enumerate(nodes) if node.op not in LEAVES]
    if op != WHOLE and op in case.graph.ops:
        ops = [i for i in ops if nodes[i].op == op]
    inner = [o for o in seen if len(o.nodes) > len(case.graph.inputs)]
    if inner and op == WHOLE and inner[0].wrong:
        first = max(inner[0].wrong)
        ops = [i for i in ops if first in nodes[i].operands] or ops
    return tuple(ops)


# ---- the op alone


@dataclass(frozen=True)
class SlipsAlone:
    """Slips that explain an op alone.

    put_back: those that explain the graph as well. of_op: else one that does not.
    is_unexplained: whether no slip gives what the op alone gives. Then one that gives
        the numbers of the whole graph does so by chance.
    """

    put_back: tuple[Slip, ...] = ()
    of_op: Slip | None = None
    is_unexplained: bool = False


def _alone(
    case: Case,
    look: Look,
    suspects: Sequence[int],
    seen: Sequence[Observation],
) -> SlipsAlone:
    """Slips that explain a suspected op alone, put back into the graph."""
    is_unexplained, of_op = False, None
    for i in suspects:
        alone = list(_observed_alone(case, look, i, seen))
        if not alone:
            continue
        place = next(
            k
            for k, node in enumerate(alone[0].right.graph.nodes)
            if node.op == case.graph.nodes[i].op
        )
        known = slips(alone, [place])
        found = [
            back
            for slip in known
            if (back := _put_back(slip, i, suspects, seen)) is not None
        ]
        if found:
            return SlipsAlone(tuple(found))
        is_unexplained = is_unexplained or not known
        if known and of_op is None:
            of_op = replace(known[0], edges=tuple((i, k) for _, k in known[0].edges))
    return SlipsAlone((), of_op, is_unexplained)


def _observed_alone(
    case: Case, look: Look, i: int, seen: Sequence[Observation]
) -> Iterator[Observation]:
    """The op alone, at the values that it met in each twin, from a generic
    cotangent.
    """
    before, first = None, None
    for k, whole in enumerate(seen[:TWINS]):
        values = node_values(whole.case)
        for ct in _cotangents(whole.case, i, k):
            try:
                alone = op_alone(whole.case, i, values, ct)
            except ValueError:
                continue
            found = _seen(alone, look, before) if alone.point else None
            before = found.right if found is not None else None
            if found is not None and found.deviates:
                first = found if first is None else first
                yield found
                break
    apart = None if first is None else _apart(first.case, look)
    if apart is not None:
        yield apart
    if first is not None:
        yield from _larger(first.case, look)


def _apart(alone: Case, look: Look) -> Observation | None:
    """The op alone at operands that differ, where some of them were one node.

    The value of lerp(a, a, a), for example, is each of its operands.
    """
    points = [x.tobytes() for x in alone.point]
    if len(set(points)) == len(points):
        return None
    other = moved(alone, TWIN_APART, PointStyle(0.1, leaves=False))
    seen = None if other is None else _seen(other, look, None)
    return seen if seen is not None and seen.deviates else None


TWIN_APART = TWINS  # the number of a twin that no other look takes


def _cotangents(case: Case, i: int, k: int) -> list[Array]:
    """A generic cotangent, if the op can be told from the weights; else ones."""
    shape = case.graph.nodes[i].shape
    ones = np.ones(shape)
    if case.graph.nodes[i].op in ("mul", "sum"):
        return [ones]
    places = np.arange(1, ones.size + 1) + 37 * k
    return [(0.3 + np.mod(places * GOLDEN, 1.0)).reshape(shape), ones]


def _put_back(
    slip: Slip, i: int, suspects: Sequence[int], seen: Sequence[Observation]
) -> Slip | None:
    """The slip at the op's nodes in the graph: at one of them, or at all."""
    operands = {k for _, k in slip.edges}

    def at(nodes: Sequence[int]) -> Slip:
        edges: list[Edge] = [
            (j, k)
            for j in sorted(nodes, reverse=True)
            for k in range(len(seen[0].right.graph.nodes[j].operands))
            if k in operands
        ]
        return replace(slip, edges=tuple(edges))

    scopes = [[i], *([j] for j in suspects if j != i), list(suspects)]
    for nodes in scopes:
        candidate = at(nodes)
        if candidate.edges and all(reproduces(o, candidate) for o in seen):
            return candidate
    return None


def cost(slip: Slip | WholeSlip) -> tuple[int, bool]:
    """How many changes a slip makes, and whether a factor had to be fitted."""
    return rank(slip)[:2] if isinstance(slip, Slip) else (1, False)


def equally_good(found: Sequence[Slip | WholeSlip]) -> list[Slip | WholeSlip]:
    """The first slip, and slips of other rows that make no more changes."""
    if not found:
        return []
    best = found[0]
    same = [best]
    for slip in found[1:]:
        if slip.cause.name in {s.cause.name for s in same}:
            continue
        if cost(slip) == cost(best):
            same.append(slip)
    return same
