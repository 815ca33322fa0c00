"""A right and a wrong derivative of one function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CAPTURED, DIFFERENCED = "the captured program", "differences of the function"


@dataclass(frozen=True)
class Pair:
    """A function with a right derivative and one with a wrong one, at arguments.

    right, wrong: the functions; by hand, one function and what `check` gets beside.
    truth: what judges them, as a verdict says it.
    """

    name: str
    right: Callable[..., Any]
    wrong: Callable[..., Any]
    args: tuple[Any, ...]
    truth: str = CAPTURED
    options: tuple[dict[str, Any], dict[str, Any]] = field(default=({}, {}))
