"""Our surroundings: entered by every stage, left for every call of an engine.

A host may have set anything in Python and the libraries, and so may an engine. Every
stage runs under settings of our own, and afterwards the host finds its own again. The
call of an engine sees what the host has set where that is the engine's business, such
as the precision of mpmath for an engine that is made of it, and ours elsewhere.
"""

from __future__ import annotations

import functools
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from gradverify.surroundings.libraries import LIBRARIES
from gradverify.surroundings.python import DEPTH, PYTHON
from gradverify.surroundings.setting import Setting, Value

SETTINGS: tuple[Setting, ...] = (*PYTHON, *LIBRARIES)
IN_CALLS = tuple(setting for setting in SETTINGS if setting.in_calls)

P = ParamSpec("P")
R = TypeVar("R")

Read = list[tuple[Setting, Any, Value]]  # a setting, its library, its value


class _Thread(threading.local):
    """What the host had set when this thread entered; None outside."""

    host: dict[Setting, Value] | None = None


_thread = _Thread()
_remembered: dict[Setting, Value] = {}


class Surroundings:
    """`with Surroundings():` our own settings, and no warnings; then the host's again.

    Within itself it does nothing, so that every stage may enter.
    """

    def __enter__(self) -> None:
        self._read: Read | None = None
        if _thread.host is not None:
            return
        depth = sys.getrecursionlimit()
        if depth < DEPTH:  # the next call may already be one too many
            sys.setrecursionlimit(DEPTH)
        self._depth = depth
        self._read = _read(SETTINGS)
        for setting, library, value in self._read:
            ours = setting.ours(value)
            if not setting.same(ours, value) and ours is not value:
                setting.write(library, ours)
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        warnings.simplefilter("ignore")
        _thread.host = {setting: value for setting, _, value in self._read}

    def __exit__(self, *raised: object) -> None:
        if self._read is None:
            return
        _thread.host = None
        self._warnings.__exit__(None, None, None)
        _put_back(self._read)
        if sys.getrecursionlimit() != self._depth:
            PYTHON[0].write(sys, self._depth)


def surrounded(stage: Callable[P, R]) -> Callable[P, R]:
    """The stage, run in our surroundings."""

    @functools.wraps(stage)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with Surroundings():
            return stage(*args, **kwargs)

    return run


def remember() -> None:
    """Engines are to see the host's settings as they are now, whatever is set later.

    For a run, whose engines are made before the first test of the host.
    """
    _remembered.clear()
    _remembered.update((setting, value) for setting, _, value in _read(IN_CALLS))


def forget() -> None:
    """Engines see what the host has set when a stage is entered, as without a run."""
    _remembered.clear()


@contextmanager
def engine_call() -> Iterator[list[str]]:
    """The surroundings of one call of an engine; what it changed, once it is over.

    Everything is put back as it was before the call.
    """
    host, _thread.host = _thread.host, None
    changed: list[str] = []
    seen = _remembered or host or {}
    before = _read(IN_CALLS)
    expected = []
    for setting, library, value in before:
        wanted = seen.get(setting, value) if setting.for_engines else value
        if wanted is not value and not setting.same(wanted, value):
            setting.write(library, wanted)
        expected.append(wanted)
    try:
        yield changed
    finally:
        _thread.host = host
        for (setting, library, value), wanted in zip(before, expected, strict=True):
            now = setting.read(library)
            if now is not wanted and now != wanted:
                changed.append(setting.name)
            if now is not value and now != value:
                setting.write(library, value)
        if len(before) < len(IN_CALLS):
            changed += _set_where_loaded({setting for setting, _, _ in before})


def _set_where_loaded(known: set[Setting]) -> Iterator[str]:
    """What is set otherwise than usual in libraries that were not loaded before."""
    for setting, library, value in _read(s for s in IN_CALLS if s not in known):
        usual = setting.ours(value)
        if usual is not value and not setting.same(usual, value):
            setting.write(library, usual)
            yield setting.name


@contextmanager
def built_in(library: str) -> Iterator[None]:
    """What a built-in differentiator of a library needs that library to be set to."""
    settings = (s for s in IN_CALLS if s.library == library and s.built_in is not None)
    before = _read(settings)
    for setting, module, value in before:
        if not setting.same(setting.built_in, value):
            setting.write(module, setting.built_in)
    try:
        yield
    finally:
        _put_back(before)


def _read(settings: Iterable[Setting]) -> Read:
    """The values of those settings whose libraries are loaded."""
    found: Read = []
    for setting in settings:
        library = sys.modules.get(setting.library) if setting.library else sys
        if library is not None:
            try:
                found.append((setting, library, setting.read(library)))
            except Exception:  # a version without it, or one that is half imported
                continue
    return found


def _put_back(read: Read) -> None:
    """As it was read. What needs room comes before the room is taken away."""
    for setting, library, value in reversed(read):
        if not setting.same(setting.read(library), value):
            setting.write(library, value)
