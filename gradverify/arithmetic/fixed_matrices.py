"""The matrices of linear maps with fixed coefficients, in balls, numbers and floats."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from flint import arb, ctx, fmpq

from gradverify.ops.fixed_weights import Coefficient, Map, coefficients_of

DOUBLE_BITS = 160  # at which a coefficient is known before it is rounded to a double


def ball_of(c: Coefficient) -> Any:
    """The coefficient at the precision in force."""
    turned = arb.cos_pi_fmpq(fmpq(c.turn.numerator, c.turn.denominator))
    part = arb(fmpq(c.part.numerator, c.part.denominator))
    return part * turned / arb(c.root).sqrt()


def each(
    number: Callable[[Coefficient], Any], bits: Callable[[], int]
) -> Callable[..., Any]:
    """The matrix of these numbers, for every matrix x.

    bits: the precision in force, at which a matrix is made once.
    """
    made = np.frompyfunc(number, 1, 1)

    @lru_cache(maxsize=256)
    def matrix_at(of: Map, precision: int) -> Any:
        del precision
        return made(coefficients_of(of))

    def matrix(x: Any, *, of: Map) -> Any:
        found = matrix_at(of, bits())
        return np.broadcast_to(found, (*np.shape(x)[:-2], *found.shape))

    return matrix


@lru_cache(maxsize=256)
def _doubles(of: Map) -> Any:
    with ctx.workprec(DOUBLE_BITS):
        return np.frompyfunc(ball_of, 1, 1)(coefficients_of(of)).astype(np.float64)


def in_floats(x: Any, *, of: Map) -> Any:
    """The matrix of the nearest doubles, in the dtype of x, for every matrix x."""
    found = _doubles(of).astype(x.dtype)
    return np.array(np.broadcast_to(found, (*np.shape(x)[:-2], *found.shape)))


in_balls = each(ball_of, lambda: int(ctx.prec))
