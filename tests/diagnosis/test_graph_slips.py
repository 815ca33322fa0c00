"""Numbers of a lower precision are told from numbers that are wrong."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.diagnosis.graph_slips import in_format, whole_slips
from gradverify.diagnosis.observation import Observation
from gradverify.diagnosis.right_sweep import right
from gradverify.diagnosis.substitutions import narrower
from gradverify.formats import format_of
from gradverify.graph import Case

# Wider format, narrower one, and the relative error of numbers that are wrong in both.
PAIRS = [("float64", "float32"), ("float64", "bfloat16"), ("float32", "bfloat16")]


def seen(dtype: str, form: str, error: float) -> Observation:
    """The derivative of sin at 0.7, too large by an error and then of that format."""
    point = (np.array(0.7, dtype),)
    swept = right(Case(trace(s.sin, ()), point, dtype))
    exact = np.asarray(swept.adjoints[0])
    allowed = 8 * format_of(dtype).unit_roundoff * np.abs(exact)
    given = np.asarray(narrower(exact * (1 + error), form))
    return Observation(swept, {0: given}, {0: allowed})


def of_length(count: int) -> Observation:
    """A gradient of as many entries, all of them doubled."""
    function = trace(lambda x: s.sum(s.sin(x), axis=None), (count,))
    swept = right(Case(function, (np.linspace(0.5, 1.0, count),)))
    exact = np.asarray(swept.adjoints[0])
    return Observation(swept, {0: 2.0 * exact}, {0: 1e-15 * exact})


def test_what_is_left_over_from_a_run_of_another_shape_explains_nothing() -> None:
    seen = [of_length(2), of_length(3)]
    assert not [
        found for found in whole_slips(seen) if found.cause.name == "stale gradient"
    ]
    assert all(o.deviates for o in seen)


@pytest.mark.parametrize(("dtype", "form"), PAIRS)
def test_the_nearest_number_of_a_narrower_format_is_one(dtype: str, form: str) -> None:
    found = seen(dtype, form, 0.0)
    assert found.deviates
    assert in_format(found, None, form, ()) is not None


@pytest.mark.parametrize(("dtype", "form"), PAIRS)
def test_a_wrong_number_of_a_narrower_format_is_none(dtype: str, form: str) -> None:
    wrong = seen(dtype, form, 200 * format_of(form).unit_roundoff)
    assert wrong.deviates
    assert in_format(wrong, None, form, ()) is None
