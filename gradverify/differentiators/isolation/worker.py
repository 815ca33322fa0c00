"""A process of its own for an engine: asked, watched, ended, started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from gradverify.differentiators.derivatives import Derivatives
from gradverify.differentiators.isolation.in_progress import InProgress, shared_file
from gradverify.differentiators.isolation.messages import (
    Hello,
    Loaded,
    decode,
    encode,
    errand,
)
from gradverify.differentiators.isolation.places import place_of
from gradverify.differentiators.protocol import Differentiator
from gradverify.differentiators.raised import Raised
from gradverify.differentiators.time_limit import may_have_waited
from gradverify.graph import Case
from gradverify.questions import GRADIENT, QUESTIONS, Question

LOADING = 120.0  # seconds for a process to import its engine
WARMING = 5.0  # seconds for the first call of a process that was started again
GRACE = 0.25  # seconds for a process to end a case by itself, once its time is up
TICK = 0.05  # seconds between two looks at the clock
MEMORY = 16 << 30  # bytes that an engine may take at most
TAIL = 1500  # characters of an engine's last words
FATAL = "Fatal Python error"  # as faulthandler writes
KEPT = 64  # answers that nobody has asked for yet
IS_POSSIBLE = os.name == "posix"

Key = tuple[int, str, str]  # the case by its identity, the mode, the question


@dataclass
class _Process:
    """A process, our ends of what it shares with us, and how much it was asked.

    used, tail: the processor time that it took in all, and the last words of the
        engine, once it has ended.
    """

    process: subprocess.Popen[bytes]
    wire: Connection
    progress: InProgress
    output: Any
    answered: int = 0
    used: float = 0.0
    tail: str = ""

    def has_ended(self) -> bool:
        """Whether the process has ended. If so, its status and `used` are known."""
        if self.process.returncode is None:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)
                self.used = usage.ru_utime + usage.ru_stime
        return self.process.returncode is not None

    def is_stopped(self) -> bool:
        """Whether a signal has stopped the process, which may go on."""
        options = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self.process.pid, options) is not None

    def end(self, patience: float = 0.0) -> int:
        """End it with all that it has started; its status.

        patience: seconds in which it may still end by itself.
        """
        until = time.monotonic() + patience
        while not self.has_ended() and time.monotonic() < until:
            time.sleep(TICK / 10)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        while not self.has_ended():
            time.sleep(TICK / 10)
        if not self.output.closed:
            self.tail = self._tail()
            for thing in (self.wire, self.progress, self.output):
                thing.close()
        status: int = self.process.returncode
        return status

    def _tail(self) -> str:
        size, length = os.fstat(self.output.fileno()).st_size, 8 * TAIL
        found = os.pread(self.output.fileno(), length, max(0, size - length))
        text = found.decode("utf-8", "replace").strip()
        _, fatal, rest = text.rpartition(FATAL)  # a traceback, the last call first
        return (fatal + rest)[:TAIL] if fatal else text[-TAIL:]


class Worker:
    """The process of one engine, which answers one run after another.

    deaths: how often it ended, or had to be ended. last: how it did, in words.
    """

    def __init__(self, differentiator: Differentiator) -> None:
        self.differentiator = differentiator
        self.deaths = 0
        self.last = ""
        self._loaded = Loaded()
        self._process: _Process | None = None
        self._sent: deque[tuple[Key, Case, float]] = deque()
        self._answers: dict[Key, tuple[Case, Derivatives]] = {}
        self._proven: tuple[str, Question, Case] | None = None

    def run(
        self, mode: str, case: Case, limit: float, question: Question = GRADIENT
    ) -> Derivatives:
        """The answer to a question. Whatever the engine does is in the result."""
        key = (id(case), mode, question.name)
        if key not in self._answers and all(key != sent for sent, _, _ in self._sent):
            while self._sent:
                self._receive()
            trouble = self._ask(mode, [case], limit, question)
            if trouble is not None:
                return Derivatives(error=trouble, fatal=True)
        while key not in self._answers:
            if not self._sent:  # an earlier case has ended the process
                return self.run(mode, case, limit, question)
            self._receive()
        return self._answers.pop(key)[1]

    def foresee(
        self,
        mode: str,
        cases: Sequence[Case],
        limit: float,
        question: Question = GRADIENT,
    ) -> None:
        """Begin with cases that will be asked for, in one message."""
        known = self._answers
        fresh = [c for c in cases if (id(c), mode, question.name) not in known]
        if not self._sent and fresh:
            self._ask(mode, fresh, limit, question)

    def close(self) -> None:
        """End the process. The next run starts another."""
        self._sent.clear()
        self._answers.clear()
        if self._process is not None:
            self._process.end()
            self._process = None

    def start(self) -> str:
        """Why the process cannot be had; empty if it runs."""
        trouble = self._started()
        return "" if trouble is None else str(trouble)

    def absence(self) -> tuple[str, str | None]:
        """Why the process cannot be had; and why the engine in it says it cannot run.

        It is asked in a fresh process, which is ended if it has no answer.
        """
        self.close()
        trouble = self._started(asks=True)
        return "" if trouble is None else str(trouble), self._loaded.absent

    # ---- asking and being answered

    def _ask(
        self, mode: str, cases: Sequence[Case], limit: float, question: Question
    ) -> Raised | None:
        trouble = self._started()
        if trouble is not None:
            return trouble
        assert self._process is not None
        asked = [errand(mode, question, case, limit) for case in cases]
        self._sent.extend(
            ((id(case), mode, question.name), case, limit) for case in cases
        )
        with contextlib.suppress(OSError):  # it is dead: whoever waits is told
            self._process.wire.send_bytes(encode(asked))
        return None

    def _receive(self) -> None:
        """Wait for the next answer, or for the end of the process."""
        key, case, limit = self._sent.popleft()
        found = self._waited(limit)
        if found.fatal:
            self._sent.clear()
        elif self._proven is None and found.error is None and not found.timed_out:
            self._proven = key[1], QUESTIONS[key[2]], case
        while len(self._answers) >= KEPT:
            del self._answers[next(iter(self._answers))]
        self._answers[key] = case, found

    def _waited(self, limit: float) -> Derivatives:
        """The next answer. It waits for the time that we are awake ourselves.

        A machine that stood still for a while has cost the engine no time.
        """
        assert self._process is not None
        process, awake = self._process, 0.0
        began = time.monotonic()
        while True:
            try:
                if process.wire.poll(TICK):
                    text = process.wire.recv_bytes()
                    found: Derivatives = decode(text, Derivatives)
                    process.answered += 1
                    return found
            except (EOFError, OSError, msgspec.DecodeError):
                return self._died(process)
            if process.has_ended() and not process.wire.poll():
                return self._died(process)  # a child of its own may hold the wire
            number, since, _, _ = process.progress.read()
            if number == process.answered + 1:  # else on its way to the case, or back
                # one that was stopped from outside is waited for, but not for ever
                awake += TICK / 10 if process.is_stopped() else TICK
                ran = min(time.monotonic() - max(since, began), awake)
                if ran > limit + GRACE:
                    return self._killed(process, limit)

    def _died(self, process: _Process) -> Derivatives:
        *_, op = process.progress.read()
        self._process = None
        status = process.end(patience=1.0)
        self.last = _words(status) + (f" in the op {op}" if op else "")
        self.deaths += 1
        error = Raised("ProcessEnded", self.last, detail=process.tail)
        return Derivatives(error=error, fatal=True, op=op)

    def _killed(self, process: _Process, limit: float) -> Derivatives:
        _, _, before, op = process.progress.read()
        self._process = None
        process.end()
        place = f" in the op {op}" if op else ""
        self.last = f"gave no result in {limit:.3g} s{place}"
        self.deaths += 1
        busy = max(0.0, process.used - before)
        return Derivatives(
            timed_out=True,
            fatal=True,
            op=op,
            starved=may_have_waited(busy, limit),
            seconds=limit,
            busy=busy,
        )

    def _started(self, asks: bool = False) -> Raised | None:
        """Start the process if none runs. What is raised for it if it cannot be had."""
        if self._process is not None:
            return None
        place, trouble = place_of(self.differentiator), "it did not begin to run"
        try:
            hello = Hello(place, os.getcwd(), _path(), _memory(), asks)
            greeting = encode(hello)
            process = _launched()
        # the folder was removed, a name is no UTF-8, or nothing can be started
        except (OSError, UnicodeError) as error:
            return self._refusal(f"{type(error).__name__}: {error}")
        try:
            process.wire.send_bytes(greeting)
            if process.wire.poll(LOADING):
                reply = process.wire.recv_bytes()
                self._loaded = decode(reply, Loaded)
                trouble = self._loaded.trouble
            elif asks:
                self.deaths += 1
                self.last = f"gave no answer in {LOADING:g} s"
        except (EOFError, OSError, msgspec.DecodeError):
            status = process.end(patience=1.0)
            self.deaths += 1
            when = "" if asks else " while it was imported"
            self.last = trouble = _words(status) + when
        if not trouble:
            self._process = process
            return self._warmed_up()
        process.end()
        return self._refusal(trouble, process.tail)

    def _warmed_up(self) -> Raised | None:
        """Ask a process that was started again for what it once answered.

        In its first call an engine may load a library, as it did when it was tried.
        That is no time of the case that comes next. What `_started` returns.
        """
        if self._proven is None or self._process is None:
            return None
        asked, self._proven = self._proven, None
        with contextlib.suppress(OSError):
            self._process.wire.send_bytes(encode([errand(*asked, WARMING)]))
        if self._waited(WARMING).fatal:
            return self._started()
        self._proven = asked
        return None

    def _refusal(self, trouble: str, detail: str = "") -> Raised:
        text = f"{self.differentiator.name} cannot run in a process of its own: "
        return Raised("NotIsolated", text + trouble, detail=detail)


def _path() -> list[str]:
    """What imports look at in sys.path: they pass over an entry that is no text."""
    return [place for place in sys.path if isinstance(place, str)]


def _launched() -> _Process:
    with contextlib.ExitStack() as kept, contextlib.ExitStack() as passed:
        ours, its = Pipe()
        kept.callback(ours.close)
        passed.callback(its.close)
        output = kept.enter_context(tempfile.TemporaryFile())
        shared = passed.enter_context(shared_file())
        files = its.fileno(), shared.fileno(), output.fileno()
        code = (
            f"import sys; sys.path[:] = {_path()!r}; "
            "from gradverify.differentiators.isolation.child import main; "
            f"main{files!r}"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            pass_fds=files,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        progress = InProgress(shared.fileno())
        kept.pop_all()  # they are the process's now
    return _Process(process, ours, progress, output)


def _words(status: int) -> str:
    if status >= 0:
        return f"its process ended by itself, with the status {status}"
    names = {number.value: number.name for number in signal.Signals}
    return f"its process was killed by {names.get(-status, f'signal {-status}')}"


def _memory() -> int:
    """Half of what the machine has, at most `MEMORY`; 0 where that is not known."""
    if sys.platform != "linux":
        return 0
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return min(MEMORY, pages * size // 2)
