"""Records of one or several runs become one page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import gradverify
from gradverify import records
from gradverify.cli.output import complain, say
from gradverify.cli.status import NOTHING, RIGHT, CommandError
from gradverify.outside.printing import visible
from gradverify.outside.writing import replace
from gradverify.plugin import folder
from gradverify.records import Records
from gradverify.report.badge import badge
from gradverify.report.markdown import markdown
from gradverify.report.overview import headline
from gradverify.report.page import page
from gradverify.report.sarif import sarif
from gradverify.report.wording import remarks


def report(
    files: Sequence[Path],
    output: Path | None = None,
    merged: Path | None = None,
    badge_file: Path | None = None,
    sarif_file: Path | None = None,
) -> int:
    """Make the page of records, and the Markdown file beside it.

    A folder stands for its records.

    output: the page; unless given, it goes beside the first file.
    merged: a file for the records of all files together.
    badge_file: a file for a badge, JSON that shields.io reads.
    sarif_file: a file for the findings in SARIF.

    Returns 3 if nothing in a file is understood.
    """
    paths = [path / folder.RECORDS if os.path.isdir(path) else path for path in files]
    parts = [_read(path) for path in paths]
    found = records.joined(parts)
    output = output or paths[0].with_name(folder.PAGE)
    short = output.with_suffix(".md")
    for target in filter(None, (output, short, merged, badge_file, sarif_file)):
        if target.resolve() in {path.resolve() for path in paths}:
            raise CommandError(f"{target} is one of the records; name another file")
    _write(output, page(found).encode("utf-8", "replace"))
    _write(short, markdown(found).encode("utf-8", "replace"))
    if merged is not None:
        _write(merged, b"".join(map(records.encode, records.in_order(found))))
    if badge_file is not None:
        _write(badge_file, badge(found).encode())
    if sarif_file is not None:
        text = sarif(found, gradverify.__version__)
        _write(sarif_file, text.encode("utf-8", "replace"))
    for remark in remarks(found):
        say(remark)
    say(visible(headline(found)))
    say(str(output))
    empty = [path for path, part in zip(paths, parts, strict=True) if _is_empty(part)]
    for path in empty:
        complain(f"{path}: no record in it was understood")
    return NOTHING if empty else RIGHT


def _read(path: Path) -> Records:
    try:
        return records.read(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error


def _write(path: Path, content: bytes) -> None:
    try:
        replace(path, content)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from error


def _is_empty(part: Records) -> bool:
    return not (part.items or part.discrepancies or part.claims or part.selftests)
