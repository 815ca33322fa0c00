"""The kinds of records in a records file, one class each.

Numbers whose digits matter are text, because JSON has neither NaN nor infinity and a
browser drops digits.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from gradverify.claims.judgement.claim_record import Claim as Claim

SCHEMA = 1

NUMBER = r"^-?(inf|nan|[0-9]{1,400}([.][0-9]{0,400})?(e[+-]?[0-9]{1,9})?)$"

Counts = dict[str, int]

Number = Annotated[str, msgspec.Meta(pattern=NUMBER)]
"""A number as text. Any other text is no record of ours."""


class Diagnosis(msgspec.Struct, kw_only=True, frozen=True):
    """Where a deviation comes from and why: what a person reads first.

    sentence: the node and the cause.
    cause: the name of a row of the table of causes.
    node, operand: the guilty edge, as numbers in the graph of the discrepancy.
    also: other causes that explain it as well.
    paths, latex: the sum over paths, a line for each step; and the same as a formula.
    digits_lost, rewriting: set if rounding is what happened.
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
    """What a page draws beside a discrepancy; all numbers are text.

    values, adjoints: of every node, by its number; arrays are shortened.
    guilty: the node and the operand of the edge to mark.
    quotients: pairs of a step and its difference quotient, from coarse to fine.
    line: for each offset along a line through the point, the error and the bound in
        ulps.
    """

    values: list[str] = []
    adjoints: list[str] = []
    guilty: tuple[int, int | None] | None = None
    quotients: list[tuple[str, str]] = []
    line: list[tuple[str, str, str]] = []


class Discrepancy(
    msgspec.Struct, tag_field="type", tag="discrepancy", kw_only=True, frozen=True
):
    """One kind of deviation in one item, shrunk to its smallest case.

    got, exact, bound, error_ulps, bound_ratio, smallest_fault: numbers as text.
    known: the known deviation that it belongs to.
    failed: whether it makes its item fail.
    count: how many cases of the item's sweep were of this kind.
    largest: the largest deviation of a number in those cases, written as `at_most` is
        in a row of known deviations.
    common: findings of other differentiators that give the same answer at the same
        case.
    network: what a large network is made from; its point is not written down.
    place: the user's line that a reader should look at, or the line that registers the
        engine, from the root of the repository: `conftest.py:12`.
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
    bound: Number | None
    known: str | None
    finding: str
    case: str
    op: str = ""
    where: str = ""
    error_ulps: Number | None = None
    bound_ratio: Number | None = None
    smallest_fault: Number | None = None
    note: str = ""
    lines: list[str] = []
    formula: str = ""
    inputs: list[str] = []
    item: str = ""
    count: int = 1
    largest: str = ""
    failed: bool = True
    accepted: bool = False
    common: list[str] = []
    diagnosis: Diagnosis | None = None
    evidence: Evidence | None = None
    reproducer: str = ""
    network: dict[str, Any] | None = None
    traceback: str = ""
    place: str = ""
    schema: int = SCHEMA


class Item(msgspec.Struct, tag_field="type", tag="item", kw_only=True, frozen=True):
    """One differentiator in one mode over the cases of one block.

    op_pairs, regimes: how many cases had each `op>op` and each `op:regime`.
    errors: a histogram: comparisons by the binary exponent of their error in ulps
        ("-inf" for no error).
    worst_ulps, worst_ratio: the largest error in ulps, and in units of its bound.
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
    median_fault: Number | None = None
    worst_fault: Number | None = None
    worst_ulps: Number | None = None
    worst_ratio: Number | None = None
    draws: Counts = {}
    seconds: dict[str, float] = {}
    warnings: list[str] = []
    changed: list[str] = []
    reason: str = ""
    schema: int = SCHEMA


class Note(msgspec.Struct, tag_field="type", tag="note", kw_only=True, frozen=True):
    """A sentence about the run."""

    text: str
    schema: int = SCHEMA


class Unfinished(
    msgspec.Struct, tag_field="type", tag="unfinished", kw_only=True, frozen=True
):
    """A case that was running when its run was stopped. It was not judged."""

    differentiator: str
    mode: str
    dtype: str
    item: str
    case: str
    formula: str
    graph: dict[str, Any]
    point: list[dict[str, Any]]
    schema: int = SCHEMA


class Known(msgspec.Struct, tag_field="type", tag="known", kw_only=True, frozen=True):
    """A known deviation that a run met, and why it is accepted."""

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

    base: the older run in words (its file, commit and date).
    worse: a finding, and its error in ulps before and now.
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
    """Faults planted into an engine's rules, and which of them were found.

    planted, found: 1 for each fault that changed a number, by "op:kind".
    vacuous: by op, how many cases with a fault checked nothing.
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
    """The last line: what ran, where, and how often each verdict was given.

    report: the report folder, if the command line named one.
    classes: differentiators that were named as `package.module:Class`, by their names.
    """

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
    report: str = ""
    classes: dict[str, str] = {}
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


Record = (
    Discrepancy
    | Item
    | Note
    | Run
    | History
    | Claim
    | Known
    | Changes
    | Selftest
    | Unfinished
)


class Records(msgspec.Struct, frozen=True):
    """The records of one run, by kind; `run` is None if the file was cut off."""

    discrepancies: tuple[Discrepancy, ...] = ()
    items: tuple[Item, ...] = ()
    notes: tuple[Note, ...] = ()
    run: Run | None = None
    claims: tuple[Claim, ...] = ()
    changes: Changes | None = None
    selftests: tuple[Selftest, ...] = ()
    known: tuple[Known, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()


def number_text(number: float | None) -> str | None:
    """A number as the shortest exact decimal. NaN and infinity survive this."""
    return None if number is None else repr(float(number))


def number_of(text: str | None) -> float | None:
    """The number that a text stands for, NaN and infinity included; None if it is no
    number.
    """
    try:
        return float(text or "")
    except ValueError:
        return None
