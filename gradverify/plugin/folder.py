"""The report folder: a shard of records for each process, the case in flight, and the
merge.

A run is named by its controlling process. Each process of the run appends to a shard of
its own, so that a process that is killed loses nothing. It also notes each case before
it runs. The controlling process holds a lock while it lives. Files without a lock were
left by a run that was killed.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
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
from gradverify.records import Discrepancy, Item, Note, Record, Records
from gradverify.report.wording import DIED

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

RECORDS = "gradverify.jsonl"
PAGE = "gradverify.html"
MARKDOWN = "gradverify.md"
HISTORY = "history.jsonl"
KILLED = "gradverify-killed.jsonl"
SELFTESTS = "selftest.jsonl"
MAIN = "main"


def prepare(folder: Path) -> None:
    """Make the folder; a new one is ignored by git.

    `OSError` if no file can be written there.
    """
    if not folder.is_dir():
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    trial = folder / f".gradverify-{secrets.token_hex(4)}.trial"
    trial.write_bytes(b"")
    trial.unlink()


def replace(path: Path, content: bytes) -> None:
    """Write the file beside its place and rename it, so that nobody reads half of
    it.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    os.replace(beside, path)


def run_name() -> str:
    """A name for a run that no other has."""
    return f"{os.getpid():x}{secrets.token_hex(3)}"


def _shard(folder: Path, run: str, worker: str) -> Path:
    return folder / f".gradverify-{run}-{worker}.jsonl"


def _flight(folder: Path, run: str, worker: str) -> Path:
    return folder / f".gradverify-{run}-{worker}.in-flight"


# ---- writing


class Writer:
    """What one process of a run writes."""

    def __init__(self, folder: Path, run: str, worker: str = MAIN) -> None:
        self.folder, self.run, self.worker = folder, run, worker
        self._records = _shard(folder, run, worker).open("ab", buffering=0)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._flight = os.open(_flight(folder, run, worker), flags, 0o644)
        if fcntl is not None:
            fcntl.flock(self._flight, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def write(self, record: msgspec.Struct) -> None:
        """Append one record; it is in the file when this returns."""
        self._records.write(records.encode(record))

    def in_flight(self, differentiator: str, mode: str, item: str, case: Case) -> None:
        """Note the case that is about to run.

        Only the first line of the note counts.
        """
        head = json.dumps([differentiator, mode, item]).encode()
        os.lseek(self._flight, 0, os.SEEK_SET)
        os.write(self._flight, b'{"head":%b,"case":%b}\n' % (head, _encoded(case)))

    def landed(self) -> None:
        """Note that no case is in flight any more."""
        os.lseek(self._flight, 0, os.SEEK_SET)
        os.write(self._flight, b"\n")

    def close(self) -> None:
        """Close both files and remove the note of the case in flight."""
        self._records.close()
        os.close(self._flight)
        _flight(self.folder, self.run, self.worker).unlink(missing_ok=True)


@lru_cache(maxsize=4096)
def _encoded(case: Case) -> bytes:
    return msgspec.json.encode(case_to_json(case))


# ---- reading


def shards(folder: Path, run: str) -> list[Path]:
    """The shards of a run, in the order of their workers."""
    return sorted(folder.glob(f".gradverify-{run}-*.jsonl"))


def crashes(folder: Path, run: str, note: str) -> Iterator[Discrepancy]:
    """The cases that were in flight when a process of the run was killed."""
    for path in sorted(folder.glob(f".gradverify-{run}-*.in-flight")):
        crash = read_flight(path)
        if crash is not None:
            head, case = crash
            worker = path.name.removesuffix(".in-flight").rpartition("-")[2]
            who = "" if worker == MAIN else f" (worker {worker})"
            yield crash_record(head, case, note + who)


def read_flight(path: Path) -> tuple[tuple[str, str, str], Case] | None:
    """Differentiator, mode and item, and the case if one was in flight."""
    try:
        loose = json.loads(path.read_bytes().partition(b"\n")[0] or b"null")
        differentiator, mode, item = map(str, loose["head"])
        return (differentiator, mode, item), case_from_json(loose["case"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def crash_record(head: tuple[str, str, str], case: Case, note: str) -> Discrepancy:
    """The record of a case that ended its process."""
    differentiator, mode, item = head
    op = case.graph.ops[0] if len(case.graph.ops) == 1 else "graph"
    return Discrepancy(
        differentiator=differentiator,
        mode=mode,
        verdict="CRASHED",
        got=DIED,
        exact="",
        bound=None,
        known=None,
        finding=f"{differentiator}:{mode}:{case.dtype}/{op}/crashed",
        op=op,
        note=note,
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


def merged(folder: Path, run: str) -> Records:
    """All that the processes of a run wrote, with a record for each process that was
    killed.
    """
    found: list[Record] = []
    for path in shards(folder, run):
        read = records.read(path)
        found += [*read.discrepancies, *read.items, *read.notes]
    for crash in crashes(folder, run, "the process was killed while it ran this case"):
        found += [crash, _died_of(crash)]
    return records.gathered(found)


def clear(folder: Path, run: str) -> None:
    """Remove the files that the processes of a run wrote for themselves."""
    for path in folder.glob(f".gradverify-{run}-*"):
        path.unlink(missing_ok=True)


def write(
    folder: Path, found: Records, run: records.Run, views: Mapping[str, str]
) -> None:
    """Write the merged records, views of them by file name, and a line of history."""
    lines = map(records.encode, records.in_order(found))
    replace(folder / RECORDS, b"".join(lines))
    for name, text in views.items():
        replace(folder / name, text.encode("utf-8", "replace"))
    with (folder / HISTORY).open("ab") as history:
        history.write(records.encode(in_short(found.discrepancies, run)))


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


# ---- what killed runs left


def collect_leftovers(folder: Path) -> list[Note]:
    """Move what killed runs left into one file, with a note for each case in flight."""
    notes: list[Note] = []
    for path in sorted(folder.glob(f".gradverify-*-{MAIN}.in-flight")):
        run = path.name.removeprefix(".gradverify-").removesuffix(f"-{MAIN}.in-flight")
        if _is_left(path):
            found = merged(folder, run)
            notes += [_killed(d) for d in found.discrepancies if _died(d)]
            kept = [*found.items, *found.discrepancies, *found.notes]
            replace(folder / KILLED, b"".join(map(records.encode, kept)))
            clear(folder, run)
    return notes


def _died(found: Discrepancy) -> bool:
    return found.got == DIED


def _killed(found: Discrepancy) -> Note:
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
