"""Slopes that a library chooses op by op may compose to no derivative: no fault of it.

But ties that get more than there is to share are one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as S
from gradverify.arithmetic.symbols import trace
from gradverify.autodiff import Tape
from gradverify.autodiff.rules import Rule, rules_of
from gradverify.diagnosis.conventions import is_fold
from gradverify.differentiators import Differentiator, Lowered, Pulled, load, mode
from gradverify.differentiators.own.tape_engine import OwnTape
from gradverify.graph import Array, Case
from gradverify.reference.gradient_program import expand
from gradverify.verdict import Verdict
from gradverify.verify import judge

ALL = {"axis": None, "keepdims": False}
ONE = {"axis": (0,), "keepdims": False}


def split(function: Callable[[Any], Any], x: Any) -> Any:
    """f(x) - f(-x)."""
    return function(x) - function(-x)


def unit(x: Any) -> Any:
    """x within [0, 1]."""
    return S.clip(x, low=0.0, high=1.0)


def case_of(function: Callable[[Any], Any], point: Any) -> Case:
    x = np.array(point, np.float64)
    return Case(trace(function, x.shape), (x,), "float64")


def ends(x: Any) -> Any:
    """The smallest of the sorted entries, and the largest, which are all there is."""
    up, down = (S.sort(x, axis=(0,), descending=way) for way in (False, True))
    first = {"axis": (0,), "start": 0, "stop": 1}
    return S.sum(S.slice(up, **first) + S.slice(down, **first), **ALL)


# PyTorch's max() shares among ties, its max(dim) gives all to one of them.
# fmt: off
COMPOSED = [
    ("largest and smallest",    lambda x: S.max(x, **ONE) + S.min(x, **ONE), [1.0] * 2),
    ("shared, less all to one", lambda x: S.max(x, **ALL) - S.max(x, **ONE), [1.0] * 3),
    ("the same of six",         lambda x: S.max(x, **ALL) - S.max(x, **ONE), [2.0] * 6),
    ("relu of the largest",     lambda x: split(S.relu, S.max(x, **ALL)), [0.0] * 3),
    ("an end of clip",          lambda x: split(unit, x), 0.0),
    ("leaky_relu",              lambda x: split(S.leaky_relu, x), 0.0),
    ("sorted up and down",      ends, [1.0] * 2),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "point"), [row[1:] for row in COMPOSED], ids=[r[0] for r in COMPOSED]
)
def test_conventions_that_compose_are_not_accused(function: Any, point: Any) -> None:
    torch = load("torch-cpu")
    if reason := torch.available():
        pytest.skip(reason)
    found = judge(case_of(function, point), torch, "reverse")
    assert found.verdict is Verdict.KINK_COMPOSITION


def generous(op: str, arity: int) -> tuple[Rule, ...]:
    """The rules, but that each of two ties gets the whole cotangent."""
    if op != "maximum":
        return rules_of(op, arity)
    return (
        lambda m, y, a, b: np.where(a >= b, 1.0, 0.0),
        lambda m, y, a, b: np.where(b >= a, 1.0, 0.0),
    )


class Generous(Differentiator):
    """Our tape over those rules."""

    name = "generous"
    table = Tape(rules=generous).table

    @mode("gradient", default=True)
    def reverse(self, function: Lowered, point: Sequence[Array]) -> Pulled:
        """One sweep from the output."""
        tape = Tape(rules=generous)
        inputs = [tape.variable(x) for x in point]
        output = function(*inputs)
        return Pulled(output.primal, tape.gradient(output, inputs))


def sum_of(op: Any, **params: Any) -> Callable[[Any], Any]:
    """The sum of what an op gives."""
    return lambda x: S.sum(op(x, **params), **ALL)


# fmt: off
TIES = {
    "max":      lambda x: S.max(x, **ALL),
    "min":      lambda x: S.min(x, **ALL),
    "kthvalue": lambda x: S.kthvalue(x, k=1, **ONE),
    "median":   lambda x: S.median(x, **ONE),
    "topk":     sum_of(S.topk, k=1, axis=(0,), largest=True),
}
# fmt: on


@pytest.mark.parametrize("tie", TIES)
def test_ties_that_get_more_than_there_is_are_accused(tie: str) -> None:
    case = case_of(TIES[tie], [1.0, 1.0])
    assert judge(case, OwnTape(), "reverse").verdict is Verdict.KINK_CONVENTION
    found = judge(case, Generous(), "reverse")
    assert found.verdict is Verdict.WRONG
    assert found.got == "(1, 1)"


@pytest.mark.parametrize("op", ["max", "sort", "cummax"])
def test_what_each_entry_reaches_once_is_a_fold(op: str) -> None:
    params = {"descending": False} if op == "sort" else {}
    graph = trace(lambda x: getattr(S, op)(x, axis=(0,), **params), (3,))
    assert is_fold(expand(graph).graph) == (op == "max")
