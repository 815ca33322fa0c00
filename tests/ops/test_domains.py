"""Which points the domains of ops hold."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.ops import OPS


@pytest.mark.parametrize("op", ["lgamma", "digamma"])
@pytest.mark.parametrize(
    ("x", "held"),
    [(0.5, True), (-0.5, True), (-1.0, False), (0.0, False), (1e300, True),
     (-999_999.5, True), (-1e12 - 0.5, False)],
)  # fmt: skip
def test_gamma_is_looked_at_between_poles_that_scipy_reaches(
    op: str, x: float, held: bool
) -> None:
    assert bool(OPS[op].domain.contains(np.array([x]))) is held
    assert bool(OPS[op].domain.contains(np.array([1.0, x]))) is held
