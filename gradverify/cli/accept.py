"""A finding of the last run becomes a row in the repository's known deviations."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from gradverify.cli.place import Place
from gradverify.cli.replay import case_of, recorded
from gradverify.cli.status import RIGHT, CommandError
from gradverify.diagnosis.op_alone import node_values
from gradverify.graph import LEAVES
from gradverify.known import (
    FILE_NAME,
    WHOLE,
    Condition,
    Deviation,
    DeviationError,
    append_row,
    operand_names,
    read_rows,
)
from gradverify.ops import OPS
from gradverify.records import Discrepancy
from gradverify.report.wording import DIED
from gradverify.verdict import Verdict


def accept(
    place: Place, finding: str, *, reason: str, until: date | None, when: str
) -> int:
    """List a finding of the last run as known, with its case as the witness."""
    matching = [record for record in recorded(place) if record.finding == finding]
    if not matching:
        near = sorted({record.finding for record in recorded(place)})
        listed = "".join(f"\n  {name}" for name in near) or " none"
        raise CommandError(
            f"no finding {finding!r} in {place.reports}; there are:{listed}"
        )
    if until is not None and until < date.today():
        raise CommandError(
            f"--until {until}: that day has passed; give today, {date.today()}, or a "
            "later one"
        )
    record = next((r for r in matching if r.known is None), matching[0])
    if record.known is not None:
        print(f"{finding} is known already: {record.known}")
        return RIGHT
    path = place.root / FILE_NAME
    try:
        row = _deviation(record, reason, until)
        row = replace(row, id=_free(row.id, path), when=_checked(when, row))
        append_row(path, row)
    except DeviationError as error:
        raise CommandError(str(error)) from error
    print(f"{path}: {row.id}")
    print(_covered(record, row))
    return RIGHT


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


def _free(wanted: str, path: Path) -> str:
    """The id, with a number at its end if a finding is accepted under several
    conditions.
    """
    taken = {row.id for row in read_rows(path)}
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


def _covered(record: Discrepancy, row: Deviation) -> str:
    who = f"{record.differentiator}, {record.mode}, {record.dtype}"
    if row.op == WHOLE:
        ops = Counter(n.op for n in row.witness.graph.nodes if n.op not in LEAVES)
        names = ", ".join(f"{op} ({n} times)" if n > 1 else op for op, n in ops.items())
        return (
            f"no op shows it alone: covers every {record.verdict} in {who} that no op "
            f"shows alone, of graphs that have {names}"
        )
    every = f"covers every {record.verdict} of {row.op} in {who}"
    if row.when:
        return f"{every} where {row.when}"
    names = ", ".join(operand_names(row.op))
    return f"{every}; to cover less, accept it with --when, a condition on {names}"
