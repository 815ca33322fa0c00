"""Text for the terminal: the failure of an item, and the summary of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from gradverify.outside.printing import visible
from gradverify.records import (
    Changes,
    Counts,
    Discrepancy,
    Records,
    counts_by_differentiator,
    grouped,
    title_of,
)
from gradverify.report.signs import LIVED_WITH, is_accepted, is_listed
from gradverify.report.wording import (
    PLAIN,
    Invocation,
    changed,
    columns,
    commands,
    error,
    looked_at,
    point,
    rank,
    remarks,
    sentence,
    share,
    who,
)

WIDTH = 100
LINES_OF_GRAPH = 5  # longer programs are on the page only
LISTED = 20  # discrepancies that the summary lists
WHY = 5  # lines of a diagnosis; they replace the program
PASSING = 5  # discrepancies listed that fail nothing


def cut(text: str, width: int) -> str:
    """Text on one line of at most that width."""
    text = visible(text)
    return text if len(text) <= width else text[: width - 3] + "..."


def failure_text(
    found: Sequence[Discrepancy], more: int = 0, said: Invocation | None = PLAIN
) -> str:
    """What a failed item prints: a block for each discrepancy, of 15 lines of 100
    columns.

    more: how many kinds were counted and not shrunk.
    said: what the commands that replay, save and accept must say; None if they are of
    no use.
    """
    blocks = ["\n".join(_block(d, said)) for d in found]
    if more:
        blocks.append(f"{more} more kinds of discrepancy were counted, not shrunk")
    return "\n\n".join(blocks)


def _block(found: Discrepancy, said: Invocation | None) -> Iterator[str]:
    yield cut(f"{who(found)}: {sentence(found.verdict)}", WIDTH)
    yield _row("graph", found.formula)
    is_short = len(found.ops) > 1 and len(found.lines) <= LINES_OF_GRAPH
    if is_short and found.diagnosis is None:
        for line in found.lines:
            yield cut(" " * 10 + line, WIDTH)
    yield _row("point", point(found))
    yield _row("got", f"{found.got or '-'}{_at(found)}")
    if found.exact:
        yield _row("exact", found.exact)
    if error(found):
        yield _row("error", error(found))
    note = found.note.partition("\n")[0]  # the rest of it is on the page
    if note and note != found.got.partition("\n")[0]:
        yield _row("note", note)
    yield from _why(found)
    told = () if said is None else commands(found, said)
    for key, command in zip(("next", "", ""), told, strict=False):
        yield f"  {key:<8}{visible(command)}"


def _why(found: Discrepancy) -> Iterator[str]:
    """The diagnosis: the whole sentence, then the sum over paths."""
    if found.diagnosis is None:
        return
    told = [found.diagnosis.sentence, *found.diagnosis.paths]
    if found.diagnosis.rewriting:
        told.insert(1, f"keeps the digits: {found.diagnosis.rewriting}")
    lines = [line for text in told for line in wrap(visible(text), WIDTH - 10)]
    for key, line in zip(["why"] + [""] * (WHY - 1), lines, strict=False):
        yield f"  {key:<8}{line}"


def _row(key: str, text: str) -> str:
    return cut(f"  {key:<8}{text}", WIDTH)


def _at(found: Discrepancy) -> str:
    return f"    for {found.where}" if found.where else ""


# ---- the summary


def summary(found: Records, brief: bool = False) -> Iterator[str]:
    """The end of a run: counts, discrepancies, known deviations, and what was not
    looked at.
    """
    if not brief:
        yield from table(counts_by_differentiator(found.items))
    yield from _changes(found.changes, brief)
    yield from _listed("discrepancies", [d for d in found.discrepancies if d.failed])
    yield from _listed(LIVED_WITH, [d for d in found.discrepancies if is_accepted(d)])
    known = [d for d in found.discrepancies if d.known is not None]
    yield from _known(known, brief)
    if not brief:
        passing = [d for d in found.discrepancies if is_listed(d)]
        yield from _listed("listed, not failing", passing, PASSING)
        yield from _unseen(found)
        yield from filter(None, [looked_at(found)])
    yield from remarks(found)


def _changes(changes: Changes | None, brief: bool) -> Iterator[str]:
    """What became of an older run's findings; new and fixed ones are named."""
    if changes is None:
        return
    yield f"against {visible(changes.base)}: {changed(changes)}"
    if not brief:
        for title, names in (
            ("newly wrong", changes.newly_wrong),
            ("fixed", changes.fixed),
        ):
            for name in names[:PASSING]:
                yield cut(f"  {title}: {name}", WIDTH)
            if len(names) > PASSING:
                yield f"  and {len(names) - PASSING} more {title} in the page"


def table(counts: dict[str, Counts]) -> Iterator[str]:
    """Differentiators against verdicts. A verdict that was never given is left out."""
    verdicts = sorted({v for c in counts.values() for v in c}, key=rank)
    if not verdicts:
        return
    width = max(map(len, counts))
    yield "  ".join([" " * width, *verdicts])
    for name, count in counts.items():
        cells = [f"{count.get(v) or '.':>{len(v)}}" for v in verdicts]
        yield "  ".join([f"{name:<{width}}", *cells])


def _listed(
    title: str, found: Sequence[Discrepancy], most: int = LISTED
) -> Iterator[str]:
    if not found:
        return
    kinds = grouped(found)
    yield f"{title}: {len(kinds)}"
    for members in kinds[:most]:
        d = min(members, key=lambda d: len(d.formula) + len(point(d)))
        name = _titled(members) + _same(members)
        times = f" in {len(members)} items" if len(members) > 1 else ""
        yield cut(f"  {name}{times}: {d.case} {d.formula} at {point(d)}", WIDTH)
    if len(kinds) > most:
        yield f"  and {len(kinds) - most} more in the page"


def _titled(members: Sequence[Discrepancy]) -> str:
    """The name of a group; what an engine may declare has all its ops."""
    title = title_of(members[0])
    if title == members[0].finding:
        return title
    return f"{title} ({', '.join(dict.fromkeys(d.op for d in members))})"


def _same(members: Sequence[Discrepancy]) -> str:
    """Other differentiators that give the same answer."""
    names = dict.fromkeys(columns(d) for d in members)
    others = [name for name in names if name != columns(members[0])]
    return f", the same in {' and '.join(others)}" if others else ""


def _known(found: Sequence[Discrepancy], brief: bool) -> Iterator[str]:
    if not found:
        return
    cases = sum(d.count for d in found)
    names = dict.fromkeys(d.known or "" for d in found)
    yield f"known deviations: {len(names)} ({cases} cases)"
    if not brief:
        for name in names:
            where = _list(d.item.rpartition("::")[2] for d in found if d.known == name)
            yield cut(f"  {name}  in {where}", WIDTH)


def _list(names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    rest = f" and {len(unique) - 3} more" if len(unique) > 3 else ""
    return ", ".join(unique[:3]) + rest


def _unseen(found: Records) -> Iterator[str]:
    cases = sum(n for item in found.items for n in item.counts.values())
    parts = []
    for verdict, words in (("VACUOUS", "vacuous"), ("UNRESOLVED", "unresolved")):
        n = sum(item.counts.get(verdict, 0) for item in found.items)
        parts.append(f"{words} {n} ({share(n, cases)})")
    yield f"{cases} comparisons: {', '.join(parts)}"
