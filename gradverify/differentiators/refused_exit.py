"""`os._exit` in an engine is an error of the engine, and no end of the run."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn


class ProcessExit(BaseException):
    """An engine tried to end the process. No `Exception`, so that it goes through."""


@contextmanager
def refused_exit() -> Iterator[None]:
    """`os._exit` raises `ProcessExit` in the body.

    Other threads, such as that of a plugin for time limits, and processes that the
    engine forks may end as they like.
    """
    process, thread, usual = os.getpid(), threading.get_ident(), os._exit

    def refused(status: int) -> NoReturn:
        if (os.getpid(), threading.get_ident()) != (process, thread):
            usual(status)
        raise ProcessExit(f"called os._exit({status}), which would have ended the run")

    module: Any = os
    module._exit = refused
    try:
        yield
    finally:
        module._exit = usual
