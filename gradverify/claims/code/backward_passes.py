"""Backward passes written by hand: which names are gradients, and of what.

`dL_dw`, `dw`, `w_bar`, `grad_w` and `w_grad` name the derivative of an output by w. The
output is named too, or is what the pass begins with (`dL = 1.0`), or else the last
single number that was computed before it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.journal import Journal
from gradverify.claims.computation.bindings import Function, Unknown

EXPLICIT = (
    re.compile(r"d(?P<of>\w+?)_d(?P<by>\w+)"),
    re.compile(r"d(?P<of>\w+?)_?by_?d(?P<by>\w+)"),
    re.compile(r"d(?P<of>\w+?)d(?P<by>\w+)"),
    re.compile(r"grad_(?P<of>\w+?)_(?P<by>\w+)"),
)
GRADIENT = (
    re.compile(r"(?P<by>\w+?)_(?:bar|grad|adj|adjoint|cot)"),
    re.compile(r"(?:grad|bar|adj)_(?P<by>\w+)"),
    re.compile(r"(?P<by>\w+?)(?:bar|grad)"),
)
SHORT = (re.compile(r"d_?(?P<by>\w+)"),)
STEPS = frozenset({"h", "eps", "epsilon", "delta", "step", "dx", "tiny"})


@dataclass(frozen=True, eq=False)
class BackwardStep:
    """An assignment that claims to be the derivative of `of` by `by`."""

    assigned: Assigned
    of: str
    by: str
    y: Symbol
    x: Symbol
    problem: str = ""


def steps(code: Journal, assigned: Sequence[Assigned]) -> Iterator[BackwardStep]:
    """The steps of all backward passes of a file."""
    for _, group in _groups(assigned):
        yield from _explicit(group)
        yield from _passes(code, group)


def _groups(
    assigned: Sequence[Assigned],
) -> Iterable[tuple[Any, list[Assigned]]]:
    """Assignments of one cell and scope; a pass may use names of earlier cells."""
    found: dict[Any, list[Assigned]] = {}
    for entry in assigned:
        found.setdefault((entry.cell, entry.depth), []).append(entry)
    return found.items()


def _explicit(group: Sequence[Assigned]) -> Iterator[BackwardStep]:
    for entry in group:
        found = _both(entry)
        if found is not None and not _is_constant(entry):
            yield found


def _both(entry: Assigned) -> BackwardStep | None:
    """`dL_dw` where both names are known, and L is computed from w or from nothing."""
    for pattern in EXPLICIT:
        match = pattern.fullmatch(entry.name)
        if match is None:
            continue
        of, by = _known(match["of"], entry.names), _known(match["by"], entry.names)
        if of is not None and by is not None:
            y, x = entry.names[of], entry.names[by]
            return BackwardStep(entry, of, by, y, x, _difference(entry))
    return None


def _known(name: str, names: Mapping[str, Any]) -> str | None:
    for spelling in (name, name.strip("_")):
        if isinstance(names.get(spelling), Symbol):
            return spelling
    return None


def _passes(code: Journal, group: Sequence[Assigned]) -> Iterator[BackwardStep]:
    """Gradients that do not say of what: of the output of the pass."""
    candidates = []
    for entry in group:
        if _both(entry) is None:
            by, strong = _by(entry)
            if by is not None:
                candidates.append((entry, by, strong))
    seeds = [(e, by) for e, by, _ in candidates if _is_one(code, e)]
    others = [(e, by) for e, by, _ in candidates if not _is_constant(e)]
    is_pass = (
        bool(seeds)
        or len(others) > 1
        or any(s for e, _, s in candidates if not _is_constant(e))
    )
    if not is_pass:
        return
    output = seeds[0][1] if seeds else None
    if output is None and others:
        output = _last_number(code, others, candidates)
    for entry, by in others:
        x = entry.names[by]
        y = entry.names.get(output) if output is not None else None
        if output is not None and isinstance(y, Symbol):
            yield BackwardStep(entry, output, by, y, x, _difference(entry))


def _by(entry: Assigned) -> tuple[str | None, bool]:
    """The name that a gradient is by, and whether it can be nothing else."""
    for patterns, strong in ((GRADIENT, True), (SHORT, False)):
        for pattern in patterns:
            match = pattern.fullmatch(entry.name)
            if match is not None and match["by"] != entry.name:
                known = _known(match["by"], entry.names)
                if known is not None:
                    return known, strong
    return None, False


def _is_constant(entry: Assigned) -> bool:
    return not any(isinstance(n, ast.Name) for n in ast.walk(entry.tree)) or (
        isinstance(entry.tree, ast.Call) and _is_gradient_call(entry.tree)
    )


def _is_gradient_call(tree: ast.Call) -> bool:
    text = ast.unparse(tree.func)
    return text.endswith(("grad", "zeros_like", "ones_like", "zeros", "ones", "clone"))


def _is_one(code: Journal, entry: Assigned) -> bool:
    """Whether a pass begins here: `dL = 1.0`."""
    value = entry.value
    if not isinstance(value, Symbol) or value.index not in code.program.leaves:
        return False
    stated = code.program.leaves[value.index].value
    return stated is not None and bool(np.all(stated == 1)) and value.shape == ()


def _last_number(
    code: Journal, others: Sequence[tuple[Assigned, str]], candidates: Sequence[Any]
) -> str | None:
    """The last single number before the pass that all of it is about."""
    first = min((e for e, _ in others), key=lambda e: e.line)
    gradients = {e.name for e, _, _ in candidates}
    inputs = [e.names[by] for e, by in others]
    found: list[tuple[int, str]] = []
    for name, value in first.names.items():
        if not isinstance(value, Symbol) or value.shape != () or name in gradients:
            continue
        if value.index in code.program.leaves or value.index >= _index(first.value):
            continue
        cut = code.program.cut(value.index).place
        reached = sum(x.index in cut for x in inputs)
        if reached:
            found.append((value.index, name))
    best = max(
        found,
        default=None,
        key=lambda f: (
            sum(x.index in code.program.cut(f[0]).place for x in inputs),
            f[0],
        ),
    )
    return None if best is None else best[1]


def _index(value: Any) -> int:
    return value.index if isinstance(value, Symbol) else 10**9


def _difference(entry: Assigned) -> str:
    """Whether the value is a difference quotient, which is no exact derivative."""
    for node in ast.walk(entry.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            names = {n.id for n in ast.walk(node.right) if isinstance(n, ast.Name)}
            if names & STEPS:
                return "a difference quotient is no exact derivative"
    if isinstance(entry.value, Unknown):
        return entry.value.reason
    return ""


# ---- functions that say they are derivatives of others

PRIMED = (
    re.compile(
        r"(?P<of>\w+?)_(?:prime|derivative|deriv|grad|gradient|ableitung|strich|derivee)"
    ),
    re.compile(r"(?:d|grad|derivative_of|deriv)_(?P<of>\w+)"),
    re.compile(r"d(?P<of>\w+?)(?:_?dx|_?dz)?"),
)


def function_pairs(
    functions: Mapping[str, Function],
) -> Iterator[tuple[Function, Function]]:
    """A function of one operand, and one whose name says that it is its derivative."""
    for name, derived in functions.items():
        for pattern in PRIMED:
            match = pattern.fullmatch(name)
            found = functions.get(match["of"]) if match else None
            if found is not None and found is not derived:
                if _is_unary(found) and _is_unary(derived):
                    yield found, derived
                break


def _is_unary(function: Function) -> bool:
    given = function.parameters
    return len(given.args) - len(given.defaults) == 1 and not given.vararg
