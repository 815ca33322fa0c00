"""Drawn cases are valid, inside the domains, varied, and never rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from gradverify.arithmetic.floats import FLOATS
from gradverify.graph import (
    Case,
    Graph,
    Limits,
    Node,
    case_from_json,
    case_name,
    case_to_json,
    interpret_all,
)
from gradverify.ops import OPS
from gradverify.ops.domains import Domain, squeezed
from gradverify.ops.shapes import elementwise
from gradverify.strategies import (
    REGIMES,
    USUAL,
    Choices,
    Ending,
    Input,
    OpChoice,
    Scope,
    Values,
    build,
    graphs,
    is_sound,
    op_cases,
    points,
    regimes,
    sample,
)
from gradverify.strategies.draft import Draft
from gradverify.strategies.own_shapes import OWN_SHAPES
from gradverify.strategies.params import legal_params
from gradverify.strategies.single_op import alone

from .drawn import cases_of

DTYPES = ("float64", "float32")
SCALARS = replace(USUAL, ranks=range(1))
PLAIN = replace(USUAL, literals=False, data=False, broadcasting=False)
FEW = settings(
    max_examples=60,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def drawn() -> list[Case]:
    return sample(graphs(), 800, 1)


def uses(case: Case) -> Counter[int]:
    return Counter(j for node in case.graph.nodes for j in node.operands)


def literals_at(cases: list[Case], place: int) -> int:
    return sum(
        case.graph.nodes[node.operands[place]].op == "literal"
        for case in cases
        for node in case.graph.nodes
        if len(node.operands) == 2
    )


def test_drawn_cases_are_sound(drawn: list[Case]) -> None:
    assert len(drawn) == 800
    assert all(is_sound(case) for case in drawn)


def test_every_op_that_is_drawn_depends_on_an_input(drawn: list[Case]) -> None:
    assert len(drawn) == 800
    for case in drawn:
        followed: set[int] = set()
        for i, node in enumerate(case.graph.nodes):
            if node.op == "input" or followed & set(node.operands):
                followed.add(i)
            assert i in followed or not node.operands


def test_every_public_op_but_network_layers_occurs(drawn: list[Case]) -> None:
    expected = set(OPS.public()) - set(OWN_SHAPES)
    assert {op for case in drawn for op in case.graph.ops} == expected


def test_every_regime_occurs(drawn: list[Case]) -> None:
    assert {name for case in drawn for name in regimes(case)} == set(REGIMES)


def test_literals_stand_on_both_sides(drawn: list[Case]) -> None:
    assert literals_at(drawn, 0) > 10
    assert literals_at(drawn, 1) > 10


def test_most_graphs_share_a_subexpression(drawn: list[Case]) -> None:
    shared = [case for case in drawn if max(uses(case).values(), default=0) > 1]
    assert len(shared) > len(drawn) / 2


def test_masks_data_weights_and_unused_inputs_occur(drawn: list[Case]) -> None:
    leaves = {
        node.value.dtype.kind
        for case in drawn
        for node in case.graph.nodes
        if node.op == "data"
    }
    assert leaves == {"b", "f"}
    assert any(i not in uses(case) for case in drawn for i in case.graph.inputs)


def test_large_and_small_intermediate_values_occur(drawn: list[Case]) -> None:
    sizes = []
    for case in drawn:
        with np.errstate(all="ignore"):
            values = interpret_all(case.graph, FLOATS.table, case.point)
        sizes += [np.max(np.abs(x), initial=0.0) for x in values]
    assert max(sizes) > 1e100
    assert min(size for size in sizes if size) < 1e-100


def test_nothing_is_rejected() -> None:
    calls = []

    def look(case: Case) -> bool:
        calls.append(case)
        return False

    count = 300
    chosen = settings(FEW, max_examples=count)
    with pytest.raises(NoSuchExample):
        find(graphs(), look, settings=chosen)
    assert len(calls) > 0.98 * count


def test_cases_survive_json(drawn: list[Case]) -> None:
    assert len(drawn) == 800
    for case in drawn[:100]:
        assert case_name(case_from_json(case_to_json(case))) == case_name(case)


def test_float32_cases_hold_float32_values_and_stay_in_range() -> None:
    cases = sample(graphs(dtype="float32"), 150, 2)
    assert len(cases) == 150
    for case in cases:
        assert all(x.dtype == np.float32 for x in case.point)
        assert is_sound(case)


# ---- limits


def test_scalars_alone_where_only_rank_zero_is_allowed() -> None:
    cases = sample(graphs(within=SCALARS), 100, 3)
    assert len(cases) == 100
    for case in cases:
        assert all(node.shape == () for node in case.graph.nodes)


def test_a_menu_of_ops_is_kept_but_for_the_contraction() -> None:
    cases = sample(graphs(ops=("softplus", "log")), 60, 4)
    assert len(cases) == 60
    for case in cases:
        assert set(case.graph.ops) & {"softplus", "log"}
        assert set(case.graph.ops) <= {"softplus", "log", "sum", "mul"}


def test_no_literals_data_or_broadcasting_where_they_are_not_allowed() -> None:
    strategy = graphs(within=PLAIN)
    cases = sample(strategy, 150, 5)
    assert len(cases) == 150
    for case in cases:
        nodes = case.graph.nodes
        assert all(node.op not in ("literal", "broadcast_to") for node in nodes)
        for node in nodes:
            shapes = {nodes[j].shape for j in node.operands}
            if node.operands and OPS[node.op].shape is elementwise:
                assert len(shapes) == 1
            assert not (node.op == "data" and node.value.dtype != bool)


def test_empty_arrays_where_they_are_allowed() -> None:
    cases = sample(graphs(within=replace(USUAL, empty=True)), 200, 6)
    assert any(x.size == 0 for case in cases for x in case.point)
    assert all(is_sound(case) for case in cases)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_nodes": 3, "max_nodes": 2}, "min_nodes=3"),
        ({"max_inputs": 0}, "max_inputs=0"),
        ({"ops": ("step",)}, "cannot be drawn"),
        ({"ops": ()}, "cannot be drawn"),
        ({"ops": ("softpuls",)}, "unknown op 'softpuls'"),
        ({"dtype": "float16"}, "float16"),
        ({"within": Limits(ranks=range(4))}, "ranks"),
        ({"within": SCALARS, "ops": ("matmul",)}, "no operands of ranks"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        graphs(**arguments)  # type: ignore[arg-type]


# ---- one op


@pytest.mark.parametrize(
    "dtype", ["float64", pytest.param("float32", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("op", OPS.public())
def test_cases_of_one_op_hold_it_within_its_domain(op: str, dtype: str) -> None:
    cases = cases_of(op, dtype)
    assert len(cases) == 20
    for case in cases:
        assert op in case.graph.ops
        assert set(case.graph.ops) <= {op, "sum", "mul", "add", "sub"}
        assert is_sound(case)


@pytest.mark.parametrize("op", [row.name for row in OPS if row.operator])
def test_cases_of_an_operator_have_literals_on_both_sides(op: str) -> None:
    cases = sample(op_cases(op), 80, 8)
    assert len(cases) == 80
    if OPS[op].arity == 2:
        assert literals_at(cases, 0)
        assert literals_at(cases, 1)
        assert any(2 in uses(case).values() for case in cases)


@pytest.mark.slow
@pytest.mark.parametrize(
    "op", [row.name for row in OPS if row.params and not row.internal]
)
def test_cases_of_one_op_have_many_params(op: str) -> None:
    def nodes(cases: Sequence[Case]) -> list[tuple[Graph, Node]]:
        return [(c.graph, n) for c in cases for n in c.graph.nodes if n.op == op]

    def forms(cases: Sequence[Case]) -> int:
        return len({repr(node.params) for _, node in nodes(cases)})

    drawn = cases_of(op, "float64")
    legal = {
        repr(params)
        for graph, node in nodes(drawn)
        for params in legal_params(op, *(graph.nodes[j].shape for j in node.operands))
    }
    enough = min(OFTEN.get(op, 4), len(legal))
    assert enough > 1
    if forms(drawn) < enough:  # else they have many already
        assert forms(sample(op_cases(op), RARE.get(op, 60), 9)) >= enough


RARE = {"glu": 120}  # most of its arrays are vectors, since an axis must be even
OFTEN = {"svd": 2}  # a third singular value needs three rows and three columns


OF_ARRAYS = (
    "matmul", "broadcast_to", "softmax", "log_softmax", "std", "cumsum", "slice",
    "concatenate", "stack", "einsum", "glu", "softmin",
    *(op for op in OWN_SHAPES if op not in {"bce", "igamma", "igammac"}),
)  # fmt: skip


@pytest.mark.parametrize("op", [op for op in OPS.public() if op not in OF_ARRAYS])
def test_one_op_keeps_to_scalars_and_to_equal_shapes(op: str) -> None:
    cases = sample(op_cases(op, within=replace(SCALARS, broadcasting=False)), 10, 1)
    assert len(cases) == 10
    assert {case.graph.ops for case in cases} == {(op,)}


@pytest.mark.parametrize("op", OF_ARRAYS)
def test_an_op_of_arrays_alone_is_refused_for_scalars(op: str) -> None:
    with pytest.raises(ValueError, match=r"have no operands of ranks \[0\]"):
        op_cases(op, within=replace(SCALARS, broadcasting=False))


# ---- build


def test_build_is_pure_and_repairs_what_does_not_fit() -> None:
    scope = Scope(OPS.public())
    inputs = [Input(0, Values(0, [5])), Input(0, Values(0, [4]))]  # -2 and -1
    choices = Choices(inputs, [OpChoice("log", 0, 0, 0)], Ending(0, 0))
    case = build(choices, scope)
    assert case_name(build(choices, scope)) == case_name(case)
    assert case.graph.ops == ("log",)
    assert case.point[0] > 0


def test_an_op_takes_the_nearest_node_that_fits() -> None:
    inputs = [Input(0, Values(0, [1])), Input(0, Values(0, [4]))]  # 2 and -1
    choices = Choices(inputs, [OpChoice("log", 0, 0, 0)], Ending(0, 0))
    case = build(choices, Scope(OPS.public()))
    assert case.graph.output.operands == (0,)
    assert [float(x) for x in case.point] == [2.0, -1.0]


@pytest.mark.parametrize("op", ["conv1d", "conv2d"])
def test_a_huge_operand_is_moved_without_trying_all_values_of_the_others(
    monkeypatch: pytest.MonkeyPatch, op: str
) -> None:
    """For conv2d there are 19,683 points near the drawn one, at up to 64 params."""
    tried, try_op = Counter[str](), Draft.try_op

    def counted(draft: Draft, *arguments: Any) -> bool:
        tried[op] += 1
        return try_op(draft, *arguments)

    monkeypatch.setattr(Draft, "try_op", counted)
    largest = [99 - k for k in range(8)]  # the choices of the dtype's extremes
    inputs = [Input(1, Values(0, largest)), *[Input(1, Values(0, [0]))] * 2]
    scope = Scope((op,), Limits(empty=False))
    case = alone(OpChoice(op, 0, 0, 0), inputs, Ending(), scope)
    assert is_sound(case)
    assert 0 < tried[op] < 200


# ---- points


@FEW
@given(points([(), (2, 3)], dtype="float32"))
def test_points_have_the_shapes_and_dtype_asked_for(
    point: tuple[np.ndarray, ...],
) -> None:
    assert [x.shape for x in point] == [(), (2, 3)]
    assert all(x.dtype == np.float32 and np.all(np.isfinite(x)) for x in point)


def test_points_shrink_to_ones() -> None:
    smallest = find(points([(2,)]), lambda point: True, settings=FEW)
    assert smallest[0].tolist() == [1.0, 1.0]


def test_strategies_are_ordinary_hypothesis_strategies() -> None:
    assert isinstance(graphs(), st.SearchStrategy)
    assert isinstance(op_cases("add"), st.SearchStrategy)


@pytest.mark.parametrize("op", ["log", "div"])
def test_a_narrow_domain_is_reached_by_its_own_row(
    monkeypatch: pytest.MonkeyPatch, op: str
) -> None:
    row = OPS[op]
    narrow = Domain(
        lambda *x: bool(np.all((x[-1] > 5.25) & (x[-1] < 5.75))),
        lambda *x: (*x[:-1], 5.5 + 0.25 * squeezed(x[-1])),
    )
    monkeypatch.setitem(OPS.rows, op, replace(row, domain=narrow))  # type: ignore[arg-type]
    cases = sample(op_cases(op), 30, 10)
    assert all(is_sound(case) for case in cases)
    assert sum(op in case.graph.ops for case in cases) == 30
