"""What comes out of one run of one differentiator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradverify.differentiators.raised import Raised


@dataclass(frozen=True)
class Derivatives:
    """What a differentiator made of a case.

    value, cotangents, intermediates: as the engine gave them, arrays copied. The
    cotangents are one array for each part of the question. of_array: the value is the
    array that the case contracts.
    error: what it raised, or what ended its process. fatal: whether its process ended,
    and op: in which op of its table, if it was in one.
    mutated: positions of inputs that it overwrote. seeds: the cotangents and tangents
    that it overwrote, in words. changed: the names of global settings that it changed.
    seconds: of the clock; busy: of the processor. starved: it timed out, but may have
    been kept from running.
    """

    value: Any = None
    cotangents: tuple[Any, ...] = ()
    intermediates: Mapping[int, Any] | None = None
    of_array: bool = False
    error: Raised | None = None
    timed_out: bool = False
    starved: bool = False
    fatal: bool = False
    op: str = ""
    mutated: tuple[int, ...] = ()
    seeds: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    busy: float = 0.0
