"""The report folder: the records of a run, and the pages that are made of them."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gradverify import records
from gradverify.outside.writing import append, refuge, replace
from gradverify.plugin.shards import made, refuge_name
from gradverify.records import Discrepancy

RECORDS = "gradverify.jsonl"
PAGE = "gradverify.html"
MARKDOWN = "gradverify.md"
HISTORY = "history.jsonl"
SELFTESTS = "selftest.jsonl"


def prepare(folder: Path) -> None:
    """Make the folder; a new one is ignored by git.

    `OSError` if no file can be written there.
    """
    made(folder)
    trial = folder / f".gradverify-{secrets.token_hex(4)}.trial"
    trial.write_bytes(b"")
    trial.unlink()


def run_name() -> str:
    """A name for a run that no other has."""
    return f"{os.getpid():x}{secrets.token_hex(3)}"


@dataclass(frozen=True)
class Published:
    """Where the page of a run is, if anywhere; and what could not be written there."""

    page: Path | None
    troubles: tuple[str, ...] = ()


def publish(
    folder: Path,
    found: records.Records,
    run: records.Run,
    name: str,
    views: Mapping[str, str],
) -> Published:
    """Write the merged records, views of them by file name, and a line of history.

    What the folder does not take goes to the refuge of the run of that name.
    """
    merged = b"".join(map(records.encode, records.in_order(found)))
    short = records.encode(in_short(found.discrepancies, run))
    files = [(RECORDS, replace, merged), (HISTORY, append, short)]
    files += [
        (k, replace, text.encode("utf-8", "replace")) for k, text in views.items()
    ]
    page: Path | None = None
    troubles: dict[tuple[str, str], list[str]] = {}
    for file, write, content in files:
        place, reason = _written(folder, file, write, content, name)
        if reason:
            where = f"in {place}" if place else "lost, since no place takes them"
            troubles.setdefault((reason, where), []).append(file)
        if file == PAGE and place:
            page = place / file
    return Published(
        page,
        tuple(
            f"{folder} does not take {', '.join(files)} ({reason}): they are {where}"
            for (reason, where), files in troubles.items()
        ),
    )


Write = Callable[[Path, bytes], None]


def _written(
    folder: Path, file: str, write: Write, content: bytes, run: str
) -> tuple[Path | None, str]:
    """The folder that has taken a file, and why it is not the one that was wanted."""
    try:
        with contextlib.suppress(OSError):
            made(folder)
        write(folder / file, content)
        return folder, ""
    except OSError as error:
        reason = error.strerror or type(error).__name__
    try:
        place = refuge(refuge_name(run))
        write(place / file, content)
        return place, reason
    except OSError:
        return None, reason


def selftests(folder: Path) -> tuple[records.Selftest, ...]:
    """The scores that `gradverify selftest` left in the folder."""
    path = folder / SELFTESTS
    return records.read(path).selftests if path.is_file() else ()


def in_short(found: Iterable[Discrepancy], run: records.Run) -> records.History:
    """The line that a run leaves in the history."""
    return records.History(
        started=run.started,
        commit=run.commit,
        exit=run.exit,
        seed=run.seed,
        profile=run.profile,
        seconds=run.seconds.get("run", 0.0),
        items=run.items,
        counts=run.counts,
        findings=sorted({d.finding for d in found if d.known is None}),
    )
