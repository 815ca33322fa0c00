"""Linear algebra of JAX in the words of our op table: a row each."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.capture import factored
from gradverify.capture.jax_functions.jax_rows import NoRow, Row, Use, missing
from gradverify.capture.moved_entries import reduced_at, reshaped


def cholesky(u: Use, x: Any) -> Any:
    """The root below the diagonal, of the matrix that is made symmetric before."""
    return m.cholesky(u.lift(x), upper=False)


def eigh(u: Use, x: Any) -> Any:
    """Eigenvectors, and eigenvalues, the smallest first."""
    a = u.lift(x)
    if u.params.get("subset_by_index") is not None:
        raise NoRow("eigh of some of the eigenvalues")
    return [factored.eigenvectors(a, u.result(0), u.seen), m.eigvalsh(a)]


def svd(u: Use, x: Any) -> Any:
    """Singular values, the largest first, and vectors on both sides."""
    a = u.lift(x)
    if u.params.get("subset_by_index") is not None:
        raise NoRow("svd of some of the singular values")
    values = m.svdvals(a)
    if not u.params["compute_uv"]:
        return [values]
    rows, columns = a.shape[-2:]
    if u.params["full_matrices"] and rows != columns:
        raise NoRow("svd with vectors beyond the rank")
    left, right = factored.singular_vectors(a, u.result(1), min(rows, columns), u.seen)
    return [values, left, right]


def qr(u: Use, x: Any) -> Any:
    a = u.lift(x)
    if u.params.get("pivoting") or (
        u.params["full_matrices"] and a.shape[-2] > a.shape[-1]
    ):
        raise NoRow("qr with pivots, or with columns beyond the rank")
    return [*factored.orthogonal_factors(a, u.result(1), u.seen)]


def lu(u: Use, x: Any) -> Any:
    """Both factors in one matrix, and the interchanges, which are decisions."""
    a = u.lift(x)
    if a.ndim != 2:
        raise NoRow("lu of several matrices")
    pivots, order = u.result(1), u.result(2)
    u.seen.decided.extend([pivots, order])
    lower, upper = factored.triangular_factors(a, tuple(int(i) for i in order))
    return [factored.packed(lower, upper, a.shape), None, None]


def triangular_solve(u: Use, a: Any, b: Any) -> Any:
    p = u.params
    x, lower = u.lift(a), bool(p["lower"])
    if p["transpose_a"]:
        rank = x.ndim
        x = m.transpose(x, axes=(*range(rank - 2), rank - 1, rank - 2))
        lower = not lower
    return m.solve_triangular(
        x,
        u.lift(b),
        upper=not lower,
        left=bool(p["left_side"]),
        unitriangular=bool(p["unit_diagonal"]),
    )


def of_order(op: str, *names: str) -> Row:
    """A special function whose orders are constants: `igamma(a, x)`."""

    def row(u: Use, *operands: Any) -> Any:
        *orders, x = operands
        found = {}
        for name, order in zip(names, orders, strict=True):
            if not isinstance(order, np.ndarray) or np.ptp(order.astype(float)) != 0:
                raise NoRow(
                    f"{u.name} of orders that are differentiated, or of several"
                )
            found[name] = float(np.ravel(order)[0])
        return m.table[op](x, **found)

    return row


def scattered(op: str, *, skips: bool = False) -> Row:
    """x with what lands at its places joined to it by an op; some may land nowhere.

    skips: whether minus infinities count for nothing.
    """

    def row(u: Use, x: Any, index: Any, updates: Any) -> Any:
        del index
        real, given = u.real(), u.lift(updates)
        at = u.landing(given.shape)
        if isinstance(x, Symbol) or np.all(np.isfinite(real)):
            flat = reshaped(u.lift(x), (real.size,))
            return reshaped(reduced_at(flat, given, at, op), real.shape)
        away = np.setdiff1d(np.arange(real.size), at)
        if not np.all(np.isinf(real)) or (away.size and not skips):
            raise NoRow(f"{u.name} into an array that is infinite in places")
        flat = u.program.lift(np.zeros(real.size))
        found = reduced_at(flat, given, at, op, counts_itself=False)
        lost = np.isin(np.arange(real.size), away).reshape(real.shape)
        return u.absent.mark(reshaped(found, real.shape), lost)

    return row


# fmt: off
MATRICES: Mapping[str, Row] = {
    "cholesky": cholesky, "eigh": eigh, "svd": svd, "qr": qr, "lu": lu, "triangular_solve": triangular_solve,
    "eig": missing("eigenvalues of matrices that are not symmetric"),
    "igamma": of_order("gammainc", "a"), "igammac": of_order("gammaincc", "a"),
    "regularized_incomplete_beta": of_order("betainc", "a", "b"),
    "erf_inv": lambda u, x: m.erfinv(x), "bessel_i0e": lambda u, x: m.i0e(x), "bessel_i1e": lambda u, x: m.i1e(x),
    "zeta": of_order("zeta", "s"),
    "scatter-mul": scattered("mul"), "scatter_mul": scattered("mul"),
    "scatter-min": scattered("minimum"), "scatter-max": scattered("maximum", skips=True),
    "scatter_min": scattered("minimum"), "scatter_max": scattered("maximum", skips=True),
}
# fmt: on
