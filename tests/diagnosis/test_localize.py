"""The op that deviates alone is named, at a kink as well."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.localize import guilty_op
from gradverify.diagnosis.op_alone import node_values, op_alone
from gradverify.differentiators import load
from gradverify.graph import Case
from gradverify.known import shipped_rows
from gradverify.questions import GRADIENT, tangents_of
from gradverify.verdict import Judgement, Verdict
from gradverify.verify import judge
from gradverify.verify.known_rows import Listed


def test_an_op_that_needs_its_own_cotangent_is_named_at_a_kink() -> None:
    """autograd's abs underflows at -5e-324 pulled back from 1/2, and not from 1."""
    point = (np.array([0.0, 1.0, -5e-324]),)
    graph = trace(lambda x: s.sum(s.abs(x) * np.array(0.5), axis=None), (3,))
    case = Case(graph, point)
    deviates = partial(judge, differentiator=load("autograd"), mode="reverse")
    guilty = guilty_op(case, deviates, deviates(case))
    assert guilty.op == "abs"
    assert guilty.judgement is not None
    assert guilty.judgement.verdict is Verdict.WRONG


def test_an_exception_convicts_only_the_op_that_raises_it() -> None:
    """sin is wrong alone and exp raises something else; tanh raises what the graph
    raises, with other numbers in it.
    """
    said = {
        "sin": Judgement(Verdict.WRONG),
        "exp": Judgement(Verdict.CRASHED, got="TypeError: no shape (3,)"),
        "tanh": Judgement(Verdict.CRASHED, got="ValueError: no shape (2, 3)"),
    }
    graph = trace(lambda x: s.sum(s.sin(s.exp(s.tanh(x))), axis=None), (3,))
    case = Case(graph, (np.ones(3),))
    agrees = Judgement(Verdict.AGREES)

    def judged(alone: Case) -> Judgement:
        return said.get(alone.graph.ops[0], agrees)

    whole = Judgement(Verdict.CRASHED, got="ValueError: no shape (4,)")
    assert guilty_op(case, judged, whole).op == "tanh"
    other = Judgement(Verdict.CRASHED, got="ValueError: no axis")
    assert guilty_op(case, judged, other).op == "graph"


def test_a_case_that_is_one_op_is_not_judged_again() -> None:
    """At another point it would be another case."""
    case = Case(trace(s.exp, ()), (np.array(1.5),))
    wrong, asked = Judgement(Verdict.WRONG), []

    def judged(alone: Case) -> Judgement:
        asked.append(alone)
        return wrong

    guilty = guilty_op(case, judged, wrong)
    assert (guilty.op, guilty.judgement) == ("exp", wrong)
    assert not asked
    summed = Case(trace(lambda x: s.sum(s.exp(x), axis=None), (2,)), (np.ones(2),))
    assert guilty_op(summed, judged, wrong).op == "sum"
    assert asked


def test_a_missing_cotangent_makes_a_wrong_number_in_a_graph() -> None:
    """No op alone has the graph's verdict; one has no derivative at all."""
    graph = trace(lambda x: s.sum(s.sin(x) * x, axis=None), (3,))
    missing = Judgement(Verdict.MISSING)

    def judged(alone: Case) -> Judgement:
        is_sin = alone.graph.ops[0] == "sin"
        return missing if is_sin else Judgement(Verdict.AGREES)

    case = Case(graph, (np.ones(3),))
    assert guilty_op(case, judged, Judgement(Verdict.WRONG)).op == "sin"
    assert guilty_op(case, judged, Judgement(Verdict.WRONG_SHAPE)).op == "graph"


def test_an_operand_that_is_held_still_alone_moves_in_another_question() -> None:
    """PyTorch's second derivative of bce adds 1e-12 to its divisors: bce(a, a) is off.

    Alone it has two inputs, of which the first happens to have no tangent.
    """
    graph = trace(lambda x: s.bce(x, x, reduction="sum"), ())
    case = Case(graph, (np.array(0.5),))
    torch = load("torch-cpu")
    deviates = partial(judge, differentiator=torch, mode="reverse-over-reverse")
    alone = op_alone(case, 1, node_values(case), np.ones(()))
    assert None in tangents_of(alone.graph, "float64")
    assert deviates(alone).verdict is Verdict.AGREES
    guilty = guilty_op(case, deviates, deviates(case))
    assert guilty.op == "bce"


def test_an_entry_that_is_held_still_alone_moves_in_another_question() -> None:
    """Only the last entry of exp deviates, where its tangent is not 0."""
    alone_of = {n: trace(lambda x: s.sum(s.exp(x)), (n,)) for n in range(3, 30)}
    n = next(
        n
        for n, graph in alone_of.items()
        if (v := tangents_of(graph, "float64")[0]) is not None and v[-1] == 0
    )
    whole = trace(lambda x: s.sum(s.exp(x), axis=None), (n,))
    case = Case(whole, (np.ones(n),))
    wrong = Judgement(Verdict.WRONG, question="second")

    def judged(alone: Case) -> Judgement:
        (v,) = tangents_of(alone.graph, alone.dtype)
        deviates = alone.graph.ops[0] == "exp" and v is not None and v[-1] != 0
        return wrong if deviates else Judgement(Verdict.AGREES)

    assert guilty_op(case, judged, wrong).op == "exp"


def test_an_operand_without_a_tangent_has_none_alone_either() -> None:
    """An op deviates where its second operand has no tangent, as in the graph."""

    def is_held(case: Case) -> bool:
        tangents = dict(
            zip(case.graph.inputs, tangents_of(case.graph, case.dtype), strict=True)
        )
        first = next(n for n in case.graph.nodes if n.op == "fmod")
        return tangents[first.operands[1]] is None

    graphs = (
        trace(lambda a, b, k=k: s.exp(s.fmod(a, b)) * float(k), (), ())
        for k in range(100)
    )
    held = next(Case(g, (np.array(5.0), np.array(2.0))) for g in graphs
                if tangents_of(g, "float64")[1] is None)  # fmt: skip
    wrong = Judgement(Verdict.WRONG_DTYPE, question="jvp")

    def judged(alone: Case) -> Judgement:
        if alone.graph.ops[0] != "fmod" or not is_held(alone):
            return Judgement(Verdict.AGREES)
        return wrong

    assert guilty_op(held, judged, wrong).op == "fmod"
    right = replace(wrong, question=GRADIENT.name)
    assert guilty_op(held, judged, right).op == "graph"


def test_a_wrong_dtype_makes_a_later_op_raise() -> None:
    graph = trace(lambda x: s.log_sigmoid(s.exp(x)), ())
    case = Case(graph, (np.ones(()),))

    def judged(alone: Case) -> Judgement:
        is_exp = alone.graph.ops[0] == "exp"
        return Judgement(Verdict.WRONG_DTYPE if is_exp else Verdict.AGREES)

    raised = Judgement(Verdict.CRASHED, got="RuntimeError: Found dtype Double")
    assert guilty_op(case, judged, raised).op == "exp"
    other = Judgement(Verdict.CRASHED, got="ZeroDivisionError: division by zero")
    assert guilty_op(case, judged, other).op == "graph"


def test_what_is_no_number_without_a_derivative_spreads_where_nothing_moves() -> None:
    """Alone atan2 has no second derivative there that fits the format."""
    autograd = load("autograd")
    rounded = Case(trace(lambda x: s.atan2(s.trunc(x), x), ()), (np.array(1e-200),))
    second = partial(judge, differentiator=autograd, mode="reverse-over-reverse")
    assert second(rounded).verdict is Verdict.NONFINITE
    assert guilty_op(rounded, second, second(rounded)).op == "atan2"
    clipped = Case(trace(lambda x: s.i0e(s.relu6(x)), ()), (np.array(-1.0),))
    jacobian = partial(judge, differentiator=autograd, mode="jacobian")
    assert jacobian(clipped).verdict is Verdict.NONFINITE
    guilty = guilty_op(clipped, jacobian, jacobian(clipped))
    rows = Listed(shipped_rows(), autograd, "jacobian", "float64")
    assert rows.row(clipped, jacobian(clipped), guilty) == "autograd-i0e-zero"
