"""What goes between a run and the process of an engine: records as MessagePack."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import msgspec
import numpy as np

from gradverify.differentiators.raised import Raised
from gradverify.graph import Case, Graph, graph_from_json, graph_to_json
from gradverify.questions import Question

KEPT = 256  # graphs whose text, or whose meaning, is remembered
ARRAY = 1  # the number of our extension type in MessagePack


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
    point: tuple[Any, ...]
    dtype: str


# ---- to the engine


def errand(mode: str, question: Question, case: Case, limit: float) -> Errand:
    """A run of a case as a message."""
    text = _text(case.graph)
    return Errand(mode, question.name, limit, text, tuple(case.point), case.dtype)


def case_of(asked: Errand) -> Case:
    """The case that an errand is about. Errands on one graph share it."""
    return Case(_graph(asked.graph), asked.point, asked.dtype)


@lru_cache(maxsize=KEPT)
def _text(graph: Graph) -> bytes:
    return msgspec.json.encode(graph_to_json(graph))


@lru_cache(maxsize=KEPT)
def _graph(text: bytes) -> Graph:
    return graph_from_json(msgspec.json.decode(text))


# ---- MessagePack, with arrays and exceptions


def encode(message: Any) -> bytes:
    """A message as bytes. The answer to an errand is a `Derivatives`."""
    return _ENCODER.encode(message)


def decode(text: bytes, kind: Any) -> Any:
    """A message of that kind; `msgspec.DecodeError` if it is none."""
    return _decoder(kind).decode(text)


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind, ext_hook=_unpacked, dec_hook=_raised)


def _packed(value: Any) -> Any:
    """An array as an extension type: its dtype, its shape and its bytes row by row."""
    if isinstance(value, Raised):
        return value.kind, value.text, value.kinds, value.detail, value.trace
    if isinstance(value, np.ndarray | np.generic):
        x = np.asarray(value)
        parts = x.dtype.str, x.shape, x.tobytes()
        return msgspec.msgpack.Ext(ARRAY, msgspec.msgpack.encode(parts))
    raise NotImplementedError(f"a {type(value).__name__} is in no message")


def _unpacked(code: int, data: memoryview) -> Any:
    parts = tuple[str, tuple[int, ...], bytes]
    dtype, shape, content = msgspec.msgpack.decode(data, type=parts)
    try:
        return np.frombuffer(bytearray(content), dtype).reshape(shape)
    except (TypeError, ValueError) as error:
        raise msgspec.DecodeError(f"no array: {error}") from None


def _raised(kind: type, value: Any) -> Raised:
    parts = tuple[str, str, tuple[str, ...], str, str]
    return Raised(*msgspec.convert(value, parts))


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_packed)
