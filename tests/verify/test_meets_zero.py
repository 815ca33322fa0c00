"""A tangent of 0 that meets a slope beyond the format is NaN in every library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.differentiators import load
from gradverify.graph import Case
from gradverify.questions import tangents_of
from gradverify.verdict import Verdict
from gradverify.verify import judge


def held(scale: float) -> Case:
    """1/a**2 at a tiny number that has no tangent, beside a number that has one."""
    for k in range(1, 200):

        def function(a: Any, b: Any, k: int = k) -> Any:
            return s.reciprocal(s.square(a)) * scale + float(k) * b

        graph = trace(function, (), ())
        first, second = tangents_of(graph, "float64")
        if first is None and second is not None:
            return Case(graph, (np.array(1e-120), np.array(1.0)))
    raise AssertionError("every first input has a tangent")


@pytest.mark.parametrize(
    ("scale", "verdict"),
    [(1.0, Verdict.NO_DERIVATIVE), (1e-130, Verdict.NONFINITE)],
    ids=["a slope of 1e360", "a slope of 1e230, by way of one of 1e480"],
)
def test_a_tangent_of_zero_that_meets_an_infinite_slope_is_excused(
    scale: float, verdict: Verdict
) -> None:
    """JAX has a tangent of 0 where others have none."""
    jax = load("jax")
    if jax.available() is not None:
        pytest.skip("not installed")
    given = judge(held(scale), jax, "forward")
    assert given.got == "nan"
    assert given.verdict is verdict
    assert judge(held(scale), load("own-dual"), "jvp").verdict is Verdict.AGREES
