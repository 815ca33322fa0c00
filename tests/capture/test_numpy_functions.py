"""Functions of NumPy and autograd: right ones are not accused, wrong ones are found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gradverify

pairs = pytest.importorskip("tests.capture.numpy_pairs")

CASES = 4
FOUND = ("WRONG", "MISSING", "INPUT_MUTATED")


@pytest.mark.parametrize("pair", pairs.PAIRS, ids=lambda pair: pair.name)
def test_a_right_derivative_is_not_accused(pair: Any) -> None:
    found = gradverify.check(pair.right, *pair.args, cases=CASES, **pair.options[0])
    assert found.ok, str(found)
    assert found.truth == pair.truth, str(found)


@pytest.mark.parametrize("pair", pairs.PAIRS, ids=lambda pair: pair.name)
def test_a_wrong_derivative_is_found(pair: Any) -> None:
    found = gradverify.check(pair.wrong, *pair.args, cases=CASES, **pair.options[1])
    assert not found.ok, str(found)
    assert found.findings[0].verdict in FOUND, str(found)


def test_a_number_of_derivatives_that_does_not_fit_is_named() -> None:
    def back(g: Any, x: Any, w: Any) -> Any:
        return (g, g, g)

    found = gradverify.check(lambda x, w: x * w, np.ones(2), np.ones(2), vjp=back)
    assert not found.ok
    assert "gives 3 derivatives; there are 2 arguments" in found.findings[0].got


def test_one_of_two_backward_passes_is_asked_for() -> None:
    with pytest.raises(ValueError, match="one of vjp= and gradient="):
        gradverify.check(np.sum, np.ones(2), vjp=lambda g, x: g, gradient=lambda x: x)


def test_half_formats_are_refused() -> None:
    with pytest.raises(ValueError, match="float16; hand over float32 or float64"):
        gradverify.check(np.sin, np.ones(2, np.float16), vjp=lambda g, x: g)
