"""Linear algebra in NumPy's spelling, as autograd and JAX have it.

Every function takes `np`, the module that has NumPy's functions. One that a library
does not have, or spells otherwise, is in the library's own folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from gradverify.differentiators.protocol import Rows
from gradverify.differentiators.spelling.source_rows import Row, defined


def trace(np: Any, x: Any, offset: int) -> Any:
    return np.trace(x, offset)


def diag(np: Any, x: Any, offset: int) -> Any:
    return np.diag(x, offset)


def diagonal(np: Any, x: Any, offset: int, axes: tuple[int, int]) -> Any:
    return np.diagonal(x, offset, *axes)


def triu(np: Any, x: Any, offset: int) -> Any:
    return np.triu(x, offset)


def tril(np: Any, x: Any, offset: int) -> Any:
    return np.tril(x, offset)


def kron(np: Any, a: Any, b: Any) -> Any:
    return np.kron(a, b)


def outer(np: Any, a: Any, b: Any) -> Any:
    return np.outer(a, b)


def cross(np: Any, a: Any, b: Any, axis: Sequence[int]) -> Any:
    return np.cross(a, b, axis=axis[0])


def det(np: Any, x: Any) -> Any:
    return np.linalg.det(x)


def slogdet(np: Any, x: Any) -> Any:
    return np.linalg.slogdet(x)[1]


def inv(np: Any, x: Any) -> Any:
    return np.linalg.inv(x)


def solve(np: Any, a: Any, b: Any, left: bool) -> Any:
    if left:
        return np.linalg.solve(a, b)
    found = np.linalg.solve(np.swapaxes(a, -1, -2), np.swapaxes(b, -1, -2))
    return np.swapaxes(found, -1, -2)


def cholesky(np: Any, x: Any, upper: bool) -> Any:
    lower = np.linalg.cholesky((x + np.swapaxes(x, -1, -2)) / 2)
    return np.swapaxes(lower, -1, -2) if upper else lower


def pinv(np: Any, x: Any) -> Any:
    return np.linalg.pinv(x)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        trace, diag, diagonal, triu, tril, kron, outer, cross,
        det, slogdet, inv, solve, cholesky, pinv,
    )
}  # fmt: skip


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
