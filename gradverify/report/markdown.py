"""The run as one Markdown file, short enough for a job summary or a comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import jinja2

from gradverify.outside.printing import visible
from gradverify.records import Discrepancy, Records
from gradverify.report.findings import in_groups
from gradverify.report.overview import headline, is_right, overview
from gradverify.report.page import FOLDER
from gradverify.report.trust import trust
from gradverify.report.wording import (
    Invocation,
    all_of,
    commands,
    cut,
    error,
    invocation,
    point,
    sentence,
)
from gradverify.surroundings import surrounded

SHOWN = 20  # findings in full
LONGEST = 300  # characters of a formula or a number


@surrounded
def markdown(found: Records) -> str:
    """The verdict, counts, what is new, the worst findings, wrong claims, what ran."""
    failing = in_groups(d for d in found.discrepancies if d.failed)
    wrong = [c for c in found.claims if c.verdict == "wrong"]
    return (
        _templates()
        .get_template("summary.md.jinja2")
        .render(
            title=headline(found),
            is_right=is_right(found),
            overview=overview(found),
            findings=[
                _entry(members, invocation(found.run)) for members in failing[:SHOWN]
            ],
            findings_left_out=max(0, len(failing) - SHOWN),
            claims=wrong[:SHOWN],
            claims_left_out=max(0, len(wrong) - SHOWN),
            known=len({d.known for d in found.discrepancies} - {None}),
            trust=trust(found),
        )
    )


def _entry(members: Sequence[Discrepancy], said: Invocation) -> dict[str, Any]:
    d = members[0]
    why = d.diagnosis.sentence if d.diagnosis else sentence(d.verdict)
    rows = {
        "formula": d.formula,
        "point": point(d),
        f"claimed {d.where}".strip(): d.got or "-",
        "exact": d.exact,
    }
    return {
        "title": all_of(members),
        "why": why,
        "rows": [(k, text) for k, text in rows.items() if text],
        "error": error(d),
        "commands": commands(d, said),
        "reproducer": d.reproducer.splitlines(),
    }


@cache
def _templates() -> jinja2.Environment:
    """Templates of plain text.

    Their own filters escape what Markdown would interpret.
    """
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters.update(plain=plain, code=code, fence=fence, visible=visible)
    return found


def plain(text: str) -> str:
    """Text in which nothing is interpreted as Markdown or HTML."""
    text = visible(text).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_{}\[\]#|~>@])", r"\\\1", text)


def code(text: str) -> str:
    """Text as code within a line, also in a table, whatever backticks it has."""
    text = cut(text, LONGEST)
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return ticks + space + text.replace("|", r"\|") + space + ticks


def fence(lines: list[str]) -> str:
    """A fence for a block of code that none of its lines ends."""
    longest = max(
        (len(run) for line in lines for run in re.findall("`+", line)), default=0
    )
    return "`" * max(3, longest + 1)
