"""The array that a case contracts, and the case with a cotangent of its own."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import load, run
from gradverify.graph import Case, Graph
from gradverify.questions import (
    by_cotangent_input,
    contracted,
    is_ordinary,
    up_to,
    weighted,
)

W = np.array([2.0, -0.5, 3.0])


@pytest.mark.parametrize(
    ("graph", "array", "cotangent"),
    [
        (trace(lambda x: s.sum(s.exp(x) * W), (3,)), "exp(a)", W),
        (trace(lambda x: s.sum(s.exp(x)), (3,)), "exp(a)", np.ones(3)),
        (trace(lambda x: s.exp(x) * np.float64(2.5), ()), "exp(a)", 2.5),
        (trace(lambda x: s.exp(x), ()), "exp(a)", 1.0),
        # the only op of a graph is what is judged, and not its contraction
        (trace(lambda x: s.sum(x), (3,)), "sum(a)", 1.0),
        (trace(lambda x: s.sum(x * W), (3,)), None, np.ones(3)),
    ],
)
def test_a_graph_is_an_array_and_a_cotangent(
    graph: Graph, array: str | None, cotangent: object
) -> None:
    found = contracted(graph)
    np.testing.assert_array_equal(found.cotangent, cotangent)
    if array is not None:
        assert str(up_to(graph, found.node)) == array


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,)])
def test_a_drawn_cotangent_becomes_the_end_of_the_graph(
    shape: tuple[int, ...],
) -> None:
    def function(x: object) -> object:
        y = s.exp(x)
        return s.sum(y) if shape else y

    graph = trace(function, shape)
    found = contracted(weighted(graph, "float64"))
    assert found.cotangent.shape == shape
    assert not np.any(found.cotangent == 1.0)
    assert str(up_to(weighted(graph, "float64"), found.node)) == "exp(a)"
    assert weighted(graph, "float64") is weighted(graph, "float64")


def test_weights_that_a_graph_has_stay_in_the_function() -> None:
    graph = weighted(trace(lambda x: s.sum(s.exp(x) * W), (3,)), "float64")
    assert "[2.0, -0.5, 3.0]" in str(up_to(graph, contracted(graph).node))


def test_the_value_of_an_array_is_its_contraction() -> None:
    graph = trace(lambda x: s.sum(s.exp(x) * W), (3,))
    point = (np.array([0.5, 1.0, -1.0]),)
    found = run(load("autograd"), "reverse", Case(graph, point))
    np.testing.assert_allclose(found.value, np.sum(np.exp(point[0]) * W), rtol=1e-15)
    np.testing.assert_allclose(found.cotangents[0], np.exp(point[0]) * W, rtol=1e-15)


def test_a_cotangent_may_be_an_input() -> None:
    """The slope by it is the array."""
    graph = trace(lambda x: s.sum(s.exp(x)), (2,))
    moved = by_cotangent_input(Case(graph, (np.array([0.5, -1.5]),)))
    x, cotangent = moved.point
    assert str(moved.graph) == "sum(exp(a) * b)"
    found = run(load("own-tape"), "reverse", moved).cotangents
    np.testing.assert_array_equal(found[0], np.exp(x) * cotangent)
    np.testing.assert_array_equal(found[1], np.exp(x))


@pytest.mark.parametrize("x", [1e-160, 1e90, 1e200])
def test_huge_and_tiny_numbers_are_not_ordinary(x: float) -> None:
    graph = trace(lambda x: s.sum(s.exp(x)), (2,))
    assert is_ordinary(Case(graph, (np.array([0.0, 3.0]),)))
    assert not is_ordinary(Case(graph, (np.array([1.0, x]),)))
