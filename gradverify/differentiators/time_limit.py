"""An end for computations that do not come to one."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TICKS = 20  # a limit
IMPORTS = 10  # limits that a call may take while it imports a module
PATIENCE = 20  # times that a limit is raised; who goes on has caught each

ignored: Callable[[float], None] | None = None
"""Called with the limit where a computation of this process does not heed it."""
processor_limit: Callable[[float], float] | None = None
"""From a limit to the processor time at which the system is to end this process."""


class TimeLimit(BaseException):
    """The time is up. No `Exception`, so that no engine takes it for its own."""


def processor_time() -> float:
    """Seconds that this process has had the processor, to a hundredth.

    `time.process_time` knows more, but may itself wait for a busy processor.
    """
    user, system, *_ = os.times()
    return user + system


def may_have_waited(busy: float, limit: float) -> bool:
    """Whether what took too long may have waited for the processor alone.

    It had some of the processor, so it did not wait for what never comes; but not all
    the time.

    busy: seconds of the processor; limit: of the clock.
    """
    return 0.02 * limit < busy < 0.9 * limit


def is_importing(frame: FrameType | None, outer: FrameType) -> bool:
    """Whether a module is being imported by what runs there, within an outer frame."""
    while frame is not None and frame is not outer:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


@contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """Raise the `TimeLimit` that is yielded in the body once it has run for that long.

    A process that was stopped for a while, with the machine or alone, has not run. So
    the time is not read off the clock alone: a timer ticks, twenty times a limit, and
    ticks while the process stands still come as one. A call into C hears no ticks; for
    that the processor time counts as well. After the limit every tick raises again, for
    engines that catch all exceptions. If they catch twenty, a run hears of it.

    A module that is being imported is not cut off: half of it would stay behind, and
    all later calls would fail by that. So the limit waits for it, ten limits at most.

    By an interval timer: only in the main thread of a platform that has one, elsewhere
    there is no limit; and not before a call into C returns. Another timer that runs
    already, and its handler, are put back with the time that is left to it.
    """
    limit = TimeLimit(f"no result after {seconds:g} s")
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "setitimer"):
        yield limit
        return
    body = sys._getframe(2)  # behind the context manager's own
    active, tick, ticks, raised = True, seconds / TICKS, 0, 0
    began, busy = time.monotonic(), processor_time()

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal ticks, raised
        ticks += 1
        awake = max(ticks * tick, processor_time() - busy)
        # threads add their times up, so that the clock has a say too
        ran = min(awake, time.monotonic() - began)
        due = active and ran >= seconds - tick / 2
        if due and not (ran < IMPORTS * seconds and is_importing(frame, body)):
            raised += 1
            if raised > PATIENCE and ignored is not None:
                signal.setitimer(signal.ITIMER_REAL, 0.0)
                ignored(seconds)
            # whoever swallows it again and again does not make its traceback grow
            raise limit.with_traceback(None)

    handler = signal.signal(signal.SIGALRM, interrupt)
    left, interval = signal.setitimer(signal.ITIMER_REAL, tick, tick)
    if processor_limit is not None:
        signal.setitimer(signal.ITIMER_VIRTUAL, processor_limit(seconds))
    try:
        # twice, since the alarm may come while the inner block is being left
        try:
            yield limit
        finally:
            active = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        if processor_limit is not None:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            left = max(left - (time.monotonic() - began), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
