"""Python syntax trees: what stands at their root, and how they are shown."""

from __future__ import annotations

import ast

from gradverify.expressions import shortened


def root(node: ast.expr) -> str:
    """The name that a chain of attributes starts at; empty without one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def defines(kind: ast.ClassDef | None, name: str) -> bool:
    """Whether a class of the file has a method of that name."""
    body = kind.body if kind else []
    return any(isinstance(p, ast.FunctionDef) and p.name == name for p in body)


def source(node: ast.AST) -> str:
    """The text of a syntax tree, shortened."""
    return shortened(ast.unparse(node))
