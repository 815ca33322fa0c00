"""Real eigenvalues of small matrices, sorted, in balls and in mpmath numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import acb_mat, arb, ctx
from mpmath import mp

from gradverify.graph import OutsideDomain

MORE = (64, 400, 1500)  # bits beyond the precision in force, tried in turn


def each_matrix(function: Callable[[list[list[Any]]], list[Any]]) -> Callable[..., Any]:
    """A function of one matrix of objects as one of batches."""

    def apply(x: Any) -> Any:
        n = x.shape[-1]
        flat = x.reshape(-1, n, n)
        result = np.empty((len(flat), n), dtype=object)
        for k, matrix in enumerate(flat):
            result[k] = function(matrix.tolist())
        return result.reshape(x.shape[:-1])

    return apply


def in_balls(matrix: list[list[Any]]) -> list[Any]:
    """Enclosures of the eigenvalues; NaN where they are not told apart, or not real."""
    n = len(matrix)
    if n == 1:
        return [arb(matrix[0][0])]
    if n == 2:
        (a, b), (c, d) = matrix
        half = (a - d) / 2
        root = (half * half + b * c).sqrt()
        middle = (a + d) / 2
        return [middle - root, middle + root]
    try:
        found = acb_mat(matrix).eig(multiple=True)
    except ValueError:
        found = []
    # of a real matrix whose eigenvalues are enclosed one by one, a real ball is real
    reals = [value.real for value in found if value.imag.contains(0)]
    if len(reals) != n:
        return [arb.nan()] * n
    return sorted(reals, key=lambda ball: float(ball.mid()))


def in_mpmath(
    into: Callable[[Any], Any], out_of: Callable[[Any], Any]
) -> Callable[[list[list[Any]]], list[Any]]:
    """The same, rounded to the precision in force.

    into, out_of: from a number to its ball, and from a ball to its middle.
    """

    def apply(matrix: list[list[Any]]) -> list[Any]:
        for more in MORE:
            with ctx.workprec(mp.prec + more):
                found = in_balls([[into(v) for v in row] for row in matrix])
                known = all(b.is_finite() for b in found) and all(
                    b.rad() <= abs(b) * arb(2) ** (-mp.prec) or b.is_zero()
                    for b in found
                )
            if known:
                return [out_of(ball) for ball in found]
        if all(b.is_finite() for b in found):
            return [out_of(ball) for ball in found]
        raise OutsideDomain("eigenvalues that meet, or are not real")

    return apply
