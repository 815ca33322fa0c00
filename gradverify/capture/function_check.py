"""One function of a user, from its arguments to what was found: the whole loop."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradverify.arithmetic.matrices import LARGE
from gradverify.capture.captured import Captured, NotCaptured, SourceLine
from gradverify.capture.differenced import DifferencedTruth
from gradverify.capture.exact_backward import BackwardFormula, formula_of
from gradverify.capture.function_call import FunctionCall, Refused
from gradverify.capture.function_engine import (
    HANDED,
    FunctionEngine,
    KnownGraph,
    engine_of,
)
from gradverify.capture.function_points import (
    Cotangents,
    FunctionPoint,
    cotangents_of_one,
    domain_of,
    even_cotangents,
    places,
)
from gradverify.capture.limits_of_loops import of_limit
from gradverify.capture.symmetric_arguments import kept_symmetric, symmetric_of
from gradverify.capture.tied_slopes import is_between
from gradverify.capture.truths import (
    MOVED,
    SHARED,
    CapturedTruth,
    Look,
    Truth,
    is_value_right,
    tried,
)
from gradverify.capture.wider_derivative import (
    derivatives,
    formula_by_runs,
    formula_in_wide,
    is_asked,
)
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explanation import Explanation
from gradverify.diagnosis.localize import WHOLE, Guilty
from gradverify.differentiators.time_limit import TimeLimit, time_limit
from gradverify.known import OF_NUMBERS, Deviation, largest
from gradverify.questions import SECOND
from gradverify.reference import Reference, Slope, floats_of
from gradverify.reference import reference as reference_of
from gradverify.surroundings import surrounded
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import Finding, ItemResult, judge
from gradverify.verify.error_histogram import ErrorHistogram
from gradverify.verify.known_rows import Listed

PATIENT = 2.0  # times the seconds that were asked for, after which a step is cut off
TIME_OVER = "the time was over"
UNTRIED = "nothing: the program could not be tried"
TRIES = 4  # points that are tried for each case that is judged
REPEATED = 8  # one case in so many is run twice
SLOW = 60.0  # a reference that takes such a part of the time is made alone
MOST_ALONE = 4  # outputs that are looked at with the others unused
VARIED = 3  # points at which other layouts and frozen arguments are tried
EXPLAINED = frozenset({
    Verdict.WRONG, Verdict.MISSING, Verdict.IMPRECISE, Verdict.STALE,
    Verdict.NONDETERMINISTIC,
})  # fmt: skip
SHORT = {
    1: "with one entry along the first axis",
    0: "with no entry along the first axis",
}
LONGEST = 150  # nodes of a graph whose deviation is explained by slips

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FunctionOptions:
    """How far a function is looked at.

    cases: how many are judged; seconds: after which no more are begun.
    modes: names, or None for the usual ones of the library.
    domain: a condition over the arguments, such as `"x > 0"`.
    """

    cases: int = 50
    seconds: float = 60.0
    seed: int = 0
    modes: tuple[str, ...] | None = None
    domain: str | None = None
    limit: float = 10.0


@dataclass(frozen=True)
class FunctionFinding:
    """A finding, the way it was asked for, and the user's line that it leads to."""

    mode: str
    finding: Finding
    line: SourceLine | None = None
    look: Look | None = None


@dataclass(frozen=True)
class FunctionResult:
    """What was found of one function.

    items: by the name of the mode, what it came to.
    truth: what judged: the captured program, the reference, or differences.
    remarks: sentences about the function and about what was not looked at.
    names: of the arguments, in the order of a case's inputs.
    """

    name: str
    library: str
    dtype: str
    names: tuple[str, ...]
    items: Mapping[str, ItemResult]
    findings: tuple[FunctionFinding, ...]
    truth: str
    remarks: tuple[str, ...] = ()
    seconds: float = 0.0
    engine: FunctionEngine | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, and something was judged."""
        failing = any(
            f.finding.judgement.verdict.fails() and f.finding.known is None
            for f in self.findings
        )
        return not failing and bool(self.judged)

    @property
    def judged(self) -> int:
        """How many comparisons said something."""
        silent = (Verdict.UNSUPPORTED, Verdict.NO_DERIVATIVE, Verdict.UNRESOLVED)
        return sum(
            n
            for item in self.items.values()
            for verdict, n in item.counts.items()
            if verdict not in silent and verdict is not Verdict.VACUOUS
        )


@surrounded
def check_function(
    call: FunctionCall,
    asked: FunctionOptions = FunctionOptions(),
    reference: FunctionCall | None = None,
    progress: Progress = lambda done, cases: None,
    known: Sequence[Deviation] = (),
) -> FunctionResult:
    """Judge every argument of a call, in every mode, at `asked.cases` points.

    reference: another function of the same arguments, which says what is right.
    progress: called with the number of cases that were judged, and of all.
    known: rows of known deviations; one is about a function if it names it as its
        differentiator.

    Raises `Refused` for arguments or options that cannot be looked at.
    """
    names = tuple(argument.name for argument in call.arguments)
    try:
        allowed = domain_of(asked.domain, names)
    except ValueError as error:
        raise Refused(f"domain={asked.domain!r}: {error}") from error
    given = tuple(argument.value for argument in call.arguments)
    if not allowed(*given):
        raise Refused(f"the arguments themselves are outside domain={asked.domain!r}")
    call.symmetric = symmetric_of(call, given)
    given = kept_symmetric(given, call.symmetric)
    sweep = _FunctionSweep(call, asked, given, allowed, progress)
    truth, short, remarks = _judged_in_time(sweep, reference, known)
    findings = [*sweep.findings(known), *short]
    result = FunctionResult(
        call.name,
        call.library,
        call.dtype,
        names,
        sweep.items(),
        tuple(findings),
        truth.name,
        tuple(dict.fromkeys((*remarks, *sweep.remarks, *filter(None, [truth.remark])))),
        time.perf_counter() - sweep.began,
        sweep.engine,
    )
    if not result.judged and not result.findings:
        result = replace(result, remarks=(*result.remarks, NOTHING))
    return result


def _judged_in_time(
    sweep: _FunctionSweep, reference: FunctionCall | None, known: Sequence[Deviation]
) -> tuple[Truth, list[FunctionFinding], list[str]]:
    """What judged, what is found of shorter arguments, and remarks.

    The trial comes first, then the sweep. What takes far longer than was asked for is
    cut off.
    """
    call = sweep.call
    truth: Truth = CapturedTruth(call, reference or call, UNTRIED)
    remarks: list[str] = []
    short: list[FunctionFinding] = []
    with time_limit(PATIENT * sweep.asked.seconds + sweep.asked.limit) as limit:
        try:
            truth, remarks = _believed(sweep, reference)
            if truth.name != UNTRIED:
                sweep.run(truth)
            is_own = reference is None and isinstance(truth, CapturedTruth)
            if is_own and not sweep.deviating and not sweep.is_over():
                short += sweep.short_findings(known)
        except TimeLimit as over:
            if over is not limit:
                raise
            remarks.append(f"what was going on was cut off: {TIME_OVER}")
    return truth, short, remarks


def _believed(
    sweep: _FunctionSweep, reference: FunctionCall | None
) -> tuple[Truth, list[str]]:
    """The program, if it stands its trial; else differences, and why it did not."""
    call = sweep.call
    if reference is None:
        truth = CapturedTruth(call, call, "the captured program")
    else:
        sweep.refuse_other_arguments(reference)
        truth = CapturedTruth(call, reference, "the reference")
    trial = tried(truth, sweep.trial_places(), sweep.asked.seed, sweep.is_over)
    why = trial.why
    if why is None:
        said = f"the program was tried at {trial.tried} of {MOVED} points: {TIME_OVER}"
        if not trial.tried:
            truth.name = UNTRIED
        return truth, [] if trial.is_whole else [said]
    remarks = [] if reference is None else [f"the reference is not the function: {why}"]
    return DifferencedTruth(call, why), remarks


class _FunctionSweep:
    """The running account of one function."""

    def __init__(
        self,
        call: FunctionCall,
        asked: FunctionOptions,
        given: tuple[Any, ...],
        allowed: Callable[..., bool],
        progress: Progress,
    ) -> None:
        self.call, self.asked, self.given = call, asked, given
        self.allowed, self.progress = allowed, progress
        self.engine = engine_of(call)
        self.wide = call  # in the widest format, where the function is differenced
        self.who = call  # whose program judges
        self.began = time.perf_counter()
        self.counts: dict[str, Counter[Verdict]] = {}
        self.errors: dict[str, ErrorHistogram] = {}
        self.faults: dict[str, list[float]] = {}
        self.skipped: dict[str, Counter[str]] = {}
        self.deviating: list[tuple[str, Look, Judgement]] = []
        self.remarks: dict[str, None] = {}
        self.begun_modes: set[str] = set()

    def refuse_other_arguments(self, reference: FunctionCall) -> None:
        """Raise `Refused` unless the reference takes the same arrays."""
        own = [a.value.shape for a in self.call.arguments]
        others = [a.value.shape for a in reference.arguments]
        if own != others:
            raise Refused(
                f"reference={reference.name} has arguments of shapes {others}, and "
                f"{self.call.name} of shapes {own}; hand the same arrays to both"
            )

    @cached_property
    def widest(self) -> FunctionCall | None:
        """The call in a wider format than its own, if it takes one."""
        return self.call.widened()

    @property
    def is_large(self) -> bool:
        """Whether a reference takes seconds, so that each is looked at by itself."""
        return bool(sum(x.size for x in self.given) >= LARGE)

    def places(self) -> Iterator[FunctionPoint]:
        """The points to look at, without end."""
        call, asked = self.call, self.asked
        return places(self.given, call.dtype, asked.seed, self.allowed, call.symmetric)

    def trial_places(self) -> Iterator[FunctionPoint]:
        """Ordinary points at which the function has a finite value."""
        for place in itertools.islice(self.places(), TRIES * MOVED):
            if place.is_generic and self._is_finite(place):
                yield place

    def _is_finite(self, place: FunctionPoint) -> bool:
        try:
            outputs = self.call.outputs(place.point)
        except Exception as error:
            if place.kind == "given":
                raise
            self.remarks.setdefault(_outside(error))
            return False
        return all(np.all(np.isfinite(y)) for y in outputs)

    # ---- the sweep

    def run(self, truth: Truth) -> None:
        """Judge as many cases as were asked for, or as there is time for."""
        if isinstance(truth, DifferencedTruth):
            self.wide = truth.wide
        if isinstance(truth, CapturedTruth):
            self.who = truth.who
        source = np.random.default_rng(self.asked.seed + 1)
        self._run_even(truth, source)
        self._run_alone(truth, source)
        supply = itertools.islice(self.places(), TRIES * self.asked.cases)
        done, alike = 0, 1
        while done < self.asked.cases and not (done and self.is_over()):
            begun = time.perf_counter()
            wanted = min(alike, self.asked.cases - done)
            chunk = list(itertools.islice(filter(self._is_finite, supply), wanted))
            if not chunk:
                break
            try:
                looks = truth.looks(chunk, source)
            except NotCaptured as reason:
                self.remarks[f"a point was left out: {reason}"] = None
                continue
            took = time.perf_counter() - begun  # a reference may take seconds
            alike = 1 if self.is_large or took > self.asked.seconds / SLOW else SHARED
            for look in looks:
                self._look(done, look)
                done += 1
                self.progress(done, self.asked.cases)
                if self.is_over():
                    break
        if self.is_over() and done < self.asked.cases:
            self.remarks[
                f"{done} of {self.asked.cases} cases were looked at in "
                f"{self.asked.seconds:g} seconds"
            ] = None

    def _run_even(self, truth: Truth, source: Any) -> None:
        """Arguments that are the same along their first axis, and even cotangents, for
        the variants that hand them over with a stride of 0.
        """
        wanted = [v for v in self.call.even if v in self.call.variants]
        if self.is_large or self.is_over():
            return
        even = (place.evened() for place in self.trial_places())
        for place in itertools.islice((p for p in even if self.allowed(*p.point)), 1):
            if wanted and self._is_finite(place):
                self._run_variants(wanted, truth, place, source, even_cotangents)

    def _run_alone(self, truth: Truth, source: Any) -> None:
        """Each output by itself, the others unused: a backward gets None, or zeros."""
        variant = self.call.unused
        if self.is_large or variant not in self.call.variants:
            return
        for place in itertools.islice(self.trial_places(), 1):
            count = len(self.call.outputs(place.point))
            for k in range(min(count, MOST_ALONE)):
                if not self.is_over():
                    one = cotangents_of_one(k)
                    self._run_variants([variant], truth, place, source, one)

    def _run_variants(
        self,
        variants: Sequence[str],
        truth: Truth,
        place: FunctionPoint,
        source: Any,
        drawn: Cotangents,
    ) -> None:
        """Some variants alone, at a place with cotangents of its own."""
        try:
            looks = truth.looks([place], source, drawn)
        except NotCaptured:
            return
        for look in looks:
            if look.captured is None or is_value_right(look):
                known = KnownGraph(look.weights, look.found)
                self.engine.known[look.case.graph] = known
                for variant in variants:
                    self._judged(f"reverse{HANDED}{variant}", look)

    def short_findings(self, known: Sequence[Deviation]) -> Iterator[FunctionFinding]:
        """What is found with one entry along the first axis, and with none.

        The program is that of the shorter call, and has to give its value.
        """
        for length, words in SHORT.items():
            call = None if self.is_large else self.call.shortened(length)
            if call is None or "reverse" not in call.modes:
                continue
            given = tuple(a.value for a in call.arguments)
            asked = replace(self.asked, modes=("reverse",))
            short = _FunctionSweep(call, asked, given, self.allowed, self.progress)
            place = FunctionPoint(given, "near")
            if not self.allowed(*given) or not short._is_finite(place):
                continue
            try:
                truth = CapturedTruth(call, call, "the captured program")
                looks = truth.looks([place], np.random.default_rng(self.asked.seed))
            except (NotCaptured, ValueError, IndexError):  # we have no such program
                continue
            for look in looks:
                short._look(VARIED, look)
            for mode, counts in short.counts.items():
                if not length:  # that nothing is right says nothing
                    counts = Counter({v: n for v, n in counts.items() if v.fails()})
                self.counts.setdefault(mode, Counter()).update(counts)
                self.errors.setdefault(mode, ErrorHistogram())
            for found in short.findings(known):
                noted = replace(found.finding.judgement, note=words)
                yield replace(found, finding=replace(found.finding, judgement=noted))

    def is_over(self) -> bool:
        """Whether no further case or trial is begun."""
        return time.perf_counter() - self.began > self.asked.seconds

    def _look(self, position: int, look: Look) -> None:
        """One case in every mode; at the first ones in all variants as well."""
        if look.captured is not None:
            self.remarks.update(dict.fromkeys(look.captured.remarks))
            if not is_value_right(look):
                self.remarks[VALUE_OFF] = None
                return
        self.engine.known[look.case.graph] = KnownGraph(look.weights, look.found)
        wanted = self.asked.modes
        for mode in self.call.usual if wanted is None else wanted:
            if not self._is_unable(mode):
                self._judged(mode, look, twice=position % REPEATED == 0)
        if position < VARIED and look.place.is_ordinary:
            for variant in self.call.variants:
                if variant not in (*self.call.even, self.call.unused):
                    self._judged(f"reverse{HANDED}{variant}", look)

    def _is_unable(self, mode: str) -> bool:
        """Whether the function was asked twice for a mode that it does not have."""
        counts = self.counts.get(mode, Counter())
        return set(counts) == {Verdict.UNSUPPORTED} and counts.total() > 1

    def _judged(self, mode: str, look: Look, *, twice: bool = False) -> Judgement:
        found = look.found
        if self.call.modes.get(mode) == "hvp":
            if look.captured is None or found.status is not Slope.SMOOTH:
                return Judgement(Verdict.NO_DERIVATIVE)
            found = reference_of(look.case, look.model, SECOND)
        judgement = self._asked(mode, look, found, twice=twice)
        judgement = self._reread(mode, judgement, look)
        shown = mode.partition(HANDED)[0]
        self.counts.setdefault(shown, Counter())[judgement.verdict] += 1
        self.errors.setdefault(shown, ErrorHistogram()).add(judgement)
        if judgement.smallest_fault is not None:
            self.faults.setdefault(shown, []).append(judgement.smallest_fault)
        if judgement.verdict is Verdict.UNSUPPORTED:
            self.skipped.setdefault(shown, Counter())[judgement.note] += 1
        if judgement.verdict.is_finding:
            self.deviating.append((mode, look, judgement))
        return judgement

    def _asked(
        self,
        mode: str,
        look: Look,
        found: Reference,
        known: KnownGraph | None = None,
        *,
        twice: bool = False,
    ) -> Judgement:
        """One judgement. known: what stands for the graph while it is made.

        The first time in each mode a library compiles, and loads what it puts off. A
        module that is left half loaded would fail ever after, so that gets longer.
        """
        graph, limit = look.case.graph, self.asked.limit
        if mode not in self.begun_modes:
            limit = max(limit, self.asked.seconds)
        self.begun_modes.add(mode)
        before = self.engine.known[graph]
        self.engine.known[graph] = known or before
        try:
            return judge(
                look.case, self.engine, mode, found=found, twice=twice, limit=limit
            )
        finally:
            self.engine.known[graph] = before

    def _reread(self, mode: str, judgement: Judgement, look: Look) -> Judgement:
        """What a judgement means for a function: ties, estimators, hostile numbers."""
        raised = judgement.got.partition(": ")
        if judgement.verdict is Verdict.CRASHED and raised[0] == "Trouble":
            name, _, text = raised[2].partition("|")
            return Judgement(Verdict[name], note=text)
        if judgement.verdict is Verdict.TIMED_OUT:
            note = f"no answer within {self.asked.limit:g} seconds"
            return Judgement(Verdict.UNSUPPORTED, note=note)
        if judgement.verdict is Verdict.CRASHED and mode == ONCE_MORE:
            self.remarks[f"no second backward through one graph: {raised[2]}"] = None
            return Judgement(Verdict.UNSUPPORTED, note=judgement.got)
        if not judgement.verdict.fails():
            return judgement
        if self.call.symmetric and judgement.verdict is Verdict.WRONG:
            known = self.engine.known[look.case.graph]
            known = replace(known, symmetric=self.call.symmetric)
            judgement = self._asked(mode, look, look.found, known)
            if not judgement.verdict.fails():
                return judgement
        if look.captured is not None and judgement.verdict in OFF:
            judgement = self._without_estimates(mode, judgement, look, look.captured)
        if look.captured is not None and judgement.verdict in OFF:
            judgement = self._at_a_tie(mode, judgement, look, look.captured)
        if judgement.verdict is Verdict.WRONG:
            told = of_limit(self.call, self.who, look, *self._asked_way(mode))
            if told is not None:
                return replace(judgement, verdict=told, note=OF_LIMIT)
        if judgement.verdict in (Verdict.WRONG, Verdict.NONFINITE):
            return self._told(mode, judgement, look)
        return judgement

    @staticmethod
    def _asked_way(mode: str) -> tuple[str, str]:
        """The mode of the library, and the variant of it."""
        plain, _, variant = mode.partition(HANDED)
        return plain, variant

    def _without_estimates(
        self, mode: str, judgement: Judgement, look: Look, captured: Captured
    ) -> Judgement:
        """The judgement of the arguments whose slopes no author passes on by steps."""
        places = captured.passed_on
        if not places:
            return judgement
        note = f"a straight-through estimator: {next(iter(captured.estimated), ALONE)}"
        self.remarks[note] = None
        if self.call.modes.get(mode) == "hvp":
            return Judgement(Verdict.NO_DERIVATIVE, note=note)
        known = KnownGraph(look.weights, look.found, places)
        rest = self._asked(mode, look, look.found, known)
        if rest.verdict in OFF:
            return rest
        if rest.verdict.fails() or len(places) < len(self.call.arguments):
            return rest
        return Judgement(Verdict.NO_DERIVATIVE, note=note)

    def _at_a_tie(
        self, mode: str, judgement: Judgement, look: Look, captured: Captured
    ) -> Judgement:
        """No fault where derivatives lie between the slopes of all branches about."""
        if not captured.ties:
            return judgement
        plain, _, variant = mode.partition(HANDED)
        if self.call.modes[plain] != "hvp":
            given = derivatives(
                self.call, plain, variant, look.case.point, look.weights
            )
            parts = [
                floats_of(x)
                if k in captured.passed_on or not is_asked(variant, k)
                else g
                for k, (g, x) in enumerate(zip(given, look.found.gradient, strict=True))
            ]
            if is_between(self.who, look, parts) is False:
                return judgement
        return Judgement(Verdict.NO_DERIVATIVE, note=captured.ties[0])

    def _told(self, mode: str, judgement: Judgement, look: Look) -> Judgement:
        """A wrong formula, or lost digits: in many digits the formula tells.

        Where it cannot be read, a deviation at huge or tiny numbers alone is taken for
        lost digits, since formulas that people write lose them there.
        """
        plain, _, variant = mode.partition(HANDED)
        formula = BackwardFormula.UNKNOWN
        if look.captured is None:
            if judgement.verdict is Verdict.WRONG and look.found.kinked is None:
                formula = formula_by_runs(self.call, self.wide, look, plain, variant)
        elif self.call.modes[plain] == "vjp":
            only = mode.partition(f"{HANDED}only ")[2]
            count = len(self.call.arguments)
            asked = [not only or int(only) == k for k in range(count)]
            pull = self.call.pull(plain, look.case.point, look.weights, variant)
            formula = formula_of(self.call, look, asked, pull.cotangents)
        if look.captured is not None and formula is not BackwardFormula.WRONG:
            wide = self.widest if self.call.modes[plain] != "hvp" else None
            if wide is not None:
                told = formula_in_wide(self.call, wide, look, plain, variant)
                formula = formula if told is BackwardFormula.UNKNOWN else told
        if formula is BackwardFormula.RIGHT and (
            judgement.verdict is Verdict.WRONG or not look.place.is_ordinary
        ):
            return replace(judgement, verdict=Verdict.IMPRECISE, note=formula.value)
        if formula is BackwardFormula.UNKNOWN and not look.place.is_ordinary:
            return replace(judgement, verdict=Verdict.IMPRECISE, note=HOSTILE)
        return judgement

    # ---- what is made of it

    def items(self) -> dict[str, ItemResult]:
        """One item for each mode."""
        return {
            mode: ItemResult(
                counts=counts,
                cases=sum(counts.values()),
                faults=tuple(self.faults.get(mode, ())),
                errors=self.errors[mode],
                skipped=self.skipped.get(mode, {}),
            )
            for mode, counts in self.counts.items()
        }

    def findings(self, known: Sequence[Deviation]) -> Iterator[FunctionFinding]:
        """One finding for each mode and verdict, by its plainest case.

        What a row of known deviations explains is a finding by itself.
        """
        kinds: dict[tuple[str, Verdict, str | None], list[Any]] = {}
        for mode, look, judgement in self.deviating:
            plain = mode.partition(HANDED)[0]
            listed = Listed(known, self.engine, plain, self.call.dtype)
            row = listed.row(look.case, judgement, Guilty(WHOLE, None, None))
            kinds.setdefault((plain, judgement.verdict, row), []).append(
                (mode, look, judgement)
            )
        wrong = {mode for mode, verdict, _ in kinds if verdict is Verdict.WRONG}
        kinds = {
            kind: members
            for kind, members in kinds.items()
            if kind[0] not in wrong or kind[1] is not Verdict.IMPRECISE
        }
        explained: dict[Verdict, Explanation] = {}
        for (mode, verdict, row), members in kinds.items():
            asked, look, judgement = min(members, key=_plainness)
            why = explained.get(verdict)
            if why is None:
                why = self._explained(asked, look, judgement)
                if why is not None:
                    explained[verdict] = why
            line = None
            if why is not None and why.node is not None and look.lines:
                line = look.lines.get(why.node)
            judgement = self._in_words(asked, judgement)
            name = f"{self.call.name}:{mode}:{self.call.dtype}/{verdict.name.lower()}"
            sizes = [found for _, _, found in members]
            found = Finding(
                judgement,
                look.case,
                WHOLE,
                name,
                row,
                len(members),
                why,
                largest(sizes) if verdict in OF_NUMBERS else None,
            )
            yield FunctionFinding(asked, found, line, look)

    def _in_words(self, asked: str, judgement: Judgement) -> Judgement:
        variant = asked.partition(HANDED)[2]
        if not variant:
            return judgement
        said = f"with {self.call.variants[variant]}"
        note = f"{said}; {judgement.note}" if judgement.note else said
        return replace(judgement, note=note)

    def _explained(
        self, asked: str, look: Look, judgement: Judgement
    ) -> Explanation | None:
        if judgement.verdict not in EXPLAINED or look.captured is None:
            return None
        if len(look.case.graph.nodes) > LONGEST:
            return None
        failure = Failure(
            look.case, judgement, WHOLE, self.engine, asked, self.asked.limit
        )
        found = diagnose(failure)
        parts = [found.sentence] if found.cause else []
        if not self._is_linear(look, asked):
            parts.insert(0, "the backward is not linear in its cotangent")
        if not found.cause:
            found = replace(found, node=None, op="")
            authors = look.captured.authors
            parts += [
                f"the derivative is that of {n}, {at}" for n, at in authors.items()
            ]
        return replace(found, sentence="; ".join(parts[:3]))

    def _is_linear(self, look: Look, asked: str) -> bool:
        """Whether twice the cotangent gives twice the derivatives."""
        plain, _, variant = asked.partition(HANDED)
        if self.call.modes.get(plain) != "vjp":
            return True
        double = [2.0 * np.asarray(w) for w in look.weights]
        once, twice = (
            self.call.pull(plain, look.case.point, w, variant).cotangents
            for w in (look.weights, double)
        )
        return all(
            (a is None and b is None)
            or (a is not None and b is not None and np.allclose(2.0 * a, b))
            for a, b in zip(once, twice, strict=True)
        )


VALUE_OFF = (
    "at some points of huge or tiny numbers the function's value has lost its digits; "
    "they were left out"
)


OF_LIMIT = (
    "a loop in the function ends before it has converged; the derivative is that of "
    "what it converges to"
)
ONCE_MORE = f"reverse{HANDED}again"
OFF = (Verdict.WRONG, Verdict.MISSING)
ALONE = (
    "an argument only decides, so that the function is constant in pieces, and the "
    "author passes a slope on"
)
NOTHING = "nothing could be judged, so that the function is not called right"
HOSTILE = "at huge or tiny numbers alone, where usual formulas lose their digits"


def _outside(error: Exception) -> str:
    return (
        f"some points were left out, at which the function raises "
        f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    )


def _plainness(member: tuple[str, Look, Judgement]) -> tuple[bool, bool, bool, float]:
    """The plainest first: as handed over, ordinary, generic, of small numbers."""
    mode, look, _ = member
    size = max((float(np.max(np.abs(x))) for x in look.case.point if x.size), default=0)
    place = look.place
    return HANDED in mode, not place.is_ordinary, not place.is_generic, size


def modes_of(call: FunctionCall, wanted: Any) -> tuple[str, ...] | None:
    """The modes that are asked for; None for the usual ones.

    Raises `Refused` for a name that the call does not have.
    """
    if wanted is None:
        return None
    if wanted == "all":
        return tuple(call.modes)
    names: Sequence[str] = [wanted] if isinstance(wanted, str) else [*wanted]
    names = [n for text in names for n in text.replace(",", " ").split()]
    for name in names:
        if name not in call.modes:
            raise Refused(
                f"modes has {name!r}; allowed are {', '.join(call.modes)}, and 'all'"
            )
    return tuple(names)
