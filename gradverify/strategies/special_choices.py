"""Special functions: params that are legal for them alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape

# Drawn alone: one such value takes milliseconds.
SPECIAL_SHAPES: Mapping[str, tuple[tuple[Shape, ...], ...]] = dict.fromkeys(
    ("igamma", "igammac"), (((), ()), ((2,), (2,)), ((2,), ()), ((2, 1), (2,)))
)

SPECIAL_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "polygamma.n": lambda shape: (1, 2, 0, 3),
}
