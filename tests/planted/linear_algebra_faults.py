"""For each op of linear algebra its most likely wrong rule."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .layer_faults import LayerFault
from .layer_rules import Layer, Rule, changed, only, times


def fault(op: str, name: str, rule: Rule) -> LayerFault:
    """A row, in the order in which it reads."""
    return LayerFault(f"{op}: {name}", op, rule)


def t(x: Any) -> Any:
    """Every matrix transposed."""
    return np.swapaxes(np.asarray(x), -1, -2)


def passed(a: Layer) -> list[Any]:
    """The cotangent as it came."""
    return [np.asarray(a.ct)]


def mirrored(axis: int) -> Rule:
    """The cotangent, turned around along an axis."""
    return lambda a: [np.flip(a.right()[0], axis)]


def transposed(a: Layer) -> list[Any]:
    """The cotangents of square matrices, transposed."""
    return [t(a.right()[0])]


def one_triangle(a: Layer) -> list[Any]:
    """What a symmetric matrix receives, put into one triangle of it."""
    found = a.right()[0]
    return [np.tril(2.0 * found) - found * np.eye(found.shape[-1])]


def other_triangle(a: Layer) -> Any:
    """What a system passes to its matrix, and not to the triangle that is read alone."""
    x, b = a.operands
    strict = 1 if a.params["unitriangular"] else 0
    read = np.triu(x, strict) if a.params["upper"] else np.tril(x, -strict)
    read = read + strict * np.eye(x.shape[-1])
    return a.of(read, b, op="solve", left=a.params["left"])[0]


def of_inverse(a: Layer) -> list[Any]:
    """The cotangent of an inverse: no projector off rows and columns."""
    return [-t(a.y) @ np.asarray(a.ct) @ t(a.y)]


def of_inverse_of_product(a: Layer) -> list[Any]:
    """The same, for both factors of what is inverted."""
    (whole,) = of_inverse(a)
    x, y = a.operands
    return [whole @ t(y), t(x) @ whole]


def without_residual(a: Layer) -> Any:
    """A system of equations as if it had a solution."""
    x, _ = a.operands
    return -t(np.linalg.pinv(x)) @ np.asarray(a.ct) @ t(a.y)


def other_factor_held(a: Layer) -> list[Any]:
    """One factor of QR by the other, which is held."""
    x = a.operands[0]
    q, r = np.linalg.qr(x)
    signs = np.sign(np.diagonal(r, 0, -2, -1))
    q, r = q * signs[..., None, :], r * signs[..., :, None]
    if a.params["part"] == "r":
        return [q @ np.asarray(a.ct)]
    found, rank = np.zeros_like(x), q.shape[-1]
    found[..., :rank] = np.asarray(a.ct) @ t(np.linalg.inv(r[..., :rank]))
    return [found]


def largest_alone(a: Layer) -> list[Any]:
    """Nothing for singular values but the first."""
    ct = np.array(a.ct)
    ct[..., 1:] = 0.0
    return replace(a, ct=ct).right()


def scale_held(a: Layer) -> list[Any]:
    """A vector over its norm, which is held."""
    x = np.asarray(a.operands[0])
    scale = np.where(x == 0, 1.0, np.asarray(a.y) / np.where(x == 0, 1.0, x))
    return [np.asarray(a.ct) * scale]


# fmt: off
LINEAR_ALGEBRA_FAULTS = (
    fault("trace",         "offset forgotten",         changed(offset=lambda a: 0)),
    fault("diag",          "in the other order",       mirrored(-1)),
    fault("diagonal",      "in the other order",       mirrored(-2)),
    fault("triu",          "as it came",               passed),
    fault("tril",          "as it came",               passed),
    fault("kron",          "mean for sum",             only(1, lambda a: a.right()[1] / a.operands[0].size)),
    fault("outer",         "b held",                   times(1.0, 0.0)),
    fault("cross",         "sign forgotten",           times(1.0, -1.0)),
    fault("det",           "adjugate not transposed",  transposed),
    fault("slogdet",       "inverse not transposed",   transposed),
    fault("inv",           "inverse not transposed",   transposed),
    fault("solve",         "sign forgotten",           times(-1.0, 1.0)),
    fault("solve_triangular", "the whole matrix",      only(0, other_triangle)),
    fault("lu_solve",      "sign forgotten",           times(-1.0, 1.0)),
    fault("cholesky",      "one triangle",             one_triangle),
    fault("cholesky_inverse", "one factor held",       times(0.5)),
    fault("cholesky_solve", "one factor held",         times(1.0, 0.5)),
    fault("pinv",          "as of an inverse",         of_inverse),
    fault("pinv_singular", "as of an inverse",         of_inverse_of_product),
    fault("lstsq",         "residual left out",        only(0, without_residual)),
    fault("qr",            "the other factor held",    other_factor_held),
    fault("lu",            "pivots forgotten",         lambda a: [np.take(a.right()[0], a.params["order"], -2)]),
    fault("matrix_power",  "one power less",           changed(n=lambda a: a.params["n"] - 1)),
    fault("matrix_exp",    "as of numbers",            lambda a: [np.asarray(a.ct) * np.asarray(a.y)]),
    fault("eigvalsh",      "one triangle",             one_triangle),
    fault("eigh",          "one triangle",             one_triangle),
    fault("eigvals",       "left vectors for right",   transposed),
    fault("svdvals",       "the largest one alone",    largest_alone),
    fault("svd",           "vectors of the largest",   changed(k=lambda a: 0)),
    fault("vector_norm",   "slopes of the Euclidean",  changed(ord=lambda a: "2")),
    fault("matrix_norm",   "slopes of Frobenius",      changed(ord=lambda a: "fro")),
    fault("normalize",     "norm held",                scale_held),
    fault("renorm",        "norm held",                scale_held),
    fault("cosine_similarity", "b held",               times(1.0, 0.0)),
    fault("cov",           "ddof forgotten",           changed(ddof=lambda a: 0)),
    fault("cdist",         "sign forgotten",           times(1.0, -1.0)),
    fault("pdist",         "slopes of the Euclidean",  changed(p=lambda a: 2.0)),
)
# fmt: on
