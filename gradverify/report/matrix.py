"""The matrix: each op, and each other block, against each differentiator and mode.

The modes of an engine stand side by side; those that took turns share a column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gradverify.ops import OPS
from gradverify.records import Counts, Discrepancy, Item, Records
from gradverify.report.overview import many
from gradverify.report.signs import SIGNS, fails, kind, word
from gradverify.report.wording import anchor, figure, rank
from gradverify.suites import SUITES

PANELS = 4  # tables side by side
TURNS = "other modes"  # those that a run asks about a part of the blocks alone
OFTEN = 0.3  # of an engine's blocks, from which a mode has a column of its own
SHOWN = 40  # blocks of another suite that have a row of their own


@dataclass(frozen=True)
class MatrixCell:
    """What a differentiator made of a row: colour, sign, words, filter, and a link."""

    kind: str
    sign: str
    word: str
    title: str
    query: str
    link: str


@dataclass(frozen=True)
class MatrixRow:
    """An op or a block, with a cell for each column."""

    name: str
    cells: Sequence[MatrixCell]


@dataclass(frozen=True)
class Panel:
    """Rows under one set of columns."""

    title: str
    rows: Sequence[MatrixRow]


@dataclass(frozen=True)
class VerdictMatrix:
    """Panels side by side, columns, and a legend of the signs."""

    columns: Sequence[tuple[str, str]]
    panels: Sequence[Panel]
    legend: Sequence[tuple[str, str, str]]
    left_out: int


@dataclass
class _Square:
    """What is gathered for one cell."""

    items: list[Item] = field(default_factory=list)
    found: list[Discrepancy] = field(default_factory=list)


Squares = dict[tuple[str, str], _Square]

Columns = Mapping[tuple[str, str], tuple[str, str]]
"""From an engine and a mode to the engine and the title of its column."""


def matrix(found: Records) -> VerdictMatrix | None:
    """The matrix of a run; None if nothing ran."""
    ran = [i for i in found.items if i.differentiator]
    if not ran:
        return None
    of = _columns(ran)
    columns = list(dict.fromkeys(of.values()))
    squares, ops, others = _squares(ran, found.discrepancies, of)
    kept = [name for names in others.values() for name in names[:SHOWN]]
    height = max(8, -(-len(ops) // PANELS))
    panels = [
        Panel(title, part)
        for title, names in (("op", ops), ("block", kept))
        for part in _parted(_rows(names, columns, squares), height)
    ]
    legend = [(k, sign, text) for k, (sign, text) in SIGNS.items()]
    return VerdictMatrix(
        columns, panels, legend, sum(map(len, others.values())) - len(kept)
    )


def _columns(items: Sequence[Item]) -> Columns:
    """The column of each mode: its own, or one for the modes that took turns."""
    blocks: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for i in items:
        looked = blocks.setdefault((i.differentiator, i.mode), set())
        looked.add((i.suite, i.block))
    most: dict[str, int] = {}
    for (who, _), looked in blocks.items():
        most[who] = max(most.get(who, 0), len(looked))
    columns = {
        (who, mode): (who, mode if len(looked) >= OFTEN * most[who] else TURNS)
        for (who, mode), looked in blocks.items()
    }
    engines = dict.fromkeys(who for who, _ in columns)
    ordered = sorted(columns, key=lambda key: columns[key][1] == TURNS)
    return {key: columns[key] for who in engines for key in ordered if key[0] == who}


def _squares(
    items: Iterable[Item], found: Iterable[Discrepancy], of: Columns
) -> tuple[Squares, list[str], dict[str, list[str]]]:
    """Items and discrepancies by row and column; and the rows: ops, then other
    blocks.
    """
    squares: Squares = {}
    others: dict[str, dict[str, None]] = {}
    for item in sorted(items, key=_place):  # workers finish in any order
        name = item.block if item.suite == "ops" else f"{item.suite}::{item.block}"
        if item.suite != "ops":
            others.setdefault(item.suite, {})[name] = None
        key = name, ":".join(of[item.differentiator, item.mode])
        squares.setdefault(key, _Square()).items.append(item)
    for d in found:
        own = (d.differentiator, d.mode)
        column = ":".join(of.get(own, own))
        for name in {d.op, _block(d.item)}:
            if name in OPS.rows or (name, column) in squares:
                squares.setdefault((name, column), _Square()).found.append(d)
    seen = {name for name, _ in squares}
    ops = [name for name in OPS.rows if name in seen]
    ops += [n for n, _ in squares if "::" not in n and n not in OPS.rows]
    return squares, list(dict.fromkeys(ops)), {s: list(n) for s, n in others.items()}


def _block(item: str) -> str:
    suite, _, block = item.partition("::")[2].partition("[")[0].partition("::")
    return block if suite == "ops" else f"{suite}::{block}"


def _place(item: Item) -> int:
    return SUITES.index(item.suite) if item.suite in SUITES else len(SUITES)


def _parted(rows: Iterable[MatrixRow], height: int) -> Iterator[list[MatrixRow]]:
    """The rows in order, cut into panels of one height."""
    found = list(rows)
    for first in range(0, len(found), height):
        yield found[first : first + height]


def _rows(
    names: Iterable[str], columns: Sequence[tuple[str, str]], squares: Squares
) -> Iterator[MatrixRow]:
    for name in names:
        cells = [_cell(name, c, squares.get((name, ":".join(c)))) for c in columns]
        yield MatrixRow(name, cells)


def _cell(name: str, column: tuple[str, str], square: _Square | None) -> MatrixCell:
    """The worst verdict of a row in a column, over all dtypes."""
    who = ":".join(column)
    key = "block" if "::" in name else "op"
    query = f"{key}:{name} who:{column[0] if column[1] == TURNS else who}"
    if square is None:
        title = f"{name} · {who}: not run"
        return MatrixCell("none", SIGNS["none"][0], "not run", title, query, "")
    verdict, k = _worst(square)
    link = anchor(square.found[0].finding) if square.found else ""
    text = word(verdict) if k != "known" else "known"
    if all(item.outcome == "skipped" for item in square.items) and not square.found:
        k, text = "none", "skipped"
    return MatrixCell(
        k, SIGNS[k][0], text or "not run", _title(name, who, square), query, link
    )


def _worst(square: _Square) -> tuple[str, str]:
    """The worst verdict and its kind.

    What is known or accepted does not count as bad.
    """
    failing = [d.verdict for d in square.found if d.failed]
    failing += [_of(i.counts) for i in square.items if i.outcome == "failed"]
    if failing:
        return min(failing, key=rank), "bad"
    verdicts = [v for i in square.items for v, n in i.counts.items() if n]
    worst = min([*verdicts, *(d.verdict for d in square.found)], key=rank, default="")
    return worst, "known" if fails(worst) and kind(worst) == "bad" else kind(worst)


def _of(counts: Mapping[str, int]) -> str:
    return min((v for v, n in counts.items() if n), key=rank, default="FAILED")


def _title(name: str, who: str, square: _Square) -> str:
    counts: Counts = {}
    for item in square.items:
        for verdict, n in item.counts.items():
            counts[verdict] = counts.get(verdict, 0) + n
    lines = [f"{name} · {who}"]
    lines += [f"{n} {word(v)}" for v, n in sorted(counts.items(), key=_first)]
    lines += _largest(square)
    modes = dict.fromkeys(i.mode for i in square.items)
    lines += [f"modes: {', '.join(modes)}"] if who.endswith(TURNS) else []
    kinds = len({d.finding for d in square.found})
    lines += [many(kinds, "finding")] if kinds else []
    lines += sorted({i.reason.partition("\n")[0] for i in square.items if i.reason})
    return " | ".join(lines)


def _first(pair: tuple[str, int]) -> int:
    return rank(pair[0])


def _largest(square: _Square) -> Iterator[str]:
    """The worst error, in ulps and in units of the bound."""
    rows: list[Discrepancy | Item] = [*square.found, *square.items]
    for what, texts in (
        ("ulps", [_ulps(row) for row in rows]),
        ("times the bound", [_ratio(row) for row in rows]),
    ):
        numbers = [n for text in texts if (n := _float(text)) is not None]
        if numbers:
            yield f"worst error {figure(repr(max(numbers)))} {what}"


def _ulps(row: Discrepancy | Item) -> str | None:
    return row.error_ulps if isinstance(row, Discrepancy) else row.worst_ulps


def _ratio(row: Discrepancy | Item) -> str | None:
    return row.bound_ratio if isinstance(row, Discrepancy) else row.worst_ratio


def _float(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return None if number is None or number != number else number
