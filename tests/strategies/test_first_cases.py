"""What stands before drawn cases: literals, equal inputs, sweeps over sizes, edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest

from gradverify.autodiff import Tape
from gradverify.differentiators import Differentiator, Lowered, Pulled, load, mode
from gradverify.graph import Case
from gradverify.ops import OPS
from gradverify.ops.network_rows import LAYERS
from gradverify.strategies import edge_cases, first_cases
from gradverify.strategies.draft import is_sound
from gradverify.strategies.own_shapes import OWN_SHAPES
from gradverify.strategies.shrinking.minimise import key_of
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import Budget, verify_item

OPERATORS = [row.name for row in OPS if row.operator and row.arity == 2]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", OPERATORS)
def test_literals_stand_on_either_side(op: str, dtype: str) -> None:
    found = first_cases(op, dtype)
    sides = {
        node.operands.index(j)
        for case in found
        for node in case.graph.nodes
        for j in node.operands
        if case.graph.nodes[j].op == "literal"
    }
    assert sides == {0, 1}
    assert all(is_sound(case) for case in found)


@pytest.mark.parametrize("op", [*OPERATORS, "hypot", "maximum", "atan2"])
def test_two_inputs_hold_one_value(op: str) -> None:
    pairs = [case.point for case in first_cases(op, "float64") if len(case.point) == 2]
    assert {a.shape for a, _ in pairs} == {(), (2,)}
    assert all(np.array_equal(a, b) and a is not b for a, b in pairs)


# ---- edges, and what the first cases of a block meet

FIRST = 60  # a ci run looks at more of most ops, and a smoke run at others by each seed


def first_of(op: str, dtype: str, seed: int = 0) -> list[Case]:
    (block,) = blocks(Asked(suites=("ops",), ops=(op,), dtypes=(dtype,), seed=seed))
    return [case for _, case in islice(block.cases(), FIRST)]


def entries(case: Case) -> np.ndarray[Any, Any]:
    return np.concatenate([x.ravel() for x in case.point])


def weights(case: Case) -> np.ndarray[Any, Any]:
    """The cotangents of the op's result, if they are given as data."""
    found = [n.value.ravel() for n in case.graph.nodes if n.op == "data"]
    return np.concatenate([*found, []]).astype(float)


def params(case: Case) -> list[Any]:
    return [value for node in case.graph.nodes for value in node.params.values()]


def between(low: float, high: float) -> Callable[[Case], bool]:
    return lambda case: bool(np.any((entries(case) >= low) & (entries(case) <= high)))


def has_zero_row(case: Case) -> bool:
    rows = [x for x in case.point if x.ndim == 2]
    return any(np.any(~x.any(axis=1)) and x.any() for x in rows)


def are_equal(case: Case) -> bool:
    return any(x.size > 1 and np.all(x == x.flat[0]) and x.any() for x in case.point)


def is_subnormal(case: Case) -> bool:
    size = np.abs(entries(case))
    return bool(np.any((size > 0) & (size < np.finfo(case.dtype).tiny)))


def are_tiny(case: Case) -> bool:
    return bool(np.all((entries(case) != 0) & (np.abs(entries(case)) < 1e-150)))


def is_root_of_zero(case: Case) -> bool:
    return 0.0 in entries(case) and 0.5 in params(case)


def has_threshold(case: Case) -> bool:
    return any(type(p) is float and p != 1.0 for p in params(case))


# What an op's first cases hold in float64.
# fmt: off
MET: list[tuple[str, str, Callable[[Case], bool]]] = [
    ("hypot",      "3e155 and beyond",          between(2e154, 1e300)),
    ("asinh",      "a square that overflows",   between(2e154, 1e300)),
    ("div",        "a divisor's square",        between(2e154, 1e300)),
    ("atan2",      "squares that underflow",    are_tiny),
    ("prod",       "beyond 1e154",              between(2e154, 1e300)),
    ("exp2",       "the largest exponent",      between(1023, 1024)),
    ("sqrt",       "0",                         lambda c: 0.0 in entries(c)),
    ("sqrt",       "a subnormal number",        is_subnormal),
    ("abs",        "a subnormal number",        is_subnormal),
    ("norm",       "zeros alone",               lambda c: not entries(c).any()),
    ("norm",       "a row of zeros",            has_zero_row),
    ("std",        "equal numbers",             are_equal),
    ("power",      "a root of 0",               is_root_of_zero),
    ("power",      "a negative number",         lambda c: bool(np.any(entries(c) < 0))),
    ("digamma",    "left of 0",                 lambda c: bool(np.any(entries(c) < 0))),
    ("lgamma",     "left of 0",                 lambda c: bool(np.any(entries(c) < 0))),
    ("pow",        "a base of 0",               lambda c: 0.0 in entries(c)),
    ("hypot",      "the origin",                lambda c: not entries(c).any()),
    ("sqrt",       "a cotangent of 0",          lambda c: 0.0 in weights(c)),
    ("tanh",       "a cotangent of 0",          lambda c: 0.0 in weights(c)),
    ("norm",       "a negative axis",           lambda c: (-1,) in params(c)),
    ("max_pool1d", "a stride of 3",             lambda c: (3,) in params(c)),
    ("huber",      "another threshold",         has_threshold),
    ("clip",       "its own ends",              lambda c: {-1.0, 1.0} == {*entries(c)}),
    ("softplus",   "where some take x for it",  between(20, 30)),
    ("sigmoid",    "where some take exp(x)",    between(-20, -12)),
]
# fmt: on


@pytest.mark.parametrize(
    ("op", "kind", "holds"), MET, ids=[f"{r[0]}, {r[1]}" for r in MET]
)
def test_the_first_cases_of_an_op_meet(
    op: str, kind: str, holds: Callable[[Case], bool]
) -> None:
    assert any(map(holds, first_of(op, "float64"))), kind


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_most_ops_have_edges(dtype: str) -> None:
    """Layers, losses and choices by a mask may have none."""
    without = {op for op in OPS.public() if not edge_cases(op, dtype)}
    assert without <= {
        "where",
        "masked_fill",
        *OWN_SHAPES,
        *(row.name for row in LAYERS),
    }


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", ["sqrt", "hypot", "norm", "digamma", "logsumexp"])
def test_edges_are_in_the_domain_and_stand_before_drawn_cases(
    op: str, dtype: str
) -> None:
    found = edge_cases(op, dtype)
    assert all(is_sound(case) for case in found)
    keys = [key_of(case) for case in first_of(op, dtype)]
    assert {key_of(case) for case in found} <= set(keys)


def test_another_seed_has_its_edges_in_another_turn() -> None:
    after = 4  # sweeps
    begun = {key_of(edge_cases("tanh", "float64", seed)[after]) for seed in range(6)}
    assert len(begun) > 2
    assert len({len(edge_cases("tanh", "float64", seed)) for seed in range(6)}) == 1


@pytest.mark.parametrize(
    ("op", "dtype", "low", "high", "count"),
    [
        ("tanh", "float64", -101.0, 101.0, 4),
        ("sqrt", "float64", 1e-9, 101.0, 2),  # of positive numbers
        ("acos", "float64", -1.0, 1.0, 2),  # of small ones
        ("exp", "float32", -101.0, 88.8, 4),  # beyond 88.7 it overflows
        ("celu", "float64", -101.0, 101.0, 5),  # and at its own param
    ],
)
def test_an_op_of_one_operand_is_swept_over_the_sizes_of_its_domain(
    op: str, dtype: str, low: float, high: float, count: int
) -> None:
    found = edge_cases(op, dtype)[:count]
    assert all(is_sound(case) for case in found)
    assert sum(len(case.point[0]) > 4 for case in found) >= min(count, 4)
    swept = np.concatenate([entries(case) for case in found])
    assert low < swept.min() < swept.max() < high
    assert len(set(swept)) == len(swept)
    assert edge_cases(op, dtype)[count].point[0].size < 5, "the first of the edges"
    assert edge_cases("mul", dtype)[0].point[0].size < 5, "of two operands: none"


def test_a_block_begins_with_them() -> None:
    (block,) = blocks(Asked(suites=("ops",), ops=("mul",), dtypes=("float64",)))
    first = first_cases("mul", "float64")
    assert [case for _, case in islice(block.cases(), len(first))] == [*first]


class Sharing(Differentiator):
    """Our tape, in which two equal numbers have one gradient: that of both together."""

    name = "sharing"
    table = load("own-tape").table

    @mode("gradient")
    def reverse(self, function: Lowered, point: Sequence[Any]) -> Pulled:
        """The right gradient, with equal numbers added up."""
        tape = Tape()
        inputs = [tape.variable(x) for x in point]
        output = function(*inputs)
        found = tape.gradient(output, inputs)
        if len({float(x) for x in point if np.ndim(x) == 0}) == 1 < len(point):
            found = [found[0] + found[1]] * 2
        return Pulled(output.primal, found)


def test_an_engine_that_shares_gradients_is_found_in_the_first_cases() -> None:
    (block,) = blocks(Asked(suites=("ops",), ops=("mul",), dtypes=("float64",)))
    item = verify_item(block, Sharing(), "reverse", budget=Budget(cases=2, least=2))
    assert item.counts[Verdict.WRONG] == 1
