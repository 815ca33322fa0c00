"""A failing case is made small by changes of its graph and its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gradverify.arithmetic.floats import FLOATS
from gradverify.graph import (
    Case,
    Graph,
    apply_op,
    input_leaf,
    interpret,
    literal_leaf,
)
from gradverify.strategies import FAMILIES, graphs, measure, minimise, networks, sample
from gradverify.strategies.shrinking.editable_case import EditableCase
from gradverify.strategies.shrinking.minimise import candidates

SEEDS = (0, 2)


def _one(op: str, *values: float) -> Case:
    nodes = [input_leaf() for _ in values]
    nodes.append(apply_op(nodes, op, range(len(values))))
    return Case(Graph(tuple(nodes)), tuple(np.array(v) for v in values))


@pytest.mark.parametrize("seed", SEEDS)
def test_minimise_returns_a_failing_case_that_is_no_larger(seed: int) -> None:
    cases = sample(graphs(), 15, seed)
    assert len(cases) == 15
    for place, case in enumerate(cases):
        op = case.graph.ops[place % len(case.graph.ops)]

        def fails(candidate: Case, op: str = op) -> bool:
            return op in candidate.graph.ops

        smallest = minimise(case, fails)
        assert fails(smallest)
        assert measure(smallest) <= measure(case)
        assert smallest.graph.size <= 2


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_every_candidate_of_a_network_is_a_case(family: str) -> None:
    cases = sample(networks(family=family), 6, 1)
    assert len(cases) == 6
    for case in cases:
        made = list(candidates(case))
        assert any(c.graph.size < case.graph.size for c in made)
        for candidate in made:
            with np.errstate(all="ignore"):
                value = interpret(candidate.graph, FLOATS.table, candidate.point)
            assert np.shape(value) == ()


def test_a_leaf_stands_for_another_one_in_later_nodes_alone() -> None:
    nodes = [input_leaf(), input_leaf()]
    nodes.append(apply_op(nodes, "mul", (0, 1)))
    nodes.append(input_leaf())
    nodes.append(apply_op(nodes, "add", (2, 0)))
    nodes.append(apply_op(nodes, "mul", (3, 4)))
    case = Case(Graph(tuple(nodes)), tuple(np.array(x) for x in (1.5, 2.5, 3.5)))
    merged = EditableCase.of(case).redirected(0, 3).case()
    assert merged is not None
    assert [n.operands for n in merged.graph.nodes if n.operands] == [
        (0, 1), (2, 3), (3, 4),
    ]  # fmt: skip


def test_minimise_gives_a_passing_case_back_as_it_is() -> None:
    case = _one("tanh", 0.123)
    assert minimise(case, lambda candidate: False) is case


def test_an_exception_does_not_count_as_a_failure() -> None:
    def fails(candidate: Case) -> bool:
        if candidate.point[0] != 0.123:
            raise RuntimeError
        return True

    assert minimise(_one("tanh", 0.123), fails).point[0] == 0.123


def test_minimise_keeps_to_its_budget() -> None:
    calls = []

    def fails(candidate: Case) -> bool:
        calls.append(candidate)
        return False

    case = max(sample(graphs(), 40, 3), key=measure)
    minimise(case, fails, budget=7)
    assert len(calls) <= 7


def test_minimise_stays_inside_the_domain() -> None:
    smallest = minimise(_one("log", 7.123), lambda case: "log" in case.graph.ops)
    assert smallest.point[0] == 1.0
    edge = minimise(_one("log", 7.123), lambda case: bool(case.point[0] < 8))
    assert edge.point[0] > 0


def test_unused_inputs_go_unless_they_are_the_fault() -> None:
    nodes = [input_leaf(), input_leaf()]
    nodes.append(apply_op(nodes, "sin", [0]))
    case = Case(Graph(tuple(nodes)), (np.array(1.0), np.array(1.0)))
    assert len(minimise(case, lambda c: "sin" in c.graph.ops).point) == 1
    assert len(minimise(case, lambda c: len(c.point) == 2).point) == 2


def test_of_a_grouped_convolution_one_group_is_left() -> None:
    """With its stride: only by that stride the mistake shows."""
    nodes = [input_leaf((1, 2, 2)), input_leaf((2, 1, 2)), input_leaf((2,))]
    params = {"stride": (2,), "padding": (1,), "dilation": (1,), "groups": 2}
    nodes.append(apply_op(nodes, "conv1d", [0, 1, 2], **params))
    nodes.append(apply_op(nodes, "sum", [3]))
    case = Case(Graph(tuple(nodes)), tuple(np.ones(n.shape) for n in nodes[:3]))

    def fails(candidate: Case) -> bool:
        return any(n.params.get("stride") == (2,) for n in candidate.graph.nodes)

    (left,) = (n for n in minimise(case, fails).graph.nodes if n.op == "conv1d")
    assert left.params["groups"] == 1


def test_params_that_are_left_at_their_defaults_are_kept() -> None:
    """Of a norm by rows, whose `keepdims` is not said; shorter axes do not fit it."""
    nodes = [input_leaf((2, 2))]
    nodes.append(apply_op(nodes, "norm", [0], axis=(-1,)))
    nodes.append(apply_op(nodes, "sum", [1]))
    case = Case(Graph(tuple(nodes)), (np.array([[3.0, 4.0], [1.0, 2.0]]),))
    smallest = minimise(case, lambda c: "norm" in c.graph.ops)
    assert smallest.point[0].size == 1


def test_a_number_that_overflows_is_shrunk_around() -> None:
    nodes = [input_leaf()]
    nodes.append(apply_op(nodes, "exp", [0]))
    nodes.append(apply_op(nodes, "neg", [1]))
    case = Case(Graph(tuple(nodes)), (np.array(800.0),))
    assert "neg" in minimise(case, lambda c: "neg" in c.graph.ops).graph.ops


def test_literals_and_data_become_plain() -> None:
    nodes = [input_leaf(), literal_leaf(37.25)]
    nodes.append(apply_op(nodes, "mul", [0, 1]))
    case = Case(Graph(tuple(nodes)), (np.array(1.0),))

    def fails(candidate: Case) -> bool:
        nodes = candidate.graph.nodes
        return any(n.op == "literal" and n.value > 4 for n in nodes)

    smallest = minimise(case, fails)
    assert [n.value for n in smallest.graph.nodes if n.op == "literal"] == [5.0]


def test_float32_stays_float32() -> None:
    case = replace(_one("tanh", 3.7), dtype="float32")
    assert minimise(case, lambda c: c.point[0] > 3).dtype == "float32"
    assert minimise(case, lambda c: bool(c.point[0] > 3)).point[0] == 4.0
