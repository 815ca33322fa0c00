"""Slips inside a composite op: a part held constant, a short constant, another param.

They change the op's expansion, or what goes back through it. As in `operand_slips`,
each function takes an application of an op and a key. It gives the bars that the
application passes on if it is made with that slip, or None if the slip does not apply.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import CONSTANTS, EXTENDED, SELU, SELU_BELOW
from gradverify.autodiff.rules import rules_of
from gradverify.autodiff.sweep import operand_shapes, pullback, walk_back
from gradverify.diagnosis.operand_slips import Key
from gradverify.diagnosis.right_sweep import (
    Application,
    Bars,
    expansion_of,
    numbers_of,
    with_masks,
)
from gradverify.graph import Graph, Node, interpret_all, literal_leaf
from gradverify.ops import OPS

MOST = 60  # nodes of an expansion that is looked into


def _expansion(a: Application) -> Graph | None:
    if OPS[a.node.op].is_primitive:
        return None
    graph = expansion_of(a.node.op, a.node.params, a.xs, a.dtype)
    return graph if len(graph.nodes) <= MOST else None


def _bars(a: Application, graph: Graph, held: Sequence[int] = ()) -> Bars:
    """What goes back through an expansion if nothing passes the nodes that are held."""
    values = interpret_all(graph, EXTENDED.table, numbers_of(a.node.op, a.xs))
    nodes = graph.nodes

    def pull(i: int, ct: Any) -> list[Any]:
        node = nodes[i]
        if i in held:
            return [None] * len(node.operands)
        xs = [values[j] for j in node.operands]
        shapes = operand_shapes(nodes, node)
        rules = rules_of(node.op, len(xs))
        return pullback(EXTENDED, rules, ct, values[i], xs, node, shapes)

    found = walk_back(nodes, {len(nodes) - 1: a.ct}, pull)
    bars = with_masks(a.node.op, [found[i] for i in graph.inputs])
    return [b if f else None for b, f in zip(bars, a.follows, strict=True)]


# ---- something within the op is held constant

NAMED = {
    "sqrt": "the square root",
    "sum": "the sum",
    "exp": "the exponential",
    "rise": "the tanh",
    "reciprocal": "the quotient",
}
STATISTICS = ("the mean", "the square root")
# What the mean of the results of an op is.
MEANS = {"deviation2": "the variance", "mul": "the mean square"}
HELD = ("sqrt", "sum", "exp", "log", "sigmoid", "tanh", "softplus", "rise", "erfc",
        "abs", "expm1", "step")  # fmt: skip


def parts(a: Application) -> list[Key]:
    """What may be held: one node of the expansion, or all statistics of a norm."""
    graph = _expansion(a)
    if graph is None:
        return []
    named = [(_called(graph, i), i) for i in _inner(graph)]
    single = [(name, (i,)) for name, i in named]
    statistics = tuple(i for name, i in named if name in STATISTICS)
    several = {name for name, i in named if i in statistics} == {*STATISTICS}
    return [*single, ("mean and deviation", statistics)] if several else single


def _inner(graph: Graph) -> Iterator[int]:
    for i, node in enumerate(graph.nodes[:-1]):
        if node.op in HELD:
            yield i


def _called(graph: Graph, i: int) -> str:
    """What a node of an expansion is called. A sum divided by a count is a mean."""
    node = graph.nodes[i]
    users = [n for n in graph.nodes if n.op == "div" and n.operands[0] == i]
    counts = any(graph.nodes[n.operands[1]].op == "literal" for n in users)
    if node.op == "sum" and counts:
        return MEANS.get(graph.nodes[node.operands[0]].op, "the mean")
    return NAMED.get(node.op, node.op)


def held(a: Application, key: Key) -> Bars | None:
    """Nothing goes back through a part of the op."""
    graph = _expansion(a)
    return None if graph is None else _bars(a, graph, key[1])


# ---- a constant with too few digits

FEWEST, MOST_DECIMALS = 2, 8
# Factors of derivatives as libraries have them. Those that stand in the expansion of
# an op itself are found there.
OF_DERIVATIVES = {
    **dict.fromkeys(("erf", "erfc"), CONSTANTS["2/sqrt(pi)"]),
    "exp2": CONSTANTS["log(2)"],  # beside a result that has all its digits
    "erfinv": CONSTANTS["sqrt(pi)/2"],
    "ndtr": 1.0 / math.sqrt(2.0 * math.pi),
    "ndtri": math.sqrt(2.0 * math.pi),
}


PRODUCTS = {"selu below": (float(SELU), float(SELU_BELOW))}


def short_constants(a: Application) -> list[Key]:
    """Every constant of the op, cut to a few decimal digits, or rounded to a format."""
    found = OF_DERIVATIVES.get(a.node.op)
    factors = [] if found is None else [*_cut_keys(None, found)]
    graph = _expansion(a)
    if graph is None:
        return factors
    constants = [(i, _constant(graph, i)) for i in range(len(graph.nodes))]
    alone = [key for i, c in constants if c is not None for key in _cut_keys(i, c)]
    return [*factors, *alone, *_short_products(graph)]


def _cut_keys(at: int | None, constant: float) -> Iterator[Key]:
    """A constant with fewer digits, itself or as the divisor that it comes from."""
    yield from ((at, constant, short) for short in _shorter(constant))
    inverse = 1.0 / constant if constant else math.inf
    for divisor in _decimals(inverse):
        if math.isfinite(divisor) and 1.0 / divisor != constant:
            yield at, constant, 1.0 / divisor, (f"1 / {divisor}",)


def _short_products(graph: Graph) -> Iterator[Key]:
    """Constants that libraries make of two, each of which may lack digits."""
    for i, node in enumerate(graph.nodes):
        factors = PRODUCTS.get(node.params.get("by", ""), ())
        menus = [(c, *_shorter(c)) for c in factors]
        for chosen in itertools.product(*menus) if menus else ():
            if chosen != factors:
                yield i, CONSTANTS[node.params["by"]], math.prod(chosen), chosen


def _constant(graph: Graph, i: int) -> float | None:
    """The constant by which a node multiplies; None if it has none."""
    node = graph.nodes[i]
    if node.op == "scale":
        return CONSTANTS[node.params["by"]]
    if node.op == "literal":
        users = [n for n in graph.nodes if i in n.operands]
        if all(n.op == "mul" for n in users):
            return float(node.value)
        if all(n.op == "div" and n.operands[1] == i for n in users):
            return 1.0 / float(node.value)
    return None


def _shorter(constant: float) -> list[float]:
    shorter = (*_decimals(constant), float(np.float32(constant)))
    return list(dict.fromkeys(s for s in shorter if s != constant))


def _decimals(constant: float) -> list[float]:
    return [float(f"{constant:.{n - 1}e}") for n in range(FEWEST, MOST_DECIMALS + 1)]


def with_short_constant(a: Application, key: Key) -> Bars | None:
    """The derivative with a constant that lacks digits."""
    at, constant, short, *_ = key
    ratio = np.longdouble(short) / np.longdouble(constant)
    if at is None:
        return [None if b is None else b * ratio for b in a.bars]
    graph = _expansion(a)
    return None if graph is None else _bars(a, _cut(graph, key))


def value_with_short_constants(a: Application, keys: Collection[Key]) -> Any:
    """The result with constants that lack digits, at most one a node.

    None for a primitive.
    """
    graph = _expansion(a)
    if graph is None or any(at is None for at, *_ in keys):
        return None
    for key in sorted(keys, key=lambda k: -k[0]):  # a cut moves later nodes alone
        graph = _cut(graph, key)
    return interpret_all(graph, EXTENDED.table, numbers_of(a.node.op, a.xs))[-1]


def _cut(graph: Graph, key: Key) -> Graph:
    """The expansion with one constant cut to fewer digits."""
    at, constant, short, *_ = key
    node = graph.nodes[at]
    if node.op == "scale":
        return Graph(tuple(_product(graph.nodes, at, short)))
    nodes = [*graph.nodes]
    is_factor = float(node.value) == constant  # else it is a divisor
    nodes[at] = literal_leaf(short if is_factor else 1.0 / short)
    return Graph(tuple(nodes))


def _product(nodes: Sequence[Node], at: int, factor: float) -> list[Node]:
    """Nodes in which one is a product with a literal, all later ones moved by one."""
    node = nodes[at]

    def later(j: int) -> int:
        return j + 1 if j >= at else j

    moved: list[Node] = [*nodes[:at], literal_leaf(factor)]
    moved.append(Node("mul", (at, node.operands[0]), {}, node.shape))
    for n in nodes[at + 1 :]:
        moved.append(
            Node(n.op, tuple(map(later, n.operands)), n.params, n.shape, n.value)
        )
    return moved


# ---- another param

OTHER: dict[str, Callable[[Any], Sequence[Any]]] = {
    "ddof": lambda n: (1 - n,),
    "eps": lambda e: [v for v in (0.0, 1e-3, 1e-5, 1e-6, 1e-8, 1e-12) if v != e],
    "alpha": lambda v: [w for w in (1.0,) if w != v],
    "delta": lambda v: [w for w in (1.0,) if w != v],
    "keepdims": lambda v: (),
    "smoothing": lambda v: [0.0] if v else (),
    "weight": lambda v: [None] if v is not None else (),
    "offset": lambda v: [w for w in (0, -v) if w != v],
    "shift": lambda v: [-v],
    "k": lambda v: [-v],
    **dict.fromkeys(
        (
            "count_include_pad",
            "log_target",
            "log_input",
            "upper",
            "align_corners",
            "exact",
            "full",
        ),
        lambda v: (not v,),
    ),
    **dict.fromkeys(
        ("beta", "value", "p"), lambda v: [type(v)(w) for w in (1, 2) if w != v]
    ),
    "exponent": lambda v: [0] if v else (),
    "signs": lambda v: [(1,) * len(v)] if -1 in v else (),
    "lambd": lambda v: [w for w in (0.5,) if w != v],
    "reduce": lambda v: [w for w in ("sum", "mean") if w != v],
    "mode": lambda v: [
        w for w in ("sum", "mean") if w != v and v in ("sum", "mean", "max")
    ],
    "norm": lambda v: [w for w in ("backward", "forward", "ortho") if w != v],
    "mask": lambda v: ["none"] if v != "none" else (),
}


def other_params(a: Application) -> list[Key]:
    """The usual other values of the op's params."""
    given = a.node.params
    return [(k, v) for k in given if k in OTHER for v in OTHER[k](given[k])]


def with_param(a: Application, key: Key) -> Bars | None:
    """The derivative with one param changed."""
    name, value = key
    params = {**a.node.params, name: value}
    shapes = [np.shape(x) for x in a.xs]
    if OPS[a.node.op].shape(*shapes, **params) != a.node.shape:  # or `ValueError`
        return None
    return a.of_params(params)
