"""Forward mode along a tape, and unit tangents without their zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.autodiff import Dual, Tape
from gradverify.autodiff.pushforward import pushforward
from gradverify.autodiff.units import Units
from gradverify.differentiators import load, run
from gradverify.graph import Case

RNG = np.random.default_rng(3)
ROW = RNG.normal(size=90)
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


PLACES = np.array([0, 2, 4]), np.array([1, 7, 11])
UNITS = Units((5, 3, 4), *PLACES, np.array([1.0, -2.0, 0.5]))
OTHERS = Units((5, 3, 4), np.array([1, 3]), np.array([7, 7]), np.array([3.0, 4.0]))
MEETING = Units((5, 3, 4), np.array([1, 2]), np.array([7, 7]), np.array([3.0, 4.0]))

KEPT: dict[str, Callable[[Units], Any]] = {
    "product": lambda u: u * W,
    "product of a row": lambda u: X[0] * u * W[:1],
    "square": lambda u: (u * W) + (W * u),
    "sum of others": lambda u: u + OTHERS,
    "reshape": lambda u: np.reshape(u, (5, 12)),
    "row left": lambda u: X[None] @ u,
    "column left": lambda u: u @ W[:1].T,
    "vectors, column left": lambda u: np.reshape(u, (5, 12)) @ W.reshape(12, 1),
}

WRITTEN: dict[str, Callable[[Units], Any]] = {
    "matmul before": lambda u: u @ W.T,
    "matmul after": lambda u: W.T @ u,
    "matmul of vectors": lambda u: np.reshape(u, (5, 12)) @ np.ones((12, 3)),
    "whole sum": lambda u: np.sum(u, axis=(-2, -1)),
    "sum of an axis": lambda u: np.sum(u, axis=(-1,)),
    "sum that keeps axes": lambda u: np.sum(u, axis=(-2, -1), keepdims=True),
    "sum that meets": lambda u: u + MEETING,
    "sum with an array": lambda u: u + W,
    "product with a stack": lambda u: u * np.ones((5, 3, 4)),
    "product that broadcasts": lambda u: (
        np.reshape(u, (5, 12))[:, None] * W.reshape(12)
    ),
    "product of units": lambda u: u * u,
    "other shape": lambda u: np.reshape(u, (15, 4)),
    "added into": lambda u: np.add(np.ones((5, 3, 4)), u, out=np.ones((5, 3, 4))),
    "sum from 5": lambda u: np.sum(u, axis=(1, 2), initial=5.0),
    "other order": lambda u: np.reshape(u, (5, 12), order="F"),
    "shape left open": lambda u: np.reshape(u, (5, -1)),
    "comparison": lambda u: u == 0,
    "function": lambda u: np.exp(u),
    "part": lambda u: u[2],
}


@pytest.mark.parametrize("name", [*KEPT, *WRITTEN])
def test_units_do_as_the_array_that_they_stand_for(name: str) -> None:
    use = (KEPT | WRITTEN)[name]
    found, expected = use(UNITS), use(np.asarray(UNITS))  # type: ignore[arg-type]
    assert isinstance(found, Units) == (name in KEPT)
    assert np.shape(found) == np.shape(expected)
    assert np.array_equal(np.asarray(found), expected)


def test_units_keep_their_dtype() -> None:
    small = Units((5, 3, 4), *PLACES, np.ones(3, np.float32))
    assert np.asarray(small).dtype == (small * W.astype(np.float32)).dtype == np.float32
    assert (X.astype(np.float32)[None] @ small).dtype == np.float32


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_many_tangents_give_what_the_tape_gives(dtype: str) -> None:
    def function(w: Any, b: Any) -> Any:
        h = SYMBOLS.tanh(ROW @ w + b)
        return SYMBOLS.sum(h * h, axis=None) + SYMBOLS.mean(w * w, axis=None)

    graph = trace(function, (90, 50), (50,))
    point = (RNG.normal(size=(90, 50)) / 9.0, RNG.normal(size=50))
    case = Case(graph, tuple(x.astype(dtype) for x in point), dtype)
    dual, tape = (
        run(load(name), mode, case)
        for name, mode in (("own-dual", "forward"), ("own-tape", "reverse"))
    )
    assert len(dual.cotangents) == 2
    for a, b in zip(dual.cotangents, tape.cotangents, strict=True):
        assert a.dtype == b.dtype == np.dtype(dtype)
        assert np.allclose(a, b, rtol=64 * np.finfo(dtype).eps)
