"""Claims that code makes: backward passes, functions, what was printed."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.backward_passes import UPSTREAM, may_have_penalty, steps
from gradverify.claims.code.closures import closure_steps
from gradverify.claims.code.derived_functions import function_pairs, operands_of
from gradverify.claims.code.gradient_fits import is_derivative
from gradverify.claims.code.gradient_names import BackwardStep
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.operand_choices import ANY_NUMBER
from gradverify.claims.code.printed import printed
from gradverify.claims.code.statements import follow
from gradverify.claims.computation.bindings import Function, symbol
from gradverify.claims.computation.file_program import (
    FileProgram,
    Leaf,
    NotUnderstood,
    understood,
)
from gradverify.claims.computation.numbers import interval
from gradverify.claims.computation.point import flat
from gradverify.claims.judgement.chain import judge_printed, judge_values
from gradverify.claims.judgement.members import Members, Outcome
from gradverify.claims.judgement.read_claim import Explained, ReadClaim
from gradverify.claims.mending.why import (
    Wrong,
    explain,
    following,
    printed_value,
)
from gradverify.claims.reading.open_file import OpenFile
from gradverify.claims.sources.fragments import Fragment


def in_code(file: OpenFile) -> Iterator[ReadClaim]:
    """Backward passes that are written by hand, every step of them once.

    A line of a loop that is written out is one claim. If it comes out right in one pass
    and not in another, its names may mean other things than we think. The entries of a
    list are claims of their own, though they stand in one line.
    """
    by_place: dict[tuple[int, int, str, int], list[ReadClaim]] = {}
    for column, found in _in_passes(file):
        place = found.cell, found.line, found.text, column
        by_place.setdefault(place, []).append(found)
    for several in by_place.values():
        failing = next((f for f in several if f.is_contradicted), None)
        judged = next((f for f in several if f.is_right), None)
        if failing is not None and any(f.is_right and f.tells for f in several):
            yield replace(failing, doubts=(IN_TURN, *failing.doubts))
        else:
            yield failing or judged or several[0]


IN_TURN = "it comes out right in another pass of the loop, or for another operand"


def _in_passes(file: OpenFile) -> Iterator[tuple[int, ReadClaim]]:
    """Every step of every backward pass, as often as it is followed.

    Each with the column at which its formula stands.
    """
    wrong: dict[int, Symbol] = {}
    passes = steps(file.code, tuple(file.code.assigned))
    found: list[tuple[BackwardStep, ReadClaim]] = []
    for step in itertools.chain(passes, closure_steps(file.code)):
        entry = step.assigned
        chain = (f"∂{step.of}/∂{step.by}", ast.unparse(entry.tree))
        place = entry.cell, entry.line, entry.text
        finding = ReadClaim(*place, chain, reason=step.problem)
        if not step.problem:
            try:
                with understood():
                    finding = _step(file, step, finding, wrong)
            except NotUnderstood as error:
                finding = replace(finding, reason=str(error))
        found.append((step, finding))
    for step, finding in found:
        if finding.is_contradicted and _leads_to_right_ones(file, step, found):
            finding = replace(finding, doubts=(MISNAMED, *finding.doubts))
        yield step.assigned.tree.col_offset, finding


def _leads_to_right_ones(
    file: OpenFile,
    step: BackwardStep,
    found: Sequence[tuple[BackwardStep, ReadClaim]],
) -> bool:
    """Whether gradients by parameters are computed from it that come out right.

    If it were wrong itself, they would be so too: its name means another step, as
    `dout` may be the gradient by scores where `out` is what a softmax makes of them.
    """
    program, own = file.code.program, step.assigned.value
    if not isinstance(own, Symbol):
        return False
    after = [
        f for s, f in found
        if s is not step and isinstance(s.assigned.value, Symbol)
        and s.x.index in program.leaves and f.tells
        and program.depends(s.assigned.value.index, own.index)
    ]  # fmt: skip
    wrongs = sum(f.is_contradicted and not f.follows for f in after)
    return sum(f.is_right for f in after) >= max(1, wrongs)


def _step(
    file: OpenFile, step: BackwardStep, finding: ReadClaim, wrong: dict[int, Symbol]
) -> ReadClaim:
    """A step of a backward pass, after those that were wrong, which it may follow."""
    program, entry = file.code.program, step.assigned
    node = _written(file, entry.tree) or symbol(program, entry.value)
    exact = program.derivative(step.y, step.x, step.holds)
    if step.over != 1:
        exact = program.apply("mul", exact, program.constant(1 / step.over))
    members = Members((), (exact, node))
    outcome = judge_values(program, members)
    names = {k: v for k, v in entry.names.items() if k != entry.name}
    looked_into = Wrong(program, members, outcome, names, finding.chain, "python")
    explained, follows = explain(looked_into), False
    if outcome.step is not None:
        before = explained
        explained = following(looked_into, explained, wrong)
        follows = explained is not before
        wrong[node.index] = exact
    return replace(
        finding,
        outcome=outcome,
        explained=explained,
        subject=("code", step.y.index),
        doubts=(
            *_doubts(file.code, step, members, outcome),
            *((FEW,) if step.is_weak and not explained.is_slip else ()),
        ),
        follows=follows,
        # Where the derivative is 0, so is a wrong multiple of it.
        tells=any(b != 0 for b in flat(outcome.point.value(exact.index))),
    )


def _doubts(
    code: Journal, step: BackwardStep, members: Members, outcome: Outcome
) -> tuple[str, ...]:
    """What leaves a doubt whether a step that does not come out right is wrong."""
    exact, claimed = members.nodes
    program = code.program
    leaves = program.cut(step.y.index).leaves
    is_ours = any(program.leaves[i].reason.endswith(ANY_NUMBER) for i in leaves)
    if outcome.step is None:
        return ()
    is_open = step.of.startswith(UPSTREAM) or bool(step.holds)  # no loss is written
    if is_open and may_have_penalty(step):
        return (PENALIZED,)
    if any(_rests_on(program, step, members, i) for i in program.supposed):
        return (SUPPOSED,)
    return (OUR_SHAPE,) if exact.shape != claimed.shape and is_ours else ()


def _rests_on(
    program: FileProgram, step: BackwardStep, members: Members, node: int
) -> bool:
    """Whether a node is in a derivative, or on the way that is differentiated."""
    is_within = any(program.depends(m.index, node) for m in members.nodes)
    y, x = step.y.index, step.x.index
    return is_within or (program.depends(y, node) and program.depends(node, x))


def _written(file: OpenFile, tree: ast.expr) -> Symbol | None:
    """A number that is assigned: all that rounds to it."""
    try:
        number = ast.literal_eval(tree) if not isinstance(tree, ast.Name) else None
    except ValueError:
        return None
    if type(number) not in (int, float):
        return None
    text = ast.unparse(tree)
    value, half = interval(text.lstrip("-"))
    value = -value if text.startswith("-") else value
    stated, width = (np.asarray(n, dtype=object) for n in (value, half))
    return file.code.program.leaf(Leaf((), stated, width, is_constant=True))


def in_functions(file: OpenFile) -> Iterator[ReadClaim]:
    """Functions and methods whose names say that they are derivatives of others."""
    for function, derived in function_pairs(file.code):
        names = ", ".join(operands_of(derived))
        x = names if len(operands_of(function)) == 1 else "…"
        chain = (f"{function.name}'({x})", f"{derived.name}({names})")
        text = f"def {derived.name}" if derived.name.isidentifier() else derived.name
        place = derived.cell, derived.line, text
        try:
            with understood():
                outcome, explained, by = pair(file, function, derived)
        except NotUnderstood as error:
            yield ReadClaim(*place, chain, reason=str(error))
            continue
        doubts: tuple[str, ...] = ()
        if len(operands_of(function)) > 1:
            chain = (f"∂{function.name}({names})/∂{by}", chain[1])
            if not explained.cause.startswith(PLAIN):
                doubts = (BEFORE,)
        yield ReadClaim(*place, chain, outcome, explained, doubts=doubts)


PENALIZED = (
    "it holds the slope of a penalty, which is no part of what the layer computes"
)
SUPPOSED = "it rests on a function that the file does not hold, read as its name says"
MISNAMED = "what is computed from it comes out right: its name may mean another step"
FEW = "no loss is written, and few gradients agree on what they are derivatives of"
OUR_SHAPE = "the file does not say what shapes its operands have"
PLAIN = ("a factor", "the sign")  # causes that leave no doubt of what a loss is by
BEFORE = "it may be the derivative by what an operand is computed from, as by a logit"


# Of an operand; a row of one example comes last, since a mean over one hides a divisor.
SHAPES: tuple[tuple[int, ...], ...] = ((), (2,), (3,), (4,), (1, 5))


def _applied(file: OpenFile, function: Function) -> tuple[dict[str, Symbol], Symbol]:
    """Any operands of a function, all of one shape, and what it gives."""
    program = file.code.program
    first: NotUnderstood | None = None
    for shape in SHAPES:
        operands = {
            name: program.leaf(Leaf(shape, reason=f"{name} is any number"))
            for name in operands_of(function)
        }
        try:
            return operands, symbol(program, follow(file.code, function, (), operands))
        except NotUnderstood as error:
            first = first or error
    assert first is not None
    raise first


def pair(
    file: OpenFile, function: Function, derived: Function
) -> tuple[Outcome, Explained, str]:
    """Whether one function is the derivative of another, in x or in f(x).

    The operands are numbers, or where the function takes entries of them, as short
    arrays as fit. Of several operands it is the derivative by the one that fits, or by
    the last one, which is what is predicted, in most losses. Returns that operand too.
    """
    program = file.code.program
    operands, y = _applied(file, function)
    given = dict(zip(operands_of(derived), operands.values(), strict=True))
    if len(operands) > 1:
        given = operands
    returned = follow(file.code, derived, (), given)
    if isinstance(returned, tuple) and y.shape == ():
        raise NotUnderstood(f"{derived.name} gives several values")
    claimed = symbol(program, returned)
    by = next(
        (n for n, x in operands.items() if is_derivative(program, y, x, claimed)),
        [*operands][-1],
    )
    x = operands[by]
    exact = program.derivative(y, x)
    members = Members((), (exact, claimed))
    outcome = judge_values(program, members)
    if (
        outcome.step is not None and y.shape == x.shape and len(operands) == 1
    ):  # many take the output: y * (1 - y)
        by_output = symbol(program, follow(file.code, derived, (y,)))
        other = judge_values(program, Members((), (exact, by_output)))
        outcome = other if other.step is None else outcome
    if outcome.step is not None and len(x.shape) > 1:
        raise NotUnderstood(OUR_SHAPE)
    chain = (f"{function.name}'({by})", f"{derived.name}({by})")
    wrong = Wrong(program, members, outcome, dict(operands), chain, "python")
    return outcome, explain(wrong), by


def in_print(file: OpenFile, found: Sequence[Fragment]) -> Iterator[ReadClaim]:
    """What a library printed, in stored outputs and in comments."""
    shown = tuple(file.code.shown)
    for one in printed(file.code.program, file.cells, shown, found):
        chain = (one.shown.text, one.text)
        place = one.shown.cell, one.shown.line, one.source
        try:
            if one.problem:
                raise NotUnderstood(one.problem)
            with understood():
                outcome = judge_printed(
                    file.code.program, one.node, one.value, {}, dtype(file)
                )
                exact = printed_value(one.node, outcome, one.text)
        except NotUnderstood as error:
            yield ReadClaim(*place, chain, reason=str(error))
            continue
        cause = "" if outcome.step is None else "the library prints another number"
        explained = Explained(exact, cause, f"{chain[0]} = {exact}", is_slip=True)
        yield ReadClaim(*place, chain, outcome, explained)


def dtype(file: OpenFile) -> str:
    """What the file's library computes in, unless it says otherwise."""
    text = "".join(cell.text for cell in file.cells if cell.kind == "code")
    single = re.search(r"\b(?:torch|jax|jnp|tensorflow|tf)\b", text) is not None
    double = re.search(r"float64|\bdouble\b|enable_x64", text) is not None
    return "float32" if single and not double else "float64"
