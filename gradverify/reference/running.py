"""Running errors: bounds of every number of a program at once, to first order.

One forward sweep carries an error beside every value: the sum over sites of the size of
the rounding, times the absolute values of the local derivatives on the way (Wilkinson,
1963; Higham, 2002, section 3.3). By the triangle inequality, that is never less than
the bound by a reverse sweep. It costs one evaluation of the program, however many
entries there are. For example, the error of an outer product h_i d_j is |h_i| times the
error of d_j, plus |d_j| times the error of h_i, plus its own rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.autodiff.rules import Rule, rules_of
from gradverify.graph import LEAVES, Array, Graph, Node
from gradverify.ops.maps import Linear, align

Scales = Mapping[int, Array]


def running_errors(
    graph: Graph,
    values: Sequence[Any],
    scales: tuple[Scales, Scales],
    targets: Sequence[int],
) -> list[tuple[Array, Array]]:
    """What the roundings of two kinds come to in the entries of each target.

    An error is infinite where infinities meet.

    values: of every node, in floats.
    scales: by node, how large a rounding may be, of either kind.
    """
    errors: list[Any] = []
    last = {j: i for i, node in enumerate(graph.nodes) for j in node.operands}
    last |= dict.fromkeys(targets, len(graph.nodes))
    for i, node in enumerate(graph.nodes):
        own = _own(node, [kind.get(i) for kind in scales])
        errors.append(
            own if node.op in LEAVES else _error(node, values, i, errors, own)
        )
        for j in set(node.operands):
            if last[j] == i:
                errors[j] = None  # which frees its memory
    return [_both(errors[t], graph.nodes[t].shape) for t in targets]


def _own(node: Node, sizes: Sequence[Array | None]) -> Any:
    """The roundings at a node itself, a stack of both kinds; None if it is exact."""
    if all(size is None for size in sizes):
        return None
    own = np.zeros((2, *node.shape), np.longdouble)
    for k, size in enumerate(sizes):
        if size is not None:
            own[k] = size
    return own


def _error(
    node: Node, values: Sequence[Any], i: int, errors: Sequence[Any], total: Any
) -> Any:
    """The node's own roundings, and what it makes of the errors of its operands."""
    x = [values[j] for j in node.operands]
    for j, rule in zip(node.operands, rules_of(node.op, len(x)), strict=True):
        if errors[j] is None or rule == 0.0:
            continue
        term = _pushed(rule, errors[j], values[i], x, node, np.shape(values[j]))
        total = term if total is None else total + term
    return total


def _pushed(
    rule: Rule, error: Any, y: Any, x: Sequence[Any], node: Node, shape: Any
) -> Any:
    """The error of one operand, times the local derivative in absolute value."""
    if isinstance(rule, Linear):
        sizes = [v if np.asarray(v).dtype == bool else np.abs(v) for v in x]
        return rule.jvp(EXTENDED, error, y, *sizes, **node.params)
    error = align(EXTENDED, error, shape, len(node.shape))
    if isinstance(rule, float):
        return error * abs(rule)
    slope = np.abs(rule(EXTENDED, y, *x, **node.params))
    return np.where(error == 0.0, 0.0, error * slope)


def _both(error: Any, shape: tuple[int, ...]) -> tuple[Array, Array]:
    if error is None:
        return np.zeros(shape, np.longdouble), np.zeros(shape, np.longdouble)
    whole = np.broadcast_to(np.where(np.isnan(error), np.inf, error), (2, *shape))
    return whole[0], whole[1]
