"""At edges one-sided slopes are right, NaN is a finding, and other rows are judged."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.compare import compare
from gradverify.compare.at_edges import nearest
from gradverify.differentiators import Derivatives, load, modes
from gradverify.graph import Case
from gradverify.reference import Slope, reference
from gradverify.verdict import Verdict
from gradverify.verify import judge

INF, NAN = math.inf, math.nan
WRONG, NONFINITE = Verdict.WRONG, Verdict.NONFINITE
RIGHT, AGREES = Verdict.KINK_CONVENTION, Verdict.AGREES
ROWS = [[0.0, 0.0], [3.0, 4.0]]


def total(x: Any) -> Any:
    return s.sum(x, axis=None)


def norm(x: Any) -> Any:
    return s.norm(x, axis=None)


def norms(x: Any) -> Any:
    return total(s.norm(x, axis=(-1,)) * np.array([2.0, 5.0]))


def deviations(x: Any) -> Any:
    return total(s.std(x, axis=(1,), ddof=1) * np.array([2.0, 4.0]))


def deviation(x: Any) -> Any:
    return s.std(x, axis=None, ddof=0)


def roots(x: Any) -> Any:
    return total(s.sqrt(x) * np.array([1.0, -2.0, 0.5]))


def judged(function: Callable[..., Any], point: Any, gradient: Any) -> Verdict:
    arrays = tuple(np.asarray(x, float) for x in point)
    case = Case(trace(function, *(x.shape for x in arrays)), arrays)
    found = reference(case)
    given = tuple(np.asarray(g, float) for g in gradient)
    return compare(case, found, Derivatives(float(found.value), given)).verdict


# fmt: off
AT_EDGES: list[tuple[str, Callable[..., Any], Any, Any, Verdict]] = [
    ("zeros for a norm of zeros",      norm,       ([0.0, 0.0],),     ([0.0, 0.0],),      RIGHT),
    ("a unit vector for it",           norm,       ([0.0, 0.0],),     ([0.6, -0.8],),     RIGHT),
    ("ones for it",                    norm,       ([0.0, 0.0],),     ([1.0, 1.0],),      WRONG),
    ("a little too long for it",       norm,       ([0.0, 0.0],),     ([1.0001, 0.0],),   WRONG),
    ("NaN for it",                     norm,       ([0.0, 0.0],),     ([NAN, 0.0],),      NONFINITE),
    ("a null row beside another",      norms,      (ROWS,),           ([[1.0, -1.0], [3.0, 4.0]],), RIGHT),
    ("a NaN that leaks",               norms,      (ROWS,),           ([[0.0, 0.0], [3.0, NAN]],),  NONFINITE),
    ("a wrong row beside a null one",  norms,      (ROWS,),           ([[0.0, 0.0], [3.0, 4.1]],),  WRONG),
    ("too long in the null row",       norms,      (ROWS,),           ([[2.0, 1.0], [3.0, 4.0]],),  WRONG),
    ("the square of a norm",           lambda x: norm(x) * norm(x),   ([0.0, 0.0],), ([0.0, 0.0],), AGREES),
    ("NaN for the square of a norm",   lambda x: norm(x) * norm(x),   ([0.0, 0.0],), ([NAN, NAN],), NONFINITE),
    ("one for the square of a norm",   lambda x: norm(x) * norm(x),   ([0.0, 0.0],), ([1.0, 0.0],), WRONG),
    ("a norm beside another term",     lambda x: norm(x) + total(x),  ([0.0, 0.0],), ([1.6, 0.2],), RIGHT),
    ("that norm, and no other term",   lambda x: norm(x) + total(x),  ([0.0, 0.0],), ([-0.1, 0.0],), WRONG),
    ("equal numbers",                  deviations, ([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]],), ([[0.0, 0.0, 0.0], [-2.0, 0.0, 2.0]],), RIGHT),
    ("a slope whose sum is not 0",     deviations, ([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]],), ([[0.5, 0.5, 0.5], [-2.0, 0.0, 2.0]],), WRONG),
    ("equal numbers of a rounded mean", deviation, ([0.1, 0.1, 0.1],), ([-1 / 3, -1 / 3, -1 / 3],), RIGHT),
    ("a little too long for them",     deviation,  ([0.1, 0.1, 0.1],), ([-0.334, -0.334, -0.334],), WRONG),
    ("a shift of those of an exact one", deviation, ([0.5, 0.5, 0.5],), ([-1 / 3, -1 / 3, -1 / 3],), WRONG),
    ("hypot of zeros",                 s.hypot,    (0.0, 0.0),        (0.6, 0.8),         RIGHT),
    ("hypot of zeros, one each",       s.hypot,    (0.0, 0.0),        (1.0, 1.0),         WRONG),
    ("two norms, a slope each",        lambda x, y: norm(x) + norm(y), ([0.0, 0.0], [0.0, 0.0]), ([1.0, 0.0], [0.0, -1.0]), RIGHT),
    ("two norms, one slope too long",  lambda x, y: norm(x) + norm(y), ([0.0, 0.0], [0.0, 0.0]), ([1.1, 0.0], [0.0, 0.0]), WRONG),
    ("a norm twice, two unit vectors", lambda x: norm(x) + norm(x),   ([0.0, 0.0],), ([2.0, 0.0],), RIGHT),
    ("a norm twice, more than that",   lambda x: norm(x) + norm(x),   ([0.0, 0.0],), ([2.1, 0.0],), WRONG),
    ("infinity for a float power of 0", lambda x: total(s.float_power(x, n=0.25)), ([0.0, 16.0],), ([INF, 0.03125],), RIGHT),
    ("minus infinity for that power",  lambda x: total(s.float_power(x, n=0.25)), ([0.0, 16.0],), ([-INF, 0.03125],), WRONG),
    ("a root beside hypot",            lambda x, y: s.sqrt(x) + s.hypot(x, y), (0.0, 0.0), (-0.5, 0.0), RIGHT),
    ("less than a root and hypot",     lambda x, y: s.sqrt(x) + s.hypot(x, y), (0.0, 0.0), (-1.5, 0.0), WRONG),
    ("a root without hypot",           lambda x, y: s.sqrt(x) - s.hypot(x, y), (0.0, 0.0), (INF, 0.0), RIGHT),
    ("less than that may be",          lambda x, y: s.sqrt(x) - s.hypot(x, y), (0.0, 0.0), (-5.0, 0.0), WRONG),
    ("minus infinity for that",        lambda x, y: s.sqrt(x) - s.hypot(x, y), (0.0, 0.0), (-INF, 0.0), WRONG),
    ("infinities for roots of 0",      roots,      ([0.0, 0.0, 4.0],), ([INF, -INF, 0.125],), RIGHT),
    ("zeros for roots of 0",           roots,      ([0.0, 0.0, 4.0],), ([0.0, 0.0, 0.125],), RIGHT),
    ("NaN for a root of 0",            roots,      ([0.0, 0.0, 4.0],), ([NAN, 0.0, 0.125],), RIGHT),
    ("infinity of the wrong sign",     roots,      ([0.0, 0.0, 4.0],), ([INF, INF, 0.125],), WRONG),
    ("a number of the wrong sign",     roots,      ([0.0, 0.0, 4.0],), ([-1.0, 0.0, 0.125],), WRONG),
    ("NaN beside a root of 0",         roots,      ([0.0, 0.0, 4.0],), ([INF, -INF, NAN],), NONFINITE),
    ("x times its root",               lambda x: x * s.sqrt(x),       (0.0,), (0.0,),     AGREES),
    ("NaN for x times its root",       lambda x: x * s.sqrt(x),       (0.0,), (NAN,),     NONFINITE),
    ("a whole power of a negative",    lambda x: x**2.0 * 1.0,        (-2.0,), (-4.0,),   AGREES),
    ("0 to the 2.0",                   s.pow,      (0.0, 2.0),        (0.0, 0.0),         AGREES),
    ("0 to the 1.0",                   s.pow,      (0.0, 1.0),        (1.0, 0.0),         AGREES),
    ("a kink and a jump together",     lambda x: total(s.renorm(x, p=3.0, axis=(0,), most=1.0)), ([[0.0, 1.0]],), ([[0.0, 0.0]],), Verdict.NO_DERIVATIVE),
    ("the number 0 to a power",        lambda x: 0.0**x,              (0.5,), (0.0,),     AGREES),
    ("a slope for that",               lambda x: 0.0**x,              (0.5,), (1.0,),     WRONG),
    ("NaN by the exponent",            s.pow,      (0.0, 2.0),        (0.0, NAN),         NONFINITE),
    ("a root by a power",              lambda x: s.power(x, n=0.5),   (0.0,), (INF,),     RIGHT),
    ("a fraction above 1",             lambda x: s.power(x, n=1.5),   (0.0,), (0.0,),     AGREES),
]
# fmt: on


@pytest.mark.parametrize(
    ("function", "point", "gradient", "verdict"),
    [row[1:] for row in AT_EDGES],
    ids=[row[0] for row in AT_EDGES],
)
def test_what_passes_at_an_edge(
    function: Callable[..., Any], point: Any, gradient: Any, verdict: Verdict
) -> None:
    assert judged(function, point, gradient) is verdict


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("engine", ["own-dual", "own-tape", "autograd", "torch-cpu"])
@pytest.mark.parametrize(
    "x", [[0.1] * 3, [7.21] * 6, [0.3] * 7, [1e30 / 2**60] * 3, [[0.1] * 3, [1, 2, 4]]]
)
def test_equal_numbers_of_a_rounded_mean_deviate_by_its_rounding(
    x: Any, engine: str, dtype: str
) -> None:
    who = load(engine)
    if who.available() is not None:
        pytest.skip("not installed")
    points = np.asarray(x, dtype)
    case = Case(
        trace(lambda a: total(s.std(a, axis=(-1,), ddof=0)), points.shape),
        (points,),
        dtype,
    )
    verdict = judge(case, who, modes(who)[0]).verdict
    assert verdict is RIGHT or (engine, verdict) == ("autograd", NONFINITE)


def test_a_value_beyond_the_rounding_of_a_mean_is_wrong() -> None:
    point = np.full(3, 0.1)
    case = Case(trace(deviation, point.shape), (point,))
    found, zeros = reference(case), (np.zeros(3),)
    roundings = [0.0, 1.4e-17, 1e-15]
    verdicts = [compare(case, found, Derivatives(v, zeros)).verdict for v in roundings]
    assert verdicts == [RIGHT, RIGHT, Verdict.WRONG_VALUE]


def test_a_size_to_the_1_5_at_0_has_its_gradient() -> None:
    """Each branch of it is no number on one side."""

    def distances(x: Any) -> Any:
        return total(s.cdist(x, np.array([[1.0, 0.0], [0.0, 1.0]]), p=1.5))

    found = reference(Case(trace(distances, (1, 2)), (np.array([[4.0, 0.0]]),)))
    assert found.status is Slope.SMOOTH
    assert [float(x) for x in found.gradient[0].ravel()] == [
        1.9614997135382723, -0.48074985676913613,
    ]  # fmt: skip


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, RIGHT), (1.5, WRONG)])
def test_beside_a_root_rounding_explains_what_it_may(
    factor: float, verdict: Verdict
) -> None:
    # In float32 the difference of two exponentials has lost four digits.
    def function(x: Any, w: Any, z: Any) -> Any:
        return s.sqrt(x) + (s.exp(w) - s.exp(z)) * x

    w, z = np.float32(4.9999), np.float32(5.0)
    point = (np.float32(0.0), w, z)
    case = Case(trace(function, (), (), ()), tuple(map(np.asarray, point)), "float32")
    found = reference(case)
    slope = np.exp(w, dtype=np.float32) - np.exp(z, dtype=np.float32)
    given = (np.float32(factor * slope), np.float32(0.0), np.float32(0.0))
    told = Derivatives(float(found.value), tuple(map(np.asarray, given)))
    assert compare(case, found, told).verdict is verdict


def test_a_root_that_is_a_kink_is_not_taken_for_smooth() -> None:
    """sqrt(x*x) has both slopes at 0, which no replacement of the root would say."""
    case = Case(trace(lambda x: s.sqrt(x * x), ()), (np.array(0.0),))
    assert reference(case).status is Slope.NONE


def test_a_square_below_all_floats_is_no_zero() -> None:
    case = Case(trace(lambda x: s.sqrt(x * x), ()), (np.array(1e-200),))
    found = reference(case)
    assert found.status is Slope.SMOOTH
    assert abs(found.gradient[0].item() - 1) < 1e-18


def test_what_only_some_formulas_overflow_at_is_judged() -> None:
    """asinh(exp(400)) has slope 1, and a norm of 1e30 in float32 one of 0.7."""
    steep = Case(trace(lambda x: s.asinh(s.exp(x)), ()), (np.array(400.0),))
    found = reference(steep)
    value = float(found.value)
    assert compare(steep, found, Derivatives(value, (np.array(1.0),))).verdict is AGREES
    assert compare(steep, found, Derivatives(value, (np.array(0.0),))).verdict is WRONG
    point = (np.array([1e30, 1e30], np.float32),)
    large = Case(trace(norm, (2,)), point, "float32")
    found = reference(large)
    value, half = np.float32(found.value), np.full(2, 0.5**0.5, np.float32)
    assert compare(large, found, Derivatives(value, (half,))).verdict is AGREES
    assert compare(large, found, Derivatives(value, (0 * half,))).verdict is WRONG


@pytest.mark.parametrize(
    ("function", "x", "sentence"),
    [
        (
            lambda x: s.log(s.exp(x) * s.exp(x)),
            400.0,
            "an intermediate of mul overflows",
        ),
        (lambda x: s.log((x + 1e16) - 1e16), 0.4, "digits cancel or underflow"),
    ],
)
def test_an_excuse_says_what_happened(
    function: Callable[..., Any], x: float, sentence: str
) -> None:
    case = Case(trace(function, ()), (np.array(x),))
    found = reference(case)
    assert sentence in found.unbounded


@pytest.mark.parametrize(("op", "x"), [("digamma", -0.3), ("lgamma", -2.75)])
def test_gamma_left_of_zero_is_what_mpmath_says(op: str, x: float) -> None:
    case = Case(trace(getattr(s, op), ()), (np.array(x),))
    found = reference(case)
    with mp.workdps(40):
        order = {"lgamma": 0, "digamma": 1}[op]
        exact = mp.psi(order, mp.mpf(x))
        assert abs(found.gradient[0].item() - exact) < abs(exact) * mp.mpf(10) ** -18


def test_slopes_of_two_balls_are_found_together() -> None:
    draw = np.random.default_rng(4)
    groups = np.array([1, 1, 2, 2, 2])
    slopes = draw.normal(size=(3, 5))
    inside = draw.normal(size=5)
    for group in (1, 2):
        members = groups == group
        inside[members] *= 0.9 / np.linalg.norm(inside[members])
    found = nearest(slopes, groups, slopes @ inside)
    assert np.allclose(slopes @ found, slopes @ inside, atol=1e-7)
    assert all(np.linalg.norm(found[groups == g]) <= 1 + 1e-9 for g in (1, 2))
