"""`os._exit` in an engine is an error of the engine, and no end of the run."""

from __future__ import annotations

import os
import reprlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

_SYSTEM = import_module(os.name)  # posix or nt, of which `os` is made
# all others of `os` call these
_ENDS: tuple[tuple[ModuleType, str], ...] = tuple(
    (module, name)
    for module in (os, _SYSTEM)
    for name in ("_exit", "execv", "execve")
    if hasattr(module, name)
)


class ProcessExit(BaseException):
    """An engine tried to end the process. No `Exception`, so that it goes through."""


@contextmanager
def refused_exit() -> Iterator[None]:
    """What ends the process, or puts another program in its place, raises `ProcessExit`
    in the body.

    Other threads, such as that of a plugin for time limits, and processes that the
    engine forks may end as they like; one that leaves the body ends there.
    """
    here = os.getpid(), threading.get_ident()
    usual = [(module, name, getattr(module, name)) for module, name in _ENDS]
    for module, name, function in usual:
        setattr(module, name, _refused(name, function, here))
    try:
        yield
    finally:
        for module, name, function in usual:
            setattr(module, name, function)
        if os.getpid() != here[0]:  # forked in the body: one of us goes on with the run
            os._exit(0)


def _refused(
    name: str, usual: Callable[..., NoReturn], here: tuple[int, int]
) -> Callable[..., NoReturn]:
    def refused(*arguments: Any, **options: Any) -> NoReturn:
        if (os.getpid(), threading.get_ident()) != here:
            usual(*arguments, **options)
        given = ", ".join(reprlib.repr(x) for x in arguments)
        raise ProcessExit(f"called os.{name}({given}), which would have ended the run")

    return refused
