"""Discrepancies by finding: one card each, with all that explains its smallest case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gradverify.graph import Graph, graph_from_json
from gradverify.records import Discrepancy, Evidence, Records, grouped
from gradverify.report.charts import Chart, along, convergence
from gradverify.report.formula import Term, line, term
from gradverify.report.highlight import CodeToken, tokens
from gradverify.report.picture import Picture, picture
from gradverify.report.shared_digits import Compared, compared
from gradverify.report.signs import (
    LIVED_WITH,
    SIGNS,
    is_accepted,
    is_listed,
    kind_of,
    word,
)
from gradverify.report.wording import (
    Invocation,
    anchor,
    columns,
    commands,
    cut,
    error,
    inputs,
    invocation,
    rank,
    sentence,
    who,
)

DETAILED = 20  # cards with all parts; the table lists the rest
SMALL = 150_000  # characters of graphs and scripts; then there are no more cards
MOST, WIDEST = 60, 400  # lines of a traceback, and characters of each
NAMED = 6  # items that a card names


@dataclass(frozen=True)
class Heading:
    """What a card is about: its links, sign, words, and keys for the filter.

    anchor: its link.
    also: links to other differentiators that gave the same answer.
    """

    anchor: str
    also: Sequence[str]
    kind: str
    sign: str
    word: str
    who: str
    sentence: str
    columns: str
    count: int


@dataclass(frozen=True)
class Card:
    """A finding by its smallest case, with pictures of what went wrong.

    point: for each input its name, and its decimal and hexadecimal text.
    """

    head: Heading
    found: Discrepancy
    formula: Term | None
    line: str
    point: Sequence[tuple[str, str, str]]
    digits: Compared | None
    error: str
    picture: Picture | None
    charts: Sequence[Chart]
    code: Sequence[Sequence[CodeToken]]
    traceback: Sequence[str]
    commands: Sequence[str]
    items: Sequence[str]
    more_items: int


@dataclass(frozen=True)
class Findings:
    """Groups of cards under a title, and how many findings have no card."""

    groups: Sequence[tuple[str, Sequence[Card]]]
    left_out: int


def findings(found: Records) -> Findings | None:
    """Cards of what fails, then of what is accepted, then of what loses digits."""
    failing = [d for d in found.discrepancies if d.failed]
    accepted = [d for d in found.discrepancies if is_accepted(d)]
    lossy = [d for d in found.discrepancies if is_listed(d) and kind_of(d) != "kink"]
    budget = _Budget()
    groups = [
        (title, list(_cards(members, budget, invocation(found.run))))
        for title, members in (
            ("", failing),
            (LIVED_WITH.capitalize(), accepted),
            ("Listed, not failing", lossy),
        )
    ]
    kept = [(title, cards) for title, cards in groups if cards]
    return Findings(kept, budget.left_out) if kept else None


class _Budget:
    """How much more detail the page has room for."""

    def __init__(self) -> None:
        self.cards, self.characters, self.left_out = DETAILED, SMALL, 0

    def takes(self, found: Discrepancy) -> bool:
        """Whether one more card fits. Cards that do not fit are counted."""
        self.cards -= 1
        self.characters -= 60 * len(found.lines) + 3 * len(found.reproducer)
        fits = self.cards >= 0 and self.characters >= 0
        self.left_out += not fits
        return fits


def _cards(
    found: Iterable[Discrepancy], budget: _Budget, said: Invocation
) -> Iterator[Card]:
    for members in in_groups(found):
        if budget.takes(members[0]):
            yield _card(members, said)


def in_groups(found: Iterable[Discrepancy]) -> list[list[Discrepancy]]:
    """Discrepancies by finding, the worst and smallest first; common ones form one
    group.
    """
    return grouped(sorted(found, key=lambda d: (rank(d.verdict), d.finding, _size(d))))


def _size(found: Discrepancy) -> tuple[int, int, str]:
    numbers = sum(len(str(x)) for x in found.point)
    return len(found.formula) + numbers, len(found.lines), found.case


def _card(members: Sequence[Discrepancy], said: Invocation) -> Card:
    d = members[0]
    graph = graph_of(d)
    tree = term(graph) if graph else None
    items = list(dict.fromkeys(m.item for m in members if m.item))
    return Card(
        head=_heading(members),
        found=d,
        formula=tree,
        line=line(tree) if tree else d.formula,
        point=list(inputs(d)),
        digits=compared(d.got, d.exact),
        error=error(d),
        picture=picture(graph, _evidence(d)) if graph else None,
        charts=[chart for chart in (convergence(d), along(d)) if chart],
        code=tokens(d.reproducer),
        traceback=[cut(text, WIDEST) for text in d.traceback.splitlines()[-MOST:]],
        commands=commands(d, said),
        items=items[:NAMED],
        more_items=max(0, len(items) - NAMED),
    )


def _evidence(found: Discrepancy) -> Evidence | None:
    """The evidence.

    If it marks no edge, the edge that the diagnosis blames is marked.
    """
    evidence, why = found.evidence, found.diagnosis
    if why is None or why.node is None or (evidence and evidence.guilty):
        return evidence
    fields: dict[str, Any] = {"guilty": (why.node, why.operand)}
    if evidence:
        fields.update(values=evidence.values, adjoints=evidence.adjoints)
    return Evidence(**fields)


def _heading(members: Sequence[Discrepancy]) -> Heading:
    d = members[0]
    k = kind_of(d)
    why = d.diagnosis.sentence if d.diagnosis else ""
    findings = dict.fromkeys(m.finding for m in members)
    return Heading(
        anchor(d.finding),
        [anchor(name) for name in findings if name != d.finding],
        k,
        SIGNS[k][0],
        word(d.verdict),
        " and ".join(dict.fromkeys(who(m) for m in members)),
        why or sentence(d.verdict),
        " ".join(dict.fromkeys(columns(m) for m in members)),
        sum(m.count for m in members),
    )


def graph_of(found: Discrepancy) -> Graph | None:
    """The graph of a record, if this version understands it."""
    try:
        return graph_from_json(found.graph)
    except (ValueError, KeyError, TypeError):
        return None
