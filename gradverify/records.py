"""What a run writes down: JSON lines, one object a line, each with its `type`.

Numbers whose digits matter are text: JSON has neither NaN nor infinity, and a browser
drops digits. Files are parsed and checked, never executed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

SCHEMA = 1

Counts = dict[str, int]


class Discrepancy(
    msgspec.Struct, tag_field="type", tag="discrepancy", kw_only=True, frozen=True
):
    """One kind of deviation of one item, shrunk to its smallest case.

    got, exact, bound, error_ulps, bound_ratio, smallest_fault: numbers as text.
    known: the known deviation that it belongs to. failed: whether it fails its item.
    count: how many cases of the item's sweep were of this kind.
    """

    differentiator: str
    mode: str
    dtype: str
    verdict: str
    ops: list[str]
    graph: dict[str, Any]
    point: list[dict[str, Any]]
    got: str
    exact: str
    bound: str | None
    known: str | None
    finding: str
    case: str
    op: str = ""
    where: str = ""
    error_ulps: str | None = None
    bound_ratio: str | None = None
    smallest_fault: str | None = None
    note: str = ""
    lines: list[str] = []
    formula: str = ""
    inputs: list[str] = []
    item: str = ""
    count: int = 1
    failed: bool = True
    accepted: bool = False
    schema: int = SCHEMA


class Item(msgspec.Struct, tag_field="type", tag="item", kw_only=True, frozen=True):
    """One differentiator in one mode over the cases of one block."""

    id: str
    suite: str
    block: str
    differentiator: str
    mode: str
    dtype: str
    outcome: str
    counts: Counts = {}
    cases: int = 0
    skipped: Counts = {}
    ops: Counts = {}
    op_pairs: Counts = {}
    more: int = 0
    median_fault: str | None = None
    worst_fault: str | None = None
    draws: Counts = {}
    seconds: dict[str, float] = {}
    warnings: list[str] = []
    reason: str = ""
    schema: int = SCHEMA


class Note(msgspec.Struct, tag_field="type", tag="note", kw_only=True, frozen=True):
    """A sentence about the run."""

    text: str
    schema: int = SCHEMA


class Run(msgspec.Struct, tag_field="type", tag="run", kw_only=True, frozen=True):
    """The last line: what ran, where, and how much of each verdict there was."""

    counts: dict[str, Counts] = {}
    items: Counts = {}
    ops: Counts = {}
    op_pairs: Counts = {}
    rejection_rate: float | None = None
    versions: dict[str, str] = {}
    differentiators: dict[str, dict[str, str]] = {}
    absent: dict[str, str] = {}
    devices: list[str] = []
    seed: int = 0
    profile: str = ""
    fail_on: str = ""
    started: str = ""
    seconds: dict[str, float] = {}
    exit: int = 0
    commit: str | None = None
    schema: int = SCHEMA


class History(
    msgspec.Struct, tag_field="type", tag="history", kw_only=True, frozen=True
):
    """One line of `history.jsonl`: a run in short."""

    started: str
    commit: str | None
    exit: int
    seed: int
    profile: str
    seconds: float
    items: Counts
    counts: dict[str, Counts]
    findings: list[str]
    schema: int = SCHEMA


Record = Discrepancy | Item | Note | Run | History


class Records(msgspec.Struct, frozen=True):
    """The records of one run, by kind; `run` is None where the file was cut."""

    discrepancies: tuple[Discrepancy, ...] = ()
    items: tuple[Item, ...] = ()
    notes: tuple[Note, ...] = ()
    run: Run | None = None


def number_text(number: float | None) -> str | None:
    """A number that NaN and infinity survive, as the shortest exact decimal."""
    return None if number is None else repr(float(number))


# ---- lines


def encode(record: msgspec.Struct) -> bytes:
    """One line of a records file, its newline included."""
    return msgspec.json.encode(record) + b"\n"


_DECODER = msgspec.json.Decoder(Record)


def decode(line: bytes) -> Record | str:
    """The record of a line, or why it is read past."""
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
    """The records of a file; what cannot be read becomes a note with its line number.

    Raises `OSError` where there is no such file.
    """
    found: list[Record] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        record = decode(line)
        if isinstance(record, str):
            record = Note(text=f"{path.name}: line {number} {record}; read past")
        found.append(record)
    return gathered(found)


R = TypeVar("R")


def _of(kind: type[R], records: Sequence[Record]) -> tuple[R, ...]:
    return tuple(r for r in records if isinstance(r, kind))


def gathered(records: Iterable[Record]) -> Records:
    """Records by kind; the last run holds."""
    found = list(records)
    runs = _of(Run, found)
    return Records(
        _of(Discrepancy, found),
        _of(Item, found),
        _of(Note, found),
        runs[-1] if runs else None,
    )


def joined(parts: Iterable[Records]) -> Records:
    """Several files as one; the last run holds where there is one file alone."""
    found = list(parts)
    runs = [part.run for part in found if part.run is not None]
    return Records(
        tuple(d for part in found for d in part.discrepancies),
        tuple(i for part in found for i in part.items),
        tuple(n for part in found for n in part.notes),
        runs[0] if len(found) == 1 and runs else _joined_run(runs),
    )


def _joined_run(runs: Sequence[Run]) -> Run | None:
    if not runs:
        return None
    counts: dict[str, list[Counts]] = {}
    for run in runs:
        for name, count in run.counts.items():
            counts.setdefault(name, []).append(count)
    return msgspec.structs.replace(
        runs[-1],
        counts={name: total(parts) for name, parts in counts.items()},
        items=total(run.items for run in runs),
        ops=total(run.ops for run in runs),
        op_pairs=total(run.op_pairs for run in runs),
        differentiators={k: v for run in runs for k, v in run.differentiators.items()},
        absent={k: v for run in runs for k, v in run.absent.items()},
        exit=max(run.exit for run in runs),
    )


# ---- sums


def total(counts: Iterable[Mapping[str, int]]) -> Counts:
    """Counts added up by key."""
    sums: Counts = {}
    for count in counts:
        for key, n in count.items():
            sums[key] = sums.get(key, 0) + n
    return sums


def counts_by_differentiator(items: Iterable[Item]) -> dict[str, Counts]:
    """How much of each verdict every differentiator had."""
    found: dict[str, list[Counts]] = {}
    for item in (i for i in items if i.differentiator):
        found.setdefault(item.differentiator, []).append(item.counts)
    return {name: total(counts) for name, counts in found.items()}
