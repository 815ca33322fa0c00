"""The worked examples of textbooks and lectures: graphs at points, with known answers.

Each row carries its own answer, written down or as a closed form. No answer is computed
by the reference or by an engine, so that all of them can be held against it.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from mpmath import mp, mpf

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.graph import Array, Case, Graph

Answer = tuple[Any, tuple[Any, ...]]
"""A value, and the gradients with respect to the inputs, in order."""

DIGITS = 60

m = SYMBOLS


@dataclass(frozen=True)
class Expected:
    """The exact answer: `value` an mpf, `gradients` object arrays of mpf."""

    value: Any
    gradients: tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class Textbook:
    """One worked example.

    answer: from the exact numbers of the point to the value and the gradients. A number
        is an mpf or an object array of mpf.
    intermediates: the derivative with respect to nodes of the graph, by their index.
    """

    name: str
    graph: Graph
    point: tuple[Array, ...]
    answer: Callable[..., Answer]
    intermediates: Mapping[int, float] = field(default_factory=dict)

    def case(self, dtype: str = "float64") -> Case:
        """The example as a case; the point is rounded to `dtype`."""
        return Case(self.graph, self.point, dtype)


def expected(row: Textbook) -> Expected:
    """The exact value and gradients of an example's float64 case."""
    lift = np.frompyfunc(lambda x: mpf(float(x)), 1, 1)
    with mp.workdps(DIGITS):
        value, gradients = row.answer(*(lift(x) for x in row.case().point))
        exact = np.frompyfunc(lambda x: +mpf(x), 1, 1)
        arrays = (np.asarray(exact(np.asarray(g, object)), object) for g in gradients)
        return Expected(+mpf(value), tuple(arrays))


def textbook_cases(dtype: str = "float64") -> dict[str, tuple[Case, ...]]:
    """The cases of every example, by its name."""
    return {
        name: tuple(row.case(dtype) for row in rows) for name, rows in TEXTBOOK.items()
    }


def _row(
    name: str,
    function: Callable[..., Any],
    at: tuple[Any, ...],
    answer: Callable[..., Answer],
    intermediates: Mapping[int, float] | None = None,
) -> Textbook:
    point = tuple(np.asarray(x, np.float64) for x in at)
    graph = trace(function, *(x.shape for x in point))
    return Textbook(name, graph, point, answer, intermediates or {})


def written(value: float, *gradients: float) -> Callable[..., Answer]:
    """An answer in numbers that every float format holds exactly."""
    return lambda *point: (value, gradients)


# ---- closed forms


def logistic(x: Any) -> Answer:
    """y = 1/(1 + exp(-x)), whose slope is y(1 - y)."""
    y = 1 / (1 + mp.exp(-x))
    return y, (y * (1 - y),)


def sine_of_large(x: Any) -> Answer:
    """10 exp(sin x) + cos(x)^2."""
    s, c = mp.sin(x), mp.cos(x)
    return 10 * mp.exp(s) + c**2, (10 * c * mp.exp(s) - 2 * c * s,)


def hyperbolic(x: Any) -> Answer:
    """tanh, whose slope is 1 - y*y."""
    y = mp.tanh(x)
    return y, (1 - y * y,)


def log_of_sum(x: Any) -> Answer:
    """log(1 + exp(x)), whose slope is the sigmoid."""
    return mp.log(1 + mp.exp(x)), (1 / (1 + mp.exp(-x)),)


def mean_squared(x: Any, w: Any, b: Any, t: Any) -> Answer:
    """The mean of (xw + b - t)^2, whose derivative by (xw + b - t) is 2(xw + b -
    t)/n.
    """
    error = x @ w + b - t
    ct = 2 * error / error.size
    return (error**2).sum() / error.size, (ct @ w.T, x.T @ ct, ct.sum(), -ct)


# ---- networks with fixed weights: no draw, and no unit within 0.05 of its kink


def _weights(rows: int, columns: int) -> Array:
    i, j = np.indices((rows, columns))
    return np.asarray(((7 * i + 3 * j) % 11 - 5) / 10)


SMALL_INPUTS = np.array([[1.0, 2.0], [-0.5, 1.5]])
SMALL_TARGETS = np.array([[0.5], [-1.0]])
SMALL_WEIGHTS = np.array([[0.4, -0.3, -0.6], [0.7, 0.2, -0.8]])
SMALL_BIASES = np.array([0.1, 0.05, -0.5])  # the third unit is dead for both inputs
SMALL_READOUT = np.array([[0.6], [-0.9], [1.1]])


def small_network(x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
    """2-3-1 with ReLU and the mean squared error."""
    return m.mean((m.relu(x @ w + b) @ v + c - SMALL_TARGETS) ** 2)


def small_network_answer(x: Any, w: Any, b: Any, v: Any, c: Any) -> Answer:
    """The chain rule by hand; a unit passes its cotangent on only if it is above
    zero.
    """
    before = x @ w + b
    up = np.asarray(before > 0, int)
    error = (before * up) @ v + c - SMALL_TARGETS
    ct = 2 * error / error.size
    inner = (ct @ v.T) * up
    gradients = (
        inner @ w.T,
        x.T @ inner,
        inner.sum(axis=0),
        (before * up).T @ ct,
        ct.sum(),
    )
    return (error**2).sum() / error.size, gradients


WIDE_POINT = np.array([0.5, -1.0, 2.0])
WIDE_WEIGHTS = _weights(16, 3)
WIDE_BIASES = _weights(16, 1)[:, 0] / 2
WIDE_READOUT = _weights(2, 16)
WIDE_OFFSETS = np.array([0.25, -0.125])


def wide_network(ct: Array) -> Callable[[Any], Any]:
    """3-16-2 with ReLU; its two outputs are contracted with `ct`."""

    def contracted(x: Any) -> Any:
        hidden = m.relu(WIDE_WEIGHTS @ x + WIDE_BIASES)
        return ct @ (WIDE_READOUT @ hidden + WIDE_OFFSETS)

    return contracted


def wide_network_answer(ct: Array) -> Callable[[Any], Answer]:
    """ct J, with J = V diag(up) W."""

    def answer(x: Any) -> Answer:
        weights, readout = _exact(WIDE_WEIGHTS), _exact(WIDE_READOUT)
        before = weights @ x + _exact(WIDE_BIASES)
        up = np.asarray(before > 0, int)
        outputs = readout @ (before * up) + _exact(WIDE_OFFSETS)
        return ct @ outputs, (ct @ (readout * up @ weights),)

    return answer


def _exact(array: Array) -> Array:
    return np.asarray(np.frompyfunc(mpf, 1, 1)(array))


def _wide(name: str, *ct: float) -> Textbook:
    array = np.array(ct)
    return _row(name, wide_network(array), (WIDE_POINT,), wide_network_answer(array))


def whole_network(x: Any, w: Any, b: Any, v: Any, c: Any) -> Any:
    """3-16-2 with ReLU and all its parameters; the sum of its two outputs."""
    return m.sum(v @ m.relu(w @ x + b) + c)


def whole_network_answer(x: Any, w: Any, b: Any, v: Any, c: Any) -> Answer:
    """The chain rule by hand, from a cotangent of ones."""
    before = w @ x + b
    up = np.asarray(before > 0, int)
    ones = np.full(2, mpf(1))
    inner = (ones @ v) * up
    gradients = (
        inner @ w,
        np.outer(inner, x),
        inner,
        np.outer(ones, before * up),
        ones,
    )
    return (v @ (before * up) + c).sum(), gradients


# ---- the table

# fmt: off
ROWS = (
    _row("squares",          lambda a, b: a**2 + b**2,                         (5, 20),   written(425, 10, 40)),
    _row("product-plus-sum", lambda a, b: a * b + (a + b),                     (3, 4),    written(19, 5, 4)),
    _row("sigmoid",          lambda x: 1.0 / (1.0 + m.exp(-x)),                (3,),      logistic),
    _row("sigmoid",          lambda x: m.sigmoid(x),                           (3,),      logistic),
    _row("linear-model",     lambda x, w, b, t: m.mean((x @ w + b - t) ** 2),
         ([[1, 2], [3, 4]], [[0.1], [0.2]], 0.3, [[2], [6]]),                             mean_squared),
    _row("squared-sum",      lambda x, y: (x * y + x) ** 2,                    (2, 3),    written(64, 64, 32),
         {2: 16, 3: 16}),  # z = xy and w = z + x
    _row("eleven",           lambda a, b: (a + b) * (a * b),                   (2, 3),    written(30, 21, 16)),
    _row("line-times-z",     lambda x, y, z: (2 * x + y) * z,                  (1, 2, 3), written(12, 6, 3, 4)),
    _row("sine-1000",        lambda x: 10 * m.exp(m.sin(x)) + m.cos(x) ** 2,   (1000,),   sine_of_large),
    _row("relu-2-3-1",       small_network,
         (SMALL_INPUTS, SMALL_WEIGHTS, SMALL_BIASES, SMALL_READOUT, 0.2),                 small_network_answer),
    _wide("relu-3-16-2", 1.0, 0.0),  # the rows of the Jacobian
    _wide("relu-3-16-2", 0.0, 1.0),
    _wide("relu-3-16-2", 1.0, 1.0),  # a pullback
    _row("relu-3-16-2-whole", whole_network,
         (WIDE_POINT, WIDE_WEIGHTS, WIDE_BIASES, WIDE_READOUT, WIDE_OFFSETS),             whole_network_answer),
    _row("tanh",             lambda x: m.tanh(x),                              (0.5,),    hyperbolic),
    _row("tanh",             lambda x: m.tanh(x),                              (-3,),     hyperbolic),
    _row("tanh",  lambda x: (m.exp(x) - m.exp(-x)) / (m.exp(x) + m.exp(-x)),   (0.5,),    hyperbolic),
    _row("softplus",         lambda x: m.softplus(x),                          (1.5,),    log_of_sum),
    _row("softplus",         lambda x: m.softplus(x),                          (-4,),     log_of_sum),
    _row("softplus",         lambda x: m.log(1.0 + m.exp(x)),                  (1.5,),    log_of_sum),
)
# fmt: on

TEXTBOOK: Mapping[str, tuple[Textbook, ...]] = MappingProxyType(
    {
        name: tuple(row for row in ROWS if row.name == name)
        for name in dict.fromkeys(row.name for row in ROWS)
    }
)
