"""A time limit, for computations that may never end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class TimeLimit(BaseException):
    """The time is up.

    It is not an `Exception`, so that no engine handles it as its own.
    """


@contextmanager
def time_limit(seconds: float) -> Iterator[TimeLimit]:
    """Raise the `TimeLimit` that is yielded, once the body has run for that long.

    It uses an interval timer. So there is a limit only in the main thread, and only on
    a platform that has such timers. It cannot interrupt a call into C. If another timer
    runs already, that timer and its handler are restored with the time that is left to
    it.
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
