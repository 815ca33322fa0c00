"""Accuracy: histograms of errors, conventions at kinks, known deviations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gradverify.records import Counts, Discrepancy, Known, Records, total
from gradverify.report.charts import Chart, histogram
from gradverify.report.findings import graph_of, in_groups
from gradverify.report.formula import Term, term
from gradverify.report.wording import anchor, columns, error, point

KINKS = 60  # rows of the table of kinks
KINKED = ("KINK_CONVENTION", "KINK_COMPOSITION")


@dataclass(frozen=True)
class ChosenSlope:
    """The slope that a differentiator chose, and where that was."""

    got: str
    title: str
    is_composed: bool


@dataclass(frozen=True)
class KinkSlopes:
    """A kink: its op, formula, point and number, and the slopes that differentiators
    chose.
    """

    op: str
    formula: Term | None
    line: str
    point: str
    where: str
    hull: str
    slopes: Sequence[ChosenSlope | None]


@dataclass(frozen=True)
class Lived:
    """A known deviation: its reason, where it was met, and an example."""

    known: Known
    anchor: str
    columns: Sequence[str]
    op: str
    count: int
    example: Discrepancy
    point: str
    error: str


@dataclass(frozen=True)
class Accuracy:
    """The section's parts; each may be empty."""

    histograms: Sequence[tuple[str, Chart]]
    columns: Sequence[str]
    kinks: Sequence[KinkSlopes]
    kinks_left_out: int
    known: Sequence[Lived]


def accuracy(found: Records) -> Accuracy | None:
    """The section; None if it has nothing to say."""
    columns, kinks = _kinks(d for d in found.discrepancies if d.verdict in KINKED)
    known = list(_known(found))
    histograms = list(_histograms(found))
    if not (kinks or known or histograms):
        return None
    left_out = max(0, len(kinks) - KINKS)
    return Accuracy(histograms, columns, kinks[:KINKS], left_out, known)


def _histograms(found: Records) -> Iterator[tuple[str, Chart]]:
    errors: dict[tuple[str, str], list[Counts]] = {}
    for item in found.items:
        if item.errors:
            key = item.differentiator, item.dtype
            errors.setdefault(key, []).append(item.errors)
    for (who, dtype), counts in errors.items():
        chart = histogram(f"{who}, {dtype}", total(counts))
        if chart is not None:
            yield who, chart


def _kinks(found: Iterable[Discrepancy]) -> tuple[list[str], list[KinkSlopes]]:
    """Kinks by op and case, with a slope for each column that met the case."""
    rows: dict[tuple[str, str, str], dict[str, Discrepancy]] = {}
    for d in sorted(found, key=lambda d: (d.op, len(d.formula), d.case)):
        rows.setdefault((d.op, d.case, d.where), {})[columns(d)] = d
    who = sorted({column for row in rows.values() for column in row})
    kinks = [
        _kink(next(iter(row.values())), [row.get(c) for c in who])
        for row in rows.values()
    ]
    return who, sorted(
        kinks, key=lambda k: (k.op, -sum(s is not None for s in k.slopes))
    )


def _kink(d: Discrepancy, row: Sequence[Discrepancy | None]) -> KinkSlopes:
    graph = graph_of(d)
    slopes = [None if s is None else _slope(s) for s in row]
    formula = term(graph) if graph else None
    return KinkSlopes(d.op, formula, d.formula, point(d), d.where, d.exact, slopes)


def _slope(d: Discrepancy) -> ChosenSlope:
    return ChosenSlope(d.got, d.finding, d.verdict == KINKED[1])


def _known(found: Records) -> Iterator[Lived]:
    """Every known deviation that was met, with its smallest case as the example."""
    rows = {row.id: row for row in found.known}
    met: dict[str, list[Discrepancy]] = {}
    for members in in_groups(d for d in found.discrepancies if d.known is not None):
        met.setdefault(members[0].known or "", []).extend(members)
    for name, members in met.items():
        d = members[0]
        yield Lived(
            rows.get(name, Known(id=name, reason="")),
            anchor(d.finding),
            list(dict.fromkeys(map(columns, members))),
            d.op,
            sum(m.count for m in members),
            d,
            point(d),
            error(d),
        )
