"""What the processes of a run write down while it goes on, and what is read of it.

A run is named by its controlling process. Each of its processes appends to a shard of
its own, so that a killed one loses nothing, and notes the case in flight before it
runs. The controlling process holds a lock while it lives; what stands in the folder
without one was left by a run that was killed.

If the folder takes no more, because it is gone or its disk is full, a process goes on
in a refuge: a folder among the temporary files that has the name of the run.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from gradverify import records
from gradverify.graph import (
    Case,
    case_from_json,
    case_name,
    case_to_json,
    formula,
    graph_to_json,
    names_of,
    numbered_lines,
)
from gradverify.outside.reading import read_bytes
from gradverify.outside.writing import refuge, refuge_path, replace
from gradverify.records import Discrepancy, Item, Note, Record, Records, Unfinished
from gradverify.report.wording import DIED

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

KILLED = "gradverify-killed.jsonl"
KEPT = 8_000_000  # bytes of what killed runs left; the oldest go
MAIN = "main"
FLIGHT = 64_000_000  # bytes of a note of a case in flight

Head = tuple[str, str, str]
"""The differentiator, the mode and the item of a case in flight."""


def refuge_name(run: str) -> str:
    """The name of a run's folder among the temporary files."""
    return f"gradverify-{run}"


def _shard(folder: Path, run: str, worker: str) -> Path:
    return folder / f".gradverify-{run}-{worker}.jsonl"


def _flight(folder: Path, run: str, worker: str) -> Path:
    return folder / f".gradverify-{run}-{worker}.in-flight"


# ---- writing


class Writer:
    """What one process of a run writes; it loses nothing and never raises.

    trouble: in one sentence, why it writes elsewhere, or nowhere; empty if all is well.
    """

    def __init__(self, folder: Path, run: str, worker: str = MAIN) -> None:
        self.wanted, self.folder, self.run, self.worker = folder, folder, run, worker
        self.trouble = ""
        self.lines: list[bytes] = []
        self._records = self._flight = -1
        self._open(folder)

    def _open(self, folder: Path) -> None:
        shard = _shard(folder, self.run, self.worker)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._records = os.open(shard, flags | os.O_APPEND, 0o644)
        self._flight = os.open(_flight(folder, self.run, self.worker), flags, 0o644)
        if fcntl is not None:
            with contextlib.suppress(OSError):  # a file system without locks
                fcntl.flock(self._flight, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.folder = folder

    @property
    def is_mute(self) -> bool:
        """Whether records are kept in memory alone."""
        return self._records < 0

    def write(self, record: msgspec.Struct) -> None:
        """Append one record; it is in the file when this returns."""
        self.lines.append(records.encode(record))
        if self.is_mute:
            return
        try:
            self._look()
            _write(self._records, self.lines[-1])
        except OSError as error:
            self._move(error)

    def _look(self) -> None:
        """Raise `OSError` where the shard has gone; what is written there is lost."""
        found = os.stat(_shard(self.folder, self.run, self.worker))
        if not os.path.samestat(found, os.fstat(self._records)):
            raise FileNotFoundError(0, "another file is in its place")

    def _move(self, error: OSError) -> None:
        """Write all of it again: in the same folder if it is gone, else in a refuge."""
        reason = error.strerror or type(error).__name__
        self._release()
        places = [partial(refuge, refuge_name(self.run))]
        if isinstance(error, FileNotFoundError):
            places.insert(0, partial(made, self.folder))
        self.trouble = f"{self.folder} cannot be written ({reason})"
        for place in places:
            try:
                folder = place()
                self._open(folder)
                for line in self.lines:
                    _write(self._records, line)
            except OSError:
                self._release()
            else:
                self.trouble += f": records go to {folder}"
                if folder == self.wanted:
                    self.trouble = f"{folder} had gone, and was made again"
                return
        self.trouble += ": records are kept in memory alone"

    def in_flight(self, differentiator: str, mode: str, item: str, case: Case) -> None:
        """Note the case that is about to run.

        Only the first line of the note counts.
        """
        head = json.dumps([differentiator, mode, item]).encode()
        self._note(b'{"head":%b,"case":%b}\n' % (head, _encoded(case)))

    def landed(self) -> None:
        """Note that no case is in flight any more."""
        self._note(b"\n")

    def _note(self, line: bytes) -> None:
        if self._flight < 0:
            return
        try:
            os.lseek(self._flight, 0, os.SEEK_SET)
            _write(self._flight, line)
        except OSError as error:
            self._move(error)

    def close(self) -> None:
        """Close both files and remove the note of the case in flight."""
        self._release()
        with contextlib.suppress(OSError):
            _flight(self.folder, self.run, self.worker).unlink(missing_ok=True)

    def _release(self) -> None:
        for handle in (self._records, self._flight):
            if handle >= 0:
                with contextlib.suppress(OSError):
                    os.close(handle)
        self._records = self._flight = -1


def made(folder: Path) -> Path:
    """The folder, which is made, and ignored by git, if there is none."""
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    return folder


def _write(handle: int, line: bytes) -> None:
    """All of a line; a disk that is nearly full takes a part of it."""
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(handle, rest) :]


@lru_cache(maxsize=4096)
def _encoded(case: Case) -> bytes:
    return msgspec.json.encode(case_to_json(case))


# ---- reading


@dataclass(frozen=True)
class Death:
    """How a process ended that died of the case that it ran: the verdict on that case,
    and a note.
    """

    note: str
    verdict: str = "CRASHED"


def merged(
    folder: Path,
    run: str,
    *,
    own: Iterable[bytes] | None = None,
    died: Mapping[str, Death] = MappingProxyType({}),
) -> Records:
    """All that the processes of a run wrote.

    own: the lines of the process that asks, whatever became of its shard.
    died: by its name, each process that died of the case that it ran. The case in
    flight of any other process was stopped from outside, and is `Unfinished`: nobody
    is accused of it.
    """
    found: list[Record] = []
    for worker, path in shards(folder, run).items():
        if own is None or worker != MAIN:
            found += last_attempts(records.lines_of(path))
    if own is not None:
        read = map(records.decode, own)
        found += last_attempts(r for r in read if not isinstance(r, str))
    for worker, head, case in flights(folder, run):
        if worker in died:
            crash = crash_record(head, case, died[worker])
            found += [crash, _died_of(crash)]
        else:
            found.append(unfinished(head, case))
    return records.gathered(found)


def last_attempts(found: Iterable[Record]) -> list[Record]:
    """The records of a shard; an item that ran again replaces what it left before.

    The discrepancies of an item stand in front of it.
    """
    attempts: dict[str, list[Record]] = {}
    others: list[Record] = []
    pending: list[Record] = []
    for record in found:
        if isinstance(record, Discrepancy):
            pending.append(record)
        elif isinstance(record, Item):
            attempts[record.id] = [*pending, record]
            pending = []
        else:
            others.append(record)
    return [*(r for attempt in attempts.values() for r in attempt), *pending, *others]


def places(folder: Path, run: str) -> list[Path]:
    """The folders in which processes of a run may have written, the refuge last."""
    place = refuge_path(refuge_name(run))
    return [folder, *([place] if place.is_dir() else [])]


def _worker_of(path: Path) -> str:
    return path.stem.rpartition("-")[2]


def shards(folder: Path, run: str) -> dict[str, Path]:
    """The shard of each process: the one in the refuge if the process went there."""
    return {
        _worker_of(path): path
        for place in places(folder, run)
        for path in sorted(place.glob(f".gradverify-{run}-*.jsonl"))
    }


def flights(folder: Path, run: str) -> Iterator[tuple[str, Head, Case]]:
    """The case in flight of each process that has one."""
    for place in places(folder, run):
        for path in sorted(place.glob(f".gradverify-{run}-*.in-flight")):
            found = read_flight(path)
            if found is not None:
                yield _worker_of(path), *found


def read_flight(path: Path) -> tuple[Head, Case] | None:
    """Differentiator, mode and item, and the case if one was in flight."""
    try:
        first = read_bytes(path, FLIGHT).partition(b"\n")[0]
        loose = json.loads(first or b"null")
        differentiator, mode, item = map(str, loose["head"])
        return (differentiator, mode, item), case_from_json(loose["case"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def clear(folder: Path, run: str) -> None:
    """Remove the files that the processes of a run wrote for themselves."""
    for place in places(folder, run):
        for path in place.glob(f".gradverify-{run}-*"):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty where the page went there as well
        refuge_path(refuge_name(run)).rmdir()


# ---- records of cases in flight


def of_case(case: Case) -> dict[str, Any]:
    """The fields of a record that say what was run."""
    names = names_of(case.graph)
    return {
        "dtype": case.dtype,
        "ops": list(case.graph.ops),
        "graph": graph_to_json(case.graph),
        "point": case_to_json(case)["point"],
        "case": case_name(case),
        "lines": list(numbered_lines(case.graph)),
        "formula": formula(case.graph),
        "inputs": [names[i] for i in case.graph.inputs],
    }


def unfinished(head: Head, case: Case) -> Unfinished:
    """The record of a case that was running when its run was stopped."""
    differentiator, mode, item = head
    return Unfinished(
        differentiator=differentiator,
        mode=mode,
        dtype=case.dtype,
        item=item,
        case=case_name(case),
        formula=formula(case.graph),
        graph=graph_to_json(case.graph),
        point=case_to_json(case)["point"],
    )


def crash_record(head: Head, case: Case, death: Death) -> Discrepancy:
    """The record of a case that ended its process."""
    differentiator, mode, item = head
    op = case.graph.ops[0] if len(case.graph.ops) == 1 else "graph"
    return Discrepancy(
        differentiator=differentiator,
        mode=mode,
        verdict=death.verdict,
        got=DIED,
        exact="",
        bound=None,
        known=None,
        finding=f"{differentiator}:{mode}:{case.dtype}/{op}/{death.verdict.lower()}",
        op=op,
        note=death.note,
        item=item,
        **of_case(case),
    )


def _died_of(crash: Discrepancy) -> Item:
    """The item that was running at a crash and has no record of its own."""
    suite, _, block = crash.item.partition("[")[0].rpartition("::")
    return Item(
        id=crash.item,
        suite=suite.rpartition("::")[2],
        block=block,
        differentiator=crash.differentiator,
        mode=crash.mode,
        dtype=crash.dtype,
        outcome="failed",
        counts={crash.verdict: 1},
        cases=1,
    )


# ---- what killed runs left


def collect_leftovers(folder: Path) -> list[Note]:
    """Add what killed runs left to one file, with a note for each case in flight."""
    notes: list[Note] = []
    for path in sorted(folder.glob(f".gradverify-*-{MAIN}.in-flight")):
        run = path.name.removeprefix(".gradverify-").removesuffix(f"-{MAIN}.in-flight")
        if _is_left(path):
            found = merged(folder, run)
            notes += map(_killed, found.unfinished)
            fresh = b"".join(map(records.encode, records.in_order(found)))
            replace(folder / KILLED, _newest(_killed_before(folder) + fresh))
            clear(folder, run)
    return notes


def _killed_before(folder: Path) -> bytes:
    """What runs that were killed earlier have left; as much of it as is kept."""
    try:
        return read_bytes(folder / KILLED, 2 * KEPT)
    except OSError:
        return b""


def _newest(lines: bytes) -> bytes:
    """The last lines, up to what is kept."""
    if len(lines) <= KEPT:
        return lines
    return lines[-KEPT:].partition(b"\n")[2]


def _killed(found: Unfinished) -> Note:
    return Note(
        text=f"an earlier run was killed while {found.differentiator} "
        f"({found.mode}) ran case {found.case}, {found.formula}; "
        f"see: gradverify replay {found.case}"
    )


def _is_left(path: Path) -> bool:
    """Whether no living process holds the file."""
    if fcntl is None:
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
