"""Ops of our engines on plain values: what is not differentiated keeps its type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradverify.autodiff import Dual, Tape

WHOLE = np.array([1, 2])
SMALL = np.array([1.0, 2.0], np.float32)

ROWS: list[tuple[str, tuple[Any, ...], Any]] = [
    ("mul", (WHOLE, 2.5), [2.5, 5.0]),
    ("mul", (np.int64(2), 2.5), 5.0),
    ("maximum", (WHOLE, 1.5), [1.5, 2.0]),
    ("where", (True, 3.0, 4.0), 3.0),
    ("add", ([1.0, 2.0], 3.0), [4.0, 5.0]),
    ("add", (1.0, 2.0), 3.0),
    ("mul", (SMALL, 2.5), np.array([2.5, 5.0], np.float32)),
    ("where", (np.array([True, False]), SMALL, 0.5), np.array([1.0, 0.5], np.float32)),
]


@pytest.mark.parametrize("table", [Dual.table, Tape().table], ids=["dual", "tape"])
@pytest.mark.parametrize(("op", "operands", "expected"), ROWS)
def test_numbers_beside_arrays_lose_nothing_and_widen_nothing(
    table: Any, op: str, operands: tuple[Any, ...], expected: Any
) -> None:
    found = table[op](*operands)
    assert np.array_equal(found, expected)
    assert np.asarray(found).dtype == np.asarray(expected).dtype
