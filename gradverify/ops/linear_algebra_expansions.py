"""Expansions of linear algebra into primitives.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
Matrices lie along the last two axes; axes before them are batches. Matrices are small,
so that determinants and inverses are written out (Leibniz, Cramer). These formulas have
derivatives of every order, at singular matrices as well.

Libraries go by factorizations, which are backward stable in norm: what they compute is
exact for a matrix that is off by some roundings of its largest entry (Higham, 2002,
chapters 9 to 20). `backward_stable` says so of an operand.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.ops.functions import constant
from gradverify.ops.layer_expansions import array_of
from gradverify.ops.linear_algebra_shapes import diagonal_length
from gradverify.ops.maps import swapped


def backward_stable(m: Any, a: Any) -> Any:
    """The matrix, which an algorithm may have moved by roundings of its largest entry.

    As many as it has rows or columns: pivoting lets entries grow by little more
    (Higham, 2002, section 9.4). What goes back to it is a product of matrices, and is
    off by as many roundings of its own largest entry.
    """
    count = float(max(np.shape(a)[-2:]))
    size = m.peak(m.abs(a), axis=(-2, -1), keepdims=True)
    return m.moved_back(m.moved(a, count * size))


def product(m: Any, a: Any, b: Any) -> Any:
    """The matrix product, in batches."""
    if np.ndim(a) == 2 == np.ndim(b):
        return m.matmul(a, b)
    left = m.reshape(a, shape=(*np.shape(a), 1))
    *batch, inner, columns = np.shape(b)
    right = m.reshape(b, shape=(*batch, 1, inner, columns))
    return m.sum(left * right, axis=(-2,))


def picked(m: Any, a: Any, places: Any) -> Any:
    """Entries of every matrix, at the flat places of an integer array."""
    *batch, rows, columns = np.shape(a)
    flat = m.reshape(a, shape=(*batch, rows * columns))
    index = np.asarray(places)
    found = m.take(flat, axis=(-1,), index=tuple(index.ravel().tolist()))
    return m.reshape(found, shape=(*batch, *index.shape))


def numbers(m: Any, x: Any, rank: int = 2) -> Any:
    """One number for every matrix, with axes of length 1 for its rows and columns."""
    return m.reshape(x, shape=(*np.shape(x), *(1,) * rank))


# ---- determinants and inverses


def parity(order: Sequence[int]) -> int:
    """1 for an even permutation, -1 for an odd one."""
    pairs = itertools.combinations(order, 2)
    return -1 if sum(a > b for a, b in pairs) % 2 else 1


@lru_cache(maxsize=16)
def leibniz(n: int, sign: int) -> Any:
    """The flat places of the factors of all terms of one sign: (n, terms)."""
    orders = [p for p in itertools.permutations(range(n)) if parity(p) == sign]
    return np.array([[i * n + p[i] for p in orders] for i in range(n)])


@lru_cache(maxsize=16)
def cramer(n: int) -> tuple[Any, Any]:
    """The factors of the terms of an adjugate, and their signs.

    Returns flat places of shape (n - 1, n, n, terms), and signs of (n, n, terms).
    """
    terms = math.factorial(n - 1)
    places = np.zeros((n - 1, n, n, terms), int)
    signs = np.zeros((n, n, terms))
    for i, j in itertools.product(range(n), repeat=2):
        rows, columns = ([k for k in range(n) if k != gone] for gone in (j, i))
        for t, order in enumerate(itertools.permutations(range(n - 1))):
            places[:, i, j, t] = [
                r * n + columns[k] for r, k in zip(rows, order, strict=True)
            ]
            signs[i, j, t] = (-1) ** (i + j) * parity(order)
    return places, signs


def multiplied(m: Any, a: Any, places: Any) -> Any:
    """Products of entries: places of shape (factors, *shape) to (*batch, *shape)."""
    result = picked(m, a, places[0])
    for place in places[1:]:
        result = result * picked(m, a, place)
    return result


def leibniz_sum(m: Any, a: Any) -> Any:
    """The determinant as a sum over permutations."""
    n = np.shape(a)[-1]
    even = m.sum(multiplied(m, a, leibniz(n, 1)), axis=(-1,))
    if n == 1:
        return even
    return even - m.sum(multiplied(m, a, leibniz(n, -1)), axis=(-1,))


def adjugate(m: Any, a: Any) -> Any:
    """The matrix of cofactors, transposed."""
    n = np.shape(a)[-1]
    if n == 1:
        return 0.0 * a + 1.0
    places, signs = cramer(n)
    terms = multiplied(m, a, places) * array_of(m, signs, a)
    return m.sum(terms, axis=(-1,))


def inverted(m: Any, a: Any) -> Any:
    """The inverse by Cramer's rule."""
    return adjugate(m, a) / numbers(m, leibniz_sum(m, a))


LOGARITHM = 32.0


def det(m: Any, a: Any) -> Any:
    """The determinant.

    NumPy takes it as the exponential of its logarithm, and the derivative is a multiple
    of it. Both are off by a rounding of that logarithm, which is 32 at 1e14.
    """
    y = leibniz_sum(m, backward_stable(m, a))
    return m.slack(m.slack_back(y, constant(m, LOGARITHM)), LOGARITHM * y)


def slogdet(m: Any, a: Any) -> Any:
    """The logarithm of the size of the determinant."""
    return m.log(m.abs(leibniz_sum(m, backward_stable(m, a))))


def inv(m: Any, a: Any) -> Any:
    """The inverse."""
    return inverted(m, backward_stable(m, a))


# ---- entries that are chosen


def diagonal_places(shape: Sequence[int], offset: int) -> list[int]:
    """The flat places of a diagonal, `offset` places right of the main one."""
    rows, columns = shape
    start = offset if offset > 0 else -offset * columns
    return [
        start + k * (columns + 1) for k in range(diagonal_length(rows, columns, offset))
    ]


def trace(m: Any, a: Any, *, offset: int) -> Any:
    """The sum of a diagonal."""
    return m.sum(picked(m, a, diagonal_places(np.shape(a), offset)), axis=(-1,))


def diag(m: Any, a: Any, *, offset: int) -> Any:
    """The diagonal of a matrix, or the matrix with that diagonal."""
    if np.ndim(a) == 2:
        return picked(m, a, diagonal_places(np.shape(a), offset))
    n = np.shape(a)[0] + abs(offset)
    index = tuple(diagonal_places((n, n), offset))
    return m.reshape(m.put(a, axis=(-1,), index=index, length=n * n), shape=(n, n))


def diagonal(m: Any, a: Any, *, offset: int, axes: tuple[int, int]) -> Any:
    """The diagonals of the matrices along two axes."""
    rank = np.ndim(a)
    last = [k % rank for k in axes]
    order = (*(k for k in range(rank) if k not in last), *last)
    a = m.transpose(a, axes=order) if order != tuple(range(rank)) else a
    return picked(m, a, diagonal_places(np.shape(a)[-2:], offset))


def triu(m: Any, a: Any, *, offset: int) -> Any:
    """The entries on a diagonal and right of it; 0 elsewhere."""
    return m.where(np.triu(np.ones(np.shape(a), bool), offset), a, array_of(m, 0.0, a))


def tril(m: Any, a: Any, *, offset: int) -> Any:
    """The entries on a diagonal and left of it; 0 elsewhere."""
    return m.where(np.tril(np.ones(np.shape(a), bool), offset), a, array_of(m, 0.0, a))


# ---- products


def kron(m: Any, a: Any, b: Any) -> Any:
    """Every entry of a, times the whole of b."""
    (i, j), (k, n) = np.shape(a), np.shape(b)
    left = m.reshape(a, shape=(i, 1, j, 1))
    return m.reshape(left * m.reshape(b, shape=(1, k, 1, n)), shape=(i * k, j * n))


def outer(m: Any, a: Any, b: Any) -> Any:
    """Every entry of a, times the whole of b."""
    return m.reshape(a, shape=(*np.shape(a), 1)) * b


def cross(m: Any, a: Any, b: Any, *, axis: Sequence[int]) -> Any:
    """The vector product along one axis."""
    at = (axis[0] if axis[0] < 0 else axis[0] - np.ndim(a),)
    one, two = ((1, 2, 0), (2, 0, 1))
    first = m.take(a, axis=at, index=one) * m.take(b, axis=at, index=two)
    return first - m.take(a, axis=at, index=two) * m.take(b, axis=at, index=one)


# ---- systems


def transposed(m: Any, a: Any) -> Any:
    """Matrices with their rows as columns."""
    return swapped(m, a)
