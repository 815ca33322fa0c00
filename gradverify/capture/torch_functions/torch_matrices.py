"""Linear algebra of PyTorch in the words of our op table: a row each.

Of a symmetric matrix the library reads one triangle, and takes it for both.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.capture import factored
from gradverify.capture.complex_parts import of_real
from gradverify.capture.moved_entries import taken
from gradverify.capture.torch_functions.torch_rows import (
    Context,
    Missing,
    Row,
    missing,
    numpy_of,
)
from gradverify.ops import OPS


def of_matrices(op: str, **defaults: Any) -> Row:
    """An op of linear algebra; what it returns beside its first result is for itself."""

    def row(c: Context, *operands: Any, **options: Any) -> Any:
        options.pop("check_errors", None)
        options.pop("out", None)
        params = defaults | {k: v for k, v in options.items() if k in OPS[op].params}
        found = c.program.apply(op, *(c.lift(x) for x in operands), **params)
        return (found,) if isinstance(c.result, tuple | list) else found

    return row


def slogdet(c: Context, a: Any) -> Any:
    """The sign, which is a constant of the branch, and the logarithm."""
    sign = numpy_of(c.result[0])
    c.seen.decided.append(sign)
    return c.program.lift(sign.astype(float)), c.program.apply("slogdet", a)


def cholesky(c: Context, a: Any, *, upper: bool = False, **more: Any) -> Any:
    del more
    c.seen.reads_one_triangle(c.name, c.real())
    return m.cholesky(c.lift(a), upper=bool(upper)), None


def eigh(c: Context, a: Any, uplo: str = "L", compute_v: bool = True) -> Any:
    """Eigenvalues, the smallest first, and eigenvectors."""
    del uplo
    c.seen.reads_one_triangle(c.name, c.real())
    x = c.lift(a)
    values = m.eigvalsh(x)
    if not compute_v:
        return values, None
    return values, factored.eigenvectors(x, numpy_of(c.result[1]), c.seen)


def eig(c: Context, a: Any) -> Any:
    """Eigenvalues that are real, in the order of the library."""
    given = numpy_of(c.result[0])
    if np.any(given[..., 1] != 0):
        raise Missing(f"{c.func.name()} of a matrix whose eigenvalues are complex")
    order = np.argsort(given[..., 0], axis=-1)
    c.seen.decided.append(order)
    values = m.eigvals(c.lift(a))
    places = np.arange(order.size).reshape(order.shape)
    index = np.take_along_axis(places, np.argsort(order, axis=-1), -1)
    return of_real(taken(values, index)), None


def svd(
    c: Context, a: Any, full: bool = False, vectors: bool = True, **more: Any
) -> Any:
    """Singular values, the largest first, and vectors on both sides."""
    del more
    x = c.lift(a)
    if not vectors:
        return None, m.svdvals(x), None
    rows, columns = x.shape[-2:]
    if full and rows != columns:
        raise Missing(f"{c.func.name()} with vectors beyond the rank")
    left = numpy_of(c.result[0])
    one, other = factored.singular_vectors(x, left, min(rows, columns), c.seen)
    return one, m.svdvals(x), other


def qr(c: Context, a: Any, mode: str = "reduced") -> Any:
    x = c.lift(a)
    if mode == "complete" and x.shape[-2] > x.shape[-1]:
        raise Missing(f"{c.func.name()} with columns beyond the rank")
    q, r = factored.orthogonal_factors(x, numpy_of(c.result[1]), c.seen)
    return (None if mode == "r" else q), r


def lu_factor(c: Context, a: Any, *, pivot: bool = True, **more: Any) -> Any:
    """Both factors in one matrix, and the interchanges, which are decisions."""
    del pivot, more
    x = c.lift(a)
    if x.ndim != 2:
        raise Missing(f"{c.func.name()} of several matrices")
    pivots = numpy_of(c.result[1])
    c.seen.decided.append(pivots)
    order = factored.row_order(pivots - 1, x.shape[0])
    lower, upper = factored.triangular_factors(x, order)
    return factored.packed(lower, upper, x.shape), None, None


def lu(c: Context, a: Any, *, pivot: bool = True) -> Any:
    del pivot
    x = c.lift(a)
    if x.ndim != 2:
        raise Missing(f"{c.func.name()} of several matrices")
    p = numpy_of(c.result[0])
    c.seen.decided.append(p)
    order = tuple(int(i) for i in np.argmax(p, axis=0)) if p.size else range(len(p))
    lower, upper = factored.triangular_factors(x, tuple(order))
    return None, lower, upper


def lu_unpack(
    c: Context, a: Any, pivots: Any, data: bool = True, order: bool = True
) -> Any:
    del pivots, order
    if not data:
        return None, None, None
    x = c.lift(a)
    if x.shape[-1] != x.shape[-2]:
        raise Missing(f"{c.func.name()} of a matrix that is not square")
    return (
        None,
        factored.triangle(x, lower=True, unit=True),
        factored.triangle(x, lower=False, unit=False),
    )


def lu_solve(
    c: Context,
    factors: Any,
    pivots: Any,
    b: Any,
    *,
    left: bool = True,
    adjoint: bool = False,
) -> Any:
    """Two triangular solves, and the rows in their order."""
    x, y = c.lift(factors), c.lift(b)
    if x.ndim != 2:
        raise Missing(f"{c.func.name()} of several matrices")
    order = np.array(factored.row_order(np.asarray(pivots) - 1, x.shape[0]), int)
    lower = factored.triangle(x, lower=True, unit=True)
    upper = factored.triangle(x, lower=False, unit=False)
    if not left:  # x a = b is a.T x.T = b.T
        y = m.transpose(y, axes=(1, 0))
    if adjoint == left:  # by the transposed factors
        first = _solved(m.transpose(upper, axes=(1, 0)), y, upper=False, unit=False)
        second = _solved(m.transpose(lower, axes=(1, 0)), first, upper=True, unit=True)
        found = _rows(second, np.argsort(order))
    else:
        first = _solved(lower, _rows(y, order), upper=False, unit=True)
        found = _solved(upper, first, upper=True, unit=False)
    return found if left else m.transpose(found, axes=(1, 0))


def _solved(a: Symbol, b: Symbol, *, upper: bool, unit: bool) -> Any:
    return m.solve_triangular(a, b, upper=upper, left=True, unitriangular=unit)


def _rows(x: Symbol, order: Any) -> Symbol:
    places = np.arange(int(np.prod(x.shape))).reshape(x.shape)
    return taken(x, places[order])


def cholesky_solve(c: Context, b: Any, a: Any, upper: bool = False) -> Any:
    return m.cholesky_solve(c.lift(b), c.lift(a), upper=bool(upper))


def cholesky_inverse(c: Context, a: Any, upper: bool = False) -> Any:
    return m.cholesky_inverse(c.lift(a), upper=bool(upper))


def pinv(c: Context, a: Any, *rest: Any, **options: Any) -> Any:
    """The inverse of full rank; what falls below its tolerances is a decision."""
    del rest, options
    return m.pinv(c.lift(a))


def lstsq(c: Context, a: Any, b: Any, *rest: Any, **options: Any) -> Any:
    del rest, options
    return m.lstsq(c.lift(a), c.lift(b)), None, None, None


def cdist(c: Context, a: Any, b: Any, p: float = 2.0, *rest: Any) -> Any:
    del rest
    return m.cdist(c.lift(a), c.lift(b), p=float(p))


def pdist(c: Context, x: Any, p: float = 2.0) -> Any:
    return m.pdist(c.lift(x), p=float(p))


def trilinear(
    c: Context,
    a: Any,
    b: Any,
    d: Any,
    one: Any,
    two: Any,
    three: Any,
    summed: Any,
    *rest: Any,
) -> Any:
    """The product of three operands with axes put in, and summed over some."""
    del rest
    product: Any = None
    for x, places in ((a, one), (b, two), (d, three)):
        x = c.lift(x)
        shape = list(x.shape)
        for place in sorted(places):
            shape.insert(place, 1)
        x = m.reshape(x, shape=tuple(shape))
        product = x if product is None else m.mul(product, x)
    return m.sum(product, axis=tuple(summed), keepdims=False)


def vector_norm(
    c: Context,
    x: Any,
    order: Any = 2,
    dim: Any = None,
    keepdim: bool = False,
    **options: Any,
) -> Any:
    """A norm of some order over some axes."""
    del options
    x = c.lift(x)
    if not x.shape:
        return m.abs(x)
    axis = (
        None
        if dim is None or dim == []
        else tuple(dim)
        if isinstance(dim, list | tuple)
        else (int(dim),)
    )
    along = {"axis": axis, "keepdims": bool(keepdim)}
    if order == 2:
        if axis is not None and len(axis) > 2:
            return m.sqrt(m.sum(m.square(x), **along))
        return m.norm(x, **along)
    if order == 1:
        return m.sum(m.abs(x), **along)
    if abs(order) == math.inf:
        return (m.max if order > 0 else m.min)(m.abs(x), **along)
    if order == 0:
        c.seen.stepped(
            "sign", numpy_of(c.result), c.real(), float(np.finfo(c.program.dtype).eps)
        )
        return c.program.lift(numpy_of(c.result).astype(float))
    return m.power(
        m.sum(m.power(m.abs(x), n=float(order)), **along), n=1.0 / float(order)
    )


# fmt: off
MATRICES: Mapping[str, Row] = {
    "linalg_inv_ex": of_matrices("inv"), "_linalg_det": of_matrices("det"), "_linalg_slogdet": slogdet,
    "_linalg_solve_ex": of_matrices("solve", left=True),
    "linalg_solve_triangular": of_matrices("solve_triangular", left=True, unitriangular=False),
    "linalg_cholesky_ex": cholesky, "linalg_matrix_exp": of_matrices("matrix_exp"),
    "cholesky_solve": cholesky_solve, "cholesky_inverse": cholesky_inverse,
    "linalg_pinv": pinv, "linalg_lstsq": lstsq, "linalg_qr": qr, "_linalg_eigh": eigh, "linalg_eig": eig,
    "_linalg_svd": svd, "linalg_lu_factor_ex": lu_factor, "linalg_lu": lu, "lu_unpack": lu_unpack,
    "linalg_lu_solve": lu_solve, "_cdist_forward": cdist, "_euclidean_dist": cdist, "_pdist_forward": pdist,
    "_trilinear": trilinear, "linalg_vector_norm": vector_norm, "norm": vector_norm,
    "svd": missing("use torch.linalg.svd"), "linalg_ldl_factor_ex": missing("LDL factors have no row"),
    "linalg_householder_product": missing("reflections have no row"), "geqrf": missing("reflections have no row"),
}
# fmt: on
