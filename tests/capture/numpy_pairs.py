"""Traps of NumPy and autograd functions, each with a right derivative and a wrong one."""

# The rows of the tables are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defjvp, defvjp, primitive
from autograd.tracer import getval

from tests.capture.pair import CAPTURED, DIFFERENCED, Pair


def array(*shape: int, dtype: str = "float64") -> Any:
    """Numbers that hide nothing, the same in every run."""
    source = np.random.default_rng(sum(shape) + 3)
    return source.standard_normal(shape).astype(dtype)


def by_hand(
    name: str,
    forward: Callable[..., Any],
    right: Callable[..., Any],
    wrong: Callable[..., Any],
    *args: Any,
    key: str = "vjp",
    truth: str = CAPTURED,
) -> Pair:
    """A plain function and two backward passes."""
    return Pair(name, forward, forward, args, truth, ({key: right}, {key: wrong}))


def ruled(
    name: str,
    forward: Callable[..., Any],
    right: Callable[..., Any],
    wrong: Callable[..., Any],
    *args: Any,
    around: Callable[[Any], Callable[..., Any]] = lambda f: f,
    truth: str = CAPTURED,
) -> Pair:
    """Two primitives of autograd with other slopes: of the argument and the result."""
    made = []
    for slope in (right, wrong):
        op = primitive(lambda x: forward(x))
        defvjp(op, lambda y, x, slope=slope: lambda g: g * slope(x, y))
        defjvp(op, lambda v, y, x, slope=slope: v * slope(x, y))
        made.append(around(op))
    return Pair(name, made[0], made[1], args, truth)


def _affine_back(g: Any, x: Any, w: Any, b: Any) -> Any:
    return g @ w.T, x.T @ g, g.sum(0)


def _filled(x: Any, k: Any) -> Any:
    """A convolution as people write it first."""
    out = np.zeros(len(x) - len(k) + 1)
    for i in range(len(out)):
        out[i] = x[i : i + len(k)] @ k
    return out


def _filled_back(g: Any, x: Any, k: Any) -> Any:
    slopes = np.zeros_like(x), np.zeros_like(k)
    for i in range(len(g)):
        slopes[0][i : i + len(k)] += g[i] * k
        slopes[1][:] += g[i] * x[i : i + len(k)]
    return slopes


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def _softmax_back(g: Any, x: Any) -> Any:
    y = _softmax(x)
    return y * (g - (g * y).sum(-1, keepdims=True))


def _in_place(x: Any) -> Any:
    y = x.copy()
    y[0] = 3.0 * x[1]
    y.T[0] *= 2.0
    return y * y


def _in_place_back(g: Any, x: Any, slip: float = 1.0) -> Any:
    y = x.copy()
    y[0] = 3.0 * x[1]
    y[:, 0] *= 2.0
    bar = 2.0 * y * g
    bar[:, 0] *= 2.0
    return np.stack([np.zeros_like(bar[0]), bar[1] + 3.0 * slip * bar[0]])


def _written(x: Any) -> Any:
    out = np.zeros(3)
    out[:] = x**2
    return out


def _mutating(g: Any, x: Any) -> Any:
    x *= 2.0
    return x * g


def _branch(x: Any) -> Any:
    return x * x if x.sum() > 0 else np.exp(x)


def _branch_back(g: Any, x: Any) -> Any:
    return (2.0 * x if x.sum() > 0 else np.exp(x)) * g


def _cube_back(g: Any, x: Any) -> Any:
    return 3.0 * x**2 * g


def _raw_back(g: Any, x: Any) -> Any:
    """A backward that reads memory, and takes every array for a contiguous one."""
    return 3.0 * x.ravel(order="K").reshape(x.shape) ** 2 * g


def _scatter_back(g: Any, x: Any, index: Any) -> Any:
    bar = np.zeros_like(x)
    np.add.at(bar, index, 2.0 * x[index] * g)
    return bar


def _scatter_lost(g: Any, x: Any, index: Any) -> Any:
    bar = np.zeros_like(x)
    bar[index] = 2.0 * x[index] * g
    return bar


HELD = array(4)[:3]
INDEX = np.array([0, 2, 2, 1])

HAND = (
    by_hand(
        "an affine layer",
        lambda x, w, b: x @ w + b,
        _affine_back,
        lambda g, x, w, b: (g @ w.T, x.T @ g, g.mean(0)),
        array(3, 2), array(2, 4), array(4),
    ),
    by_hand("softmax", _softmax, _softmax_back, lambda g, x: _softmax(x) * g, array(2, 3)),
    by_hand(
        "a gradient",
        lambda x: np.sum(x**2 * np.sin(x)),
        lambda x: 2.0 * x * np.sin(x) + x**2 * np.cos(x),
        lambda x: 2.0 * x * np.sin(x) - x**2 * np.cos(x),
        array(3), key="gradient",
    ),
    by_hand(
        "writes in place and views", _in_place, _in_place_back,
        lambda g, x: _in_place_back(g, x, 1.000001), array(2, 3),
    ),
    by_hand(
        "an array of zeros", _written, lambda g, x: 2.0 * x * g, lambda g, x: x * g,
        array(3), truth=DIFFERENCED,
    ),
    by_hand(
        "an array of zeros that is filled", _filled, _filled_back,
        lambda g, x, k: _filled_back(g, x, k[::-1]), array(5), array(2), truth=DIFFERENCED,
    ),
    by_hand(
        "an inverse, which equal rows have none of", np.linalg.inv,
        lambda g, a: -np.linalg.inv(a).T @ g @ np.linalg.inv(a).T,
        lambda g, a: -np.linalg.inv(a) @ g @ np.linalg.inv(a),
        array(2, 2) + 3.0 * np.eye(2),
    ),
    by_hand("a branch", _branch, _branch_back, lambda g, x: 2.0 * x * g, array(4)),
    by_hand("arrays not contiguous", lambda x: x**3, _cube_back, _raw_back, array(2, 3)),
    by_hand("an input written to", lambda x: x**2, lambda g, x: 2 * x * g, _mutating, array(3)),
    by_hand(
        "integer inputs", lambda x, index: x[index] ** 2, _scatter_back, _scatter_lost,
        array(3), INDEX,
    ),
    by_hand(
        "several outputs", lambda x: (np.sin(x), x.sum()),
        lambda g, x: g[0] * np.cos(x) + g[1], lambda g, x: g[0] * np.cos(x), array(3),
    ),
    by_hand(
        "a dict", lambda p: p["w"] * p["x"], lambda g, p: (g * p["x"], g * p["w"]),
        lambda g, p: (g * p["w"], g * p["x"]), {"w": array(3), "x": array(3) + 1.0},
    ),
    by_hand(
        "float32", lambda x: x**3, _cube_back, lambda g, x: 3.0 * x * g,
        array(4, dtype="float32"),
    ),
)  # fmt: skip

RULES = (
    ruled("a primitive", np.tanh, lambda x, y: 1 - y**2, lambda x, y: 1 - y, array(3)),
    ruled(
        "within a function", lambda x: x**3, lambda x, y: 3.0 * x**2,
        lambda x, y: 3.0 * x**2 + 1e-7, array(2, 3),
        around=lambda f: lambda x: anp.sum(anp.exp(-f(x)), axis=0),
    ),
    ruled(
        "a loop", np.sin, lambda x, y: anp.cos(x), lambda x, y: anp.cos(y), array(3),
        around=lambda f: lambda x: f(f(x) + x),
    ),
    ruled(
        "a dict of arrays", np.exp, lambda x, y: y, lambda x, y: y + 0.01,
        {"x": array(3), "y": array(3) + 1.0},
        around=lambda f: lambda p: f(p["x"]) * p["y"],
    ),
    ruled(
        "several results", np.square, lambda x, y: 2 * x, lambda x, y: x, array(3),
        around=lambda f: lambda x: (f(x), anp.sum(x)),
    ),
    ruled(
        "a closure over an array", np.exp, lambda x, y: y, lambda x, y: 1.0 + x, array(3),
        around=lambda f: lambda x: f(x * HELD),
    ),
    ruled(
        "a masked choice", lambda x: np.where(x > 0, x, 0.1 * x),
        lambda x, y: anp.where(x > 0, 1.0, 0.1), lambda x, y: anp.where(x > 0, 1.0, 0.2),
        array(5),
    ),
    ruled(
        "a mean over axes", lambda x: x * 2.0, lambda x, y: 2.0, lambda x, y: 2.001,
        array(2, 3), around=lambda f: lambda x: anp.mean(f(x) ** 2, axis=(0, 1)),
    ),
    ruled(
        "a loop over numbers", lambda x: np.array([math.erf(v) for v in x]),
        lambda x, y: anp.exp(-x * x) * 2.0 / anp.sqrt(anp.pi), lambda x, y: anp.exp(-x * x),
        array(3), truth=DIFFERENCED,
    ),
    ruled(
        "a number that is read outside", np.tanh, lambda x, y: 1 - y**2, lambda x, y: 1 - y,
        array(3), around=lambda f: lambda x: f(x) * float(np.max(getval(x))),
    ),
    ruled(
        "through a list", lambda x: np.asarray([np.sin(v) for v in np.array(x)]),
        lambda x, y: anp.cos(x), lambda x, y: anp.cos(x) * 1.00001, array(3),
        truth=DIFFERENCED,
    ),
    ruled(
        "a matrix product", np.tanh, lambda x, y: 1 - y**2, lambda x, y: 1 - x**2,
        array(3, 2), around=lambda f: lambda x: anp.dot(f(x), f(x).T),
    ),
)  # fmt: skip

PAIRS = (*HAND, *RULES)
