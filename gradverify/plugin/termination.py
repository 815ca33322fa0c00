"""SIGTERM, as `docker stop` and a cancelled job send it, ends a run as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType
from typing import Any

ECHO = 2.0
"""Seconds within which a second signal is the first one: a whole process group gets it,
and the parent in the group passes it on."""


class Termination:
    """Watches for SIGTERM from `begin` to `end`, unless somebody else does.

    status: what the run ends with after the signal; 0 if none came. The first one
    interrupts the run, whose records and page are then written; another one later than
    `ECHO` kills.
    """

    def __init__(self) -> None:
        self.status = 0
        self._first = 0.0
        self._before: Any = None
        self._watches = False

    def begin(self) -> None:
        """Watch, where Python allows that: in the main thread."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._before = signal.signal(signal.SIGTERM, self._interrupt)
            self._watches = True

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.status = 128 + number
        self._first = time.monotonic()
        signal.signal(signal.SIGTERM, self._again)
        raise KeyboardInterrupt("SIGTERM")

    def _again(self, number: int, frame: FrameType | None) -> None:
        """Kill the process, unless a parent only passed the first signal on again."""
        del frame
        if time.monotonic() - self._first > ECHO:
            self.end()
            os.kill(os.getpid(), number)

    def end(self) -> None:
        """Leave the signal to whom it belonged before."""
        if self._watches:
            signal.signal(signal.SIGTERM, self._before)
            self._watches = False
