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

    ranks: range = range(6)
    broadcasting: bool = True
    empty: bool = True
    literals: bool = True
    data: bool = True

    def __post_init__(self) -> None:
        """Raise `ValueError` for what is no range, or neither True nor False."""
        if not isinstance(self.ranks, range):
            hint = "range(1, 2) for rank 1 alone, range(0, 3) for ranks 0 to 2"
            raise ValueError(f"ranks={self.ranks!r} is no range; write {hint}")
        for name in ("broadcasting", "empty", "literals", "data"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise ValueError(f"{name}={value!r}; write True or False")
