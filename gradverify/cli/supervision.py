"""`gradverify run` in a process of its own, whose end is attested.

An engine may end its process in the middle of a run with any status, even with 0. So
the run itself says when it has come to its end, and with which status. If it does not
say so, it has failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from gradverify.cli.output import complain
from gradverify.cli.status import FAULT

IS_POSSIBLE = hasattr(signal, "sigtimedwait")
TICK = 0.2  # seconds between two looks, where no signal tells that the run has ended
_FROM_A_TERMINAL = 0x80  # SI_KERNEL: every process of the group has got the signal
_FORWARDED = frozenset({signal.SIGINT, signal.SIGTERM})


def supervised(arguments: Sequence[str]) -> int:
    """Run the command in a process of its own; its status, if it came to its end.

    Else 128 and the number of the signal that killed it, or `FAULT`.
    """
    reading, writing = os.pipe()
    code = (
        f"import sys; sys.path[:] = {sys.path!r}; "
        "from gradverify.cli.attested import attested; "
        f"attested({writing})"
    )
    flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
    run = subprocess.Popen(
        [sys.executable, *flags, "-c", code, *arguments], pass_fds=[writing]
    )
    os.close(writing)
    _wait(run)
    try:
        said = _said(reading)
    finally:
        os.close(reading)
    return int(said) if said.isdecimal() else _unattested(run.returncode)


def _wait(run: subprocess.Popen[bytes]) -> None:
    """Wait until the run has ended. Signals to this process alone are handed on."""
    watched = _FORWARDED | {signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    try:
        while run.poll() is None:
            told = signal.sigtimedwait(watched, TICK)
            if told is None or told.si_signo == signal.SIGCHLD:
                continue
            if told.si_code != _FROM_A_TERMINAL:
                run.send_signal(told.si_signo)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _said(reading: int) -> str:
    """What the run wrote. A process that it left behind is not waited for."""
    os.set_blocking(reading, False)
    with contextlib.suppress(BlockingIOError):
        return os.read(reading, 16).decode("ascii", "replace")
    return ""


def _unattested(status: int) -> int:
    how = f"something in it ended it, with the status {status}"
    if status < 0:
        how = f"it was killed by {signal.Signals(-status).name}"
    complain(
        f"the run did not come to its end: {how}. What was found until then is kept; "
        "if there is no page of it, the next run says which case was in flight"
    )
    return 128 - status if status < 0 else FAULT
