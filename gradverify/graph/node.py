"""Nodes: leaves and applications of ops, how they are made, and when they fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from gradverify.ops import OPS, Shape

Array = npt.NDArray[Any]

LEAVES = ("input", "data", "literal")
CONSTANTS = ("data", "literal")
"""The leaves that are not differentiated."""


@dataclass(frozen=True, eq=False)
class Node:
    """One application of an op, or a leaf.

    There are three kinds of leaves. An `input` is differentiated. `data` is an array
    that is not, such as a target or a mask. A `literal` is a plain Python number, and
    is handed to a library as one. The last two have their value in `value`.
    """

    op: str
    operands: tuple[int, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    shape: Shape = ()
    value: Any = None

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """What tells this node from another one, in a form that can be hashed."""
        value = self.value
        if isinstance(value, np.ndarray):
            value = (value.dtype.str, value.tobytes())
        params = tuple(sorted((k, repr(v)) for k, v in self.params.items()))
        return (self.op, self.operands, params, self.shape, repr(value))


# ---- building


def input_leaf(shape: Sequence[int] = ()) -> Node:
    """A leaf that is differentiated."""
    return Node("input", shape=tuple(shape))


def data_leaf(value: Any) -> Node:
    """An array that is not differentiated: Boolean masks, or floats."""
    array = np.asarray(value)
    array = array if array.dtype == bool else array.astype(np.float64)
    return Node("data", shape=array.shape, value=frozen(array))


def literal_leaf(value: float) -> Node:
    """A plain Python number."""
    return Node("literal", value=value)


def apply_op(
    nodes: Sequence[Node], op: str, operands: Sequence[int], **params: Any
) -> Node:
    """The node that applies `op` to earlier nodes; its shape is worked out here.

    Raises `ValueError` if the op is unknown, or if operands or params do not fit it.
    """
    row = OPS[op]
    if row.arity and len(operands) != row.arity:
        raise ValueError(f"{op} takes {row.arity} operands, not {len(operands)}")
    if set(params) - set(row.params):
        raise ValueError(f"{op} has no params {sorted(set(params) - set(row.params))}; "
                         f"its params are {list(row.params)}")  # fmt: skip
    try:
        shape = row.shape(*(nodes[i].shape for i in operands), **params)
    except ValueError as error:
        raise ValueError(f"{op}: {error}") from None
    except TypeError:
        raise ValueError(f"{op} needs its params {list(row.params)}") from None
    params = {k: tuple(v) if isinstance(v, list) else v for k, v in params.items()}
    return Node(op, tuple(operands), params, shape)


def check(nodes: Sequence[Node]) -> None:
    """Refuse, with `ValueError`, a program that is not well formed."""
    if not nodes:
        raise ValueError("a graph needs at least one node")
    for i, node in enumerate(nodes):
        if node.op in LEAVES:
            _check_leaf(i, node)
            continue
        if any(not 0 <= j < i for j in node.operands):
            raise ValueError(
                f"node {i} ({node.op}) has operands {node.operands}; allowed are "
                f"earlier nodes, 0 to {i - 1}"
            )
        _check_operands(i, nodes)
        expected = apply_op(nodes, node.op, node.operands, **node.params).shape
        if node.shape != expected:
            raise ValueError(
                f"node {i} ({node.op}) says shape {node.shape}; its operands give "
                f"{expected}"
            )


def _check_leaf(i: int, node: Node) -> None:
    if node.op == "literal" and (
        isinstance(node.value, bool) or not isinstance(node.value, int | float)
    ):
        raise ValueError(f"node {i}: literal {node.value!r} is no int or float")
    if node.op == "data" and not isinstance(node.value, np.ndarray):
        raise ValueError(f"node {i}: data needs an array, not {node.value!r}")


def _check_operands(i: int, nodes: Sequence[Node]) -> None:
    node = nodes[i]
    row = OPS[node.op]
    for position, j in enumerate(node.operands):
        leaf = nodes[j]
        is_mask = leaf.op == "data" and leaf.value.dtype == bool
        if is_mask != (position in row.masks):
            need = "a Boolean data leaf" if position in row.masks else "numbers"
            raise ValueError(
                f"node {i} ({node.op}): operand {position} must be {need}, and node "
                f"{j} is {leaf.op}"
            )
        if leaf.op == "literal" and row.operator is None and not row.internal:
            raise ValueError(
                f"node {i} ({node.op}): operand {position} is a literal; literals may "
                "meet only the Python operators - + * / **"
            )


def frozen(array: Array) -> Array:
    array = np.array(array)
    array.setflags(write=False)
    return array
