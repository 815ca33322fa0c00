"""Functions over a module that has NumPy's: as rows of a table, and as source text.

Each takes that module first, as `np`. autograd and JAX share them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gradverify.differentiators.protocol import Rows
from gradverify.differentiators.spelling.source_rows import Row, defined


def numpy_like(np: Any, functions: Mapping[str, Callable[..., Any] | str]) -> Rows:
    """Rows of functions that take `np` first; a reason stays as it is."""
    return {
        op: f if isinstance(f, str) else partial(f, np) for op, f in functions.items()
    }


def numpy_like_spelling(
    np: str, functions: Mapping[str, Callable[..., Any] | str]
) -> dict[str, Row]:
    """How a script calls them; np is the name under which it imports the module."""
    return {op: _called(np, f) for op, f in functions.items() if not isinstance(f, str)}


def _called(np: str, function: Callable[..., Any]) -> Row:
    row = defined(function.__name__, function)
    return replace(row, text=partial(row.text, np))
