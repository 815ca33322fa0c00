"""GitHub Actions: the job summary in Markdown, and annotations as workflow commands.

Both are made of texts of strangers, such as an exception's: in Markdown every mark of
punctuation is an entity, in a command what would end it is escaped.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence

from gradverify.records import (
    Discrepancy,
    Records,
    counts_by_differentiator,
    grouped,
)
from gradverify.report.overview import headline, is_right
from gradverify.report.wording import (
    changed,
    error,
    looked_at,
    point,
    rank,
    sentence,
    visible,
    who,
)

ANNOTATIONS = 10  # GitHub shows no more of a step
SUMMARY = 900_000  # bytes; GitHub drops a summary of more than 1 MiB
TEXT = 300  # characters of a cell
ENTITIES = {ord(c): f"&#{ord(c)};" for c in string.punctuation if c not in ",-()=+"}
COMMAND = {ord(c): f"%{ord(c):02X}" for c in "%\r\n"}
PROPERTY = COMMAND | {ord(c): f"%{ord(c):02X}" for c in ":,"}


# ---- annotations


def workflow_commands(found: Records) -> list[str]:
    """A workflow command for each of the worst ten findings that fail."""
    return [_command(members) for members in _worst(found)[:ANNOTATIONS]]


def _worst(found: Records) -> list[list[Discrepancy]]:
    """Failing findings, those that are new since an older run first, then the worst."""
    new = set(found.changes.newly_wrong) if found.changes else set()
    failing = (d for d in found.discrepancies if d.failed)
    return grouped(
        sorted(failing, key=lambda d: (d.finding not in new, rank(d.verdict)))
    )


def _command(members: Sequence[Discrepancy]) -> str:
    d = members[0]
    title = f"gradverify: {_names(members)}"
    text = f"{sentence(d.verdict)}: {d.formula} at {point(d)}; {_answer(d)}\n"
    text += f"gradverify replay {d.case}"
    return f"::error title={_escaped(_cut(title), PROPERTY)}::{_escaped(text, COMMAND)}"


def _escaped(text: str, escapes: dict[int, str]) -> str:
    return text.translate(escapes)


def _names(members: Sequence[Discrepancy]) -> str:
    return " and ".join(dict.fromkeys(who(d) for d in members))


def _answer(d: Discrepancy) -> str:
    at = f" for {d.where}" if d.where else ""
    exact = f", exact {d.exact}" if d.exact else ""
    return f"got {_cut(d.got) or '-'}{at}{exact}"


def _cut(text: str) -> str:
    text = visible(text)
    return text if len(text) <= TEXT else text[: TEXT - 1] + "…"


# ---- the job summary


def job_summary(found: Records, most: int = SUMMARY) -> str:
    """The run in Markdown, in at most so many bytes; rows that do not fit are counted.

    The first lines always stand there: they are short.
    """
    lines, size = [], 0
    rows = _worst(found)
    for line in _top(found, bool(rows)):
        lines.append(line)
        size += len(line.encode()) + 1
    for k, members in enumerate(rows):
        line = _row(members)
        size += len(line.encode()) + 1
        if size > most - 100:
            lines += ["", f"and {len(rows) - k} more in the page"]
            break
        lines.append(line)
    return "\n".join([*lines, "", ""])


def _top(found: Records, has_rows: bool) -> Iterator[str]:
    yield f"## gradverify: {'✓' if is_right(found) else '✗'} {_text(headline(found))}"
    yield ""
    if found.changes:
        yield f"Against {_text(found.changes.base)}: {_text(changed(found.changes))}"
        yield ""
    if looked := looked_at(found):
        yield _text(looked)
        yield ""
    yield from _counts(found)
    if has_rows:
        yield from _table("", "discrepancy", "at", "answer", "error", "replay")


def _counts(found: Records) -> Iterator[str]:
    counts = counts_by_differentiator(found.items)
    verdicts = sorted({v for c in counts.values() for v in c}, key=rank)
    if verdicts:
        yield from _table("", *verdicts)
        for name, count in counts.items():
            yield _cells(name, *(str(count.get(v, 0)) for v in verdicts))
        yield ""


def _row(members: Sequence[Discrepancy]) -> str:
    d = members[0]
    return _cells(
        _names(members),
        sentence(d.verdict),
        f"{_cut(d.formula)} at {_cut(point(d))}",
        _answer(d),
        error(d),
        f"gradverify replay {d.case}",
    )


def _table(*titles: str) -> Iterable[str]:
    return _cells(*titles), "|" + "---|" * len(titles)


def _cells(*texts: str) -> str:
    return "| " + " | ".join(map(_text, texts)) + " |"


def _text(text: str) -> str:
    """Text in which Markdown and HTML find nothing."""
    return visible(text).translate(ENTITIES)
