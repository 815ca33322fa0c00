"""Faults planted into an engine of the user's choice: the command and its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gradverify import records
from gradverify.cli.output import say
from gradverify.cli.place import Place
from gradverify.cli.status import NOTHING, RIGHT, WRONG, CommandError
from gradverify.differentiators import Differentiator, modes, present
from gradverify.formats import DTYPES
from gradverify.ops import OPS
from gradverify.outside.nearest import meant
from gradverify.outside.writing import replace
from gradverify.plugin import folder
from gradverify.plugin.shield import deaf
from gradverify.selftest import FAULTS, OpScore, Score, asked, score


@dataclass(frozen=True)
class Request:
    """What a selftest is asked to do. No mode and no ops stand for the defaults."""

    engine: str
    mode: str
    ops: Sequence[str]
    dtype: str
    cases: int
    seed: int


def selftest(place: Place, request: Request) -> int:
    """Plant faults, print what is found as it comes, and keep the score.

    The status is 1 if a fault was missed, and 3 if none could be planted.
    """
    engine, mode = _chosen(request)
    kinds = _kinds(engine, mode)
    say(f"{engine.name}, {mode}, {request.dtype}: faults planted one at a time, by op")
    say(_line("op", kinds))
    with deaf():
        found = score(
            engine,
            mode,
            ops=request.ops,
            dtype=request.dtype,
            cases=request.cases,
            seed=request.seed,
            progress=lambda op: say(_line(op.op, _cells(op, kinds)), flush=True),
        )
    for line in _closing(found):
        say(line)
    _keep(place.reports, found, request.dtype)
    planted, seen = found.planted().total(), found.found().total()
    return NOTHING if not planted else RIGHT if seen == planted else WRONG


def _chosen(request: Request) -> tuple[Differentiator, str]:
    """The engine and its mode.

    `CommandError` names what is unknown, and lists what there is.
    """
    engine = present(request.engine)
    if isinstance(engine, str):
        raise CommandError(f"{request.engine} cannot run: {engine}")
    if request.dtype not in DTYPES or request.dtype not in engine.accepts.dtypes:
        allowed = ", ".join(engine.accepts.dtypes)
        raise CommandError(f"--dtype {request.dtype!r}: {engine.name} takes {allowed}")
    for op in request.ops:
        if op not in OPS.public():
            near = meant(op, OPS.public(), "`gradverify ops` lists them")
            raise CommandError(f"--ops {op!r} is unknown; {near}")
    known = [mode for mode in engine.modes() if asked(engine, mode)]
    if not known:
        raise CommandError(f"{engine.name} has no mode to plant faults into")
    if request.mode and request.mode not in known:
        raise CommandError(
            f"--mode {request.mode!r}: {engine.name} has {', '.join(known)} to plant "
            "faults into"
        )
    usual = [mode for mode in modes(engine) if mode in known]
    return engine, request.mode or (usual or known)[0]


def _kinds(engine: Differentiator, mode: str) -> list[str]:
    """The kinds of faults that are planted into a mode."""
    question = asked(engine, mode)
    return [*FAULTS[question]] if question else []


def _line(first: str, cells: Sequence[str]) -> str:
    return f"  {first:<13}" + "".join(f"{cell:<10}" for cell in cells).rstrip()


def _cells(op: OpScore, kinds: Sequence[str]) -> list[str]:
    """For each fault: found, MISSED, or a dot if it changed nothing in any case."""
    return [
        "found" if kind in op.found else "MISSED" if kind in op.met else "."
        for kind in kinds
    ]


def _closing(found: Score) -> list[str]:
    planted, seen = found.planted().total(), found.found().total()
    if not planted:
        return ["nothing was planted: the engine has none of these ops"]
    vacuous = sum(op.vacuous for op in found.ops)
    lines = [
        f"found {seen} of {planted} ({100 * seen / planted:.1f} %) "
        f"in {found.seconds:.0f} s; {vacuous} checks were vacuous"
    ]
    lines += [
        f"  missed: {op.op}, {kind}: {verdict.value}"
        for op in found.ops
        for kind, verdict in sorted(op.missed.items())
    ]
    lines += [
        f"  {op.op}: the engine deviates by itself in {op.deviating} of {op.cases} "
        "cases, which are left out"
        for op in found.ops
        if op.deviating
    ]
    if found.absent:
        lines.append(f"  not in the engine's table: {', '.join(found.absent)}")
    return lines


def _keep(reports: Path, found: Score, dtype: str) -> None:
    """Put the score in place of an earlier one of the same engine."""
    path = reports / folder.SELFTESTS
    record = records.Selftest(
        engine=found.engine,
        mode=found.mode,
        dtype=dtype,
        planted=dict(found.planted()),
        found=dict(found.found()),
        vacuous={op.op: op.vacuous for op in found.ops if op.vacuous},
        seconds=round(found.seconds, 3),
    )
    try:
        folder.prepare(reports)
        others = [
            old
            for old in (records.read(path).selftests if path.is_file() else ())
            if (old.engine, old.mode, old.dtype)
            != (record.engine, record.mode, record.dtype)
        ]
        lines = b"".join(map(records.encode, [*others, record]))
        replace(path, lines)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error}") from error
    say(f"kept in {path}, for the page of the next run")
