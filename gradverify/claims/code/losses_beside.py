"""Losses that stand beside gradients: `cost(X, y)` beside `cost_gradient(X, y)`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.code.derived_functions import operands_of
from gradverify.claims.code.journal import Journal
from gradverify.claims.code.open_parameters import LABELS
from gradverify.claims.code.statements import follow
from gradverify.claims.computation.bindings import Function, Value
from gradverify.claims.computation.file_program import NotUnderstood, understood


def follow_with(
    code: Journal, function: Function, operands: Mapping[str, Value]
) -> Value:
    """A function applied; parameters that have no operand have a default."""
    return follow(code, function, (), operands)


LOSS = re.compile(
    r"(?i)(?:\w+_)?(?:cost|loss|objective|error|mse|nll|cross_?entropy|j)"
    r"(?:_?(?:function|func|fn|value))?|(?:compute|get|calc\w*)_?(?:cost|loss|error)"
)
NO_LOSS = re.compile(r"(?i)grad|deriv|prime|backward|numerical|delta")
THE_LOSS = "the loss"


def is_loss(function: Function) -> bool:
    """Whether a name says that a function is what gradients are of."""
    name = function.name
    return LOSS.fullmatch(name) is not None and NO_LOSS.search(name) is None


def beside_losses(
    code: Journal,
    function: Function,
    losses: Sequence[Function],
    operands: Mapping[str, Value],
) -> Value:
    """A function that speaks of gradients, and the losses that take its operands.

    Where `cost(X, y)` stands beside `cost_gradient(X, y)`, the first is what the second
    differentiates, if any of its gradients fits.
    """
    before = len(code.assigned)
    names: dict[str, Value] = {}
    for loss in losses:
        wanted = operands_of(loss)
        if loss is function or not {*wanted} <= {*operands}:
            continue
        try:
            with understood():
                found = follow_with(code, loss, {n: operands[n] for n in wanted})
        except NotUnderstood:
            continue
        names |= {e.name: e.value for e in code.assigned[before:]}
        del code.assigned[before:]
        if isinstance(found, Symbol) and np.prod(found.shape) == 1:
            names[THE_LOSS] = code.program.apply("reshape", found, shape=())
            break
    result = follow_with(code, function, operands)
    for k, entry in enumerate(code.assigned[before:], before):
        code.assigned[k] = replace(entry, names={**names, **entry.names})
    return result


def loss_of(
    code: Journal, losses: Sequence[Function], output: Value, held: Mapping[str, Value]
) -> Symbol | None:
    """A loss of the file, of what comes out and of what is to come out."""
    labels = [v for n, v in held.items() if LABELS.fullmatch(n)]
    before = len(code.assigned)
    for loss in losses:
        wanted = operands_of(loss)
        if len(wanted) != 2 or not labels or not isinstance(output, Symbol):
            continue
        operands = {n: labels[0] if LABELS.fullmatch(n) else output for n in wanted}
        if len({*map(id, operands.values())}) < 2:
            continue
        try:
            with understood():
                found = follow_with(code, loss, operands)
        except NotUnderstood:
            continue
        finally:
            del code.assigned[before:]
        if isinstance(found, Symbol) and np.prod(found.shape) == 1:
            return code.program.apply("reshape", found, shape=())
    return None
