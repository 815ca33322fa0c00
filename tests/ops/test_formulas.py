"""The formulas that the op table tells are what the ops compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpmath import mp

from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.graph import Graph, Node, apply_op, input_leaf, interpret
from gradverify.ops import OPS, Op
from gradverify.ops.linear_algebra_rows import LINEAR_ALGEBRA

POINTS = (-7.25, -3.5, -1.0, -0.3125, 0.25, 0.75, 1.5, 6.5)
NAMES = ("exp", "log", "tanh", "erf", "sqrt", "pi")

# A choice of params for each op that has some; losses are taken entry by entry.
PARAMS = {
    "gelu": ({"approximate": "none"}, {"approximate": "tanh"}),
    "celu": ({"alpha": 1.0}, {"alpha": 0.7}),
    **dict.fromkeys(("softshrink", "hardshrink"), ({"lambd": 0.5}, {"lambd": 2.0})),
    "threshold": ({"threshold": 0.5, "value": -2.0},),
    "rrelu": ({"least": 0.125, "most": 1 / 3},),
    "huber": ({"delta": 1.0}, {"delta": 0.3}),
    "kl_div": ({"log_target": False}, {"log_target": True}),
    "smooth_l1": ({"beta": 1.0}, {"beta": 0.25}),
    "soft_margin": ({"signs": (1,)}, {"signs": (-1,)}),
    "hinge_embedding": (
        {"signs": (1,), "margin": 1.0},
        {"signs": (-1,), "margin": 0.5},
    ),
    "margin_ranking": (
        {"signs": (1,), "margin": 0.0},
        {"signs": (-1,), "margin": 0.5},
    ),
}
# Formulas of matrices are words; test_linear_algebra.py computes these ops otherwise.
# So are those of whole rows, which libraries' own ops are held against.
IN_WORDS = ("ctc", "local_response_norm")
TOLD = [
    row
    for row in OPS
    if row.formula and row not in LINEAR_ALGEBRA and row.name not in IN_WORDS
]
POSITIVE = ("bce", "kl_div")


def _id(part: object) -> str | None:
    return part.name if isinstance(part, Op) else None


SETTINGS = [(row, params) for row in TOLD for params in PARAMS.get(row.name, ({},))]


@pytest.mark.parametrize(("row", "params"), SETTINGS, ids=_id)
def test_a_formula_is_what_the_op_computes(row: Op, params: dict[str, object]) -> None:
    errors = []
    for k, x in enumerate(POINTS):
        operands = [x, POINTS[k - 3]][: row.arity]
        if row.name in POSITIVE:
            operands = [abs(v) / 10 for v in operands]
        second = "y" if row.name == "margin_ranking" else "t"
        names = dict(zip(("x", second), operands, strict=False))
        with mp.workprec(200):
            made = _computed(row, operands, params)
            told = _value(row.formula, names, params)
            errors.append(abs(told - made) / (1 + abs(made)))
    assert max(errors) < 1e-15


def _value(formula: str, names: dict[str, float], params: dict[str, object]) -> Any:
    scope = {name: getattr(mp, name) for name in NAMES} | params
    scope |= {name: mp.mpf(x) for name, x in names.items()}
    if "signs" in scope:  # of one entry
        (scope["signs"],) = scope["signs"]
    return eval(formula, scope)  # a text of our own table


def _computed(row: Op, operands: list[float], params: dict[str, object]) -> Any:
    if "reduction" in row.params:
        params = {**params, "reduction": "sum"}
    nodes: list[Node] = [input_leaf() for _ in operands]
    nodes.append(apply_op(nodes, row.name, range(len(operands)), **params))
    inputs = [MULTIPRECISION.lift(np.array(x)) for x in operands]
    return interpret(Graph(tuple(nodes)), MULTIPRECISION.table, inputs)
