"""Functions and layers that a file defines and never calls, at points of ours.

A function whose body names gradients is followed with operands that are any numbers. A
class with `forward` and `backward` is made, `forward` is applied to any input, and
`backward` to any gradient of its output. What an operand's shape is the file does not
say: what its weights fit is tried.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.backward_passes import NAMED, UPSTREAM
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.statements import follow
from gradverify.claims.code.syntax import defines
from gradverify.claims.computation.bindings import Function, Instance, Value
from gradverify.claims.computation.file_program import (
    Leaf,
    NotUnderstood,
    understood,
)

ROWS = 2  # of an input whose columns are what a weight has rows
SHAPES = 6  # that are tried


def call_unused(code: Journal) -> None:
    """Follow what is never called and speaks of gradients."""
    for function in code.functions:
        body = id(function.body[0]) if function.body else 0
        if body not in code.followed and _speaks_of_gradients(function.body):
            _call(code, function)
    for kind in code.classes:
        is_layer = defines(kind, "forward") and defines(kind, "backward")
        if is_layer and not any(id(m.body[0]) in code.followed for m in _methods(kind)):
            _call_layer(code, kind)


def _speaks_of_gradients(body: Sequence[ast.stmt]) -> bool:
    targets = (
        t
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Assign)
        for t in node.targets
    )
    names = (t.id for t in targets if isinstance(t, ast.Name))
    return any(pattern.fullmatch(name) for name in names for pattern in NAMED)


def _methods(kind: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    return (p for p in kind.body if isinstance(p, ast.FunctionDef))


def _call(code: Journal, function: Function) -> None:
    """Follow a function; operands that the file has by their names are those."""
    operands = []
    for parameter in function.parameters.args:
        known = code.names.get(parameter.arg)
        if isinstance(known, Symbol | dict):
            operands.append(known)
        else:
            operands.append(_any(code, parameter.arg, ()))
    _followed(code, function, operands)


def _call_layer(code: Journal, kind: ast.ClassDef) -> None:
    """Forward with any input, backward with any gradient of the output."""
    layer = Instance(kind)
    methods = {m.name: m for m in _methods(kind)}
    if "__init__" in methods and not _made(code, layer, methods["__init__"]):
        return
    forward, backward = methods["forward"], methods["backward"]
    inputs = [a.arg for a in forward.args.args[1:]]
    for shape in _shapes(layer):
        before = len(code.assigned)
        operands = [_any(code, name, shape) for name in inputs]
        output = _followed(code, _bound(forward, layer), operands)
        if not isinstance(output, Symbol):
            del code.assigned[before:]
            continue
        _backward(
            code, layer, backward, dict(zip(inputs, operands, strict=True)), output
        )
        return


def _made(code: Journal, layer: Instance, init: ast.FunctionDef) -> bool:
    given = init.args
    if len(given.args) - 1 > len(given.defaults):
        return False
    _followed(code, _bound(init, layer), [])
    return True


def _shapes(layer: Instance) -> Iterator[tuple[int, ...]]:
    """A number, or rows that fit one of the layer's weights."""
    held = [v for v in layer.attributes.values() if isinstance(v, Symbol)]
    wide = dict.fromkeys((ROWS, v.shape[0]) for v in held if len(v.shape) == 2)
    yield from [*wide, ()][:SHAPES]


def _backward(
    code: Journal,
    layer: Instance,
    backward: ast.FunctionDef,
    inputs: dict[str, Value],
    output: Symbol,
) -> None:
    """The pass of a layer: of the output, contracted with what comes from above."""
    above = [_any(code, a.arg, output.shape) for a in backward.args.args[1:2]]
    if len(backward.args.args) != 2:
        return
    before = len(code.assigned)
    result = _followed(code, _bound(backward, layer), above)
    program = code.program
    product = program.apply("mul", output, above[0])
    scalar = program.apply("sum", product, axis=None) if output.shape else product
    names = {UPSTREAM: scalar, **inputs, **layer.attributes}
    for k, entry in enumerate(code.assigned[before:], before):
        code.assigned[k] = _among(entry, names)
    returned = next(
        (s for s in reversed(backward.body) if isinstance(s, ast.Return)), None
    )
    if isinstance(result, Symbol) and returned is not None and inputs:
        name, tree = next(iter(inputs)), returned.value
        if tree is not None:
            place = code.assigned[before] if len(code.assigned) > before else None
            scope = code.scopes if place is None else place.scope
            cell = 0 if place is None else place.cell
            line = (returned.lineno, returned.end_lineno or returned.lineno)
            text = f"return {ast.unparse(tree)}"
            code.assigned.append(
                Assigned(cell, *line, f"d{name}", result, text, names, tree, 1, scope)
            )


def _among(entry: Assigned, names: dict[str, Value]) -> Assigned:
    return replace(entry, names={**names, **entry.names})


def _bound(method: ast.FunctionDef, layer: Instance) -> Function:
    return Function(method.name, method.args, tuple(method.body), layer)


def _any(code: Journal, name: str, shape: tuple[int, ...]) -> Symbol:
    return code.program.leaf(Leaf(shape, reason=f"{name} is any number"))


def _followed(code: Journal, function: Function, operands: Sequence[Any]) -> Value:
    try:
        with understood():
            return follow(code, function, tuple(operands))
    except NotUnderstood:
        return None
