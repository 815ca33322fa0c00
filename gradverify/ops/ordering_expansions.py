"""Expansions of ops that put entries in order, or look them up, into primitives.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
Where an order ties, the maxima and minima of a sorting network have their kinks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.ops.functions import clip, minimum
from gradverify.ops.indexing_expansions import (
    backwards,
    replaced,
    scan,
    taken,
)
from gradverify.ops.shapes import one_axis, reduction


@lru_cache(maxsize=64)
def comparisons(n: int) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """Batcher's odd-even merge (Knuth, 5.2.2 M): layers of places to compare."""
    if n < 2:
        return ()
    top = 1 << ((n - 1).bit_length() - 1)
    layers, p = [], top
    while p:
        q, r, d = top, 0, p
        while True:
            low = tuple(i for i in range(n - d) if i & p == r)
            if low:
                layers.append((low, tuple(i + d for i in low)))
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2
    return tuple(layers)


def ascending(m: Any, x: Any, at: int) -> Any:
    """The entries along one axis in order."""
    for low, high in comparisons(np.shape(x)[at]):
        a, b = taken(m, x, at, low), taken(m, x, at, high)
        x = replaced(m, x, at, low, minimum(m, a, b))
        x = replaced(m, x, at, high, m.maximum(a, b))
    return x


def sort(m: Any, x: Any, *, axis: Any, descending: bool) -> Any:
    """The entries along one axis in order."""
    (a,) = one_axis(np.shape(x), axis)
    y = ascending(m, x, a)
    return backwards(m, y, a) if descending else m.reshape(y, shape=np.shape(x))


def topk(m: Any, x: Any, *, k: int, axis: Any, largest: bool) -> Any:
    """The first of the sorted entries."""
    (a,) = one_axis(np.shape(x), axis)
    y = ascending(m, x, a)
    return taken(m, backwards(m, y, a) if largest else y, a, range(k))


def kthvalue(m: Any, x: Any, *, k: int, axis: Any, keepdims: bool) -> Any:
    """The k-th of the sorted entries, the smallest being the first."""
    shape = np.shape(x)
    (a,) = one_axis(shape, axis)
    found = taken(m, ascending(m, x, a), a, (k - 1,))
    return m.reshape(found, shape=reduction(shape, axis=axis, keepdims=keepdims))


def median(m: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
    """The middle one of the sorted entries; of two, the lower."""
    (a,) = one_axis(np.shape(x), axis)
    k = (np.shape(x)[a] + 1) // 2
    return kthvalue(m, x, k=k, axis=axis, keepdims=keepdims)


cummax: Callable[..., Any] = scan(lambda m, a, b: m.maximum(a, b))
cummin: Callable[..., Any] = scan(minimum)


def interp(m: Any, x: Any, table: Any, *, knots: Sequence[float]) -> Any:
    """Between knots a straight line, beyond them the number at the last one.

    How far x has come on the way from each knot to the next is cut at 0 and 1. Usual
    forms add a part of a difference to a number, which is off by a rounding of these.
    """
    ways = [
        clip(m, (x - a) / (b - a), low=0.0, high=1.0)
        for a, b in itertools.pairwise(knots)
    ]
    numbers = [
        m.reshape(taken(m, table, -1, (k,)), shape=()) for k in range(len(knots))
    ]
    total = numbers[0] * (1.0 - ways[0])
    for k, number in enumerate(numbers[1:-1], 1):
        total = total + number * (ways[k - 1] - ways[k])
    total = total + numbers[-1] * ways[-1]
    return m.slack(total, m.peak(m.abs(table), axis=None))
