"""The report folder: the records of a run, and the pages that are made of them."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Mapping
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
    contents = {RECORDS: b"".join(map(records.encode, records.in_order(found)))}
    contents |= {k: text.encode("utf-8", "replace") for k, text in views.items()}
    troubles, places = [], dict[str, Path | None]()
    for file, content in contents.items():
        places[file], trouble = _written(folder, file, content, name)
        troubles += [trouble] if trouble else []
    try:
        append(folder / HISTORY, records.encode(in_short(found.discrepancies, run)))
    except OSError as error:
        troubles.append(f"{folder / HISTORY} is not kept ({_reason(error)})")
    return Published(places.get(PAGE), tuple(troubles))


def _written(
    folder: Path, file: str, content: bytes, run: str
) -> tuple[Path | None, str]:
    """Where a file was written, and in one sentence why not in the folder."""
    try:
        with contextlib.suppress(OSError):
            made(folder)
        replace(folder / file, content)
        return folder / file, ""
    except OSError as error:
        trouble = f"{folder / file} cannot be written ({_reason(error)})"
    try:
        place = refuge(refuge_name(run)) / file
        replace(place, content)
        return place, f"{trouble}: it is {place}"
    except OSError:
        return None, f"{trouble}, and no temporary file either: it is lost"


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


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
