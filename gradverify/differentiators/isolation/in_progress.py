"""What a process of an engine is at, in memory that the run can see at any time."""

from __future__ import annotations

import mmap
import struct
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from gradverify.differentiators.time_limit import processor_time
from gradverify.ops import OPS

_CASE = struct.Struct("<qdd")
_OP = struct.Struct("<q")
_OP_AT = _CASE.size
_SIZE = _CASE.size + _OP.size
_NAMES = ("", *(row.name for row in OPS))
_NUMBERS = {name: k for k, name in enumerate(_NAMES)}


class InProgress:
    """Which question is being answered, since when, and which op is being called.

    number: of the question, counted from 1. began: by the clock, `time.monotonic`.
    busy: the processor time at the beginning. op: empty outside the rows of the table.
    """

    def __init__(self, file: int) -> None:
        self._memory = mmap.mmap(file, _SIZE)

    def begin(self, number: int) -> None:
        """A question is about to be answered."""
        now = number, time.monotonic(), processor_time()
        self._memory[: _CASE.size] = _CASE.pack(*now)
        self._memory[_OP_AT:] = _OP.pack(0)

    def read(self) -> tuple[int, float, float, str]:
        """The number, the beginning, the processor time at it, and the op."""
        number, began, busy = _CASE.unpack(self._memory[: _CASE.size])
        (op,) = _OP.unpack(self._memory[_OP_AT:])
        return number, began, busy, _NAMES[op] if 0 <= op < len(_NAMES) else ""

    def noting(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """The table with functions that note the op while they run."""
        return {
            op: self._noting(row, _NUMBERS[op])
            if callable(row) and op in _NUMBERS
            else row
            for op, row in table.items()
        }

    def _noting(self, row: Callable[..., Any], number: int) -> Callable[..., Any]:
        memory, here, away = self._memory, _OP.pack(number), _OP.pack(0)

        @wraps(row, updated=())
        def noted(*operands: Any, **params: Any) -> Any:
            memory[_OP_AT:] = here
            found = row(*operands, **params)
            memory[_OP_AT:] = away
            return found

        return noted

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


def shared_file() -> Any:
    """A file without a name that is as long as a progress."""
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.truncate(_SIZE)
    return file
