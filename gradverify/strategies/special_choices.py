"""Special functions: params that are legal for them alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gradverify.ops import Shape

SPECIAL_CHOICES: Mapping[str, Callable[[Shape], Iterable[Any]]] = {
    "polygamma.n": lambda shape: (1, 2, 0, 3),
}
