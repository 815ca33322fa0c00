"""Hessians times tangents and tangents of arrays, against differences of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.graph import Case, interpret
from gradverify.questions import HESSIAN, JACOBIAN, JVP, SECOND, tangents_of
from gradverify.reference import Slope, reference
from gradverify.reference.gradient_program import expand
from gradverify.verdict import Verdict

X = np.array([0.7, -1.3, 2.1])
POSITIVE = np.array([0.7, 1.3, 2.1])
PAIR = (X, np.array([0.7, 0.4, -0.9]))

SMOOTH: dict[str, tuple[Callable[..., Any], tuple[np.ndarray, ...]]] = {
    "exp": (lambda x: s.sum(s.exp(x)), (X,)),
    "tanh": (lambda x: s.sum(s.tanh(x)), (X,)),
    "softmax": (lambda x: s.sum(s.softmax(x, axis=(0,)) * np.arange(3.0)), (X,)),
    "logsumexp": (lambda x: s.logsumexp(x, axis=None), (X,)),
    "std": (lambda x: s.std(x, axis=None, ddof=0), (X,)),
    "var": (lambda x: s.var(x, axis=None, ddof=1) ** 2, (X,)),
    "norm": (lambda x: s.norm(x, axis=None), (X,)),
    "hypot of equals": (lambda x, y: s.sum(s.hypot(x, y)), PAIR),
    "logaddexp of equals": (lambda x, y: s.sum(s.logaddexp(x, y)), PAIR),
    "prod": (lambda x: s.prod(x, axis=None), (X,)),
    "prod of two zeros": (
        lambda x: s.prod(x, axis=None),
        (np.array([0.0, 2.0, 0.0]),),
    ),
    "pow": (lambda x, y: s.sum(x**y), (POSITIVE, PAIR[1])),
    "relu beside its kink": (lambda x: s.sum(s.relu(x) * s.exp(x)), (X,)),
    "an input used twice": (lambda x, y: s.sum(x * s.sin(x * y)), PAIR),
}


def moved(case: Case, steps: list[tuple[Any, tuple[Any, ...]]]) -> Any:
    """The function in mpmath, with the point moved by multiples of directions."""
    point = [MULTIPRECISION.lift(x) for x in case.point]
    for h, direction in steps:
        point = [
            x if v is None else x + h * MULTIPRECISION.lift(v)
            for x, v in zip(point, direction, strict=True)
        ]
    graph = expand(case.graph, case.dtype).graph
    return interpret(graph, MULTIPRECISION.table, point)


def second_difference(case: Case, u: tuple[Any, ...], v: tuple[Any, ...]) -> Any:
    """Of the function itself along two directions, to about 25 digits."""
    with mp.workprec(600):
        h = mpf(2) ** -100
        corners = [
            moved(case, [(a * h, u), (b * h, v)]) * a * b
            for a in (1, -1)
            for b in (1, -1)
        ]
        return sum(corners, mpf(0)) / (4 * h * h)


def unit(case: Case, k: int, place: tuple[int, ...]) -> tuple[Any, ...]:
    direction = [np.zeros(x.shape) for x in case.point]
    direction[k][place] = 1.0
    return tuple(direction)


@pytest.mark.parametrize("name", [*SMOOTH])
def test_the_second_derivative_is_that_of_the_function(name: str) -> None:
    function, point = SMOOTH[name]
    case = Case(trace(function, *(x.shape for x in point)), point)
    found = reference(case, question=SECOND)
    assert found.status is Slope.SMOOTH, found.note
    assert found.value == reference(case).value
    tangents = tangents_of(case.graph, case.dtype)
    for k, x in enumerate(point):
        for place in np.ndindex(x.shape):
            exact = second_difference(case, unit(case, k, place), tangents)
            got = found.gradient[k][place]
            assert abs(got - exact) <= 1e-18 * max(1, abs(exact)), (k, place)
            assert 0 <= found.bounds[k].tight[place] < 1e-10


@pytest.mark.parametrize("name", [*SMOOTH])
def test_a_row_of_the_hessian_is_a_product_with_a_unit(name: str) -> None:
    function, point = SMOOTH[name]
    case = Case(trace(function, *(x.shape for x in point)), point)
    found = reference(case, question=HESSIAN)
    assert found.status is Slope.SMOOTH, found.note
    rows = HESSIAN.rows(case)
    assert 3 <= len(rows) <= 4
    starts = np.cumsum([0, *(x.size for x in point)])
    for r, row in enumerate(rows):
        i = int(np.searchsorted(starts, row, side="right")) - 1
        own = unit(case, i, (row - int(starts[i]),))
        for j, x in enumerate(point):
            for place in np.ndindex(x.shape):
                exact = second_difference(case, own, unit(case, j, place))
                assert abs(found.gradient[j][(r, *place)] - exact) <= 1e-18 * max(
                    1, abs(exact)
                )


ARRAYS: dict[str, Callable[..., Any]] = {
    "elementwise": lambda x, y: s.sum(s.sin(x) * s.exp(y)),
    "softmax": lambda x, y: s.sum(s.softmax(x * y, axis=(0,)) * np.arange(3.0)),
    "cumsum": lambda x, y: s.sum(s.cumsum(x * y, axis=(0,)) * np.arange(3.0)),
    "concatenate": lambda x, y: s.sum(s.concatenate(x, y * y, axis=(0,))),
    "outer": lambda x, y: s.sum(
        s.matmul(s.reshape(x, shape=(3, 1)), s.reshape(y, shape=(1, 3)))
    ),
    "broadcast": lambda x, y: s.sum(
        s.reshape(x, shape=(3, 1)) + s.broadcast_to(y, shape=(2, 3, 3))
    ),
    "std": lambda x, y: s.std(x, axis=None, ddof=0) * s.norm(y, axis=None),
}


@pytest.mark.parametrize("name", [*ARRAYS])
def test_the_tangent_of_an_array_is_its_directional_derivative(name: str) -> None:
    from gradverify.questions import contracted, up_to

    case = Case(trace(ARRAYS[name], (3,), (3,)), PAIR)
    found = reference(case, question=JVP)
    assert found.status is Slope.SMOOTH, found.note
    array = up_to(case.graph, contracted(case.graph).node)
    tangents = tangents_of(case.graph, case.dtype)
    with mp.workprec(600):
        h = mpf(2) ** -120
        ends = []
        for side in (1, -1):
            point = [
                MULTIPRECISION.lift(x) + (0 if v is None else side * h * v)
                for x, v in zip(case.point, tangents, strict=True)
            ]
            graph = expand(array).graph if array.output.shape == () else None
            ends.append(_array(array, point, graph))
        exact = (ends[0] - ends[1]) / (2 * h)
    (got,) = found.gradient
    assert np.shape(got) == np.shape(exact)
    for place in np.ndindex(np.shape(got)):
        wanted = np.asarray(exact, object)[place]
        assert abs(got[place] - wanted) <= 1e-18 * max(1, abs(wanted))
        assert 0 <= found.bounds[0].tight[place] < 1e-9


def _array(array: Any, point: list[Any], graph: Any) -> Any:
    return interpret(graph or expand(array).graph, MULTIPRECISION.table, point)


def test_a_row_of_the_jacobian_is_the_gradient_of_an_entry() -> None:
    case = Case(trace(ARRAYS["softmax"], (3,), (3,)), PAIR)
    found = reference(case, question=JACOBIAN)
    assert found.status is Slope.SMOOTH, found.note
    assert JACOBIAN.rows(case) == (0, 1, 2)
    x, y = PAIR
    p = np.exp(x * y) / np.exp(x * y).sum()
    exact = (np.diag(p) - np.outer(p, p)) * y
    np.testing.assert_allclose(found.gradient[0].astype(float), exact, rtol=1e-13)


@pytest.mark.parametrize(
    ("function", "point", "text"),
    [
        (lambda x: s.sum(s.relu(x)), [0.0, 1.0, 2.0], "at a kink"),
        (lambda x: s.sum(s.abs(x) * x), [0.0, 1.0, 2.0], "at a kink"),
        (lambda x: s.sum(s.elu(x)), [0.0, 1.0, 2.0], "two second derivatives"),
        (lambda x: s.norm(x, axis=None), [0.0, 0.0, 0.0], "at an edge"),
    ],
)
def test_where_there_is_no_second_derivative_none_is_judged(
    function: Any, point: list[float], text: str
) -> None:
    case = Case(trace(function, (3,)), (np.array(point),))
    found = reference(case, question=SECOND)
    assert found.status is Slope.NONE
    assert text in found.note


def test_what_is_linear_has_a_second_derivative_of_zero() -> None:
    case = Case(trace(lambda x: s.sum(2.0 * x), (3,)), (X,))
    found = reference(case, question=SECOND)
    assert found.status is Slope.SMOOTH
    assert not np.any(found.gradient[0])


def test_a_sign_that_is_x_over_its_size_may_leave_a_rounding() -> None:
    case = Case(trace(lambda x: s.sum(s.abs(x)), (3,)), (X,))
    found = reference(case, question=SECOND)
    assert found.status is Slope.SMOOTH
    assert not np.any(found.gradient[0])
    assert np.all(found.bounds[0].tight < 1e-300)
    (tangent,) = tangents_of(case.graph, case.dtype)
    assert tangent is not None
    v = np.abs(tangent)
    room = found.bounds[0].loose / (v / np.abs(X) * 2.0**-53)
    assert np.all((room[v > 0] >= 1) & (room[v > 0] <= 16))


def test_what_goes_back_to_a_zero_of_a_factor_is_rounded_again() -> None:
    """A tangent of R is a product of matrices also where it is 0."""

    def weighed(a: Any, b: Any) -> Any:
        return s.sum(s.qr(a, part="r") * b)

    a, b = np.array([[0.5, 9.0], [3.0, 12.0]]), np.array([[1.5, -0.7], [2.5, 1.1]])
    case = Case(trace(weighed, (2, 2), (2, 2)), (a, b))
    found = reference(case, question=SECOND)
    assert found.gradient[1][1, 0] == 0
    tight = found.bounds[1].tight
    assert 0.01 * tight[0, 0] < tight[1, 0] <= tight[1, 1]


@pytest.mark.parametrize("x", [0.5, 30.0])
def test_the_slope_of_a_first_entry_is_a_rounded_exponential(x: float) -> None:
    """The Hessian of logcumsumexp of one number is 0, but for a rounding of it."""
    from gradverify.differentiators import load
    from gradverify.verify import judge

    case = Case(trace(lambda x: s.sum(s.logcumsumexp(x, axis=(0,))), (1,)),
                (np.array([x]),))  # fmt: skip
    found = reference(case, question=SECOND)
    judged = judge(case, load("torch-cpu"), "reverse-over-reverse", found=found)
    assert judged.verdict in (Verdict.IMPRECISE, Verdict.AGREES)
    (loose,) = np.ravel(found.loose[0])
    assert 0 < float(loose) < 1e-14 * max(1.0, x)
