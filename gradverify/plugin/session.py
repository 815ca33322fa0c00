"""One run in one process: what is judged, within which budget, and what is written
down.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradverify import records
from gradverify.differentiators import (
    Differentiator,
    Trial,
    close_all,
    is_trusted,
    tried_out,
)
from gradverify.formats import DTYPES
from gradverify.known import WHOLE, Deviation, is_expired
from gradverify.plugin import folder, shards
from gradverify.plugin.baseline import Base, base, compared
from gradverify.plugin.chosen_modes import ChosenModes, checked_modes
from gradverify.plugin.clock import PROFILES, Clock, Queue
from gradverify.plugin.deviations import expired, met, rows_of
from gradverify.plugin.early_end import EarlyEnd
from gradverify.plugin.item_outcome import ItemOutcome
from gradverify.plugin.options import Settings, checked, is_only
from gradverify.plugin.provenance import commit, device, versions
from gradverify.plugin.selection import Selection, select
from gradverify.plugin.shards import Death, Writer
from gradverify.plugin.source_place import place_of, within
from gradverify.plugin.termination import Termination
from gradverify.records import Changes, Discrepancy, Note, Records, Run
from gradverify.suites.blocks import Asked, blocks
from gradverify.surroundings import forget, remember, surrounded
from gradverify.verify import Block, Budget

HANDSHAKE = 0.25  # of the time that is left goes to trying an engine, at most
LOADING = 5.0  # seconds for the first call of an engine; a quarter of a shorter run
SHRINKING = 1.0  # seconds for the kinds of an item, however little time there is
LIMIT, LEAST = 10.0, 1.0  # seconds for one run of an engine, at most and at least
LOSSES, LOST = 4, 0.25  # runs without an end, and their part of the time: then enough
UNRESOLVED = 0.01  # a run with a larger share that the reference leaves open fails
NOTHING = 3  # the status of commands where nothing could be judged


class Session:
    """What the items of a process share; `worker` is empty without pytest-xdist."""

    def __init__(self, config: pytest.Config, anchor: Path) -> None:
        began = time.time() - time.process_time()  # of this process, or later
        self.config, self.anchor = config, anchor
        self.root = config.rootpath
        self.settings: Settings = checked(config)
        self.selection: Selection = select(config, self.settings.differentiators)
        checked_modes(self.settings.modes, self.selection.judged, self.settings.order)
        remember()
        config.add_cleanup(forget)  # also where the run does not begin
        self.rows, self.own_rows = rows_of(self.root)
        given: dict[str, Any] = getattr(config, "workerinput", {})
        self.worker: str = given.get("workerid", "")
        self.workers: int = given.get("workercount", 1)
        self.run: str = given.get("gradverify_run") or folder.run_name()
        self.folder: Path = self.settings.report
        self.base: Base | None = None
        self.started = datetime.now(UTC)
        self.began: float = given.get("gradverify_began", began)
        self.writer: Writer | None = None
        self.notes: list[Note] = []
        self.found: Records | None = None
        self.page: Path | None = None
        self.troubles: list[str] = []
        self.died: dict[str, Death] = {}
        self.termination = Termination()
        self.early_end = EarlyEnd(self._break_off)
        self.profile = PROFILES[self.settings.profile]
        seconds = self.settings.time or self.profile.seconds
        self.clock = Clock(seconds, time.time() - self.began)
        for queue, rank in zip(self.clock.queues, self.profile.ranks, strict=True):
            queue.rank = rank
        self.elsewhere = 0.0  # seconds in tests that are not ours
        self.spokesmen: dict[str, str] = {}
        self._trials: dict[str, Trial] = {}
        self._lost: dict[str, tuple[int, float]] = {}

    @property
    def is_controller(self) -> bool:
        """Whether this process merges. A worker only writes its shard."""
        return not self.worker

    @cached_property
    def blocks(self) -> list[Block]:
        """The blocks of the run."""
        return blocks(
            Asked(
                suites=self.settings.suites,
                ops=self.settings.ops,
                dtypes=self.settings.dtypes,
                max_nodes=self.settings.max_nodes,
                seed=self.settings.seed,
                root=self.root,
                large=self.settings.networks,
                chunk=self.profile.chunk,
                begin=self.profile.begin,
            )
        )

    def has_suite(self, name: str) -> bool:
        """Whether the user's choice of suites includes this one."""
        return not self.settings.suites or name in self.settings.suites

    @cached_property
    def chosen(self) -> ChosenModes:
        """Which modes the run asks."""
        settings = self.settings
        first = (settings.dtypes or DTYPES)[0]
        return ChosenModes(
            settings.modes, settings.profile, settings.seed, first, settings.order
        )

    def judged(self, block: Block) -> Iterator[tuple[Differentiator, str]]:
        """The differentiators and modes that a block is for."""
        for differentiator in self.selection.judged:
            if block.dtype in differentiator.accepts.dtypes:
                declared = differentiator.modes()
                for mode in self.chosen.of(differentiator, block):
                    only = declared[mode].dtypes
                    if not only or block.dtype in only:
                        yield differentiator, mode

    def witnesses(self, row: Deviation) -> Iterator[tuple[Differentiator, str]]:
        """The differentiators and modes in which the witness of a row is looked at.

        Those that the row names, and else those that are asked everywhere.
        """
        for differentiator in self.selection.judged:
            if (
                row.differentiator == differentiator.name
                and row.witness.dtype in differentiator.accepts.dtypes
            ):
                usual = self.chosen.everywhere(differentiator, row.witness.dtype)
                for mode in differentiator.modes():
                    named = mode in row.modes and not self.settings.modes
                    if named or (
                        mode in usual and (not row.modes or mode in row.modes)
                    ):
                        yield differentiator, mode

    def expect(
        self,
        asked: Iterable[tuple[Block, Differentiator, str]],
        *,
        has_witnesses: bool,
    ) -> None:
        """Learn which drawn blocks there are, before the first one is looked at; and
        whether witnesses of shipped rows come after them.
        """
        self.clock.has_witnesses = has_witnesses
        places = [self.place(block, who, mode) for block, who, mode in asked]
        for queue in self.clock.queues:
            keys = {key for of, key in places if of is queue}
            queue.expected = len(keys) / self.workers

    def place(
        self, block: Block, who: Differentiator, mode: str
    ) -> tuple[Queue, Hashable]:
        """The queue that a drawn block is in for a mode, and its name in that queue.

        Modes that are asked beside the usual ones have a part of the time of their
        own, so that they take none from how many blocks the usual ones look at. Where
        queues are ranked, so has a second dtype.
        """
        is_usual = self.chosen.is_usual(who, block.dtype, mode)
        key = id(block), who.name if who.compiles else "", is_usual
        is_first = block.dtype == self.chosen.first or not self.profile.is_ranked
        if is_usual and is_first:
            return (self.clock.compiled if who.compiles else self.clock.shared), key
        return self.clock.extra, key

    def affords(self, block: Block, who: Differentiator, mode: str) -> bool:
        """Whether there is time for a block."""
        return self.clock.affords(*self.place(block, who, mode))

    def budget(self, block: Block, who: Differentiator, mode: str) -> Budget:
        """How much an item of the block may look at."""
        queue, key = self.place(block, who, mode)
        seconds = self.clock.part(queue, key)
        shared_by = sum(
            self.place(block, other, m)[1] == key for other, m in self.judged(block)
        )
        least = self.clock.least(queue, seconds, self.profile.least)
        shrinking = max(SHRINKING, seconds)
        return Budget(
            self.profile.most,
            seconds,
            max(1, shared_by),
            least,
            shrinking,
            losing=self.losing(who),
        )

    def tick(self) -> None:
        """Bring the clock to the time of the run, but for tests that are not ours."""
        self.clock.spent = time.time() - self.began - self.elsewhere

    @cached_property
    def accepted(self) -> frozenset[str]:
        """The findings that are not new.

        They are those that this repository accepts today, in whatever file, and those
        of the older run that the user named.
        """
        today = date.today()
        before: set[str] = set()
        if self.base is not None and self.base.is_named:
            before = {d.finding for d in self.base.found.discrepancies if not d.known}
        return frozenset(before) | frozenset(
            f"{row.differentiator}:{mode}:{dtype}/{row.op}/{verdict.name.lower()}"
            for row in self.own_rows
            if not (row.when or row.op == WHOLE or is_expired(row, today))
            for mode in row.modes
            for dtype in row.dtypes
            for verdict in row.verdict
        )

    def problems(self, differentiator: Differentiator) -> list[str]:
        """What is wrong with a differentiator as a whole."""
        return list(self.trial(differentiator).problems)

    def has_tried(self, differentiator: Differentiator) -> bool:
        """Whether the handshake of a differentiator is over."""
        return differentiator.name in self._trials

    def trial(self, differentiator: Differentiator) -> Trial:
        """What the handshake says about a differentiator; it runs once in a process.

        Ops that fail in it are taken out of what the differentiator is asked for.
        """
        name = differentiator.name
        if name not in self._trials:
            seconds = HANDSHAKE * self.clock.left
            limit = self.limit(differentiator)
            loading = min(LOADING, HANDSHAKE * self.clock.seconds)
            if is_trusted(differentiator):
                loading = LOADING
            trial = tried_out(differentiator, limit, seconds, loading)
            self._trials[name] = trial
            self.lose(differentiator, 0, trial.lost)
            differentiator.taken_out = {**trial.ops, **trial.unsupported}
            self.note(trial.notes)
        return self._trials[name]

    def note(self, texts: Iterable[str]) -> None:
        """Write sentences about the run down, whatever process of it this is."""
        for text in texts:
            if self.writer is not None:
                self.writer.write(Note(text=text))

    # ---- engines that have no end, or end their process

    def limit(self, who: Differentiator) -> float:
        """The seconds for one run of an engine.

        Built-in engines and engines that compile have the same limit in every run,
        because on a busy machine even they are slow. Other engines have a tenth of the
        run's time.
        """
        if is_trusted(who) or who.compiles:
            return LIMIT
        return min(LIMIT, max(LEAST, self.clock.seconds / 10))

    def losing(self, who: Differentiator) -> float:
        """The seconds that an engine may still lose, its trial and all items together.

        One case without an end is judged in any case, however long the trial took.
        """
        _, seconds = self._lost.get(who.name, (0, 0.0))
        return max(0.0, LOST * self.clock.seconds - seconds)

    def lose(self, who: Differentiator, times: int, seconds: float) -> None:
        """Count what an engine lost for having no end, or for ending its process."""
        before = self._lost.get(who.name, (0, 0.0))
        self._lost[who.name] = before[0] + times, before[1] + seconds

    def given_up(self, who: Differentiator) -> str:
        """Why no more items of an engine are run; empty if they are."""
        times, seconds = self._lost.get(who.name, (0, 0.0))
        if times < LOSSES and (not times or self.losing(who) > 0.0):
            return ""
        return (
            f"{who.name} had no result in time, or ended its process, {times} times "
            f"({seconds:.3g} s); the rest of it is not run"
        )

    # ---- writing

    def open(self) -> None:
        """Begin to write; `pytest.UsageError` if nothing can be written to the
        folder.
        """
        if self.is_controller or self.settings.against:
            self.base = base(self.settings.against, self.folder)
        try:
            if self.is_controller:
                folder.prepare(self.folder)
                self.notes += shards.collect_leftovers(self.folder)
                self.notes += expired(self.own_rows)
                if self.base is not None and self.base.is_named:
                    self.notes += self.base.notes
            self.termination.begin()
            self.early_end.begin()
            self.writer = Writer(self.folder, self.run, self.worker or shards.MAIN)
        except OSError as error:
            raise pytest.UsageError(
                f"--gradverify-report: {self.folder} cannot be written ({error}); "
                "name another folder"
            ) from error

    def record(self, result: ItemOutcome, test: str = "") -> None:
        """Write an item and its discrepancies down.

        test: the place of the test in which a function was judged.
        """
        if self.writer is not None:
            self.writer.landed()
            for found in result.discrepancies:
                self.writer.write(
                    msgspec.structs.replace(found, place=self._at(found, test))
                )
            self.writer.write(result.item)

    def _at(self, found: Discrepancy, test: str) -> str:
        """Where in the repository a finding belongs; empty if nowhere."""
        if found.place:
            file, _, line = found.place.rpartition(":")
            return within(self.root, file, int(line)) or found.place
        named = (e for e in self.selection.judged if e.name == found.differentiator)
        return next((place_of(e, found.op, self.root) for e in named), test)

    @surrounded
    def close(self, exitstatus: int) -> int:
        """The end of a process; the controlling one merges.

        Returns the exit status of the run.
        """
        close_all()
        if self.writer is None:
            return exitstatus
        self.writer.landed()
        if self.is_controller:
            exitstatus = self._merge(exitstatus, self.writer)
        self.abandon()
        return exitstatus

    def _merge(self, exitstatus: int, writer: Writer) -> int:
        found = shards.merged(self.folder, self.run, own=writer.lines, died=self.died)
        has_moved = writer.folder != self.folder or writer.is_mute
        told = [Note(text=writer.trouble)] if writer.trouble and not has_moved else []
        self.troubles = [writer.trouble] if has_moved else []
        left = self.chosen.left(self.selection.judged) if found.items else ()
        notes = (*found.notes, *self.notes, *changers(found), *left, *told)
        found = msgspec.structs.replace(found, notes=notes)
        if found.items or found.discrepancies or found.claims:
            exitstatus, found = _judged(exitstatus, found)
            if is_only(self.config):
                exitstatus, found = _looked(exitstatus, found)
            exitstatus = self.termination.status or exitstatus
            self._publish(found, exitstatus)
            if self.page is None:
                exitstatus = exitstatus or int(pytest.ExitCode.INTERNAL_ERROR)
        return self.termination.status or exitstatus

    def worker_died(self, worker: str) -> None:
        """Note that a process of the run died of the case that it ran."""
        note = f"the process was killed while it ran this case (worker {worker})"
        self.died[worker] = Death(note)

    @surrounded
    def _break_off(self, death: Death) -> None:
        """Merge and publish, since this process is about to end in the middle.

        What a worker of pytest-xdist wrote is merged by the process that started it.
        """
        if self.writer is None or not self.is_controller:
            return
        self.notes.append(Note(text=f"the run did not come to its end: {death.note}"))
        self.died[shards.MAIN] = death
        self._merge(int(pytest.ExitCode.INTERNAL_ERROR), self.writer)
        shards.clear(self.folder, self.run)
        hooks: Any = self.config.pluginmanager.get_plugin("gradverify-run")
        hooks.say_last(self.config)

    def abandon(self) -> None:
        """Close what is open and leave nothing behind, whatever became of the run."""
        self.early_end.end()
        for block in vars(self).get("blocks", ()):  # pytest keeps all that it has run
            block.forget()
        if self.writer is not None:
            self.writer.close()
            if self.is_controller:
                shards.clear(self.folder, self.run)
            self.writer = None
        self.termination.end()

    def _publish(self, found: Records, exitstatus: int) -> None:
        from gradverify.report.markdown import markdown
        from gradverify.report.page import page

        run = self._run(found, exitstatus)
        self.found = msgspec.structs.replace(
            found,
            run=run,
            discrepancies=records.marked(found.discrepancies),
            selftests=folder.selftests(self.folder),
            known=met(self.rows, found.discrepancies),
            changes=self._changes(found),
        )
        views = {
            folder.PAGE: page(self.found),
            folder.MARKDOWN: markdown(self.found),
        }
        published = folder.publish(self.folder, self.found, run, self.run, views)
        self.page = published.page
        self.troubles = list(published.troubles) or self.troubles

    def _changes(self, found: Records) -> Changes | None:
        if self.base is None or shards.MAIN in self.died:  # no engine is to run again
            return None
        return compared(self.base, found, self.selection.judged, self.limit)

    def _run(self, found: Records, exitstatus: int) -> Run:
        seconds = dict.fromkeys(("draw", "reference", "run", "shrink"), 0.0)
        for item in found.items:
            for stage, s in item.seconds.items():
                seconds[stage] = seconds.get(stage, 0.0) + s
        seconds = {f"all {stage}": round(s, 3) for stage, s in seconds.items()}
        seconds["run"] = round(time.time() - self.began, 3)
        seconds["asked"] = self.clock.seconds
        draws = records.total(item.draws for item in found.items)
        begun = draws.get("begun", 0)
        return Run(
            rejection_rate=draws.get("rejected", 0) / begun if begun else None,
            counts=records.counts_by_differentiator(found.items),
            items=records.total({item.outcome: 1} for item in found.items),
            ops=records.total(item.ops for item in found.items),
            op_pairs=records.total(item.op_pairs for item in found.items),
            regimes=records.total(item.regimes for item in found.items),
            versions=versions(),
            differentiators=self.versions(),
            absent=dict(self.selection.absent),
            devices=[device(), *dict.fromkeys(d.device for d in self.selection.judged)],
            seed=self.settings.seed,
            profile=self.settings.profile,
            fail_on=self.settings.fail_on,
            started=self.started.isoformat(timespec="seconds"),
            seconds=seconds,
            exit=int(exitstatus),
            commit=commit(self.root),
            report=self.settings.report_as_given,
            classes=dict(self.selection.classes),
        )

    def versions(self) -> dict[str, dict[str, str]]:
        """The judged differentiators with their versions."""
        return {d.name: _stated(d) for d in self.selection.judged}

    def header(self) -> list[str]:
        """The text above the run."""
        settings, lines = self.settings, []
        for d in self.selection.judged:
            parts = [f"{k} {v}" for k, v in _stated(d).items()]
            asked = self.chosen.everywhere(d, self.chosen.first)
            lines.append(f"  {d.name} ({', '.join([*asked, *parts])})")
        reasons: dict[str, list[str]] = {}
        for name, why in self.selection.absent.items():
            reasons.setdefault(why, []).append(name)
        lines += [f"  not {', '.join(names)}: {why}" for why, names in reasons.items()]
        if self.selection.only_own:
            lines.append("  no library is judged, only gradverify's own engines")
        first = (
            f"gradverify: seed {settings.seed}, profile {settings.profile}, "
            f"fails on {settings.fail_on}, {device()}, report in {self.folder}"
        )
        return [first, *lines, *(f"  {note.text}" for note in self.notes)]


def _stated(who: Differentiator) -> dict[str, str]:
    """The versions of an engine, and what it declares of its accuracy."""
    units = ", ".join(f"{op} {n:g}" for op, n in sorted(who.accuracy.items()))
    declared = {"declared accuracy in units of roundoff:": units} if units else {}
    return {**who.versions(), **declared}


def changers(found: Records) -> list[Note]:
    """A sentence about every engine that changed a global setting in a call."""
    changed: dict[str, dict[str, None]] = {}
    for item in found.items:
        changed.setdefault(item.differentiator, {}).update(dict.fromkeys(item.changed))
    return [
        Note(
            text=f"{who} changes {', '.join(names)} while it runs; it was put back as "
            "it was after every call"
        )
        for who, names in changed.items()
        if names
    ]


def _judged(exitstatus: int, found: Records) -> tuple[int, Records]:
    """Fail a run in which the reference could not decide too many cases."""
    cases = sum(n for item in found.items for n in item.counts.values())
    unresolved = sum(item.counts.get("UNRESOLVED", 0) for item in found.items)
    if unresolved <= max(1, UNRESOLVED * cases):
        return exitstatus, found
    note = Note(
        text=f"{unresolved} of {cases} comparisons are unresolved, over 1 %: a fault "
        "of gradverify's own reference, which fails the run"
    )
    notes = (*found.notes, note)
    failed = exitstatus or int(pytest.ExitCode.TESTS_FAILED)
    return failed, msgspec.structs.replace(found, notes=notes)


def _looked(exitstatus: int, found: Records) -> tuple[int, Records]:
    """Fail a run of our suites alone in which every item was skipped."""
    judged = any(item.outcome != "skipped" for item in found.items)
    if exitstatus or judged or not found.items:
        return exitstatus, found
    why = dict.fromkeys(item.reason for item in found.items if item.reason)
    reasons = f": {'; '.join(list(why)[:3])}" if why else ""
    note = Note(text=f"nothing was judged, every item was skipped{reasons}")
    notes = (*found.notes, note)
    return NOTHING, msgspec.structs.replace(found, notes=notes)
