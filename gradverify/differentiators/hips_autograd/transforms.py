"""autograd's Fourier transforms; Hermitian ones and cosines are composed of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy

from gradverify.differentiators.composed import numpy_transforms as composed
from gradverify.differentiators.composed.numpy_indexing import Sizes
from gradverify.differentiators.composed.numpy_transforms import (
    Length,
    Lengths,
    joined,
    parted,
)


def named(norm: str) -> str | None:
    """A norm as most call it: the usual one by no name."""
    return None if norm == "backward" else norm


def rfft(np: Any, x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    return parted(np, np.fft.rfft(x, length, axis[0], named(norm)))


def irfft(np: Any, x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    return np.fft.irfft(joined(x), length, axis[0], named(norm))


def rfft2(np: Any, x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    return parted(np, np.fft.rfft2(x, lengths, axes, named(norm)))


def irfft2(np: Any, x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    return np.fft.irfft2(joined(x), lengths, axes, named(norm))


def hfft(np: Any, x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    y = np.conj(joined(x))
    if norm == "ortho":
        return np.fft.irfft(y, length, axis[0], norm)
    found = np.fft.irfft(y, length, axis[0])
    return found if norm == "forward" else found * found.shape[axis[0]]


def ihfft(np: Any, x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    n = length or x.shape[axis[0]]
    if norm == "ortho":
        found = np.conj(np.fft.rfft(x, length, axis[0], norm))
    else:
        found = np.conj(np.fft.rfft(x, length, axis[0]))
    return parted(np, found / n if norm == "backward" else found)


def hfft2(np: Any, x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    y = np.conj(joined(x))
    if norm == "ortho":
        return np.fft.irfft2(y, lengths, axes, norm)
    found = np.fft.irfft2(y, lengths, axes)
    size = found.shape[axes[0]] * found.shape[axes[1]]
    return found if norm == "forward" else found * size


def waves(n: int, dtype: Any) -> Any:
    """The matrix of the cosine transform whose rows are vectors of length 1."""
    k = numpy.arange(n)
    matrix = numpy.cos(numpy.pi / (2 * n) * k[:, None] * (2 * k + 1))
    return (matrix * numpy.where(k == 0, 1 / n, 2 / n)[:, None] ** 0.5).astype(dtype)


def sizes(n: int, dtype: Any) -> Any:
    """How long its rows are where they are not of length 1."""
    return numpy.where(numpy.arange(n) == 0, 4.0 * n, 2.0 * n).astype(dtype) ** 0.5


def dct(np: Any, x: Any, axis: Sizes, norm: str) -> Any:
    n, last = x.shape[axis[0]], np.moveaxis(x, axis[0], -1)
    y = np.matmul(last, waves(n, x.dtype).T)
    return np.moveaxis(y if norm == "ortho" else y * sizes(n, x.dtype), -1, axis[0])


def idct(np: Any, x: Any, axis: Sizes, norm: str) -> Any:
    n, last = x.shape[axis[0]], np.moveaxis(x, axis[0], -1)
    y = last if norm == "ortho" else last / sizes(n, x.dtype)
    return np.moveaxis(np.matmul(y, waves(n, x.dtype)), -1, axis[0])


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **composed.FUNCTIONS,
    **{
        f.__name__: f
        for f in (rfft, irfft, rfft2, irfft2, hfft, ihfft, hfft2, dct, idct)
    },
}
