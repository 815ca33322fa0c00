"""JAX's linear algebra: NumPy's spelling, and what JAX has besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradverify.differentiators.composed import numpy_linear_algebra as composed


def solve_triangular(
    np: Any, a: Any, b: Any, upper: bool, left: bool, unitriangular: bool
) -> Any:
    """JAX solves from the left; from the right, all is transposed."""
    from jax.scipy import linalg

    if not left:
        a, b = np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)
    found = linalg.solve_triangular(
        a, b, lower=upper != left, unit_diagonal=unitriangular
    )
    return found if left else np.swapaxes(found, -1, -2)


def lu_solve(np: Any, a: Any, b: Any, left: bool, adjoint: bool) -> Any:
    from jax.scipy import linalg

    trans = int(adjoint == left)
    b = b if left else np.swapaxes(b, -1, -2)
    found = linalg.lu_solve(linalg.lu_factor(a), b, trans=trans)
    return found if left else np.swapaxes(found, -1, -2)


def cholesky_inverse(np: Any, x: Any, upper: bool) -> Any:
    from jax.scipy import linalg

    return linalg.cho_solve((x, not upper), np.eye(x.shape[-1], dtype=x.dtype))


def cholesky_solve(np: Any, b: Any, a: Any, upper: bool) -> Any:
    from jax.scipy import linalg

    return linalg.cho_solve((a, not upper), b)


def pinv_singular(np: Any, a: Any, b: Any) -> Any:
    return np.linalg.pinv(np.matmul(a, b))


def lstsq(np: Any, a: Any, b: Any) -> Any:
    import jax

    solve = np.linalg.lstsq
    return jax.vmap(solve)(a, b)[0] if a.ndim > 2 else solve(a, b)[0]


def qr(np: Any, x: Any, part: str) -> Any:
    """Q and R are made unique by a positive diagonal of R."""
    q, r = np.linalg.qr(x)
    signs = np.sign(np.diagonal(r, 0, -2, -1))
    return q * signs[..., None, :] if part == "q" else r * signs[..., :, None]


def lu(np: Any, x: Any, part: str, order: tuple[int, ...]) -> Any:
    """The order is that of the pivots, which the library finds by itself."""
    from jax.scipy import linalg

    if x.ndim > 2:
        raise NotImplementedError("jax.scipy.linalg.lu takes one matrix")
    _, lower, upper = linalg.lu(x)
    return lower if part == "l" else upper


def matrix_power(np: Any, x: Any, n: int) -> Any:
    return np.linalg.matrix_power(x, n)


def matrix_exp(np: Any, x: Any) -> Any:
    """One exponential takes JAX seconds to compile; batches are left out."""
    from jax.scipy import linalg

    if x.ndim > 2:
        raise NotImplementedError("batches of exponentials are not compiled here")
    return linalg.expm(x)


def eigvals(np: Any, x: Any) -> Any:
    return np.sort(np.linalg.eigvals(x).real)


def cov(np: Any, x: Any, ddof: int) -> Any:
    return np.cov(x, ddof=ddof).reshape(x.shape[0], x.shape[0])


def vector_norm(np: Any, x: Any, ord: str, axis: Any, keepdims: bool) -> Any:
    return np.linalg.vector_norm(x, ord=float(ord), axis=axis, keepdims=keepdims)


def matrix_norm(np: Any, x: Any, ord: str, keepdims: bool) -> Any:
    order = ord if ord in ("fro", "nuc") else float(ord)
    return np.linalg.matrix_norm(x, ord=order, keepdims=keepdims)


FUNCTIONS: Mapping[str, Callable[..., object] | str] = {
    **composed.FUNCTIONS,
    **{
        f.__name__: f
        for f in (
            solve_triangular, lu_solve, cholesky_inverse, cholesky_solve, pinv_singular,
            lstsq, qr, lu, matrix_power, matrix_exp, eigvals, cov, vector_norm,
            matrix_norm,
        )
    },
}  # fmt: skip
