"""What a graph may be made of: what engines accept, and what is drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a graph may be made of. Without arguments, everything is allowed.

    ranks: the ranks that values may have.
    broadcasting: whether operands may have different shapes.
    empty: whether arrays may have an axis of length 0.
    literals: whether operands may be Python numbers.
    data: whether there may be arrays that are not differentiated.
    """

    ranks: range = range(5)
    broadcasting: bool = True
    empty: bool = True
    literals: bool = True
    data: bool = True
