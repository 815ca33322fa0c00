"""Cells, attention, norms and bags: shapes of operands, and legal params."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape
from gradverify.ops.cell_shapes import projections

Shapes = tuple[tuple[Shape, ...], ...]


def _cell(gates: int, states: int) -> Shapes:
    found = []
    for batch, inputs, width in ((1, 1, 1), (1, 2, 2), (2, 1, 2), (2, 3, 1)):
        weights = ((gates * width, inputs), (gates * width, width))
        biases = ((gates * width,),) * 2
        state = ((batch, width),) * states
        found.append(((batch, inputs), *state, *weights, *biases))
    return tuple(found)


def _attention(batch: int, length: int, keys: int, width: int) -> tuple[Shape, ...]:
    given = (batch, keys, width)
    return ((batch, length, width), given, given, *projections(width))


# Simplest first.
CELL_SHAPES: Mapping[str, Shapes] = {
    "rnn_cell": _cell(1, 1),
    "gru_cell": _cell(3, 1),
    "lstm_cell": _cell(4, 2),
    "bilinear": (
        ((1, 1), (1, 2), (1, 1, 2), (1,)), ((2, 2), (2, 3), (2, 2, 3), (2,)),
        ((2,), (1,), (3, 2, 1), (3,)),
    ),
    "multi_head_attention": (
        _attention(1, 1, 2, 1), _attention(1, 2, 2, 2), _attention(2, 2, 3, 2),
    ),
    "instance_norm": (
        ((1, 1, 2), (1,), (1,)), ((2, 2, 3), (2,), (2,)), ((1, 2, 2, 2), (2,), (2,)),
    ),
    "local_response_norm": (
        ((1, 2, 1),), ((2, 3, 2),), ((1, 4, 1, 2),), ((1, 1, 2),),
    ),
    "embedding_bag": (((2, 1),), ((3, 2),), ((2, 3),)),
    "weighted_embedding_bag": (
        ((2, 1), (2,)), ((3, 2), (3,)), ((2, 3), (4,)), ((1, 2), (1,)),
    ),
}  # fmt: skip


def _bags(shape: Shape) -> Iterable[Any]:
    """Where bags begin; some are empty."""
    del shape
    yield from ((0,), (0, 1), (0, 2), (0, 0), (0, 1, 1), (0, 0, 2), (0, 1, 3))


def _rows(shape: Shape) -> Iterable[Any]:
    """Rows of a table; some occur more than once and some not at all."""
    for n in range(1, 5) if shape else ():
        yield tuple((shape[0] - 1 - k) % shape[0] for k in range(n))
        yield (0,) * n


CELL_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "nonlinearity": lambda shape: ("tanh", "relu"),
    "heads": lambda shape: (1, 2),
    "need_weights": lambda shape: (False, True),
    "local_response_norm.n": lambda shape: (2, 1, 3, 5),
    "local_response_norm.alpha": lambda shape: (1e-4, 0.5, 2.0),
    "local_response_norm.beta": lambda shape: (0.75, 0.5, 1.0),
    "base": lambda shape: (1.0, 2.0),
    **{f"{op}.index": _rows for op in ("embedding_bag", "weighted_embedding_bag")},
    "offsets": _bags,
    "embedding_bag.mode": lambda shape: ("sum", "mean", "max"),
}
