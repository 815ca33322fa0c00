"""Losses: which shapes their operands may have, and which params are legal."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape

PAIRS: tuple[tuple[Shape, ...], ...] = (
    ((2,), (2,)), ((2, 3), (2, 3)), ((1,), (1,)), ((1, 2), (1, 2)), ((3,), (3,)),
)  # fmt: skip
ROWS: tuple[tuple[Shape, ...], ...] = (((1, 2),), ((2, 3),), ((3, 2),), ((2, 4),))

# Simplest first.
LOSS_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = {
    **dict.fromkeys(("smooth_l1", "poisson_nll", "margin_ranking"), PAIRS),
    **dict.fromkeys(
        ("soft_margin", "hinge_embedding"), tuple(found[:1] for found in PAIRS)
    ),
    "pairwise_distance": (
        ((1, 2), (1, 2)), ((2, 3), (2, 3)), ((2,), (2,)), ((3, 1), (3, 1)),
    ),
    "cosine_embedding": (((1, 2), (1, 2)), ((2, 3), (2, 3)), ((3, 2), (3, 2))),
    "triplet_margin": tuple((s, s, s) for s in ((1, 2), (2, 3), (3, 2))),
    **dict.fromkeys(("multi_margin", "multilabel_margin"), ROWS),
    **dict.fromkeys(
        ("multilabel_soft_margin", "soft_cross_entropy"), tuple(x * 2 for x in ROWS)
    ),
    "gaussian_nll": (
        ((2,), (2,), (2,)), ((2, 3), (2, 3), (2, 3)), ((2, 3), (2, 3), (2, 1)),
        ((1, 2), (1, 2), (1, 1)),
    ),
    "ctc": (((2, 1, 2),), ((3, 2, 3),), ((3, 1, 3),), ((4, 1, 2),), ((4, 2, 3),)),
}  # fmt: skip


def _signs(shape: Shape) -> Iterable[Any]:
    """All alike, and in turn: a sign for each entry, or for each row."""
    for n in dict.fromkeys((math.prod(shape), *shape[:1])):
        yield from ((1,) * n, (-1,) * n)
        yield tuple((-1) ** k for k in range(n))
        yield tuple((-1) ** (k + 1) for k in range(n))


def _labels(shape: Shape) -> Iterable[Any]:
    """The right classes of each row, then -1; none or all among them."""
    if len(shape) != 2 or not shape[1]:
        return
    rows, classes = shape
    end = (-1,) * classes
    some = [(0,), (classes - 1, 0), (), tuple(range(classes)), (classes - 1,)]
    some = [tuple(dict.fromkeys(found)) for found in some]
    for k in range(len(some)):
        each = (some[(k + row) % len(some)] for row in range(rows))
        yield tuple(c for found in each for c in (*found, *end)[:classes])
    yield (*((0, *end)[:classes]),) * rows


def _spelled(shape: Shape) -> Iterable[Any]:
    """Targets of all rows one after the other: classes in turn, and repeated ones."""
    if len(shape) == 3 and shape[2] > 1:
        rows, classes = shape[1:]
        for n in dict.fromkeys((rows, 2 * rows, rows - 1, rows + 1, 0)):
            for least, most in ((1, classes), (0, classes - 1)):
                yield tuple(least + k % (most - least) for k in range(n))
                yield (most - 1,) * n


def _lengths(shape: Shape) -> Iterable[Any]:
    rows = shape[1] if len(shape) == 3 else 0
    yield from itertools.product((1, 2, 0), repeat=rows)


def _steps(shape: Shape) -> Iterable[Any]:
    if len(shape) == 3:
        yield (shape[0],) * shape[1]
        yield (*(shape[0],) * (shape[1] - 1), max(1, shape[0] - 1))


def _blanks(shape: Shape) -> Iterable[Any]:
    yield 0
    if len(shape) == 3:
        yield shape[2] - 1


def _classes(shape: Shape) -> Iterable[Any]:
    """Of a margin loss: every class is meant, and one more than once."""
    if len(shape) == 2 and shape[1]:
        rows, classes = shape
        yield tuple(k % classes for k in range(rows))
        yield tuple((-1 - k) % classes for k in range(rows))
        yield (0,) * rows


# By param, or by op and param.
LOSS_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "beta": lambda shape: (1.0, 0.5, 2.0),
    "margin": lambda shape: (1.0, 0.5, 2.0),
    "cosine_embedding.margin": lambda shape: (0.0, 0.5, -0.25),
    "signs": _signs,
    **dict.fromkeys(
        ("pairwise_distance.p", "triplet_margin.p"), lambda shape: (2.0, 1.0, 3.0)
    ),
    **dict.fromkeys(
        ("pairwise_distance.eps", "triplet_margin.eps"), lambda shape: (1e-6, 0.5)
    ),
    "poisson_nll.eps": lambda shape: (1e-8, 0.5),
    "gaussian_nll.eps": lambda shape: (1e-6, 0.25),
    **dict.fromkeys(("swap", "full"), lambda shape: (False, True)),
    "log_input": lambda shape: (True, False),
    "multi_margin.p": lambda shape: (1, 2),
    "multi_margin.target": _classes,
    "multilabel_margin.target": _labels,
    "ctc.target": _spelled,
    "ctc.lengths": _lengths,
    "steps": _steps,
    "blank": _blanks,
}
