"""`os._exit` in an engine is an error of the engine, and no end of the run."""

from __future__ import annotations

import os
import reprlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn


class ProcessExit(BaseException):
    """An engine tried to end the process. No `Exception`, so that it goes through."""


_inside: tuple[int, int] | None = None  # the process and the thread of the body


def _refused(name: str, usual: Callable[..., NoReturn]) -> Callable[..., NoReturn]:
    def refused(*arguments: Any, **options: Any) -> NoReturn:
        if (os.getpid(), threading.get_ident()) != _inside:
            usual(*arguments, **options)
        given = ", ".join(reprlib.repr(x) for x in arguments)
        raise ProcessExit(f"called os.{name}({given}), which would have ended the run")

    return refused


# all others of `os` call these; it is made of the module of the system, posix or nt
_ENDS = tuple(
    (module, name, getattr(module, name), _refused(name, getattr(module, name)))
    for module in (os, import_module(os.name))
    for name in ("_exit", "execv", "execve")
    if hasattr(module, name)
)


@contextmanager
def refused_exit() -> Iterator[None]:
    """What ends the process, or puts another program in its place, raises `ProcessExit`
    in the body.

    Other threads, such as that of a plugin for time limits, and processes that the
    engine forks may end as they like; one that leaves the body ends there.
    """
    global _inside
    outer, _inside = _inside, (os.getpid(), threading.get_ident())
    here = _inside
    for module, name, _, refused in _ENDS:
        setattr(module, name, refused)
    try:
        yield
    finally:
        _inside = outer
        if outer is None:
            for module, name, usual, _ in _ENDS:
                setattr(module, name, usual)
        if os.getpid() != here[0]:  # forked in the body: one of us goes on with the run
            _ENDS[0][2](0)
