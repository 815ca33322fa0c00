"""Linear algebra in NumPy's spelling, as autograd and JAX have it.

Every function takes `np`, the module that has NumPy's functions. One that a library
does not have, or spells otherwise, is in the library's own folder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy


def trace(np: Any, x: Any, offset: int) -> Any:
    return np.trace(x, offset)


def diag(np: Any, x: Any, offset: int) -> Any:
    return np.diag(x, offset)


def diagonal(np: Any, x: Any, offset: int, axes: tuple[int, int]) -> Any:
    return np.diagonal(x, offset, *axes)


def triu(np: Any, x: Any, offset: int) -> Any:
    return np.triu(x, offset)


def tril(np: Any, x: Any, offset: int) -> Any:
    return np.tril(x, offset)


def kron(np: Any, a: Any, b: Any) -> Any:
    return np.kron(a, b)


def outer(np: Any, a: Any, b: Any) -> Any:
    return np.outer(a, b)


def cross(np: Any, a: Any, b: Any, axis: Sequence[int]) -> Any:
    return np.cross(a, b, axis=axis[0])


def det(np: Any, x: Any) -> Any:
    return np.linalg.det(x)


def slogdet(np: Any, x: Any) -> Any:
    return np.linalg.slogdet(x)[1]


def inv(np: Any, x: Any) -> Any:
    return np.linalg.inv(x)


def solve(np: Any, a: Any, b: Any, left: bool) -> Any:
    if left:
        return np.linalg.solve(a, b)
    found = np.linalg.solve(np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2))
    return np.swapaxes(found, -1, -2)


def cholesky(np: Any, x: Any, upper: bool) -> Any:
    lower = np.linalg.cholesky((x + np.swapaxes(x, -1, -2)) / 2)
    return np.swapaxes(lower, -1, -2) if upper else lower


def pinv(np: Any, x: Any) -> Any:
    return np.linalg.pinv(x)


def eigvalsh(np: Any, x: Any) -> Any:
    return np.linalg.eigh((x + np.swapaxes(x, -1, -2)) / 2)[0]


def eigh(np: Any, x: Any, k: int) -> Any:
    """The projector, in which the sign of a vector cancels."""
    v = np.linalg.eigh((x + np.swapaxes(x, -1, -2)) / 2)[1][..., k]
    return v[..., :, None] * v[..., None, :]


def eigvals(np: Any, x: Any) -> Any:
    return np.sort(np.real(np.linalg.eig(x)[0]))


def svdvals(np: Any, x: Any) -> Any:
    return np.linalg.svd(x, full_matrices=False)[1]


def svd(np: Any, x: Any, k: int) -> Any:
    """The product of two vectors, in which their signs cancel."""
    u, _, v = np.linalg.svd(x, full_matrices=False)
    return u[..., :, k][..., :, None] * v[..., k, :][..., None, :]


def cov(np: Any, x: Any, ddof: int) -> Any:
    rest = x - np.mean(x, axis=1, keepdims=True)
    return np.matmul(rest, rest.T) / (x.shape[1] - ddof)


def size_of(np: Any, x: Any, p: float, axis: Any) -> Any:
    """The norm of vectors along one axis, or several, which are kept."""
    if p == math.inf:
        return np.max(np.abs(x), axis=axis, keepdims=True)
    if p == 1.0:
        return np.sum(np.abs(x), axis=axis, keepdims=True)
    if p == 2.0:
        total = np.sum(x * x, axis=axis, keepdims=True)
        return np.sqrt(np.where(total == 0, 1.0, total)) * (total != 0)
    return np.sum(np.abs(x) ** p, axis=axis, keepdims=True) ** (1.0 / p)


def normalize(np: Any, x: Any, p: float, axis: Sequence[int], eps: float) -> Any:
    return x / np.maximum(size_of(np, x, p, axis[0]), eps)


def renorm(np: Any, x: Any, p: float, axis: Sequence[int], most: float) -> Any:
    """As PyTorch has it, which adds 1e-7 to the norm."""
    others = tuple(k for k in range(x.ndim) if k != axis[0] % x.ndim)
    size = size_of(np, x, p, others)
    return x * np.where(size > most, most / (size + 1e-7), 1.0)


def cosine_similarity(np: Any, a: Any, b: Any, axis: Sequence[int], eps: float) -> Any:
    left = np.maximum(size_of(np, a, 2.0, axis[0]), eps)
    right = np.maximum(size_of(np, b, 2.0, axis[0]), eps)
    return np.sum((a / left) * (b / right), axis=axis[0])


def cdist(np: Any, a: Any, b: Any, p: float) -> Any:
    rest = a[..., :, None, :] - b[..., None, :, :]
    return size_of(np, rest, p, -1)[..., 0]


def pdist(np: Any, x: Any, p: float) -> Any:
    first, second = numpy.triu_indices(x.shape[0], 1)
    return size_of(np, x[first] - x[second], p, -1)[..., 0]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        trace, diag, diagonal, triu, tril, kron, outer, cross,
        det, slogdet, inv, solve, cholesky, pinv,
        eigvalsh, eigh, eigvals, svdvals, svd, cov, normalize, renorm,
        cosine_similarity, cdist, pdist,
    )
}  # fmt: skip
