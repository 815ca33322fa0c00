"""From choices to a case: a pure function, which repairs choices and rejects none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from gradverify.graph import LEAVES, Case, input_leaf
from gradverify.ops import OPS, Op, Shape
from gradverify.strategies.choices import Choices, Input, OpChoice
from gradverify.strategies.coverage import Met
from gradverify.strategies.draft import Draft, Grown, Scope
from gradverify.strategies.ending import finished
from gradverify.strategies.leaves import data, fitting_shape, literal, mask, shapes
from gradverify.strategies.params import legal_params
from gradverify.strategies.points import array_of
from gradverify.strategies.single_op import alone
from gradverify.strategies.steering import unmet_after

TRIED = 60  # operand tuples tried for one step before it is dropped

# An operand's choice below NEAR is a node, counted back from the latest; below
# LITERAL a Python number; else an array of data. Most are nodes.
NEAR, LITERAL = 72, 88


def build(choices: Choices, scope: Scope, met: Met | None = None) -> Case:
    """The case that these choices mean.

    The operands that were chosen may not fit: by the op's shape rule, its open domain,
    or a limit. The op then takes the nearest nodes that fit, or is dropped. If no op is
    left, the first one is applied alone, at a point moved into its domain.

    Some ops are replaced by one that has not followed its operand's op yet, in any case
    of the block (see `steering`).
    """
    with np.errstate(all="ignore"):
        draft = Draft(scope)
        _put_inputs(draft, choices.inputs)
        for step in choices.steps:
            if met is None or not _put_unmet(draft, step, met):
                _put_step(draft, step)
        if not draft.sinks():
            return alone(choices.steps[0], choices.inputs, choices.ending, scope)
        return finished(draft, choices.ending)


# ---- inputs


def _put_inputs(draft: Draft, inputs: Sequence[Input]) -> None:
    pool, before = shapes(draft.limits), None
    for choice in inputs:
        shape = pool[choice.shape % len(pool)]
        value = array_of(choice.values, shape, before, draft.scope.dtype)
        draft.put(Grown(input_leaf(shape), value))
        before = value


# ---- steps


def _put_unmet(draft: Draft, step: OpChoice, met: Met) -> bool:
    """Put an op that has not followed the operand's op yet, if one takes its value.

    The operand is the chosen one; if that is an input, it is the latest op.
    """
    chosen = _nearest(draft.followed(), step.first)[0]
    if not draft.grown[chosen].node.operands:
        chosen, step = len(draft.grown) - 1, step._replace(first=0)
    op = draft.grown[chosen].node.op
    return op not in LEAVES and any(
        _put_step(draft, step._replace(op=name), tried=1)
        for name in unmet_after(op, step, draft.scope.ops, met)
    )


def _put_step(draft: Draft, step: OpChoice, tried: int = TRIED) -> bool:
    row = OPS[step.op]
    for operands in itertools.islice(_operands(draft, row, step), tried):
        menu = legal_params(step.op, *map(draft.shape_of, operands))
        if menu and draft.try_op(step.op, operands, menu[step.params % len(menu)]):
            return True
    return False


def _operands(draft: Draft, row: Op, step: OpChoice) -> Iterator[list[int | Grown]]:
    """Tuples of operands to try: the chosen one, then others with nodes near it."""
    numbers = row.arity - len(row.masks)
    chosen = (step.first, step.second, step.params)[:numbers]
    can_be_leaf = [_is_leaf(draft, row, c) for c in chosen]
    if all(can_be_leaf):
        can_be_leaf[0] = False
    nodes = draft.followed()
    orders = [
        [None] if leaf else _nearest(nodes, choice)
        for leaf, choice in zip(can_be_leaf, chosen, strict=True)
    ]
    for picked in itertools.product(*orders):
        known = next(draft.shape_of(i) for i in picked if i is not None)
        operands: list[int | Grown] = [
            _leaf(draft, row, choice, step.params, known) if i is None else i
            for i, choice in zip(picked, chosen, strict=True)
        ]
        for position in row.masks:
            common = [draft.shape_of(x) for x in operands]
            operands.insert(position, mask(draft, common, step.params))
        yield operands


def _is_leaf(draft: Draft, row: Op, choice: int) -> bool:
    if row.arity < 2 or choice < NEAR:
        return False
    if choice < LITERAL:
        return draft.limits.literals and row.operator is not None
    return draft.limits.data


def _nearest(nodes: Sequence[int], choice: int) -> list[int]:
    """The node so many places back from the latest; then the others, nearest first."""
    place = len(nodes) - 1 - choice % 12 % len(nodes)
    return sorted(nodes, key=lambda i: (abs(i - nodes[place]), i))


def _leaf(draft: Draft, row: Op, choice: int, more: int, known: Shape) -> Grown:
    if choice < LITERAL:
        return literal(choice - NEAR)
    return data(draft, fitting_shape(draft, row, known, more), choice + more)
