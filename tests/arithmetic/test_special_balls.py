"""Special functions of balls ask arb again for digits that it lost, and no others."""

from __future__ import annotations

import mpmath
import pytest
from flint import acb, arb, ctx

from gradverify.arithmetic.balls import polygamma_of
from gradverify.arithmetic.special_balls import (
    LOST,
    accurately,
    bessel,
    gamma_orders,
    log_quotient,
)


def asked(x: arb, *answers: arb) -> list[int]:
    """The precisions at which a function with these answers is asked."""
    precisions: list[int] = []

    def function(_: arb) -> arb:
        precisions.append(ctx.prec)
        return answers[min(len(precisions), len(answers)) - 1]

    with ctx.workprec(1000):
        accurately(function)(x)
    return precisions


def test_what_was_lost_is_asked_for_again() -> None:
    lossy, whole = arb(1, 2.0**-300), arb(1)
    first, second = asked(arb(2), lossy, whole)
    assert first == 1000
    assert second > 1000 + 700 - LOST


def test_what_the_width_of_the_operand_costs_is_not_asked_for_twice() -> None:
    wide = arb(2, 2.0**-49)
    assert len(asked(wide, arb(1, 2.0**-20))) == 2
    assert max(asked(wide, arb(1, 2.0**-20))) < 150


@pytest.mark.parametrize("family", ["k", "scaled k", "j", "y"])
@pytest.mark.parametrize("x", [30.0, 300.0, 1e10])
def test_a_wide_operand_of_a_bessel_function_has_its_ball(
    family: str, x: float
) -> None:
    with ctx.workprec(1024):  # at so many bits arb takes ten seconds of a ball
        wide = bessel(arb(x, x * 2.0**-50), family=family, n=1)
    with ctx.workprec(200):
        inside = bessel(arb(x * (1 + 2.0**-51)), family=family, n=1)
    assert wide.contains(inside)
    assert wide.rel_accuracy_bits() > 5


@pytest.mark.parametrize("family", ["k", "scaled k"])
@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize("x", [1e-30, 0.7, 30.0, 700.0, 1e10])
def test_every_order_of_the_second_kind_is_that_of_mpmath(
    x: float, n: int, family: str
) -> None:
    with ctx.workprec(3000):  # at 700 arb alone takes minutes of an order from 1 on
        ball = bessel(arb(x), family=family, n=n)
    assert ball.rel_accuracy_bits() > 3000 - LOST
    with mpmath.workprec(200):
        exact = mpmath.besselk(n, x) * (1 if family == "k" else mpmath.exp(x))
        assert abs(mpmath.mpf(ball.str(60, radius=False)) / exact - 1) < 2.0**-150


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize(
    "x", [1e-300, 0.01, 0.49, 0.51, 0.999, 1.49, 1.51, 30.0, 1e300]
)
def test_a_quotient_of_a_logarithm_is_that_of_arb_and_sharp_everywhere(
    n: int, x: float
) -> None:
    with ctx.workprec(3000):
        found = log_quotient(arb(x), n=n)
    assert found.rel_accuracy_bits() > 3000 - LOST
    if 1e-3 < x < 1e3:  # beyond, arb's series lasts for minutes
        with ctx.workprec(300):
            series = (1 - arb(x)).hypgeom_2f1(1 + n, 1 + n, 2 + n)
            assert found.overlaps((-1) ** n * arb(n).fac() / (n + 1) * series)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("x", [-0.3, -49.75, -50.5, -999.5, -10000.25])
def test_a_polygamma_left_of_0_is_that_of_arb_and_has_its_ball(
    n: int, x: float
) -> None:
    with ctx.workprec(300):
        exact, wide = polygamma_of(arb(x), n), polygamma_of(arb(x, -x * 2.0**-60), n)
        assert exact.overlaps(acb(x).polygamma(n).real)
        assert exact.rel_accuracy_bits() > 300 - LOST
        assert wide.contains(polygamma_of(arb(x * (1 + 2.0**-60)), n))
        assert wide.rel_accuracy_bits() > 10
    with ctx.workprec(9000):  # far to the left arb alone takes minutes
        assert exact.overlaps(polygamma_of(arb(x), n))


@pytest.mark.parametrize("n", [0, 1, 2, 3])
@pytest.mark.parametrize(("a", "x"), [(0.1, 1e-5), (1.5, 2.0), (10.0, 40.0)])
def test_derivatives_of_the_incomplete_gamma_function_are_those_of_mpmath(
    n: int, a: float, x: float
) -> None:
    with ctx.workprec(160), mpmath.workprec(260):
        lower, upper = (
            gamma_orders(arb(a), arb(x), n=n, upper=u) for u in (False, True)
        )
        exact = mpmath.diff(
            lambda s: mpmath.gammainc(s, 0, x, regularized=True), mpmath.mpf(a), n
        )
        assert lower.rel_accuracy_bits() > 100
        assert lower.overlaps(arb(mpmath.nstr(exact, 70)))
        assert (lower + upper).contains(1 if n == 0 else 0)
