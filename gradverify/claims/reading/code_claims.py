"""Claims that code makes: backward passes, functions, what was printed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.backward_passes import BackwardStep, function_pairs, steps
from gradverify.claims.code.printed import printed
from gradverify.claims.code.statements import follow
from gradverify.claims.computation.bindings import Function, symbol
from gradverify.claims.computation.file_program import Leaf, NotUnderstood, understood
from gradverify.claims.judgement.chain import judge_printed, judge_values
from gradverify.claims.judgement.members import Members, Outcome
from gradverify.claims.judgement.verdicts import Claim
from gradverify.claims.mending.why import (
    Explained,
    Wrong,
    explain,
    following,
    printed_value,
)
from gradverify.claims.reading.open_file import OpenFile
from gradverify.claims.sources.fragments import Fragment


def in_code(file: OpenFile) -> Iterator[Claim]:
    """Backward passes that are written by hand, every step of them."""
    wrong: dict[int, Symbol] = {}
    for step in steps(file.code, tuple(file.code.assigned)):
        entry = step.assigned
        chain = [f"∂{step.of}/∂{step.by}", ast.unparse(entry.tree)]
        place = entry.cell, entry.line, entry.text
        if step.problem:
            yield file.not_understood(*place, step.problem, chain)
            continue
        try:
            with understood():
                outcome, explained = judged(file, step, chain, wrong)
        except NotUnderstood as error:
            yield file.not_understood(*place, str(error), chain)
            continue
        yield file.finished(*place, chain, outcome, explained)


def judged(
    file: OpenFile, step: BackwardStep, chain: list[str], wrong: dict[int, Symbol]
) -> tuple[Outcome, Explained]:
    """A step of a backward pass, after those that were wrong, which it may follow."""
    program, entry = file.code.program, step.assigned
    node = symbol(program, entry.value)
    exact = program.derivative(step.y, step.x)
    members = Members((), (exact, node))
    outcome = judge_values(program, members)
    names = {k: v for k, v in entry.names.items() if k != entry.name}
    looked_into = Wrong(program, members, outcome, names, chain, "python")
    explained = explain(looked_into)
    if outcome.step is not None:
        explained = following(looked_into, explained, wrong)
        wrong[node.index] = exact
    return outcome, explained


def in_functions(file: OpenFile) -> Iterator[Claim]:
    """Functions whose names say that they are derivatives of others."""
    for function, derived in function_pairs(file.code.functions):
        chain = [f"{function.name}'(x)", f"{derived.name}(x)"]
        place = derived.cell, derived.line, f"def {derived.name}"
        try:
            with understood():
                outcome = pair(file, function, derived)
        except NotUnderstood as error:
            yield file.not_understood(*place, str(error), chain)
            continue
        yield file.finished(*place, chain, outcome, Explained())


def pair(file: OpenFile, function: Function, derived: Function) -> Outcome:
    """Whether one function is the derivative of another, in x or in f(x)."""
    program = file.code.program
    x = program.leaf(Leaf((), reason="x is any number"))
    y = symbol(program, follow(file.code, function, (x,)))
    exact = program.derivative(y, x)
    claimed = symbol(program, follow(file.code, derived, (x,)))
    outcome = judge_values(program, Members((), (exact, claimed)))
    if outcome.step is not None:  # many take the output: y * (1 - y)
        by_output = symbol(program, follow(file.code, derived, (y,)))
        other = judge_values(program, Members((), (exact, by_output)))
        outcome = other if other.step is None else outcome
    return outcome


def in_print(file: OpenFile, found: Sequence[Fragment]) -> Iterator[Claim]:
    """What a library printed, in stored outputs and in comments."""
    shown = tuple(file.code.shown)
    for one in printed(file.code.program, file.cells, shown, found):
        chain = [one.shown.text, one.text]
        place = one.shown.cell, one.shown.line, one.source
        try:
            if one.problem:
                raise NotUnderstood(one.problem)
            with understood():
                outcome = judge_printed(
                    file.code.program, one.node, one.value, {}, dtype(file)
                )
                exact = printed_value(one.node, outcome, one.text)
            cause = "" if outcome.step is None else "the library prints another number"
            explained = Explained(exact, cause, f"{chain[0]} = {exact}")
        except NotUnderstood as error:
            yield file.not_understood(*place, str(error), chain)
            continue
        yield file.finished(*place, chain, outcome, explained)


def dtype(file: OpenFile) -> str:
    """What the file's library computes in, unless it says otherwise."""
    text = "".join(cell.text for cell in file.cells if cell.kind == "code")
    single = re.search(r"\b(?:torch|jax|jnp|tensorflow|tf)\b", text) is not None
    double = re.search(r"float64|\bdouble\b|enable_x64", text) is not None
    return "float32" if single and not double else "float64"
