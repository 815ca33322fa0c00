"""An end for computations that do not come to one."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class TimeLimit(BaseException):
    """The time is up. No `Exception`, so that no engine takes it for its own."""


@contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """Raise the `TimeLimit` that is yielded in the body once it has run for that long.

    By an interval timer: only in the main thread of a platform that has one, elsewhere
    there is no limit; and not before a call into C returns. Another timer that runs
    already, and its handler, are put back with the time that is left to it.
    """
    limit = TimeLimit(f"no result after {seconds:g} s")
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or not hasattr(signal, "setitimer"):
        yield limit
        return
    active = True

    def interrupt(number: int, frame: object) -> None:
        if active:
            raise limit

    handler = signal.signal(signal.SIGALRM, interrupt)
    began = time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        # twice, since the alarm may come while the inner block is being left
        try:
            yield limit
        finally:
            active = False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            left = max(left - (time.monotonic() - began), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
