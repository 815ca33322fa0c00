"""Functions and methods whose names say that they are derivatives of others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from gradverify.claims.code.journal import Journal
from gradverify.claims.code.syntax import is_static
from gradverify.claims.computation.bindings import Function, Instance

PRIMED = (
    re.compile(
        r"(?P<of>\w+?)_(?:prime|derivative|deriv|grad|gradient|ableitung|strich|derivee)"
    ),
    re.compile(r"(?:d|grad|gradient|derivative|derivative_of|deriv)_(?P<of>\w+)"),
    re.compile(r"d(?P<of>\w+?)(?:_?dx|_?dz)?"),
)
BARE = re.compile(r"(?i)(?:grad|gradient|derivative|deriv|df|dfdx|f_?prime|ableitung)")
VALUE = ("forward", "__call__", "loss", "fn", "f", "function", "call", "activate",
         "activation", "compute", "value", "cost", "apply")  # fmt: skip
SLOPE = ("gradient", "grad", "derivative", "deriv", "prime", "backward", "df",
         "derivate", "gradient_of", "loss_gradient", "loss_derivative")  # fmt: skip
MOST = 3  # operands of a loss: what is right, what is predicted, weights


def function_pairs(code: Journal) -> Iterator[tuple[Function, Function]]:
    """A function, and one whose name says that it is its derivative.

    Of several definitions of a name the last one before the derivative counts, or the
    first one after it. In a file of one function, `grad` is its derivative. Both take
    the same operands.
    """
    yield from _functions(code.functions)
    yield from (pair for f in code.functions if (pair := _by_flag(f)) is not None)
    for kind, cell in zip(code.classes, code.class_cells, strict=True):
        yield from _methods(kind, cell)


FLAG = re.compile(r"(?i)deriv\w*|grad(?:ient)?|ableitung|derivee|derivada")
# Of an activation alone: elsewhere a difference is meant, or a kind of number.
FLAG_OF_ACTIVATION = re.compile(r"(?i)prime|diff")
ACTIVATION = re.compile(
    r"(?i)_?(?:sigmoid|logistic|tanh|relu|leaky_?relu|elu|gelu|silu|swish|soft_?plus|"
    r"soft_?max|non_?lin(?:earity)?|activat(?:e|ion))(?:_?(?:function|func|fn))?"
)


def _by_flag(function: Function) -> tuple[Function, Function] | None:
    """`nonlin(x, deriv=False)`, which gives its slope where the flag is set."""
    given = function.parameters
    named = given.args[len(given.args) - len(given.defaults) :]
    for k, (a, default) in enumerate(zip(named, given.defaults, strict=True)):
        is_off = isinstance(default, ast.Constant) and default.value in (False, 0)
        if not is_off or not _says_slope(function, a.arg):
            continue
        defaults = [*given.defaults]
        defaults[k] = ast.copy_location(ast.Constant(value=True), default)
        derived = replace(
            function,
            name=f"{function.name}, {a.arg}=True",
            parameters=_with_defaults(given, defaults),
            line=_line_of_slope(function, a.arg),
        )
        if _fit(function, derived):
            return function, derived
    return None


def _says_slope(function: Function, flag: str) -> bool:
    """Whether a flag of a function asks for its derivative."""
    if FLAG.fullmatch(flag):
        return True
    if flag.lower() == "prime" and OF_LOSS.fullmatch(function.name):
        return True
    return FLAG_OF_ACTIVATION.fullmatch(flag) is not None and _is_activation(function)


OF_LOSS = re.compile(r"(?i)\w*(?:loss|error|entropy|cost|mse|mae|hinge|huber)\w*")


def _is_activation(function: Function) -> bool:
    """Whether a function is called as an activation is, or calls one."""
    called = {
        str(getattr(node.func, "id", getattr(node.func, "attr", "")))
        for statement in function.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    }
    return any(map(ACTIVATION.fullmatch, (function.name, *called)))


def _with_defaults(given: ast.arguments, defaults: list[ast.expr]) -> ast.arguments:
    return ast.arguments(
        given.posonlyargs, given.args, given.vararg, given.kwonlyargs,
        given.kw_defaults, given.kwarg, defaults,
    )  # fmt: skip


def _line_of_slope(function: Function, flag: str) -> int:
    """Where a function says what it gives if the flag is set."""
    for statement in function.body:
        if isinstance(statement, ast.If) and flag in ast.unparse(statement.test):
            return statement.body[0].lineno
    return function.line


def _functions(functions: Sequence[Function]) -> Iterator[tuple[Function, Function]]:
    for k, derived in enumerate(functions):
        found = _of_name(functions, k)
        if found is None and BARE.fullmatch(derived.name):
            others = [f for f in functions if not BARE.fullmatch(f.name)]
            found = others[0] if len(others) == 1 else None
        if found is not None and _fit(found, derived):
            yield found, derived


def _of_name(functions: Sequence[Function], k: int) -> Function | None:
    """The function that the name of the k-th one speaks of."""
    for pattern in PRIMED:
        match = pattern.fullmatch(functions[k].name)
        if match is None:
            continue
        before = [f for f in functions[:k] if f.name == match["of"]]
        after = [f for f in functions[k + 1 :] if f.name == match["of"]]
        found = before[-1:] or after[:1]
        if found:
            return found[0]
    return None


def _methods(kind: ast.ClassDef, cell: int) -> Iterator[tuple[Function, Function]]:
    """`loss` and `gradient` of a class, `__call__` and `derivative`."""
    methods = {m.name: m for m in kind.body if isinstance(m, ast.FunctionDef)}
    init = methods.get("__init__")
    if init is not None and len(init.args.args) - len(init.args.defaults) > 1:
        return  # an object of it needs values that the file does not give here
    value = next((methods[n] for n in VALUE if n in methods), None)
    slope = next((methods[n] for n in SLOPE if n in methods), None)
    if value is None or slope is None:
        return
    pair = _bound(kind, value, cell), _bound(kind, slope, cell)
    keeps = any(isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)
                for n in ast.walk(value))  # fmt: skip
    is_pass = slope.name == "backward" and len(operands_of(pair[0])) > 1
    if not keeps and not is_pass and _fit(*pair):
        yield pair


def _bound(kind: ast.ClassDef, method: ast.FunctionDef, cell: int) -> Function:
    """A method as a function of what is behind `self`."""
    holder = None if is_static(method) else Instance(kind)
    body = tuple(method.body)
    return Function(method.name, method.args, body, holder, cell, method.lineno)


def operands_of(function: Function) -> list[str]:
    """The names of the operands without a default value, less `self`."""
    given = function.parameters
    skipped = 0 if function.bound is None else 1
    return [a.arg for a in given.args[skipped : len(given.args) - len(given.defaults)]]


def _fit(function: Function, derived: Function) -> bool:
    """Whether both take the same operands, which are few."""
    if function.parameters.vararg or derived.parameters.vararg:
        return False
    ours, others = operands_of(function), operands_of(derived)
    return len(ours) == len(others) <= MOST and (
        len(ours) == 1 or (bool(ours) and {*ours} == {*others})
    )


def is_unary(function: Function) -> bool:
    """Whether it has one operand."""
    return len(operands_of(function)) == 1 and not function.parameters.vararg
