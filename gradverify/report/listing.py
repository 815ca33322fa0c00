"""All discrepancies, one row each: the worst on the page, all of them in JSON beside
it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from gradverify.outside.printing import visible
from gradverify.records import Discrepancy, Records, number_of
from gradverify.report.signs import SIGNS, kind_of, word
from gradverify.report.wording import anchor, columns, cut, figure, point, rank

STATIC = 200  # rows that can be seen without JavaScript
LONGEST = 120  # characters of a formula, a point or a number in a row


@dataclass(frozen=True)
class ListingRow:
    """A discrepancy in short."""

    kind: str
    sign: str
    verdict: str
    op: str
    who: str
    dtype: str
    formula: str
    point: str
    got: str
    exact: str
    ulps: str
    ratio: str
    count: int
    case: str
    anchor: str


@dataclass(frozen=True)
class DiscrepancyListing:
    """The first rows; the columns of all rows as an island of JSON; and how many
    rows.
    """

    rows: Sequence[ListingRow]
    island: dict[str, Any]
    count: int


def listing(found: Records) -> DiscrepancyListing | None:
    """The table of all discrepancies, the worst first; None if there is none."""
    rows = sorted(_merged(found.discrepancies), key=_badness)
    if not rows:
        return None
    return DiscrepancyListing(
        [_row(d) for d in rows[:STATIC]], _island(rows), len(rows)
    )


def _merged(found: Iterable[Discrepancy]) -> Iterator[Discrepancy]:
    """One record for a case that several items showed as the same finding."""
    same: dict[tuple[str, str, str | None], list[Discrepancy]] = {}
    for d in found:
        same.setdefault((d.finding, d.case, d.known), []).append(d)
    for members in same.values():
        first = members[0]
        if len(members) > 1:
            items = dict.fromkeys(m.item for m in members)
            first = msgspec.structs.replace(
                first,
                count=sum(m.count for m in members),
                item=" ".join(items),
                failed=any(m.failed for m in members),
            )
        yield first


def _badness(found: Discrepancy) -> tuple[bool, int, float, str]:
    return (
        not found.failed,
        rank(found.verdict),
        -_number(found.bound_ratio),
        found.case,
    )


def _number(text: str | None) -> float:
    """A number to sort by. NaN and unknown numbers come last."""
    number = number_of(text)
    return 0.0 if number is None or math.isnan(number) else number


def _row(d: Discrepancy) -> ListingRow:
    k = kind_of(d)
    return ListingRow(
        k,
        SIGNS[k][0],
        word(d.verdict),
        d.op,
        columns(d),
        d.dtype,
        cut(d.formula, LONGEST),
        cut(point(d), LONGEST),
        cut(d.got, LONGEST),
        cut(d.exact, LONGEST),
        figure(d.error_ulps or ""),
        figure(d.bound_ratio or ""),
        d.count,
        d.case,
        anchor(d.finding),
    )


# ---- the island: columns, those of few different words by their numbers

Texts = Callable[[Discrepancy], str]

# fmt: off
WORDS: dict[str, Texts] = {
    "kind":    kind_of,
    "verdict": lambda d: word(d.verdict),
    "op":      lambda d: visible(d.op),
    "who":     lambda d: visible(columns(d)),
    "dtype":   lambda d: d.dtype,
    "where":   lambda d: visible(d.where),
    "item":    lambda d: visible(d.item),
    "finding": lambda d: visible(d.finding),
    "known":   lambda d: visible(d.known or ""),
}
TEXTS: dict[str, Texts] = {
    "formula": lambda d: cut(d.formula, LONGEST),
    "point":   lambda d: cut(point(d), LONGEST),
    "got":     lambda d: cut(d.got, LONGEST),
    "exact":   lambda d: cut(d.exact, LONGEST),
    "ulps":    lambda d: figure(d.error_ulps or ""),
    "ratio":   lambda d: figure(d.bound_ratio or ""),
    "case":    lambda d: visible(d.case),
}
# fmt: on


def _island(rows: Sequence[Discrepancy]) -> dict[str, Any]:
    return {
        "signs": {k: sign for k, (sign, _) in SIGNS.items()},
        "words": {name: _numbered(map(text, rows)) for name, text in WORDS.items()},
        "texts": {name: list(map(text, rows)) for name, text in TEXTS.items()},
        "count": [d.count for d in rows],
    }


def _numbered(texts: Iterable[str]) -> dict[str, list[Any]]:
    """Each different text once, and for every row the number of its text."""
    place: dict[str, int] = {}
    index = [place.setdefault(text, len(place)) for text in texts]
    return {"list": list(place), "index": index}
