"""Discrepancies by finding: one card each, with all that explains its smallest case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gradverify.graph import Graph, graph_from_json
from gradverify.records import Discrepancy, Evidence, Item, Records, grouped
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
    all_of,
    anchor,
    columns,
    commands,
    cut,
    error,
    inputs,
    invocation,
    rank,
    sentence,
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
class ModeSeen:
    """What one mode of an engine gave where another, or itself, went wrong."""

    mode: str
    kind: str
    sign: str
    word: str
    where: str = ""
    got: str = ""
    exact: str = ""
    digits: Compared | None = None


@dataclass(frozen=True)
class Card:
    """A finding by its smallest case, with pictures of what went wrong.

    point: for each input its name, and its decimal and hexadecimal text.
    modes: all modes of the engine that looked at the same cases, if there are several.
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
    modes: Sequence[ModeSeen]
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
        (title, list(_cards(members, budget, found)))
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
    found: Iterable[Discrepancy], budget: _Budget, run: Records
) -> Iterator[Card]:
    said = invocation(run.run)
    for members in in_groups(found):
        if budget.takes(members[0]):
            yield _card(members, said, _modes(members, run.items))


def in_groups(found: Iterable[Discrepancy]) -> list[list[Discrepancy]]:
    """Discrepancies by finding, the worst and smallest first; common ones form one
    group.
    """
    return grouped(sorted(found, key=lambda d: (rank(d.verdict), d.finding, _size(d))))


def _size(found: Discrepancy) -> tuple[int, int, str]:
    numbers = sum(len(str(x)) for x in found.point)
    return len(found.formula) + numbers, len(found.lines), found.case


def _card(
    members: Sequence[Discrepancy], said: Invocation, modes: Sequence[ModeSeen]
) -> Card:
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
        modes=modes,
        code=tokens(d.reproducer),
        traceback=[cut(text, WIDEST) for text in d.traceback.splitlines()[-MOST:]],
        commands=commands(d, said),
        items=items[:NAMED],
        more_items=max(0, len(items) - NAMED),
    )


def _modes(members: Sequence[Discrepancy], items: Iterable[Item]) -> list[ModeSeen]:
    """The modes of the engine side by side, those that go wrong first.

    A mode without a finding is described by its items over the same blocks. A mode that
    did not run there is left out. The result is empty if only one mode is left.
    """
    d = members[0]
    wrong = {m.mode: m for m in reversed(members) if _engine(m) == _engine(d)}
    shown = {m.item for m in members}
    blocks = {(i.suite, i.block) for i in items if i.id in shown}
    others: dict[str, list[Item]] = {}
    for item in items:
        is_same = (item.differentiator, item.dtype) == _engine(d)
        is_there = (item.suite, item.block) in blocks and item.cases
        if is_same and is_there and item.mode not in wrong:
            others.setdefault(item.mode, []).append(item)
    found = [_seen(m, d) for m in reversed(wrong.values())]
    found += [_unharmed(mode, of_it) for mode, of_it in others.items()]
    return found if len(found) > 1 else []


def _engine(found: Discrepancy) -> tuple[str, str]:
    return found.differentiator, found.dtype


def _seen(d: Discrepancy, first: Discrepancy) -> ModeSeen:
    """A mode that goes wrong, with its numbers if they differ from the first one's."""
    k = kind_of(d)
    head = (d.mode, k, SIGNS[k][0], word(d.verdict))
    if (d.where, d.got, d.exact) == (first.where, first.got, first.exact):
        return ModeSeen(*head)
    return ModeSeen(*head, d.where, d.got, d.exact, compared(d.got, d.exact))


def _unharmed(mode: str, items: Sequence[Item]) -> ModeSeen:
    is_right = all(item.outcome == "passed" for item in items)
    k = "fine" if is_right else "bad"
    return ModeSeen(mode, k, SIGNS[k][0], "right" if is_right else "wrong elsewhere")


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
        all_of(members),
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
