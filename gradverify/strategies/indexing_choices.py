"""Choosing, putting and moving entries: shapes of operands, and legal params."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape

ROWS: tuple[tuple[Shape, ...], ...] = (
    ((2,),), ((3,),), ((2, 3),), ((1,),), ((3, 2),), ((4,),), ((5,),), ((2, 1, 2),),
)  # fmt: skip
MATRICES: tuple[tuple[Shape, ...], ...] = (
    ((2, 2),), ((2, 3),), ((3, 1),), ((2, 2, 2),),
)  # fmt: skip
PAIRS: tuple[tuple[Shape, ...], ...] = (
    ((2,), (2,)), ((3,), (2,)), ((2, 3), (2, 3)), ((2,), (4,)), ((3, 2), (1, 2)),
    ((2, 2), (2, 3)), ((3,), (5,)),
)  # fmt: skip

# fmt: off
INDEXING_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = {
    **dict.fromkeys(("gather", "take_along_axis", "index_select", "masked_select", "segment_reduce"), ROWS),
    **dict.fromkeys(("cumprod", "logcumsumexp", "flip", "roll", "repeat", "tile"), ROWS),
    **dict.fromkeys(("scatter_add", "scatter_reduce"), PAIRS),
    "scatter":     (((2,), (2,)), ((3,), (2,)), ((2, 3), (2, 3)), ((3, 2), (1, 2))),
    "index_add":   PAIRS,
    "index_put":   (((2,), (2,)), ((3,), (2,)), ((2, 3), (2, 3)), ((3, 2), (1, 2)), ((2,), (4,)), ((2, 2), (3, 2))),
    "diff":        (((2,),), ((3,),), ((2, 3),), ((4,),), ((3, 2),)),
    "rot90":       MATRICES,
    "pad_axis":    (((2,),), ((3,),), ((2, 3),), ((1,),), ((4,),), ((2, 1, 2),)),
}
# fmt: on


def _of_lines(shape: Shape) -> Iterable[Any]:
    """A place for each entry of one line or several: up, down, all alike, in turn."""
    for n in dict.fromkeys(shape):
        size = 1
        for length in shape:
            size *= length
        others = size // n if n else 0
        for k in dict.fromkeys((n, 1, n + 1)):
            count = k * others
            yield tuple(i // max(others, 1) % n for i in range(count))
            yield tuple((-1 - i) % n for i in range(count))
            yield (n - 1,) * count


def _of_slices(shape: Shape) -> Iterable[Any]:
    """Slices along any axis: some twice, some not at all."""
    for n in dict.fromkeys(shape):
        yield from ((0,), tuple(range(n)), (n - 1, 0), (0, 0), (n - 1, 0, n - 1))
        yield from ((0, 0, 0, n - 1), (n - 1, 0, 0, n - 1, 0))


def _chosen(shape: Shape) -> Iterable[Any]:
    size = 1
    for length in shape:
        size *= length
    yield (1,) * size
    yield (1, *(0,) * (size - 1))
    yield tuple(k % 2 for k in range(size))
    yield tuple(int(k % 3 != 1) for k in range(size))


def _segments(shape: Shape) -> Iterable[Any]:
    n = shape[0] if shape else 1
    yield (0,) * n
    yield tuple(range(n))
    yield tuple(k // 2 for k in range(n))
    yield (0, *(1,) * (n - 1))


def _lines_of_pairs(shape: Shape) -> Iterable[Any]:
    """For the second operand's shapes of `PAIRS`, places in the first."""
    size = 1
    for length in shape:
        size *= length
    for n in dict.fromkeys(shape):
        for count in dict.fromkeys((size, 2, 4, 5, 6)):
            yield tuple(i % n for i in range(count))
            yield tuple((i // max(1, size // n)) % n for i in range(count))
            yield (n - 1,) * count


INDEXING_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    **{f"{op}.index": _of_lines for op in ("gather", "take_along_axis")},
    **{
        f"{op}.index": _lines_of_pairs
        for op in ("scatter", "scatter_add", "scatter_reduce")
    },
    **{f"{op}.index": _of_slices for op in ("index_select", "index_add", "index_put")},
    "diff.n": lambda shape: (1, 2, 3),
    "index_add.alpha": lambda shape: (1.0, -0.5, 2.0),
    "reduce": lambda shape: (
        "sum", "prod", "mean", "amax", "amin", "max", "min",
    ),
    "include_self": lambda shape: (True, False),
    "accumulate": lambda shape: (True, False),
    "chosen": _chosen,
    "segments": _segments,
    "k": lambda shape: (1, 2, 3, -1, 0, 4),
    "shift": lambda shape: (1, -1, 2, 5),
    "repeats": lambda shape: (2, 1, 3),
    "reps": lambda shape: (
        (2,), (1,), (3,), (2, 1), (1, 2), (2, 3), (1, 1), (1, 2, 1), (2, 1, 2),
    ),
    "before": lambda shape: (1, 0, 2),
    "after": lambda shape: (0, 1, 2),
    "mode": lambda shape: ("constant", "reflect", "edge", "wrap"),
    "pad_axis.value": lambda shape: (0.0, 1.5),
}  # fmt: skip
