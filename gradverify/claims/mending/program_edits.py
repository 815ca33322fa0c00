"""The one small change of what code computes that makes it the derivative.

The same question as for formulas, asked of the file's program: where code has
`1 + a**2` and `1 - a**2` is the derivative, one sign was mistaken. Values are floats at
drawn points, and everything behind the changed node is computed anew.
"""

# The rows of the tables are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import FLOATS
from gradverify.claims.claim_limits import EDITED_NODES, PROGRAM_EDITS
from gradverify.claims.computation.file_program import Cut
from gradverify.graph import Array, Graph, Node, interpret_again, interpret_all

SAME = 1e-9  # relative

Values = list[Any]  # of every node, at one point
Edit = Callable[[Values, int], Any]  # what node i is instead
Rule = Callable[[Node, Values, int], Any]


def edited_program(
    cut: Cut, points: Sequence[Sequence[Array]], exact: Sequence[Array]
) -> str | None:
    """What one change makes the output right at all points; None where none does.

    points: the leaves of the cut at each point; exact: what the output should be.
    """
    graph = cut.graph
    if len(graph.nodes) > EDITED_NODES:
        return None
    with np.errstate(all="ignore"):
        values = [interpret_all(graph, FLOATS.table, point) for point in points]
        for count, (i, edit, says) in enumerate(_edits(graph, values[0])):
            if count == PROGRAM_EDITS:
                return None
            if all(
                _is_right(graph, v, i, edit, e)
                for v, e in zip(values, exact, strict=True)
            ):
                return says
    return None


def _is_right(graph: Graph, values: Values, i: int, edit: Edit, exact: Array) -> bool:
    """Whether the output is the exact one with node i changed."""
    try:
        new = edit(values, i)
        if np.shape(new) != np.shape(values[i]):
            return False
        again = interpret_again(graph, FLOATS.table, values, {i: new})
    except (ValueError, TypeError, IndexError, ArithmeticError):
        return False
    last = np.asarray(again[-1], np.float64)
    if last.size != np.size(exact):
        return False
    return bool(np.allclose(last.reshape(-1), np.ravel(exact), rtol=SAME, atol=1e-12))


def _edits(graph: Graph, values: Values) -> Iterator[tuple[int, Edit, str]]:
    """The changes of each node, the plainest first."""
    nodes = graph.nodes
    for table in (SIGNS, FACTORS, OPERANDS):
        for i, node in enumerate(nodes):
            for ops, edit, says in table:
                if node.op in ops:
                    yield i, partial(edit, node), says
    for i, node in enumerate(nodes):
        yield from _numbers(i, node)
    for i, node in enumerate(nodes[:-1]):
        for j in range(len(nodes)):
            if j != i and np.shape(values[j]) == np.shape(values[i]):
                yield i, partial(_taken, j), "another value stands where one should"
        del node


def _numbers(i: int, node: Node) -> Iterator[tuple[int, Edit, str]]:
    """Another number, and another exponent, near the one that is written."""
    if node.op in ("data", "literal") and np.size(node.value) == 1:
        n = float(np.ravel(node.value)[0])
        for other in (n + 1, n - 1):
            says = f"{n:g} stands where {other:g} should"
            yield i, partial(_constant, other), says
    if node.op == "power":
        n = node.params["n"]
        for other in (n + 1, n - 1):
            again = Node(node.op, node.operands, {"n": other}, node.shape)
            says = f"the exponent {n:g} stands where {other:g} should"
            yield i, partial(_again, again), says


def _constant(number: float, values: Values, i: int) -> Any:
    return np.full(np.shape(values[i]), number)


def _again(node: Node, values: Values, i: int) -> Any:
    del i
    operands = (values[j] for j in node.operands)
    return FLOATS.table[node.op](*operands, **node.params)


def _taken(j: int, values: Values, i: int) -> Any:
    del i
    return values[j]


def _operand(k: int) -> Rule:
    return lambda node, values, i: values[node.operands[k]]


def _other(op: str) -> Rule:
    return lambda node, values, i: FLOATS.table[op](
        *(values[j] for j in node.operands), **node.params
    )


def _times(factor: float) -> Rule:
    return lambda node, values, i: factor * values[i]


def _turned(k: int) -> Rule:
    """A matrix that is transposed, or is not, before a product."""

    def edit(node: Node, values: Values, i: int) -> Any:
        del i
        operands = [values[j] for j in node.operands]
        operands[k] = np.transpose(operands[k])
        return operands[0] @ operands[1]

    return edit


# fmt: off
# ops, what is computed instead, and what that says
SIGNS: tuple[tuple[tuple[str, ...], Rule, str], ...] = (
    (("add",), _other("sub"), "the sign of a term is wrong"),
    (("sub",), _other("add"), "the sign of a term is wrong"),
    (("neg",), _operand(0), "the sign of a term is wrong"),
    (("mul", "matmul", "div", "power", "exp", "tanh", "sum"), _times(-1.0), "the sign of a term is wrong"),
)
FACTORS: tuple[tuple[tuple[str, ...], Rule, str], ...] = tuple(
    (("mul", "matmul", "div", "power", "add", "sub", "sum"), _times(factor), says)
    for factor, says in (
        (2.0, "a factor 2 is missing in a term"), (0.5, "a factor 2 is too much in a term"),
        (3.0, "a factor 3 is missing in a term"), (1 / 3, "a factor 3 is too much in a term"),
    )
)
OPERANDS: tuple[tuple[tuple[str, ...], Rule, str], ...] = (
    (("mul",), _operand(0), "a factor is too much"),
    (("mul",), _operand(1), "a factor is too much"),
    (("div",), _operand(0), "a divisor is too much"),
    (("add", "sub"), _operand(0), "a term is too much"),
    (("add",), _operand(1), "a term is too much"),
    (("matmul",), _turned(0), "a matrix is not transposed as it must be"),
    (("matmul",), _turned(1), "a matrix is not transposed as it must be"),
    (("tanh", "sin", "cos", "exp", "step", "abs", "sqrt"), _operand(0), "a function is too much"),
    (("sin",), _other("cos"), "sin stands where cos should"),
    (("cos",), _other("sin"), "cos stands where sin should"),
)
# fmt: on
