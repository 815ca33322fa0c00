"""What an item comes to: counts by verdict, and one finding for each kind that
deviates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradverify.diagnosis.explanation import Explanation
from gradverify.graph import Case
from gradverify.known import Size
from gradverify.verdict import Judgement, Verdict
from gradverify.verify.error_histogram import ErrorHistogram

# Verdicts that say nothing of a differentiator: an item of these alone is skipped.
NOTHING_JUDGED = frozenset({Verdict.VACUOUS, Verdict.UNRESOLVED, Verdict.UNSUPPORTED})


@dataclass(frozen=True)
class Finding:
    """One kind of discrepancy, shown by its smallest case.

    op: the op that shows it alone, or "graph".
    known: the id of the known deviation that explains it.
    count: how many cases of the sweep were of this kind.
    explanation: where and why; None for a finding that passes or is known.
    largest: how large the deviation of a number was at most, in any case of the sweep.
    written: the fields of its record that tell the case, if the case is too large to be
        written down.
    """

    judgement: Judgement
    case: Case
    op: str
    finding: str
    known: str | None = None
    count: int = 1
    explanation: Explanation | None = None
    largest: Size | None = None
    written: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnFault:
    """What our own code raised, and the case at which it did."""

    case: Case
    error: Exception


@dataclass(frozen=True)
class ItemResult:
    """What one differentiator made of a block.

    counts: cases by verdict.
    more: how many kinds there were beyond those that were shrunk.
    ops, op_pairs: how many cases each occurred in; a pair is an op and an op that it
        feeds.
    regimes: how many cases put an op to a kind of value, such as "log:tiny".
    faults: for every checked case, the smallest relative fault that would have been
        seen.
    errors: of all comparisons, in ulps and in units of their bounds.
    skipped: why cases could not be run, and how many.
    draws: how many draws were begun, and how many rejected, for this item.
    warnings: what the differentiator warned of, each warning once.
    changed: the global settings that it changed, by name.
    lost: how many runs had no end in time, or ended the engine's process.
    fault: the first fault of ours, which cost its case alone.
    seconds: by stage. What the first item of a block draws and refers serves the
        others.
    """

    counts: Mapping[Verdict, int]
    findings: tuple[Finding, ...] = ()
    more: int = 0
    cases: int = 0
    ops: Mapping[str, int] = field(default_factory=dict)
    op_pairs: Mapping[str, int] = field(default_factory=dict)
    regimes: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[float, ...] = ()
    errors: ErrorHistogram = field(default_factory=ErrorHistogram)
    skipped: Mapping[str, int] = field(default_factory=dict)
    draws: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    lost: int = 0
    fault: OwnFault | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    def checked_nothing(self) -> bool:
        """Whether no case was judged."""
        return {verdict for verdict, n in self.counts.items() if n} <= NOTHING_JUDGED
