"""Does a known deviation speak about this run, and about this op at these operands?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from mpmath import mpf
from packaging.version import InvalidVersion, Version

from gradverify.graph import LEAVES, Graph
from gradverify.known.rows import WHOLE, Deviation, Size
from gradverify.verdict import Judgement, Verdict

OF_NUMBERS = frozenset({Verdict.WRONG, Verdict.WRONG_VALUE, Verdict.IMPRECISE})
ROUNDED = 1.0 + 1e-6  # the largest size itself is not refused for its rounding


def is_expired(row: Deviation, today: date) -> bool:
    """Whether the last day on which the row is accepted has passed."""
    return row.until is not None and today > row.until


def applies(
    row: Deviation,
    differentiator: str,
    version: str,
    mode: str,
    dtype: str,
    device: str,
    today: date,
) -> bool:
    """Whether a row speaks about a differentiator, run in this way, today."""
    return (
        row.differentiator == differentiator
        and _covers(row, version)
        and _among(mode, row.modes)
        and _among(dtype, row.dtypes)
        and _among(device, row.devices)
        and not is_expired(row, today)
    )


def _among(name: str, names: Sequence[str]) -> bool:
    return not names or name in names


def _covers(row: Deviation, version: str) -> bool:
    if not str(row.versions):
        return True
    try:
        return row.versions.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return False


def matches(
    row: Deviation, op: str, operands: Sequence[Any], params: Mapping[str, Any]
) -> bool:
    """Whether a row is about this op, at these values of its operands and params."""
    return row.op == op and row.condition.holds(operands, params)


def is_within(row: Deviation, judgement: Judgement) -> bool:
    """Whether a number deviates by no more than the row says; NaN is no number.

    A hull at a kink has no one exact number to be a part of: only bounds are asked.
    """
    if row.at_most is None or judgement.verdict not in OF_NUMBERS:
        return True
    size = size_of(judgement, in_bounds=row.at_most.in_bounds)
    return size is not None and size.amount <= row.at_most.amount * ROUNDED


def size_of(judgement: Judgement, *, in_bounds: bool) -> Size | None:
    """How large a deviation is, in one of the two measures; None if it has no size."""
    if in_bounds:
        ratio = judgement.bound_ratio
        return None if ratio is None else Size(ratio, in_bounds=True)
    try:
        got, exact = mpf(judgement.got), mpf(judgement.exact)
    except ValueError:
        return None
    if not exact:
        return Size(math.inf) if got else Size(0.0)
    return Size(float(abs((got - exact) / exact)))


def largest(judgements: Sequence[Judgement]) -> Size | None:
    """The largest of several deviations, in a measure that all of them have; as a part
    of the exact number if that can be.
    """
    for in_bounds in (False, True):
        sizes = [size_of(j, in_bounds=in_bounds) for j in judgements]
        amounts = [math.inf if size is None else size.amount for size in sizes]
        if amounts and 0.0 < max(amounts) < math.inf:
            return Size(max(amounts), in_bounds)
    return None


def matches_whole(row: Deviation, graph: Graph) -> bool:
    """Whether a row about whole graphs is about this graph: it has the ops of the
    witness.
    """
    return row.op == WHOLE and _applied(row.witness.graph) <= _applied(graph)


def _applied(graph: Graph) -> Counter[str]:
    return Counter(node.op for node in graph.nodes if node.op not in LEAVES)
