"""Engines within engines: derivatives of derivatives, and whose a value is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradverify.autodiff import Dual, Tape, Variable, bare
from gradverify.differentiators import load
from gradverify.differentiators.examples import EXAMPLES
from gradverify.differentiators.protocol import Lowered
from gradverify.graph import Graph, Node, apply_op, data_leaf, input_leaf
from gradverify.ops import OPS

DUALS = Dual.over(Dual.algebra)
PAIRS = (
    ("own-tape", "reverse-over-reverse"),
    ("own-tape", "forward-over-reverse"),
    ("own-tape", "reverse-over-forward"),
    ("own-dual", "forward-over-forward"),
)

# The third derivative of x**4 at 1.5 is 24 * 1.5.
THIRD: dict[str, Callable[[], Any]] = {}


def third(method: Callable[[], Any]) -> Callable[[], Any]:
    THIRD[method.__name__] = method
    return method


@third
def tape_over_tape_over_tape() -> Any:
    a = Tape()
    b = Tape(a.algebra)
    c = Tape(b.algebra)
    x = a.variable(1.5)
    y = b.variable(x)
    z = c.variable(y)
    (first,) = c.gradient(z * z * z * z, [z])
    (second,) = b.gradient(first, [y])
    return a.gradient(second, [x])[0]


@third
def duals_of_duals_of_duals() -> Any:
    kind = Dual.over(DUALS.algebra)
    x = kind(DUALS(Dual(1.5, [1.0]), [1.0]), [1.0])
    y = x * x * x * x
    return y.tangent.tangent.tangent.reshape(())


@third
def tape_over_duals_over_tape() -> Any:
    outer = Tape()
    kind = Dual.over(outer.algebra)
    inner = Tape(kind.algebra)
    x = outer.variable(1.5)
    z = inner.variable(kind(x, np.ones(1)))
    (first,) = inner.gradient(z**4, [z])
    return outer.gradient(first.tangent.reshape(()), [x])[0]


@pytest.mark.parametrize("how", THIRD)
def test_three_engines_nest(how: str) -> None:
    assert THIRD[how]() == pytest.approx(24 * 1.5, rel=1e-15)


def test_a_derivative_within_a_derivative_does_not_confuse_the_two() -> None:
    """d/dx of x * d/dy (x + y) is 1, and not 2: the textbook case of confusion."""
    x = Dual(3.0, [1.0])
    inner = x + DUALS(Dual(2.0, [0.0]), [1.0])
    slope = inner.tangent.reshape(())
    assert bare(slope) == 1.0
    found = x * slope
    assert (found.primal, *found.tangent) == (3.0, 1.0)


def test_an_outer_value_is_a_constant_within() -> None:
    outer = Tape()
    inner = Tape(outer.algebra)
    a, x = outer.variable(2.0), inner.variable(outer.variable(5.0))
    for y in (a * x, x * a, np.where(True, a * x, a)):
        assert y.tape is inner
        (slope,) = inner.gradient(y, [x])
        assert slope.tape is outer
        assert bare(slope) == 2.0
        assert outer.gradient(slope, [a]) == [1.0]


def test_comparisons_and_dtypes_are_those_of_the_numbers() -> None:
    outer = Tape()
    x = Tape(outer.algebra).variable(outer.variable(np.float32([1.0, -1.0])))
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x > 0.0, [True, False])
    np.testing.assert_array_equal(outer.variable(np.zeros(2)) < x, [True, False])


def test_a_zero_tangent_stays_zero_beside_an_infinite_slope() -> None:
    tape = Tape()
    kind = Dual.over(tape.algebra)
    x = kind(tape.variable(np.array([0.0, 4.0])), np.array([[0.0, 1.0]]))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(bare(np.sqrt(x).tangent), [[0.0, 0.25]])


# ---- every op, in every pair


def example(op: str) -> tuple[Graph, list[Any]]:
    """sum(w * op(...)) for weights that are no ones, at numbers near no kink."""
    shapes, params = EXAMPLES.get(op, (((3,),) * OPS[op].arity, {}))
    row, source = OPS[op], np.random.default_rng(len(op))
    drawn = [
        source.random(s) < 0.5
        if k in row.masks
        else source.uniform(0.6, 0.9, s) + 1.3 * k
        for k, s in enumerate(shapes)
    ]
    values = row.domain.moved(*drawn, **params)
    nodes: list[Node] = []
    for i, x in enumerate(values):
        nodes.append(data_leaf(x) if i in row.masks else input_leaf(np.shape(x)))
    nodes.append(apply_op(nodes, op, range(len(values)), **params))
    nodes.append(data_leaf(source.uniform(0.5, 2.0, nodes[-1].shape)))
    nodes.append(apply_op(nodes, "mul", [len(nodes) - 2, len(nodes) - 1]))
    if nodes[-1].shape:
        nodes.append(apply_op(nodes, "sum", [len(nodes) - 1], axis=None))
    point = [np.asarray(x, float) for i, x in enumerate(values) if i not in row.masks]
    return Graph(tuple(nodes)), point


def asked(name: str, mode: str, graph: Graph, point: list[Any], *given: Any) -> Any:
    engine = load(name)
    function = Lowered(graph, engine.table, str(point[0].dtype))
    method = engine.modes()[mode].__get__(engine, type(engine))
    found = method(function, point, *given).cotangents
    return [
        np.zeros_like(x) if c is None else np.asarray(c)
        for x, c in zip(point, found, strict=True)
    ]


@pytest.mark.parametrize("op", OPS.public())
def test_products_with_a_hessian_are_differences_of_gradients(op: str) -> None:
    graph, point = example(op)
    source, one, step = np.random.default_rng(1), np.array(1.0), 1e-4
    tangents = [source.uniform(-1.0, 1.0, x.shape) for x in point]

    def gradient(by: float) -> Any:
        moved = [x + by * t for x, t in zip(point, tangents, strict=True)]
        return asked("own-tape", "reverse", graph, moved, one)

    places = (gradient(k * step) for k in (1, -1, 2, -2))  # an error of step**4
    wanted = [
        (8 * (a - b) - (c - d)) / (12 * step)
        for a, b, c, d in zip(*places, strict=True)
    ]
    assert wanted
    for name, mode in PAIRS:
        found = asked(name, mode, graph, point, tangents)
        for got, want in zip(found, wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "mode"), PAIRS)
def test_a_float32_stays_one(name: str, mode: str) -> None:
    for op in ("mul", "softmax", "var", "conv1d", "where"):
        graph, point = example(op)
        narrow = [x.astype(np.float32) for x in point]
        found = asked(name, mode, graph, narrow, [x / 2 for x in narrow])
        assert {x.dtype for x in found} <= {np.dtype(np.float32)}, op


@pytest.mark.parametrize(("name", "mode"), PAIRS)
def test_two_inputs_with_one_cotangent_are_both_followed(name: str, mode: str) -> None:
    """Of (a + b) * (a + b) both inputs have the same cotangent, one and the same
    value.
    """
    nodes = [input_leaf(), input_leaf()]
    nodes.append(apply_op(nodes, "add", [0, 1]))
    nodes.append(apply_op(nodes, "mul", [2, 2]))
    point = [np.array(1.5), np.array(-0.5)]
    found = asked(
        name, mode, Graph(tuple(nodes)), point, [np.array(3.0), np.array(4.0)]
    )
    assert found == [14.0, 14.0]
    found = asked(name, mode, Graph(tuple(nodes)), point, [None, np.array(4.0)])
    assert found == [8.0, 8.0]


def test_a_stack_of_cotangents_gives_the_rows_of_a_jacobian() -> None:
    nodes = [input_leaf((2, 3)), input_leaf((3, 2))]
    nodes.append(apply_op(nodes, "matmul", [0, 1]))
    a, b = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(3, 2) - 2.0
    by_a = np.einsum("ik,lj->ijkl", np.eye(2), b)
    by_b = np.einsum("ik,jl->ijkl", a, np.eye(2))
    for name in ("own-tape", "own-dual"):
        found = asked(name, "jacobian", Graph(tuple(nodes)), [a, b])
        np.testing.assert_array_equal(found[0], by_a)
        np.testing.assert_array_equal(found[1], by_b)


def test_stacks_of_matrices_are_multiplied_and_pulled_back() -> None:
    """A dual over a tape has a product of stacks, which the tape pulls back."""
    tape = Tape()
    a, b = tape.variable(np.ones((4, 1, 1, 2))), tape.variable(np.ones((3, 2, 2)))
    y = a @ b
    assert isinstance(y, Variable)
    assert y.shape == (4, 3, 1, 2)
    w = np.arange(24.0).reshape(y.shape)
    by_a, by_b = tape.pullback(y, w, [a, b])
    np.testing.assert_array_equal(by_a, np.stack([w.sum((1, 3))[:, None]] * 2, -1))
    np.testing.assert_array_equal(by_b, np.stack([w.sum((0, 2))] * 2, -2))
