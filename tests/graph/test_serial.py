"""Cases are read from files that anybody may have written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gradverify.differentiators.examples import example_case
from gradverify.graph import case_from_json, case_name, case_to_json, formula
from gradverify.graph.serial import ELEMENTS, NODES
from gradverify.ops import OPS

ONE = float(1).hex()
INPUT = {"op": "input", "shape": []}
POINT = {"shape": [], "dtype": "float64", "values": [ONE]}


def of(*nodes: Any, **fields: Any) -> Any:
    """A case of these nodes as JSON, a scalar input first."""
    return {"graph": {"nodes": [INPUT, *nodes]}, "point": [POINT],
            "dtype": "float64", **fields}  # fmt: skip


def op(name: str, operands: Any = (0,), **params: Any) -> dict[str, Any]:
    return {"op": name, "operands": list(operands) if operands == (0,) else operands,
            "params": params}  # fmt: skip


def literal(value: Any) -> dict[str, Any]:
    return {"op": "literal", "value": value}


def data(shape: Any, values: Any, dtype: Any = "float64") -> dict[str, Any]:
    value = {"shape": shape, "values": values, "dtype": dtype}
    return {"op": "data", "value": value}


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


HUGE = 10**9

HOSTILE: tuple[tuple[Any, str], ...] = (
    (op("broadcast_to", shape=[HUGE]), "a shape is"),
    (op("broadcast_to", shape=[1000] * 3), "elements"),
    (op("broadcast_to", shape=[1] * 40), "lengths"),
    (op("broadcast_to", shape=[0, HUGE]), "a shape is"),
    (op("broadcast_to", shape=[-1]), "a shape is"),
    (op("broadcast_to", shape=[2.0]), "a list of ints"),
    (op("broadcast_to", shape=[True]), "a list of ints"),
    (op("broadcast_to", shape="2"), "a list"),
    (op("broadcast_to", shape=nested(300)), "a list of ints"),
    (op("broadcast_to", shape=[10**400]), "a shape is"),
    (op("sin", "0"), "operands of node 1 .sin. is '0'"),
    (op("sin", ["0"]), "a list of ints"),
    (op("sin", [0.7]), "a list of ints"),
    (op("sin", [False]), "a list of ints"),
    (op("sin", [-1]), "earlier nodes"),
    (op("sin", [1]), "earlier nodes"),
    (op("sin", [0, 0]), "takes 1 operands"),
    (op("sin", axis=[0]), "a param of sin is 'axis'"),
    (op("sum", keepdims=[1]), "keepdims is .1.; allowed: true and false"),
    (op("sum", keepdims=1), "true and false"),
    (op("sum", axis=["0"]), "a list of ints"),
    (op("sum", axis=[0.7]), "a list of ints"),
    (op("sum", axis=0), "a list"),
    (op("transpose", axes=[True]), "a list of ints"),
    (op("power", n=10**500), "a number is"),
    (op("power", n=True), "a number is"),
    (op("power", n=0.5), "a number is"),
    (op("power", n="nan"), "finite"),
    (op("power", n="0x1p5000"), "a number is"),
    (op(["sin"]), "an op is"),
    (op("eval"), "unknown op"),
    ({"op": "input", "shape": [HUGE]}, "a shape is"),
    ({"op": "sin", "operands": [0]}, "node 1 of the graph is malformed"),
    ("sin", "malformed"),
    (None, "malformed"),
    (literal(10**500), "a number is"),
    (literal(1.5), "a number is"),
    (literal(True), "a number is"),
    (literal("1; import os"), "a number is"),
    (literal(nested(300)), "a number is"),
    (data([2], [ONE]), "1 values do not fill"),
    (data([HUGE], []), "a shape is"),
    (data([], ["x"]), "a number is"),
    (data([], [2], "bool"), "0 and 1"),
    (data([], [ONE], "O"), "a dtype is"),
    (data([], [ONE], nested(300)), "a dtype is"),
    (data([], [(1e300).hex()], "float32"), "beyond the range of float32"),
)


@pytest.mark.parametrize(("node", "message"), HOSTILE)
def test_a_hostile_node_is_refused(node: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        case_from_json(of(node))
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (of(point=POINT), "the point is"),
        (of(point=[[]]), "the point of the case is malformed"),
        (of(point=[POINT | {"dtype": "bool", "values": [1]}]), "another dtype"),
        (of(point=[POINT | {"values": [10**400]}]), "a number is"),
        (of(dtype=nested(300)), "the dtype of the case is"),
        (of(graph=[]), "malformed"),
        (of(graph={"nodes": "nodes"}), "nodes is 'nodes'"),
        (of(graph={"nodes": []}), "at least one node"),
        (of(*[op("sin")] * NODES), "nodes; allowed"),
        ([], "a JSON object"),
        (nested(300), "a JSON object"),
    ],
)
def test_a_hostile_case_is_refused(case: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        case_from_json(case)


def test_an_outer_product_is_refused_before_it_is_made() -> None:
    long = [1] * 2000
    vectors = [data([2000, 1], long), data([1, 2000], long)]
    with pytest.raises(ValueError, match=f"{ELEMENTS} elements"):
        case_from_json(of(*vectors, op("matmul", [1, 2])))


def test_a_long_graph_is_read_and_its_formula_stays_short() -> None:
    doubled = [op("add", [i, i]) for i in range(NODES - 1)]
    case = case_from_json(json.loads(json.dumps(of(*doubled))))
    assert len(formula(case.graph)) < 100_000
    assert case_name(case_from_json(case_to_json(case))) == case_name(case)


@pytest.mark.parametrize("op_name", OPS.public())
def test_the_params_of_every_op_are_read_back(op_name: str) -> None:
    """Else an engine in a process of its own is asked what no message can say."""
    case = example_case(OPS[op_name], "float64")
    text = json.dumps(case_to_json(case))
    assert case_name(case_from_json(json.loads(text))) == case_name(case)
