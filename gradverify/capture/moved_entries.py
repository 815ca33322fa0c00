"""Symbols whose entries are chosen from another symbol, or only take another shape."""

from __future__ import annotations

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.graph import Array


def taken(x: Symbol, index: Array) -> Symbol:
    """The entries of x, flattened, at some places, in the shape of `index`."""
    if not index.size:  # nothing depends on x
        return x.program.lift(np.zeros(index.shape))
    flat = reshaped(x, (int(np.prod(x.shape, dtype=int)),))
    at = tuple(int(i) for i in index.ravel())
    if at == tuple(range(*flat.shape)):
        return reshaped(flat, index.shape)
    return reshaped(m.take(flat, axis=(-1,), index=at), index.shape)


def reshaped(x: Symbol, shape: tuple[int, ...]) -> Symbol:
    """x in that shape; x itself if it has it."""
    return x if x.shape == tuple(shape) else m.reshape(x, shape=tuple(shape))


def reduced_at(
    x: Symbol, given: Symbol, at: Array, op: str, *, counts_itself: bool = True
) -> Symbol:
    """x, which is flat, with entries of `given` joined by an op to what they meet.

    at: for each entry of `given` its place in x; -1 for none. counts_itself: whether an
        entry of x counts where others land on it.
    """
    (count,) = x.shape
    turn = np.zeros(count, int)
    layers: list[Array] = []  # for each place of x, the next entry that lands there
    for k, place in enumerate(np.ravel(at)):
        if place < 0:
            continue
        if turn[place] == len(layers):
            layers.append(np.full(count, -1))
        layers[turn[place]][place] = k
        turn[place] += 1
    for number, layer in enumerate(layers):
        meets = layer >= 0
        part = taken(given, np.maximum(layer, 0))
        joined = part if not number and not counts_itself else m.table[op](x, part)
        x = m.where(meets, joined, x)
    return x
