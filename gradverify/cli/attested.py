"""The other end of `supervision.py`: a command that says that it came to its end."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

from gradverify.cli import main
from gradverify.cli.status import FAULT

_PARENT_DEATH = 1  # PR_SET_PDEATHSIG


def attested(writing: int) -> None:
    """Run the command of `sys.argv`, and write its status into the pipe at its end.

    If the supervisor is killed, the run ends as it does after SIGTERM.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH, signal.SIGTERM)
    os.set_inheritable(writing, False)
    try:
        status = main(sys.argv[1:])
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else FAULT
    os.write(writing, str(int(status)).encode())
    if _is_kept():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _is_kept() -> bool:
    """Whether a thread that an engine left behind would keep the process alive."""
    here = threading.current_thread()
    return any(not t.daemon and t is not here for t in threading.enumerate())
