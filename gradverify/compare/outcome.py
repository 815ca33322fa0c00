"""One run of one case and its reference give a verdict."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any

import numpy as np

from gradverify.compare.at_edges import at_edges
from gradverify.compare.at_kinks import at_kinks, flat_gradient
from gradverify.compare.entries import (
    HIDDEN,
    UNBOUNDED,
    Entry,
    all_hidden,
    decimal,
    worst,
)
from gradverify.compare.many import noteworthy, wrong_entries
from gradverify.differentiators import Derivatives
from gradverify.formats import format_of
from gradverify.graph import Array, Case, names_of
from gradverify.questions import GRADIENT, JVP, contracted
from gradverify.reference import (
    Bound,
    Doubled,
    Reference,
    Slope,
    floats_of,
)
from gradverify.surroundings import surrounded
from gradverify.verdict import Judgement, Verdict

BESIDE = (
    "another number of the answer, or one on the way to it, overflows: infinity times "
    "0 is NaN beside it"
)


@surrounded
def compare(case: Case, reference: Reference, derivatives: Derivatives) -> Judgement:
    """The verdict on one run of one case. The worst entry decides it.

    At a kink, a gradient may lie outside the hull of one-sided slopes, but inside the
    hull over all choices of branches. The verdict is then `KINK_COMPOSITION` with an
    empty note. Only the library's own conventions can tell whether it is true
    (`diagnosis/conventions.py`).
    """
    judgement = _compared(case, reference, derivatives)
    if judgement.note == UNBOUNDED:
        judgement = replace(judgement, note=reference.unbounded)
    return replace(judgement, question=reference.question.name)


def _compared(case: Case, reference: Reference, derivatives: Derivatives) -> Judgement:
    trouble = _trouble(case, reference, derivatives)
    if trouble is not None:
        return trouble
    misfit = _value_misfit(case, reference, derivatives)
    if misfit is not None:
        return misfit
    value = worst(case.dtype, [_value_entry(reference, derivatives)])
    if value.verdict in (Verdict.WRONG, Verdict.NONFINITE):
        wrong = value.verdict is Verdict.WRONG
        return replace(value, verdict=Verdict.WRONG_VALUE if wrong else value.verdict)
    misfit = _misfit(case, reference, derivatives)
    if misfit is not None:
        return misfit
    if reference.status in (Slope.NONE, Slope.UNRESOLVED):
        verdict = Verdict.NO_DERIVATIVE
        if reference.status is Slope.UNRESOLVED:
            verdict = Verdict.UNRESOLVED
        got = _not_finite(flat_gradient(case, derivatives, reference.question))
        return Judgement(verdict, got=got, note=reference.note)
    if reference.edges is not None:
        return at_edges(case, reference, derivatives)
    if reference.kinked is not None:
        return at_kinks(case, reference, derivatives)
    entries = list(_gradient_entries(case, reference, derivatives))
    judgement = _counted(worst(case.dtype, entries), reference, derivatives)
    if judgement.verdict is Verdict.NONFINITE and _overflows(case, reference):
        return replace(judgement, verdict=Verdict.NO_DERIVATIVE, note=BESIDE)
    if reference.status is Slope.ONE_SIDED and judgement.verdict.fails():
        return replace(judgement, verdict=Verdict.NO_DERIVATIVE, note=reference.note)
    if judgement.verdict is Verdict.AGREES and derivatives.intermediates:
        inner = worst(case.dtype, list(_inner_entries(case, reference, derivatives)))
        if inner.verdict is Verdict.WRONG:
            return inner
    if judgement.verdict is Verdict.AGREES and all_hidden(entries):
        judgement = replace(
            judgement, verdict=Verdict.VACUOUS, smallest_fault=None, note=HIDDEN
        )
    if value.verdict is Verdict.IMPRECISE and judgement.verdict is Verdict.AGREES:
        return replace(value, note="the value, not the derivative")
    return judgement


def _not_finite(numbers: Array) -> str:
    """The first number that is none, where there is one."""
    found = numbers[~np.isfinite(numbers)]
    return str(found[0]) if len(found) else ""


def _overflows(case: Case, reference: Reference) -> bool:
    """Whether a number of a Jacobian or of second derivatives does not fit the dtype.

    Where many tangents go forward at once, a slope that is infinite in the dtype meets
    tangents of 0, and infinity times 0 is NaN in the numbers beside it. In a gradient
    or a tangent, no number comes from slopes of another one.
    """
    mixes = reference.question not in (GRADIENT, JVP)
    return mixes and not _is_finite(case, reference)


def _counted(
    judgement: Judgement, reference: Reference, derivatives: Derivatives
) -> Judgement:
    """The judgement with the number of entries that deviate, if there is a large
    array.
    """
    if judgement.verdict is not Verdict.WRONG:
        return judgement
    columns = derivatives.cotangents, reference.gradient, reference.bounds
    if not (wrong := wrong_entries(*columns)):
        return judgement
    total = sum(math.prod(x.shape) for x in reference.gradient)
    return replace(judgement, note=f"{wrong:,} of {total:,} entries deviate")


# ---- what is wrong before any number is looked at


def _trouble(
    case: Case, reference: Reference, derivatives: Derivatives
) -> Judgement | None:
    if derivatives.timed_out:
        return Judgement(Verdict.TIMED_OUT, note=f"{derivatives.seconds:.3g} s")
    if derivatives.error is not None:
        error = derivatives.error
        text = f"{error.kind}: {error}"
        told = f"{text}\n{error.detail}" if error.detail else text
        if not derivatives.fatal and not _is_finite(case, reference):
            note = f"not finite in {case.dtype}; the differentiator raised {text}"
            return Judgement(Verdict.NO_DERIVATIVE, got=text, note=note)
        return Judgement(Verdict.CRASHED, got=text, note=told, trace=error.trace)
    if derivatives.mutated or derivatives.seeds:
        names, inputs = names_of(case.graph), case.graph.inputs
        points = (names[inputs[k]] for k in derivatives.mutated)
        changed = ", ".join((*points, *derivatives.seeds))
        return Judgement(Verdict.INPUT_MUTATED, where=changed)
    return None


def _is_finite(case: Case, reference: Reference) -> bool:
    """Whether the value, the derivative and everything on the way fit the dtype."""
    largest = format_of(case.dtype).largest
    bounds = [reference.value_bound, *reference.bounds]
    return (
        abs(reference.value) <= largest
        and all(np.all(np.abs(floats_of(x)) <= largest) for x in reference.gradient)
        and all(np.all(np.isfinite(b.loose)) for b in bounds)
    )


def _value_misfit(
    case: Case, reference: Reference, derivatives: Derivatives
) -> Judgement | None:
    """A missing value, or one of the wrong shape or dtype."""
    got = derivatives.value
    if got is None:
        return Judgement(Verdict.MISSING, "value", "None", decimal(reference.value))
    array = np.asarray(got)
    if array.shape != ():
        graph = case.graph
        wanted = (
            graph.nodes[contracted(graph).node].shape if derivatives.of_array else ()
        )
        return Judgement(Verdict.WRONG_SHAPE, "value", str(array.shape), str(wanted))
    if not _fits(got, array, case.dtype):
        return Judgement(Verdict.WRONG_DTYPE, "value", str(array.dtype), case.dtype)
    return None


def _misfit(
    case: Case, reference: Reference, derivatives: Derivatives
) -> Judgement | None:
    """A missing derivative, a wrong shape, a wrong dtype."""
    parts = reference.question.parts(case)
    if len(derivatives.cotangents) != len(parts):
        note = f"{len(derivatives.cotangents)} derivatives for {len(parts)} inputs"
        return Judgement(Verdict.WRONG_SHAPE, note=note)
    for k, (part, got) in enumerate(zip(parts, derivatives.cotangents, strict=True)):
        if got is None:
            if _may_be_missing(reference, k):
                continue
            exact = _exact_text(reference, k)
            return Judgement(Verdict.MISSING, part.name, "None", exact)
        array = np.asarray(got)
        if array.shape != part.shape:
            shapes = str(array.shape), str(part.shape)
            return Judgement(Verdict.WRONG_SHAPE, part.name, *shapes)
        if not _fits(got, array, case.dtype):
            dtypes = str(array.dtype), case.dtype
            return Judgement(Verdict.WRONG_DTYPE, part.name, *dtypes)
    return None


def _fits(got: Any, array: Array, dtype: str) -> bool:
    """Whether the dtype fits. Python floats and ints have none and always fit."""
    return array.dtype == dtype or type(got) in (float, int)


def _may_be_missing(reference: Reference, k: int) -> bool:
    """Whether the engine may give None here, which stands for zero.

    It may if the derivative is zero, or if it is not judged.
    """
    if reference.kinked is not None or not reference.gradient:
        return True
    exact = reference.gradient[k]
    if isinstance(exact, Doubled):
        return not np.any(exact.error(np.zeros(exact.shape)) > reference.loose[k])
    return all(
        abs(v) <= b
        for v, b in zip(
            reference.gradient[k].reshape(-1),
            reference.loose[k].reshape(-1).astype(float),
            strict=True,
        )
    )


def _exact_text(reference: Reference, k: int) -> str:
    if not reference.gradient:
        return ""
    exact = reference.gradient[k]
    first = itertools.islice(np.ndindex(exact.shape), 4)
    return ", ".join(decimal(exact[i]) for i in first)


# ---- numbers


def _value_entry(reference: Reference, derivatives: Derivatives) -> Entry:
    bound = reference.value_bound
    return Entry(
        "value",
        _number(derivatives.value),
        reference.value,
        float(bound.tight),
        float(bound.loose),
        None,
    )


def _number(value: Any) -> float:
    try:
        return float(np.asarray(value).reshape(()))
    except (TypeError, ValueError):
        return math.nan


def _gradient_entries(
    case: Case, reference: Reference, derivatives: Derivatives
) -> Iterator[Entry]:
    for k, part in enumerate(reference.question.parts(case)):
        got = derivatives.cotangents[k]
        array = np.zeros(part.shape) if got is None else np.asarray(got)
        yield from _entries(
            part.name,
            array,
            reference.gradient[k],
            reference.bounds[k],
            reference.paths[k],
        )


def _inner_entries(
    case: Case, reference: Reference, derivatives: Derivatives
) -> Iterator[Entry]:
    names = names_of(case.graph)
    for node, got in (derivatives.intermediates or {}).items():
        if got is None or node not in reference.intermediates:
            continue
        exact, bound = reference.intermediates[node]
        array = np.asarray(got)
        if array.shape == exact.shape:
            yield from _entries(f"d/d{names[node]}", array, exact, bound, None)


def _entries(
    where: str, got: Array, exact: Any, bound: Bound, paths: Array | None
) -> Iterator[Entry]:
    if isinstance(exact, Doubled):
        yield from _noteworthy(where, got, exact, bound, paths)
        return
    sizes: Iterable[float | None] = repeat(None) if paths is None else _floats(paths)
    columns = map(_floats, (got, bound.tight, bound.loose))
    places = np.ndindex(exact.shape)
    rows = zip(*columns, exact.reshape(-1), places, sizes, strict=False)
    for number, tight, loose, whole, place, path in rows:
        yield Entry(where, number, whole, tight, loose, path, place)


def _noteworthy(
    where: str, got: Array, exact: Doubled, bound: Bound, paths: Array | None
) -> Iterator[Entry]:
    """Of very many entries, those that can decide the verdict."""
    for place in noteworthy(got, exact, bound, paths):
        tight, loose = float(bound.tight[place]), float(bound.loose[place])
        path = None if paths is None else float(paths[place])
        number = float(got[place])
        yield Entry(where, number, exact[place], tight, loose, path, place)


@np.errstate(over="ignore")
def _floats(x: Array) -> list[float]:
    found: list[float] = np.asarray(x, np.float64).reshape(-1).tolist()
    return found
