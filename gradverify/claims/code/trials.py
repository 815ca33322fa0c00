"""What operands a function takes that its file never calls: found by trying.

The file does not say what shape an operand has. Shapes are tried, one parameter after
the other. A shape at which some statement does not fit is given up at once. Of the
shapes that fit, the one under which most gradients come out right counts, since a wrong
shape does not make a wrong gradient right.
"""

from __future__ import annotations

import ast
import re
from collections.abc import (
    Callable,
    Container,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Any, TypeGuard

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import (
    KNOWN_ENTRIES,
    SHAPE_CHOICES,
    SHAPE_TRIALS,
    TABLE_OPERANDS,
)
from gradverify.claims.code.backward_passes import GradientFit, fit_of
from gradverify.claims.code.events import Assigned
from gradverify.claims.code.journal import Journal
from gradverify.claims.computation.bindings import Unknown, Value
from gradverify.claims.computation.file_program import (
    Leaf,
    NotUnderstood,
    understood,
)

# All different, so that a transposed matrix does not fit; odd, so that the mean over
# them cancels no factor 2.
ROWS, INPUTS, OUTPUTS = 3, 5, 7

# fmt: off
MATRICES = (
    (ROWS, INPUTS), (INPUTS, OUTPUTS), (ROWS, 1), (INPUTS, 1), (ROWS, OUTPUTS),
    (1, OUTPUTS), (1, INPUTS), (INPUTS, ROWS), (OUTPUTS, INPUTS), (1, ROWS),
    (OUTPUTS, 1), (1, 1), (ROWS, 2), (ROWS, 4),  # for weights of a file's own sizes
)
VECTORS = ((OUTPUTS,), (INPUTS,), (ROWS,))
# fmt: on
SIZES = (INPUTS, OUTPUTS, ROWS)
LABELS = re.compile(r"(?i)(?:y|t|label|target|y_?true|one_?hot|d_?labels?|classes)s?")
ANY_NUMBER = "is any number"
OWN = "self."  # before what an object holds
OPEN = "it is not chosen yet what this operand is"
IN_DOUBT = "depends on a condition"  # which may ask what is not chosen yet
MISFITS = (
    "does not fit", "more subscripts", "no length", "outside the list",
    "is no index", "is none of the", "a whole number is needed",
    "an index is not stated",
)  # fmt: skip


@dataclass(frozen=True)
class OpenParameter:
    """An operand that is to be chosen.

    key: under which the choice is handed on, since an object and its method may have
    operands of one name. least: how many axes it has at least, as the body uses it.
    is_setting: whether it makes an object, and so may be a size. prefers_arrays:
    whether a plain number is the last thing to try. table: the operand whose entry it
    is, as W1 is one of `parameters["W1"]`.
    """

    name: str
    key: str
    least: int = 0
    is_setting: bool = False
    prefers_arrays: bool = False
    table: str = ""


def parameters(
    given: ast.arguments,
    bodies: Iterable[ast.stmt],
    skip: int = 0,
    key: str = "{}",
    is_setting: bool = False,
) -> list[OpenParameter]:
    """Those that have no default value, with what their use says about them."""
    defaults: list[ast.expr | None] = [*given.defaults]
    several = [*given.posonlyargs, *given.args]
    padded = [None] * (len(several) - len(defaults)) + defaults
    nodes = [n for statement in bodies for n in ast.walk(statement)]
    has_arrays = any(map(_is_of_arrays, nodes))
    found: list[OpenParameter] = []
    for a, default in list(zip(several, padded, strict=True))[skip:]:
        if default is not None and not _is_none(default):
            continue
        entries = _entries(a.arg, nodes)
        found += [
            OpenParameter(
                entry,
                f"{key.format(a.arg)}[{entry}]",
                _least(entry, nodes),
                prefers_arrays=True,
                table=key.format(a.arg),
            )
            for entry in entries
        ]
        if not entries:
            least = _least(a.arg, nodes)
            found.append(
                OpenParameter(a.arg, key.format(a.arg), least, is_setting, has_arrays)
            )
    return found


def _entries(name: str, nodes: Sequence[ast.AST]) -> list[str]:
    """The entries of an operand that is a table: `parameters["W1"]`.

    Those of the first layer come first, as they are used, and matrices before biases.
    """
    found = dict.fromkeys(
        str(node.slice.value)
        for node in nodes
        if isinstance(node, ast.Subscript)
        and _is(node.value, name)
        and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        and isinstance(node.ctx, ast.Load)
    )  # fmt: skip
    return sorted(found, key=lambda entry: (re.sub(r"\D", "", entry), entry.islower()))


def attributes(
    forward: Sequence[ast.FunctionDef],
    backward: Sequence[ast.FunctionDef],
    known: Container[str],
) -> list[OpenParameter]:
    """Arrays that two passes use and the file gives to no object that we make.

    They come from elsewhere, or are made once the shape of the input is known. The
    backward pass may change them, where it makes the step of the optimiser as well.
    """
    ahead = [n for m in forward for n in ast.walk(m)]
    nodes = [*ahead, *(n for m in backward for n in ast.walk(m))]
    used = [n for n in nodes if _is_own(n)]
    needed = {n.attr for n in ahead if _is_own(n) and isinstance(n.ctx, ast.Load)}
    stored = {n.attr for n in ahead if _is_own(n) and isinstance(n.ctx, ast.Store)}
    stored |= {n.attr for n in used if isinstance(n.ctx, ast.Store)} - needed
    sizes = {n.attr for node in nodes for n in _sizes(node) if _is_own(n)}
    arrays = {n.attr for node in nodes for n in _operands(node) if _is_own(n)}
    found: list[OpenParameter] = []
    for name in dict.fromkeys(n.attr for n in used):
        if name in stored or name in known or name not in arrays:
            continue
        key, entries = f"{OWN}{name}", _entries(name, nodes)
        found += [
            OpenParameter(
                entry, f"{key}[{entry}]", _least(entry, nodes), False, True, key
            )
            for entry in entries
        ]
        if not entries:
            least = _least(name, nodes)
            found.append(OpenParameter(name, key, least, name in sizes, True))
    return found


def _sizes(node: ast.AST) -> Sequence[ast.expr]:
    """What is used as a number of entries: `x.reshape(-1, self.width)`."""
    match node:
        case ast.Call(func=ast.Attribute(attr="reshape"), args=operands):
            return operands
    return ()


def _is_own(node: ast.AST) -> TypeGuard[ast.Attribute]:
    """`self.w`."""
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    )


def _operands(node: ast.AST) -> Sequence[ast.expr]:
    """What is used as an array."""
    match node:
        case ast.BinOp(left=left, right=right):
            return left, right
        case ast.Call(func=ast.Attribute(value=holder), args=operands):
            return holder, *operands
        case ast.Attribute(value=holder, attr="T" | "shape"):
            return (holder,)
        case ast.Subscript(value=holder, slice=ast.Constant(value=str())):
            return (holder,)
    return ()


def operands_from(
    several: Sequence[OpenParameter], chosen: Mapping[str, Value]
) -> dict[str, Value]:
    """What was chosen, with the entries of tables in these."""
    result: dict[str, Value] = {}
    for p in several:
        if p.table:
            result.setdefault(p.table, {})[p.name] = chosen[p.key]
        else:
            result[p.key] = chosen[p.key]
    return result


def _is_none(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value is None


def _is_of_arrays(node: ast.AST) -> bool:
    match node:
        case ast.MatMult() | ast.keyword(arg="axis"):
            return True
        case ast.Attribute(attr="T" | "dot" | "matmul" | "shape"):
            return True
    return False


def _least(name: str, nodes: Sequence[ast.AST]) -> int:
    """How many axes an operand has at least: `X @ W` is no product of numbers."""
    least = 2 if name[0].isupper() else 0
    for node in nodes:
        match node:
            case ast.Attribute(value=holder, attr="T") if _is(holder, name):
                least = 2
            case ast.BinOp(op=ast.MatMult(), left=left, right=right):
                least = max(least, *(_is(side, name) for side in (left, right)))
            case ast.Call(func=ast.Attribute(attr="dot" | "matmul", value=holder)):
                sides = (holder, *node.args)
                least = max(least, *(_is(side, name) for side in sides))
    return least


def _is(tree: ast.expr, name: str) -> int:
    """Whether a tree is the operand, or what an object keeps of it."""
    return int(ast.unparse(tree) in (name, f"self.{name}"))


def _candidates(
    code: Journal, parameter: OpenParameter
) -> Iterator[Callable[[], Value]]:
    """What an operand may be; a name that the file has is that."""
    known = None if parameter.table else code.names.get(parameter.name)
    is_small = not isinstance(known, Symbol) or np.prod(known.shape) <= KNOWN_ENTRIES
    if isinstance(known, Symbol | dict) and is_small:
        yield lambda: dict(known) if isinstance(known, dict) else known
        return
    shapes = [s for s in ((), *VECTORS, *MATRICES) if len(s) >= parameter.least]
    if parameter.prefers_arrays:
        shapes = [s for s in (*VECTORS, *MATRICES, ()) if len(s) >= parameter.least]
    if parameter.is_setting and not parameter.name[0].isupper():
        yield from (partial(Fraction, n) for n in SIZES)
    if LABELS.fullmatch(parameter.name) and parameter.prefers_arrays:
        yield partial(_stated, code, np.arange(ROWS) + 1)
        for columns in (INPUTS, OUTPUTS):
            one_hot = np.eye(columns, dtype=int)[1 : ROWS + 1]
            yield partial(_stated, code, one_hot)
    yield from (partial(any_number, code, parameter.name, shape) for shape in shapes)


def _stated(code: Journal, numbers: Any) -> Symbol:
    exact = np.vectorize(Fraction, otypes=[object])(numbers)
    return code.program.number(exact, is_constant=True)


def any_number(code: Journal, name: str, shape: tuple[int, ...]) -> Symbol:
    """An operand of which the file does not say what numbers it has."""
    return code.program.leaf(Leaf(shape, reason=f"{name} {ANY_NUMBER}"))


# ---- the search

Run = Callable[[Mapping[str, Value]], Value]


@dataclass(frozen=True)
class ShapeTrial:
    """What came of a choice. is_misfit: whether some statement does not fit.

    unknown: how many values are not understood. is_narrow: whether the number of
    examples, or another size that is divided by, is 1, which hides a divisor.
    """

    is_misfit: bool = False
    fit: GradientFit = field(default_factory=GradientFit)
    unknown: int = 0
    is_narrow: bool = False

    @property
    def is_shapely(self) -> bool:
        """Whether every statement fits, and every gradient has the shape it should."""
        return not self.is_misfit and not self.fit.misshapen

    @property
    def score(self) -> tuple[bool, bool, bool, int, int, int]:
        """What is better is larger.

        Where nothing comes out right, a choice at which something is claimed is better
        than one that hides it.
        """
        fit = self.fit
        others = -fit.other if fit.right else min(fit.other, 1)
        is_wide = not self.is_narrow
        some = fit.right > 0
        return self.is_shapely, some, is_wide, fit.right, others, -self.unknown

    @property
    def is_perfect(self) -> bool:
        """Whether there is nothing that another choice could make better."""
        fit = self.fit
        is_sure = fit.right > (self.unknown > 0)  # some gradients may be unread
        return self.is_shapely and is_sure and not fit.other and not self.is_narrow


def run_at_best(code: Journal, several: Sequence[OpenParameter], run: Run) -> None:
    """Run once with the operands under which most gradients come out right.

    Where the search ends early and under no choice the gradients have the shapes of
    what they are by, nothing is kept. run: follows the function, and returns what it
    returns.
    """
    if len(several) > TABLE_OPERANDS and any(p.table for p in several):
        return
    search = _ShapeSearch(code, several, run)
    search.descend({}, 0)
    best = max(search.found, key=lambda f: f[0].score, default=None)
    is_cut = search.runs >= SHAPE_TRIALS
    if best is not None and (best[0].is_shapely or not is_cut):
        search.once(best[1], undo=False)


def _is_misfit(reason: str) -> bool:
    return any(m in reason for m in MISFITS)


def _fails(new: Sequence[Assigned]) -> bool:
    """Whether some statement does not fit."""
    found = (e.value for e in new)
    return any(isinstance(v, Unknown) and _is_misfit(v.reason) for v in found)


def _order(parameter: OpenParameter) -> tuple[bool, int, int]:
    """Matrices first, then what tables and objects hold, then the rest.

    What is to come out has no effect before the end.
    """
    is_label = LABELS.fullmatch(parameter.name) is not None
    if parameter.table:
        return False, 0, 0
    if not parameter.least and parameter.key.startswith(OWN):
        return False, 1, 0
    return is_label, 2 * (not parameter.least), -parameter.least


class _ShapeSearch:
    """Goes through the parameters, and back where a statement does not fit."""

    def __init__(
        self, code: Journal, several: Sequence[OpenParameter], run: Run
    ) -> None:
        self.code, self.run, self.runs = code, run, 0
        self.several = sorted(several, key=_order)
        self.found: list[tuple[ShapeTrial, dict[str, Any]]] = []
        self.shapely = 0
        self.is_over = False

    def descend(self, chosen: dict[str, Any], at: int) -> None:
        """Try what the next parameter may be."""
        if at == len(self.several):
            self.complete(chosen)
            return
        parameter = self.several[at]
        for make in _candidates(self.code, parameter):
            if self.is_over or self.runs >= SHAPE_TRIALS:
                return
            more = {**chosen, parameter.key: make}
            is_last = at + 1 == len(self.several)
            if is_last or not self.once(more).is_misfit:
                self.descend(more, at + 1)

    def complete(self, chosen: dict[str, Any]) -> None:
        """Note what comes of a choice of all operands."""
        trial = self.once(chosen)
        self.found.append((trial, chosen))
        self.shapely += trial.is_shapely
        self.is_over = self.shapely >= SHAPE_CHOICES or trial.is_perfect

    def once(self, chosen: Mapping[str, Any], undo: bool = True) -> ShapeTrial:
        """Run, and what came of it."""
        code, program = self.code, self.code.program
        self.runs += 1
        length, statements = program.length(), code.statements
        counts = [len(held) for held in (code.assigned, code.snapshots)]
        operands = {p.key: Unknown(OPEN) for p in self.several}
        is_complete = len(chosen) == len(operands)
        try:
            with understood():
                operands |= {n: make() for n, make in chosen.items()}
                result = self.run(operands_from(self.several, operands))
            return self.trial(code.assigned[counts[0] :], result, is_complete)
        except NotUnderstood as error:
            waits = OPEN in str(error) or (not is_complete and IN_DOUBT in str(error))
            return ShapeTrial(not waits or _fails(code.assigned[counts[0] :]))
        finally:
            if undo:
                del code.assigned[counts[0] :]
                del code.snapshots[counts[1] :]
                program.shorten(length)
                code.statements = statements

    def trial(
        self, new: Sequence[Assigned], result: Value, is_complete: bool
    ) -> ShapeTrial:
        """What came of a run that went to its end."""
        values = [*(e.value for e in new), result]
        reasons = [v.reason for v in values if isinstance(v, Unknown)]
        is_misfit = any(map(_is_misfit, reasons))
        if not is_complete:
            return ShapeTrial(is_misfit)
        fit = fit_of(self.code, new)
        is_narrow = any(self.is_one(entry) for entry in new)
        return ShapeTrial(is_misfit, fit, len(reasons), is_narrow)

    def is_one(self, entry: Assigned) -> bool:
        """Whether a name is given a size that is 1."""
        if not isinstance(entry.value, Symbol):
            return False
        leaf = self.code.program.leaves.get(entry.value.index)
        is_size = leaf is not None and leaf.is_constant and leaf.value is not None
        return is_size and leaf is not None and bool(np.all(leaf.value == 1))
