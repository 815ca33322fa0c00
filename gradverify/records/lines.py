"""Lines of JSON to records and back. Files are parsed and checked, never executed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from gradverify.outside.reading import read_bytes
from gradverify.records.record_kinds import (
    SCHEMA,
    Changes,
    Claim,
    Discrepancy,
    Item,
    Known,
    Note,
    Record,
    Records,
    Run,
    Selftest,
    Unfinished,
)

FILE = 2_000_000_000  # bytes of a file of records
LINE = 64_000_000  # and of a record
TOLD = 20  # lines of a file that a note of its own says are skipped


def encode(record: msgspec.Struct) -> bytes:
    """One line of a records file, with its newline."""
    return msgspec.json.encode(record) + b"\n"


def in_order(found: Records) -> list[Record]:
    """All records of a run in the order of a file; the record of the run is the
    last.
    """
    changes = [] if found.changes is None else [found.changes]
    run = [] if found.run is None else [found.run]
    return [
        *found.items,
        *found.discrepancies,
        *found.claims,
        *found.known,
        *found.selftests,
        *found.unfinished,
        *changes,
        *found.notes,
        *run,
    ]


_DECODER = msgspec.json.Decoder(Record)


def decode(line: bytes) -> Record | str:
    """The record of a line; or, as text, why the line is skipped."""
    try:
        loose = json.loads(line)
    except (ValueError, RecursionError):
        return "is cut or garbled"
    if not isinstance(loose, dict) or not isinstance(loose.get("type"), str):
        return "is no object with a type"
    schema = loose.get("schema")
    newer = isinstance(schema, int) and schema > SCHEMA
    age = f" (of schema {schema}; this version reads up to {SCHEMA})" if newer else ""
    try:
        record: Record = _DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        return f"of type {loose['type']!r} is not understood{age}: {error}"
    return record


def read(path: Path) -> Records:
    """The records of a file. What cannot be read becomes a note with its line number.

    Raises `OSError` if there is no such file.
    """
    return gathered(lines_of(path))


def lines_of(path: Path) -> Iterator[Record]:
    """The records of a file in its order; a line that cannot be read is a note."""
    newer: set[int] = set()
    skipped = 0
    for number, line in enumerate(read_bytes(path, FILE).split(b"\n"), 1):
        if not line.strip():
            continue
        record = decode(line) if len(line) <= LINE else f"has over {LINE:,} bytes"
        if not isinstance(record, str):
            newer.add(record.schema)
            yield record
            continue
        skipped += 1
        if skipped <= TOLD:
            yield Note(text=f"{path.name}: line {number} {record}; read past")
    if skipped > TOLD:
        yield Note(text=f"{path.name}: {skipped - TOLD} more lines were read past")
    if max(newer, default=0) > SCHEMA:
        yield Note(
            text=f"{path.name}: records of schema {max(newer)}, of which this version "
            f"understands what schema {SCHEMA} has"
        )


R = TypeVar("R")


def _of(kind: type[R], records: Iterable[Record]) -> tuple[R, ...]:
    return tuple(r for r in records if isinstance(r, kind))


def gathered(records: Iterable[Record]) -> Records:
    """Records by kind.

    Of several runs, or several lists of changes, the last one counts.
    """
    found = list(records)
    return Records(
        _of(Discrepancy, found),
        _of(Item, found),
        _of(Note, found),
        next(reversed(_of(Run, found)), None),
        _of(Claim, found),
        next(reversed(_of(Changes, found)), None),
        _of(Selftest, found),
        _of(Known, found),
        _of(Unfinished, found),
    )
