"""Statements and functions that rest on data from elsewhere: these are operands."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import partial

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.followed import is_open
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.library import is_function
from gradverify.claims.code.losses_beside import follow_with
from gradverify.claims.code.open_parameters import OUTSIDE, OpenParameter, opened
from gradverify.claims.code.pass_pairs import speaks_of_gradients
from gradverify.claims.code.trials import Run, run_at_best
from gradverify.claims.computation.bindings import Function, Unknown, Value


def run_with_free_names(
    code: Journal,
    several: Sequence[OpenParameter],
    run: Run,
    functions: Sequence[Function],
) -> None:
    """`run_at_best`, where names of the file without a value are operands as well.

    Weights may be made from data that the file reads, or be too many to look at.
    """
    free = _free(code, functions)

    def run_given(operands: Mapping[str, Value]) -> Value:
        names = {p.table or p.key for p in free}
        own = {n: v for n, v in operands.items() if n not in names}
        given = {n: operands[n] for n in names}
        return _given_from_elsewhere(code, lambda _: run(own), given)

    run_at_best(code, [*several, *free], run_given if free else run)


NO_PARAMETERS = ast.arguments([], [], None, [], [], None, [])


def call_script(
    code: Journal, cell: int, body: Sequence[ast.stmt], judged: set[int]
) -> None:
    """The statements of a file, where data come from elsewhere, as of a function.

    What the file loads, or makes too large to look at, is an operand.
    """
    kept, missing = _without_data(code, cell, body, with_arrays=False)
    if missing:  # other arrays may have to have other sizes then
        kept, missing = _without_data(code, cell, body, with_arrays=True)
    if not missing or not speaks_of_gradients(kept) or not is_open(kept, judged):
        return
    nodes = [n for s in kept for n in ast.walk(s)]
    used = {n.id for n in nodes if isinstance(n, ast.Name)}
    several = [
        opened(n, OUTSIDE + n, nodes, prefers_arrays=True)
        for n in dict.fromkeys(missing) if n in used
    ]  # fmt: skip
    script = Function("the script", NO_PARAMETERS, tuple(kept), None, cell)
    if several:
        run = partial(_given_from_elsewhere, code, partial(follow_with, code, script))
        run_at_best(code, several, run)


def _given_from_elsewhere(
    code: Journal, run: Run, operands: Mapping[str, Value]
) -> Value:
    """Run with values for names that the file gives none."""
    before = code.given
    code.given = {n.removeprefix(OUTSIDE): v for n, v in operands.items()}
    try:
        return run({})
    finally:
        code.given = before


def _without_data(
    code: Journal, cell: int, body: Sequence[ast.stmt], with_arrays: bool
) -> tuple[list[ast.stmt], list[str]]:
    """The statements but for those that load something, and the names of what they do.

    What is computed from loaded data is kept, unless by functions that are not read.
    with_arrays: whether arrays that the file makes are left out as well.
    """
    after = {s.line: s.names for s in code.snapshots if s.cell == cell and not s.depth}
    kept: list[ast.stmt] = []
    missing: list[str] = []
    for statement in body:
        if isinstance(
            statement,
            ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Expr,
        ):
            continue
        found = after.get(statement.end_lineno or 0, {})
        stored = [n for t in _targets(statement) for n in _stored_names(t)]
        unknown = [n for n in stored if isinstance(found.get(n), Unknown)]
        arrays = [n for n in stored if _is_array(code, found.get(n))]
        is_left_out = bool(unknown or (with_arrays and arrays))
        if is_left_out and len(unknown) + len(arrays) == len(stored):
            value = statement.value if isinstance(statement, ast.Assign) else None
            rests = value is not None and _rests_on(value, missing)
            if not rests or _calls_what_is_not_read(code, value):
                missing += stored
                continue
        kept.append(statement)
    return kept, missing


def _targets(statement: ast.stmt) -> list[ast.expr]:
    return statement.targets if isinstance(statement, ast.Assign) else []


def _stored_names(target: ast.expr) -> list[str]:
    nodes = (n for n in ast.walk(target) if isinstance(n, ast.Name))
    return [n.id for n in nodes if isinstance(n.ctx, ast.Store)]


def _rests_on(tree: ast.expr, names: Sequence[str]) -> bool:
    used = (n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
    return any(name in names for name in used)


def _calls_what_is_not_read(code: Journal, tree: ast.expr | None) -> bool:
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Call(func=ast.Name(id=name)):
                known_ones = is_function(name) or name in code.names
                if not known_ones:
                    return True
            case ast.Call(func=ast.Attribute(attr=name)) if not is_function(name):
                return True
    return False


def _free(code: Journal, functions: Sequence[Function]) -> list[OpenParameter]:
    """Names that functions use, and that the file gives no value that is read.

    Those of the functions that they call count too.
    """
    several = [*functions]
    used: dict[str, None] = {}
    nodes: list[ast.AST] = []
    for function in several:  # it grows
        inside = [n for s in function.body for n in ast.walk(s)]
        names = [n for n in inside if isinstance(n, ast.Name)]
        given = function.parameters
        own = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        own |= {a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
        for name in (n.id for n in names if n.id not in own):
            found = code.names.get(name)
            if isinstance(found, Unknown) or _is_array(code, found):
                used[name] = None
            elif isinstance(found, Function) and found not in several:
                several.append(found)
        nodes += inside
    if not any(isinstance(code.names.get(n), Unknown) for n in used):
        return []
    return [opened(n, OUTSIDE + n, nodes, prefers_arrays=True) for n in used]


def _is_array(code: Journal, value: Value) -> bool:
    """Whether it is an array that the file begins with, which another size may have."""
    is_leaf = isinstance(value, Symbol) and value.index in code.program.leaves
    return is_leaf and bool(value.shape)
