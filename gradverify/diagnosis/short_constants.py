"""Why a value is wrong already: constants in the op have too few digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from gradverify.diagnosis.expansion_slips import (
    short_constants,
    value_with_short_constants,
)
from gradverify.diagnosis.generic_points import twins
from gradverify.diagnosis.observation import LEFT
from gradverify.diagnosis.operand_slips import Key
from gradverify.diagnosis.right_sweep import Right, right
from gradverify.differentiators import Derivatives
from gradverify.graph import Case, Graph, apply_op, input_leaf

Look = Callable[[Case], Derivatives | None]

POINTS = 2  # other points at which the same constant must explain the value
ENTRIES = 8  # of an array that are looked at one by one


def short_constants_of(alone: Case, look: Look) -> tuple[Key, ...]:
    """The constants of an op which, cut to fewer digits, give the engine's value.

    Empty if there are none. The branches of an elementwise op have constants of their
    own; where one constant does not explain an array, its entries are asked one by one.

    alone: the op, contracted with ones.
    """
    index = len(alone.graph.inputs)
    if alone.graph.nodes[index].operands != tuple(range(index)):
        return ()  # a literal or data stands among the operands
    whole = _short_constant(alone, look, index)
    if whole is not None:
        return (whole,)
    seen = _seen(alone, look)
    if seen is None or not seen[0].application(index).is_elementwise:
        return ()
    by_node = {
        key[0]: key
        for entry in islice(_entries(alone, index), ENTRIES)
        if (key := _short_constant(entry, look, index)) is not None
    }
    keys = tuple(by_node.values())
    return keys if keys and _explains(*seen, index, keys) else ()


def _short_constant(alone: Case, look: Look, index: int) -> Key | None:
    """The one constant that explains the value here and at a few other points.

    At a single point another constant may give the same value.
    """
    seen = [s for case in _points(alone) if (s := _seen(case, look)) is not None]
    if not seen:
        return None
    for key in short_constants(seen[0][0].application(index)):
        if all(_explains(whole, given, index, (key,)) for whole, given in seen):
            return key
    return None


def _entries(alone: Case, index: int) -> Iterator[Case]:
    """The op at each entry of its operands, if they are arrays of one shape."""
    node = alone.graph.nodes[index]
    if node.shape == () or any(x.shape != node.shape for x in alone.point):
        return
    nodes = [input_leaf(()) for _ in alone.point]
    nodes.append(apply_op(nodes, node.op, range(index), **node.params))
    for i in np.ndindex(node.shape):
        point = tuple(np.asarray(x[i], alone.dtype) for x in alone.point)
        yield Case(Graph(tuple(nodes)), point, alone.dtype)


def _points(alone: Case) -> Iterator[Case]:
    yield alone
    for which in range(POINTS):
        yield from islice(twins(alone, which), 1)


def _seen(case: Case, look: Look) -> tuple[Right, float] | None:
    found = look(case)
    if found is None or found.error is not None or np.shape(found.value) != ():
        return None
    return right(case), float(found.value)


def _explains(whole: Right, given: float, index: int, keys: Sequence[Key]) -> bool:
    """Whether the constants leave at most an eighth of the error of the value."""
    with np.errstate(all="ignore"):
        value = value_with_short_constants(whole.application(index), keys)
        if value is None:
            return False
        error = abs(np.longdouble(given) - whole.values[-1])
        return bool(abs(np.sum(value) - np.longdouble(given)) <= LEFT * error)
