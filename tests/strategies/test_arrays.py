"""Arrays for users of Hypothesis: values that break rules, in a shape of theirs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings

import gradverify

SETTINGS = settings(
    max_examples=60,
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@SETTINGS
@given(x=gradverify.arrays((2, 3), dtype="float32"))
def test_an_array_has_its_shape_and_dtype(x: np.ndarray) -> None:
    assert x.shape == (2, 3)
    assert x.dtype == "float32"
    assert np.all(np.isfinite(x))
    assert x.flags.writeable


@pytest.mark.parametrize(
    "holds",
    [lambda x: np.any(x == 0), lambda x: np.any(x > 600), lambda x: x[0] == x[1]],
    ids=["zero", "saturated or huge", "a tie"],
)
def test_values_that_break_rules_are_among_them(holds) -> None:  # type: ignore[no-untyped-def]
    found = find(
        gradverify.arrays(2), holds, settings=settings(SETTINGS, max_examples=2000)
    )
    assert holds(found)


def test_a_check_may_stand_within() -> None:
    import torch

    seen = []

    @settings(SETTINGS, max_examples=3)
    @given(x=gradverify.arrays(3))
    def test(x: np.ndarray) -> None:
        found = gradverify.check(torch.atan, torch.from_numpy(x), cases=2)
        assert found.ok, str(found)
        seen.append(x)

    test()
    assert seen


@pytest.mark.parametrize(
    ("shape", "dtype", "text"),
    [((-1,), "float64", "from 0 up"), ((2,), "float16", "dtype 'float16' is unknown")],
)
def test_what_no_array_can_have_is_refused(
    shape: tuple[int, ...], dtype: str, text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        gradverify.arrays(shape, dtype=dtype)
