"""Common mode: several libraries that give the same wrong answer at the same case."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from gradverify.diagnosis.declarations import DECLARED
from gradverify.formats import FORMATS
from gradverify.records.record_kinds import Discrepancy, number_of

CLOSE = 4.0  # two answers within so many ulps are the same
PART = 8.0  # their difference is at most one such part of the error


def marked(found: Sequence[Discrepancy]) -> tuple[Discrepancy, ...]:
    """The discrepancies, each with the findings of others that give the same answer."""
    by_case: dict[tuple[str, str, str], list[Discrepancy]] = {}
    for d in found:
        by_case.setdefault((d.case, d.verdict, d.where), []).append(d)
    return tuple(
        msgspec.structs.replace(d, common=sorted(set(_others(d, near))))
        for d in found
        for near in (by_case[d.case, d.verdict, d.where],)
    )


def _others(d: Discrepancy, near: Iterable[Discrepancy]) -> Iterable[str]:
    for other in near:
        if d.differentiator != other.differentiator and _same_answer(d, other):
            yield other.finding


def _same_answer(a: Discrepancy, b: Discrepancy) -> bool:
    """Whether two libraries gave the same number, or both gave none.

    Two answers that are each a few ulps wrong are near one another by chance. So their
    difference must also be small beside the error.
    """
    if (a.known is None) != (b.known is None):
        return False
    if a.got == b.got == "None":
        return True
    x, y, exact = (number_of(text) for text in (a.got, b.got, a.exact))
    if x is None or y is None:
        return False  # texts of exceptions, shapes
    if not (math.isfinite(x) and math.isfinite(y)):
        return repr(x) == repr(y)
    if a.dtype not in FORMATS:
        return False  # records of another version
    apart = abs(x - y)
    near = apart <= CLOSE * max(abs(x), abs(y)) * FORMATS[a.dtype].spacing
    if exact is None or not math.isfinite(exact):
        return near
    return near and PART * apart <= min(abs(x - exact), abs(y - exact))


def grouped(found: Iterable[Discrepancy]) -> list[list[Discrepancy]]:
    """Discrepancies by finding and known deviation.

    Those in common mode form one group. A cause that an engine may declare is one
    finding with all its ops. A deviation that several modes of an engine show at one op
    is one finding with all these modes.

    Groups and their members keep the order in which they come.
    """
    kinds: dict[tuple[str, str | None], list[Discrepancy]] = {}
    for d in found:
        kinds.setdefault((title_of(d), d.known), []).append(d)
    leader: dict[tuple[str, str | None], tuple[str, str | None]] = {}
    in_any_mode: dict[tuple[str, str | None], tuple[str, str | None]] = {}
    for key, members in kinds.items():
        others = ((f, key[1]) for d in members for f in d.common)  # of other engines
        first = next((leader[o] for o in others if o in leader), key)
        whole = (_without_mode(members[0]), key[1])
        leader[key] = in_any_mode.setdefault(whole, first)
    groups: dict[tuple[str, str | None], list[Discrepancy]] = {}
    for key, members in kinds.items():
        groups.setdefault(leader[key], []).extend(members)
    return list(groups.values())


def title_of(found: Discrepancy) -> str:
    """The name of a finding, or of its cause if the engine may declare that cause."""
    why = found.diagnosis
    if why is None or why.cause not in DECLARED:
        return found.finding
    return f"{found.differentiator}:{found.mode}:{found.dtype}/{why.cause}"


def _without_mode(found: Discrepancy) -> str:
    """The name of a finding, without the mode that it has."""
    what = title_of(found).partition("/")[2]
    return f"{found.differentiator}:{found.dtype}/{what}"
