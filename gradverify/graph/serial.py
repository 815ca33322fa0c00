"""Graphs and cases as JSON: parsed and checked, never executed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.graph.case import Case
from gradverify.graph.program import (
    DTYPES,
    Array,
    Graph,
    Node,
    apply_op,
    data_leaf,
    input_leaf,
    literal_leaf,
)


def _number_to_json(value: float) -> Any:
    return value if isinstance(value, int) else value.hex()


def _number_from_json(text: Any) -> float:
    if isinstance(text, bool) or not isinstance(text, int | str):
        raise ValueError(f"{text!r} is no number: allowed are ints and float.hex()")
    return text if isinstance(text, int) else float.fromhex(text)


def array_to_json(array: Array) -> dict[str, Any]:
    """Shape, dtype and the values, row by row, as `float.hex()` or 0 and 1."""
    flat = array.ravel().tolist()
    is_mask = array.dtype == bool
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "values": [int(v) for v in flat] if is_mask else [float(v).hex() for v in flat],
    }


def array_from_json(data: Mapping[str, Any]) -> Array:
    """The array that `array_to_json` wrote; `ValueError` where it is malformed."""
    if data["dtype"] not in ("bool", *DTYPES):
        raise ValueError(f"dtype {data['dtype']!r} is not among bool, {DTYPES}")
    values = [_number_from_json(v) for v in data["values"]]
    return np.array(values, data["dtype"]).reshape(tuple(map(int, data["shape"])))


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """A plain JSON object; the shapes of ops are left out, since they follow."""
    nodes = []
    for node in graph.nodes:
        entry: dict[str, Any] = {"op": node.op}
        if node.op == "input":
            entry["shape"] = list(node.shape)
        elif node.op == "data":
            entry["value"] = array_to_json(node.value)
        elif node.op == "literal":
            entry["value"] = _number_to_json(node.value)
        else:
            entry["operands"] = list(node.operands)
            entry["params"] = {k: _param_to_json(v) for k, v in node.params.items()}
        nodes.append(entry)
    return {"nodes": nodes}


def _param_to_json(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value


def _param_from_json(value: Any) -> Any:
    if isinstance(value, str):
        return float.fromhex(value)
    if isinstance(value, list):
        return tuple(int(v) for v in value)
    return value


def graph_from_json(data: Mapping[str, Any]) -> Graph:
    """The graph that `graph_to_json` wrote, checked as any other.

    Raises `ValueError` naming what is malformed.
    """
    nodes: list[Node] = []
    try:
        for entry in data["nodes"]:
            nodes.append(_node_from_json(nodes, entry))
        return Graph(tuple(nodes))
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        where = f"node {len(nodes)}"
        raise ValueError(f"{where} of the graph is malformed: {error!r}") from None


def _node_from_json(nodes: Sequence[Node], entry: Mapping[str, Any]) -> Node:
    op = entry["op"]
    if op == "input":
        return input_leaf([int(n) for n in entry["shape"]])
    if op == "data":
        return data_leaf(array_from_json(entry["value"]))
    if op == "literal":
        return literal_leaf(_number_from_json(entry["value"]))
    operands = tuple(int(i) for i in entry["operands"])
    if any(not 0 <= i < len(nodes) for i in operands):
        raise ValueError(
            f"node {len(nodes)} ({op}) has operands {operands}; allowed are earlier "
            f"nodes, 0 to {len(nodes) - 1}"
        )
    params = {k: _param_from_json(v) for k, v in entry["params"].items()}
    return apply_op(nodes, op, operands, **params)


def case_to_json(case: Case) -> dict[str, Any]:
    """A plain JSON object from which `case_from_json` makes the same case."""
    return {
        "graph": graph_to_json(case.graph),
        "point": [array_to_json(x) for x in case.point],
        "dtype": case.dtype,
    }


def case_from_json(data: Any) -> Case:
    """The case that `case_to_json` wrote; `ValueError` says what is malformed."""
    if not isinstance(data, Mapping) or not {"graph", "point"} <= set(data):
        raise ValueError("a case is a JSON object with graph, point and dtype")
    try:
        point = tuple(array_from_json(x) for x in data["point"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the point of the case is malformed: {error!r}") from None
    return Case(graph_from_json(data["graph"]), point, data.get("dtype", "float64"))


def case_name(case: Case) -> str:
    """Ten hexadecimal digits of a hash over graph, point and dtype: the case's name."""
    text = json.dumps(case_to_json(case), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]
