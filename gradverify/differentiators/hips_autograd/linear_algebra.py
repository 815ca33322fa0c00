"""autograd's linear algebra: NumPy's spelling, and what autograd lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradverify.differentiators.composed import numpy_linear_algebra as composed


def diagonal(np: Any, x: Any, offset: int, axes: tuple[int, int]) -> Any:
    """The gradient of np.diagonal is there for the main diagonal of the last axes."""
    if offset == 0 and axes == (-1, -2):
        return np.diagonal(x, 0, *axes)
    last = [k % x.ndim for k in axes]
    x = np.transpose(x, (*(k for k in range(x.ndim) if k not in last), *last))
    rows = [k for k in range(x.shape[-2]) if 0 <= k + offset < x.shape[-1]]
    return x[..., np.array(rows), np.array(rows) + offset]


def solve_triangular(
    np: Any, a: Any, b: Any, upper: bool, left: bool, unitriangular: bool
) -> Any:
    """autograd solves from the left, with the diagonal as it is."""
    from autograd.scipy import linalg

    if a.ndim > 2:
        raise NotImplementedError("autograd solves one triangular system at a time")
    if unitriangular:
        eye = np.eye(a.shape[-1], dtype=a.dtype)
        a = a * (1.0 - eye) + eye
    if not left:
        a, b = np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2)
    found = linalg.solve_triangular(a, b, lower=upper != left)
    return found if left else np.swapaxes(found, -1, -2)


def lu_solve(np: Any, a: Any, b: Any, left: bool, adjoint: bool) -> Any:
    """By the inverse: autograd has no factors of LU."""
    y = np.linalg.inv(a)
    y = np.swapaxes(y, -1, -2) if adjoint else y
    return np.matmul(y, b) if left else np.matmul(b, y)


def cholesky_inverse(np: Any, x: Any, upper: bool) -> Any:
    t = np.triu(x) if upper else np.tril(x)
    y = np.linalg.inv(t)
    return np.matmul(y, y.T) if upper else np.matmul(y.T, y)


def cholesky_solve(np: Any, b: Any, a: Any, upper: bool) -> Any:
    t = np.triu(a) if upper else np.tril(a)
    u = np.swapaxes(t, -1, -2)
    first, second = (u, t) if upper else (t, u)
    return np.linalg.solve(second, np.linalg.solve(first, b))


def pinv_singular(np: Any, a: Any, b: Any) -> Any:
    """autograd's gradient takes no bound for what counts as zero; NumPy's is 1e-15."""
    if a.dtype != "float64":
        raise NotImplementedError("what floats leave of a zero is above NumPy's bound")
    return np.linalg.pinv(np.matmul(a, b))


def lstsq(np: Any, a: Any, b: Any) -> Any:
    return np.matmul(np.linalg.pinv(a), b)


def matrix_power(np: Any, x: Any, n: int) -> Any:
    """By products, since autograd has no power of a matrix."""
    if n == 0:
        return 0.0 * x + np.eye(x.shape[-1], dtype=x.dtype)
    x = np.linalg.inv(x) if n < 0 else x
    y = x
    for _ in range(abs(n) - 1):
        y = np.matmul(y, x)
    return y


def vector_norm(np: Any, x: Any, ord: str, axis: Any, keepdims: bool) -> Any:
    """By functions of autograd.numpy, whose norm takes few orders."""
    size, kept = np.abs(x), {"axis": axis, "keepdims": keepdims}
    if ord == "inf":
        return np.max(size, **kept)
    if ord == "-inf":
        return np.min(size, **kept)
    if ord == "0":
        return np.sum((x != 0).astype(x.dtype), **kept)
    p = float(ord)
    return np.sum(size**p, **kept) ** (1.0 / p)


def matrix_norm(np: Any, x: Any, ord: str, keepdims: bool) -> Any:
    """Those that autograd.numpy has, and the ones that are sums and maxima."""
    size = np.abs(x)
    if ord in ("fro", "nuc"):
        y = np.linalg.norm(x, ord, (x.ndim - 2, x.ndim - 1))
    elif ord in ("1", "inf"):
        y = np.max(np.sum(size, axis=-2 if ord == "1" else -1), axis=-1)
    elif ord in ("-1", "-inf"):
        y = np.min(np.sum(size, axis=-2 if ord == "-1" else -1), axis=-1)
    else:
        values = np.linalg.svd(x, full_matrices=False)[1]
        y = values[..., 0 if ord == "2" else -1]
    return y[..., None, None] if keepdims else y


FUNCTIONS: Mapping[str, Callable[..., object] | str] = {
    **composed.FUNCTIONS,
    "diagonal": diagonal,
    "solve_triangular": solve_triangular,
    "lu_solve": lu_solve,
    "cholesky_inverse": cholesky_inverse,
    "cholesky_solve": cholesky_solve,
    "pinv_singular": pinv_singular,
    "lstsq": lstsq,
    "matrix_power": matrix_power,
    "vector_norm": vector_norm,
    "matrix_norm": matrix_norm,
    "qr": "autograd has no gradient of numpy.linalg.qr",
    "lu": "autograd has no LU factors",
    "matrix_exp": "autograd has no exponential of a matrix",
}
