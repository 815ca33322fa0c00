"""The older run that a run is compared with; its old cases are run once more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gradverify import records
from gradverify.differentiators import Differentiator
from gradverify.graph import case_from_json
from gradverify.plugin.folder import RECORDS
from gradverify.plugin.shield import deaf
from gradverify.records import Changes, Discrepancy, Note, Records
from gradverify.report.wording import DIED
from gradverify.suites.large_network import network_block, network_from
from gradverify.verdict import Verdict
from gradverify.verify import judge, verify_large


@dataclass(frozen=True)
class Base:
    """An older run.

    name: its file, for people.
    is_named: whether the user named it.
    """

    found: Records
    name: str
    is_named: bool

    @property
    def words(self) -> str:
        """The file, with the date and commit of its run."""
        run = self.found.run
        parts = [self.name]
        if run is not None:
            parts += [run.started[:10]] if run.started else []
            parts += [f"commit {run.commit[:10]}"] if run.commit else []
        return ", ".join(parts)

    @property
    def notes(self) -> list[Note]:
        """What in the file was not understood."""
        own = f"{Path(self.name).name}:"
        return [note for note in self.found.notes if note.text.startswith(own)]


def base(named: Path | None, reports: Path) -> Base | None:
    """The run that was named; else the last one in the report folder, if there is one.

    A folder stands for the records in it. `pytest.UsageError` if a named file cannot be
    read, or has no item of a run.
    """
    path = named or reports
    path = path / RECORDS if path.is_dir() else path
    try:
        found = records.read(path)
    except OSError as error:
        if named is None:
            return None
        raise pytest.UsageError(
            f"--gradverify-against: {path} cannot be read ({error.strerror}); name the "
            f"{RECORDS} of an older run, kept where this run does not write"
        ) from error
    if found.items:
        return Base(found, path.name if named is None else str(named), bool(named))
    if named is None:
        return None
    first = f" ({found.notes[0].text})" if found.notes else ""
    raise pytest.UsageError(
        f"--gradverify-against: {path} has no records of a run{first}; name the "
        f"{RECORDS} of an older run"
    )


def compared(
    before: Base,
    now: Records,
    judged: Iterable[Differentiator],
    limit: Callable[[Differentiator], float],
) -> Changes | None:
    """What became of the older run's findings.

    None if nobody named the older run and it did not run all items of this one. All
    findings in the items that it did not run would look new.

    limit: from an engine to the seconds for one run of it.
    """
    ran, had = (
        {item.id for item in found.items if records.looked(item)}
        for found in (now, before.found)
    )
    if not before.is_named and not ran <= had:
        return None
    shown = {d.finding for d in now.discrepancies}
    engines = {who.name: who for who in judged}
    again = [
        d
        for d in before.found.discrepancies
        if d.known is None and d.finding not in shown and d.item in ran
    ]
    still: set[str] = set()
    hanging: set[str] = set()
    with deaf():
        for d in again:
            who = engines.get(d.differentiator)
            # one case without an end is enough; of the others nobody knows
            if d.differentiator in hanging or _still(d, who, limit, hanging):
                still.add(d.finding)
    return records.changes(before.found, now, base=before.words, still=still)


def _still(
    found: Discrepancy,
    who: Differentiator | None,
    limit: Callable[[Differentiator], float],
    hanging: set[str],
) -> bool:
    """Whether the old case deviates now; False if that cannot be told.

    A case that ended its process is not tried again in this one. An engine that has no
    end in time is added to those that are hanging.
    """
    if who is None or found.mode not in who.modes() or found.got == DIED:
        return False
    try:
        verdict = _verdict(found, who, limit(who))
    except ValueError:
        return False
    if verdict is Verdict.TIMED_OUT:
        hanging.add(who.name)
    return verdict.fails() or verdict.name == found.verdict


def _verdict(found: Discrepancy, who: Differentiator, limit: float) -> Verdict:
    """The verdict on the old case; a large network is made again.

    `ValueError` if it is malformed.
    """
    if found.network is not None:
        block = network_block(network_from(found.network))
        return next(iter(verify_large(block, who, found.mode).counts))
    case = case_from_json(
        {"graph": found.graph, "point": found.point, "dtype": found.dtype}
    )
    return judge(case, who, found.mode, limit=limit).verdict
