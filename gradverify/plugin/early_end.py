"""A run that ends in the middle is never green, and does not go without a word.

Python notices neither of two things. A library may call `exit(0)` of C, as STOP of
Fortran does: pytest would end with the status 0. Or an engine goes on past its limit of
time, whatever is raised to end it: pytest would never end. In both cases the results so
far are merged and written, the case in flight is a finding, and the process ends with
the status of an internal error.

No signal handler runs during a loop in C. The system therefore ends the process after
a multiple of the limit in processor time. Where the process was is printed before that.
"""

from __future__ import annotations

import atexit
import ctypes
import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

import pytest

from gradverify.differentiators import time_limit
from gradverify.plugin.shards import Death

STATUS = int(pytest.ExitCode.INTERNAL_ERROR)
TIMES, BESIDES = 3.0, 5.0  # limits, and seconds, of all processors of the machine

_at_once = os._exit  # engines' calls are refused under this name
_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class EarlyEnd:
    """Watches from `begin` to `end`.

    tell: called before the process ends, with what is said of the case in flight.
    """

    def __init__(self, tell: Callable[[Death], None]) -> None:
        self._tell = tell
        self._ending = False
        self._parts: list[Callable[[], None]] = []

    def begin(self) -> None:
        """Watch from now on."""
        self._process = os.getpid()
        time_limit.ignored = self._ignored
        self._parts = [_nobody_waits, *_watched_exit(self._exits), *_last_resort()]
        atexit.register(self.end)

    def end(self) -> None:
        """The run has come to its end, or is given up by others."""
        atexit.unregister(self.end)
        parts, self._parts = self._parts, []
        for stop in parts:
            stop()

    def _exits(self) -> None:
        """exit() of C was called. A process that an engine has forked may do so."""
        if self._parts and os.getpid() == self._process:
            self._parts += _watched_exit(self._exits)  # it may be called once more
            self._break_off(
                "something in this process called exit() of C, which would have ended "
                "the run without a word"
            )

    def _ignored(self, seconds: float) -> None:
        self._break_off(
            f"no result after {seconds:g} s, and whatever was raised to end it was "
            "caught: with isolated = True it could be ended",
            verdict="TIMED_OUT",
        )

    def _break_off(self, note: str, **more: str) -> NoReturn:
        if self._ending:
            _at_once(STATUS)
        self._ending = True
        try:
            self._tell(Death(note, **more))
        except BaseException:
            traceback.print_exc()
        finally:
            _at_once(STATUS)


def keep(status: int) -> None:
    """If something ends the process while Python ends, the status is this one, not 0.

    What an engine has registered with `atexit` runs after all of pytest.
    """
    if status:
        atexit.register(_keep, status)


def _keep(status: int) -> None:
    def ended(wanted: int) -> NoReturn:
        _at_once(wanted or status)

    for module in (os, import_module(os.name)):
        module._exit = ended  # type: ignore[attr-defined]


def _nobody_waits() -> None:
    time_limit.ignored = None


# ---- exit() of C


def _watched_exit(called: Callable[[], None]) -> list[Callable[[], None]]:
    """Have exit() call a function. Returns what undoes it; empty if it cannot be done.

    It uses the two functions with which a library of C++ registers the destructors of
    its globals, and calls them when it is unloaded. After that exit() does not call
    them again. This is needed because Python has ended before a usual exit().
    """
    if not sys.platform.startswith("linux") or not _is_glibc():
        return []
    library: Any = ctypes.CDLL(None)
    handler, handle = _HANDLER(lambda _: called()), ctypes.c_char()
    if library["__cxa_atexit"](handler, None, ctypes.byref(handle)):
        return []

    def stop() -> None:
        library["__cxa_finalize"](ctypes.byref(handle))
        del handlers[:]

    handlers = [handler]  # alive until then
    return [stop]


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (OSError, ValueError):
        return False


# ---- loops in C


def _last_resort() -> list[Callable[[], None]]:
    """Have the system end a call that holds the interpreter. Returns what undoes it."""
    number = getattr(signal, "SIGVTALRM", None)
    if number is None or signal.getsignal(number) is not signal.SIG_DFL:
        return []
    try:
        if any(signal.getitimer(signal.ITIMER_VIRTUAL)):  # somebody measures with it
            return []
        errors = os.fdopen(os.dup(2), "wb", 0)
    except OSError:
        return []
    count = os.cpu_count() or 1
    faulthandler.register(number, file=errors, all_threads=False, chain=True)
    time_limit.processor_limit = lambda seconds: count * (TIMES * seconds + BESIDES)

    def stop() -> None:
        time_limit.processor_limit = None
        faulthandler.unregister(number)
        errors.close()

    return [stop]
