"""Operands that are objects of classes of the file: `LstmNode(param, state)`.

What is read of such an operand, as `self.param.w`, says of which class it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

OF_ARRAYS = frozenset(vars(object)) | {
    "T", "shape", "ndim", "size", "dtype", "flat", "dot", "sum", "mean", "max", "min",
    "reshape", "copy", "astype", "append", "items", "keys", "values", "get", "data",
}  # fmt: skip


def objects_of(
    classes: Sequence[ast.ClassDef],
    init: ast.FunctionDef,
    body: Sequence[ast.stmt],
) -> Mapping[str, ast.ClassDef]:
    """Of which class of the file the operands are that an object is made with.

    It is the one class that has all that is read of the operand, if there is one.
    """
    inside = (n for s in body for n in ast.walk(s) if isinstance(n, ast.Attribute))
    nodes = [n for n in inside if isinstance(n.ctx, ast.Load)]
    found: dict[str, ast.ClassDef] = {}
    for name in (a.arg for a in init.args.args[1:]):
        called = {name, *(f"self.{kept}" for kept in kept_as(name, ast.walk(init)))}
        wanted = {n.attr for n in nodes if ast.unparse(n.value) in called}
        if not wanted - OF_ARRAYS:
            continue
        able = [kind for kind in classes if wanted <= {*_members(kind)}]
        if len(able) == 1 and init not in able[0].body:
            found[name] = able[0]
    return found


def kept_as(name: str, nodes: Iterable[ast.AST]) -> Iterator[str]:
    """What an object keeps an operand as: state of `self.state = lstm_state`."""
    for node in nodes:
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=kept)],
                value=ast.Name(id=given),
            ) if given == name:
                yield kept


def _members(kind: ast.ClassDef) -> Iterator[str]:
    """The attributes and methods that a class has."""
    for node in ast.walk(kind):
        match node:
            case ast.FunctionDef(name=name):
                yield name
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()):
                yield name
