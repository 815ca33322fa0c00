"""A graph as people read it: as one formula, or as numbered lines."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from gradverify.graph.node import LEAVES, Node
from gradverify.ops import OPS

Text = tuple[str, int]
"""A term, and how closely it binds: 9 for a name, less for what has operators."""

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONGEST = 2000  # characters of an operand; a longer one is shown by its name

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "**": 4}


class Listing(Hashable, Protocol):
    """What can be shown: nodes in order, such as those of a `Graph`."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes; operands come before what uses them."""

    @property
    def inputs(self) -> tuple[int, ...]:
        """The indices of the differentiated leaves."""


@lru_cache(maxsize=256)
def names_of(graph: Listing) -> tuple[str, ...]:
    """A short name for every node.

    Inputs are a, b, c …, and ops have the letters after those if the alphabet has
    enough of them. All other nodes are named by their index, such as v3.
    """
    ops = [i for i, node in enumerate(graph.nodes) if node.op not in LEAVES]
    inputs, lettered = graph.inputs, [*graph.inputs, *ops]
    names = [f"v{i}" for i in range(len(graph.nodes))]
    if len(lettered) > len(LETTERS):
        lettered = [*inputs]
    for k, i in enumerate(lettered):
        names[i] = LETTERS[k] if len(lettered) <= len(LETTERS) else f"x{k}"
    return tuple(names)


def _number(value: Any) -> str:
    """A number, or an array, with as many digits as tell it from every other one."""
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.ndim == 0:
        return repr(value.item())
    text = np.array2string(
        value, separator=", ", threshold=8, formatter={"float_kind": _entry}
    )
    return text.replace("\n", "")


def _entry(value: Any) -> str:
    return repr(float(value))


def _call(node: Node, operands: Sequence[str]) -> str:
    if node.op == "power":
        return f"{operands[0]}**{node.params['n']!r}"
    params = [f"{k}={v!r}" for k, v in node.params.items()]
    return f"{node.op}({', '.join([*operands, *params])})"


def formula(graph: Listing, names: Sequence[str] | None = None) -> str:
    """The output as one expression, with the least parentheses.

    Operands that are used twice are written out twice, unless they are long.

    names: of the nodes; without it they are those of `names_of`.
    """
    names = names_of(graph) if names is None else names
    texts: list[Text] = []
    for i, node in enumerate(graph.nodes):
        if node.op == "input":
            texts.append((names[i], 9))
        elif node.op in LEAVES:
            texts.append((_number(node.value), 3 if _number(node.value)[0] == "-" else 9))  # fmt: skip  # noqa: E501
        else:
            texts.append(_expression(node, [texts[j] for j in node.operands]))
        if len(texts[-1][0]) > LONGEST and i < len(graph.nodes) - 1:
            texts[-1] = names[i], 9
    return texts[-1][0]


def _expression(node: Node, operands: Sequence[Text]) -> Text:
    symbol = OPS[node.op].operator
    if node.op in WRITTEN:
        return WRITTEN[node.op](node, operands)
    if symbol is None:
        return _call(node, [text for text, _ in operands]), 9
    level = _PRECEDENCE[symbol]
    left = wrapped(operands[0], level + (symbol == "**"))
    right = wrapped(operands[1], level + (symbol != "**"))
    return (f"{left} {symbol} {right}" if level < 4 else f"{left}**{right}"), level


def wrapped(text: Text, level: int) -> str:
    """A term with its precedence, in parentheses where it binds less than `level`."""
    return text[0] if text[1] >= level else f"({text[0]})"


def _negated(node: Node, operands: Sequence[Text]) -> Text:
    del node
    return f"-{wrapped(operands[0], 3)}", 3


def _raised(node: Node, operands: Sequence[Text]) -> Text:
    n = node.params["n"]
    return f"{wrapped(operands[0], 5)}**{f'({n!r})' if n < 0 else repr(n)}", 4


def _scaled(node: Node, operands: Sequence[Text]) -> Text:
    """A constant by its name, such as `2/sqrt(pi)`, times the operand."""
    return f"{node.params['by']} * {wrapped(operands[0], 3)}", 2


# The ops that are written neither as a call nor between two operands.
WRITTEN: Mapping[str, Callable[[Node, Sequence[Text]], Text]] = {
    "neg": _negated,
    "power": _raised,
    "scale": _scaled,
}


def numbered_lines(
    graph: Listing, names: Sequence[str] | None = None
) -> tuple[str, ...]:
    """One line a node: its name, what it applies to what, and its shape.

    names: of the nodes; without it they are those of `names_of`.
    """
    names = names_of(graph) if names is None else names
    lines = []
    for i, node in enumerate(graph.nodes):
        if node.op == "input":
            text = "input"
        elif node.op in LEAVES:
            text = f"{node.op} {_number(node.value)}"
        else:
            text = _call(node, [names[j] for j in node.operands])
        shape = f"  shape {node.shape}" if node.shape else ""
        lines.append(f"{names[i]:>3} = {text}{shape}")
    return tuple(lines)
