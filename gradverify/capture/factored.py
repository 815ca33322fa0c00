"""Factors of matrices: what a library chooses among them, and our ops do not say.

Eigenvectors and singular vectors have a sign, and the rows of a QR factor have one.
The op table has what the signs cancel in: projectors, and factors with a positive
diagonal. The library's own result says which sign it took; it is a constant of the
branch. Matrices stand along the last two axes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.capture.moved_entries import reshaped, taken
from gradverify.capture.trace_notes import TraceNotes
from gradverify.graph import Array


def _column(x: Symbol) -> Symbol:
    return reshaped(x, (*x.shape, 1))


def _side_by_side(columns: list[Symbol]) -> Symbol:
    whole = _column(columns[0])
    for one in columns[1:]:
        whole = m.concatenate(whole, _column(one), axis=(-1,))
    return whole


def _row_vector(product: Symbol, left: Array, seen: TraceNotes) -> Symbol:
    """v, where a product is u v.T, and u is known as the library gave it.

    The row of the largest entry of u is v times that entry.
    """
    at = np.argmax(np.abs(left), axis=-1)
    signs = np.sign(np.take_along_axis(left, at[..., None], -1))
    seen.decided.append(at)
    seen.decided.append(signs)
    places = np.arange(int(np.prod(product.shape))).reshape(product.shape)
    index = np.take_along_axis(places, at[..., None, None], -2)[..., 0, :]
    row = taken(product, index)
    size = m.norm(row, axis=(-1,), keepdims=True)
    found: Symbol = m.div(row, size) * product.program.lift(signs.astype(float))
    return found


def eigenvectors(x: Symbol, given: Array, seen: TraceNotes) -> Symbol:
    """The eigenvectors of symmetric matrices, as columns, with the library's signs."""
    found = []
    for k in range(given.shape[-1]):
        projector = m.eigh(x, k=k)
        found.append(_row_vector(projector, given[..., :, k], seen))
    return _side_by_side(found)


def singular_vectors(
    x: Symbol, left: Array, count: int, seen: TraceNotes
) -> tuple[Symbol, Symbol]:
    """U and V.T, of which U is known as the library gave it, for so many of them."""
    ones, others = [], []
    for k in range(count):
        product = m.svd(x, k=k)
        v = _row_vector(product, left[..., :, k], seen)
        wide = reshaped(v, (*v.shape[:-1], 1, v.shape[-1]))
        ones.append(m.sum(m.mul(product, wide), axis=(-1,), keepdims=False))
        others.append(v)
    columns = _side_by_side(others)
    rank = columns.ndim
    turned = (*range(rank - 2), rank - 1, rank - 2)
    return _side_by_side(ones), m.transpose(columns, axes=turned)


def orthogonal_factors(
    x: Symbol, triangle: Array, seen: TraceNotes
) -> tuple[Symbol, Symbol]:
    """Q and R, with the signs of the diagonal of the library's R."""
    signs = np.sign(np.diagonal(triangle, axis1=-2, axis2=-1)).astype(float)
    signs = np.where(signs == 0, 1.0, signs)
    seen.decided.append(signs)
    lift = x.program.lift
    q, r = m.qr(x, part="q"), m.qr(x, part="r")
    return m.mul(q, lift(signs[..., None, :])), m.mul(r, lift(signs[..., :, None]))


def row_order(pivots: Array, rows: int) -> tuple[int, ...]:
    """The order of the rows that LAPACK's interchanges come to; they count from 0."""
    order = list(range(rows))
    for k, other in enumerate(pivots):
        order[k], order[int(other)] = order[int(other)], order[k]
    return tuple(order)


def triangular_factors(x: Symbol, order: tuple[int, ...]) -> tuple[Symbol, Symbol]:
    """L and U, whose pivots take the rows of a matrix in that order."""
    return m.lu(x, part="l", order=order), m.lu(x, part="u", order=order)


def packed(lower: Symbol, upper: Symbol, shape: tuple[int, ...]) -> Symbol:
    """L below the diagonal and U above it, in one matrix, as LAPACK has them."""
    rows, columns = shape[-2:]
    least = min(rows, columns)
    below = np.tri(rows, columns, -1, dtype=bool)
    left = _padded(lower, -1, columns - least)
    right = _padded(upper, -2, rows - least)
    found: Symbol = m.where(np.broadcast_to(below, shape), left, right)
    return found


def _padded(x: Symbol, axis: int, after: int) -> Symbol:
    if not after:
        return x
    shape = list(x.shape)
    shape[axis] = after
    zeros = x.program.lift(np.zeros(shape))
    found: Symbol = m.concatenate(x, zeros, axis=(axis,))
    return found


def triangle(x: Any, *, lower: bool, unit: bool) -> Any:
    """One triangle of packed factors; with ones on the diagonal if `unit`."""
    ones, away = np.ones(x.shape, bool), int(unit)
    mask = np.tril(ones, -away) if lower else np.triu(ones, away)
    return m.where(mask, x, np.broadcast_to(np.eye(x.shape[-1]) * unit, x.shape))
