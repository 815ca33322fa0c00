"""An item: one differentiator in one mode over a block; what deviates is shrunk.

Nothing raises here. All cases are swept first. What deviates is then grouped by kind,
and each kind is shrunk by itself.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.localize import WHOLE, Guilty, guilty_op, is_same
from gradverify.differentiators import Differentiator, unsupported
from gradverify.graph import Case
from gradverify.known import Deviation
from gradverify.reference import Reference
from gradverify.reference.gradient_program import gradient_program
from gradverify.strategies import minimise, shrink
from gradverify.verdict import FAILING, Judgement, Verdict
from gradverify.verify.block import CHUNK, Block
from gradverify.verify.error_histogram import ErrorHistogram
from gradverify.verify.item_result import Finding, ItemResult
from gradverify.verify.judging import judge
from gradverify.verify.known_rows import Listed

KINDS_SHRUNK = 5  # kinds of discrepancy that an item shrinks; the rest is counted
EXPLAINED = FAILING | {Verdict.IMPRECISE}
PATIENCE = 2  # after so many time-outs an item tries no more cases
REPEATED = 8  # one case in so many is run twice


@dataclass(frozen=True)
class Budget:
    """How much an item may look at: cases at most, and the seconds of the first item.

    shared_by: how many differentiators will look at the same cases.
    least: how many cases are looked at, however long they take.
    """

    cases: int = 100
    seconds: float = float("inf")
    shared_by: int = 1
    least: int = CHUNK


def verify_item(
    block: Block,
    differentiator: Differentiator,
    mode: str,
    *,
    budget: Budget = Budget(),
    known: Sequence[Deviation] = (),
    in_flight: Callable[[Case], None] = lambda case: None,
    limit: float = 10.0,
) -> ItemResult:
    """Sweep the block's cases, then shrink what deviates, each kind by itself.

    in_flight: called with every case before it runs, so that the case is known if it
        kills the process. An exception of the differentiator is never raised here.
    """
    shared, block = block, block.fitting(differentiator)
    if block is not shared:
        budget = replace(budget, shared_by=1)
    sweep = _Sweep(block, differentiator, mode, limit)
    seconds_before, draws_before = dict(block.seconds), Counter(block.draws)
    began, cases = time.perf_counter(), block.cases()
    # asked before the next case is drawn, because drawing is expensive
    while not _is_enough(block, budget, sweep.looked, began, sweep):
        position, case = next(cases, (0, None))
        if case is None:
            break
        in_flight(case)
        sweep.look(position, case)
    if not sweep.is_out_of_patience:
        block.count = block.count or sweep.looked
    shrinking = time.perf_counter()
    findings, more = sweep.findings(known, in_flight)
    seconds = dict(sweep.seconds, shrink=time.perf_counter() - shrinking)
    for stage, spent in block.seconds.items():
        seconds[stage] = spent - seconds_before.get(stage, 0.0)
    return ItemResult(
        counts=sweep.counts,
        findings=findings,
        more=more,
        cases=sweep.looked,
        ops=sweep.ops,
        op_pairs=sweep.op_pairs,
        regimes=sweep.regimes,
        faults=tuple(sweep.faults),
        errors=sweep.errors,
        skipped=sweep.skipped,
        draws=block.draws - draws_before,
        warnings=tuple(sweep.warnings),
        seconds=seconds,
    )


def _is_enough(
    block: Block, budget: Budget, position: int, began: float, sweep: _Sweep
) -> bool:
    """Whether the sweep ends: where the first item ended, or when its time is over.

    Drawing and references are paid once for all items that share the block. Each of
    them will need about as long to run as this one.
    """
    if sweep.is_out_of_patience:
        return True
    if block.count is not None:
        return position >= block.count
    if position >= budget.cases:
        return True
    if position < budget.least:
        return False
    own = sweep.seconds["run"]
    common = time.perf_counter() - began - own
    return common + own * budget.shared_by > budget.seconds


@dataclass(eq=False)
class _Sweep:
    """The running account of an item."""

    block: Block
    differentiator: Differentiator
    mode: str
    limit: float
    looked: int = 0
    counts: Counter[Verdict] = field(default_factory=Counter)
    ops: Counter[str] = field(default_factory=Counter)
    op_pairs: Counter[str] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    faults: list[float] = field(default_factory=list)
    errors: ErrorHistogram = field(default_factory=ErrorHistogram)
    warnings: dict[str, None] = field(default_factory=dict)
    deviating: list[tuple[Case, Judgement]] = field(default_factory=list)

    def judge(self, case: Case, **options: Any) -> Judgement:
        """The verdict of this item's differentiator."""
        return judge(case, self.differentiator, self.mode, limit=self.limit, **options)

    @property
    def is_out_of_patience(self) -> bool:
        """Whether so many cases ran into the time limit that no more are tried."""
        return self.counts[Verdict.TIMED_OUT] >= PATIENCE

    def look(self, position: int, case: Case) -> None:
        """Judge one case and add it to the account."""
        self.looked += 1
        reason = unsupported(self.differentiator, case)
        if reason is not None:
            self.skipped[reason] += 1
            self.counts[Verdict.UNSUPPORTED] += 1
            return
        found = self.block.reference(position, case)
        began = time.perf_counter()
        judgement = self.judge(case, found=found, twice=position % REPEATED == 0)
        self.seconds["run"] += time.perf_counter() - began
        self.counts[judgement.verdict] += 1
        self.ops.update(case.graph.ops)
        traits = self.block.traits(position, case)
        self.op_pairs.update(traits.op_pairs)
        self.regimes.update(traits.regimes | kinks_of(case, found))
        self.warnings.update(dict.fromkeys(judgement.warnings))
        if judgement.smallest_fault is not None:
            self.faults.append(judgement.smallest_fault)
        self.errors.add(judgement)
        if judgement.verdict.is_finding:
            self.deviating.append((case, judgement))

    def findings(
        self, known: Sequence[Deviation], in_flight: Callable[[Case], None]
    ) -> tuple[tuple[Finding, ...], int]:
        """One finding for each kind, failing ones first; and how many kinds are left
        out.
        """
        kinds = self._kinds(known)
        ordered = sorted(kinds.items(), key=_rank)
        result = []
        for (verdict, op, row), members in ordered[:KINDS_SHRUNK]:
            case, judgement = min(members, key=lambda m: m[0].graph.size)
            shrinks = verdict.fails() and verdict is not Verdict.TIMED_OUT
            if shrinks and row is None:
                case = self._shrunk(case, judgement, op, in_flight)
                again = self.judge(case)
                judgement = again if again.verdict is verdict else judgement
            name, why = self._name(op, verdict), None
            if row is None and verdict in EXPLAINED:
                why = self._explained(case, judgement, op, in_flight)
            result.append(Finding(judgement, case, op, name, row, len(members), why))
        return tuple(result), max(0, len(ordered) - KINDS_SHRUNK)

    def _explained(
        self,
        case: Case,
        judgement: Judgement,
        op: str,
        in_flight: Callable[[Case], None],
    ) -> Explanation:
        """Where and why the shrunk case deviates."""
        who = self.differentiator
        return diagnose(
            Failure(case, judgement, op, who, self.mode, self.limit, in_flight)
        )

    def _name(self, op: str, verdict: Verdict) -> str:
        who = f"{self.differentiator.name}:{self.mode}:{self.block.dtype}"
        return f"{who}/{op}/{verdict.name.lower()}"

    def _kinds(
        self, known: Sequence[Deviation]
    ) -> dict[tuple[Verdict, str, str | None], list[tuple[Case, Judgement]]]:
        """Deviating cases by verdict, guilty op and known deviation."""
        listed = Listed(known, self.differentiator, self.mode, self.block.dtype)
        kinds: dict[Any, list[tuple[Case, Judgement]]] = {}
        for case, judgement in self.deviating:
            guilty = self._blame(case, judgement)
            row = listed.row(case, judgement, guilty)
            key = (judgement.verdict, guilty.op, row)
            kinds.setdefault(key, []).append((case, judgement))
        return kinds

    def _blame(self, case: Case, judgement: Judgement) -> Guilty:
        """The op that deviates alone. An engine that may run for ever is not asked."""
        if judgement.verdict is not Verdict.TIMED_OUT:
            return guilty_op(case, self.judge, judgement)
        return Guilty(case.graph.ops[0] if len(case.graph.ops) == 1 else WHOLE)

    def _shrunk(
        self,
        case: Case,
        judgement: Judgement,
        op: str,
        in_flight: Callable[[Case], None],
    ) -> Case:
        """The smallest case found that deviates in the same way, by the same op."""

        def fails(candidate: Case) -> bool:
            in_flight(candidate)
            if op != WHOLE and op not in candidate.graph.ops:
                return False
            found = self.judge(candidate)
            if not is_same(found, judgement):
                return False
            return guilty_op(candidate, self.judge, found).op == op

        smallest = minimise(case, fails)
        if smallest.graph.size > 2 and self.block.strategy is not None:
            other = shrink(self.block.strategy, fails, self.block.seed)
            if other is not None and other.graph.size < smallest.graph.size:
                return other
        return smallest


def _rank(kind: tuple[tuple[Verdict, str, str | None], object]) -> tuple[bool, bool]:
    """The order of kinds: new failures, then known ones, then those that are only
    listed.
    """
    verdict, _, known = kind[0]
    return not verdict.fails(), known is not None


def kinks_of(case: Case, found: Reference) -> set[str]:
    """The ops that are at a kink, as regimes such as "relu:kink"."""
    if found.kinked is None:
        return set()
    expansion = gradient_program(case.graph, case.dtype).expansion
    nodes = (expansion.origin(kink.node) for kink in found.kinked.kinks)
    return {f"{case.graph.nodes[i].op}:kink" for i in nodes}
