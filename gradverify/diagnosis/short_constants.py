"""Why a value is wrong already: a constant in the op has too few digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from gradverify.diagnosis.expansion_slips import (
    short_constants,
    value_with_short_constant,
)
from gradverify.diagnosis.generic_points import twins
from gradverify.diagnosis.observation import LEFT
from gradverify.diagnosis.operand_slips import Key
from gradverify.diagnosis.right_sweep import Right, right
from gradverify.differentiators import Derivatives
from gradverify.graph import Case

Look = Callable[[Case], Derivatives | None]

POINTS = 2  # other points at which the same constant must explain the value


def short_constant(alone: Case, look: Look) -> Key | None:
    """The constant of an op which, cut to fewer digits, gives the engine's value.

    None if there is none. The engine is run at a few other generic points too, since at
    a single point another constant may give the same value.

    alone: the op, contracted with ones.
    """
    index = len(alone.graph.inputs)
    if alone.graph.nodes[index].operands != tuple(range(index)):
        return None  # a literal or data stands among the operands
    seen = [s for case in _points(alone) if (s := _seen(case, look)) is not None]
    if not seen:
        return None
    for key in short_constants(seen[0][0].application(index)):
        if all(_explains(whole, given, index, key) for whole, given in seen):
            return key
    return None


def _points(alone: Case) -> Iterator[Case]:
    yield alone
    for which in range(POINTS):
        yield from islice(twins(alone, which), 1)


def _seen(case: Case, look: Look) -> tuple[Right, float] | None:
    found = look(case)
    if found is None or found.error is not None or np.shape(found.value) != ():
        return None
    return right(case), float(found.value)


def _explains(whole: Right, given: float, index: int, key: Key) -> bool:
    """Whether the constant leaves at most an eighth of the error of the value."""
    with np.errstate(all="ignore"):
        value = value_with_short_constant(whole.application(index), key)
        if value is None:
            return False
        error = abs(np.longdouble(given) - whole.values[-1])
        return bool(abs(np.sum(value) - np.longdouble(given)) <= LEFT * error)
