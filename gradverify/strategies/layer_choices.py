"""Network layers: which shapes their operands may have, and which params are legal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.ops import Shape
from gradverify.ops.loss_shapes import IGNORED

ATTENTION: tuple[tuple[Shape, ...], ...] = (
    ((1, 1), (2, 1), (2, 1)), ((2, 2), (2, 2), (2, 2)), ((2, 2), (3, 2), (3, 1)),
    ((1, 3, 2), (1, 3, 2), (1, 3, 2)), ((2, 2, 1), (2, 2, 1), (2, 2, 2)),
    ((1, 2, 2, 3), (1, 2, 2, 3), (1, 2, 2, 3)),
)  # fmt: skip

# Simplest first. One entry an axis, two that are equal and two that are not: the
# mistakes that depend on a shape show there.
# fmt: off
LAYER_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = {
    "linear": (
        ((2,), (1, 2), (1,)), ((2, 2), (2, 2), (2,)), ((2, 3), (2, 3), (2,)),
        ((1, 2), (3, 2), (3,)), ((3,), (3, 3), (3,)), ((2, 1, 2), (2, 2), (2,)),
    ),
    "prelu": (
        ((2,), (1,)), ((2, 3), (3,)), ((2, 3), (1,)), ((2, 2, 2), (2,)), ((3, 1), (1,)),
    ),
    "conv1d": (
        ((1, 1, 2), (1, 1, 2), (1,)), ((1, 1, 4), (1, 1, 2), (1,)),
        ((2, 2, 4), (2, 2, 2), (2,)), ((1, 2, 5), (2, 1, 3), (2,)),
        ((1, 4, 3), (2, 2, 1), (2,)), ((2, 1, 6), (3, 1, 3), (3,)),
    ),
    "conv2d": (
        ((1, 1, 2, 2), (1, 1, 2, 2), (1,)), ((1, 1, 3, 4), (2, 1, 2, 2), (2,)),
        ((1, 2, 3, 3), (2, 2, 2, 1), (2,)), ((2, 1, 4, 3), (1, 1, 3, 2), (1,)),
        ((1, 2, 3, 3), (4, 1, 2, 2), (4,)), ((1, 4, 2, 3), (2, 2, 1, 2), (2,)),
    ),
    "max_pool1d": (((1, 1, 2),), ((1, 1, 4),), ((2, 2, 5),), ((1, 2, 3),)),
    "max_pool2d": (((1, 1, 2, 2),), ((1, 1, 4, 4),), ((1, 2, 3, 5),)),
    "avg_pool1d": (((1, 1, 2),), ((1, 1, 4),), ((2, 2, 5),), ((1, 2, 3),)),
    "avg_pool2d": (((1, 1, 2, 2),), ((1, 1, 4, 4),), ((1, 2, 3, 5),)),
    "batch_norm": (
        ((2, 1), (1,), (1,)), ((3, 2), (2,), (2,)), ((2, 2, 3), (2,), (2,)),
        ((1, 2, 2), (2,), (2,)), ((2, 2, 2, 2), (2,), (2,)), ((2, 3), (3,), (3,)),
    ),
    "batch_norm_eval": (
        ((1, 1), (1,), (1,)), ((3, 2), (2,), (2,)), ((2, 2, 3), (2,), (2,)),
        ((1, 2), (2,), (2,)), ((1, 2, 2, 2), (2,), (2,)),
    ),
    "layer_norm": (
        ((2,), (2,), (2,)), ((2, 3), (3,), (3,)), ((2, 2), (2, 2), (2, 2)),
        ((1, 3), (3,), (3,)), ((2, 2, 3), (2, 3), (2, 3)), ((2, 1, 3), (3,), (3,)),
    ),
    "rms_norm": (
        ((2,), (2,)), ((2, 3), (3,)), ((2, 2), (2, 2)), ((1, 1), (1,)),
        ((2, 2, 3), (2, 3)), ((2, 1, 3), (3,)),
    ),
    "group_norm": (
        ((1, 2), (2,), (2,)), ((2, 4), (4,), (4,)), ((1, 2, 2), (2,), (2,)),
        ((2, 4, 2), (4,), (4,)), ((1, 2, 2, 2), (2,), (2,)),
    ),
    "embedding": (((2, 1),), ((3, 2),), ((2, 3),), ((1, 2),)),
    "scaled_dot_product_attention": ATTENTION,
    "dropout_attention": ATTENTION,
    # a target that is computed may be rounded to more than 1, which PyTorch refuses
    "bce": (((), ()), ((2,), (2,)), ((2, 3), (2, 3)), ((1, 2), (1, 2))),
    "nll": (((1, 2),), ((2, 3),), ((3, 2),), ((2, 2),), ((4, 3),)),
    "cross_entropy": (((1, 2),), ((2, 3),), ((3, 2),), ((2, 2),), ((4, 3),)),
}
# fmt: on

STATISTICS = {"mean": (0.0, 0.5, -1.0, 2.0), "var": (1.0, 2.0, 0.25, 0.3)}
WEIGHTS = (1.0, 2.0, 0.5, 0.3)


def _sizes(*each: int) -> Callable[[Shape], Iterable[Any]]:
    """A number for each axis of space. Choices in which all are equal come first."""

    def choices(shape: Shape) -> Iterable[Any]:
        rank = max(0, len(shape) - 2)
        yield from ((n,) * rank for n in each)
        yield from (p for p in itertools.product(each, repeat=rank) if len({*p}) > 1)

    return choices


def _indices(shape: Shape) -> Iterable[Any]:
    """Rows of a table; some occur more than once and some not at all."""
    last = shape[0] - 1 if shape else 0
    yield from ((0,), (last, 0), (0, 0), (last, 0, last), (0, 0, 0, last))


def _targets(shape: Shape) -> Iterable[Any]:
    """A class for each row: counted up, counted down, or the same for all.

    In the last choice the first row is ignored.
    """
    if len(shape) == 2 and shape[1]:
        rows, classes = shape
        yield tuple(k % classes for k in range(rows))
        yield tuple((-1 - k) % classes for k in range(rows))
        yield (0,) * rows
        yield (classes - 1,) * rows
        if rows > 1:
            yield (IGNORED, *(k % classes for k in range(1, rows)))


def _weights(shape: Shape) -> Iterable[Any]:
    yield None
    for turn in (0, 2) if shape else ():
        yield tuple(np.resize(np.roll(WEIGHTS, -turn), shape[-1]).tolist())


def _statistics(name: str) -> Callable[[Shape], Iterable[Any]]:
    def choices(shape: Shape) -> Iterable[Any]:
        for turn in (0, 1) if len(shape) > 1 else ():
            values = np.roll(STATISTICS[name], -turn)
            yield tuple(np.resize(values, shape[1]).tolist())

    return choices


LAYER_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "kernel": _sizes(2, 1, 3),
    "stride": _sizes(1, 2, 3),
    "padding": _sizes(0, 1),
    "dilation": _sizes(1, 2),
    "groups": lambda shape: (1, 2, 4),
    "count_include_pad": lambda shape: (True, False),
    "index": _indices,
    "target": _targets,
    "weight": _weights,
    "mean": _statistics("mean"),
    "var": _statistics("var"),
    "eps": lambda shape: (1e-5, 0.5, 1e-3),
    "p": lambda shape: (0.5, 0.25, 0.1),
    "alpha": lambda shape: (1.0, 0.5, 2.0),
    "delta": lambda shape: (1.0, 0.5, 2.0),
    "smoothing": lambda shape: (0.0, 0.1, 0.5),
    "log_target": lambda shape: (False, True),
    "reduction": lambda shape: ("mean", "sum", "none"),
}


def kept(shapes: Sequence[Shape]) -> Iterable[str]:
    """Which weights of an attention are kept: a chess board, all, none of one query."""
    if len(shapes) > 1 and min(len(s) for s in shapes[:2]) > 1:
        length, keys = shapes[0][-2], shapes[1][-2]
        if length * keys <= 64:
            yield _rows(length, keys, lambda i, j: (i + j) % 2 == 0)
            yield _rows(length, keys, lambda i, j: True)
            yield _rows(length, keys, lambda i, j: i > 0 or length == 1)


def masks(shapes: Sequence[Shape]) -> Iterable[str]:
    """Masks of an attention: none, causal, one key hidden from all, and a chess
    board.
    """
    yield from ("none", "causal")
    if len(shapes) > 1 and min(len(s) for s in shapes[:2]) > 1:
        length, keys = shapes[0][-2], shapes[1][-2]
        if length * keys <= 64:
            yield _rows(length, keys, lambda i, j: j > 0 or keys == 1)
            yield _rows(length, keys, lambda i, j: (i + j) % 2 == 0 or j == i)
            yield _rows(length, keys, lambda i, j: j == min(i, keys - 1))


def _rows(length: int, keys: int, sees: Callable[[int, int], bool]) -> str:
    rows = ("".join("01"[sees(i, j)] for j in range(keys)) for i in range(length))
    return ",".join(rows)
