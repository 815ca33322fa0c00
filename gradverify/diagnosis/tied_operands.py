"""A rule that is wrong where two operands are equal, and right beside that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradverify.compare import compare
from gradverify.diagnosis.explain_case import Look
from gradverify.graph import Array, Case
from gradverify.reference import reference
from gradverify.verdict import Verdict

APART = (1.0 + 2.0**-6, 1.0 - 2.0**-6)  # by what equal numbers are moved apart
TOGETHER = (1.0 + 2.0**-5, 1.0 - 2.0**-4)  # and both at once


def is_wrong_at_ties(alone: Case, look: Look) -> bool:
    """Whether an op alone deviates where its two operands are equal, and there alone.

    At other equal numbers it must deviate as well, so that it is not these numbers.
    """
    if len(alone.point) != 2 or alone.point[0].shape != alone.point[1].shape:
        return False
    tied = (alone.point[0] == alone.point[1]) & (alone.point[0] != 0.0)
    if not np.any(tied):
        return False
    first, second = alone.point
    together = [(_by(first, tied, f), _by(second, tied, f)) for f in (1.0, *TOGETHER)]
    apart = [(first, _by(second, tied, f)) for f in APART]
    return all(_verdict(alone, p, look) is Verdict.WRONG for p in together) and all(
        _verdict(alone, p, look) is Verdict.AGREES for p in apart
    )


def _by(x: Array, where: Array, factor: float) -> Array:
    return np.asarray(np.where(where, factor * x, x), x.dtype)


def _verdict(alone: Case, point: Sequence[Array], look: Look) -> Verdict | None:
    case = replace(alone, point=tuple(point))
    given = look(case)
    return None if given is None else compare(case, reference(case), given).verdict
