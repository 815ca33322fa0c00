"""What a careful user gives a gradient checker: functions of one op, and points.

Twenty random normal points, moved into the op's domain, of ranks 0 to 2, broadcast and
not, with any legal params, contracted with random weights to a scalar; for
contributions that are overwritten, four functions that use an input twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.localize import WHOLE
from gradverify.graph import Array, Graph
from gradverify.ops import OPS, Shape
from gradverify.strategies.params import legal_params, result_shape

POINTS = 20

# Operands, of which an op takes the first that it has; those that fit are used in turn.
# fmt: off
ELEMENTWISE = (((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 3)), ((), (3,)))
ARRAYS = (((3,), (3,)), ((2, 3), (3, 2)), ((2, 3), (2, 3)), ((3, 3), (3, 3)), ((2, 2), (2, 2)), ((4,), (4,)), ((3, 3), (3,)))  # noqa: E501
# fmt: on

FAN_OUTS: tuple[Callable[..., Any], ...] = (
    lambda a, b: a * a + b,
    lambda a, b: a + a * b,
    lambda a, b: s.sin(a) * a * b,
    lambda a, b: s.exp(b) * (a + b),
)

# From a normal number into the domains that there are.
MOVES: tuple[Callable[[Array], Any], ...] = (
    lambda x: x,
    lambda x: np.abs(x) + 0.1,
    lambda x: np.abs(x) + 1.1,
    lambda x: 0.9 * np.tanh(x),
)

Trial = tuple[Graph, list[Array]]


def trials(op: str, seed: int) -> Iterator[Trial]:
    """The functions and points that the other checkers get, for a fault in that op."""
    rng = np.random.default_rng(seed)
    for k in range(POINTS):
        yield _of_fan_out(k, rng) if op == WHOLE else _of_op(op, k, rng)


def _of_fan_out(k: int, rng: np.random.Generator) -> Trial:
    shapes = ELEMENTWISE[k % len(ELEMENTWISE)]
    weights = rng.normal(size=np.broadcast_shapes(*shapes))
    function = FAN_OUTS[k % len(FAN_OUTS)]
    graph = trace(partial(_contracted, function, weights), *shapes)
    return graph, [np.asarray(rng.normal(size=shape)) for shape in shapes]


def _of_op(op: str, k: int, rng: np.random.Generator) -> Trial:
    shapes, menu = _operands(op, k)
    params = dict(menu[rng.integers(len(menu))])
    mask = []
    if OPS[op].masks:
        mask = [rng.integers(0, 2, np.broadcast_shapes(*shapes)) > 0]
    result = OPS[op].shape(*(np.shape(x) for x in mask), *shapes, **params)
    function = partial(_applied, op, mask, params)
    graph = trace(partial(_contracted, function, rng.normal(size=result)), *shapes)
    drawn = [rng.normal(size=shape) for shape in shapes]
    moved = ([np.asarray(move(x)) for x in drawn] for move in MOVES)
    inside = (x for x in moved if OPS[op].domain.contains(*mask, *x, **params))
    return graph, next(inside)


def _operands(op: str, k: int) -> tuple[tuple[Shape, ...], Any]:
    """The k-th shapes of operands that the op takes, and all params that fit them."""
    row = OPS[op]
    pool = ARRAYS if row.params or op == "matmul" else ELEMENTWISE
    fitting = []
    for shapes in (both[: row.arity - len(row.masks)] for both in pool):
        masks = [np.broadcast_shapes(*shapes)] if row.masks else []
        whole = (*masks, *shapes)
        menu = [
            p
            for p in legal_params(op, *whole)
            if result_shape(op, whole, p) is not None
        ]
        if menu:
            fitting.append((shapes, menu))
    return fitting[k % len(fitting)]


def _applied(op: str, mask: Any, params: Any, *operands: Any) -> Any:
    return getattr(s, op)(*mask, *operands, **params)


def _contracted(function: Callable[..., Any], weights: Array, *operands: Any) -> Any:
    return s.sum(function(*operands) * weights, axis=None)
