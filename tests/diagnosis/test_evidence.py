"""What is drawn beside a deviation, and what people read of one."""

from __future__ import annotations

import numpy as np

from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.graph import Case, Graph, Node, input_leaf
from gradverify.verify import judge
from tests.planted.slips import Slip, by_op, scaled

SQUARE = Graph((input_leaf(), Node("mul", (0, 0))))


def test_a_dropped_path_with_all_that_is_drawn() -> None:
    who = by_op(Slip("path dropped", ("mul",), scaled(0.0, 0)), "mul", inner=False)
    case = Case(SQUARE, (np.array(3.0),))
    why = diagnose(Failure(case, judge(case, who, "reverse"), "mul", who, "reverse"))
    assert why.sentence == (
        "at b = a * a: a path is dropped: ∂b/∂a by its first operand taken as 0 "
        "(it is a = 3)"
    )
    assert why.paths == (
        "∂b/∂a = a + a = 3 + 3 = 6; rewritten took ∂b/∂a by its first operand as 0 "
        "(it is a = 3): 0 + 3 = 3",
    )
    assert why.latex == r"\frac{\partial b}{\partial a} = a + a = 3 + 3 = 6"
    assert (why.node, why.operand, why.op) == (1, 0, "mul")
    shown = why.shown
    assert shown.values == ("3", "9")
    assert shown.adjoints == ("6", "1")
    assert shown.guilty == (1, 0)
    steps = [float(step) for step, _ in shown.quotients]
    assert steps == sorted(steps, reverse=True)
    errors = [abs(float(slope) - 6.0) for _, slope in shown.quotients]
    assert np.allclose(errors, steps, rtol=1e-6)  # (x + h)**2 has the quotient 2x + h
    offsets = [float(offset) for offset, _, _ in shown.line]
    assert offsets == sorted(offsets)
    assert all(float(error) > float(bound) for _, error, bound in shown.line)
