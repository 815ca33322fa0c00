"""An engine is tried in a process of its own first, so that it can end only that."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradverify.differentiators.handshake import handshake, warm_up
from gradverify.differentiators.isolation import isolate, release
from gradverify.differentiators.isolation.worker import IS_POSSIBLE
from gradverify.differentiators.protocol import Differentiator


@dataclass(frozen=True)
class Trial:
    """What came of trying an engine: problems of its registration, and notes."""

    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def tried_out(
    differentiator: Differentiator, limit: float = 5.0, seconds: float = math.inf
) -> Trial:
    """The handshake, in a process of its own for an engine that is not built in.

    An engine that ends its process there, or has to be ended, goes on in one of its
    own, as an engine does that asks for it. Others run in this process afterwards.
    """
    name = differentiator.name
    if is_trusted(differentiator) or not IS_POSSIBLE:
        return Trial(tuple(handshake(differentiator, limit, seconds)))
    worker = isolate(differentiator)
    trouble = worker.start()
    if trouble and not worker.deaths:
        if differentiator.isolated:
            return Trial((trouble,))
        release(differentiator)
        return Trial(tuple(handshake(differentiator, limit, seconds)), (trouble,))
    problems = () if trouble else tuple(handshake(differentiator, limit, seconds))
    if worker.deaths:
        note = f"{name} was tried and {worker.last}; it runs in a process of its own"
        return Trial(problems, (note,))
    if not differentiator.isolated:
        release(differentiator)
        warm_up(differentiator)
    return Trial(problems)


def is_trusted(differentiator: Differentiator) -> bool:
    """Whether the engine is one of ours: it is tried by our own tests."""
    return type(differentiator).__module__.startswith("gradverify.")
