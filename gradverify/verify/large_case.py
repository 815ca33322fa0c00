"""One differentiator on one case with very many entries: each is judged, none is
shrunk.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradverify.diagnosis.localize import WHOLE
from gradverify.differentiators import Differentiator, unsupported
from gradverify.graph import Case, names_of
from gradverify.reference import STAGES as REFERENCE
from gradverify.reference import Reference, floats_of
from gradverify.surroundings import surrounded
from gradverify.verdict import Judgement, Verdict
from gradverify.verify.block import Block
from gradverify.verify.item_result import Finding, ItemResult
from gradverify.verify.judging import judge

LIMIT = 600.0  # seconds for one run of one engine
STAGES = ("the network", *REFERENCE, "the differentiator")
CALLS = 1000  # calls to a mode that gives one derivative a call; no more are made


@dataclass(eq=False)
class LargeBlock(Block):
    """A block of one case whose point is too large to be written down.

    make: makes the case, when an item first needs it.
    names: of its inputs.
    written: the fields of its record.
    """

    make: Callable[[], Case] | None = None
    names: tuple[str, ...] = ()
    record: Callable[[], Mapping[str, Any]] = dict

    @cached_property
    def case(self) -> Case:
        """The one case."""
        assert self.make is not None
        return self.make()


@surrounded
def verify_large(
    block: LargeBlock,
    differentiator: Differentiator,
    mode: str,
    progress: Callable[[int, str], None] = lambda done, stage: None,
) -> ItemResult:
    """The verdict on every entry, decided by the worst one. Nothing raises.

    progress: called with how many of `STAGES` are done, and with what is done next.
    """
    progress(0, STAGES[0])
    case = block.case
    reason = _not_run(differentiator, mode, case)
    if reason is not None:
        unseen = {Verdict.UNSUPPORTED: 1}
        return ItemResult(counts=unseen, cases=1, skipped={reason: 1})
    before = block.seconds["reference"]
    found = block.reference(0, case, lambda stage: progress(STAGES.index(stage), stage))
    progress(len(STAGES) - 1, f"{differentiator.name}, {mode}")
    began = time.perf_counter()
    judgement = judge(case, differentiator, mode, found=found, limit=LIMIT)
    judgement = _named(judgement, block)
    seconds = {
        "run": time.perf_counter() - began,
        "reference": block.seconds["reference"] - before,
    }
    findings = _findings(block, differentiator, mode, judgement)
    return ItemResult(
        counts=Counter({judgement.verdict: 1}),
        findings=findings,
        cases=1,
        ops=Counter(case.graph.ops),
        faults=_faults(found),
        warnings=judgement.warnings,
        seconds=seconds,
    )


def _not_run(differentiator: Differentiator, mode: str, case: Case) -> str | None:
    entries = sum(x.size for x in case.point)
    if differentiator.modes()[mode].kind == "jvp" and entries > CALLS:
        return f"{mode} gives one derivative a call: {entries:,} calls"
    return unsupported(differentiator, case)


def _named(judgement: Judgement, block: LargeBlock) -> Judgement:
    """The judgement with the input by its name, such as d/dv[5, 2]."""
    graph = block.case.graph
    letters = names_of(graph)
    for node, name in zip(graph.inputs, block.names, strict=True):
        head, at, index = judgement.where.partition("[")
        if head == f"d/d{letters[node]}":
            return replace(judgement, where=f"d/d{name}{at}{index}")
    return judgement


def _findings(
    block: LargeBlock, differentiator: Differentiator, mode: str, judgement: Judgement
) -> tuple[Finding, ...]:
    verdict = judgement.verdict
    if not verdict.is_finding:
        return ()
    who = f"{differentiator.name}:{mode}:{block.dtype}"
    name = f"{who}/{WHOLE}/{verdict.name.lower()}"
    return (Finding(judgement, block.case, WHOLE, name, written=block.record()),)


def _faults(found: Reference) -> tuple[float, ...]:
    """The smallest relative errors of one entry that would be seen.

    There is one each for the best checked entry, the median one and the worst one.
    Entries that are 0 have none.
    """
    if not found.gradient:
        return ()
    parts = []
    for exact, loose in zip(found.gradient, found.loose, strict=True):
        sizes = np.abs(floats_of(exact))
        seen = sizes > 0
        parts.append((np.asarray(loose)[seen] / sizes[seen]).astype(np.float64))
    whole = np.concatenate([p.reshape(-1) for p in parts])
    if not whole.size:
        return ()
    return float(whole.min()), float(np.median(whole)), float(whole.max())
