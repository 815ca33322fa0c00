"""Fourier transforms in NumPy's spelling, as autograd and JAX have them.

Every function takes `np`, the module that has NumPy's functions. A complex number is
two real ones along a last axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradverify.differentiators.composed.numpy_indexing import Sizes

Length = int | None
Lengths = Sizes | None
Norm = str | None


def joined(x: Any) -> Any:
    """Complex numbers of their parts."""
    return x[..., 0] + 1j * x[..., 1]


def parted(np: Any, y: Any) -> Any:
    """The parts of complex numbers."""
    return np.stack((np.real(y), np.imag(y)), -1)


def fft(np: Any, x: Any, length: Length, axis: Sizes, norm: Norm) -> Any:
    return parted(np, np.fft.fft(joined(x), length, axis[0], norm))


def ifft(np: Any, x: Any, length: Length, axis: Sizes, norm: Norm) -> Any:
    return parted(np, np.fft.ifft(joined(x), length, axis[0], norm))


def rfft(np: Any, x: Any, length: Length, axis: Sizes, norm: Norm) -> Any:
    return parted(np, np.fft.rfft(x, length, axis[0], norm))


def irfft(np: Any, x: Any, length: Length, axis: Sizes, norm: Norm) -> Any:
    return np.fft.irfft(joined(x), length, axis[0], norm)


def fft2(np: Any, x: Any, lengths: Lengths, axes: Sizes, norm: Norm) -> Any:
    return parted(np, np.fft.fft2(joined(x), lengths, axes, norm))


def ifft2(np: Any, x: Any, lengths: Lengths, axes: Sizes, norm: Norm) -> Any:
    return parted(np, np.fft.ifft2(joined(x), lengths, axes, norm))


def rfft2(np: Any, x: Any, lengths: Lengths, axes: Sizes, norm: Norm) -> Any:
    return parted(np, np.fft.rfft2(x, lengths, axes, norm))


def irfft2(np: Any, x: Any, lengths: Lengths, axes: Sizes, norm: Norm) -> Any:
    return np.fft.irfft2(joined(x), lengths, axes, norm)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f for f in (fft, ifft, rfft, irfft, fft2, ifft2, rfft2, irfft2)
}
