"""Python syntax trees: what stands at their root, and how they are shown."""

from __future__ import annotations

import ast

from gradverify.expressions import shortened


def dotted(node: ast.expr) -> str:
    """`a.b.c` for a chain of attributes that starts at a name; else nothing."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(names)]) if isinstance(node, ast.Name) else ""


def root(node: ast.expr) -> str:
    """The name that a chain of attributes starts at; empty without one."""
    return dotted(node).partition(".")[0]


def defines(kind: ast.ClassDef | None, name: str) -> bool:
    """Whether a class of the file has a method of that name."""
    body = kind.body if kind else []
    return any(isinstance(p, ast.FunctionDef) and p.name == name for p in body)


def source(node: ast.AST) -> str:
    """The text of a syntax tree, shortened."""
    return shortened(ast.unparse(node))
