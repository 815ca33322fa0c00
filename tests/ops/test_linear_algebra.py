"""Matrices that are written out give what NumPy's factorizations give."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.floats import FLOATS
from gradverify.ops.matrix_domains import pivoted

A = np.array([[4.0, 1.0, -0.5], [0.25, -3.0, 0.75], [1.5, 0.5, 2.0]])
B = np.array([[1.0], [-2.0], [0.5]])
TALL = A[:, :2]
S = (A + A.T) / 2
SPD = A @ A.T


def unit(v: Any) -> Any:
    return np.outer(v, v)


# fmt: off
GIVEN: Mapping[str, tuple[tuple[Any, ...], Mapping[str, Any], Callable[[], Any]]] = {
    "det":          ((A,), {}, lambda: np.linalg.det(A)),
    "slogdet":      ((A,), {}, lambda: np.linalg.slogdet(A)[1]),
    "inv":          ((A,), {}, lambda: np.linalg.inv(A)),
    "solve":        ((A, B), {"left": True}, lambda: np.linalg.solve(A, B)),
    "lu_solve":     ((A, B), {"left": True, "adjoint": True}, lambda: np.linalg.solve(A.T, B)),
    "cholesky":     ((SPD,), {"upper": False}, lambda: np.linalg.cholesky(SPD)),
    "cholesky_inverse": ((np.linalg.cholesky(SPD),), {"upper": False}, lambda: np.linalg.inv(SPD)),
    "cholesky_solve": ((B, np.linalg.cholesky(SPD).T), {"upper": True}, lambda: np.linalg.solve(SPD, B)),
    "pinv":         ((TALL,), {}, lambda: np.linalg.pinv(TALL)),
    "lstsq":        ((TALL, B), {}, lambda: np.linalg.lstsq(TALL, B, rcond=None)[0]),
    "matrix_power": ((A,), {"n": -2}, lambda: np.linalg.matrix_power(A, -2)),
    "eigvalsh":     ((A,), {}, lambda: np.linalg.eigvalsh(S)),
    "eigh":         ((A,), {"k": 1}, lambda: unit(np.linalg.eigh(S)[1][:, 1])),
    "eigvals":      ((A,), {}, lambda: np.sort(np.linalg.eigvals(A).real)),
    "svdvals":      ((TALL.T,), {}, lambda: np.linalg.svd(TALL)[1]),
    "matrix_norm":  ((TALL,), {"ord": "nuc", "keepdims": False}, lambda: np.linalg.norm(TALL, "nuc")),
    "vector_norm":  ((B[:, 0],), {"ord": "3", "axis": None, "keepdims": False}, lambda: np.linalg.norm(B[:, 0], 3)),
    "cov":          ((A,), {"ddof": 1}, lambda: np.cov(A)),
    "kron":         ((A, B), {}, lambda: np.kron(A, B)),
    "cross":        ((A, A.T), {"axis": (0,)}, lambda: np.cross(A, A.T, axis=0)),
}
# fmt: on


@pytest.mark.parametrize("op", GIVEN)
def test_a_matrix_written_out_gives_what_numpy_gives(op: str) -> None:
    operands, params, expected = GIVEN[op]
    found = FLOATS.table[op](*operands, **params)
    np.testing.assert_allclose(found, expected(), rtol=1e-11, atol=1e-12)


def test_factors_multiply_to_the_matrix() -> None:
    q, r = (FLOATS.table["qr"](A, part=part) for part in ("q", "r"))
    np.testing.assert_allclose(q @ r, A, atol=1e-12)
    assert np.all(np.diag(r) > 0)
    turned = A[[2, 0, 1]]
    assert pivoted(turned, (1, 2, 0))
    assert not pivoted(turned, (0, 1, 2))
    lower, upper = (
        FLOATS.table["lu"](turned, part=part, order=(1, 2, 0)) for part in ("l", "u")
    )
    np.testing.assert_allclose(lower @ upper, A, atol=1e-12)


def test_the_exponential_of_a_diagonal_matrix_is_that_of_its_entries() -> None:
    found = FLOATS.table["matrix_exp"](np.diag([1.0, -2.0, 3.0]))
    np.testing.assert_allclose(found, np.diag(np.exp([1.0, -2.0, 3.0])), rtol=1e-13)
