"""The same graph at other points."""

from __future__ import annotations

import random

import numpy as np
import pytest

from gradverify.graph import Case, Graph, apply_op, data_leaf, input_leaf
from gradverify.ops import OPS
from gradverify.strategies import at_points, graphs, is_sound, sample

from .drawn import cases_of


def points_of(case: Case, seed: int = 0) -> list[Case]:
    return at_points(case, 8, random.Random(seed))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_points_are_others_and_lie_in_every_domain(dtype: str) -> None:
    found = []
    for case in sample(graphs(dtype=dtype), 50, seed=0):
        cases = points_of(case)
        assert cases[0] is case
        assert {c.graph for c in cases} == {case.graph}
        assert {c.dtype for c in cases} == {dtype}
        distinct = {tuple(x.tobytes() for x in c.point) for c in cases}
        assert len(distinct) == len(cases)
        assert all(is_sound(c) for c in cases)
        found.append(len(cases))
    assert sum(found) / len(found) > 6, "a graph is dear: most have all points"


@pytest.mark.slow
@pytest.mark.parametrize("op", OPS.public())
def test_every_op_alone_has_other_points(op: str) -> None:
    cases = [points_of(case) for case in cases_of(op, "float64")[:10]]
    assert max(map(len, cases)) == 8
    assert all(is_sound(c) for found in cases for c in found)


def test_they_are_drawn_from_the_source_alone() -> None:
    (case,) = sample(graphs(), 1, seed=3)
    one, two, other = (
        [[x.tobytes() for x in c.point] for c in points_of(case, seed)]
        for seed in (1, 1, 2)
    )
    assert one == two != other


def test_values_as_break_rules_are_among_them() -> None:
    case = Case(Graph((input_leaf(),)), (np.array(1.0),))
    values = {float(c.point[0]) for c in at_points(case, 60, random.Random(0))}
    assert 0.0 in values
    assert max(map(abs, values)) > 1e3
    assert min(abs(x) for x in values if x) < 1e-2


def test_where_no_point_is_allowed_the_case_is_left() -> None:
    nodes = [input_leaf(), data_leaf(-1.0)]
    nodes.append(apply_op(nodes, "mul", [0, 0]))
    nodes.append(apply_op(nodes, "mul", [1, 2]))
    nodes.append(apply_op(nodes, "log", [3]))  # of a negative number, everywhere
    case = Case(Graph(tuple(nodes)), (np.array(1.0),))
    assert points_of(case) == [case]
