"""The rows of the op table for linear algebra."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from gradverify.ops import linear_algebra_expansions as y
from gradverify.ops import linear_algebra_shapes as s
from gradverify.ops.matrix_domains import (
    BOTH_FULL,
    DIRECTIONS,
    DISTANCES,
    EXPONENT,
    FIRST_COLUMNS,
    INVERTIBLE_POWER,
    MATRICES,
    NONSINGULAR,
    OFF_LARGEST,
    PAIRS,
    PIVOTED,
    POSITIVE_DEFINITE,
    SECOND_TRIANGULAR,
    SIMPLE_REAL,
    SIMPLE_SIZES,
    SIMPLE_SYMMETRIC,
    TRIANGULAR,
    VECTORS,
)
from gradverify.ops.row import FORWARD, MIXED, Op

# fmt: off
LINEAR_ALGEBRA = (
    Op("trace",    1, FORWARD, s.trace,    ("offset",), expansion=y.trace),
    Op("diag",     1, FORWARD, s.diag,     ("offset",), expansion=y.diag),
    Op("diagonal", 1, FORWARD, s.diagonal, ("offset", "axes"), expansion=y.diagonal),
    Op("triu",     1, FORWARD, s.triangle, ("offset",), expansion=y.triu),
    Op("tril",     1, FORWARD, s.triangle, ("offset",), expansion=y.tril),
    Op("kron",     2, FORWARD, s.kron,     expansion=y.kron),
    Op("outer",    2, FORWARD, s.outer,    expansion=y.outer),
    Op("cross",    2, FORWARD, s.cross,    ("axis",), expansion=y.cross),
    Op("det",      1, FORWARD, s.number_of_matrix, expansion=y.det),
    Op("slogdet",  1, FORWARD, s.number_of_matrix, domain=NONSINGULAR, expansion=y.slogdet,
       formula="log(abs(det(x)))"),
    Op("inv",      1, FORWARD, s.square,   domain=NONSINGULAR, expansion=y.inv),
    Op("solve",    2, FORWARD, s.solve,    ("left",), domain=NONSINGULAR, expansion=y.solve),
    Op("solve_triangular", 2, FORWARD, s.solve, ("upper", "left", "unitriangular"), domain=TRIANGULAR, expansion=y.solve_triangular),
    Op("lu_solve", 2, FORWARD, s.solve,    ("left", "adjoint"), domain=NONSINGULAR, expansion=y.solve),
    Op("cholesky", 1, FORWARD, s.positive_definite, ("upper",), domain=POSITIVE_DEFINITE, expansion=y.cholesky,
       formula="the triangular root of (x + x.T) / 2"),
    Op("cholesky_inverse", 1, FORWARD, s.positive_definite, ("upper",), domain=TRIANGULAR, expansion=y.cholesky_inverse),
    Op("cholesky_solve", 2, FORWARD, s.cholesky_solve, ("upper",), domain=SECOND_TRIANGULAR, expansion=y.cholesky_solve),
    Op("pinv",     1, FORWARD, s.pinv,     domain=NONSINGULAR, expansion=y.pinv),
    Op("pinv_singular", 2, FORWARD, s.pinv_singular, domain=BOTH_FULL, expansion=y.pinv_singular,
       formula="the pseudoinverse of x @ y, a product of less than full rank"),
    Op("lstsq",    2, FORWARD, s.least_squares, domain=NONSINGULAR, expansion=y.lstsq),
    Op("qr",       1, FORWARD, s.qr,       ("part",), domain=FIRST_COLUMNS, expansion=y.qr,
       formula="the factor Q or R of x, with a positive diagonal in R"),
    Op("lu",       1, FORWARD, s.lu,       ("part", "order"), domain=PIVOTED, expansion=y.lu,
       formula="the factor L or U of x, whose pivots take the rows in that order"),
    Op("matrix_power", 1, FORWARD, s.matrix_power, ("n",), domain=INVERTIBLE_POWER, expansion=y.matrix_power),
    Op("matrix_exp", 1, FORWARD, s.square, domain=EXPONENT, expansion=y.matrix_exp),
    Op("eigvalsh", 1, FORWARD, s.eigenvalues, domain=SIMPLE_SYMMETRIC, expansion=y.eigvalsh,
       formula="the eigenvalues of (x + x.T) / 2, the smallest first"),
    Op("eigh",     1, FORWARD, s.projector, ("k",), domain=SIMPLE_SYMMETRIC, expansion=y.eigh,
       formula="v v.T for the k-th eigenvector v of (x + x.T) / 2"),
    Op("eigvals",  1, FORWARD, s.eigenvalues, domain=SIMPLE_REAL, expansion=y.eigvals,
       formula="real eigenvalues, the smallest first"),
    Op("svdvals",  1, FORWARD, s.svdvals,  domain=SIMPLE_SIZES, expansion=y.svdvals),
    Op("svd",      1, FORWARD, s.svd,      ("k",), domain=SIMPLE_SIZES, expansion=y.svd,
       formula="u v.T for the k-th singular vectors u and v"),
    Op("vector_norm", 1, MIXED, s.vector_norm, ("ord", "axis", "keepdims"), domain=VECTORS, expansion=y.vector_norm),
    Op("matrix_norm", 1, FORWARD, s.matrix_norm, ("ord", "keepdims"), domain=MATRICES, expansion=y.matrix_norm),
    Op("normalize", 1, MIXED, s.normalize, ("p", "axis", "eps"), domain=DIRECTIONS, expansion=y.normalize,
       formula="x / max(norm of order p, eps)"),
    Op("renorm",   1, MIXED,   s.renorm,   ("p", "axis", "most"), domain=OFF_LARGEST, expansion=y.renorm,
       formula="x * (most / (norm + 1e-7) if norm > most else 1), by the norm of order p of each slice"),
    Op("cosine_similarity", 2, MIXED, s.cosine_similarity, ("axis", "eps"), expansion=y.cosine_similarity,
       formula="sum(x * y) / (max(norm(x), eps) * max(norm(y), eps))"),
    Op("cov",      1, MIXED,   s.cov,      ("ddof",), expansion=y.cov),
    Op("cdist",    2, MIXED,   s.cdist,    ("p",), domain=DISTANCES, expansion=y.cdist),
    Op("pdist",    1, MIXED,   s.pdist,    ("p",), domain=PAIRS, expansion=y.pdist),
)
# fmt: on
