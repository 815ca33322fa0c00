"""Branches whose condition depends on numbers that move: `if m > 0: loss += m`.

Both branches are followed. What each leaves behind counts where its condition holds, so
that the result is a function in pieces, as `np.where(m > 0, …, …)` is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code import array_functions as arrays
from gradverify.claims.code.syntax import root
from gradverify.claims.computation.bindings import Unknown, Value
from gradverify.claims.computation.file_program import FileProgram

CONDITIONAL = "{name} depends on a condition"


class Jump:
    """What a block gives back where it ends a pass of a loop, or the loop."""


CONTINUE, BREAK = Jump(), Jump()
PERHAPS = Jump()  # where it is not known whether the loop ends


def as_branches(node: ast.stmt, after: Sequence[ast.stmt]) -> ast.If | None:
    """`if c: continue` with the statements after it as its other branch."""
    match node:
        case ast.If(test=test, body=[*first, ast.Continue() as end], orelse=second):
            first = first or [ast.copy_location(ast.Pass(), end)]
            whole = ast.If(test, first, [*second, *after])
            return ast.copy_location(whole, node)
    return None


def may_break(node: ast.stmt) -> bool:
    """Whether a statement may end the loop, or the pass of it, in which it stands."""
    inside = [n for n in ast.iter_child_nodes(node) if isinstance(n, ast.stmt)]
    return isinstance(node, ast.Break | ast.Continue) or any(
        may_break(n) for n in inside if not isinstance(n, ast.For | ast.While)
    )


def assignments(body: Sequence[ast.stmt]) -> dict[str, ast.stmt] | None:
    """The names that a branch gives values to, each with the last statement that does.

    None where it does anything else, such as changing an object, or going on.
    """
    found: dict[str, ast.stmt] = {}
    nodes = [n for statement in body for n in ast.walk(statement)]
    if any(isinstance(n, ast.Call) and root(n.func) == "self" for n in nodes):
        return None  # a method may change its object
    for statement in body:
        match statement:
            case ast.Assign(targets=[target]) | ast.AugAssign(target=target):
                while isinstance(target, ast.Subscript):
                    target = target.value
                if not isinstance(target, ast.Name):
                    return None
                found[target.id] = statement
            case ast.Pass() | ast.Expr(value=ast.Constant()):
                continue
            case _:
                return None
    return found


def holds_arrays(names: Mapping[str, Value], several: Sequence[str]) -> bool:
    """Whether no name stands for what is changed in place, as a dict is."""
    return not any(isinstance(names.get(n), dict) for n in several)


def merged(
    program: FileProgram,
    mask: Symbol,
    where: Mapping[str, Value],
    otherwise: Mapping[str, Value],
    several: Sequence[str],
) -> Iterator[tuple[str, Value]]:
    """The values of names after both branches."""
    for name in several:
        a, b = where.get(name), otherwise.get(name)
        if isinstance(a, Symbol) and isinstance(b, Symbol) and a.shape == b.shape:
            yield name, arrays.where(program, mask, a, b)
        else:
            yield name, Unknown(CONDITIONAL.replace("{name}", name))
