"""Choosing and moving entries in NumPy's spelling, as autograd and JAX have it.

Every function takes `np`, the module that has NumPy's functions. One that a library
does not have, or spells otherwise, is in the library's own folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

Sizes = Sequence[int]


def places(shape: Any, axis: int, index: Sizes) -> Any:
    """The index of entries in `shape`, each moved along one axis."""
    where = list(numpy.indices(shape))
    where[axis] = numpy.reshape(index, shape)
    return tuple(where)


def lines(x: Any, axis: int, index: Sizes) -> list[int]:
    """The shape of as many entries as there are indices, along one axis of x."""
    shape = list(x.shape)
    shape[axis] = len(index) * shape[axis] // x.size
    return shape


def masked_select(np: Any, x: Any, chosen: Sizes) -> Any:
    return x[numpy.reshape(chosen, x.shape) == 1]


def diff(np: Any, x: Any, n: int, axis: Sizes) -> Any:
    return np.diff(x, n, axis[0])


def roll(np: Any, x: Any, shift: int, axis: Sizes) -> Any:
    return np.roll(x, shift, axis[0])


def rot90(np: Any, x: Any, k: int) -> Any:
    return np.rot90(x, k)


def repeat(np: Any, x: Any, repeats: int, axis: Sizes) -> Any:
    return np.repeat(x, repeats, axis[0])


def tile(np: Any, x: Any, reps: Sizes) -> Any:
    return np.tile(x, tuple(reps))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f for f in (masked_select, diff, roll, rot90, repeat, tile)
}
