"""One reverse sweep over a graph whose values are known, in any arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.autodiff.rules import Rule, rules_of
from gradverify.graph import LEAVES, Graph, Node
from gradverify.ops.maps import Linear, unbroadcast


def pulled(m: Any, rule: Rule, ct: Any, y: Any, x: Sequence[Any], node: Node) -> Any:
    """What `rule` makes of a cotangent of y, before broadcasting is undone.

    None where the derivative is zero everywhere.
    """
    if isinstance(rule, Linear):
        return rule.vjp(m, ct, y, *x, **node.params)
    if isinstance(rule, float):
        return None if rule == 0.0 else ct if rule == 1.0 else -ct
    return ct * rule(m, y, *x, **node.params)


def _modulus(m: Any, value: Any) -> Any:
    is_mask = isinstance(value, np.ndarray) and value.dtype == bool
    return value if is_mask else m.abs(value)


def reverse(
    graph: Graph,
    m: Any,
    values: Sequence[Any],
    seeds: Mapping[int, Any],
    *,
    modulus: bool = False,
) -> list[Any]:
    """The cotangent of every node, None where nothing flows; leaves included.

    seeds: node index to cotangent, or to a stack of them with leading axes, the same
        for all. With `modulus`, every local derivative is replaced by its absolute
        value: the result is then the sum over all paths of |products|.
    """
    cotangents: list[Any] = [None] * len(graph.nodes)
    for index, seed in seeds.items():
        cotangents[index] = seed
    for i in reversed(range(len(graph.nodes))):
        node, ct = graph.nodes[i], cotangents[i]
        if ct is None or node.op in LEAVES:
            continue
        x = [values[j] for j in node.operands]
        for j, rule in zip(
            node.operands, rules_of(node.op, len(node.operands)), strict=True
        ):
            if graph.nodes[j].op in ("literal", "data"):
                continue
            if modulus:
                bar = _pulled_modulus(m, rule, ct, values[i], x, node)
            else:
                bar = pulled(m, rule, ct, values[i], x, node)
            if bar is None:
                continue
            if not isinstance(rule, Linear):
                bar = unbroadcast(m, bar, graph.nodes[j].shape, len(node.shape))
            cotangents[j] = bar if cotangents[j] is None else cotangents[j] + bar
    return cotangents


def _pulled_modulus(
    m: Any, rule: Rule, ct: Any, y: Any, x: Sequence[Any], node: Node
) -> Any:
    if isinstance(rule, Linear):
        return pulled(m, rule, ct, y, [_modulus(m, v) for v in x], node)
    if isinstance(rule, float):
        return None if rule == 0.0 else ct
    return ct * m.abs(rule(m, y, *x, **node.params))
