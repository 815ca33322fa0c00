"""One case, one differentiator: refer, run, compare, and look twice at what
deviates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from gradverify.compare import compare, flat_gradient
from gradverify.diagnosis.conventions import follows_conventions
from gradverify.differentiators import (
    Derivatives,
    Differentiator,
    given_time,
    questions,
    unsupported,
)
from gradverify.formats import format_of
from gradverify.graph import Case
from gradverify.questions import GRADIENT, JVP, SECOND, Question, tangents_of
from gradverify.reference import Reference, Slope, floats_of, reference
from gradverify.surroundings import surrounded
from gradverify.verdict import Judgement, Verdict
from gradverify.verify.asking import Asking, model_of
from gradverify.verify.other_format import reconsidered


@surrounded
def judge(
    case: Case,
    differentiator: Differentiator,
    mode: str,
    *,
    found: Reference | None = None,
    twice: bool = False,
    limit: float = 10.0,
) -> Judgement:
    """The verdict on one differentiator in one mode at one case.

    A mode that is asked several questions is judged by the worst answer.

    found: the reference of the case for one of the questions, if it is known already;
        then that one alone is asked.
    twice: run the case again even if it agrees, to see whether the result is the same.
    limit: seconds that one run of the engine may take.

    Whatever the engine does, raises or returns is a verdict. The truth is a difference
    quotient in mpmath that our own gradient in balls must confirm; the allowed error is
    a first-order rounding analysis (N. J. Higham, Accuracy and Stability of Numerical
    Algorithms, chapter 3), and at a kink the convex hull of slopes is right (F. H.
    Clarke, Optimization and Nonsmooth Analysis).
    """
    reason = unsupported(differentiator, case)
    if reason is not None:
        return Judgement(Verdict.UNSUPPORTED, note=reason)
    if found is not None:
        return _answered(Asking(case, differentiator, mode, found, limit), twice)
    model, judgements = model_of(differentiator), []
    for found in sought(differentiator, mode, partial(reference, case, model)):
        asking = Asking(case, differentiator, mode, found, limit)
        judgements.append(_answered(asking, twice))
        if judgements[-1].verdict.fails():
            break
    return worst_of(judgements)


def sought(
    differentiator: Differentiator, mode: str, refer: Callable[[Question], Reference]
) -> Iterator[Reference]:
    """The references that a mode is held against, one for each of its questions.

    Where no tangent of an array is judged, as at a kink, a jvp is asked for the
    gradient by unit tangents, which is.

    refer: from a question to its reference.
    """
    asked = questions(differentiator, mode)
    for question in asked:
        found = refer(question)
        yield found
        is_rough = question is JVP and found.status is Slope.NONE
        if is_rough and GRADIENT not in asked:
            yield refer(GRADIENT)


def worst_of(judgements: Sequence[Judgement]) -> Judgement:
    """The judgement that says most: what fails, what is listed, what was checked."""
    return min(judgements, key=lambda j: _rank(j.verdict))


def _rank(verdict: Verdict) -> int:
    if verdict.is_finding:
        return 0 if verdict.fails() else 1
    return 2 if verdict is Verdict.AGREES else 3


def _answered(asking: Asking, twice: bool) -> Judgement:
    case, differentiator, found = asking.case, asking.differentiator, asking.found
    derivatives = given_time(asking.run)
    if derivatives.error is not None and derivatives.error.is_missing:
        note = f"it raises NotImplementedError: {derivatives.error}"
        return Judgement(Verdict.UNSUPPORTED, note=note)
    judgement = compare(case, found, derivatives)
    if judgement.verdict is Verdict.KINK_COMPOSITION:
        judgement = _composed(
            judgement, case, found, derivatives, differentiator, asking.mode
        )
    is_number = judgement.verdict in (Verdict.WRONG, Verdict.WRONG_VALUE)
    if is_number or (twice and not derivatives.timed_out):
        again = given_time(asking.run)
        # one that waited for the processor all the time says nothing
        if not (again.starved or _same(derivatives, again)):
            on_device = differentiator.device != "cpu"
            judgement = _repeated(judgement, case, found, derivatives, again, on_device)
    if judgement.verdict in (Verdict.WRONG, Verdict.WRONG_VALUE):
        judgement = reconsidered(judgement, asking, derivatives)
    if judgement.verdict is Verdict.NONFINITE and _meets_zero(asking):
        note = f"a slope does not fit {case.dtype}, and infinity times a tangent of 0"
        verdict = Verdict.NO_DERIVATIVE
        judgement = replace(judgement, verdict=verdict, note=f"{note} is NaN")
    return replace(
        judgement,
        warnings=derivatives.warnings,
        changed=derivatives.changed,
        fatal=derivatives.fatal,
        op=derivatives.op,
    )


def _meets_zero(asking: Asking) -> bool:
    """Whether a slope that is infinite in the dtype is multiplied by a tangent of 0."""
    case, question = asking.case, asking.found.question
    if question not in (JVP, SECOND):
        return False
    slopes = asking.about(GRADIENT).gradient
    largest = format_of(case.dtype).largest
    tangents = tangents_of(case.graph, case.dtype)
    pairs = zip(slopes, tangents, strict=False)  # there may be no slopes at all
    return any(
        np.any(
            (np.abs(floats_of(x)) > largest) & np.equal(0.0 if v is None else v, 0.0)
        )
        for x, v in pairs
    )


def _composed(
    judgement: Judgement,
    case: Case,
    found: Reference,
    derivatives: Derivatives,
    differentiator: Differentiator,
    mode: str,
) -> Judgement:
    """Keep `KINK_COMPOSITION` only if the library's own conventions explain the
    gradient.
    """
    if follows_conventions(case, found, derivatives, differentiator, mode):
        return judgement
    if found.kinked is not None and found.kinked.hull.is_complete:
        return replace(judgement, verdict=Verdict.WRONG)
    note = "more active kinks than can be told apart"
    return replace(judgement, verdict=Verdict.VACUOUS, note=note)


def _repeated(
    judgement: Judgement,
    case: Case,
    found: Reference,
    first: Derivatives,
    second: Derivatives,
    on_device: bool,
) -> Judgement:
    """Stale or not deterministic, if a second run of the same case gives something
    else.

    On a device the order of sums is not fixed, and on a processor it may follow where
    arrays lie in memory. So each run is judged by the bound; where both are within it,
    they are two roundings of one number.
    """
    if second.error is not None or first.error is not None or second.timed_out:
        return judgement
    repeated = compare(case, found, second)
    note = f"then {repeated.got or second.value} in a second run of the same case"
    is_stale = _adds_up(case, found, first, second)
    are_roundings = not (judgement.verdict.fails() or repeated.verdict.fails())
    if (on_device or are_roundings) and not is_stale:
        return replace(judgement if judgement.verdict.fails() else repeated, note=note)
    verdict = Verdict.STALE if is_stale else Verdict.NONDETERMINISTIC
    worse = judgement if judgement.verdict.fails() else repeated
    return replace(worse, verdict=verdict, note=note)


def _same(first: Derivatives, second: Derivatives) -> bool:
    pairs = zip(
        (first.value, *first.cotangents),
        (second.value, *second.cotangents),
        strict=False,
    )
    return len(first.cotangents) == len(second.cotangents) and all(
        np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in pairs
    )


def _adds_up(
    case: Case, found: Reference, first: Derivatives, second: Derivatives
) -> bool:
    """Whether the second run gave the sum of the first gradient and the exact one.

    If the first run gave zero, nothing adds up, and the second gradient alone is the
    right one.
    """
    if not found.gradient:
        return False
    exact = np.concatenate([floats_of(x).reshape(-1) for x in found.gradient])
    try:
        before = flat_gradient(case, first, found.question)
        difference = flat_gradient(case, second, found.question) - before
    except (TypeError, ValueError):
        return False
    if difference.shape != exact.shape or not np.any(before):
        return False
    return np.allclose(difference, exact, rtol=1e-6, atol=1e-300)
