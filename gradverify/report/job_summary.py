"""GitHub Actions: the job summary, and annotations as workflow commands."""

from __future__ import annotations

from collections.abc import Sequence

from gradverify.outside.printing import visible
from gradverify.records import Discrepancy, Records, grouped
from gradverify.report.commands import command
from gradverify.report.markdown import markdown
from gradverify.report.sarif import place
from gradverify.report.wording import (
    all_of,
    commands,
    invocation,
    point,
    rank,
    sentence,
)

ANNOTATIONS = 10  # GitHub shows no more for one step
SUMMARY = 900_000  # bytes; GitHub drops a summary of more than 1 MiB
TEXT = 300  # characters of a formula or a number


# ---- annotations


def workflow_commands(found: Records) -> list[str]:
    """A workflow command for each of the worst ten findings that fail."""
    return [_command(members, found) for members in _worst(found)[:ANNOTATIONS]]


def _worst(found: Records) -> list[list[Discrepancy]]:
    """Failing findings: those that are new since an older run first, then the worst."""
    new = set(found.changes.newly_wrong) if found.changes else set()
    failing = (d for d in found.discrepancies if d.failed)
    return grouped(
        sorted(failing, key=lambda d: (d.finding not in new, rank(d.verdict)))
    )


def _command(members: Sequence[Discrepancy], found: Records) -> str:
    d = members[0]
    title = f"gradverify: {all_of(members)}"
    text = f"{sentence(d.verdict)}: {d.formula} at {point(d)}; {_answer(d)}\n"
    text += next(iter(commands(d, invocation(found.run))), "")
    file, line = place(d)
    at = {"file": file, "line": line} if d.place else {}
    return command(text, **at, title=_cut(title))


def _answer(d: Discrepancy) -> str:
    at = f" for {d.where}" if d.where else ""
    exact = f", exact {d.exact}" if d.exact else ""
    return f"got {_cut(d.got) or '-'}{at}{exact}"


def _cut(text: str) -> str:
    text = visible(text)
    return text if len(text) <= TEXT else text[: TEXT - 1] + "…"


# ---- the job summary


def job_summary(found: Records, most: int = SUMMARY) -> str:
    """The run in Markdown. If it has more bytes than allowed, only its first line."""
    text = markdown(found)
    if len(text.encode("utf-8", "replace")) <= most:
        return text
    return (
        f"{text.partition(chr(10))[0]}\n\nThe rest does not fit here: see the page.\n"
    )
