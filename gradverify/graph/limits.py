"""What a graph may be made of: what engines accept, and what is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a graph may be made of; unless said, of everything.

    ranks: of every value.
    broadcasting: operands of different shapes.
    empty: arrays with an axis of length 0.
    literals: Python numbers as operands.
    data: arrays that are not differentiated.
    """

    ranks: range = range(5)
    broadcasting: bool = True
    empty: bool = True
    literals: bool = True
    data: bool = True
