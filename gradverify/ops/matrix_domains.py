"""Domains of linear algebra: which matrices have an inverse, a root, a simple spectrum.

A matrix counts as singular where its format cannot tell: where its smallest singular
value is less than a thousand roundings of its largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.ops.domains import Domain, squeezed

ROUNDINGS = 1000.0  # of the largest singular value: a smaller one counts as zero


def unit_of(a: Any) -> float:
    """The distance from 1 to the next number, of double precision at most."""
    kind = np.asarray(a).dtype
    return float(max(np.finfo(kind if kind.kind == "f" else float).eps, 2.0**-52))


def is_finite(a: Any) -> bool:
    """Whether every entry is a finite double."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.asarray(a, np.float64)).all())


def has_full_rank(a: Any) -> bool:
    """Whether every matrix has its full rank, beyond what rounding hides."""
    if not is_finite(a):
        return False
    sizes = np.linalg.svd(np.asarray(a, np.float64), compute_uv=False)
    least = ROUNDINGS * unit_of(a) * sizes[..., 0]
    return bool(np.all(sizes[..., -1] > least))


def symmetric_part(a: Any) -> Any:
    """The mean of every matrix and its transpose, in doubles."""
    wide = np.asarray(a, np.float64)
    return wide / 2 + np.swapaxes(wide, -1, -2) / 2


def small_entries(a: Any) -> Any:
    """The entries squeezed below 1, of which none is tiny."""
    return np.round(2.0**16 * squeezed(np.asarray(a))) / 2.0**16


def dominated(a: Any) -> Any:
    """Small entries, and a diagonal that is larger than their sum."""
    small = small_entries(a)
    rows, columns = small.shape[-2:]
    return small + 2.0 * max(rows, columns) * np.eye(rows, columns)


def _nonsingular(a: Any, *others: Any, **params: Any) -> bool:
    return has_full_rank(a)


def _into_nonsingular(a: Any, *others: Any, **params: Any) -> Sequence[Any]:
    return (dominated(a), *others)


NONSINGULAR = Domain(_nonsingular, _into_nonsingular)
"""The first operand has full rank; the others may be anything."""


LEAST_SHARE = 2.0**-8  # of the largest singular value: smaller ones are left out


def _both_full(a: Any, b: Any) -> bool:
    """Whether the product has the rank of its factors, beyond what rounding hides."""
    with np.errstate(all="ignore"):
        whole = np.matmul(np.asarray(a, np.float64), np.asarray(b, np.float64))
    for x in (a, b, whole):
        if not is_finite(x):
            return False
        sizes = np.linalg.svd(np.asarray(x, np.float64), compute_uv=False)
        last = sizes[..., np.shape(a)[-1] - 1]
        if not np.all(last > LEAST_SHARE * sizes[..., 0]):
            return False
    return True


BOTH_FULL = Domain(_both_full, lambda a, b: (dominated(a), dominated(b)))
"""A product of two matrices of full rank, which has their rank as well."""


def has_positive_eigenvalues(a: Any) -> bool:
    """Whether the symmetric part of every matrix is positive definite."""
    if not is_finite(a):
        return False
    values = np.linalg.eigvalsh(symmetric_part(a))
    least = ROUNDINGS * unit_of(a) * np.abs(values).max(axis=-1)
    return bool(np.all(values[..., 0] > least))


POSITIVE_DEFINITE = Domain(
    lambda a, **params: has_positive_eigenvalues(a),
    lambda a, **params: (dominated(a),),
)
"""The symmetric part is positive definite."""


def triangle_of(a: Any, upper: bool, unitriangular: bool = False) -> Any:
    """The triangle that an op reads."""
    part = (np.triu if upper else np.tril)(np.asarray(a))
    if unitriangular:
        eye = np.eye(part.shape[-1])
        part = part * (1 - eye) + eye
    return part


def _triangular(
    a: Any, *others: Any, upper: bool, unitriangular: bool = False, **params: Any
) -> bool:
    with np.errstate(all="ignore"):
        return has_full_rank(triangle_of(a, upper, unitriangular))


TRIANGULAR = Domain(_triangular, _into_nonsingular)
"""The triangle of the first operand that is read has full rank."""

SECOND_TRIANGULAR = Domain(
    lambda b, a, *, upper: _triangular(a, upper=upper),
    lambda b, a, **params: (b, dominated(a)),
)


def _first_columns(a: Any, **params: Any) -> bool:
    rows = np.shape(a)[-2]
    return has_full_rank(np.asarray(a)[..., :rows])


FIRST_COLUMNS = Domain(_first_columns, _into_nonsingular)
"""As many first columns as there are rows, or all of them, are independent."""


def _power(a: Any, *, n: int) -> bool:
    return n >= 0 or has_full_rank(a)


INVERTIBLE_POWER = Domain(_power, _into_nonsingular)


# ---- pivots

APART = 2.0**-20  # of a column's largest entry: others must be smaller by this
SMALLEST_PIVOT = 2.0**-10  # of the largest entry: by a smaller one all formulas lose


def pivoted(a: Any, order: Sequence[int]) -> bool:
    """Whether elimination with pivots takes the rows in that order, beyond doubt."""
    rest = np.asarray(a, np.float64)[..., list(order), :]
    rows, columns = rest.shape[-2:]
    largest = np.abs(rest).max(axis=(-2, -1))[..., None]
    for k in range(min(rows, columns)):
        column = np.abs(rest[..., k:, k])
        if not np.all(column[..., 1:] < (1.0 - APART) * column[..., :1]):
            return False
        if not np.all(column[..., :1] > SMALLEST_PIVOT * largest):
            return False
        ratio = rest[..., k:, k : k + 1] / rest[..., k : k + 1, k : k + 1]
        ratio[..., 0, :] = 0.0
        rest = rest.copy()
        rest[..., k:, :] -= ratio * rest[..., k : k + 1, :]
    return True


def _pivoted(a: Any, *, part: str, order: Sequence[int]) -> bool:
    return is_finite(a) and _first_columns(a) and pivoted(a, order)


def _into_pivoted(a: Any, *, part: str, order: Sequence[int]) -> Sequence[Any]:
    large = dominated(a)
    moved = np.empty_like(large)
    moved[..., list(order), :] = large
    return (moved,)


PIVOTED = Domain(_pivoted, _into_pivoted)
"""Elimination takes the rows in the given order; where two pivots tie, it jumps."""


# ---- exponentials

LARGEST_EXPONENT = 16.0  # of the largest row sum of a matrix


def _exponent(a: Any) -> bool:
    if not is_finite(a):
        return False
    sums = np.abs(np.asarray(a, np.float64)).sum(axis=-1)
    return bool(np.all(sums <= LARGEST_EXPONENT))


EXPONENT = Domain(_exponent, lambda a: (squeezed(np.asarray(a)),))
"""Where scaling by 64 makes a matrix small enough for a short series."""


# ---- spectra

GAP = 2.0**-8  # of the largest value: values that are nearer count as equal


def _apart(values: Any, k: int | None = None) -> bool:
    """Whether sorted values, or the k-th of them, are apart from all others."""
    values = np.asarray(values, np.float64)
    least = GAP * np.abs(values).max(axis=-1, keepdims=True)
    if not np.all(least > 0):
        return False
    near = np.abs(np.diff(values, axis=-1)) > least
    if k is None:
        return bool(near.all())
    beside = near[..., max(k - 1, 0) : k + 1]
    return bool(beside.all())


def spread(a: Any) -> Any:
    """Small entries beside a diagonal of numbers that are far apart."""
    rows, columns = np.shape(a)[-2:]
    return (
        small_entries(a)
        + np.diag(8.0 * (1.0 + np.arange(max(rows, columns))))[:rows, :columns]
    )


def _into_spread(a: Any, **params: Any) -> Sequence[Any]:
    return (spread(a),)


def _simple_symmetric(a: Any, *, k: int | None = None) -> bool:
    return is_finite(a) and _apart(np.linalg.eigvalsh(symmetric_part(a)), k)


SIMPLE_SYMMETRIC = Domain(_simple_symmetric, _into_spread)
"""All eigenvalues of the symmetric part are simple, or the k-th one alone."""


def _simple_real(a: Any) -> bool:
    if not is_finite(a):
        return False
    values = np.linalg.eigvals(np.asarray(a, np.float64))
    return bool(np.all(np.imag(values) == 0)) and _apart(np.sort(np.real(values)))


SIMPLE_REAL = Domain(_simple_real, _into_spread)


def _simple_sizes(a: Any, *, k: int | None = None) -> bool:
    """Singular values that are simple and not 0, or the k-th one alone."""
    if not is_finite(a):
        return False
    sizes = np.linalg.svd(np.asarray(a, np.float64), compute_uv=False)
    least = GAP * sizes[..., 0]
    chosen = sizes[..., -1 if k is None else k]
    return bool(np.all(chosen > least)) and _apart(sizes, k)


SIMPLE_SIZES = Domain(_simple_sizes, _into_spread)


# ---- norms


def _slices(x: Any, axis: Any) -> Any:
    """The largest size of every vector."""
    return np.abs(x).max(axis=None if axis is None else tuple(axis), initial=0.0)


def _has_norm(x: Any, *, ord: str, axis: Any, **params: Any) -> bool:
    """Where the norm is smooth or has a kink: no root of 0."""
    if ord in ("inf", "-inf", "1", "0"):
        return True
    if float(ord) < 1:
        return bool(np.all(np.asarray(x) != 0))
    return bool(np.all(_slices(x, axis) > 0))


def _ones_for_zeros(x: Any) -> Any:
    x = np.asarray(x)
    return np.where(x == 0, 1.0, x)


VECTORS = Domain(_has_norm, lambda x, **params: (_ones_for_zeros(x),))


def _has_matrix_norm(a: Any, *, ord: str, **params: Any) -> bool:
    if not is_finite(a):
        return False
    if ord == "fro":
        return bool(np.all(np.abs(a).max(axis=(-2, -1)) > 0))
    if ord not in ("nuc", "2", "-2"):
        return True
    sizes = np.linalg.svd(np.asarray(a, np.float64), compute_uv=False)
    is_square = np.shape(a)[-1] == np.shape(a)[-2]
    if ord == "nuc" and is_square:
        return bool(np.all(sizes[..., 0] > 0))
    smallest = bool(np.all(sizes[..., -1] > GAP * sizes[..., 0]))
    return smallest and (ord == "nuc" or _apart(sizes))


MATRICES = Domain(_has_matrix_norm, lambda a, **params: (spread(a),))


def _has_direction(x: Any, *, p: float, **params: Any) -> bool:
    return p in (1.0, 2.0, np.inf) or bool(np.all(np.asarray(x) != 0))


DIRECTIONS = Domain(_has_direction, lambda x, **params: (_ones_for_zeros(x),))
"""Vectors over their norm: beside 0 they are divided by eps."""


# Of the largest norm allowed: a norm that is nearer may be on either side.
OFF = 2.0**-10


def _off_largest(x: Any, *, p: float, axis: Any, most: float) -> bool:
    """Whether every norm is above or below the largest that is allowed, not near it."""
    if not is_finite(x) or not _has_direction(x, p=p):
        return False
    wide = np.asarray(x, np.float64)
    rows = np.moveaxis(wide, axis[0], 0).reshape(wide.shape[axis[0]], -1)
    with np.errstate(all="ignore"):
        sizes = np.linalg.norm(rows, p, axis=1)
    return bool(np.all(np.abs(sizes - most) > OFF * most))


OFF_LARGEST = Domain(
    _off_largest,
    lambda x, *, most, **_: (most * (2.0 + squeezed(np.asarray(x)) / 2.0),),
)
"""Slices whose norm is not the largest allowed, where they jump."""


def _differ(rest: Any, p: float) -> bool:
    if p in (1.0, np.inf):
        return True
    if p < 1:
        return bool(np.all(rest != 0))
    return bool(np.all(np.abs(rest).max(axis=-1, initial=0.0) > 0))


def _distances(a: Any, b: Any, *, p: float) -> bool:
    if not is_finite(a) or not is_finite(b):
        return False
    a, b = np.asarray(a), np.asarray(b)
    return _differ(a[..., :, None, :] - b[..., None, :, :], p)


def _into_distances(a: Any, b: Any, **params: Any) -> Sequence[Any]:
    """Every entry of b below every entry of a."""
    return (2.0 + squeezed(np.asarray(a)), squeezed(np.asarray(b)) - 2.0)


DISTANCES = Domain(_distances, _into_distances)


def _pairs(x: Any, *, p: float) -> bool:
    if not is_finite(x):
        return False
    x = np.asarray(x)
    first, second = np.triu_indices(x.shape[-2], 1)
    return _differ(x[..., first, :] - x[..., second, :], p)


def _into_pairs(x: Any, **params: Any) -> Sequence[Any]:
    small = squeezed(np.asarray(x))
    return (small + 4.0 * np.arange(small.shape[-2])[:, None],)


PAIRS = Domain(_pairs, _into_pairs)
"""No two rows are alike, nor two entries where the order is less than 1."""
