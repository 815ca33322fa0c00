"""What of a file was followed already, and which gradients in it are judged."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.backward_passes import steps
from gradverify.claims.code.gradient_names import NAMED
from gradverify.claims.code.journal import Journal
from gradverify.claims.computation.bindings import Function


def is_followed(code: Journal, function: Function) -> bool:
    """Whether something in the file calls a function, so that it was read."""
    return bool(function.body) and id(function.body[0]) in code.followed


def is_method_followed(code: Journal, method: ast.FunctionDef) -> bool:
    """The same of a method."""
    return id(method.body[0]) in code.followed


def is_read(code: Journal, method: ast.FunctionDef) -> bool:
    """Whether a gradient in it is known from a call of it that was followed."""
    lines = range(method.lineno, (method.end_lineno or method.lineno) + 1)
    return any(
        e.line in lines and isinstance(e.value, Symbol)
        and any(p.fullmatch(e.name.partition("[")[0]) for p in NAMED)
        for e in code.assigned
    )  # fmt: skip


def judged_lines(code: Journal) -> set[int]:
    """The lines of gradients that are judged where the file calls what they stand in.

    Many files try a layer out on random numbers, and say of no output what it is for.
    """
    found = steps(code, tuple(code.assigned))
    return {step.assigned.line for step in found if not step.problem}


def is_open(body: Sequence[ast.stmt], judged: set[int]) -> bool:
    """Whether no gradient in it is judged yet."""
    last = body[-1].end_lineno or body[-1].lineno
    return not judged & {*range(body[0].lineno, last + 1)}
