"""A broken registration gives one clear sentence, not many discrepancies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS, trace
from gradverify.differentiators import (
    Differentiator,
    Pulled,
    greeting,
    handshake,
    mode,
    operators,
)
from gradverify.differentiators.examples import example_case
from gradverify.graph import Case
from gradverify.ops import OPS
from gradverify.verdict import Verdict
from gradverify.verify import judge


def right(function: Any, point: list[Any]) -> Any:
    return Pulled(function(*point), [np.zeros_like(x) for x in point])


def toy(behave: Callable[[Any, list[Any]], Any] = right, **rows: Any) -> Differentiator:
    """A differentiator that does that, with further rows in its table."""

    class Toy(Differentiator):
        name = "toy"
        table = operators("add mul") | rows

        @mode("gradient")
        def backward(self, function: Any, point: list[Any]) -> Any:
            return behave(function, point)

    return Toy()


def test_derivatives_are_not_judged_here() -> None:
    assert handshake(toy()) == []


@pytest.mark.parametrize(
    ("behave", "parts"),
    [
        (
            lambda f, p: f(p),
            [
                "toy:backward fails on add, mul: Misuse",
                "was given (list); call it as function(*inputs)",
            ],
        ),
        (
            lambda f, p: float(f(*p)),
            ["the mode returned a float", "return Pulled(value, cotangents)"],
        ),
        (lambda f, p: None, ["the mode returned None"]),
        (lambda f, p: Pulled(f(*p), []), ["0 cotangents came back for 2 inputs"]),
        (lambda f, p: Pulled(f(*p), None), ["the cotangents are None; give a list"]),  # type: ignore[arg-type]
        (lambda f, p: [][0], ["IndexError: list index out of range"]),
    ],
)
def test_the_usual_mistakes_have_a_hint_and_one_sentence(
    behave: Any, parts: list[str]
) -> None:
    (problem,) = handshake(toy(behave))
    assert parts
    for part in parts:
        assert part in problem


def test_a_row_with_another_signature_is_shown_how_it_is_called() -> None:
    (problem,) = handshake(toy(sum=lambda x, dim: np.sum(x)))
    assert problem.startswith("toy:backward fails on sum: TypeError")
    assert "table['sum'](x, axis=None, keepdims=False)" in problem


def test_a_name_that_a_mode_lacks_is_told_with_its_line() -> None:
    def misnamed(function: Any, point: list[Any]) -> Any:
        return Pulled(function(*points), [])  # type: ignore[name-defined]  # noqa: F821

    (problem,) = handshake(toy(misnamed))
    line = misnamed.__code__.co_firstlineno + 1
    assert f"name 'points' is not defined (test_handshake.py:{line})" in problem


def test_a_row_that_is_no_op_is_named() -> None:
    (problem,) = handshake(toy(airy=np.exp))
    assert "a row 'airy', which is no op; `gradverify ops` lists them" in problem


def test_a_row_that_is_neither_function_nor_reason_is_named() -> None:
    problem = handshake(toy(exp=3.0))[0]
    assert "toy: the row 'exp' is 3.0; allowed are a function, or a string" in problem


def test_an_absent_op_is_no_problem() -> None:
    assert handshake(toy(exp="no exponential")) == []


def test_a_class_without_a_mode_is_told_to_have_one() -> None:
    class Modeless(Differentiator):
        name = "modeless"
        table = operators("add")

    (problem,) = handshake(Modeless())
    assert "modeless has no mode: decorate a method with @mode" in problem


def test_many_ops_that_fail_alike_are_counted() -> None:
    (problem,) = handshake(toy(lambda f, p: None, exp=np.exp, sin=np.sin))
    assert "fails on exp, sin, add and 1 more ops" in problem


def not_there(*x: Any) -> Any:
    raise NotImplementedError("no Bessel functions in this build")


def test_an_op_that_fails_takes_out_itself_alone() -> None:
    found = greeting(toy(sin=lambda x, y: x, exp=np.exp, erf=not_there))
    assert found.problems == []
    assert [*found.ops] == ["sin"]
    assert "toy:backward fails on sin: TypeError" in found.ops["sin"]
    assert found.unsupported["erf"].startswith("it raises NotImplementedError: no B")


def test_what_all_ops_fail_with_is_wrong_with_the_engine() -> None:
    found = greeting(toy(lambda f, p: None, exp=np.exp))
    assert len(found.problems) == 1
    assert found.ops == {}


def test_acosh_is_tried_inside_its_domain() -> None:
    def acosh(x: Any) -> Any:
        if np.any(x <= 1):
            raise ValueError("outside the domain")
        return np.arccosh(x)

    assert handshake(toy(acosh=acosh)) == []


def test_another_default_is_found_out() -> None:
    (problem,) = handshake(toy(leaky_relu=lambda x: np.maximum(x, 0.2 * x)))
    assert "where that of leaky_relu, x if x > 0 else 0.01 * x, is" in problem
    assert handshake(toy(leaky_relu=lambda x: np.maximum(x, 0.01 * x))) == []


def test_an_op_that_is_not_implemented_is_no_crash() -> None:
    engine = toy(erf=not_there)
    case = Case(trace(lambda x: SYMBOLS.erf(x) * x, ()), (np.array(0.5),))
    found = judge(case, engine, "backward")
    assert found.verdict is Verdict.UNSUPPORTED
    assert "no Bessel functions" in found.note


def counting(seen: list[list[str]], **rows: Any) -> Differentiator:
    """An engine that compiles, and notes which graphs it was given."""

    def behave(function: Any, point: list[Any]) -> Any:
        seen.append(list(function.graph.ops))
        return right(function, point)

    engine = toy(behave, **rows)
    engine.compiles = True  # type: ignore[misc]
    return engine


def test_an_engine_that_compiles_is_given_all_ops_at_once() -> None:
    seen: list[list[str]] = []
    assert not handshake(counting(seen, exp=np.exp, sin=np.sin))
    assert len(seen) == 1
    assert {"add", "mul", "exp", "sin"} <= set(seen[0])


def test_and_op_by_op_where_that_fails() -> None:
    seen: list[list[str]] = []
    (problem,) = handshake(counting(seen, exp=np.exp, sin=lambda x, y: x))
    assert "fails on sin: TypeError" in problem
    assert len(seen) == 1 + 4


@pytest.mark.parametrize("op", OPS.public())
def test_every_op_has_an_example(op: str) -> None:
    case = example_case(OPS[op], "float64")
    assert op in case.graph.ops
