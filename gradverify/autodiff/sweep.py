"""The walk back over a program, and what one application of an op passes on.

`walk_back` is the one loop that accumulates cotangents: in any arithmetic, on symbols,
over stacks of points, or with a change at some edges. These uses differ in what an
application passes on, and in how terms are added. For example, in `y = a * b` the
cotangent 1 of y passes b on to a, and a on to b.

The tape has a loop of its own. It calls no function at a step, because its speed is the
speed of reverse mode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from gradverify.autodiff.operands import zeros
from gradverify.autodiff.rules import Rule, rules_of
from gradverify.autodiff.traced import bare
from gradverify.graph import CONSTANTS, Graph, Node
from gradverify.ops import Shape
from gradverify.ops.maps import Linear, align, unbroadcast

# From a node and the cotangent that reaches it to what each of its operands receives;
# None for an operand to which nothing flows.
Pull = Callable[[int, Any], Iterable[Any]]
# From a node and the terms that reach it to their sum. There are at least two terms;
# that of the last use stands first.
Join = Callable[[int, Sequence[Any]], Any]
# How a rule turns a cotangent into what an operand receives: `pulled`, or the same in
# absolute values.
Rate = Callable[[Any, Rule, Any, Any, Sequence[Any], Node], Any]


def total(_: int, terms: Sequence[Any]) -> Any:
    """The sum of the terms, from the first to the last."""
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return found


def walk_back(
    nodes: Sequence[Node], seeds: Mapping[int, Any], pull: Pull, join: Join = total
) -> list[Any]:
    """The cotangent of every node and leaf; None where nothing flows.

    seeds: the index of a node to a cotangent, the first of the terms that reach it.
    """
    terms: list[list[Any]] = [[] for _ in nodes]
    for i, seed in seeds.items():
        terms[i].append(seed)
    found: list[Any] = [None] * len(nodes)
    for i in range(len(nodes) - 1, -1, -1):
        reached = terms[i]
        if not reached:
            continue
        ct = found[i] = reached[0] if len(reached) == 1 else join(i, reached)
        terms[i] = []  # which frees their memory
        if operands := nodes[i].operands:
            for j, bar in zip(operands, pull(i, ct), strict=True):
                if bar is not None:
                    terms[j].append(bar)
    return found


# ---- one application of an op


def pulled(m: Any, rule: Rule, ct: Any, y: Any, x: Sequence[Any], node: Node) -> Any:
    """What an operand receives from a cotangent of y, before broadcasting is undone.

    None if the derivative is zero everywhere.
    """
    if isinstance(rule, Linear):
        return rule.vjp(m, ct, y, *x, **node.params)
    if isinstance(rule, float):
        return None if rule == 0.0 else ct if rule == 1.0 else -ct
    return ct * rule(m, y, *x, **node.params)


def pulled_modulus(
    m: Any, rule: Rule, ct: Any, y: Any, x: Sequence[Any], node: Node
) -> Any:
    """As `pulled`, but with the absolute value of every local derivative."""
    if isinstance(rule, Linear):
        return pulled(m, rule, ct, y, [_modulus(m, v) for v in x], node)
    if isinstance(rule, float):
        return None if rule == 0.0 else ct
    return ct * m.abs(rule(m, y, *x, **node.params))


def _modulus(m: Any, value: Any) -> Any:
    is_mask = isinstance(value, np.ndarray) and value.dtype == bool
    return value if is_mask else m.abs(value)


def pullback(
    m: Any,
    rules: Iterable[Rule],
    ct: Any,
    y: Any,
    x: Sequence[Any],
    node: Node,
    shapes: Sequence[Shape | None],
    rate: Rate = pulled,
) -> list[Any]:
    """What the operands of one application of an op receive; None for nothing.

    ct: the cotangent of the result, of the node's shape. It may be a stack of such
        cotangents, with leading axes.
    shapes: those of the operands; None for operands to which nothing is to flow.
    """
    bars: list[Any] = []
    for rule, shape in zip(rules, shapes, strict=True):
        bar = None
        if shape is not None:
            bar = rate(m, rule, ct, y, x, node)
            if bar is not None and type(rule) is not Linear and shape != node.shape:
                bar = unbroadcast(m, bar, shape, len(node.shape))
        bars.append(bar)
    return bars


def pushed(
    m: Any, rule: Rule, x_dot: Any, i: int, y: Any, x: Sequence[Any], params: Any
) -> Any:
    """What operand i, with the tangent x_dot, adds to the tangent of y.

    If the operand is broadcast, it may have fewer axes than y.
    """
    if isinstance(rule, Linear):
        return rule.jvp(m, x_dot, y, *x, **params)
    x_dot = align(m, x_dot, np.shape(x[i]), np.ndim(y))
    if isinstance(rule, float):
        return x_dot if rule == 1.0 else x_dot * rule
    return scaled(m, x_dot, rule(m, y, *x, **params))


def pushed_modulus(
    m: Any, rule: Rule, x_dot: Any, i: int, y: Any, x: Sequence[Any], params: Any
) -> Any:
    """As `pushed`, but with the absolute value of every local derivative."""
    if isinstance(rule, Linear):
        return rule.jvp(m, x_dot, y, *(_modulus(m, v) for v in x), **params)
    x_dot = align(m, x_dot, np.shape(x[i]), np.ndim(y))
    if isinstance(rule, float):
        return x_dot
    return x_dot * m.abs(rule(m, y, *x, **params))


def scaled(m: Any, x_dot: Any, partial: Any) -> Any:
    """The product, in which a zero stays zero beside an infinity.

    In floats it would be NaN. An operand that does not move would then spoil the
    derivatives by all other inputs. And where a root of 0 has the weight 0, nothing
    asks for its infinite slope.
    """
    product = x_dot * partial
    if type(partial) is float:  # as that of x**0, whatever x is
        return product
    if _is_finite(partial) and _is_finite(x_dot):
        return product
    still = (bare(x_dot) == 0) | (bare(partial) == 0)
    if not np.any(still):
        return product
    return m.where(still, zeros(m, (), x_dot), product)


def _is_finite(partial: Any) -> bool:
    """Whether a partial is finite floats, so that its product with zero is zero."""
    partial = bare(partial)
    dtype = getattr(partial, "dtype", None)
    return dtype is not None and dtype.kind == "f" and bool(np.isfinite(partial).all())


# ---- the sweep over a graph whose values are known


def operand_shapes(nodes: Sequence[Node], node: Node) -> list[Shape | None]:
    """The shapes of a node's operands; None for constants, to which nothing flows."""
    return [None if nodes[j].op in CONSTANTS else nodes[j].shape for j in node.operands]


def reverse(
    graph: Graph,
    m: Any,
    values: Sequence[Any],
    seeds: Mapping[int, Any],
    *,
    rate: Rate = pulled,
) -> list[Any]:
    """The cotangent of every node and leaf; None where nothing flows.

    With the rate `pulled_modulus`, it is the sum over all paths of the absolute value
    of the product of local derivatives along the path.

    seeds: the index of a node to a cotangent, or to a stack of cotangents. All stacks
        have the same leading axes.
    """
    nodes = graph.nodes

    def pull(i: int, ct: Any) -> list[Any]:
        node = nodes[i]
        x = [values[j] for j in node.operands]
        rules = rules_of(node.op, len(x))
        shapes = operand_shapes(nodes, node)
        return pullback(m, rules, ct, values[i], x, node, shapes, rate)

    return walk_back(nodes, seeds, pull)


def forward(
    graph: Graph,
    m: Any,
    values: Sequence[Any],
    seeds: Mapping[int, Any],
    *,
    rate: Callable[..., Any] = pushed,
    noted: Callable[[int, Any], object] = lambda i, tangent: None,
    rules: Callable[[str, int], Sequence[Rule]] = rules_of,
) -> list[Any]:
    """The tangent of every node; None where nothing moves.

    With the rate `pushed_modulus`, and moduli for seeds, it is the sum over all paths
    of the absolute value of the product of local derivatives along the path.

    seeds: the index of an input to its tangent.
    noted: called with a node and its tangent.
    rules: from an op and the number of its operands to one rule for each of them.
    """
    found: list[Any] = [seeds.get(i) for i in range(len(graph.nodes))]
    for i, node in enumerate(graph.nodes):
        x = [values[j] for j in node.operands]
        terms = [
            rate(m, rule, found[j], k, values[i], x, node.params)
            for k, (rule, j) in enumerate(
                zip(rules(node.op, len(x)) if x else (), node.operands, strict=True)
            )
            if found[j] is not None and rule != 0.0
        ]
        if terms:
            tangent = total(i, terms)
            if np.shape(tangent) != node.shape:
                tangent = m.broadcast_to(tangent, shape=node.shape)
            found[i] = tangent
            noted(i, tangent)
    return found
