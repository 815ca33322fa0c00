"""The rows of a records file: one kind of object a class.

Numbers whose digits matter are text: JSON has neither NaN nor infinity, and a browser
drops digits.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gradverify.claims.judgement.verdicts import Claim as Claim

SCHEMA = 1

Counts = dict[str, int]


class Diagnosis(msgspec.Struct, kw_only=True, frozen=True):
    """Where a deviation comes from and why: what a person reads first.

    sentence: the node and the cause. cause: the name of a row of the table of causes.
    node, operand: the guilty edge, as numbers in the discrepancy's graph. also: other
    causes that explain as well. paths: the sum over paths, a line a step; latex: the
    same as a formula. digits_lost, rewriting: where rounding is what happened.
    """

    sentence: str
    cause: str = ""
    node: int | None = None
    operand: int | None = None
    op: str = ""
    also: list[str] = []
    paths: list[str] = []
    latex: str = ""
    digits_lost: str | None = None
    rewriting: str = ""


class Evidence(msgspec.Struct, kw_only=True, frozen=True):
    """What a page draws beside a discrepancy; numbers as text.

    values, adjoints: of every node, by its number; arrays in short. guilty: the node
    and the operand of the edge to mark. quotients: a step and its difference quotient,
    coarse to fine. line: an offset along a line through the point, the error there in
    ulps, and the bound in ulps.
    """

    values: list[str] = []
    adjoints: list[str] = []
    guilty: tuple[int, int | None] | None = None
    quotients: list[tuple[str, str]] = []
    line: list[tuple[str, str, str]] = []


class Discrepancy(
    msgspec.Struct, tag_field="type", tag="discrepancy", kw_only=True, frozen=True
):
    """One kind of deviation of one item, shrunk to its smallest case.

    got, exact, bound, error_ulps, bound_ratio, smallest_fault: numbers as text.
    known: the known deviation that it belongs to. failed: whether it fails its item.
    count: how many cases of the item's sweep were of this kind. common: findings of
    other differentiators that give the same answer at the same case. network: what a
    large network, whose point is not written down, is made from.
    """

    differentiator: str
    mode: str
    dtype: str
    verdict: str
    ops: list[str]
    graph: dict[str, Any]
    point: list[dict[str, Any]]
    got: str
    exact: str
    bound: str | None
    known: str | None
    finding: str
    case: str
    op: str = ""
    where: str = ""
    error_ulps: str | None = None
    bound_ratio: str | None = None
    smallest_fault: str | None = None
    note: str = ""
    lines: list[str] = []
    formula: str = ""
    inputs: list[str] = []
    item: str = ""
    count: int = 1
    failed: bool = True
    accepted: bool = False
    common: list[str] = []
    diagnosis: Diagnosis | None = None
    evidence: Evidence | None = None
    reproducer: str = ""
    network: dict[str, Any] | None = None
    schema: int = SCHEMA


class Item(msgspec.Struct, tag_field="type", tag="item", kw_only=True, frozen=True):
    """One differentiator in one mode over the cases of one block.

    op_pairs, regimes: cases by `op>op` and `op:regime`. errors: a histogram, that is,
    comparisons by the binary exponent of their error in ulps ("-inf" for none).
    worst_ulps, worst_ratio: the largest error in ulps and in units of its bound.
    """

    id: str
    suite: str
    block: str
    differentiator: str
    mode: str
    dtype: str
    outcome: str
    counts: Counts = {}
    cases: int = 0
    skipped: Counts = {}
    ops: Counts = {}
    op_pairs: Counts = {}
    regimes: Counts = {}
    errors: Counts = {}
    more: int = 0
    median_fault: str | None = None
    worst_fault: str | None = None
    worst_ulps: str | None = None
    worst_ratio: str | None = None
    draws: Counts = {}
    seconds: dict[str, float] = {}
    warnings: list[str] = []
    reason: str = ""
    schema: int = SCHEMA


class Note(msgspec.Struct, tag_field="type", tag="note", kw_only=True, frozen=True):
    """A sentence about the run."""

    text: str
    schema: int = SCHEMA


class Known(msgspec.Struct, tag_field="type", tag="known", kw_only=True, frozen=True):
    """A known deviation that a run met, and why it is lived with."""

    id: str
    reason: str
    when: str = ""
    link: str = ""
    until: str | None = None
    schema: int = SCHEMA


class Changes(
    msgspec.Struct, tag_field="type", tag="changes", kw_only=True, frozen=True
):
    """This run against an older one: lists of findings.

    base: the older run in words (its file, commit and date). worse: a finding and its
    error in ulps before and now.
    """

    base: str
    newly_wrong: list[str] = []
    fixed: list[str] = []
    newly_imprecise: list[str] = []
    worse: list[tuple[str, str, str]] = []
    gone: list[str] = []
    schema: int = SCHEMA


class Selftest(
    msgspec.Struct, tag_field="type", tag="selftest", kw_only=True, frozen=True
):
    """Faults planted into an engine's rules, and those of them that were found.

    planted, found: 1 for each fault that changed a number, by "op:kind". vacuous: by
    op, cases with a fault in which nothing was checked.
    """

    engine: str
    mode: str = ""
    dtype: str = "float64"
    planted: Counts = {}
    found: Counts = {}
    vacuous: Counts = {}
    seconds: float = 0.0
    schema: int = SCHEMA


class Run(msgspec.Struct, tag_field="type", tag="run", kw_only=True, frozen=True):
    """The last line: what ran, where, and how much of each verdict there was."""

    counts: dict[str, Counts] = {}
    items: Counts = {}
    ops: Counts = {}
    op_pairs: Counts = {}
    regimes: Counts = {}
    rejection_rate: float | None = None
    versions: dict[str, str] = {}
    differentiators: dict[str, dict[str, str]] = {}
    absent: dict[str, str] = {}
    devices: list[str] = []
    seed: int = 0
    profile: str = ""
    fail_on: str = ""
    started: str = ""
    seconds: dict[str, float] = {}
    exit: int = 0
    commit: str | None = None
    schema: int = SCHEMA


class History(
    msgspec.Struct, tag_field="type", tag="history", kw_only=True, frozen=True
):
    """One line of `history.jsonl`: a run in short."""

    started: str
    commit: str | None
    exit: int
    seed: int
    profile: str
    seconds: float
    items: Counts
    counts: dict[str, Counts]
    findings: list[str]
    schema: int = SCHEMA


Record = Discrepancy | Item | Note | Run | History | Claim | Known | Changes | Selftest


class Records(msgspec.Struct, frozen=True):
    """The records of one run, by kind; `run` is None where the file was cut."""

    discrepancies: tuple[Discrepancy, ...] = ()
    items: tuple[Item, ...] = ()
    notes: tuple[Note, ...] = ()
    run: Run | None = None
    claims: tuple[Claim, ...] = ()
    changes: Changes | None = None
    selftests: tuple[Selftest, ...] = ()
    known: tuple[Known, ...] = ()


def number_text(number: float | None) -> str | None:
    """A number that NaN and infinity survive, as the shortest exact decimal."""
    return None if number is None else repr(float(number))


def number_of(text: str | None) -> float | None:
    """The number that a text is, NaN and infinity too; None where it is none."""
    try:
        return float(text or "")
    except ValueError:
        return None
