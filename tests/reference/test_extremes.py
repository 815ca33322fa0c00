"""Points where every engine overflows, underflows or leaves a domain: nobody is wrong."""

# The rows of the tables are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flint import arb
from mpmath import mp, mpf

from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.compare import compare
from gradverify.differentiators import Derivatives, Differentiator, load, run
from gradverify.graph import Case
from gradverify.questions import JVP, tangents_of
from gradverify.reference import Slope, reference
from gradverify.verdict import Verdict
from gradverify.verify import judge

ENGINES = {
    "own-dual": "forward",
    "own-tape": "reverse",
    "autograd": "reverse",
    "torch-cpu": "reverse",
    "jax": "reverse",
}


def present() -> list[tuple[Differentiator, str]]:
    """The engines that are installed, each with its mode."""
    loaded = ((load(name), mode) for name, mode in ENGINES.items())
    return [(engine, mode) for engine, mode in loaded if engine.available() is None]


def case(function: Callable[..., Any], point: Any, dtype: str = "float64") -> Case:
    array = np.asarray(point, dtype)
    return Case(trace(function, array.shape), (array,), dtype)


def total(x: Any) -> Any:
    return s.sum(x, axis=None)


# fmt: off
EXTREMES = [
    ("a square that underflows",         lambda x: s.sqrt(x * x),                1e-200,                "float64"),
    ("an exponential that underflows",   lambda x: s.log(s.exp(x)),              -800.0,                "float64"),
    ("a sigmoid that underflows",        lambda x: s.log(s.sigmoid(x)),          -800.0,                "float64"),
    ("a quotient of underflows",         lambda x: (x * x) / (x * x),            1e-200,                "float64"),
    ("a root of an underflow",           lambda x: s.sqrt(s.exp(x)),             -800.0,                "float64"),
    ("a float32 softplus tail",          lambda x: s.sqrt(s.softplus(x)),        -111.0,                "float32"),
    ("a float32 power of an underflow",  lambda x: s.pow(x * x, x),              6e-26,                 "float32"),
    ("a sum that overflows in between",  total,                                  [1e308, 1e308, -1e308], "float64"),
    ("a float32 sum that overflows",     total,                                  [3e38, 3e38, -3e38],   "float32"),
    ("a float32 product that overflows", lambda x: x @ (x * np.array([1.0, -1.0])), [1e20, 1e20],        "float32"),
    ("slopes that nearly agree",         lambda x: s.maximum(x, (1 + 2.0**-48) * x), 0.0,               "float64"),
    ("the phase of a huge number",       lambda x: s.sin(s.exp(x)),              100.0,                 "float64"),
    ("a rounded phase in float32",       lambda x: s.sin(x + 100.0),             1e8,                   "float32"),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "point", "dtype"),
    [row[1:] for row in EXTREMES],
    ids=[row[0] for row in EXTREMES],
)
def test_nobody_is_accused(function: Any, point: Any, dtype: str) -> None:
    extreme = case(function, point, dtype)
    found = reference(extreme)
    engines = list(present())
    assert engines
    for engine, mode in engines:
        judgement = compare(extreme, found, run(engine, mode, extreme))
        assert not judgement.verdict.fails(), (engine.name, judgement)
        assert judgement.verdict is not Verdict.UNRESOLVED, judgement


# A norm of numbers whose mean is large beside what is left without it: libraries take
# the mean from x over the deviation, go back through 2*x and 2*mean apart, or have
# mean(x*x) - mean(x)**2 for the variance. What cancels exactly then only nearly does.
# fmt: off
NORMS = [
    (lambda a, b, c: total(s.tanh(s.batch_norm(s.linear(a, a, b), c, c, eps=1e-5))),
     ([[29.24765968322754, 1.0], [30.0, 1.0]], [1.0, 1.0], [1.0, 1.0]), "float32"),
    (lambda a, b, c, d: total(s.tanh(s.batch_norm(s.scaled_dot_product_attention(a, b, d, mask="none"), c, c, eps=1e-5))),
     ([[-2.6], [-1.7]], [[10.3], [7.60313606262207]], [3.0], [[0.38629889488220215], [1.311082124710083]]), "float32"),
    (lambda a, b, c, d: s.huber(s.batch_norm(s.batch_norm(a, b, c, eps=1e-3), d, d, eps=1e-3), a, delta=0.5, reduction="mean"),
     ([[2.0], [1.0]], [-1.0], [2.0], [1.0]), "float32"),
    (lambda a, b, c: s.mse(s.batch_norm(b, c, c, eps=1e-5), a, reduction="mean"),
     ([[4.0], [4.0]], [[26.0], [26.0]], [2.0]), "float64"),
]
# fmt: on


@pytest.mark.parametrize(("function", "point", "dtype"), NORMS)
def test_a_norm_may_take_its_mean_away_in_any_way_but_a_wrong_one(
    function: Any, point: Any, dtype: str
) -> None:
    arrays = tuple(np.asarray(x, dtype) for x in point)
    normed = Case(trace(function, *(x.shape for x in arrays)), arrays, dtype)
    found = reference(normed)
    assert found.status is Slope.SMOOTH
    assert all(np.all(np.isfinite(x)) for x in found.loose)
    for engine, mode in present():
        judgement = compare(normed, found, run(engine, mode, normed))
        assert not judgement.verdict.fails(), (engine.name, judgement)
        assert judgement.verdict is not Verdict.VACUOUS, engine.name
    good = run(load("own-tape"), "reverse", normed)
    wrong = replace(good, cotangents=tuple(1.5 * x for x in good.cotangents))
    assert compare(normed, found, wrong).verdict is Verdict.WRONG


def test_a_wrong_path_beside_sixty_kinks_is_seen() -> None:
    point = (np.zeros(60), np.array(3.0))
    graph = trace(lambda x, y: total(s.relu(x)) + y * y, (60,), ())
    kinked = Case(graph, point)
    found = reference(kinked)
    assert found.status is Slope.KINK
    for slope, verdict in ((6.0, Verdict.KINK_CONVENTION), (6 + 1e-9, Verdict.WRONG)):
        given = Derivatives(value=9.0, cotangents=(np.zeros(60), np.array(slope)))
        assert compare(kinked, found, given).verdict is verdict


@pytest.mark.parametrize("n", [0.1, 1 / 3, 2.7, -0.3, -2.7, 1e-9, 40.1])
@pytest.mark.parametrize("x", [1e-9, 0.5, 3.0, 1e50])
def test_a_power_of_any_exponent_has_an_exact_gradient(n: float, x: float) -> None:
    assert reference(case(lambda t: t**n, x)).status is Slope.SMOOTH


@pytest.mark.parametrize("shapes", [((0,), (0,)), ((2, 0), (0, 3)), ((0, 2), (2, 3))])
def test_empty_products_have_gradients(shapes: Any) -> None:
    graph = trace(lambda a, b: total(a @ b), *shapes)
    empty = Case(graph, tuple(np.ones(shape) for shape in shapes))
    found = reference(empty)
    assert found.status is Slope.SMOOTH
    assert [g.shape for g in found.gradient] == list(shapes)


# fmt: off
OUTSIDE = [
    ("a power of a negative base", lambda x: s.pow(x, x * x),        -2.0),
    ("a root at its edge",         lambda x: s.sqrt(x * x),           0.0),
    ("a quotient 0/0",             lambda x: x * x / x,               0.0),
    ("a logarithm below 0",        s.log,                            -1.0),
    ("a pole",                     lambda x: s.erf(s.tan(s.acos(x))), 0.0),
    ("a tower of exponentials",    lambda x: s.exp(s.exp(s.exp(x))), 30.0),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "x"), [row[1:] for row in OUTSIDE], ids=[row[0] for row in OUTSIDE]
)
def test_points_outside_a_domain_are_not_judged(function: Any, x: float) -> None:
    found = reference(case(function, x))
    assert found.status is Slope.NONE
    assert found.note


# fmt: off
SHORT = [
    ("hypot",                  s.hypot,                                    1e-300,          (0.0, 1.0)),
    ("hypot, subnormal",       s.hypot,                                    5e-324,          (0.0, 1.0)),
    ("hypot, huge",            s.hypot,                                    1e150,           (0.0, 1.0)),
    ("atan2",                  s.atan2,                                    1e-155,          (1e155, 0.0)),
    ("atan2, from its axis",   lambda a, b: s.atan2(b, a),                 1e-155,          (-1e155, 0.0)),
    ("atan2, subnormal",       s.atan2,                                    1e-310,          (np.inf, 0.0)),
    ("over a sum of squares",  lambda a, b: a / (a * a + b * b),           1e-100,          (1e200, 0.0)),
    ("in a quotient",          lambda a, b: a / s.hypot(a, b),             1e-200,          (1e200, 0.0)),
    ("beside a kink",          lambda a, b: s.relu(a) + s.hypot(a, b),     5e-324,          None),
    ("what cancels far away",  lambda a, b: a - s.hypot(a, b),             1e-300,          (1.0, -1.0)),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "b", "slopes"), [r[1:] for r in SHORT], ids=[r[0] for r in SHORT]
)
def test_a_step_from_zero_is_short_enough(function: Any, b: float, slopes: Any) -> None:
    """Beside b even 2**-640 is a long step from the zero in (0, b)."""
    found = reference(Case(trace(function, (), ()), (np.array(0.0), np.array(b))))
    if slopes is None:
        assert found.status is Slope.KINK
    else:
        assert found.status is Slope.SMOOTH
        assert tuple(map(float, found.gradient)) == slopes


@pytest.mark.parametrize("n", [0, 1])
def test_a_power_with_a_constant_slope_has_a_tangent(n: int) -> None:
    found = case(lambda a: s.power(a, n=n), 0.0)
    (tangent,) = tangents_of(found.graph, found.dtype)
    (slope,) = reference(found, question=JVP).gradient
    assert float(slope[()]) == n * float(tangent)


@pytest.mark.parametrize("function", [s.tanh, s.asinh], ids=["tanh", "asinh"])
def test_a_step_along_a_tangent_may_be_below_all_floats(function: Any) -> None:
    """At 5e-324, since the tangents are above 1; the slopes there are 1."""
    found = case(function, 5e-324)
    (tangent,) = tangents_of(found.graph, found.dtype)
    assert tangent is not None
    assert tangent > 1.0
    result = reference(found, question=JVP)
    assert result.status is Slope.SMOOTH
    assert float(result.gradient[0][()]) == tangent


@pytest.mark.parametrize("x", [-1e6 - 0.5, -1e9 - 0.25])
def test_far_to_the_left_digamma_is_reflected(x: float) -> None:
    """Libraries step from there to 0 one by one."""
    found = reference(case(s.digamma, x))
    with mp.workdps(40):
        slope = (mp.pi / mp.sinpi(mpf(x))) ** 2 - mp.psi(1, 1 - mpf(x))
        assert abs(found.gradient[0] - slope) < mpf(10) ** -18 * abs(slope)
    assert reference(case(s.digamma, -1e13)).status is Slope.NONE, "a pole"


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, Verdict.AGREES), (1.0 + 1e-12, Verdict.WRONG)]
)
def test_a_whole_power_of_a_negative_number_is_judged(
    factor: float, verdict: Verdict
) -> None:
    """Its exponent less 1 is no rounded number, and must not be moved as one."""
    found = case(lambda a: s.pow(a, np.array(3.0)), -2.0)
    given = Derivatives(-8.0, (np.array(12.0 * factor),))
    assert compare(found, reference(found), given).verdict is verdict


def test_a_tiny_slope_beside_a_large_one_is_found() -> None:
    """b - c is so small that a step must be: beside the slope 1 nobody would see that
    it is not, nor beside an input that does not flow into the output.
    """

    def function(a: Any, b: Any, c: Any) -> Any:
        return b + s.sigmoid((b - c) * (b - c))

    point = (np.array(4.6), np.array(1e-200), np.array(9.999999999999998e-201))
    found = reference(Case(trace(function, (), (), ()), point))
    assert found.status is Slope.SMOOTH
    slope = 0.5 * float(mpf(float(point[2])) - mpf(float(point[1])))
    assert [float(x) for x in found.gradient] == [0.0, 1.0, slope]


def test_a_value_that_is_missing_or_of_another_dtype_is_told() -> None:
    plain = case(lambda x: x * x, 3.0)
    found = reference(plain)
    slope = (np.array(6.0),)
    for value, verdict in (
        (None, Verdict.MISSING),
        (np.float32(9.0), Verdict.WRONG_DTYPE),
        (np.array([9.0]), Verdict.WRONG_SHAPE),
        (9.0, Verdict.AGREES),
    ):
        given = Derivatives(value=value, cotangents=slope)
        assert compare(plain, found, given).verdict is verdict


def test_a_ball_around_zero_has_powers() -> None:
    power = BALLS.table["power"]
    for n in (1, 2, 3.0):
        assert power(arb(0, 0.5), n=n).contains(arb(0.5) ** int(n))


def test_a_subnormal_number_may_be_flushed_where_first_order_does_not_hold() -> None:
    # an ulp of 1e30 is a long way along the curve, so that balls bound all entries
    graph = trace(lambda x: s.sum(s.log_sigmoid(x)), (2,))
    found = reference(Case(graph, (np.array([710.0, 1e30]),), "float64"))
    exact = float(found.gradient[0][0])
    assert 0 < exact < np.finfo(float).tiny
    assert found.bound[0][0] < exact <= found.loose[0][0]


def test_digamma_beside_its_root_may_lose_digits_and_no_more() -> None:
    """As JAX gives it at this point: seven units of roundoff of 1 off, by mpmath."""
    one = case(s.digamma, 1.4268545042477854)
    found = reference(one)
    (exact,) = found.gradient
    value = float(found.value)
    for units, verdict in ((7, Verdict.IMPRECISE), (100, Verdict.WRONG_VALUE)):
        got = Derivatives(value + units * 2.0**-53, (np.asarray(float(exact)),))
        assert compare(one, found, got).verdict is verdict


@pytest.mark.parametrize(
    ("dtype", "point", "scale"),
    [
        ("float32", (1e20, 1.3e-22, 1.1e-22), 1e30),
        ("float64", (1e200, 1.3e-162, 1.1e-160), 1e300),
    ],
)
def test_a_forward_sweep_may_underflow_where_a_reverse_one_does_not(
    dtype: str, point: tuple[float, ...], scale: float
) -> None:
    """The tangent of a * b * c by a is subnormal: one digit in ten thousand at best."""
    graph = trace(lambda a, b, c: ((a * b) * c) * scale, (), (), ())
    tiny = Case(graph, tuple(np.array(x, dtype) for x in point), dtype)
    assert judge(tiny, load("own-tape"), "reverse").verdict is Verdict.AGREES
    found = judge(tiny, load("own-dual"), "forward")
    assert found.verdict is Verdict.IMPRECISE
    given = reference(tiny)
    exact = float(given.gradient[0])
    assert float(given.bounds[0].tight) < 1e-6 * exact
    assert float(given.bounds[0].loose) < 0.5 * exact
