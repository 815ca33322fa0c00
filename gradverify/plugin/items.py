"""The items under the anchor. Each runs one differentiator over one block."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gradverify.differentiators import Differentiator, is_trusted
from gradverify.graph import Case, case_name
from gradverify.known import Deviation, applies
from gradverify.outside.printing import for_terminal
from gradverify.plugin.item_outcome import ItemOutcome, heading, outcome, without_a_run
from gradverify.plugin.junit import properties
from gradverify.plugin.progress import Progress
from gradverify.plugin.session import Session
from gradverify.plugin.shield import deaf
from gradverify.report.terminal import failure_text
from gradverify.report.wording import OUT_OF_TIME, Invocation
from gradverify.suites import CUT
from gradverify.suites.blocks import Unreadable
from gradverify.surroundings import surrounded
from gradverify.verdict import Verdict
from gradverify.verify import (
    STAGES,
    Block,
    Budget,
    Finding,
    ItemResult,
    LargeBlock,
    OwnFault,
    judge,
    verify_item,
    verify_large,
)

PATIENCE = 600.0  # seconds for an item whose engine may not heed our own limit

SESSION = pytest.StashKey[Session]()


class Refuted(Exception):
    """An item fails. The text of this exception is what the user reads."""


class ReportingItem(pytest.Item):
    """An item that shows a failure by our own text."""

    def show(self, result: ItemOutcome) -> None:
        """Write the outcome down, and end as it says."""
        session = self.config.stash[SESSION]
        session.record(result)
        if result.item.outcome == "skipped":
            pytest.skip(for_terminal(result.item.reason))
        if result.item.outcome == "failed":
            settings, classes = session.settings, session.selection.classes
            said = Invocation(settings.report_as_given, classes)
            text = failure_text(result.failing, result.item.more, said)
            raise Refuted("\n\n".join(t for t in (text, result.item.reason) if t))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Our own text for what was refuted; a traceback if the fault is ours."""
        if isinstance(excinfo.value, Refuted):
            return for_terminal(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the item stands, for reports."""
        return self.path, None, self.nodeid.partition("::")[2]


class UnreadableCaseItem(ReportingItem):
    """A file among the saved cases that holds no case.

    It fails and says what is malformed.
    """

    def __init__(self, *, block: Unreadable, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.block = block

    def runtest(self) -> None:
        """Fail once, whatever is judged."""
        head = heading(self.nodeid, self.block, "", "")
        self.show(without_a_run(head, "failed", self.block.problem))


class GradverifyItem(ReportingItem):
    """One differentiator in one mode over the cases of one block."""

    case: Case | None = None  # the item that ran last
    fault: OwnFault | None = None  # of ours, met in one case

    def __init__(
        self,
        *,
        name: str,
        parent: pytest.Collector,
        block: Block,
        differentiator: Differentiator,
        mode: str,
        **kwargs: Any,
    ) -> None:
        # The id is given here, because pytest 9.2 splits an id at its brackets but
        # not a name, and `--lf` compares the two.
        nodeid = f"{parent.nodeid}::{name}"
        super().__init__(name=name, parent=parent, nodeid=nodeid, **kwargs)
        self.block, self.differentiator, self.mode = block, differentiator, mode
        if self.config.pluginmanager.has_plugin("timeout"):
            # A case has its own limit; the host's is meant for tests of another size.
            # An engine in this process may not heed ours: a plugin may end it then.
            holds = is_trusted(differentiator) or differentiator.isolated
            self.add_marker(pytest.mark.timeout(0 if holds else PATIENCE))

    @property
    def is_drawn(self) -> bool:
        """Whether it looks at as many cases as there is time for."""
        has_op = self.block.suite != "ops" or callable(self.table_row)
        return self.block.strategy is not None and has_op

    @property
    def table_row(self) -> Any:
        """What the differentiator's table has for the block's op, if the block is about
        one op.
        """
        return self.differentiator.table.get(self.block.family, "no such row")

    @property
    def gradverify(self) -> Session:
        """The run that this item is part of."""
        return self.config.stash[SESSION]

    @property
    def head(self) -> dict[str, Any]:
        """The fields of its record that say which item it is."""
        return heading(self.nodeid, self.block, self.differentiator.name, self.mode)

    @surrounded
    def runtest(self) -> None:
        """Judge, write down, and fail once with all that was found."""
        session, queue, key = self.gradverify, None, None
        session.tick()
        if self.is_drawn:
            queue, key = session.place(self.block, self.differentiator, self.mode)
        try:
            with session.clock.running(), deaf(one_thread=bool(session.worker)):
                result = self.unjudged() or self.timed()
        except Exception as error:
            error.add_note(self.last_words())
            self.gradverify.record(self.broken(error))
            raise
        if self.fault is not None:
            self.case = self.fault.case
            self.fault.error.add_note(self.last_words())
            self.gradverify.record(self.faulty(result, self.fault.error))
            raise self.fault.error
        if queue is not None and result.item.cases:
            seconds = sum(result.item.seconds.values())  # without a handshake before
            session.clock.looked(queue, key, result.item.cases, seconds)
        versions = self.differentiator.versions()
        self.user_properties += properties(
            result, versions, self.gradverify.settings.seed
        )
        self.show(result)

    def last_words(self) -> str:
        """What was being done when a fault of ours was met."""
        who = f"{self.differentiator.name} ({self.mode})"
        if self.case is None:
            return f"a fault of gradverify, before {who} ran a case"
        point = ", ".join(str(x.tolist()) for x in self.case.point)
        return (
            f"a fault of gradverify, while {who} ran case {case_name(self.case)}: "
            f"{self.case.graph} at {point} in {self.case.dtype}"
        )

    def broken(self, error: Exception) -> ItemOutcome:
        """The record of an item in which our own code raised."""
        reason = f"{type(error).__name__}: {error}\n{self.last_words()}"
        return without_a_run(self.head, "failed", reason)

    def faulty(self, result: ItemOutcome, error: Exception) -> ItemOutcome:
        """The record of an item that stands, though our own code failed in one case."""
        reason = self.broken(error).item.reason
        item = msgspec.structs.replace(result.item, outcome="failed", reason=reason)
        return ItemOutcome(item, result.discrepancies)

    def unjudged(self) -> ItemOutcome | None:
        """An outcome without a run, because of a faulty registration or an op that is
        absent.

        The registration is looked at first, since the item that reports it may be about
        an absent op.
        """
        name = self.differentiator.name
        head = self.head
        problems = self.gradverify.problems(self.differentiator)
        if not problems:
            return self.absent() or self.given_up() or self.forgone()
        speaker = self.gradverify.spokesmen.get(name, self.nodeid)
        if speaker != self.nodeid:
            return without_a_run(
                head, "skipped", f"{name} is not registered rightly; see {speaker}"
            )
        lines = "\n".join(f"  {problem}" for problem in problems)
        return without_a_run(
            head, "failed", f"{name} is not registered rightly:\n{lines}"
        )

    def skipped_unrun(self) -> ItemOutcome | None:
        """The outcome, written down, if the item is skipped without a run.

        None as long as the engine has not been tried: that is a part of an item's run.
        """
        session = self.gradverify
        if not session.has_tried(self.differentiator):
            return None
        if session.problems(self.differentiator):
            return None
        session.tick()
        try:
            found = self.absent() or self.given_up() or self.forgone()
        except Exception:  # a run of the item says what it was
            return None
        if found is None or found.item.outcome != "skipped":
            return None
        session.record(found)
        return found

    def absent(self) -> ItemOutcome | None:
        """An outcome without a run, if the table says why it lacks the op."""
        if self.block.suite != "ops":
            return None
        found = self.gradverify.trial(self.differentiator)
        if (problem := found.ops.get(self.block.family)) is not None:
            return without_a_run(self.head, "failed", problem)
        if (reason := found.unsupported.get(self.block.family)) is not None:
            return without_a_run(self.head, "skipped", f"{self.block.family}: {reason}")
        if not isinstance(self.table_row, str):
            return None
        reason = f"{self.block.family}: {self.table_row}"
        return without_a_run(self.head, "skipped", reason)

    def given_up(self) -> ItemOutcome | None:
        """An outcome without a run, if the engine has cost too much already."""
        reason = self.gradverify.given_up(self.differentiator)
        return without_a_run(self.head, "skipped", reason) if reason else None

    def forgone(self) -> ItemOutcome | None:
        """An outcome without a run, if there is no time for this block."""
        if self.is_drawn:
            affords = self.gradverify.affords(
                self.block, self.differentiator, self.mode
            )
        else:
            is_cut = self.block.suite in CUT
            affords = not is_cut or self.gradverify.clock.affords_written
        if affords:
            return None
        return self.out_of_time()

    def out_of_time(self) -> ItemOutcome:
        """The outcome of an item for which there is no time."""
        reason = f"{OUT_OF_TIME} of {self.gradverify.clock.seconds:g} s"
        return without_a_run(self.head, "skipped", reason)

    def timed(self) -> ItemOutcome:
        """The outcome of a run. Its time counts if the suite has a part of the time."""
        began = time.perf_counter()
        try:
            return self.judged()
        finally:
            if self.block.suite in CUT:
                self.gradverify.clock.written += time.perf_counter() - began

    def judged(self) -> ItemOutcome:
        """The outcome of a run over the block's cases."""
        raise NotImplementedError

    def ended(self, result: ItemResult) -> ItemOutcome:
        """What a result means under the policy of the run."""
        session = self.gradverify
        lost = result.seconds.get("lost", 0.0)
        session.lose(self.differentiator, result.lost, lost)
        self.fault = result.fault
        return outcome(
            self.head,
            result,
            policy=session.settings.fail_on,
            accepted=session.accepted,
        )

    def in_flight(self, case: Case) -> None:
        """Write the case down before it runs."""
        self.case = case
        writer = self.gradverify.writer
        if writer is not None:
            writer.in_flight(self.differentiator.name, self.mode, self.nodeid, case)


class BlockItem(GradverifyItem):
    """An item of a block that differentiators share."""

    def judged(self) -> ItemOutcome:
        """Sweep, shrink, and hold what was found against the policy."""
        session = self.gradverify
        if isinstance(self.block, LargeBlock):
            progress = Progress(self.config, self.block.family, len(STAGES))
            result = verify_large(self.block, self.differentiator, self.mode, progress)
        else:
            result = verify_item(
                self.block,
                self.differentiator,
                self.mode,
                budget=session.budget(self.block, self.differentiator, self.mode)
                if self.is_drawn
                else Budget(losing=session.losing(self.differentiator)),
                known=session.rows,
                in_flight=self.in_flight,
                limit=session.limit(self.differentiator),
            )
        return self.ended(result)


class KnownItem(GradverifyItem):
    """The witness of a known deviation. It passes while the deviation shows."""

    def __init__(self, *, row: Deviation, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.row = row

    @property
    def is_shipped(self) -> bool:
        """Whether the row is ours: its witness is then looked at if there is time."""
        return self.row.id not in {own.id for own in self.gradverify.own_rows}

    def forgone(self) -> ItemOutcome | None:
        """An outcome without a run, if blocks took the time and the row is ours."""
        clock = self.gradverify.clock
        over = self.is_shipped and clock.has_witnesses and clock.is_over
        return self.out_of_time() if over else None

    def judged(self) -> ItemOutcome:
        """Fail if the deviation is gone, in the repository whose row it is.

        If a witness fails in a way that its row does not list, that is a finding like
        any other.
        """
        row, session = self.row, self.gradverify
        head = self.head
        if not self.is_spoken_of():
            reason = f"{row.id} speaks of other versions or devices, or has expired"
            return without_a_run(head, "skipped", reason)
        self.in_flight(row.witness)
        began, limit = time.perf_counter(), session.limit(self.differentiator)
        judgement = judge(row.witness, self.differentiator, self.mode, limit=limit)
        verdict = judgement.verdict
        if judgement.fatal or verdict is Verdict.TIMED_OUT:
            session.lose(self.differentiator, 1, time.perf_counter() - began)
        who = f"{self.differentiator.name}:{self.mode}:{self.block.dtype}"
        name = f"{who}/{row.op}/{verdict.name.lower()}"
        shown = Finding(judgement, row.witness, row.op, name, row.id)
        result = outcome(
            self.head,
            ItemResult(
                {verdict: 1}, (shown,) if verdict in row.verdict else (), cases=1
            ),
            policy=session.settings.fail_on,
        )
        if verdict in row.verdict:
            return result
        if verdict.fails(session.settings.fail_on):
            return self.unlisted()
        gone = (
            f"known deviation {row.id} no longer shows: its witness is {verdict.name}"
        )
        if not self.is_shipped:
            return without_a_run(head, "failed", f"{gone}; take the row out")
        return without_a_run(head, "skipped", gone)

    def unlisted(self) -> ItemOutcome:
        """The outcome of the witness, taken as a case that no row is about."""
        session = self.gradverify
        result = verify_item(
            self.block,
            self.differentiator,
            self.mode,
            budget=Budget(losing=session.losing(self.differentiator)),
            known=session.rows,
            in_flight=self.in_flight,
            limit=session.limit(self.differentiator),
        )
        return self.ended(result)

    def is_spoken_of(self) -> bool:
        """Whether the row is about this version of the library, here, today."""
        who, dtype = self.differentiator, self.block.dtype
        version = next(iter(who.versions().values()), "")
        return applies(
            self.row, who.name, version, self.mode, dtype, who.device, date.today()
        )
