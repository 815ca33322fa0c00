"""References: gradients, kinks and what cannot be judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flint import arb
from mpmath import mp, mpf

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.graph import Case, Graph, apply_op, input_leaf
from gradverify.reference import Slope, inside_box, inside_hull, reference, sought
from gradverify.reference.exact import Exact, exact_gradient


def case(function: Callable[..., Any], *point: Any) -> Case:
    arrays = tuple(np.asarray(x, np.float64) for x in point)
    return Case(trace(function, *(x.shape for x in arrays)), arrays)


def test_the_product_of_sum_and_product_has_gradient_21_and_16() -> None:
    found = reference(case(lambda a, b: (a + b) * (a * b), 2.0, 3.0))
    assert found.status is Slope.SMOOTH
    assert found.value == 30
    assert [g[()] for g in found.gradient] == [21, 16]
    assert all(0 < b[()] < 1e-13 for b in found.bound)


def test_many_inputs_are_judged_by_a_certified_gradient() -> None:
    x = np.linspace(-2.0, 2.0, 40)
    found = reference(case(lambda x: s.sum(s.exp(x) * x, axis=None), x))
    assert found.status is Slope.SMOOTH
    with mp.workprec(200):
        for got, at in zip(found.gradient[0], x, strict=True):
            exact = mp.exp(mpf(at)) * (1 + mpf(at))
            assert abs(got - exact) <= mpf(2) ** -60 * abs(exact)


def test_an_unused_input_has_derivative_zero_and_no_allowed_error() -> None:
    found = reference(case(lambda a, b: a * 2.0, 1.0, 5.0))
    assert found.gradient[1][()] == 0
    assert found.loose[1][()] == 0


def test_a_whole_number_of_roundings_is_allowed_and_no_more() -> None:
    found = reference(case(lambda x: s.sum(x, axis=None), np.arange(3.0)))
    assert not found.bound[0].any(), "the gradient of a sum is exact"


HULLS = [
    # function, point, gradients inside the hull, gradients outside
    (s.relu, (0.0,), [[0.0], [0.5], [1.0]], [[-0.1], [1.1]]),
    (s.abs, (0.0,), [[-1.0], [0.0], [1.0]], [[1.01]]),
    (s.maximum, (1.0, 1.0), [[1, 0], [0.5, 0.5], [0, 1]], [[1, 1], [0, 0]]),
    (
        lambda x: s.sum(s.relu(x), axis=None),
        (np.zeros(3),),
        [[0, 0, 0], [1, 0, 1], [0.5, 0.5, 0.5]],
        [[2, 0, 0]],
    ),
    (lambda x, y: s.relu(x) * y, (0.0, 3.0), [[0, 0], [3, 0]], [[3, 1e-3]]),
]


@pytest.mark.parametrize(("function", "point", "inside", "outside"), HULLS)
def test_a_kink_admits_the_hull_and_nothing_else(
    function: Any, point: Any, inside: Any, outside: Any
) -> None:
    found = reference(case(function, *point))
    assert found.status is Slope.KINK
    assert found.kinked is not None
    hull = found.kinked.hull
    nothing = np.zeros(hull.vertices.shape[1])
    assert all(inside_hull(hull, np.array(g, float), nothing) for g in inside)
    assert not any(inside_hull(hull, np.array(g, float), nothing) for g in outside)


def test_conventions_may_compose_to_what_no_direction_shows() -> None:
    found = reference(case(lambda x: s.relu(x) - s.relu(-x), 0.0))
    assert found.kinked is not None
    hull, nothing = found.kinked.hull, np.zeros(1)
    assert hull.is_point
    assert inside_hull(hull, np.array([1.0]), nothing)
    assert not inside_hull(hull, np.array([0.0]), nothing)
    assert inside_box(hull, np.array([0.0]), nothing)
    assert not inside_box(hull, np.array([2.5]), nothing)


def test_a_kink_that_changes_no_gradient_is_smooth() -> None:
    found = reference(case(lambda x: x * s.abs(x), 0.0))
    assert found.status is Slope.SMOOTH
    assert found.gradient[0][()] == 0


def test_a_margin_that_rounding_may_turn_is_an_active_kink() -> None:
    found = reference(case(lambda x: s.abs(x + 0.1 - 0.3), 0.2))
    assert found.status is Slope.KINK


def test_many_ties_are_decided_in_a_moment() -> None:
    found = reference(case(lambda x: s.sum(s.relu(x), axis=None), np.zeros((3, 4))))
    assert found.kinked is not None
    hull = found.kinked.hull
    assert not hull.is_complete
    assert inside_hull(hull, np.zeros(12), np.zeros(12))
    assert inside_hull(hull, np.full(12, 0.5), np.zeros(12))
    assert not inside_box(hull, np.full(12, 1.5), np.zeros(12))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_point_that_is_not_finite_is_not_judged(bad: float) -> None:
    found = reference(case(lambda x: x * x, bad))
    assert found.status is Slope.NONE
    assert "NaN" in found.note


def test_empty_arrays_have_empty_gradients() -> None:
    found = reference(case(lambda x: s.sum(s.exp(x), axis=None), np.zeros((0, 2))))
    assert found.status is Slope.SMOOTH
    assert found.gradient[0].shape == (0, 2)


def test_intermediates_have_exact_derivatives_and_bounds() -> None:
    found = reference(case(lambda x, y: (x * y + x) ** 2, 2.0, 3.0))
    assert found.value == 64
    assert [found.intermediates[k][0][()] for k in (2, 3)] == [16, 16]
    assert all(float(b.tight[()]) < 1e-12 for _, b in found.intermediates.values())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_slope_of_abs_at_zero_may_carry_rounding(dtype: str) -> None:
    """(c - b) |a| at a = 0: half way between the slopes is 0, which rounds not."""
    nodes = [input_leaf(), input_leaf(), input_leaf()]
    nodes.append(apply_op(nodes, "sub", [2, 1]))
    nodes.append(apply_op(nodes, "abs", [0]))
    nodes.append(apply_op(nodes, "mul", [3, 4]))
    small = 1e-12 if dtype == "float32" else 1e-20
    point = (np.array(0.0), np.array(1.0), np.array(small))
    found = reference(Case(Graph(tuple(nodes)), point, dtype))
    unit = float(np.finfo(dtype).eps)
    assert unit / 4 < found.loose[0] < 64 * unit
    assert found.kinked is not None


def test_slopes_that_cancel_do_not_contradict_our_gradient() -> None:
    """The slopes of a softmax along all its operands add up to nothing."""
    found = reference(
        case(
            lambda a, b: (
                s.relu(a * s.sum(b, axis=None))
                + s.sum(
                    s.log_softmax(b, axis=(-1,)) * np.array([0.3, 1.7, -0.6]), axis=None
                )
            ),
            0.0,
            [0.5, 0.6251, 0.8677],
        )
    )
    assert found.status is Slope.KINK, found.note


@pytest.mark.parametrize("count", [3, 40])
def test_an_uncertain_gradient_of_our_own_excuses_nothing(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(graph: Graph, point: Any) -> Exact | None:
        exact = exact_gradient(graph, point)
        assert exact is not None
        wide = [None if ct is None else ct * arb(1.3, 0.5) for ct in exact.derivative]
        return replace(exact, derivative=wide)

    monkeypatch.setattr(sought, "exact_gradient", spoiled)
    x = np.linspace(0.5, 1.5, count)
    found = reference(case(lambda x: s.sum(s.exp(x) * x, axis=None), x))
    assert found.status is Slope.UNRESOLVED
