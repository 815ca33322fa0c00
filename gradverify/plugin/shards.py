"""What the processes of a run write down while it goes on, and what is read of it.

A run is named by its controlling process. Each of its processes appends to a shard of
its own, so that a killed one loses nothing, and notes the case in flight before it
runs. The controlling process holds a lock while it lives; what stands in the folder
without one was left by a run that was killed.

Where the folder takes no more, since it is gone or its disk is full, a process goes on
in a refuge among the temporary files, which is named after the run.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import msgspec

from gradverify import records
from gradverify.graph import (
    Case,
    case_to_json,
)
from gradverify.outside.writing import refuge
from gradverify.records import Discrepancy, Item, Record, Records

try:
    import fcntl
except ImportError:  # no such locks on Windows
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
        self.folder, self.run, self.worker = folder, run, worker
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

    def write(self, record: msgspec.Struct) -> None:
        """Append one record; it is in the file when this returns."""
        self.lines.append(records.encode(record))
        if self._records < 0:
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
        places = [lambda: refuge(refuge_name(self.run))]
        if isinstance(error, FileNotFoundError):
            places.insert(0, lambda: made(self.folder))
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
                self.trouble = f"{self.trouble}: records go to {folder}"
                return
        self.trouble += ": records are kept in memory alone"

    def in_flight(self, differentiator: str, mode: str, item: str, case: Case) -> None:
        """Note the case that is about to run; only the first line counts."""
        head = json.dumps([differentiator, mode, item]).encode()
        self._note(b'{"head":%b,"case":%b}\n' % (head, _encoded(case)))

    def landed(self) -> None:
        """No case is in flight any more."""
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
        """Close both files; the note of the case in flight goes."""
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
    """The folder, made and ignored by git where it is new; `OSError` if it cannot be."""
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


def merged(
    folder: Path,
    run: str,
    *,
    own: Iterable[bytes] | None = None,
    died: Collection[str] | None = None,
) -> Records:
    """All that the processes of a run wrote.

    own: the lines of the process that asks, whatever became of its shard.
    died: the workers that died of the case that they ran, which is then a crash;
    of other processes it is told that it was not judged. None: it is not known
    who died of what.
    """
    found: list[Record] = []
    for worker, path in _shards(folder, run).items():
        if own is None or worker != MAIN:
            found += last_attempts(records.read(path).all)
    if own is not None:
        found += last_attempts(filter(_is_record, map(records.decode, own)))
    for worker, head, case in flights(folder, run):
        if worker in (died or ()):
            note = f"the process was killed while it ran this case (worker {worker})"
            crash = crash_record(head, case, note)
            found += [crash, _died_of(crash)]
        else:
            found.append(unfinished(head, case))
    return records.gathered(found)


def _is_record(line: Record | str) -> bool:
    return not isinstance(line, str)


def last_attempts(found: Iterable[Record]) -> list[Record]:
    """Records of a shard, in which an item that was run again replaces what it left.

    An item's discrepancies stand before it, so that they are those of its own attempt.
    """
    attempts: dict[str, list[Record]] = {}
    others: list[Record] = []
    pending: list[Record] = []
    for record in found:
        if isinstance(record, Item):
            attempts[record.id] = [*pending, record]
            pending = []
        elif isinstance(record, Discrepancy):
            pending.append(record)
        else:
            others.append(record)
    return [r for attempt in attempts.values() for r in attempt] + pending + others


def _places(run: str, folder: Path) -> Iterator[Path]:
    """Where processes of a run may have written; what comes later has more."""
    yield folder
    with contextlib.suppress(OSError):
        place = refuge(refuge_name(run))
        yield place


def _shards(folder: Path, run: str) -> dict[str, Path]:
    """The shard of each process: in the refuge where it had to go there."""
    return {
        path.name.removesuffix(".jsonl").rpartition("-")[2]: path
        for place in places(folder, run)
        for path in sorted(place.glob(f".gradverify-{run}-*.jsonl"))
    }


def flights(folder: Path, run: str) -> Iterator[tuple[str, Head, Case]]:
    """Every process that had a case in flight, with it."""
    for place in places(folder, run):
        for path in sorted(place.glob(f".gradverify-{run}-*.in-flight")):
            found = read_flight(path)
            if found is not None:
                worker = path.name.removesuffix(".in-flight").rpartition("-")[2]
                yield worker, *found


def places(folder: Path, run: str) -> list[Path]:
    """The folders in which processes of a run have written, the refuge last."""
    import tempfile

    place = Path(tempfile.gettempdir()) / refuge_name(run)
    return [folder, *([place] if place.is_dir() else [])]
