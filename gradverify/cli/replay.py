"""Cases of an earlier run: run them again, or keep them."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from gradverify import records
from gradverify.cli.output import say
from gradverify.cli.place import Place, plugin_arguments
from gradverify.cli.status import NOTHING, RIGHT, WRONG, CommandError
from gradverify.diagnosis.explanation import Explanation
from gradverify.differentiators import (
    Differentiator,
    keep_apart,
    known_names,
    load,
    modes,
    present,
    registered,
)
from gradverify.graph import Case, case_from_json, case_name, case_to_json
from gradverify.outside.reading import read_bytes
from gradverify.outside.writing import replace
from gradverify.plugin import folder, shards
from gradverify.plugin.function_fixture import is_of_a_test
from gradverify.records import Discrepancy, Records, Unfinished
from gradverify.report.terminal import failure_text
from gradverify.suites.blocks import CASE, SAVED
from gradverify.suites.large_network import Network, network_block, network_from
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import LargeBlock, judge, verify_large

ENDS = (Verdict.CRASHED.name, Verdict.TIMED_OUT.name)  # perhaps of a whole process


@dataclass(frozen=True)
class FoundCase:
    """A case, the differentiator and mode that it is about, and its record if known."""

    case: Case | Network
    differentiator: str = ""
    mode: str = ""
    record: Discrepancy | None = None

    @property
    def name(self) -> str:
        """The ten digits of the case."""
        return case_name(self.case) if isinstance(self.case, Case) else self.case.digits


# ---- finding


def recorded(place: Place) -> Iterator[Discrepancy]:
    """The discrepancies of the last run, and of runs that were killed."""
    for found in _left(place):
        yield from found.discrepancies


def _left(place: Place) -> Iterator[Records]:
    """The records of the last run, and of runs that were killed."""
    for name in (folder.RECORDS, shards.KILLED):
        path = place.reports / name
        if path.exists():
            try:
                yield records.read(path)
            except OSError as error:
                raise CommandError(
                    f"{path} cannot be read: {error.strerror}"
                ) from error


def _candidates(place: Place, name: str) -> Iterator[FoundCase]:
    for record in recorded(place):
        if record.case.startswith(name):
            is_large = record.network is not None
            case = _network_of(record) if is_large else case_of(record)
            yield FoundCase(case, record.differentiator, record.mode, record)
    for left in (left for found in _left(place) for left in found.unfinished):
        if left.case.startswith(name):
            yield FoundCase(case_of(left), left.differentiator, left.mode)
    for path in sorted(place.reports.glob(".gradverify-*.in-flight")):
        flight = shards.read_flight(path)
        if flight is not None and case_name(flight[1]).startswith(name):
            yield FoundCase(flight[1], flight[0][0], flight[0][1])
    saved = place.root / SAVED
    for path in sorted(saved.glob(f"{name}*.json")):
        yield _of_file(path)


def case_of(record: Discrepancy | Unfinished) -> Case:
    """The case of a record; `CommandError` if it is malformed or not there."""
    if isinstance(record, Discrepancy) and record.network is not None:
        raise CommandError(
            f"case {record.case} is too large to be written down: replay it instead"
        )
    data = {"graph": record.graph, "point": record.point, "dtype": record.dtype}
    try:
        return case_from_json(data)
    except ValueError as error:
        raise CommandError(f"case {record.case} cannot be read: {error}") from error


def _network_of(record: Discrepancy) -> Network:
    try:
        return network_from(record.network)
    except ValueError as error:
        raise CommandError(f"case {record.case} cannot be made: {error}") from error


def _of_file(path: Path) -> FoundCase:
    try:
        data = json.loads(read_bytes(path, CASE))
        case = case_from_json(data)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{path} cannot be read as a case: {error}") from error
    named = [data.get(key) for key in ("differentiator", "mode")]
    who, mode = (text if isinstance(text, str) else "" for text in named)
    return FoundCase(case, who, mode)


def find(place: Place, name: str) -> list[FoundCase]:
    """What is known of a case: one entry for each differentiator that it was found
    with.

    Raises `CommandError` if there is none, or if the digits fit several.
    """
    if Path(name).suffix == ".json":
        return [_of_file(Path(name))]
    if not re.fullmatch(r"[0-9a-f]{4,10}", name):
        shown = reprlib.repr(name)
        raise CommandError(f"{shown} is no case: give its ten hex digits, or a file")
    found = list(_candidates(place, name))
    names = sorted({f.name for f in found})
    if not names:
        raise CommandError(f"no case {name} in {place.reports} or {place.root / SAVED}")
    if len(names) > 1:
        raise CommandError(f"{name} fits several cases: {', '.join(names)}")
    unique = {(f.differentiator, f.mode): f for f in reversed(found)}
    return list(unique.values())


# ---- commands


def replay(place: Place, name: str, only: str | None) -> int:
    """Run a case again; the status is 1 if it still deviates."""
    found = find(place, name)
    tests = dict.fromkeys(t for f in found if (t := _test_of(f)) is not None)
    if tests and only is None:
        return _tests_again(name, list(tests))
    named = [f for f in found if f.differentiator]
    if only or not named:
        pairs = [(found[0], d, m) for d in _instances(only) for m in modes(d)]
    else:
        pairs = [(f, _of_record(f.differentiator), f.mode) for f in named]
    outcomes = [_again(f, differentiator, mode) for f, differentiator, mode in pairs]
    if not outcomes or set(outcomes) == {NOTHING}:
        return NOTHING
    return WRONG if WRONG in outcomes else RIGHT


def _test_of(found: FoundCase) -> str | None:
    """The test in which a function of the user was checked; None for other cases."""
    match = is_of_a_test(found.record.item) if found.record is not None else None
    return None if match is None else match[1]


def _tests_again(name: str, tests: list[str]) -> int:
    """Run the tests again in which a case of the user's own function was found.

    A function has no name by which a command could call it; its test calls it, and
    looks at the same points again.
    """
    say(f"case {name} was found in {', '.join(tests)}", flush=True)
    status = pytest.main([*plugin_arguments(), "-q", "--no-header", *tests])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise CommandError(f"{tests[0]} cannot be run; was the test renamed?")
    fails = status == pytest.ExitCode.TESTS_FAILED
    say("STILL wrong" if fails else "FIXED: the test passes")
    return WRONG if fails else RIGHT


def _instances(only: str | None) -> list[Differentiator]:
    if only:
        return [_load(only)]
    found = [present(name) for name in _names()]
    return [d for d in found if isinstance(d, Differentiator)]


def _names() -> tuple[str, ...]:
    try:
        return known_names()
    except ValueError as error:
        raise CommandError(str(error)) from error


def _of_record(name: str) -> Differentiator:
    """The engine that a record or a file names.

    A file names no class, since whoever wrote it would choose what is imported here.
    """
    if ":" in name:
        raise CommandError(
            f"the case names the differentiator {name!r}; only the command line names "
            "a class: add --differentiator package.module:Class"
        )
    return _load(name)


def _load(name: str) -> Differentiator:
    try:
        return load(name)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _again(found: FoundCase, differentiator: Differentiator, mode: str) -> int:
    who = f"{differentiator.name}, {mode}, {found.case.dtype}"
    reason = differentiator.available()
    if reason is not None:
        say(f"NOT RUN  {who}: {reason}")
        return NOTHING
    if mode not in differentiator.modes():
        raise CommandError(f"{differentiator.name} has no mode {mode!r}")
    say(f"case {found.name} with {who}", flush=True)  # it may kill this process
    if found.record is None or found.record.verdict in ENDS:
        keep_apart(differentiator)
    judgement, shown = _judged(found.case, differentiator, mode)
    if judgement.verdict in (Verdict.UNSUPPORTED, Verdict.UNRESOLVED, Verdict.VACUOUS):
        say(f"NOT JUDGED: {judgement.verdict.value}. {judgement.note}")
        return NOTHING
    if _deviates(judgement, found.record):
        say(f"STILL {judgement.verdict.name}")
        say(failure_text([shown()], said=None))
        return WRONG
    was = f", was {found.record.verdict}" if found.record else ""
    say(f"{'FIXED' if found.record else 'RIGHT'}: {judgement.verdict.value}{was}")
    return RIGHT


def _deviates(judgement: Judgement, record: Discrepancy | None) -> bool:
    """Whether it still fails, or still shows what it was listed for."""
    listed = record is not None and record.verdict == judgement.verdict.name
    return judgement.verdict.fails() or listed


def _judged(
    case: Case | Network, differentiator: Differentiator, mode: str
) -> tuple[Judgement, Callable[[], Discrepancy]]:
    """The verdict; and, if that is asked for, how it is recorded."""
    from gradverify.plugin.item_outcome import discrepancy, of_explanation

    name = differentiator.name
    if isinstance(case, Case):
        judgement = judge(case, differentiator, mode)

        def shown() -> Discrepancy:
            why = of_explanation(_why(case, differentiator, mode, judgement))
            return discrepancy(name, mode, case, judgement, **why)

        return judgement, shown
    block = _block(case)
    item = verify_large(block, differentiator, mode)
    (verdict,) = item.counts
    quiet = Judgement(verdict, note="; ".join(item.skipped))
    found = item.findings[0].judgement if item.findings else quiet
    return found, lambda: discrepancy(
        name, mode, block.case, found, written=block.record()
    )


@cache
def _block(network: Network) -> LargeBlock:
    """One block for all that replay the network, so that they share its reference."""
    return network_block(network)


def _why(
    case: Case, differentiator: Differentiator, mode: str, judgement: Judgement
) -> Explanation | None:
    """Where and why. An engine that may run for ever is not asked."""
    from gradverify.diagnosis.diagnose import Failure, diagnose
    from gradverify.diagnosis.localize import guilty_op

    if judgement.verdict is Verdict.TIMED_OUT:
        return None

    def verdict_on(part: Case) -> Judgement:
        return judge(part, differentiator, mode)

    guilty = guilty_op(case, verdict_on, judgement)
    return diagnose(Failure(case, judgement, guilty.op, differentiator, mode))


def save(place: Place, name: str) -> int:
    """Write a case to the folder in which the repository keeps its cases."""
    found = find(place, name)[0]
    if not isinstance(found.case, Case):
        raise CommandError(
            f"case {found.name} is too large to be saved; it is made from its seed: "
            f"gradverify replay {found.name}"
        )
    if (test := _test_of(found)) is not None:
        raise CommandError(
            f"case {found.name} is of your function {found.differentiator}, which no "
            f"engine runs; to keep its point, check the function at it in {test}"
        )
    path = place.root / SAVED / f"{found.name}.json"
    content = case_to_json(found.case)
    if found.record is not None:
        content["finding"] = found.record.finding
    if found.differentiator:
        content |= {"differentiator": found.differentiator, "mode": found.mode}
    try:
        path.parent.mkdir(exist_ok=True)
        replace(path, (json.dumps(content, indent=1) + "\n").encode())
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error
    say(str(path))
    return RIGHT


def list_differentiators(place: Place) -> int:
    """Every known differentiator: its modes and versions, or why it cannot run."""
    del place
    for name in _names():
        found = present(name)
        if isinstance(found, str):
            parts = [f"not available: {found}"]
        else:
            versions = (f"{k} {v}" for k, v in found.versions().items())
            parts = [", ".join(modes(found)), *versions]
        own = ["registered here"] if name in registered() else []
        say(f"{name:<12}  {'; '.join([*parts, *own])}")
    return RIGHT
