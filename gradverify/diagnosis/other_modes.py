"""What the other modes of an engine say at a case at which one mode deviates.

A mode is another piece of a library's code. Which of them are right says more about
where the mistake is than any number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from gradverify.compare import compare
from gradverify.differentiators import Differentiator, questions, run
from gradverify.graph import Case
from gradverify.reference import Reference, reference
from gradverify.verdict import Verdict

NAMED = 4  # modes that a sentence names; the rest is counted


def by_modes(
    case: Case,
    differentiator: Differentiator,
    mode: str,
    deviates: Verdict,
    limit: float,
    in_flight: Callable[[Case], None],
) -> str:
    """Which modes are right at a case, and which deviate as well; empty if none is
    right.

    mode: the one that deviates, with its verdict. Modes that compile are not asked. A
    mode that raises says nothing about numbers, so that it is left out where `mode`
    gives some.
    """
    right, wrong = [], [mode]
    known: dict[str, Reference] = {}
    for other, verdict in _verdicts(
        case, differentiator, mode, limit, known, in_flight
    ):
        if verdict is Verdict.CRASHED and deviates is not verdict:
            continue
        if verdict.fails():
            wrong.append(other)
        elif verdict is Verdict.AGREES:
            right.append(other)
    if not right:
        return ""
    return f"right in {_listed(right)}, wrong in {_listed(wrong)}"


def _verdicts(
    case: Case,
    differentiator: Differentiator,
    mode: str,
    limit: float,
    known: dict[str, Reference],
    in_flight: Callable[[Case], None],
) -> Iterator[tuple[str, Verdict]]:
    if differentiator.compiles:
        return
    for other, declared in differentiator.modes().items():
        if other == mode or declared.compiles:
            continue
        for question in questions(differentiator, other):
            if question.name not in known:
                known[question.name] = reference(case, question=question)
            in_flight(case)
            given = run(differentiator, other, case, limit=limit, question=question)
            verdict = compare(case, known[question.name], given).verdict
            if verdict.fails():
                break
        yield other, verdict
        if given.fatal or given.timed_out:  # it may do so again
            return


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED])
    more = len(names) - NAMED
    return shown if more <= 0 else f"{shown} and {more} more"
