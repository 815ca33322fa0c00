"""Why a value is wrong already: a square matrix was transposed, or should have been."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.differentiators import Derivatives
from gradverify.formats import format_of
from gradverify.graph import Array, Case, interpret_all

Look = Callable[[Case], Derivatives | None]

POINTS = 3  # other points at which the same slip must explain the value
CLOSE = 2.0**12  # units of roundoff; at a random point other causes are further off

# The operands that may be such a matrix, by op.
MATRICES: Mapping[str, tuple[int, ...]] = {"linear": (1,), "matmul": (0, 1)}


def transposed_operand(case: Case, node: int, look: Look) -> int | None:
    """The square operand which, if it is transposed, explains the engine's values.

    None if there is none. The engine is run at a few generic points of the graph,
    because at plain numbers many slips look alike.
    """
    applied = case.graph.nodes[node]
    for place in MATRICES.get(applied.op, ()):
        shape = case.graph.nodes[applied.operands[place]].shape
        if len(shape) == 2 and shape[0] == shape[1] > 1:
            points = _points(case)
            if all(_explains(at, node, place, look) for at in points):
                return place
    return None


def _points(case: Case) -> Iterator[Case]:
    """The case, and its graph at points where no two numbers are alike."""
    yield case
    draw = np.random.default_rng(1)
    for _ in range(POINTS):
        point = tuple(draw.uniform(0.5, 2.0, x.shape) for x in case.point)
        yield Case(case.graph, point, case.dtype)


def _explains(case: Case, node: int, place: int, look: Look) -> bool:
    found = look(case)
    if found is None or found.error is not None or np.shape(found.value) != ():
        return False
    slip = _value(case, node, place)
    allowed = CLOSE * format_of(case.dtype).unit_roundoff * np.abs(slip)
    return bool(np.abs(float(found.value) - slip) <= allowed)


def _value(case: Case, node: int, place: int) -> Array:
    """The output in doubles, with one operand of one node transposed."""
    applied = case.graph.nodes[node]
    count = sum(n.op == applied.op for n in case.graph.nodes[:node])
    right = FLOATS.table[applied.op]
    seen = 0

    def slipped(*operands: Any, **params: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen - 1 != count:
            return right(*operands, **params)
        changed = [x.T if k == place else x for k, x in enumerate(operands)]
        return right(*changed, **params)

    table = {**FLOATS.table, applied.op: slipped}
    inputs = [FLOATS.lift(np.asarray(x, np.float64)) for x in case.point]
    return np.asarray(interpret_all(case.graph, table, inputs)[-1])
