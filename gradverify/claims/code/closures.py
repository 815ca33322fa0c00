"""Value classes with a backward step of their own: `self.grad += y.data * out.grad`.

A method such as `__mul__` computes `out` from the numbers of its operands, and holds a
function that adds to their gradients. Each such line claims the derivative of the
output's number, times the output's gradient, by the number of an operand. Operands are
objects with any number and any gradient.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.gradient_names import BackwardStep
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.statements import follow_body
from gradverify.claims.computation.bindings import Instance, Value, symbol
from gradverify.claims.computation.file_program import (
    Leaf,
    NotUnderstood,
    understood,
)

NUMBER = ("data", "value", "val", "v")  # what an object's number may be called


@dataclass(eq=False)
class _ValueMethod:
    """A method of a value class while it is followed.

    output: the name of the object that is made. kept: the function that adds to the
    gradients.
    """

    kind: ast.ClassDef
    method: ast.FunctionDef
    number: str
    output: str
    data: ast.expr
    kept: ast.FunctionDef


def closure_steps(code: Journal) -> Iterator[BackwardStep]:
    """The steps of all methods of value classes."""
    for kind, cell in zip(code.classes, code.class_cells, strict=True):
        for method in kind.body:
            found = (
                _method(kind, method) if isinstance(method, ast.FunctionDef) else None
            )
            if found is not None:
                try:
                    with understood():
                        steps = list(_steps(code, found, cell))
                except NotUnderstood:
                    continue
                yield from steps


def _method(kind: ast.ClassDef, method: ast.FunctionDef) -> _ValueMethod | None:
    """A method that makes an object and holds a function that adds to gradients."""
    kept = [s for s in method.body if isinstance(s, ast.FunctionDef)]
    if len(kept) != 1 or not any(_grad_of(s) for s in kept[0].body):
        return None
    for statement in method.body:
        match statement:
            case ast.Assign(
                targets=[ast.Name(id=output)],
                value=ast.Call(func=ast.Name(id=name), args=[data, *_]),
            ) if name == kind.name:
                held = {
                    n.attr for n in ast.walk(method) if isinstance(n, ast.Attribute)
                }
                number = next((n for n in NUMBER if n in held), "")
                if number:
                    return _ValueMethod(kind, method, number, output, data, kept[0])
    return None


def _grad_of(statement: ast.stmt) -> ast.Name | None:
    """The x of `x.grad += …`."""
    match statement:
        case ast.AugAssign(
            target=ast.Attribute(value=ast.Name() as holder, attr="grad"), op=ast.Add()
        ):
            return holder
    return None


def _steps(code: Journal, m: _ValueMethod, cell: int) -> Iterator[BackwardStep]:
    program = code.program
    names: dict[str, Value] = dict(code.names)
    for parameter in m.method.args.args:
        names[parameter.arg] = _object(code, m, parameter.arg)
    operands = {a.arg: names[a.arg] for a in m.method.args.args}
    follow_body(code, [s for s in m.method.body if not _is_bookkeeping(s, m)], names)
    data = symbol(program, follow_body(code, [_returned(m.data)], names))
    output = _object(code, m, m.output)
    above = output.attributes["grad"]
    output.attributes[m.number] = data
    names[m.output] = output
    y = program.apply("mul", data, above)
    added: dict[str, list[tuple[ast.stmt, Symbol, ast.expr]]] = {}
    for statement in m.kept.body:
        holder = _grad_of(statement)
        if holder is None or not isinstance(statement, ast.AugAssign):
            follow_body(code, [statement], names)
            continue
        if holder.id not in operands:
            raise NotUnderstood(f"{holder.id} is no operand of {m.method.name}")
        value = follow_body(code, [_returned(statement.value)], names)
        found = statement, symbol(program, value), statement.value
        added.setdefault(holder.id, []).append(found)
    for name, parts in added.items():
        statement, value, tree = parts[0]
        for _, more, _ in parts[1:]:
            value = program.apply("add", value, more)
        x = operands[name].attributes[m.number]
        text = ast.unparse(statement)
        place = cell, statement.lineno, statement.end_lineno or statement.lineno
        entry = Assigned(*place, f"{name}_grad", value, text, names, tree)
        yield BackwardStep(entry, f"({m.output}·its gradient)", name, y, x)


def _object(code: Journal, m: _ValueMethod, name: str) -> Instance:
    made = Instance(m.kind)
    for attribute in (m.number, "grad"):
        leaf = Leaf((), reason=f"the {attribute} of {name} is any number")
        made.attributes[attribute] = code.program.leaf(leaf)
    return made


def _is_bookkeeping(statement: ast.stmt, m: _ValueMethod) -> bool:
    """Whether a statement of a method computes no number.

    It makes the object or keeps something in it, holds the function that adds to the
    gradients, or looks at the operands' classes as in `other = other if
    isinstance(other, Value) else Value(other)`.
    """
    match statement:
        case ast.FunctionDef() if statement is m.kept:
            return True
        case ast.Return() | ast.Assert() | ast.Assign(targets=[ast.Attribute(), *_]):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) if name == m.output:
            return True
    return "isinstance" in ast.unparse(statement)


def _returned(tree: ast.expr) -> ast.Return:
    return ast.copy_location(ast.Return(tree), tree)
