"""Linear algebra: which shapes operands may have, and which params are legal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape

SQUARE: tuple[tuple[Shape, ...], ...] = (
    ((2, 2),), ((2, 2, 2),), ((3, 3),), ((1, 1),), ((1, 3, 3),), ((2, 1, 1),),
)  # fmt: skip

# Simplest first.
# fmt: off
LINEAR_ALGEBRA_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = {
    "trace":    (((2, 2),), ((2, 3),), ((3, 2),), ((3, 3),), ((1, 1),)),
    "diag":     (((2,),), ((2, 2),), ((3,),), ((2, 3),), ((1,),), ((3, 2),)),
    "diagonal": (((2, 2),), ((2, 3),), ((2, 2, 3),), ((3, 2, 2),)),
    "triu":     (((2, 2),), ((2, 3),), ((2, 2, 2),), ((3, 2),)),
    "tril":     (((2, 2),), ((2, 3),), ((2, 2, 2),), ((3, 2),)),
    "kron":     (((1, 2), (2, 1)), ((2, 2), (2, 2)), ((1, 1), (2, 3))),
    "outer":    (((1,), (2,)), ((2,), (2,)), ((2,), (3,)), ((3,), (1,))),
    "cross":    (((3,), (3,)), ((2, 3), (2, 3)), ((3, 2), (3, 2)), ((1, 3), (2, 3))),
    "det":      (*SQUARE, ((4, 4),)),
    "slogdet":  SQUARE,
    "inv":      SQUARE,
}
# fmt: on


def _planes(shape: Shape) -> Iterable[Any]:
    """Pairs of axes, in both orders and from both ends."""
    rank = len(shape)
    if rank > 1:
        yield from ((-2, -1), (-1, -2), (0, 1), (1, 0))
        yield from (p for p in itertools.permutations(range(rank), 2) if max(p) > 1)


# By param, or by op and param.
LINEAR_ALGEBRA_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "offset": lambda shape: (0, 1, -1, 2),
    "diagonal.axes": _planes,
}
