"""An item: one differentiator in one mode over a block; what deviates is shrunk.

Nothing raises here. All cases are swept first. What deviates is then grouped by kind,
and each kind is shrunk by itself.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradverify.diagnosis.declarations import compiling
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.localize import (
    WHOLE,
    Guilty,
    exception_of,
    guilty_op,
    is_same,
)
from gradverify.diagnosis.op_alone import node_values, op_alone
from gradverify.differentiators import (
    Differentiator,
    foresee,
    questions,
    unsupported,
)
from gradverify.graph import Case
from gradverify.known import OF_NUMBERS, Deviation, largest
from gradverify.questions import (
    Question,
    by_cotangent_input,
    by_own_cotangent,
    contracted,
    has_cotangent_input,
    is_ordinary,
)
from gradverify.reference import Reference
from gradverify.reference.gradient_program import gradient_program
from gradverify.strategies import is_sound, minimise, shrink
from gradverify.surroundings import surrounded
from gradverify.verdict import FAILING, Judgement, Verdict
from gradverify.verify.asking import model_of
from gradverify.verify.block import CHUNK, Block, Contracting
from gradverify.verify.error_histogram import ErrorHistogram
from gradverify.verify.item_result import (
    NOTHING_JUDGED,
    Finding,
    ItemResult,
    OwnFault,
)
from gradverify.verify.judging import judge, sought, worst_of
from gradverify.verify.known_rows import Listed

KINDS_SHRUNK = 5  # kinds of discrepancy that an item shrinks; the rest is counted
EXPLAINED = FAILING | {Verdict.IMPRECISE}
HURRY = 0.5  # seconds for an item, below which what is only listed goes unexplained
PATIENCE = 2  # after so many time-outs an item tries no more cases
OPS_SUITE = "ops"  # its graphs are small
REPEATED = 8  # one case in so many is run twice


@dataclass(frozen=True)
class Budget:
    """How much an item may look at: cases at most, and the seconds of the first item.

    shared_by: how many differentiators will look at the same cases.
    least: how many cases are looked at, however long they take.
    shrinking: seconds in which all that deviates is shrunk.
    losing: seconds that runs without an end may take until no more cases are tried;
        one such run is waited for even if there are none.
    """

    cases: int = 100
    seconds: float = float("inf")
    shared_by: int = 1
    least: int = CHUNK
    shrinking: float = float("inf")
    losing: float = float("inf")


@surrounded
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
    began, spent = time.perf_counter(), [_Spent(block)]
    shared, block = block, block.fitting(differentiator)  # which may draw from it
    if block is not shared:
        budget = replace(budget, shared_by=1)
        spent.append(_Spent(block))
    sweep = _Sweep(block, differentiator, mode, limit, budget.losing)
    cases = block.cases()
    # asked before the next case is drawn, because drawing is expensive
    while not _is_enough(block, budget, sweep.looked, began, sweep):
        position, case = next(cases, (0, None))
        if case is None:
            break
        in_flight(case)
        sweep.tried(position, case)
    if not sweep.is_out_of_patience:
        block.count = block.count or sweep.looked
    shrinking = time.perf_counter()
    explained = FAILING if budget.seconds < HURRY else EXPLAINED
    findings, more = sweep.findings(known, in_flight, budget.shrinking, explained)
    seconds = dict(sweep.seconds, shrink=time.perf_counter() - shrinking)
    draws = Counter[str]()
    for account in spent:
        draws += account.draws()
        for stage, of_stage in account.seconds().items():
            seconds[stage] = seconds.get(stage, 0.0) + of_stage
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
        draws=draws,
        warnings=(*sweep.warnings, *sweep.advice()),
        changed=tuple(sweep.changed),
        lost=sweep.lost,
        fault=sweep.fault,
        seconds=seconds,
    )


class _Spent:
    """What an item spends on a block that is shared with others."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.seconds_before, self.draws_before = dict(block.seconds), +block.draws

    def seconds(self) -> dict[str, float]:
        """By stage, since the account was opened."""
        before, after = self.seconds_before, self.block.seconds
        return {stage: s - before.get(stage, 0.0) for stage, s in after.items()}

    def draws(self) -> Counter[str]:
        """Those begun and rejected since the account was opened."""
        return self.block.draws - self.draws_before


def _is_enough(
    block: Block, budget: Budget, position: int, began: float, sweep: _Sweep
) -> bool:
    """Whether the sweep ends: where the first item ended, or when its time is over.

    Drawing and references are paid once for all items that share the block. Each of
    them will need about as long to run as this one. An item that is the first to ask a
    question pays its references.
    """
    if sweep.is_out_of_patience:
        return True
    if position < min(CHUNK, budget.cases) and sweep.has_seen_nothing:
        return False
    if block.count is not None:
        is_slow = time.perf_counter() - began > budget.seconds
        return position >= block.count or (is_slow and position >= budget.least)
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
    losing: float
    looked: int = 0
    lost: int = 0
    counts: Counter[Verdict] = field(default_factory=Counter)
    ops: Counter[str] = field(default_factory=Counter)
    op_pairs: Counter[str] = field(default_factory=Counter)
    regimes: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    each: list[float] = field(default_factory=list)
    faults: list[float] = field(default_factory=list)
    errors: ErrorHistogram = field(default_factory=ErrorHistogram)
    warnings: dict[str, None] = field(default_factory=dict)
    changed: dict[str, None] = field(default_factory=dict)
    faults_of_ours: int = 0
    fault: OwnFault | None = None
    deviating: list[tuple[Case, Judgement]] = field(default_factory=list)

    def judge(self, case: Case, **options: Any) -> Judgement:
        """The verdict of this item's differentiator."""
        who, began = self.differentiator, time.perf_counter()
        judgement = judge(case, who, self.mode, limit=self.limit, **options)
        if judgement.fatal or judgement.verdict is Verdict.TIMED_OUT:
            self.lost += 1
            self.seconds["lost"] += time.perf_counter() - began
        return judgement

    def advice(self) -> Iterator[str]:
        """What the engine may declare that compiles without saying so."""
        if self.block.suite == OPS_SUITE:
            text = compiling(self.differentiator, self.each)
            if text is not None:
                yield text

    @property
    def is_out_of_patience(self) -> bool:
        """Whether so many cases ran into the time limit, ended the engine's process or
        met a fault of ours that no more are tried.
        """
        is_over = self.has_lost_enough or self.faults_of_ours >= PATIENCE
        return self.lost >= PATIENCE or is_over

    @property
    def has_lost_enough(self) -> bool:
        """Whether runs without an end took all the time that they may take."""
        return self.lost > 0 and self.seconds["lost"] >= self.losing

    @property
    def has_seen_nothing(self) -> bool:
        """Whether all so far is vacuous or cannot be run, as a few cases may be by
        chance.
        """
        seen = {verdict for verdict, n in self.counts.items() if n}
        return Verdict.VACUOUS in seen and seen <= NOTHING_JUDGED

    def tried(self, position: int, case: Case) -> None:
        """Judge one case. A fault of ours costs this case alone."""
        try:
            self.look(position, case)
        except Exception as error:
            self.note_fault(case, error)

    def note_fault(self, case: Case, error: Exception) -> None:
        """Keep the first fault of ours, which will fail the item."""
        self.faults_of_ours += 1
        self.fault = self.fault or OwnFault(case, error)

    def look(self, position: int, case: Case) -> None:
        """Judge one case and add it to the account."""
        self.looked += 1
        reason = unsupported(self.differentiator, case)
        if reason is not None:
            self.skipped[reason] += 1
            self.counts[Verdict.UNSUPPORTED] += 1
            return
        asked = questions(self.differentiator, self.mode)
        if position % REPEATED == 1:
            following = self._asked(
                enumerate(
                    self.block.drawn[position : position + REPEATED - 1], position
                )
            )
            for question in asked:
                foresee(self.differentiator, self.mode, following, self.limit, question)
        ((_, case),) = self._ended([(position, case)])
        model, twice = model_of(self.differentiator), position % REPEATED == 0
        judgements = []

        def refer(question: Question) -> Reference:
            return self.block.reference(position, case, model=model, question=question)

        for found in sought(self.differentiator, self.mode, refer):
            began = time.perf_counter()
            judgements.append(self.judge(case, found=found, twice=twice))
            self.each.append(time.perf_counter() - began)
            self.seconds["run"] += self.each[-1]
            if judgements[-1].verdict.fails():
                break
        judgement = worst_of(judgements)
        self.counts[judgement.verdict] += 1
        self.ops.update(case.graph.ops)
        traits = self.block.traits(position, case)
        self.op_pairs.update(traits.op_pairs)
        self.regimes.update(traits.regimes | kinks_of(case, found))
        self.warnings.update(dict.fromkeys(judgement.warnings))
        self.changed.update(dict.fromkeys(judgement.changed))
        if judgement.smallest_fault is not None:
            self.faults.append(judgement.smallest_fault)
        self.errors.add(judgement)
        if judgement.verdict.is_finding:
            self.deviating.append((case, judgement))

    def _asked(self, cases: Iterable[tuple[int, Case]]) -> list[Case]:
        """The cases as they are asked, those that the differentiator can run."""
        who = self.differentiator
        runs = [(k, c) for k, c in cases if unsupported(who, c) is None]
        return [case for _, case in self._ended(runs)]

    def _ended(self, cases: Sequence[tuple[int, Case]]) -> Sequence[tuple[int, Case]]:
        """The cases; some with another end, if that is a case of the engine.

        For a vjp, every second one that would be pulled back from ones has a cotangent
        of its own. The others share their references with the modes that are asked for
        a gradient. For a product with a Hessian, half of the ops alone have a cotangent
        that is an input, so that it is differentiated by as well; not beside huge and
        tiny numbers, where the terms of a product overflow one by one.
        """
        if self.block.strategy is None:
            return cases
        who, result = self.differentiator, []
        for position, case in cases:
            ending = self._ending(position, case)
            chosen = case
            if ending is not None:
                chosen = self.block.ended(ending, position, case)
            is_case = ending is not by_cotangent_input or (
                is_ordinary(case) and is_sound(chosen)
            )
            usable = is_case and unsupported(who, chosen) is None
            result.append((position, chosen if usable else case))
        return result

    def _ending(self, position: int, case: Case) -> Contracting | None:
        kind, block = self.differentiator.modes()[self.mode].kind, self.block
        if kind == "vjp":
            by_ones = bool(np.all(contracted(case.graph).cotangent == 1.0))
            return by_own_cotangent if position % 2 and by_ones else None
        if kind == "hvp" and block.suite == "ops":
            moves = has_cotangent_input(case.graph, case.dtype)
            return by_cotangent_input if moves else None
        return None

    def findings(
        self,
        known: Sequence[Deviation],
        in_flight: Callable[[Case], None],
        seconds: float,
        explained: Collection[Verdict],
    ) -> tuple[tuple[Finding, ...], int]:
        """One finding for each kind, failing ones first; and how many kinds are left
        out.

        seconds: for the shrinking of all kinds; each has an even part of what is left.
        explained: the verdicts for which it is asked where and why.
        """
        listed = Listed(known, self.differentiator, self.mode, self.block.dtype)
        kinds = self._kinds(listed)
        ordered = sorted(kinds.items(), key=_rank)
        shown, result = ordered[:KINDS_SHRUNK], []
        end = time.perf_counter() + seconds
        names: list[str] = []
        for k, ((verdict, op, row, _), members) in enumerate(shown):
            case, judgement, _ = min(members, key=lambda m: m[0].graph.size)
            sizes = [alone for _, _, alone in members]
            name, why = self._name(op, judgement, names), None
            names.append(name)
            try:
                if row is None and verdict.fails():
                    left = end - time.perf_counter()
                    until = time.perf_counter() + left / (len(shown) - k)
                    kind = _Kind(judgement, op, listed, until)
                    case, judgement = self._smallest(case, judgement, kind, in_flight)
                if row is None and verdict in explained and not judgement.fatal:
                    why = self._explained(case, judgement, op, in_flight)
            except Exception as error:  # what was found stands, as it was found
                self.note_fault(case, error)
            size = largest(sizes) if verdict in OF_NUMBERS else None
            result.append(
                Finding(judgement, case, op, name, row, len(members), why, size)
            )
        return tuple(result), max(0, len(ordered) - KINDS_SHRUNK)

    def _smallest(
        self,
        case: Case,
        judgement: Judgement,
        kind: _Kind,
        in_flight: Callable[[Case], None],
    ) -> tuple[Case, Judgement]:
        """The case shrunk, with its judgement.

        What ended the engine's process, or had no end, is tried once more at most.
        """
        verdict = judgement.verdict
        if judgement.fatal or verdict is Verdict.TIMED_OUT:
            if self.has_lost_enough:
                return case, judgement
            return self._alone(case, judgement, kind.op, in_flight)
        case = self._shrunk(case, kind, in_flight)
        again = self.judge(case)
        return case, again if again.verdict is verdict else judgement

    def _alone(
        self,
        case: Case,
        judgement: Judgement,
        op: str,
        in_flight: Callable[[Case], None],
    ) -> tuple[Case, Judgement]:
        """The op that ended the process, alone, if it ends it alone as well."""
        graph = case.graph
        index = next((i for i, n in enumerate(graph.nodes) if n.op == op), None)
        if index is None or graph.size == 1 or not judgement.fatal:
            return case, judgement
        try:
            ones = np.ones(graph.nodes[index].shape)
            alone = op_alone(case, index, node_values(case), ones)
        except ValueError:  # the literal is no operand of this op alone
            return case, judgement
        in_flight(alone)
        again = self.judge(alone)
        same = again.fatal and again.verdict is judgement.verdict
        return (alone, again) if same else (case, judgement)

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

    def _name(self, op: str, judgement: Judgement, taken: Sequence[str]) -> str:
        """The name of a finding; a second exception of an op is named by its class."""
        who = f"{self.differentiator.name}:{self.mode}:{self.block.dtype}"
        name = f"{who}/{op}/{judgement.verdict.name.lower()}"
        if judgement.verdict is not Verdict.CRASHED or name not in taken:
            return name
        name = f"{name}-{judgement.got.partition(':')[0]}"
        numbered = (f"{name}-{k}" for k in range(2, len(taken) + 3))
        return next(n for n in (name, *numbered) if n not in taken)

    def _kinds(self, listed: Listed) -> dict[_Key, list[_Member]]:
        """Deviating cases by verdict, guilty op, known deviation and exception."""
        kinds: dict[_Key, list[_Member]] = {}
        for case, judgement in self.deviating:
            try:
                guilty = self._blame(case, judgement)
            except Exception as error:
                self.note_fault(case, error)
                guilty = Guilty(WHOLE)
            row = listed.row(case, judgement, guilty)
            if row is not None and judgement.verdict is Verdict.WRONG_VALUE:
                rest = listed.beyond_value(case, guilty)
                judgement, row = (judgement, row) if rest is None else (rest, None)
            key = judgement.verdict, guilty.op, row, exception_of(judgement)
            member = case, judgement, guilty.judgement or judgement
            kinds.setdefault(key, []).append(member)
        return kinds

    def _blame(self, case: Case, judgement: Judgement) -> Guilty:
        """The op that deviates alone. An engine that may run for ever, or end its
        process, is not asked; its process may have noted in which op it was.
        """
        if not judgement.fatal and judgement.verdict is not Verdict.TIMED_OUT:
            return guilty_op(case, self.judge, judgement)
        if judgement.op in case.graph.ops:
            return Guilty(judgement.op)
        return Guilty(case.graph.ops[0] if len(case.graph.ops) == 1 else WHOLE)

    def _shrunk(
        self, case: Case, kind: _Kind, in_flight: Callable[[Case], None]
    ) -> Case:
        """The smallest case of the same kind that was found in time.

        It is outside all known deviations: a case that a row explains would show a
        finding by what is accepted.
        """

        def is_over() -> bool:
            # each case without an end takes the time of many others
            return time.perf_counter() > kind.until or self.lost >= 2 * PATIENCE

        def fails(candidate: Case) -> bool:
            if is_over():
                return False
            in_flight(candidate)
            if kind.op != WHOLE and kind.op not in candidate.graph.ops:
                return False
            judgement = self.judge(candidate)
            if not is_same(judgement, kind.judgement):
                return False
            guilty = guilty_op(candidate, self.judge, judgement)
            same_op = guilty.op == kind.op
            return same_op and kind.listed.row(candidate, judgement, guilty) is None

        if is_over():
            return case
        smallest = minimise(case, fails)
        if smallest.graph.size > 2 and self.block.strategy is not None:
            strategy, seed = self.block.strategy, self.block.seed
            other = shrink(strategy, fails, seed, is_over=is_over)
            if other is not None and other.graph.size < smallest.graph.size:
                return other
        return smallest


# A case, the verdict on it, and that on the guilty op alone, which known rows speak of.
_Member = tuple[Case, Judgement, Judgement]
_Key = tuple[Verdict, str, str | None, str]


@dataclass(frozen=True)
class _Kind:
    """What a case must show to be of the kind that is shrunk, and until when."""

    judgement: Judgement
    op: str
    listed: Listed
    until: float


def _rank(kind: tuple[_Key, object]) -> tuple[bool, bool]:
    """The order of kinds: new failures, then known ones, then those that are only
    listed.
    """
    verdict, _, known, _ = kind[0]
    return not verdict.fails(), known is not None


def kinks_of(case: Case, found: Reference) -> set[str]:
    """The ops that are at a kink, as regimes such as "relu:kink"."""
    if found.kinked is None:
        return set()
    expansion = gradient_program(case.graph, case.dtype).expansion
    nodes = (expansion.origin(kink.node) for kink in found.kinked.kinks)
    return {f"{case.graph.nodes[i].op}:kink" for i in nodes}
