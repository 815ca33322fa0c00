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
