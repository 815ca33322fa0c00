"""The words that terminal and page share: verdicts, points, errors, commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradverify.diagnosis.declarations import COMPILES
from gradverify.graph import array_from_json
from gradverify.outside.printing import visible
from gradverify.records import Changes, Discrepancy, Item, Records, Run, number_of
from gradverify.suites import TABLE
from gradverify.verdict import Verdict

# Worst first. The first of its verdicts in this order names an item or a cell.
SEVERITY = (
    *(v for v in Verdict if v.fails()),
    Verdict.IMPRECISE,
    Verdict.UNRESOLVED,
    Verdict.VACUOUS,
    Verdict.KINK_COMPOSITION,
    Verdict.KINK_CONVENTION,
    Verdict.NO_DERIVATIVE,
    Verdict.AGREES,
    Verdict.UNSUPPORTED,
)
LONGEST_NOTE = 1_000  # characters
NOTES = 50  # that are shown
NAMED = 3  # how many worse findings a sentence names
DIED = "the process died"  # the answer of an engine that ended its process
DRAWN = tuple(row.name for row in TABLE if row.is_drawn)
"""The suites that are cut to the time of a run."""
OUT_OF_TIME = "not looked at, for want of time"  # said of a block without a run
ORDER = {verdict.name: rank for rank, verdict in enumerate(SEVERITY)}


def sentence(verdict: str) -> str:
    """The sentence of a verdict by its name.

    An unknown name, of a later version, stands as it is.
    """
    return Verdict[verdict].value if verdict in Verdict.__members__ else verdict


def rank(verdict: str) -> int:
    """The place of a verdict in the order from worst to best."""
    return ORDER.get(verdict, -1)


def cut(text: str, most: int) -> str:
    """Text on one line of at most so many characters."""
    text = visible(text)
    return text if len(text) <= most else text[: most - 1] + "…"


def who(found: Discrepancy) -> str:
    """The differentiator, its mode, and the dtype."""
    return f"{found.differentiator}, {found.mode}, {found.dtype}"


def all_of(members: Sequence[Discrepancy]) -> str:
    """The differentiators of a finding, each with its dtype and its modes."""
    modes: dict[tuple[str, str], dict[str, None]] = {}
    for d in members:
        modes.setdefault((d.differentiator, d.dtype), {})[d.mode] = None
    return " and ".join(
        f"{engine}, {' and '.join(names) if len(names) < 3 else f'{len(names)} modes'}"
        f", {dtype}"
        for (engine, dtype), names in modes.items()
    )


def is_large(found: Discrepancy) -> bool:
    """Whether the point has too many numbers to be written down."""
    return found.network is not None or bool(found.inputs and not found.point)


def point(found: Discrepancy) -> str:
    """The point as `a = 21.0, b = [1.0, 2.0]`."""
    if is_large(found):
        return "too many numbers to be written down; they follow from the seed"
    return ", ".join(f"{name} = {text}" for name, text, _ in inputs(found))


def inputs(found: Discrepancy) -> Iterator[tuple[str, str, str]]:
    """For each input its name and decimal text, and for a number also the hexadecimal
    text.
    """
    for i, data in enumerate(found.point):
        name = found.inputs[i] if i < len(found.inputs) else f"x{i}"
        try:
            yield name, *_texts(data)
        except (ValueError, KeyError, TypeError):
            yield name, "(not understood)", ""


def _texts(data: dict[str, Any]) -> tuple[str, str]:
    if data["shape"] == [] and len(data["values"]) == 1:  # no array for one number
        number = float.fromhex(data["values"][0])
        return repr(number), number.hex()
    array = array_from_json(data)
    text = np.array2string(
        array,
        separator=", ",
        threshold=12,
        max_line_width=10_000,
        formatter={"float_kind": lambda x: repr(float(x))},
    )
    return " ".join(text.split()), ""


def error(found: Discrepancy) -> str:
    """The error in ulps and in units of what rounding explains; empty if unknown."""
    parts = []
    if found.error_ulps is not None:
        parts.append(f"{figure(found.error_ulps)} ulps")
    if found.bound_ratio in ("inf", "nan"):
        parts.append("rounding explains none of it")
    elif found.bound_ratio is not None:
        parts.append(f"{figure(found.bound_ratio)} times what rounding explains")
    return ", ".join(parts)


def figure(text: str) -> str:
    """A number in three digits, which are enough to read."""
    number = number_of(text)
    if number is None:
        return text
    return f"{number:.0f}" if 10 <= abs(number) < 1e5 else f"{number:.3g}"


@dataclass(frozen=True)
class Invocation:
    """What a command line said that commands about its run must say again.

    report: the report folder; empty if none was named. classes: engines that were named
    as `package.module:Class`, by their names.
    """

    report: str = ""
    classes: Mapping[str, str] = field(default_factory=dict)


PLAIN = Invocation()


def invocation(run: Run | None) -> Invocation:
    """What the command line of a run said."""
    return PLAIN if run is None else Invocation(run.report, run.classes)


def commands(found: Discrepancy, said: Invocation = PLAIN) -> tuple[str, ...]:
    """What to type next, as a shell reads it.

    A case that is too large to be written down can only be replayed.
    """
    where = f" --report {shlex.quote(said.report)}" if said.report else ""
    cls = said.classes.get(found.differentiator)
    who = f" --differentiator {shlex.quote(cls)}" if cls else ""
    replay = f"gradverify replay {found.case}{who}{where}"
    if is_large(found):
        return (replay,) if found.network else ()
    accept = f"gradverify accept {shlex.quote(found.finding)}{where}"
    return (
        replay,
        f"gradverify save {found.case}{where}",
        *([accept] if found.got != DIED else []),  # no run could look at its witness
    )


def remarks(found: Records) -> list[str]:
    """What a reader of the records must know: notes, and what is missing in them."""
    said = [cut(note.text, LONGEST_NOTE) for note in found.notes]
    said += [
        cut(
            f"the run ended while {left.differentiator} ({left.mode}) ran "
            f"case {left.case}, {left.formula}: it was not judged; see: "
            f"gradverify replay {left.case}",
            LONGEST_NOTE,
        )
        for left in found.unfinished
    ]
    said += _advice(found)
    known = {item.id for item in found.items}
    orphans = sum(bool(d.item) and d.item not in known for d in found.discrepancies)
    if orphans:
        what = "1 discrepancy" if orphans == 1 else f"{orphans} discrepancies"
        said.append(f"{what} without items: the records of their tests are missing")
    more = len(said) - NOTES
    return said if more <= 0 else [*said[:NOTES], f"{more} more notes in the records"]


def _advice(found: Records) -> list[str]:
    """What engines may declare that take long for every graph, once for each engine."""
    told: dict[str, str] = {}
    for item in found.items:
        for text in item.warnings:
            if text.endswith(COMPILES):
                told.setdefault(item.differentiator, text)
    return [cut(text, LONGEST_NOTE) for text in told.values()]


def looked_at(found: Records) -> str:
    """How many cases the items of drawn blocks looked at; empty if none was drawn.

    A run is cut to a time, as in "4 to 20 cases an item (median 6) in 20 s; 60 of 75
    blocks of jax not looked at".
    """
    items = [i for i in found.items if i.suite in DRAWN]
    cases = sorted(i.cases for i in items if i.cases)
    if not cases:
        return ""
    spread = f"{cases[0]} to {cases[-1]}" if cases[0] < cases[-1] else f"{cases[0]}"
    parts = [f"{spread} cases an item (median {cases[len(cases) // 2]})"]
    seconds = found.run.seconds if found.run else {}
    if {"asked", "run"} <= set(seconds):
        parts[0] += f" in {seconds['run']:.0f} s of {seconds['asked']:g} s"
    for name in dict.fromkeys(i.differentiator for i in items):
        own = [i for i in items if i.differentiator == name]
        left_out = sum(i.reason.startswith(OUT_OF_TIME) for i in own)
        if left_out:
            text = f"{left_out} of {len(own)} items of {name}{_unseen(own)}"
            parts.append(f"{text} {OUT_OF_TIME}")
    return "; ".join(parts)


def _unseen(items: Sequence[Item]) -> str:
    """How many ops an engine ran in no mode at all, for want of time."""
    by_op: dict[str, list[Item]] = {}
    for item in items:
        if item.suite == "ops":
            by_op.setdefault(item.block, []).append(item)
    unseen = sum(
        all(i.outcome == "skipped" for i in own)
        and any(i.reason.startswith(OUT_OF_TIME) for i in own)
        for own in by_op.values()
    )
    return f" ({unseen} of {len(by_op)} ops in no mode)" if by_op else ""


def changed(changes: Changes) -> str:
    """What became of an older run's findings, such as "2 newly wrong, 1 fixed"."""
    counts = (
        (len(changes.newly_wrong), "newly wrong"),
        (len(changes.fixed), "fixed"),
        (len(changes.newly_imprecise), "newly imprecise"),
    )
    parts = [f"{n} {what}" for n, what in counts if n]
    parts += [
        f"{op_of(finding)} {figure(before)} → {figure(after)} ulps"
        for finding, before, after in changes.worse[:NAMED]
    ]
    if len(changes.worse) > NAMED:
        parts.append(f"{len(changes.worse) - NAMED} more with larger errors")
    if changes.gone:
        parts.append(f"{len(changes.gone)} no longer checked")
    return ", ".join(parts) or "no change"


def op_of(finding: str) -> str:
    """The op in a finding's name."""
    return finding.rpartition("/")[0].rpartition("/")[2] or finding


def share(part: int, whole: int) -> str:
    """A part of a whole in percent."""
    return f"{100 * part / whole:.2g} %" if whole else "0 %"


def anchor(finding: str) -> str:
    """The place of a finding on the page, as links name it."""
    return "f-" + re.sub(r"[^A-Za-z0-9.]+", "-", finding).strip("-")


def columns(found: Discrepancy) -> str:
    """The differentiator and its mode, as the matrix names a column."""
    return f"{found.differentiator}:{found.mode}"
