"""What goes between a run and the process of an engine: records as MessagePack."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from gradverify.differentiators.derivatives import Derivatives
from gradverify.differentiators.raised import Raised
from gradverify.graph import Case, Graph, graph_from_json, graph_to_json
from gradverify.questions import Question

KEPT = 256  # graphs whose text, or whose meaning, is remembered


class PackedArray(msgspec.Struct, array_like=True, frozen=True):
    """An array: NumPy's own name of its dtype, its shape and its bytes, row by row."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


Value = PackedArray | bool | int | float | None


class Engine(msgspec.Struct, frozen=True):
    """Where an engine's class is found. name: of the engine."""

    module: str
    file: str | None
    attribute: str
    name: str


class Hello(msgspec.Struct, frozen=True):
    """The first message to a process.

    memory: bytes that it may take; 0 for any. asks: whether the engine is available.
    """

    engine: Engine
    folder: str
    path: list[str]
    memory: int
    asks: bool = False


class Loaded(msgspec.Struct, frozen=True):
    """The first answer.

    trouble: why the engine's class cannot be had, or empty. absent: why the engine
    cannot run, as it says itself; None if it can, or was not asked.
    """

    trouble: str = ""
    absent: str | None = None


class Errand(msgspec.Struct, frozen=True):
    """One run of one case. A batch of them is one message."""

    mode: str
    question: str
    limit: float
    graph: bytes
    point: list[PackedArray]
    dtype: str


class Answer(msgspec.Struct, frozen=True):
    """What came out of one run: the fields of `Derivatives`, packed."""

    value: Value
    cotangents: list[Value]
    intermediates: dict[int, Value] | None
    of_array: bool
    error: tuple[str, str, tuple[str, ...], str, str] | None
    timed_out: bool
    starved: bool
    mutated: tuple[int, ...]
    seeds: tuple[str, ...]
    changed: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float
    busy: float


# ---- to the engine


def errand(mode: str, question: Question, case: Case, limit: float) -> Errand:
    """A run of a case as a message."""
    point = [_packed(x) for x in case.point]
    return Errand(mode, question.name, limit, _text(case.graph), point, case.dtype)


def case_of(asked: Errand) -> Case:
    """The case that an errand is about. Errands on one graph share it."""
    point = tuple(_unpacked(x) for x in asked.point)
    return Case(_graph(asked.graph), point, asked.dtype)


@lru_cache(maxsize=KEPT)
def _text(graph: Graph) -> bytes:
    return msgspec.json.encode(graph_to_json(graph))


@lru_cache(maxsize=KEPT)
def _graph(text: bytes) -> Graph:
    return graph_from_json(msgspec.json.decode(text))


# ---- and back


def answer(found: Derivatives) -> Answer:
    """Derivatives as a message."""
    inner, error = found.intermediates, found.error
    return Answer(
        value=_plain(found.value),
        cotangents=[_plain(x) for x in found.cotangents],
        intermediates=None
        if inner is None
        else {int(i): _plain(x) for i, x in inner.items()},
        of_array=found.of_array,
        error=None
        if error is None
        else (error.kind, error.text, error.kinds, error.detail, error.trace),
        timed_out=found.timed_out,
        starved=found.starved,
        mutated=found.mutated,
        seeds=found.seeds,
        changed=found.changed,
        warnings=found.warnings,
        seconds=found.seconds,
        busy=found.busy,
    )


def derivatives(found: Answer) -> Derivatives:
    """The derivatives that a message holds."""
    inner = found.intermediates
    return Derivatives(
        value=_value(found.value),
        cotangents=tuple(_value(x) for x in found.cotangents),
        intermediates=None
        if inner is None
        else {i: _value(x) for i, x in inner.items()},
        of_array=found.of_array,
        error=None if found.error is None else Raised(*found.error),
        timed_out=found.timed_out,
        starved=found.starved,
        mutated=found.mutated,
        seeds=found.seeds,
        changed=found.changed,
        warnings=found.warnings,
        seconds=found.seconds,
        busy=found.busy,
    )


def _packed(x: Any) -> PackedArray:
    return PackedArray(x.dtype.str, x.shape, x.tobytes())


def _unpacked(x: PackedArray) -> Any:
    return np.frombuffer(bytearray(x.data), x.dtype).reshape(x.shape)


def _plain(value: Any) -> Value:
    is_array = isinstance(value, np.ndarray | np.generic)
    plain: Value = _packed(np.asarray(value)) if is_array else value
    return plain


def _value(value: Value) -> Any:
    return _unpacked(value) if isinstance(value, PackedArray) else value
