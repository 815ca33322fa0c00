"""Symbols whose entries are chosen from another symbol, or only take another shape."""

from __future__ import annotations

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.graph import Array


def taken(x: Symbol, index: Array) -> Symbol:
    """The entries of x, flattened, at some places, in the shape of `index`."""
    flat = reshaped(x, (int(np.prod(x.shape, dtype=int)),))
    at = tuple(int(i) for i in index.ravel())
    if at == tuple(range(*flat.shape)):
        return reshaped(flat, index.shape)
    return reshaped(m.take(flat, axis=(-1,), index=at), index.shape)


def reshaped(x: Symbol, shape: tuple[int, ...]) -> Symbol:
    """x in that shape; x itself if it has it."""
    return x if x.shape == tuple(shape) else m.reshape(x, shape=tuple(shape))
