"""An engine is tried in a process of its own first, so that it can end only that."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from gradverify.differentiators.handshake import (
    LOADING,
    Greeting,
    greeting,
    warm_up,
)
from gradverify.differentiators.isolation import isolate, park, release
from gradverify.differentiators.isolation.worker import IS_POSSIBLE, Worker
from gradverify.differentiators.protocol import Differentiator
from gradverify.differentiators.registry import load
from gradverify.differentiators.run import modes


@dataclass(frozen=True)
class Trial:
    """What came of trying an engine: problems of its registration, and notes.

    ops: by op that fails alone, the sentence on it. unsupported: by op whose row raises
    `NotImplementedError`, what it says. lost: seconds that calls without an end took.
    """

    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()
    ops: Mapping[str, str] = field(default_factory=dict)
    unsupported: Mapping[str, str] = field(default_factory=dict)
    lost: float = 0.0


def keep_apart(differentiator: Differentiator) -> None:
    """From now on it runs in a process of its own, as in a run, if it can."""
    stays = is_trusted(differentiator) or differentiator.isolated is False
    if IS_POSSIBLE and not stays:
        _apart(differentiator)


def _apart(differentiator: Differentiator) -> tuple[Worker, str]:
    """Its own process, and why that cannot be had: it is released then."""
    worker = isolate(differentiator)
    trouble = worker.start()
    if trouble and not worker.deaths:
        release(differentiator)
    return worker, trouble


def _of(found: Greeting, *notes: str) -> Trial:
    problems = tuple(found.problems)
    return Trial(problems, notes, found.ops, found.unsupported, found.lost)


def tried_out(
    differentiator: Differentiator,
    limit: float = 5.0,
    seconds: float = math.inf,
    loading: float = LOADING,
) -> Trial:
    """The handshake, in a process of its own for an engine that is not built in.

    Of one that is, the default modes alone are tried: our own tests try all of them. Of
    one that compiles as well, nothing is tried: to compile all ops takes a quarter of a
    short run.

    An engine goes on in the process in which it was tried. If it does not want that
    (`isolated = False`), it runs in this one, unless it has ended the other.

    limit, seconds, loading: for one call, for all together, and for the first call.
    """
    name = differentiator.name
    if is_trusted(differentiator) and differentiator.compiles:
        warm_up(differentiator, loading, modes(differentiator))
        return Trial(())
    if is_trusted(differentiator) or not IS_POSSIBLE:
        only = modes(differentiator) if is_trusted(differentiator) else ()
        return _of(greeting(differentiator, limit, seconds, only, loading))
    worker, trouble = _apart(differentiator)
    if trouble and not worker.deaths:
        if differentiator.isolated:
            return Trial((trouble,))
        found = greeting(differentiator, limit, seconds, (), loading)
        return _of(found, trouble)
    found = Greeting([], {}, {})
    if not trouble:
        found = greeting(differentiator, limit, seconds, (), loading)
    if worker.deaths:
        note = f"{name} was tried and {worker.last}; it runs in a process of its own"
        return _of(found, note)
    if differentiator.isolated is False:
        release(differentiator)
        warm_up(differentiator, loading)
    return _of(found)


def present(name: str) -> Differentiator | str:
    """The differentiator with a name; or, in one line, why it cannot run.

    Nothing is raised, whatever a module of somebody else does when it is imported.
    """
    try:
        found = load(name)
        reason = _absence(found)
        if reason is None:
            found.versions()
            return found
    except (Exception, SystemExit) as error:
        known = isinstance(error, ValueError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
    return " ".join(reason.split())


def _absence(differentiator: Differentiator) -> str | None:
    """Why the engine cannot run here, as it says itself; None if it can.

    An engine with an answer of its own gives it in the process in which it is tried
    afterwards: it may load a library for that.
    """
    is_usual = type(differentiator).available is Differentiator.available
    if is_usual or is_trusted(differentiator) or not IS_POSSIBLE:
        return differentiator.available()
    worker = isolate(differentiator)
    trouble, reason = worker.absence()
    if worker.deaths:
        release(differentiator)
        return f"it was asked whether it is available, and {worker.last}"
    if trouble:
        release(differentiator)
        return differentiator.available()
    park(differentiator)
    return reason


def is_trusted(differentiator: Differentiator) -> bool:
    """Whether the engine is one of ours: it is tried by our own tests."""
    return type(differentiator).__module__.startswith("gradverify.")
