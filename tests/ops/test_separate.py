"""Which ops act on every entry alone is what their values say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.floats import FLOATS
from gradverify.ops import OPS
from gradverify.ops.separate import is_elementwise
from gradverify.strategies.own_shapes import OWN_SHAPES
from gradverify.strategies.params import legal_params

POINTS = (
    np.array([0.9, 0.2, 0.6]),
    np.array([0.7, 0.4, 0.3]),
    np.array([0.8, 0.1, 0.5]),
)
STEP = 0.5  # past the next entry, so that what sorts them is seen to do so
MOST = 20  # choices of params


def value(op: str, operands: Any, params: Mapping[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        return np.asarray(FLOATS.table[op](*operands, **params))


def acts_alone(op: str, params: Mapping[str, Any]) -> bool:
    """Whether an entry of the result changes with the same one of operands alone."""
    row = OPS[op]
    points = [x.copy() for x in POINTS[: row.arity]]
    for i in row.masks:
        points[i] = np.array([True, False, True])
    before = value(op, points, params)
    for i in set(range(len(points))) - {*row.masks}:
        for k in range(3):
            there = [x.copy() for x in points]
            there[i][k] += STEP
            after = value(op, there, params)
            same = (after == before) | (np.isnan(after) & np.isnan(before))
            if before.shape != (3,) or not np.all(np.delete(same, k)):
                return False
    return True


UNLIKE = {*OWN_SHAPES, "transpose"}  # of which vectors show nothing
UNARY = [op for op in OPS.public() if OPS[op].arity == 1 and op not in UNLIKE]


@pytest.mark.parametrize("op", [op for op in OPS.public() if is_elementwise(op)])
def test_an_op_that_is_listed_acts_on_every_entry_alone(op: str) -> None:
    shapes = ((3,),) * OPS[op].arity
    choices = list(islice(legal_params(op, *shapes), MOST))
    assert choices
    assert all(acts_alone(op, dict(p)) for p in choices)


@pytest.mark.parametrize("op", [op for op in UNARY if not is_elementwise(op)])
def test_an_op_that_is_not_listed_lets_entries_meet_or_moves_them(op: str) -> None:
    choices = list(islice(legal_params(op, (3,)), MOST))
    assert not choices or not all(acts_alone(op, dict(p)) for p in choices)
