"""A gradient at active kinks is held against the hull of all right derivatives."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gradverify.compare.entries import DROPPED_PATH, UNBOUNDED
from gradverify.differentiators import Derivatives
from gradverify.graph import Array, Case
from gradverify.questions import GRADIENT, Question
from gradverify.reference import Hull, Reference, inside_box, inside_hull
from gradverify.verdict import Judgement, Verdict


def flat_gradient(
    case: Case, derivatives: Derivatives, question: Question = GRADIENT
) -> Array:
    """All numbers of an answer one after another; None counts as zeros.

    Raises `ValueError` if there are more or fewer arrays than the question has parts.
    """
    parts = question.parts(case)
    arrays = [
        np.zeros(math.prod(part.shape))
        if got is None
        else np.asarray(got, float).reshape(-1)
        for part, got in zip(parts, derivatives.cotangents, strict=True)
    ]
    return np.concatenate(arrays) if arrays else np.zeros(0)


def at_kinks(case: Case, reference: Reference, derivatives: Derivatives) -> Judgement:
    kinked = reference.kinked
    assert kinked is not None
    hull = kinked.hull
    got = flat_gradient(case, derivatives)
    allowed = np.concatenate([b.reshape(-1) for b in reference.loose]).astype(float)
    base = Judgement(
        Verdict.WRONG,
        "gradient",
        _vector(got),
        _hull_text(hull.vertices),
        allowed=float(allowed.max(initial=0.0)),
    )
    if not np.all(np.isfinite(allowed)):
        return replace(base, verdict=Verdict.VACUOUS, note=UNBOUNDED)
    if not np.all(np.isfinite(got)):
        return replace(base, verdict=Verdict.NONFINITE)
    if inside_hull(hull, got, allowed):
        verdict = Verdict.AGREES if hull.is_point else Verdict.KINK_CONVENTION
        if _could_hide_a_path(reference):
            verdict = Verdict.VACUOUS
        return replace(base, verdict=verdict)
    if inside_box(hull, got, allowed):
        return replace(base, verdict=Verdict.KINK_COMPOSITION)
    return replace(base, bound_ratio=_outside(hull, got, allowed))


def _outside(hull: Hull, got: Array, allowed: Array) -> float:
    """How far the worst entry is outside the box, in units of its allowed error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.maximum(got - hull.highest, hull.lowest - got) / allowed
    return float(np.nanmax(beyond, initial=0.0))


def _could_hide_a_path(reference: Reference) -> bool:
    """Whether the bounds are too wide to show that a path was lost, in every entry.

    Entries without any path do not count.
    """
    paths = np.concatenate([a.reshape(-1) for a in reference.paths])
    bound = np.concatenate([b.reshape(-1) for b in reference.bound])
    has_path = paths > 0
    hides = DROPPED_PATH * bound > paths
    return bool(np.any(has_path) and np.all(hides[has_path]))


def _vector(numbers: Array) -> str:
    text = ", ".join(f"{x:.17g}" for x in numbers[:6])
    more = ", ..." if len(numbers) > 6 else ""
    return text if len(numbers) == 1 else f"({text}{more})"


def _hull_text(vertices: Array) -> str:
    rows = [_vector(v) for v in np.unique(vertices, axis=0)]
    if len(rows) == 1:
        return rows[0]
    more = ", ..." if len(rows) > 4 else ""
    return f"between {', '.join(rows[:4])}{more}"
