"""PyTorch's own Fourier transforms, a function an op; cosine transforms are composed.

The table calls them, and scripts have their source. A complex number is two real ones
along a last axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Sizes = Sequence[int]
Length = int | None
Lengths = Sequence[int] | None


def joined(x: Any) -> Any:
    """Complex numbers of their parts."""
    import torch

    return torch.view_as_complex(x.contiguous())


def parted(y: Any) -> Any:
    """The parts of complex numbers."""
    import torch

    return torch.view_as_real(y)


def fft(x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    import torch

    return parted(torch.fft.fft(joined(x), length, axis[0], norm))


def ifft(x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    import torch

    return parted(torch.fft.ifft(joined(x), length, axis[0], norm))


def rfft(x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    import torch

    return parted(torch.fft.rfft(x, length, axis[0], norm))


def irfft(x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    import torch

    return torch.fft.irfft(joined(x), length, axis[0], norm)


def hfft(x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    import torch

    return torch.fft.hfft(joined(x), length, axis[0], norm)


def ihfft(x: Any, length: Length, axis: Sizes, norm: str) -> Any:
    import torch

    # its result may be a conjugate that is not yet taken, which is no two numbers
    return parted(torch.fft.ihfft(x, length, axis[0], norm).resolve_conj())


def fft2(x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    import torch

    return parted(torch.fft.fft2(joined(x), lengths, axes, norm))


def ifft2(x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    import torch

    return parted(torch.fft.ifft2(joined(x), lengths, axes, norm))


def rfft2(x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    import torch

    return parted(torch.fft.rfft2(x, lengths, axes, norm))


def irfft2(x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    import torch

    return torch.fft.irfft2(joined(x), lengths, axes, norm)


def hfft2(x: Any, lengths: Lengths, axes: Sizes, norm: str) -> Any:
    import torch

    return torch.fft.hfft2(joined(x), lengths, axes, norm)


def unit_rows(x: Any, n: int) -> Any:
    """What makes vectors of length 1 of the rows of the cosine transform."""
    import torch

    sizes = torch.full((n,), math.sqrt(0.5 / n), dtype=x.dtype, device=x.device)
    sizes[0] = math.sqrt(0.25 / n)
    return sizes


def dct(x: Any, axis: Sizes, norm: str) -> Any:
    """By a Fourier transform of twice the length (Ahmed and others, 1974)."""
    import torch

    last = x.movedim(axis[0], -1)
    n = last.shape[-1]
    y = torch.fft.fft(torch.cat((last, last.flip(-1)), -1))[..., :n]
    turn = torch.arange(n, dtype=x.dtype, device=x.device) * (-math.pi / (2 * n))
    found = y.real * torch.cos(turn) - y.imag * torch.sin(turn)
    if norm == "ortho":
        found = found * unit_rows(x, n)
    return found.movedim(-1, axis[0])


def idct(x: Any, axis: Sizes, norm: str) -> Any:
    """By a Fourier transform of twice the length, of which one half is given."""
    import torch

    last = x.movedim(axis[0], -1)
    n = last.shape[-1]
    if norm == "ortho":
        last = last / unit_rows(x, n)
    turn = torch.arange(n, dtype=x.dtype, device=x.device) * (math.pi / (2 * n))
    half = torch.complex(last * torch.cos(turn), last * torch.sin(turn))
    whole = torch.nn.functional.pad(torch.view_as_real(half), (0, 0, 0, 1))
    found = torch.fft.irfft(torch.view_as_complex(whole), 2 * n)[..., :n]
    return found.movedim(-1, axis[0])


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        fft, ifft, rfft, irfft, hfft, ihfft, fft2, ifft2, rfft2, irfft2, hfft2, dct,
        idct,
    )
}  # fmt: skip
