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


def solve(a: Any, b: Any, left: bool) -> Any:
    import torch

    return torch.linalg.solve(a, b, left=left)


def solve_triangular(
    a: Any, b: Any, upper: bool, left: bool, unitriangular: bool
) -> Any:
    import torch

    return torch.linalg.solve_triangular(
        a, b, upper=upper, left=left, unitriangular=unitriangular
    )


def lu_solve(a: Any, b: Any, left: bool, adjoint: bool) -> Any:
    import torch

    factors, pivots = torch.linalg.lu_factor(a)
    return torch.linalg.lu_solve(factors, pivots, b, left=left, adjoint=adjoint)


def cholesky(x: Any, upper: bool) -> Any:
    import torch

    return torch.linalg.cholesky((x + x.mT) / 2, upper=upper)


def cholesky_inverse(x: Any, upper: bool) -> Any:
    import torch

    t = torch.triu(x) if upper else torch.tril(x)
    return torch.cholesky_inverse(t, upper=upper)


def cholesky_solve(b: Any, a: Any, upper: bool) -> Any:
    import torch

    t = torch.triu(a) if upper else torch.tril(a)
    return torch.cholesky_solve(b, t, upper=upper)


def pinv(x: Any) -> Any:
    import torch

    return torch.linalg.pinv(x)


def pinv_singular(a: Any, b: Any) -> Any:
    import torch

    return torch.linalg.pinv(torch.matmul(a, b))


def lstsq(a: Any, b: Any) -> Any:
    import torch

    return torch.linalg.lstsq(a, b).solution


def qr(x: Any, part: str) -> Any:
    """Q and R are made unique by a positive diagonal of R."""
    import torch

    q, r = torch.linalg.qr(x)
    signs = torch.sign(torch.diagonal(r, 0, -2, -1))
    return q * signs.unsqueeze(-2) if part == "q" else r * signs.unsqueeze(-1)


def lu(x: Any, part: str, order: tuple[int, ...]) -> Any:
    """The order is that of the pivots, which the library finds by itself."""
    import torch

    _, lower, upper = torch.linalg.lu(x)
    return lower if part == "l" else upper


def matrix_power(x: Any, n: int) -> Any:
    import torch

    return torch.linalg.matrix_power(x, n)


def matrix_exp(x: Any) -> Any:
    import torch

    return torch.linalg.matrix_exp(x)


def eigvalsh(x: Any) -> Any:
    import torch

    return torch.linalg.eigvalsh((x + x.mT) / 2)


def eigh(x: Any, k: int) -> Any:
    """The projector, in which the sign of a vector cancels."""
    import torch

    v = torch.linalg.eigh((x + x.mT) / 2).eigenvectors[..., k]
    return v.unsqueeze(-1) * v.unsqueeze(-2)


def eigvals(x: Any) -> Any:
    import torch

    return torch.sort(torch.linalg.eigvals(x).real).values


def svdvals(x: Any) -> Any:
    import torch

    return torch.linalg.svdvals(x)


def svd(x: Any, k: int) -> Any:
    """The product of two vectors, in which their signs cancel."""
    import torch

    u, _, v = torch.linalg.svd(x, full_matrices=False)
    return u[..., :, k].unsqueeze(-1) * v[..., k, :].unsqueeze(-2)


def vector_norm(x: Any, ord: str, axis: Any, keepdims: bool) -> Any:
    import torch

    return torch.linalg.vector_norm(x, float(ord), dim=axis, keepdim=keepdims)


def matrix_norm(x: Any, ord: str, keepdims: bool) -> Any:
    import torch

    order = ord if ord in ("fro", "nuc") else float(ord)
    return torch.linalg.matrix_norm(x, order, keepdim=keepdims)


def normalize(x: Any, p: float, axis: Sequence[int], eps: float) -> Any:
    import torch

    return torch.nn.functional.normalize(x, p, dim=axis[0], eps=eps)


def renorm(x: Any, p: float, axis: Sequence[int], most: float) -> Any:
    import torch

    return torch.renorm(x, p, axis[0], most)


def cosine_similarity(a: Any, b: Any, axis: Sequence[int], eps: float) -> Any:
    import torch

    return torch.nn.functional.cosine_similarity(a, b, dim=axis[0], eps=eps)


def cov(x: Any, ddof: int) -> Any:
    import torch

    return torch.cov(x, correction=ddof).reshape(x.shape[0], x.shape[0])


def cdist(a: Any, b: Any, p: float) -> Any:
    import torch

    return torch.cdist(a, b, p=p)


def pdist(x: Any, p: float) -> Any:
    import torch

    return torch.nn.functional.pdist(x, p)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        trace, diag, diagonal, triu, tril, kron, outer, cross,
        det, slogdet, inv, solve, solve_triangular, lu_solve, cholesky,
        cholesky_inverse, cholesky_solve, pinv, pinv_singular, lstsq, qr, lu,
        matrix_power, matrix_exp, eigvalsh, eigh, eigvals, svdvals, svd, vector_norm,
        matrix_norm, normalize, renorm, cosine_similarity, cov, cdist, pdist,
    )
}  # fmt: skip
