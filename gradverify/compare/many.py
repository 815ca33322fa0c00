"""Arrays of very many entries: which of them a judgement must look at.

Array operations pick the worst entries. These are then judged one by one, as entries of
small arrays are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mpmath import mpf

from gradverify.compare.entries import DROPPED_PATH
from gradverify.graph import Array
from gradverify.reference import Bound, Doubled


def noteworthy(
    got: Array, exact: Doubled, bound: Bound, paths: Array | None
) -> list[tuple[int, ...]]:
    """The worst entry of each kind: wrong, not a number, imprecise, right, not seen."""
    error = exact.error(got)
    wrong = ~(error <= bound.loose)
    unseen = ~np.isfinite(bound.loose)
    if paths is not None:
        unseen |= DROPPED_PATH * bound.tight > paths
    imprecise = error > bound.tight
    kinds = (
        wrong & np.isfinite(got),
        wrong & ~np.isfinite(got),
        imprecise & ~wrong & ~unseen,
        ~imprecise & ~unseen,
        unseen & ~wrong,
    )
    with np.errstate(all="ignore"):
        ratio = np.where(error == 0.0, 0.0, error / bound.loose)
    found = []
    for kind in kinds:
        if np.any(kind):
            k = int(np.argmax(np.where(kind, np.nan_to_num(ratio, nan=0.0), -1.0)))
            found.append(tuple(int(i) for i in np.unravel_index(k, got.shape)))
    return found


def wrong_entries(
    got: Sequence[Any], exact: Sequence[Any], bounds: Sequence[Bound]
) -> int:
    """How many entries are outside their bounds; 0 if there is no large array."""
    if not any(isinstance(x, Doubled) for x in exact):
        return 0
    return sum(
        int(np.count_nonzero(~(_errors(x, np.asarray(g)) <= b.loose)))
        for g, x, b in zip(got, exact, bounds, strict=True)
        if g is not None
    )


def _errors(exact: Any, got: Array) -> Array:
    if isinstance(exact, Doubled):
        return exact.error(got)
    lifted = np.frompyfunc(lambda g, x: float(abs(mpf(float(g)) - x)), 2, 1)
    return np.asarray(lifted(got, exact), np.float64)
