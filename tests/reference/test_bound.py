"""The computed bound against the real errors of right engines."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.compare import compare
from gradverify.differentiators import Derivatives, load, run
from gradverify.graph import Case
from gradverify.reference import reference
from gradverify.verdict import Judgement, Verdict

ENGINES = {"own-dual": "forward", "own-tape": "reverse", "autograd": "reverse", "torch-cpu": "reverse"}  # fmt: skip


def judgements(case: Case) -> Iterator[tuple[str, Judgement]]:
    found = reference(case)
    for name, mode in ENGINES.items():
        yield name, compare(case, found, run(load(name), mode, case))


def case(function: Callable[..., Any], *point: Any) -> Case:
    arrays = tuple(np.asarray(x, np.float64) for x in point)
    return Case(trace(function, *(x.shape for x in arrays)), arrays)


def fan_out(count: int) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        total = 0.1 * x
        for k in range(1, count):
            total = total + (0.1 * k) * s.sin(x)
        return total

    return function


def chain(length: int) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        for k in range(length):
            x = s.sin(x) * 1.1 if k % 3 else s.cos(x) + x
        return x

    return function


def softmax(x: Any) -> Any:
    e = s.exp(x - s.logsumexp(x, axis=(1,), keepdims=True))
    return s.sum(e * e, axis=None)


def two_layers(x: Any, w: Any, v: Any) -> Any:
    return s.mean(s.tanh(x @ w) @ v, axis=None)


RNG = np.random.default_rng(20)
# fmt: off
SHAPES: list[tuple[str, Callable[..., Any], tuple[Any, ...]]] = [
    ("a sum of 1000 products",  lambda x, y: s.sum(x * y, axis=None),   (RNG.normal(size=1000), RNG.normal(size=1000))),
    ("a product of sums",       lambda x: s.sum(x, axis=None) * s.sum(x * x, axis=None), (RNG.normal(size=500),)),
    ("a mean that cancels",     lambda x: s.mean(x, axis=None) ** 3,    (np.concatenate([RNG.normal(size=200), -RNG.normal(size=200)]),)),
    ("a fan-out of 60",         fan_out(60),                            (0.7,)),
    ("a chain of 60",           chain(60),                              (0.3,)),
    ("a softmax",               softmax,                                (RNG.normal(size=(4, 8)),)),
    ("a peaked softmax",        softmax,                                (100 * np.eye(4, 8) + RNG.normal(size=(4, 8)),)),
    ("a shifted softmax",       softmax,                                (1e4 + RNG.normal(size=(4, 8)),)),
    ("two layers",              two_layers,                             (RNG.normal(size=(5, 7)), RNG.normal(size=(7, 6)), RNG.normal(size=6))),
    ("sums that nearly cancel", lambda a, b: s.log((a - b) * (a + b)),  (1.0000001, 1.0)),
    ("a saturated tanh",        lambda x: s.tanh(x) * x,                (18.0,)),
    ("a tiny gradient",         lambda x: 1e-9 * s.sin(x) * s.exp(-x),  (2.0,)),
    ("a huge gradient",         lambda x: 1e9 * s.sin(x) * s.exp(x),    (20.0,)),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "point"), [r[1:] for r in SHAPES], ids=[r[0] for r in SHAPES]
)
def test_a_right_engine_stays_inside_the_bound(
    function: Callable[..., Any], point: tuple[Any, ...]
) -> None:
    found = list(judgements(case(function, *point)))
    assert found
    for name, judgement in found:
        assert not judgement.verdict.fails(), (name, judgement)


@pytest.mark.parametrize(
    ("function", "point"), [r[1:] for r in SHAPES], ids=[r[0] for r in SHAPES]
)
def test_an_error_of_a_millionth_is_outside_the_bound(
    function: Callable[..., Any], point: tuple[Any, ...]
) -> None:
    """The bound is not only wide: the same cases show a fault of 1e-6."""
    planted = case(function, *point)
    found = reference(planted)
    gradient = tuple(g.astype(float) * (1 + 1e-6) for g in found.gradient)
    given = Derivatives(value=np.float64(float(found.value)), cotangents=gradient)
    assert compare(planted, found, given).verdict is Verdict.WRONG


@pytest.mark.slow
def test_random_scalar_graphs_stay_inside_the_bound() -> None:
    """Hundreds of seeded polynomials and compositions, four engines each."""
    draw = np.random.default_rng(7)
    unary = [s.sin, s.cos, s.tanh, s.sigmoid, s.softplus, s.exp, lambda x: x * x]
    worst = 0.0
    for _ in range(150):
        choices = draw.integers(0, len(unary), 4)
        scale = float(np.round(draw.normal(), 3))

        def function(a: Any, b: Any, choices: Any = choices, k: float = scale) -> Any:
            u, v = unary[choices[0]](a) * k, unary[choices[1]](b) - a
            return unary[choices[2]](u * v) + unary[choices[3]](u) / (2.0 + v * v)

        point = np.round(draw.normal(size=2), 4)
        for name, judgement in judgements(case(function, *point)):
            assert not judgement.verdict.fails(), (name, judgement)
            worst = max(worst, judgement.bound_ratio or 0.0)
    assert worst > 0.0


@pytest.mark.parametrize("waves", [s.j0, s.y1, s.sin], ids=["j0", "y1", "sin"])
def test_a_slack_does_not_undo_the_rounding_of_its_operand(waves: Any) -> None:
    """A square of 1e30 is off by far more than a wave is long: any phase is right."""
    planted = case(lambda a: waves(a * a), 1e15)
    (bound,) = reference(planted).bounds
    # whatever its phase, a wave times the inner slope is not larger than this
    wave = np.float64(1.0 if waves is s.sin else 8e-16)
    assert bound.loose >= 2e15 * wave
