"""The process of one engine: it answers questions until the run is over."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import os
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

from gradverify.differentiators.in_process import run_here
from gradverify.differentiators.isolation.in_progress import InProgress
from gradverify.differentiators.isolation.messages import (
    Errand,
    Hello,
    Loaded,
    case_of,
    decode,
    encode,
)
from gradverify.differentiators.isolation.places import class_at
from gradverify.differentiators.protocol import Differentiator
from gradverify.differentiators.raised import raised_by, told
from gradverify.questions import QUESTIONS
from gradverify.surroundings import Surroundings

OUTPUT = 1 << 20  # bytes of an engine's output that are kept between two batches
_PARENT_DEATH = 1  # PR_SET_PDEATHSIG


def main(connection: int, progress: int, output: int) -> None:
    """Serve one run, whose end of the three files the numbers are."""
    _apart(output)
    wire = Connection(connection)
    told = InProgress(progress)
    with contextlib.suppress(EOFError, ConnectionError):  # the run is over, or killed
        hello = decode(wire.recv_bytes(), Hello)
        engine, loaded = _engine(hello)
        wire.send_bytes(encode(loaded))
        if engine is not None:
            _limit_memory(hello.memory)
            with Surroundings():  # once, since to enter takes as long as a case
                _serve(engine, wire, told)
    os._exit(0)  # threads of the engine are not waited for


def _serve(engine: Differentiator, wire: Connection, told: InProgress) -> None:
    number, table = 0, None
    rows: dict[str, Any] = {}
    while True:
        for asked in decode(wire.recv_bytes(), list[Errand]):
            number += 1
            told.begin(number)
            if engine.table is not table:
                table = engine.table
                rows = told.noting(table)
            question = QUESTIONS[asked.question]
            case = case_of(asked)
            found = run_here(engine, asked.mode, case, asked.limit, rows, question)
            told.begin(0)
            wire.send_bytes(encode(found))
        if os.fstat(1).st_size > OUTPUT:
            os.ftruncate(1, 0)


def _engine(hello: Hello) -> tuple[Differentiator | None, Loaded]:
    sys.path[:] = hello.path
    try:
        os.chdir(hello.folder)
        engine = class_at(hello.engine)()
    except BaseException as problem:
        found = raised_by(problem)
        return None, Loaded(f"{found.kind}: {found}")
    if not hello.asks:
        return engine, Loaded()
    try:
        reason = engine.available()
    except BaseException as problem:
        found = raised_by(problem)
        return engine, Loaded(absent=f"{found.kind}: {found}")
    return engine, Loaded(absent=None if reason is None else told(reason))


def _apart(output: int) -> None:
    """Output into a file, no input, no interrupts; killed when the run is."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGKILL)


def _limit_memory(allowed: int) -> None:
    """So many bytes more than there are in use; an allocation beyond is an error."""
    if not allowed:
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        limit = allowed + _in_use()
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _in_use() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
