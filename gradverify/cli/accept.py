"""A finding of the last run becomes a row in the repository's known deviations."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from gradverify.cli.output import complain, say
from gradverify.cli.place import Place
from gradverify.cli.replay import case_of, recorded
from gradverify.cli.status import RIGHT, USAGE, CommandError
from gradverify.diagnosis.op_alone import node_values
from gradverify.graph import LEAVES
from gradverify.known import (
    FILE_NAME,
    OF_NUMBERS,
    WHOLE,
    Condition,
    Deviation,
    DeviationError,
    Size,
    append_rows,
    operand_names,
    read_rows,
    read_size,
)
from gradverify.ops import OPS
from gradverify.outside.nearest import meant
from gradverify.records import Discrepancy
from gradverify.report.wording import DIED
from gradverify.verdict import Verdict


@dataclass(frozen=True)
class Accepted:
    """What is accepted, and how: findings by name, or every one that fails.

    at_most: how large their deviations are at most, as a row says it; empty for up to
        ten times what the run saw.
    """

    findings: Sequence[str]
    every: bool = False
    reason: str = ""
    until: date | None = None
    when: str = ""
    at_most: str = ""


def accept(place: Place, asked: Accepted) -> int:
    """List findings of the last run as known, each with its case as the witness.

    Nothing is written if one that was named cannot be accepted. Of all findings, those
    that cannot be are named, and the status is 2.
    """
    if asked.until is not None and asked.until < date.today():
        raise CommandError(
            f"--until {asked.until}: that day has passed; give today, {date.today()}, "
            "or a later one"
        )
    if bool(asked.findings) == asked.every:
        raise CommandError("name the findings to accept, or give --all")
    path, rows, status = place.root / FILE_NAME, list[Deviation](), RIGHT
    try:
        listed = list(read_rows(path))
        for record in _chosen(place, asked):
            try:
                row = _row(record, asked, [*listed, *rows])
            except CommandError as error:
                if not asked.every:
                    raise
                complain(error)
                status = USAGE
                continue
            if row is not None:
                rows.append(row)
        if rows:
            append_rows(path, *rows)
    except DeviationError as error:
        raise CommandError(str(error)) from error
    for row in rows:
        say(f"{path}: {row.id}")
        say(_covered(row))
    return status


def _chosen(place: Place, asked: Accepted) -> list[Discrepancy]:
    """A record of each finding that was named, or of each that fails."""
    found = list(recorded(place))
    by_name: dict[str, Discrepancy] = {}
    for record in sorted(found, key=lambda r: r.known is not None):
        by_name.setdefault(record.finding, record)
    if asked.every:
        failing = [r for r in by_name.values() if r.failed and r.known is None]
        if not failing:
            raise CommandError(f"--all: no finding in {place.reports} fails")
        return failing
    names = list(dict.fromkeys(asked.findings))
    if not by_name:
        raise CommandError(
            f"{place.reports} has no findings; `gradverify run` records them, and "
            "--report names another folder"
        )
    for name in names:
        if name not in by_name:
            near = meant(name, sorted(by_name), f"they are in {place.reports}")
            raise CommandError(f"no finding {name!r} in {place.reports}; {near}")
    return [by_name[name] for name in names]


def _row(
    record: Discrepancy, asked: Accepted, listed: Sequence[Deviation]
) -> Deviation | None:
    """The row that lists a finding. None, with a message, if a row lists it already."""
    if record.known is not None:
        say(f"{record.finding} is known already: {record.known}")
        return None
    row = _deviation(record, asked.reason, asked.until)
    row = replace(
        row, when=_checked(asked.when, row), at_most=_size(record, asked.at_most)
    )
    for other in listed:
        if _about(other) == _about(row):
            say(f"{record.finding} is accepted already: {other.id} in {FILE_NAME}")
            return None
        # a row for all of it would leave the narrow one without a meaning
        if (
            not row.when
            and other.when
            and _about(replace(other, when="")) == _about(row)
        ):
            raise CommandError(
                f"{record.finding} is accepted where {other.when} alone, by {other.id} "
                f"in {FILE_NAME}, and this case lies elsewhere: give --when with a "
                "condition for it too, or take that row out to accept all of it"
            )
    return replace(row, id=_free(row.id, listed))


def _about(row: Deviation) -> tuple[object, ...]:
    """What a row covers."""
    covers = (row.differentiator, row.op, row.verdict, row.modes, row.dtypes, row.when)
    return (*covers, frozenset(row.witness.graph.ops) if row.op == WHOLE else ())


def _deviation(record: Discrepancy, reason: str, until: date | None) -> Deviation:
    if record.got == DIED:
        raise CommandError(
            f"{record.finding} cannot be accepted: its case ends the process, so that "
            "no run can look whether it still does; leave the item out instead: "
            f"--deselect '{record.item}'"
        )
    if record.op != WHOLE and record.op not in OPS.public():
        raise CommandError(
            f"{record.finding} cannot be accepted: {record.op!r} is no op; make the "
            "records anew"
        )
    if not Verdict[record.verdict].fails("imprecise"):
        raise CommandError(
            f"{record.finding} need not be accepted: {Verdict[record.verdict].value} "
            "fails nothing"
        )
    words = record.finding.replace("/", "-").replace(":", "-")
    return Deviation(
        id=re.sub(r"[^A-Za-z0-9._-]", "-", words).lstrip("._-"),
        differentiator=record.differentiator,
        op=record.op,
        verdict=(Verdict[record.verdict],),
        reason=reason.strip() or f"accepted on {date.today()}, no reason given",
        witness=case_of(record),
        modes=(record.mode,),
        dtypes=(record.dtype,),
        until=until,
    )


def _size(record: Discrepancy, asked: str) -> Size | None:
    """How large the deviation may be at most.

    As asked for, or else the next power of ten above twice the largest that was seen.
    None if the deviation is not one of numbers.
    """
    if Verdict[record.verdict] not in OF_NUMBERS:
        if asked:
            raise CommandError(
                f"--at-most {asked}: {record.finding} is not about a number that has a "
                "size; accept it without"
            )
        return None
    text = asked or record.largest
    if not text:
        return None
    try:
        size = read_size(text if text.endswith("bounds") else float(text))
    except ValueError as error:
        raise CommandError(f"--at-most {text!r}; allowed: {error}") from error
    if asked:
        return size
    exponent = math.ceil(math.log10(size.amount) + math.log10(2.0))
    return replace(size, amount=10.0 ** min(exponent, sys.float_info.max_10_exp))


def _free(wanted: str, listed: Sequence[Deviation]) -> str:
    """The id, with a number if a finding is accepted under several conditions."""
    taken = {row.id for row in listed}
    ids = (wanted, *(f"{wanted}-{k}" for k in range(2, len(taken) + 3)))
    return next(i for i in ids if i not in taken)


def _checked(when: str, row: Deviation) -> str:
    """The condition, which must hold where the witness applies the op."""
    if row.op == WHOLE:
        if when:
            raise CommandError(
                f"--when {when!r}: no op shows this finding alone, and a whole graph "
                "has no operands; accept it without a condition"
            )
        return ""
    try:
        condition = Condition(row.op, when)
    except ValueError as error:
        raise CommandError(f"--when {when!r}: {error}") from error
    values, met = node_values(row.witness), []
    for node in row.witness.graph.nodes:
        if node.op == row.op:
            operands = [values[j] for j in node.operands]
            if condition.holds(operands, node.params):
                return when.strip()
            met.append(", ".join(str(np.asarray(x).tolist()) for x in operands))
    names = ", ".join(operand_names(row.op))
    raise CommandError(
        f"--when {when!r} does not hold at the witness, where {row.op}({names}) has "
        f"the operands {' and '.join(met)}; give a condition that does"
    )


def _covered(row: Deviation) -> str:
    who = f"{row.differentiator}, {row.modes[0]}, {row.dtypes[0]}"
    verdict = row.verdict[0].name
    if row.op == WHOLE:
        ops = Counter(n.op for n in row.witness.graph.nodes if n.op not in LEAVES)
        names = ", ".join(f"{op} ({n} times)" if n > 1 else op for op, n in ops.items())
        return (
            f"no op shows it alone: covers every {verdict} in {who} that no op "
            f"shows alone{_up_to(row.at_most)}, of graphs that have {names}"
        )
    every = f"covers every {verdict} of {row.op} in {who}{_up_to(row.at_most)}"
    if row.when:
        return f"{every} where {row.when}"
    names = ", ".join(operand_names(row.op))
    return f"{every}; to cover less, accept it with --when, a condition on {names}"


def _up_to(size: Size | None) -> str:
    if size is None:
        return ""
    of = "" if size.in_bounds else " of the exact number"
    return f" up to {size}{of}"
