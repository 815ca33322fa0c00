"""Special functions of floats are as arb has them, also where SciPy gives up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flint import arb, ctx

from gradverify.arithmetic import special_balls, special_floats

EPS = 2.0**-52
LOST = 100 * EPS  # by SciPy itself, of I of order 2 and more below 0.01
SIZES = [2.0 ** (k / 2.0) for k in range(-100, 200)]  # across every change of formula


@pytest.mark.parametrize("family", ["scaled i", "scaled k"])
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_a_scaled_bessel_function_keeps_its_digits_at_every_size(
    family: str, n: int
) -> None:
    xs = np.array([x for x in SIZES if family == "scaled i" or x**n < 1e250])
    got = special_floats.bessel(xs, family=family, n=n)
    with ctx.workprec(200):
        exact = [float(special_balls.bessel(arb(x), family=family, n=n)) for x in xs]
    pairs = [(g, e) for g, e in zip(got, exact, strict=True) if math.isfinite(e)]
    assert len(pairs) > 200
    assert max(abs(g - e) / abs(e) for g, e in pairs if e) < LOST


@pytest.mark.parametrize("family", ["i", "k"])
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_a_modified_bessel_function_keeps_its_digits_to_its_last_normal_number(
    family: str, n: int
) -> None:
    xs = np.linspace(650.0, 705.0, 56)
    got = special_floats.bessel(xs, family=family, n=n)
    with ctx.workprec(200):
        exact = [float(special_balls.bessel(arb(x), family=family, n=n)) for x in xs]
    assert max(abs(g / e - 1.0) for g, e in zip(got, exact, strict=True)) < LOST
