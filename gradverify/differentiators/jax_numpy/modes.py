"""How JAX is asked for a derivative: a mode is one method.

The name of the method stands in ids. A script that shows a deviation calls the library
as the mode's row in `TAILS` (`spelling.py`) says; without a row it calls the method.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from gradverify.differentiators.jax_numpy.settings import settings
from gradverify.differentiators.protocol import (
    Differentiator,
    Lowered,
    Pulled,
    mode,
)
from gradverify.graph import Array

KEPT = 64  # compiled gradients; a sweep needs one at a time, a search some more


class JaxModes(Differentiator):
    """The modes, each compiled once for all points of a graph; abstract."""

    compiles = True

    def __init__(self) -> None:
        self._compiled: dict[Hashable, Callable[..., Any]] = {}

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """The value and all cotangents in one compiled call."""
        with settings(function.dtype):
            value, cotangents = self._gradient(function)(*point)
        return Pulled(value, list(cotangents))

    def _gradient(self, function: Lowered) -> Callable[..., Any]:
        """The compiled gradient; the one before where graph, dtype and rows are its."""
        rows = tuple(function.table[op] for op in function.graph.ops)
        key = (function.graph, function.dtype, rows)
        if key not in self._compiled:
            while len(self._compiled) >= KEPT:
                del self._compiled[next(iter(self._compiled))]
            self._compiled[key] = _compiled(function)
        return self._compiled[key]


def _compiled(function: Lowered) -> Callable[..., Any]:
    import jax

    def output(*inputs: Any) -> Any:
        value = function(*inputs)
        # a graph of literals alone gives a Python number
        is_array = isinstance(value, jax.Array)
        return value if is_array else jax.numpy.asarray(value, function.dtype)

    wrt = tuple(range(len(function.graph.inputs)))
    both = jax.value_and_grad(output, argnums=wrt) if wrt else lambda: (output(), ())
    found: Callable[..., Any] = jax.jit(both)  # no gradient by nothing in JAX
    return found
