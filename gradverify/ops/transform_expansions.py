"""Expansions of Fourier and cosine transforms into products with fixed matrices.

Every function takes an arithmetic `m` first and works on that arithmetic's values. A
complex number is two real ones, its parts, along a last axis of length 2.

Fast transforms add what cancels later. Their results are off by roundings of the sum
of all that goes in, and what they send back by roundings of its largest entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.ops.fixed_weights import Map, largest_of, shape_of
from gradverify.ops.transform_shapes import HALF_IN, REAL_IN, REAL_OUT, whole_length

Sizes = Sequence[int]
Length = int | None


def along(m: Any, x: Any, place: int, named: Map, into: int, out_of: int) -> Any:
    """A map along one axis, which counts from the first.

    into, out_of: how many last axes hold the parts of a number, 0 or 1.
    """
    rank = np.ndim(x) - into
    order = (*(k for k in range(rank) if k != place), place, *range(rank, rank + into))
    x = m.transpose(x, axes=order)
    lead = np.shape(x)[: rank - 1]
    rows, (size, results) = math.prod(lead), shape_of(named)
    parts = 2 if into else 1
    x = m.moved_back(m.reshape(x, shape=(rows, size // parts, parts)))
    flat = m.reshape(x, shape=(rows, size))
    y = m.matmul(flat, m.coefficients(flat, of=named))
    steps = (2.0 + 3.0 * math.log2(size)) * largest_of(named)
    y = m.moved(y, steps * m.sum(m.abs(flat), axis=(-1,), keepdims=True))
    tail = (results // 2, 2) if out_of else (results,)
    y = m.reshape(y, shape=(*lead, *tail))
    back = (*range(place), rank - 1, *range(place, rank - 1))
    return m.transpose(y, axes=(*back, *range(rank, rank + out_of)))


def fourier_along(
    m: Any, x: Any, kind: str, place: int, length: Length, norm: str
) -> Any:
    """One transform of a kind along one axis, which counts from the first."""
    given = np.shape(x)[place]
    n = whole_length(kind, given, length)
    into, out_of = int(kind not in REAL_IN), int(kind not in REAL_OUT)
    return along(m, x, place, ("fourier", kind, given, n, norm), into, out_of)


def _one(kind: str) -> Callable[..., Any]:
    def transformed(m: Any, x: Any, *, length: Length, axis: Sizes, norm: str) -> Any:
        place = axis[0] % (np.ndim(x) - (kind not in REAL_IN))
        return fourier_along(m, x, kind, place, length, norm)

    return transformed


fft, ifft, rfft, irfft, hfft, ihfft = map(
    _one, ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
)


def _two(first: str, second: str) -> Callable[..., Any]:
    """A transform along two axes: where one half is given, it is the last of them."""

    def transformed(
        m: Any, x: Any, *, lengths: Sizes | None, axes: Sizes, norm: str
    ) -> Any:
        rank = np.ndim(x) - (second not in REAL_IN)
        steps = [
            (kind, axis % rank, length)
            for kind, axis, length in zip(
                (first, second), axes, lengths or (None, None), strict=True
            )
        ]
        for kind, place, length in steps if second in HALF_IN else reversed(steps):
            x = fourier_along(m, x, kind, place, length, norm)
        return x

    return transformed


fft2 = _two("fft", "fft")
ifft2 = _two("ifft", "ifft")
rfft2 = _two("fft", "rfft")
irfft2 = _two("ifft", "irfft")
hfft2 = _two("fft", "hfft")


def _cosine(kind: str) -> Callable[..., Any]:
    def transformed(m: Any, x: Any, *, axis: Sizes, norm: str) -> Any:
        place = axis[0] % np.ndim(x)
        n = np.shape(x)[place]
        return along(m, x, place, ("cosine", kind, n, norm), 0, 0)

    return transformed


dct, idct = map(_cosine, ("dct", "idct"))
