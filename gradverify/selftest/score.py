"""The score of an engine: which planted faults are found, op by op."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gradverify.differentiators import Differentiator, questions
from gradverify.ops import OPS
from gradverify.questions import Question
from gradverify.selftest.faults import FAULTS
from gradverify.selftest.planted import BY_QUESTION, Planted
from gradverify.suites.blocks import Asked, blocks
from gradverify.surroundings import surrounded
from gradverify.verdict import Verdict
from gradverify.verify import Block, judge

UNMET = 40  # after so many cases, a fault that has changed nothing is given up


@dataclass
class OpScore:
    """What became of the faults in one op.

    met: by kind of fault, in how many cases it changed a number until it was found;
        absent if the op has nothing that such a fault could change.
    found: the kinds for which an item would have failed.
    missed: for a kind that was met and not found, the verdict that it was given last.
    vacuous: how many altered cases checked nothing.
    cases: how many cases were looked at.
    deviating: how many cases were left out, because the engine deviates there by
        itself.
    """

    op: str
    met: Counter[str] = field(default_factory=Counter)
    found: set[str] = field(default_factory=set)
    missed: dict[str, Verdict] = field(default_factory=dict)
    vacuous: int = 0
    cases: int = 0
    deviating: int = 0


@dataclass(frozen=True)
class Score:
    """The scores of all ops, what the engine cannot run, and the seconds it took.

    kinds: of the faults that were planted, in the order of their table.
    """

    engine: str
    mode: str
    kinds: Sequence[str]
    ops: Sequence[OpScore]
    absent: Mapping[str, str]
    seconds: float

    def planted(self) -> Counter[str]:
        """The faults that changed a number, as "op:kind"."""
        return self._counted((op.op, op.met) for op in self.ops)

    def found(self) -> Counter[str]:
        """Those of `planted` that were found."""
        return self._counted((op.op, op.found) for op in self.ops)

    def _counted(self, met: Iterable[tuple[str, Collection[str]]]) -> Counter[str]:
        """A count of one for each op and kind, in the order of the table of faults."""
        return Counter(
            f"{op}:{kind}" for op, own in met for kind in self.kinds if kind in own
        )


def asked(engine: Differentiator, mode: str) -> Question | None:
    """The question whose faults are planted into a mode; None if there is none.

    Rows of whole matrices have no faults of their own.
    """
    first = questions(engine, mode)[0]
    return first if first in FAULTS else None


@surrounded
def score(
    engine: Differentiator,
    mode: str,
    *,
    ops: Iterable[str] = (),
    dtype: str = "float64",
    cases: int = 60,
    seed: int = 0,
    progress: Callable[[OpScore], None] = lambda found: None,
) -> Score:
    """Plant every kind of fault into every op that the engine has, one at a time.

    cases: how many cases of an op are looked at, at most.
    progress: called with the score of each op when it is known.

    Raises `ValueError` for a mode of a kind that no fault is planted into.
    """
    began = time.perf_counter()
    question = asked(engine, mode)
    if question is None:
        kind = engine.modes()[mode].kind
        raise ValueError(f"no faults are planted into a mode of the kind {kind!r}")
    wanted = tuple(ops) or OPS.public()
    rows = {op: engine.table.get(op, "the table has no row for it") for op in wanted}
    absent = {op: row for op, row in rows.items() if isinstance(row, str)}
    present = [op for op in wanted if op not in absent]
    found = []
    for block in blocks(Asked(suites=["ops"], ops=present, dtypes=[dtype], seed=seed)):
        if block.family in present:
            found.append(score_op(block, engine, mode, question, cases))
            progress(found[-1])
    seconds = time.perf_counter() - began
    return Score(engine.name, mode, (*FAULTS[question],), found, absent, seconds)


def score_op(
    block: Block, engine: Differentiator, mode: str, question: Question, cases: int
) -> OpScore:
    """Plant faults into the op that a block of the suite `ops` is about."""
    faults = FAULTS[question]
    block, score = block.fitting(engine), OpScore(block.family)
    for position, case in block.cases():
        given_up = set(faults) - set(score.met) if position >= UNMET else set()
        missing = [kind for kind in faults if kind not in score.found | given_up]
        if position >= cases or not missing:
            break
        reference = block.reference(position, case, question=question)
        own = judge(case, engine, mode, found=reference).verdict
        if own is Verdict.UNSUPPORTED:
            continue
        score.cases += 1
        if own.fails():
            score.deviating += 1
            continue
        for kind in missing:
            planted = Planted(engine, mode, score.op, faults[kind])
            judgement = judge(case, planted, BY_QUESTION[question], found=reference)
            if not planted.altered:
                continue
            score.met[kind] += 1
            score.vacuous += judgement.verdict is Verdict.VACUOUS
            if judgement.verdict.fails():
                score.found.add(kind)
                score.missed.pop(kind, None)
            else:
                score.missed[kind] = judgement.verdict
    return score
