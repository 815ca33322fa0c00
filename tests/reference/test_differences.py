"""The reference's difference quotients against closed forms, at hostile points."""

# The rows of the tables are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.reference.differences import differences
from gradverify.reference.gradient_program import expand
from gradverify.reference.levels import Slope


def slopes(function: Callable[..., Any], x: float) -> Any:
    """The differences of a function of one number at x, and the step's unit."""
    unit = math.ldexp(1.0, math.frexp(min(abs(x), 1.0))[1] - 1) if x else 1.0
    graph = expand(trace(function, ())).graph
    return differences(graph, [np.array(x)], [np.array([unit])], [0.0]), unit


# fmt: off
CLOSED_FORMS: list[tuple[str, Callable[..., Any], float, Callable[..., Any]]] = [
    ("cancellation of a tiny x",     lambda x: (1.0 + x) - 1.0,               1e-60,  lambda x: mpf(1)),
    ("cancellation, squared",        lambda x: (1.0 + x) * (1.0 + x) - 1.0,   1e-200, lambda x: 2 * (1 + x)),
    ("cancellation against 1e200",   lambda x: x + 1e200 - 1e200,             1.0,    lambda x: mpf(1)),
    ("and a log on top of it",       lambda x: s.log(x + 1e200 - 1e200),      1.0,    lambda x: 1 / x),
    ("left tail of log(1 + exp)",    lambda x: s.log(1.0 + s.exp(x)),         -200.0, lambda x: 1 / (1 + mp.exp(-x))),
    ("further left",                 lambda x: s.log(1.0 + s.exp(x)),         -700.0, lambda x: 1 / (1 + mp.exp(-x))),
    ("softplus in its tail",         s.softplus,                              -300.0, lambda x: 1 / (1 + mp.exp(-x))),
    ("saturated tanh",               s.tanh,                                  300.0,  lambda x: mp.sech(x) ** 2),
    ("saturated logistic function",  lambda x: 1.0 / (1.0 + s.exp(-x)),       400.0,  lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2),
    ("saturated sigmoid",            s.sigmoid,                               -400.0, lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2),
    ("log beside its pole",          s.log,                                   1e-300, lambda x: 1 / x),
    ("reciprocal beside its pole",   lambda x: 1.0 / x,                       1e-30,  lambda x: -1 / x**2),
    ("sqrt beside its edge",         s.sqrt,                                  1e-60,  lambda x: 1 / (2 * mp.sqrt(x))),
    ("a rounded corner from above",  lambda x: s.sqrt(x * x + 1e-60),         0.0,    lambda x: mpf(0)),
    ("a rounded corner at its turn", lambda x: s.sqrt(x * x + 1e-60),         1e-31,  lambda x: x / mp.sqrt(x * x + mpf(1e-60))),
    ("a fast sine at 0",             lambda x: s.sin(1e30 * x),               0.0,    lambda x: mpf(1e30)),
    ("a fast sine at 1",             lambda x: s.sin(1e30 * x),               1.0,    lambda x: mpf(1e30) * mp.cos(mpf(1e30) * x)),
    ("a sine of 1e200",              s.sin,                                   1e200,  mp.cos),
    ("a steep exponential",          lambda x: s.exp(1e15 * (x - 1.0)),       1.0,    lambda x: mpf(1e15)),
    ("exp of exp",                   lambda x: s.exp(s.exp(x)),               6.0,    lambda x: mp.exp(x + mp.exp(x))),
    ("a square at 0",                lambda x: x * x,                         0.0,    lambda x: mpf(0)),
    ("a kink that is flattened",     lambda x: x * x * s.abs(x),              0.0,    lambda x: mpf(0)),
    ("a hair beside a kink",         s.abs,                                   1e-30,  lambda x: mpf(1)),
    ("an ulp beside a kink",         lambda x: s.relu(x - 1.0),               1 + 2.0**-52, lambda x: mpf(1)),
    ("kinks that cancel",            lambda x: s.relu(x) - s.relu(-x),        0.0,    lambda x: mpf(1)),
    ("fast oscillation",             lambda x: x * x * s.sin(1.0 / x),        1e-8,   lambda x: 2 * x * mp.sin(1 / x) - mp.cos(1 / x)),
    ("huge and tiny factors",        lambda x: 1e300 * x * 1e-300,            1.0,    lambda x: mpf(1e300) * mpf(1e-300)),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "x", "closed_form"),
    [row[1:] for row in CLOSED_FORMS],
    ids=[row[0] for row in CLOSED_FORMS],
)
def test_differences_match_the_closed_form(
    function: Callable[..., Any], x: float, closed_form: Callable[..., Any]
) -> None:
    found, unit = slopes(function, x)
    assert found.status is Slope.SMOOTH
    with mp.workprec(4000):
        exact = closed_form(mpf(x))
        assert abs(found.slopes[0] / mpf(unit) - exact) <= mpf(2) ** -58 * abs(exact)


# fmt: off
ROUGH = [
    ("the corner of |x|",              s.abs,                                 0.0, Slope.KINK),
    ("the corner of max(x, 2x)",       lambda x: s.maximum(x, 2.0 * x),       0.0, Slope.KINK),
    ("the vertical tangent of sqrt",   s.sqrt,                                0.0, Slope.NONE),
    ("sqrt(1 - x) at its edge",        lambda x: s.sqrt(1.0 - x),             1.0, Slope.NONE),
    ("x**1.5 at the edge of a domain", lambda x: x**1.5,                      0.0, Slope.ONE_SIDED),
    ("outside the domain of log",      s.log,                                -1.0, Slope.UNRESOLVED),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "x", "status"),
    [row[1:] for row in ROUGH],
    ids=[row[0] for row in ROUGH],
)
def test_points_without_a_derivative_are_told_apart(
    function: Callable[..., Any], x: float, status: Slope
) -> None:
    assert slopes(function, x)[0].status is status


def test_a_kink_cannot_hide_from_the_mixed_direction() -> None:
    graph = expand(trace(lambda a, b, c: s.relu(a - 2.0 * b + c), (), (), ())).graph
    point = [np.array(1.0), np.array(1.0), np.array(1.0)]
    for seed in range(200):
        found = differences(graph, point, list(np.eye(3)), [1e-16] * 3, seed)
        assert found.status is Slope.KINK


def test_the_precision_in_force_is_put_back() -> None:
    before = mp.prec
    slopes(lambda x: s.log(1.0 + s.exp(x)), -700.0)
    assert mp.prec == before
