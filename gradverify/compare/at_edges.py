"""Derivatives at an edge are held against the slopes that the function has there.

For example, the slopes of a norm at 0 are all vectors of the unit ball.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from gradverify.compare.at_kinks import flat_gradient
from gradverify.compare.entries import UNBOUNDED, Entry, decimal, worst
from gradverify.differentiators import Derivatives
from gradverify.graph import Array, Case, names_of
from gradverify.reference import RAY, Reference
from gradverify.verdict import Judgement, Verdict

STEPS = 2000  # of the search for slopes within their balls
CONVERGED = 1e-12  # a step of that search which is shorter is its last one
NEAR = 1e-6  # of a ball's radius: how near the search comes to its border
UNDEFINED = "NaN where the slope is infinite on one side"
INFINITE = "the slope is infinite on one side"


def at_edges(case: Case, reference: Reference, derivatives: Derivatives) -> Judgement:
    """The judgement of the worst entry.

    An entry that no slope moves is judged as anywhere else, so that a NaN which leaks
    into it is found. Entries with slopes in balls are right if slopes within their
    balls give them. Where a slope has no limit, infinity of the right sign is right by
    convention, and so is any number on that side. NaN is listed as a convention too.
    """
    edges = reference.edges
    assert edges is not None
    got = flat_gradient(case, derivatives)
    where, exact = _places(case), np.concatenate([x.ravel() for x in edges.base])
    allowed = [np.concatenate([np.ravel(getattr(b, n)) for b in reference.bounds])
               for n in ("tight", "loose")]  # fmt: skip
    is_ray = np.any(edges.slopes[:, edges.groups == RAY] != 0, axis=1)
    is_moved = np.any(edges.slopes != 0, axis=1)
    rows = zip(where, got, exact, *allowed, strict=True)
    plain = [
        Entry(name, float(number), whole, float(tight), float(loose), None, place)
        for moved, ((name, place), number, whole, tight, loose) in zip(
            is_moved, rows, strict=True
        )
        if not moved
    ]
    found = [worst(case.dtype, plain)] if plain else []
    for k in np.flatnonzero(is_ray):
        found.append(
            _of_ray(
                where[k], got[k], exact[k], edges.slopes[k], edges.groups, allowed[1][k]
            )
        )
    inside = is_moved & ~is_ray
    if inside.any():
        found.append(
            _of_balls(
                [where[k] for k in np.flatnonzero(inside)],
                got[inside],
                np.array([float(x) for x in exact[inside]]),
                edges.slopes[inside],
                edges.groups,
                allowed[1][inside].astype(float),
            )
        )
    return min(found, key=lambda j: _ORDER.index(j.verdict))


_ORDER = (
    Verdict.NONFINITE,
    Verdict.WRONG,
    Verdict.IMPRECISE,
    Verdict.KINK_CONVENTION,
    Verdict.AGREES,
    Verdict.NO_DERIVATIVE,
    Verdict.VACUOUS,
)


def _places(case: Case) -> list[tuple[str, tuple[int, ...]]]:
    names = names_of(case.graph)
    return [
        (f"d/d{names[node]}", place)
        for node, x in zip(case.graph.inputs, case.point, strict=True)
        for place in np.ndindex(x.shape)
    ]


def _text(where: tuple[str, tuple[int, ...]]) -> str:
    return where[0] + (str(list(where[1])) if where[1] else "")


def _of_ray(
    where: Any, got: float, base: Any, slopes: Array, groups: Array, allowed: float
) -> Judgement:
    """One entry, of which a slope may be any number from 0 to infinity.

    Other slopes of the entry may lie in balls. They move the end of what is right by
    their radii: the derivative of sqrt(x) + hypot(x, y) by x at 0 may be anything from
    -1 on.
    """
    along = slopes[groups == RAY]
    signs = np.sign(along[along != 0])
    sign = signs[0] if np.all(signs == signs[0]) else 0.0
    end = "-inf" if sign < 0 else "inf"
    exact = f"between {decimal(base)} and {end}" if sign else "any number"
    judgement = Judgement(
        Verdict.KINK_CONVENTION, _text(where), repr(float(got)), exact, note=INFINITE
    )
    if math.isnan(got):
        return replace(judgement, note=UNDEFINED)
    balls = (groups == g for g in set(groups.tolist()) - {RAY})
    reach = sum(float(np.linalg.norm(slopes[members])) for members in balls)
    least = float(base) - sign * (float(allowed) + (1.0 + NEAR) * reach)
    if sign and not math.isfinite(least):
        return replace(judgement, verdict=Verdict.VACUOUS, note=UNBOUNDED)
    if sign and (got - least) * sign < 0.0:
        return replace(judgement, verdict=Verdict.WRONG, note="")
    return judgement


def _of_balls(
    where: Any, got: Array, base: Array, slopes: Array, groups: Array, allowed: Array
) -> Judgement:
    """Several entries at once: the same slopes, each within its ball, must give them
    all.
    """
    sizes = np.sqrt(np.sum(slopes**2, axis=1))
    exact = f"within {_vector(sizes)} of {_vector(base)}"
    first = where[0][0] if len({w[0] for w in where}) == 1 else "gradient"
    judgement = Judgement(
        Verdict.KINK_CONVENTION, first, _vector(got), exact,
        allowed=float(allowed.max(initial=0.0)),
    )  # fmt: skip
    if not np.all(np.isfinite(allowed)):
        return replace(judgement, verdict=Verdict.VACUOUS, note=UNBOUNDED)
    if not np.all(np.isfinite(got)):
        return replace(judgement, verdict=Verdict.NONFINITE)
    far = np.abs(slopes @ nearest(slopes, groups, got - base) - (got - base))
    if np.all(far <= allowed + NEAR * sizes):
        return judgement
    return replace(judgement, verdict=Verdict.WRONG)


def nearest(slopes: Array, groups: Array, target: Array) -> Array:
    """The slopes, each within its ball, whose sum is nearest to a target.

    The method is that of projected gradients with momentum (Beck and Teboulle, 2009).
    """
    scale = np.max(np.abs(slopes), axis=1, keepdims=True)
    scale[scale == 0.0] = 1.0
    a, b = slopes / scale, target / scale[:, 0]
    rate = 1.0 / max(float(np.linalg.norm(a, 2)) ** 2, 1e-300)
    s, t = _within(np.linalg.lstsq(a, b, rcond=None)[0], groups), 1.0
    moved = s
    for _ in range(STEPS):
        step = _within(moved - rate * (a.T @ (a @ moved - b)), groups)
        following = (1.0 + math.sqrt(1.0 + 4.0 * t * t)) / 2.0
        moved, t = step + (t - 1.0) / following * (step - s), following
        if np.max(np.abs(step - s), initial=0.0) < CONVERGED:
            return step
        s = step
    return s


def _within(s: Array, groups: Array) -> Array:
    """The slopes, with those of a ball made shorter if they reach beyond it."""
    result = s.copy()
    for group in set(groups.tolist()):
        members = groups == group
        size = float(np.linalg.norm(s[members]))
        if group != RAY and size > 1.0:
            result[members] = s[members] / size
    return result


def _vector(numbers: Array) -> str:
    text = ", ".join(f"{x:.17g}" for x in numbers[:6])
    more = ", ..." if len(numbers) > 6 else ""
    return text if len(numbers) == 1 else f"({text}{more})"
