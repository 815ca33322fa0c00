"""The page: records become page data, page data become one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from gradverify.ops import OPS
from gradverify.records import (
    Counts,
    Discrepancy,
    Item,
    Records,
    Run,
    counts_by_differentiator,
)
from gradverify.report.wording import (
    commands,
    error,
    looked_at,
    point,
    rank,
    sentence,
    visible,
    who,
)
from gradverify.verdict import Verdict

FOLDER = Path(__file__).parent

SUITES = ("cases", "textbook", "ops", "graphs", "networks", "known")  # as they run

# The sign of a table's cell, for eyes that do not tell its colour.
SIGNS = {
    "bad": "✗",
    "known": "△",
    "fine": "✓",
    "listed": "≈",
    "unseen": "?",
    "none": "-",
}


@dataclass(frozen=True)
class Cell:
    """What one differentiator made of one block: a class of colour, a sign, a word."""

    kind: str
    sign: str
    word: str
    title: str


@dataclass(frozen=True)
class Row:
    """A block of the table, with a cell for each differentiator."""

    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Card:
    """A kind of discrepancy, by its smallest case, and all items that showed it."""

    found: Discrepancy
    items: Sequence[str]
    count: int
    title: str
    sentence: str
    point: str
    error: str
    commands: Sequence[str]


@dataclass(frozen=True)
class Fact:
    """A name and what it is."""

    name: str
    text: str


@dataclass(frozen=True)
class Page:
    """All that the template needs."""

    summary: str
    is_right: bool
    run: Run
    facts: Sequence[Fact]
    ran: Sequence[Fact]
    absent: Sequence[Fact]
    verdicts: Sequence[Fact]
    counts: Sequence[tuple[str, Sequence[int]]]
    columns: Sequence[str]
    suites: Sequence[tuple[str, Sequence[Row]]]
    legend: Sequence[tuple[Cell, str]]
    failing: Sequence[Card]
    accepted: Sequence[Card]
    known: Sequence[Card]
    listed: Sequence[Card]
    other: Sequence[Fact]
    skipped: Sequence[tuple[str, Sequence[str]]]
    notes: Sequence[str]
    css: str


def page(found: Records) -> str:
    """The HTML of a run's records."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment.get_template("page.html.jinja2").render(page=data(found))


def data(found: Records) -> Page:
    """The page's data."""
    run = found.run or Run(counts=counts_by_differentiator(found.items))
    failed = [i for i in found.items if i.outcome == "failed"]
    verdicts = sorted({v for c in run.counts.values() for v in c}, key=rank)
    ran = [i for i in found.items if i.differentiator]
    columns = list(dict.fromkeys(f"{i.differentiator}:{i.mode}" for i in ran))
    return Page(
        summary=_summary(found, len(failed)),
        is_right=not failed and run.exit == 0,
        run=run,
        facts=list(_facts(run, found)),
        ran=[Fact(n, _versions(v)) for n, v in run.differentiators.items()],
        absent=[Fact(name, why) for name, why in run.absent.items()],
        verdicts=[Fact(v, sentence(v)) for v in verdicts],
        counts=[(n, [c.get(v, 0) for v in verdicts]) for n, c in run.counts.items()],
        columns=columns,
        suites=list(_suites(found, columns)),
        legend=list(_legend()),
        failing=_cards(d for d in found.discrepancies if d.failed),
        accepted=_cards(d for d in found.discrepancies if _is_accepted(d)),
        known=_cards(d for d in found.discrepancies if d.known is not None),
        listed=_cards(d for d in found.discrepancies if _is_listed(d)),
        other=[Fact(i.id, i.reason) for i in failed if i.reason],
        skipped=list(_skipped(found.items)),
        notes=[*(note.text for note in found.notes), *_missing_run(found)],
        css=(FOLDER / "page.css").read_text(encoding="utf-8"),
    )


def _is_accepted(found: Discrepancy) -> bool:
    return found.accepted and not found.failed and found.known is None


def _is_listed(found: Discrepancy) -> bool:
    return not (found.failed or found.accepted or found.known is not None)


def _missing_run(found: Records) -> Iterable[str]:
    if found.run is None:
        yield "The records have no last line of type run: they were cut."


def _summary(found: Records, failed: int) -> str:
    cases = sum(n for i in found.items for n in i.counts.values())
    seen = len({i.differentiator for i in found.items} - {""})
    kinds = len({d.finding for d in found.discrepancies if d.failed})
    compared = f"{cases:,} comparisons of {_many(seen, 'differentiator')}"
    if kinds:
        return f"{compared}: {_many(kinds, 'kind')} of discrepancy."
    if failed:
        return f"{compared}: no discrepancy, but {_many(failed, 'item')} failed."
    if not cases:
        return "Nothing was compared."
    return f"{compared}: no new discrepancy."


def _many(n: int, thing: str) -> str:
    return f"{n} {thing}" + ("" if n == 1 else "s")


def _facts(run: Run, found: Records) -> Iterable[Fact]:
    rate = run.rejection_rate
    pairs = {
        "started": run.started,
        "duration": f"{run.seconds['run']:.1f} s" if "run" in run.seconds else "",
        "exit status": str(run.exit),
        "profile": run.profile,
        "looked at": looked_at(found),
        "seed": str(run.seed),
        "fails on": run.fail_on,
        "commit": run.commit or "",
        "items": ", ".join(f"{n} {kind}" for kind, n in sorted(run.items.items())),
        "ops seen": f"{len(run.ops)} ops, {len(run.op_pairs)} pairs",
        "rejected draws": "" if rate is None else f"{100 * rate:.2g} %",
        "device": ", ".join(run.devices),
        "versions": _versions(run.versions),
    }
    return (Fact(name, text) for name, text in pairs.items() if text)


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _cards(found: Iterable[Discrepancy]) -> list[Card]:
    kinds: dict[tuple[str, str | None], list[Discrepancy]] = {}
    for d in sorted(found, key=lambda d: (rank(d.verdict), d.finding, _size(d))):
        kinds.setdefault((d.finding, d.known), []).append(d)
    return [_card(members) for members in kinds.values()]


def _size(found: Discrepancy) -> tuple[int, str]:
    return len(found.formula) + len(point(found)), found.case


def _card(members: Sequence[Discrepancy]) -> Card:
    d = members[0]
    items = list(dict.fromkeys(m.item for m in members))
    count = sum(m.count for m in members)
    return Card(
        d, items, count, who(d), sentence(d.verdict), point(d), error(d), commands(d)
    )


def _skipped(items: Iterable[Item]) -> Iterable[tuple[str, list[str]]]:
    reasons: dict[str, list[str]] = {}
    for item in items:
        if item.outcome == "skipped":
            name = item.id.partition("::")[2] or item.id
            reasons.setdefault(item.reason, []).append(name)
    return reasons.items()


# ---- the table of differentiators and blocks


def _suites(found: Records, columns: Sequence[str]) -> Iterable[tuple[str, list[Row]]]:
    known = {d.item for d in found.discrepancies if d.known is not None}
    places: dict[str, dict[str, dict[str, list[Item]]]] = {}
    for item in sorted(found.items, key=_place):  # workers finish in any order
        row = places.setdefault(item.suite, {}).setdefault(item.block, {})
        row.setdefault(f"{item.differentiator}:{item.mode}", []).append(item)
    for suite, blocks in places.items():
        rows = [
            Row(name, [_cell(cells.get(c, []), known) for c in columns])
            for name, cells in blocks.items()
        ]
        yield suite, rows


def _place(item: Item) -> tuple[int, int]:
    ops = list(OPS.rows)
    suite = SUITES.index(item.suite) if item.suite in SUITES else len(SUITES)
    is_op = item.suite == "ops" and item.block in ops
    return suite, ops.index(item.block) if is_op else len(ops)


def _cell(items: Sequence[Item], known: set[str]) -> Cell:
    """The worst verdict of the items, which differ in dtype alone."""
    if not items:
        return Cell("none", "", "", "not run")
    counts: Counts = {}
    for item in items:
        for verdict, n in item.counts.items():
            counts[verdict] = counts.get(verdict, 0) + n
    reasons = [item.reason for item in items if item.reason]
    title = ", ".join([*(f"{n} {v}" for v, n in counts.items()), *reasons])
    worst = min(counts, key=rank, default="")
    if any(item.outcome == "failed" for item in items):
        return _named("bad", worst or "FAILED", title)
    if any(item.id in known or item.suite == "known" for item in items) and _fails(
        worst
    ):
        return _named("known", "known", title)
    if all(item.outcome == "skipped" for item in items):
        return _named("none", "skipped", title)
    return _named(_kind(worst), worst, title)


def _fails(verdict: str) -> bool:
    return verdict in Verdict.__members__ and Verdict[verdict].fails("imprecise")


def _kind(verdict: str) -> str:
    if verdict in ("VACUOUS", "UNRESOLVED"):
        return "unseen"
    if verdict in ("AGREES", "NO_DERIVATIVE"):
        return "fine"
    return "none" if verdict in ("", "UNSUPPORTED") else "listed"


def _named(kind: str, word: str, title: str) -> Cell:
    return Cell(kind, SIGNS[kind], word.lower().replace("_", " "), title)


def _legend() -> Iterable[tuple[Cell, str]]:
    texts = {
        "fine": "every case agrees, or has no derivative",
        "listed": "passes, and is listed: a convention at a kink, or lost digits",
        "known": "only known deviations",
        "bad": "fails",
        "unseen": "some cases could not be decided",
        "none": "not run: the differentiator has no such op",
    }
    return [(Cell(kind, SIGNS[kind], "", ""), text) for kind, text in texts.items()]
