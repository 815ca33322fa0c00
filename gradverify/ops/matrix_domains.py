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


def dominated(a: Any) -> Any:
    """The entries squeezed below 1, and a diagonal that is larger than their sum."""
    small = np.round(2.0**16 * squeezed(np.asarray(a))) / 2.0**16  # nothing tiny
    rows, columns = small.shape[-2:]
    return small + 2.0 * max(rows, columns) * np.eye(rows, columns)


def _nonsingular(a: Any, *others: Any, **params: Any) -> bool:
    return has_full_rank(a)


def _into_nonsingular(a: Any, *others: Any, **params: Any) -> Sequence[Any]:
    return (dominated(a), *others)


NONSINGULAR = Domain(_nonsingular, _into_nonsingular)
"""The first operand has full rank; the others may be anything."""


def has_positive_eigenvalues(a: Any) -> bool:
    """Whether the symmetric part of every matrix is positive definite."""
    if not is_finite(a):
        return False
    wide = np.asarray(a, np.float64)
    values = np.linalg.eigvalsh(wide / 2 + np.swapaxes(wide, -1, -2) / 2)
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
    moved = np.empty_like(dominated(a))
    moved[..., list(order), :] = dominated(a)
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
