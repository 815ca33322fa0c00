"""PyTorch's own functions of linear algebra, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def trace(x: Any, offset: int) -> Any:
    import torch

    if offset == 0:
        return torch.trace(x)
    return torch.diagonal(x, offset).sum()


def diag(x: Any, offset: int) -> Any:
    import torch

    return torch.diag(x, offset)


def diagonal(x: Any, offset: int, axes: tuple[int, int]) -> Any:
    import torch

    return torch.diagonal(x, offset, *axes)


def triu(x: Any, offset: int) -> Any:
    import torch

    return torch.triu(x, offset)


def tril(x: Any, offset: int) -> Any:
    import torch

    return torch.tril(x, offset)


def kron(a: Any, b: Any) -> Any:
    import torch

    return torch.kron(a, b)


def outer(a: Any, b: Any) -> Any:
    import torch

    return torch.outer(a, b)


def cross(a: Any, b: Any, axis: Sequence[int]) -> Any:
    import torch

    return torch.linalg.cross(a, b, dim=axis[0])


def det(x: Any) -> Any:
    import torch

    return torch.linalg.det(x)


def slogdet(x: Any) -> Any:
    import torch

    return torch.linalg.slogdet(x).logabsdet


def inv(x: Any) -> Any:
    import torch

    return torch.linalg.inv(x)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        trace, diag, diagonal, triu, tril, kron, outer, cross,
        det, slogdet, inv,
    )
}  # fmt: skip
