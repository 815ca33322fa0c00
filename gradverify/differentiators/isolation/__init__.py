"""Engines that run in a process of their own, since they may end or hang in it.

A run keeps engines that are not built in where they were tried. Elsewhere an engine
asks for it (`isolated = True`).
"""

from __future__ import annotations

import atexit
from collections.abc import Sequence

from gradverify.differentiators.isolation.worker import IS_POSSIBLE, Worker
from gradverify.differentiators.protocol import Differentiator
from gradverify.graph import Case
from gradverify.questions import Question

_workers: dict[type[Differentiator], Worker] = {}
_parked: dict[type[Differentiator], Worker] = {}


def isolate(differentiator: Differentiator) -> Worker:
    """From now on the engine runs in a process of its own; that process."""
    cls = type(differentiator)
    if cls not in _workers:
        atexit.unregister(close_all)
        atexit.register(close_all)
        parked = _parked.pop(cls) if cls in _parked else None
        _workers[cls] = parked or Worker(differentiator)
    return _workers[cls]


def release(differentiator: Differentiator) -> None:
    """From now on it runs in this process."""
    worker = _workers.pop(type(differentiator), None)
    if worker is not None:
        worker.close()


def park(differentiator: Differentiator) -> None:
    """It runs in this process, but its own is kept until it is isolated again."""
    _parked[type(differentiator)] = _workers.pop(type(differentiator))


def worker_of(differentiator: Differentiator) -> Worker | None:
    """The process that an engine runs in; None if it runs in this one."""
    worker = _workers.get(type(differentiator))
    if worker is None and differentiator.isolated and IS_POSSIBLE:
        worker = isolate(differentiator)
    return worker


def foresee(
    differentiator: Differentiator,
    mode: str,
    cases: Sequence[Case],
    limit: float,
    question: Question,
) -> None:
    """Tell an isolated engine which cases it will be asked for, so that it begins."""
    worker = worker_of(differentiator)
    if worker is not None:
        worker.foresee(mode, cases, limit, question)


def close_all() -> None:
    """End all processes of engines. They start again when they are asked again."""
    for worker in (*_workers.values(), *_parked.values()):
        worker.close()
