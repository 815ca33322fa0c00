"""Forward mode along a tape, and unit tangents without their zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradverify.autodiff import Dual, Tape
from gradverify.autodiff.pushforward import pushforward
from gradverify.autodiff.units import Units

RNG = np.random.default_rng(3)
X, W = RNG.normal(size=3), RNG.normal(size=(3, 4))

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": lambda x, w: x @ w,
    "tanh": lambda x, w: np.tanh(x @ w) @ w.T,
    "broadcast": lambda x, w: (x[:, None] if isinstance(x, np.ndarray) else
                               x.reshape(3, 1)) * w + 1.0,
    "sum": lambda x, w: (np.exp(w) / 2.0).sum(axis=0) * x.sum(),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_both_engines_push_the_same_tangents(name: str) -> None:
    x_dot, w_dot = RNG.normal(size=3), RNG.normal(size=(3, 4))
    tape = Tape()
    x, w = tape.variable(X), tape.variable(W)
    y = FUNCTIONS[name](x, w)
    got = pushforward(tape, y, {x: x_dot, w: w_dot})
    dual = FUNCTIONS[name](Dual(X, x_dot[None]), Dual(W, w_dot[None]))
    assert got.shape == y.shape
    assert np.allclose(got, dual.tangent[0], rtol=1e-14)


def test_what_is_not_connected_has_a_zero_tangent() -> None:
    tape = Tape()
    x, w = tape.variable(X), tape.variable(W)
    assert np.array_equal(pushforward(tape, np.exp(x), {w: W}), np.zeros(3))


def test_tangents_that_do_not_fit_are_refused() -> None:
    tape, other = Tape(), Tape()
    x = tape.variable(X)
    with pytest.raises(ValueError, match="does not fit a variable of shape"):
        pushforward(tape, np.exp(x), {x: W})
    with pytest.raises(ValueError, match="must be on this tape"):
        pushforward(tape, np.exp(x), {other.variable(X): X})


UNITS = Units((5, 3, 4), np.array([0, 2, 4]), np.array([1, 7, 11]), np.float64)


@pytest.mark.parametrize(
    "use",
    [
        lambda u: X[None] @ u,
        lambda u: u @ W.T,
        lambda u: u * W,
        lambda u: u + u,
        lambda u: np.sum(u, axis=(-1,)),
        lambda u: np.reshape(u, (5, 12)),
        lambda u: u == 0,
    ],
)
def test_units_do_as_the_array_that_they_stand_for(use: Callable[[Any], Any]) -> None:
    found, expected = use(UNITS), use(np.asarray(UNITS))
    assert np.array_equal(np.asarray(found), expected)
