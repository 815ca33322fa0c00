"""JAX's transforms: those of NumPy's spelling, Hermitian ones, cosines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradverify.differentiators.composed import numpy_transforms as composed
from gradverify.differentiators.composed.numpy_indexing import Sizes
from gradverify.differentiators.composed.numpy_transforms import (
    Length,
    Lengths,
    joined,
    parted,
)


def hfft(np: Any, x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    return np.fft.hfft(joined(x), length, axis[0], norm)


def ihfft(np: Any, x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    return parted(np, np.fft.ihfft(x, length, axis[0], norm))


def hfft2(np: Any, x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    first, last = lengths or (None, None)
    y = np.fft.fft(joined(x), first, axes[0], norm)
    return np.fft.hfft(y, last, axes[1], norm)


def dct(np: Any, x: Any, axis: Sizes, norm: str) -> Any:
    from jax.scipy import fft

    return fft.dct(x, axis=axis[0], norm=norm)


def idct(np: Any, x: Any, axis: Sizes, norm: str) -> Any:
    from jax.scipy import fft

    return fft.idct(x, axis=axis[0], norm=norm)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **composed.FUNCTIONS,
    **{f.__name__: f for f in (hfft, ihfft, hfft2, dct, idct)},
}
