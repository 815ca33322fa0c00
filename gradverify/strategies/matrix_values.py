"""Matrices in which rules of linear algebra break: singular ones, repeated values.

Drawn entries make matrices that are almost always badly scaled and never singular. So
most of them are replaced by one of a kind below, made of the same entries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradverify.graph import Array

NEAR = 2.0**-20  # how far nearly singular matrices are from singular ones


def _squeezed(x: Array) -> Array:
    """Entries of ordinary size and of few digits, in their order."""
    small: Array = np.round(2.0**16 * x / (1.0 + np.abs(x))) / 2.0**12
    return small


def _unit(x: Array) -> Array:
    rows, columns = x.shape[-2:]
    return np.broadcast_to(np.eye(rows, columns), x.shape)


def _scale(x: Array) -> Array:
    """One number of ordinary size for each matrix, not 0."""
    first = _squeezed(x[..., :1, :1])
    return np.where(first == 0, 1.0, first)


def _dominated(x: Array) -> Array:
    """Well-conditioned: a large diagonal."""
    return _squeezed(x) / 4.0 + 6.0 * _unit(x)


def _symmetric(x: Array) -> Array:
    if x.shape[-1] != x.shape[-2]:
        return _squeezed(x)
    small = _squeezed(x)
    return small + np.swapaxes(small, -1, -2)


def _singular(x: Array) -> Array:
    """The last row is the first one."""
    small = _squeezed(x)
    small[..., -1, :] = small[..., 0, :]
    return small


def _nearly_singular(x: Array) -> Array:
    small = _singular(x)
    small[..., -1, :] *= 1.0 + NEAR
    small[..., -1, -1] += NEAR
    return small


def _rank_one(x: Array) -> Array:
    small = _squeezed(x)
    return small[..., :, :1] * small[..., :1, :]


def _repeated(x: Array) -> Array:
    """A multiple of a rotation: all singular values are equal."""
    turn = _unit(x).copy()
    if min(x.shape[-2:]) > 1:
        turn[..., :2, :2] = ((0.6, 0.8), (-0.8, 0.6))
    return _scale(x) * turn


def _diagonal(x: Array) -> Array:
    """Zeros beside a diagonal in which numbers may be equal."""
    return _squeezed(x) * _unit(x)


def _unit_multiple(x: Array) -> Array:
    return _scale(x) * _unit(x)


def _triangular(x: Array) -> Array:
    return np.triu(_squeezed(x))


def _first_zero(x: Array) -> Array:
    """The first matrix of a batch is zero; alone, it has a zero row."""
    small = _squeezed(x)
    if small.ndim > 2:
        small.reshape(-1, *small.shape[-2:])[0] = 0.0
    else:
        small[0] = 0.0
    return small


def _two_equal(x: Array) -> Array:
    """A multiple of the unit but for its last entry: one simple value, others equal."""
    made = _unit_multiple(x).copy()
    made[..., -1, :] *= 3.0
    return made


KINDS: Sequence[Callable[[Array], Array]] = (
    lambda x: x,
    _dominated,
    _squeezed,
    _symmetric,
    _singular,
    _nearly_singular,
    _repeated,
    _diagonal,
    _triangular,
    _first_zero,
    _rank_one,
    _unit_multiple,
    _two_equal,
)


def matrix_of(x: Array, choice: int) -> Array:
    """A matrix of the kind that a choice means, made of drawn entries.

    Vectors and numbers stay as they are.
    """
    if x.ndim < 2 or not x.size:
        return x
    made = KINDS[choice % len(KINDS)](np.asarray(x, np.float64))
    return np.asarray(made, x.dtype)
