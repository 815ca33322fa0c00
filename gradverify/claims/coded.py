"""Claims that code makes: backward passes, functions, what was printed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.backward import Step, function_pairs, steps
from gradverify.claims.chain import judge_printed, judge_values
from gradverify.claims.explain import (
    Explained,
    Wrong,
    explain,
    following,
    printed_value,
)
from gradverify.claims.finding import Fragment
from gradverify.claims.members import Members, Outcome
from gradverify.claims.printed import printed
from gradverify.claims.trail import Leaf, NotUnderstood, understood
from gradverify.claims.values import Function, symbol
from gradverify.claims.verdicts import WrittenClaim

if TYPE_CHECKING:
    from gradverify.claims.reader import Reader


def in_code(reader: Reader) -> Iterator[WrittenClaim]:
    """Backward passes that are written by hand, every step of them."""
    wrong: dict[int, Symbol] = {}
    for step in steps(reader.code, tuple(reader.code.assigned)):
        entry = step.assigned
        chain = [f"∂{step.of}/∂{step.by}", ast.unparse(entry.tree)]
        place = entry.cell, entry.line, entry.text
        if step.problem:
            yield reader.not_understood(*place, step.problem, chain)
            continue
        try:
            with understood():
                outcome, explained = judged(reader, step, chain, wrong)
        except NotUnderstood as error:
            yield reader.not_understood(*place, str(error), chain)
            continue
        yield reader.finished(*place, chain, outcome, explained)


def judged(
    reader: Reader, step: Step, chain: list[str], wrong: dict[int, Symbol]
) -> tuple[Outcome, Explained]:
    """A step of a backward pass, after those that were wrong, which it may follow."""
    trail, entry = reader.code.trail, step.assigned
    node = symbol(trail, entry.value)
    exact = trail.derivative(step.y, step.x)
    members = Members((), (exact, node))
    outcome = judge_values(trail, members)
    names = {k: v for k, v in entry.names.items() if k != entry.name}
    looked_into = Wrong(trail, members, outcome, names, chain, "python")
    explained = explain(looked_into)
    if outcome.step is not None:
        explained = following(looked_into, explained, wrong)
        wrong[node.index] = exact
    return outcome, explained


def in_functions(reader: Reader) -> Iterator[WrittenClaim]:
    """Functions whose names say that they are derivatives of others."""
    for function, derived in function_pairs(reader.code.functions):
        chain = [f"{function.name}'(x)", f"{derived.name}(x)"]
        place = derived.cell, derived.line, f"def {derived.name}"
        try:
            with understood():
                outcome = pair(reader, function, derived)
        except NotUnderstood as error:
            yield reader.not_understood(*place, str(error), chain)
            continue
        yield reader.finished(*place, chain, outcome, Explained())


def pair(reader: Reader, function: Function, derived: Function) -> Outcome:
    """Whether one function is the derivative of another, in x or in f(x)."""
    trail = reader.code.trail
    x = trail.leaf(Leaf((), reason="x is any number"))
    y = symbol(trail, reader.code.follow(function, (x,)))
    exact = trail.derivative(y, x)
    claimed = symbol(trail, reader.code.follow(derived, (x,)))
    outcome = judge_values(trail, Members((), (exact, claimed)))
    if outcome.step is not None:  # many take the output: y * (1 - y)
        by_output = symbol(trail, reader.code.follow(derived, (y,)))
        other = judge_values(trail, Members((), (exact, by_output)))
        outcome = other if other.step is None else outcome
    return outcome


def in_print(reader: Reader, found: Sequence[Fragment]) -> Iterator[WrittenClaim]:
    """What a library printed, in stored outputs and in comments."""
    shown = tuple(reader.code.shown)
    for one in printed(reader.code.trail, reader.cells, shown, found):
        chain = [one.shown.text, one.text]
        place = one.shown.cell, one.shown.line, one.source
        try:
            if one.problem:
                raise NotUnderstood(one.problem)
            with understood():
                outcome = judge_printed(
                    reader.code.trail, one.node, one.value, {}, dtype(reader)
                )
                exact = printed_value(one.node, outcome, one.text)
            cause = "" if outcome.step is None else "the library prints another number"
            explained = Explained(exact, cause, f"{chain[0]} = {exact}")
        except NotUnderstood as error:
            yield reader.not_understood(*place, str(error), chain)
            continue
        yield reader.finished(*place, chain, outcome, explained)


def dtype(reader: Reader) -> str:
    """What the file's library computes in, unless it says otherwise."""
    text = "".join(cell.text for cell in reader.cells if cell.kind == "code")
    single = re.search(r"\b(?:torch|jax|jnp|tensorflow|tf)\b", text) is not None
    double = re.search(r"float64|\bdouble\b|enable_x64", text) is not None
    return "float32" if single and not double else "float64"
