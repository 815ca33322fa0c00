"""Functions that a library has compiled or traced: the newest are kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from gradverify.differentiators.protocol import Lowered

KEPT = 64  # a sweep needs one at a time, a search some more


class Compiled:
    """One compiled function for all points of a graph and for each way to ask.

    It is made anew for another graph, dtype or row of the table.
    """

    def __init__(self) -> None:
        self._kept: dict[Hashable, Callable[..., Any]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def of(
        self, function: Lowered, way: Hashable, make: Callable[[], Callable[..., Any]]
    ) -> Callable[..., Any]:
        """What `make` gave for a function and a way to ask, which it is called for
        once.
        """
        rows = tuple(function.table[op] for op in function.graph.ops)
        key = (way, function.graph, function.dtype, rows)
        if key not in self._kept:
            while len(self._kept) >= KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = make()
        return self._kept[key]
