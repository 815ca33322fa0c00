"""A large matrix in C is the same as the array of its objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from mpmath import mp, mpf

from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.matrices import Matrix, whole_of
from gradverify.arithmetic.multiprecision import MULTIPRECISION, ball_of

RNG = np.random.default_rng(5)
WIDE = RNG.normal(size=(70, 80)) * 2.0 ** RNG.integers(-40, 40, (70, 80))
VECTOR = RNG.normal(size=70)


def numbers(x: Any) -> Any:
    """A float array as objects of mpmath, one by one."""
    return np.frompyfunc(lambda v: mpf(float(v)), 1, 1)(x)


@pytest.mark.parametrize("bits", [53, 200, 700])
def test_a_large_product_is_that_of_fdot_to_the_last_bit(bits: int) -> None:
    with mp.workprec(bits):
        found = MULTIPRECISION.matmul(
            MULTIPRECISION.lift(VECTOR), MULTIPRECISION.lift(WIDE)
        )
        expected = [mp.fdot(numbers(VECTOR), numbers(c)) for c in WIDE.T]
    assert found.tolist() == expected


def test_a_large_product_of_balls_encloses_the_exact_one() -> None:
    found = BALLS.matmul(BALLS.lift(VECTOR), BALLS.lift(WIDE))
    assert len(found) == WIDE.shape[1] > 0
    with mp.workprec(500), ctx.workprec(500):
        for ball, column in zip(found, WIDE.T, strict=True):
            exact = mp.fdot(numbers(VECTOR), numbers(column))
            assert ball.contains(ball_of(exact))


def test_an_outer_product_stays_a_matrix() -> None:
    left, right = BALLS.lift(VECTOR[:, None]), BALLS.lift(WIDE[:1])
    found = BALLS.matmul(left, right)
    assert isinstance(found, Matrix)
    assert found.objects()[3, 4].overlaps(left[3, 0] * right[0, 4])


OTHERS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda m, x: x + x,
    "sub": lambda m, x: 1 - (x - 2),
    "mul": lambda m, x: x * x,
    "div": lambda m, x: (1 / x) / 3,
    "neg": lambda m, x: -x,
    "power": lambda m, x: m.power(x, n=2),
    "tanh": lambda m, x: m.tanh(x),
    "sum": lambda m, x: m.sum(x, axis=(-1,)),
    "peak": lambda m, x: m.peak(x, axis=(-1,)),
    "transpose": lambda m, x: m.transpose(x, axes=(1, 0)),
    "reshape": lambda m, x: m.reshape(x, shape=(80, 70)),
    "broadcast_to": lambda m, x: m.broadcast_to(x, shape=(2, 70, 80)),
    "slice": lambda m, x: m.slice(x, axis=(-2,), start=1, stop=9),
    "pad": lambda m, x: m.pad(x, axis=(-1,), before=1, after=2),
    "beside an array": lambda m, x: m.exp(x * 0) + x,
}


@pytest.mark.parametrize("op", OTHERS)
def test_other_ops_see_its_objects(op: str) -> None:
    with mp.workprec(100):
        found = OTHERS[op](MULTIPRECISION, MULTIPRECISION.lift(WIDE))
        expected = OTHERS[op](MULTIPRECISION, numbers(WIDE))
    assert np.shape(found) == np.shape(expected)
    assert np.all(np.asarray(found, dtype=object) == expected)


def test_long_doubles_are_lifted_exactly() -> None:
    x = WIDE.astype(np.longdouble) * (1 + np.longdouble(2) ** -60)
    entries = whole_of(x).entries()
    assert len(entries) == x.size > 0
    for ball, number in zip(entries, x.reshape(-1), strict=True):
        high = np.float64(number)
        low = np.float64(number - high)
        assert ball.rad() == 0
        assert float(ball - arb(float(high))) == low
