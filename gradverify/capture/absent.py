"""Entries that are minus infinity: masked scores, which have no weight in a softmax.

No number of a graph is infinite. So a masked score is another score there, and the mask
is kept beside it until a softmax, a maximum or an exponential makes numbers of it.
"""

from __future__ import annotations

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.graph import Array


class Absent:
    """Which entries of which symbols are minus infinity."""

    def __init__(self) -> None:
        self.masks: dict[int, Array] = {}

    def of(self, x: object) -> Array | None:
        """The mask of a symbol or of constants; None if all of it are numbers."""
        if isinstance(x, Symbol):
            return self.masks.get(x.index)
        if isinstance(x, np.ndarray) and x.dtype.kind == "f":
            mask = np.isneginf(x)
            return mask if mask.any() else None
        return None

    def mark(self, x: Symbol, mask: Array) -> Symbol:
        """These entries of x are minus infinity."""
        if mask.any():
            self.masks[x.index] = np.broadcast_to(mask, x.shape)
        return x

    def same(self, x: Symbol, y: Symbol) -> None:
        """y has the entries of x."""
        if x.index in self.masks:
            self.masks[y.index] = self.masks[x.index].reshape(y.shape)
