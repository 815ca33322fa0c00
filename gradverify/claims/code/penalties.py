"""Terms of gradients that are the slopes of penalties: `dW += reg * W`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

PENALTY = re.compile(
    r"(?i)\w*(?:weight_?)?decay|reg(?:_\w+|ulari\w*)?|lamb?da\w*|lmbda|"
    r"l[12]_?(?:reg\w*|lambd?a|penalty|weight\w*|norm|decay|coef\w*)"
)


def has_penalty(*added: ast.expr) -> bool:
    """Whether a term has the weight of a penalty as a factor: `dW += reg * W`."""
    return any(_is_penalty(factor) for term in added for factor in factors_of(term))


def terms_of(tree: ast.expr) -> Iterator[ast.expr]:
    """The terms of all sums in a formula."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            yield from (node.left, node.right)


def factors_of(tree: ast.expr) -> Iterator[ast.expr]:
    """The factors of a product, and of what it is divided by."""
    match tree:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=right):
            yield from factors_of(left)
            yield from factors_of(right)
        case ast.UnaryOp(operand=inner):
            yield from factors_of(inner)
        case _:
            yield tree


def _is_penalty(factor: ast.expr) -> bool:
    """Whether it is the weight of a penalty, or a function called with it."""
    is_plain = isinstance(factor, ast.Name | ast.Attribute | ast.Call)
    return is_plain and any(map(PENALTY.fullmatch, names_of(factor)))


def names_of(tree: ast.expr) -> set[str]:
    """The names, attributes and keys of tables that a formula speaks of."""
    parts = (
        getattr(n, "id", getattr(n, "attr", getattr(n, "value", "")))
        for n in ast.walk(tree)
    )
    return {name for name in parts if isinstance(name, str)}
