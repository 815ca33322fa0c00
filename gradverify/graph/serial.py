"""Graphs and cases as JSON. What is read is checked, and never executed."""

from __future__ import annotations

import hashlib
import json
import math
import reprlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.formats import DTYPES
from gradverify.graph.case import Case
from gradverify.graph.node import (
    Array,
    Node,
    apply_op,
    data_leaf,
    input_leaf,
    literal_leaf,
)
from gradverify.graph.program import Graph
from gradverify.ops import OPS

# What a file may ask for. No case that is drawn or saved comes near these limits.
ELEMENTS = 10**6  # of one node
NODES = 10_000
RANK = 32
TEXT = 80  # characters of a param that is one


def _refused(value: Any, what: str, allowed: str) -> ValueError:
    # of hostile values the text is cut, in length and in depth
    return ValueError(f"{what} is {reprlib.repr(value)}; allowed: {allowed}")


def _number_to_json(value: float) -> Any:
    return value if isinstance(value, int) else value.hex()


def _number_from_json(value: Any) -> float:
    allowed = "ints and float.hex(), within the range of float64"
    try:
        if type(value) is int:
            float(value)
            return value
        if isinstance(value, str):
            return float.fromhex(value)
    except (ValueError, OverflowError):
        pass
    raise _refused(value, "a number", allowed)


def array_to_json(array: Array) -> dict[str, Any]:
    """Its shape, its dtype, and its values row by row.

    Floats are written by `float.hex()`, Booleans as 0 and 1.
    """
    flat = array.ravel().tolist()
    is_mask = array.dtype == bool
    return {
        "shape": list(array.shape),
        "dtype": array.dtype.name,
        "values": [int(v) for v in flat] if is_mask else [float(v).hex() for v in flat],
    }


def array_from_json(data: Mapping[str, Any]) -> Array:
    """The array that `array_to_json` wrote.

    Raises `ValueError` if it is malformed.
    """
    if data["dtype"] not in ("bool", *DTYPES):
        raise _refused(data["dtype"], "a dtype", f"bool, {', '.join(DTYPES)}")
    shape, found = _shape(data["shape"]), _list(data["values"], "values")
    if len(found) != math.prod(shape):
        raise ValueError(f"{len(found)} values do not fill an array of shape {shape}")
    values = [_number_from_json(v) for v in found]
    if data["dtype"] == "bool" and any(v not in (0, 1) for v in values):
        raise ValueError("the values of a mask are 0 and 1")
    with np.errstate(over="ignore"):
        array = np.array(values, data["dtype"])
    if np.any(np.isinf(array) & np.isfinite(np.array(values, np.float64))):
        raise ValueError(f"a value is beyond the range of {data['dtype']}")
    return array.reshape(shape)


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _refused(value, what, "a list")
    return list(value)


def _ints(value: Any, what: str) -> tuple[int, ...]:
    found = _list(value, what)
    if any(type(n) is not int for n in found):
        raise _refused(value, what, "a list of ints")
    return tuple(found)


def _shape(value: Any) -> tuple[int, ...]:
    found = _ints(value, "a shape")
    if len(found) > RANK or any(not 0 <= n <= ELEMENTS for n in found):
        raise _refused(value, "a shape", f"up to {RANK} lengths from 0 to {ELEMENTS}")
    _check_size(found)
    return found


def _check_size(shape: Sequence[int]) -> None:
    if len(shape) > RANK or math.prod(shape) > ELEMENTS:
        raise _refused(shape, "a shape", f"up to {ELEMENTS} elements and rank {RANK}")


def graph_to_json(graph: Graph) -> dict[str, Any]:
    """A plain JSON object, without the shapes of ops, which follow from the rest."""
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
    if isinstance(value, tuple):
        return [_param_to_json(v) for v in value]
    return value.hex() if isinstance(value, float) else value


def _axes_or_none(value: Any) -> tuple[int, ...] | None:
    return None if value is None else _ints(value, "an axis")


def _truth(name: str) -> Callable[[Any], bool]:
    def checked(value: Any) -> bool:
        if not isinstance(value, bool):
            raise _refused(value, name, "true and false")
        return value

    return checked


def _sizes(value: Any) -> tuple[int, ...]:
    return _ints(value, "a param")


def _numbers(value: Any) -> tuple[float, ...]:
    return tuple(_number_from_json(v) for v in _list(value, "a param"))


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > TEXT:
        raise _refused(value, "a param", f"a text of up to {TEXT} characters")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise _refused(value, "a param", "whole numbers")
    return value


PARAMS: Mapping[str, Callable[[Any], Any]] = {
    "axis": _axes_or_none,
    "axes": _axes_or_none,
    "shape": _shape,
    "n": _number_from_json,
    "low": _number_from_json,
    "high": _number_from_json,
    "approximate": _text,
    "subscripts": _text,
    **dict.fromkeys(
        ("lambd", "threshold", "value", "least", "most"), _number_from_json
    ),
    **dict.fromkeys(("exponent", "d"), _whole),
    **dict.fromkeys(("a", "b", "s"), _number_from_json),
    "length": lambda value: None if value is None else _whole(value),
    "lengths": lambda value: None if value is None else _sizes(value),
    "ddof": _whole,
    "start": _whole,
    "stop": _whole,
    **dict.fromkeys(("kernel", "stride", "padding", "dilation"), _sizes),
    **dict.fromkeys(("chosen", "segments", "reps"), _sizes),
    **dict.fromkeys(("signs", "steps"), _sizes),
    **dict.fromkeys(("size", "output_padding"), _sizes),
    "samples": _numbers,
    **dict.fromkeys(("beta", "margin"), _number_from_json),
    **dict.fromkeys(("blank", "factor", "heads"), _whole),
    **dict.fromkeys(("outside", "nonlinearity"), _text),
    "offsets": _sizes,
    "base": _number_from_json,
    **dict.fromkeys(("k", "shift", "repeats", "before", "after"), _whole),
    **dict.fromkeys(("reduce", "mode", "norm"), _text),
    **dict.fromkeys(("index", "target", "order"), _sizes),
    **dict.fromkeys(("groups", "offset", "k"), _whole),
    **dict.fromkeys(("alpha", "delta", "eps", "p", "smoothing"), _number_from_json),
    "weight": lambda value: None if value is None else _numbers(value),
    **dict.fromkeys(("mean", "var", "knots"), _numbers),
    **dict.fromkeys(("mask", "kept", "reduction", "part", "ord"), _text),
    **{
        name: _truth(name)
        for name in (
            "keepdims",
            "include_self",
            "accumulate",
            "count_include_pad",
            "log_target",
            "log_input",
            "need_weights",
            "align_corners",
            "exact",
            "full",
            "swap",
            "upper",
            "left",
            "unitriangular",
            "adjoint",
            "descending",
            "largest",
        )
    },
}


def _param_from_json(op: str, name: str, value: Any) -> Any:
    if name not in OPS[op].params:
        raise _refused(name, f"a param of {op}", ", ".join(OPS[op].params) or "none")
    return PARAMS[name](value)


def graph_from_json(data: Mapping[str, Any]) -> Graph:
    """The graph that `graph_to_json` wrote. It is checked as any other graph is.

    Raises `ValueError` that names what is malformed, or what is larger than any case
    needs it to be.
    """
    nodes: list[Node] = []
    try:
        entries = _list(data["nodes"], "nodes")
        if len(entries) > NODES:
            raise ValueError(f"a graph of {len(entries)} nodes; allowed: {NODES}")
        for entry in entries:
            nodes.append(_node_from_json(nodes, entry))
            _check_size(nodes[-1].shape)
        return Graph(tuple(nodes))
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        where = f"node {len(nodes)}"
        raise ValueError(f"{where} of the graph is malformed: {error!r}") from None


def _node_from_json(nodes: Sequence[Node], entry: Mapping[str, Any]) -> Node:
    op = entry["op"]
    if not isinstance(op, str):
        raise _refused(op, "an op", "its name")
    if op == "input":
        return input_leaf(_shape(entry["shape"]))
    if op == "data":
        return data_leaf(array_from_json(entry["value"]))
    if op == "literal":
        return literal_leaf(_number_from_json(entry["value"]))
    operands = _ints(entry["operands"], f"the operands of node {len(nodes)} ({op})")
    if any(not 0 <= i < len(nodes) for i in operands):
        allowed = f"earlier nodes, 0 to {len(nodes) - 1}"
        raise _refused(operands, f"operands of node {len(nodes)} ({op})", allowed)
    params = {k: _param_from_json(op, k, v) for k, v in entry["params"].items()}
    return apply_op(nodes, op, operands, **params)


def case_to_json(case: Case) -> dict[str, Any]:
    """A plain JSON object from which `case_from_json` makes the same case."""
    return {
        "graph": graph_to_json(case.graph),
        "point": [array_to_json(x) for x in case.point],
        "dtype": case.dtype,
    }


def case_from_json(data: Any) -> Case:
    """The case that `case_to_json` wrote.

    Raises `ValueError` that says what is malformed.
    """
    if not isinstance(data, Mapping) or not {"graph", "point"} <= set(data):
        raise ValueError("a case is a JSON object with graph, point and dtype")
    dtype = data.get("dtype", "float64")
    if dtype not in DTYPES:
        raise _refused(dtype, "the dtype of the case", ", ".join(DTYPES))
    graph = graph_from_json(data["graph"])
    try:
        point = tuple(array_from_json(x) for x in _list(data["point"], "the point"))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the point of the case is malformed: {error!r}") from None
    if any(x.dtype != dtype for x in point):
        raise ValueError(f"the point has another dtype than the case, {dtype}")
    return Case(graph, point, dtype)


def case_name(case: Case) -> str:
    """Ten hexadecimal digits of a hash over graph, point and dtype: the case's name."""
    text = json.dumps(case_to_json(case), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:10]
