"""What is drawn beside a deviation, and what people read of one."""

from __future__ import annotations

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as S
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.diagnose import Failure, diagnose
from gradverify.diagnosis.explain_case import smallest_part
from gradverify.diagnosis.op_alone import part_up_to
from gradverify.diagnosis.right_sweep import right
from gradverify.differentiators import Derivatives
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


def test_bisection_ends_at_the_smallest_part_that_deviates() -> None:
    graph = trace(lambda x: S.tanh(S.log(S.sin(S.exp(x))) * 2.0), ())
    case = Case(graph, (np.array(0.3),))

    def look(part: Case) -> Derivatives:
        """Right, unless a sine of an exponential is in it."""
        slope = right(part).adjoints[0]
        is_wrong = {"exp", "sin"} <= {*part.graph.ops}
        return Derivatives(1.0, (float(slope) * (1.5 if is_wrong else 1.0),))

    end = smallest_part(case, look)
    assert end is not None
    assert graph.nodes[end].op == "sin"
    assert smallest_part(part_up_to(case, 1), look) is None
