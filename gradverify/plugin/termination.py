"""SIGTERM, as `docker stop` and a cancelled job send it, ends a run as Ctrl-C does."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Termination:
    """Watches for SIGTERM from `begin` to `end`, unless somebody else does.

    status: what the run ends with after the signal; 0 if none came. The first one
    interrupts the run, whose records and page are then written; a second one kills.
    """

    def __init__(self) -> None:
        self.status = 0
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
        self.end()
        raise KeyboardInterrupt("SIGTERM")

    def end(self) -> None:
        """Leave the signal to whom it belonged before."""
        if self._watches:
            signal.signal(signal.SIGTERM, self._before)
            self._watches = False
