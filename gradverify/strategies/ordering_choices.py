"""Order: shapes of operands, legal params, and lines in which entries tie."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from gradverify.graph import Array
from gradverify.ops import Shape

LINES: tuple[tuple[Shape, ...], ...] = (
    ((2,),), ((3,),), ((2, 3),), ((1,),), ((3, 2),), ((4,),), ((2, 1, 2),),
)  # fmt: skip

# fmt: off
ORDERING_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = {
    **dict.fromkeys(("sort", "topk", "kthvalue", "median", "cummax", "cummin"), LINES),
    "interp": (((), (2,)), ((2,), (3,)), ((3,), (3,)), ((2, 2), (4,))),
}
# fmt: on

KNOTS = (
    (0.0, 1.0), (-1.0, 0.5), (-1.0, 0.0, 2.0), (0.0, 1.0, 4.0),
    (-2.0, -1.0, 0.5, 3.0),
)  # fmt: skip

ORDERING_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    **{f"{op}.k": lambda shape: (1, 2, 3, 4) for op in ("topk", "kthvalue")},
    "descending": lambda shape: (False, True),
    "largest": lambda shape: (True, False),
    "knots": lambda shape: KNOTS,
}

KINDS = 8  # of so many choices, one leaves what is drawn as it is


def tied(x: Array, choice: int) -> Array:
    """Lines of which the entries are as drawn, tie in two or three places, or in none.

    Of n equal entries there are n! orders, and each is a derivative. So most lines are
    moved apart, and ties of more than three are left to what is drawn by chance.
    """
    flat: Array = np.array(x).reshape(-1)
    kind = choice % KINDS
    if kind > 2:
        with np.errstate(all="ignore"):
            moved = flat + (1.0 + np.abs(flat)) * np.arange(flat.size) / 8.0
        flat = np.where(np.isfinite(moved), moved, flat).astype(flat.dtype)
    elif kind and flat.size > kind:
        flat[-kind:] = flat[0]
    return flat.reshape(np.shape(x))
