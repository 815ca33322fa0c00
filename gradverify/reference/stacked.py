"""A program at several points at once: every value has an axis of points in front.

One call of NumPy then serves all points of a graph. Which calls there are is worked out
once for each program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.autodiff.rules import Rule, rules_of
from gradverify.autodiff.sweep import walk_back
from gradverify.graph import CONSTANTS, LEAVES, Array, Graph, Node
from gradverify.ops import OPS, Shape
from gradverify.ops.maps import Linear, unbroadcast
from gradverify.ops.shapes import axes_of

Pull = Callable[[Any, Any, Sequence[Any]], Any]
"""From a cotangent of y, from y and its operands, to the cotangent of an operand."""


class StackedOp(NamedTuple):
    """One op of a program, over stacks.

    widened: for each operand that broadcasts to more axes, its shape with axes of
        length 1 in front; None for the others.
    function: from the operands to the result.
    site: from the result and the operands to the size of a rounding.
    pulls, moduli: what each operand receives, and its size; None for nothing.
    """

    place: int
    node: Node
    widened: tuple[Shape | None, ...]
    function: Callable[..., Any]
    site: Callable[..., Any]
    pulls: tuple[Pull | None, ...]
    moduli: tuple[Pull | None, ...]

    def operands(self, values: Sequence[Any]) -> list[Any]:
        """The operands. Those that broadcast have as many axes as the result."""
        return [
            values[j] if shape is None else values[j].reshape(len(values[j]), *shape)
            for j, shape in zip(self.node.operands, self.widened, strict=True)
        ]


@lru_cache(maxsize=256)
def steps_of(graph: Graph) -> tuple[StackedOp, ...]:
    """The steps of a graph's ops, in order."""
    return tuple(
        _step(i, node, [graph.nodes[j] for j in node.operands])
        for i, node in enumerate(graph.nodes)
        if node.op not in LEAVES
    )


def leaf_values(graph: Graph, points: Sequence[Sequence[Array]]) -> list[Any]:
    """Stacks of the leaves; None for all other nodes. Masks stay as they are."""
    inputs = iter(zip(*points, strict=True))
    values: list[Any] = [None] * len(graph.nodes)
    for i, node in enumerate(graph.nodes):
        if node.op == "input":
            values[i] = np.array(next(inputs), np.longdouble)
        elif node.op in LEAVES:
            values[i] = _spread(np.asarray(node.value), len(points))
    return values


def _spread(value: Array, count: int) -> Array:
    if value.dtype == bool:
        return value
    return np.broadcast_to(value.astype(np.longdouble), (count, *value.shape))


def swept(
    graph: Graph,
    values: Sequence[Any],
    seeds: Mapping[int, Any],
    *,
    modulus: bool = False,
) -> list[Any]:
    """The cotangent of every node; None where nothing flows.

    With `modulus`, the absolute values of local derivatives stand in their place.

    seeds: for some nodes, a stack of cotangents, whose axis is in front of that of the
        points.
    """
    steps = {step.place: step for step in steps_of(graph)}

    def pull(i: int, ct: Any) -> list[Any]:
        step = steps[i]
        x = step.operands(values)
        pulls = step.moduli if modulus else step.pulls
        return [None if pull is None else pull(ct, values[i], x) for pull in pulls]

    return walk_back(graph.nodes, seeds, pull)


# ---- steps


def _step(place: int, node: Node, operands: Sequence[Node]) -> StackedOp:
    params = tuple(sorted((k, type(v), v) for k, v in node.params.items()))
    kinds = tuple((_kind(x), x.shape) for x in operands)
    return StackedOp(place, node, *_functions_of(node.op, params, node.shape, kinds))


def _kind(operand: Node) -> str:
    if operand.op == "data" and operand.value.dtype == bool:
        return "mask"
    return "constant" if operand.op in CONSTANTS else "variable"


@lru_cache(maxsize=4096)
def _functions_of(op: str, params: Any, shape: Shape, kinds: Any) -> tuple[Any, ...]:
    """What a step has beside its node. It is the same for all nodes that are alike."""
    node = Node(op, (), {name: value for name, _, value in params}, shape)
    shapes = [s for _, s in kinds]
    function, site = _functions(node, shapes)
    pulls, moduli = (
        tuple(
            _pull(node, shapes, k, size) if kind == "variable" else None
            for k, (kind, _) in enumerate(kinds)
        )
        for size in (_itself, np.abs)
    )
    return _widened(node, kinds), function, site, pulls, moduli


def _functions(
    node: Node, shapes: Sequence[Shape]
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The op and the size of its site, over stacks."""
    size = OPS.calculus(node.op).site.size
    if node.op in PRODUCTS:
        product = partial(PRODUCTS[node.op].result, node.shape, shapes)
        return product, partial(size, _Products(np.abs, product))
    params = dict(node.params)
    if "axis" in OPS[node.op].params:  # counted from the last; all of them if None
        params["axis"] = axes_of(shapes[0], params.get("axis"))
    site = partial(size, EXTENDED, **params)
    rule = rules_of(node.op, len(shapes))[0]
    if _is_map(node.op, len(shapes)) and isinstance(rule, Linear):
        y, x = _like(node.shape), _like(shapes[0])
        # an op that is linear in its one operand is its own jvp, which takes stacks
        return lambda v: rule.jvp(EXTENDED, v, y, x, **node.params), site
    return partial(EXTENDED.table[node.op], **params), site


def _is_map(op: str, arity: int) -> bool:
    return arity == 1 and isinstance(rules_of(op, arity)[0], Linear)


def _widened(node: Node, kinds: Sequence[Any]) -> tuple[Shape | None, ...]:
    rank = len(node.shape)
    if _is_map(node.op, len(kinds)) or node.op in PRODUCTS:
        return (None,) * len(kinds)
    return tuple(
        (1,) * (rank - len(shape)) + shape
        if len(shape) < rank and kind != "mask"
        else None
        for kind, shape in kinds
    )


def _like(shape: Shape) -> Array:
    """A stand-in for an operand of which a rule needs nothing but the shape."""
    return np.broadcast_to(np.longdouble(0.0), shape)


def _itself(value: Any) -> Any:
    return value


def _pull(
    node: Node, shapes: Sequence[Shape], k: int, size: Callable[[Any], Any]
) -> Pull | None:
    """What operand k receives, by local derivatives or by their `size`."""
    rule = rules_of(node.op, len(shapes))[k]
    if rule == 0.0:
        return None
    if node.op in PRODUCTS:
        return partial(PRODUCTS[node.op].pull, shapes, k, size)
    if isinstance(rule, Linear):
        return _pull_map(rule, node, shapes)
    pull = _pull_slope(rule, node, size)
    if shapes[k] == node.shape:
        return pull
    rank = len(node.shape)
    return lambda ct, y, x: unbroadcast(EXTENDED, pull(ct, y, x), shapes[k], rank)


def _pull_slope(rule: Rule, node: Node, size: Callable[[Any], Any]) -> Pull:
    if callable(rule):
        slope = partial(rule, **node.params) if node.params else rule
        return lambda ct, y, x: ct * size(slope(EXTENDED, y, *x))
    return (lambda ct, y, x: ct) if size(rule) == 1.0 else (lambda ct, y, x: -ct)


def _pull_map(rule: Linear, node: Node, shapes: Sequence[Shape]) -> Pull:
    like, whole = [_like(s) for s in shapes], _like(node.shape)

    def pull(ct: Any, y: Any, x: Sequence[Any]) -> Any:
        seen = [v if v.dtype == bool else z for v, z in zip(x, like, strict=True)]
        return rule.vjp(EXTENDED, ct, whole, *seen, **node.params)

    return pull


# ---- maps of two operands: products of matrices or vectors


class Product(NamedTuple):
    """A product over stacks, whose operands do not broadcast to one another.

    result: `(shape, shapes, a, b)` to the product of the stacks a and b.
    pull: `(shapes, k, size, ct, y, x)` to what operand k receives.
    """

    result: Callable[..., Any]
    pull: Callable[..., Any]


class _Products(NamedTuple):
    """What the site of a product asks of an arithmetic."""

    abs: Callable[..., Any]
    matmul: Callable[..., Any]


def _matrices(shapes: Sequence[Shape], a: Any, b: Any) -> tuple[Any, Any]:
    """A vector on the left as one row, a vector on the right as one column."""
    left = a if len(shapes[0]) == 2 else a[:, None, :]
    return left, b if len(shapes[1]) == 2 else b[:, :, None]


def _product(shape: Shape, shapes: Sequence[Shape], a: Any, b: Any) -> Any:
    return np.matmul(*_matrices(shapes, a, b)).reshape(len(a), *shape)


def _pull_factor(
    shapes: Sequence[Shape],
    k: int,
    size: Callable[[Any], Any],
    ct: Any,
    y: Any,
    x: Sequence[Any],
) -> Any:
    left, right = _matrices(shapes, *map(size, x))
    lead = ct.shape[:2]
    ct = ct.reshape(*lead, left.shape[1], right.shape[2])
    bar = ct @ right.swapaxes(1, 2) if k == 0 else left.swapaxes(1, 2) @ ct
    return bar.reshape(*lead, *shapes[k])


PRODUCTS: Mapping[str, Product] = {"matmul": Product(_product, _pull_factor)}
