"""Cotangents and tangents: random numbers that hide nothing.

They follow from the graph and the dtype alone, so that a case needs no more fields, a
case that is read again is asked the same, and the points of one graph share a program.
They have mixed signs and now and then a zero, they are never 1, and an array of them
is a thousand times larger or smaller now and then. None has more than 7 bits, so that
every format holds them, and a step along them is exact.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np

from gradverify.graph import Array, Graph
from gradverify.ops import Shape

SCALES = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0**10, 2.0**-10)
"""By what an array of drawn numbers is scaled; one of these is drawn."""

ZEROS = 0.125  # of the entries, of arrays with three entries or more
ABSENT = 0.125  # of the inputs have no tangent, if there are several


def weights(graph: Graph, dtype: str, shape: Shape) -> Array:
    """A cotangent of that shape for a graph."""
    return _numbers(shape, _source(graph, f"cotangent {dtype}"))


@lru_cache(maxsize=4096)
def tangents_of(graph: Graph, dtype: str) -> tuple[Array | None, ...]:
    """A tangent for each input of a graph; None for one that has none."""
    source = _source(graph, f"tangent {dtype}")
    shapes = [graph.nodes[i].shape for i in graph.inputs]
    found: list[Array | None] = [_numbers(shape, source) for shape in shapes]
    if len(found) > 1 and source.random() < ABSENT * len(found):
        found[int(source.integers(len(found)))] = None
    return tuple(found)


@lru_cache(maxsize=4096)
def has_cotangent_input(graph: Graph, dtype: str) -> bool:
    """Whether the cotangent of an op alone moves at second order: that of half of
    them.
    """
    return bool(_source(graph, f"moving {dtype}").random() < 0.5)


def chosen(graph: Graph, dtype: str, count: int, most: int) -> tuple[int, ...]:
    """Some of so many rows, in order: all if there are at most `most`."""
    source = _source(graph, f"rows {dtype}")
    found = source.choice(count, min(count, most), replace=False)
    return tuple(sorted(found.tolist()))


def _source(graph: Graph, purpose: str) -> np.random.Generator:
    text = repr((purpose, graph.key)).encode()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:8]))


def _numbers(shape: Shape, source: np.random.Generator) -> Array:
    """Numbers k/64 with 65 <= k < 128, with signs, zeros and a common scale."""
    signs = source.choice((-1.0, 1.0), shape)
    found = signs * source.integers(65, 128, shape) / 64.0
    if found.size > 2:
        found = np.where(source.random(shape) < ZEROS, 0.0, found)
    found = np.asarray(found * source.choice(SCALES))
    found.setflags(write=False)
    return found
