"""A graph as a formula in LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gradverify.graph.node import LEAVES, Node
from gradverify.graph.program import Graph

SUM, PRODUCT, POWER, ATOM = range(1, 5)  # how tightly a piece binds
Piece = tuple[str, int]

ESCAPES = str.maketrans({c: f"\\{c}" for c in "#$%&_{}"})
NAMED = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min")


def latex(graph: Graph, names: Sequence[str]) -> str:
    """The output as LaTeX; `names` are those of the nodes."""
    pieces: list[Piece] = []
    for node, name in zip(graph.nodes, names, strict=True):
        if node.op in LEAVES:
            pieces.append(_leaf(node, name))
        else:
            parts = [pieces[j] for j in node.operands]
            pieces.append(FORMS.get(node.op, _call)(parts, node))
    return pieces[-1][0]


def symbol(name: str) -> str:
    """A name as LaTeX: one letter as it is, others upright."""
    escaped = name.translate(ESCAPES)
    return name if len(name) == 1 else rf"\mathrm{{{escaped}}}"


def _leaf(node: Node, name: str) -> Piece:
    if node.op == "literal" or (node.op == "data" and node.shape == ()):
        number = float(np.asarray(node.value))
        text = f"{number:.15g}"
        return text, ATOM if number >= 0 else SUM
    return symbol(name), ATOM


def _within(piece: Piece, least: int) -> str:
    text, binds = piece
    return text if binds >= least else rf"\left({text}\right)"


def _infix(sign: str, binds: int) -> Callable[[Sequence[Piece], Node], Piece]:
    def form(parts: Sequence[Piece], node: Node) -> Piece:
        left, right = parts
        return f"{_within(left, binds)} {sign} {_within(right, binds + 1)}", binds

    return form


def _fraction(parts: Sequence[Piece], node: Node) -> Piece:
    above, below = (("1", ATOM), *parts)[-2:]
    return rf"\frac{{{above[0]}}}{{{below[0]}}}", POWER


def _raised(parts: Sequence[Piece], node: Node) -> Piece:
    n = node.params.get("n", 2)
    exponent = parts[1][0] if len(parts) > 1 else f"{n:.15g}"
    return f"{{{_within(parts[0], ATOM)}}}^{{{exponent}}}", POWER


def _call(parts: Sequence[Piece], node: Node) -> Piece:
    name = node.op if node.op in NAMED else None
    upright = node.op.translate(ESCAPES)
    head = rf"\{name}" if name else rf"\operatorname{{{upright}}}"
    inside = ", ".join(text for text, _ in parts)
    return rf"{head}\left({inside}\right)", ATOM


# fmt: off
FORMS: Mapping[str, Callable[[Sequence[Piece], Node], Piece]] = {
    "neg":        lambda parts, node: (f"-{_within(parts[0], PRODUCT)}", SUM),
    "add":        _infix("+", SUM),
    "sub":        _infix("-", SUM),
    "mul":        _infix(r"\cdot", PRODUCT),
    "div":        _fraction,
    "reciprocal": _fraction,
    "pow":        _raised,
    "power":      _raised,
    "square":     _raised,
    "sqrt":       lambda parts, node: (rf"\sqrt{{{parts[0][0]}}}", ATOM),
    "abs":        lambda parts, node: (rf"\left|{parts[0][0]}\right|", ATOM),
}
# fmt: on
