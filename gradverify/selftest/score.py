"""The score of an engine: which planted faults are found, op by op."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gradverify.differentiators import Differentiator
from gradverify.ops import OPS
from gradverify.selftest.faults import FAULTS
from gradverify.selftest.planted import Planted
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
    """The scores of all ops, what the engine cannot run, and the seconds it took."""

    engine: str
    mode: str
    ops: Sequence[OpScore]
    absent: Mapping[str, str]
    seconds: float

    def planted(self) -> Counter[str]:
        """The faults that changed a number, as "op:kind"."""
        return _counted((op.op, op.met) for op in self.ops)

    def found(self) -> Counter[str]:
        """Those of `planted` that were found."""
        return _counted((op.op, op.found) for op in self.ops)


def _counted(kinds: Iterable[tuple[str, Collection[str]]]) -> Counter[str]:
    """A count of one for each op and kind, in the order of the table of faults."""
    return Counter(
        f"{op}:{kind}" for op, met in kinds for kind in FAULTS if kind in met
    )


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
    """
    began = time.perf_counter()
    wanted = tuple(ops) or OPS.public()
    rows = {op: engine.table.get(op, "the table has no row for it") for op in wanted}
    absent = {op: row for op, row in rows.items() if isinstance(row, str)}
    present = [op for op in wanted if op not in absent]
    found = []
    for block in blocks(Asked(suites=["ops"], ops=present, dtypes=[dtype], seed=seed)):
        if block.family in present:
            found.append(score_op(block, engine, mode, cases))
            progress(found[-1])
    return Score(engine.name, mode, found, absent, time.perf_counter() - began)


def score_op(block: Block, engine: Differentiator, mode: str, cases: int) -> OpScore:
    """Plant faults into the op that a block of the suite `ops` is about."""
    block, score = block.fitting(engine), OpScore(block.family)
    for position, case in block.cases():
        given_up = set(FAULTS) - set(score.met) if position >= UNMET else set()
        missing = [kind for kind in FAULTS if kind not in score.found | given_up]
        if position >= cases or not missing:
            break
        reference = block.reference(position, case)
        own = judge(case, engine, mode, found=reference).verdict
        if own is Verdict.UNSUPPORTED:
            continue
        score.cases += 1
        if own.fails():
            score.deviating += 1
            continue
        for kind in missing:
            planted = Planted(engine, mode, score.op, FAULTS[kind])
            judgement = judge(case, planted, "altering", found=reference)
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
