"""The worked examples: their written answers hold, and the reference gives them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp

from gradverify.differentiators.registry import load
from gradverify.differentiators.run import run
from gradverify.reference import Slope, reference
from gradverify.suites.textbook import (
    SMALL_BIASES,
    SMALL_INPUTS,
    SMALL_WEIGHTS,
    TEXTBOOK,
    WIDE_BIASES,
    WIDE_POINT,
    WIDE_WEIGHTS,
    Textbook,
    expected,
    textbook_cases,
)

ROWS = [row for rows in TEXTBOOK.values() for row in rows]
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def apart(a: object, b: object) -> float:
    """The largest relative difference of two arrays of exact numbers."""
    with mp.workdps(50):
        pairs = zip(np.asarray(a, object).flat, np.asarray(b, object).flat, strict=True)
        return max(float(abs(x - y) / (abs(y) or 1)) for x, y in pairs)


def test_every_example_is_there_and_has_cases() -> None:
    names = (
        "squares product-plus-sum sigmoid linear-model squared-sum eleven line-times-z "
        "sine-1000 relu-2-3-1 relu-3-16-2 relu-3-16-2-whole tanh softplus"
    )
    assert list(TEXTBOOK) == names.split()
    for dtype in ("float64", "float32"):
        cases = textbook_cases(dtype)
        assert list(cases) == list(TEXTBOOK)
        assert all(case.dtype == dtype for some in cases.values() for case in some)


@every_row
def test_the_reference_gives_the_known_answer(row: Textbook) -> None:
    answer, truth = expected(row), reference(row.case())
    assert truth.status is Slope.SMOOTH
    assert apart(truth.value, answer.value) < 1e-17
    for found, exact in zip(truth.gradient, answer.gradients, strict=True):
        assert found.shape == exact.shape
        assert apart(found, exact) < 1e-15


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.intermediates], ids=lambda row: row.name
)
def test_the_reference_gives_the_known_intermediates(row: Textbook) -> None:
    truth = reference(row.case())
    found = {node: truth.intermediates[node][0] for node in row.intermediates}
    assert found == dict(row.intermediates)


def test_both_intermediates_of_the_squared_sum_are_16() -> None:
    (row,) = TEXTBOOK["squared-sum"]
    ops = {row.graph.nodes[node].op: exact for node, exact in row.intermediates.items()}
    assert ops == {"mul": 16, "add": 16}


def test_the_tape_offers_the_known_intermediates() -> None:
    (row,) = TEXTBOOK["squared-sum"]
    found = run(load("own-tape"), "reverse", row.case())
    assert found.intermediates is not None
    for node, exact in row.intermediates.items():
        assert float(found.intermediates[node]) == exact


# fmt: off
WRITTEN = [
    ("squares",          425,    [10, 40]),
    ("product-plus-sum", 19,     [5, 4]),
    ("squared-sum",      64,     [64, 32]),
    ("eleven",           30,     [21, 16]),
    ("line-times-z",     12,     [6, 3, 4]),
    ("linear-model",     "11.3", [[["-0.12", "-0.24"], ["-0.46", "-0.92"]],
                                  [["-15"], ["-20.8"]], "-5.8", [["1.2"], ["4.6"]]]),
    ("sigmoid",          "0.952574126822433", ["0.0451766597309121"]),
    ("sine-1000",        "23.1780070835713",  ["11.9269229522555"]),
    ("tanh",             "0.462117157260010", ["0.786447732965927"]),
    ("softplus",         "1.70141327798275",  ["0.817574476193644"]),
]
# fmt: on


@pytest.mark.parametrize(("name", "value", "gradients"), WRITTEN)
def test_the_answers_are_the_numbers_of_the_books(
    name: str, value: object, gradients: list[object]
) -> None:
    answer = expected(TEXTBOOK[name][0])
    exact = np.frompyfunc(lambda text: mp.mpf(str(text)), 1, 1)
    assert apart(answer.value, exact(np.asarray(value, object))) < 5e-15
    for found, written in zip(answer.gradients, gradients, strict=True):
        assert apart(found, exact(np.asarray(written, object))) < 5e-15


def test_one_unit_of_the_small_network_is_dead_and_none_is_at_its_kink() -> None:
    before = SMALL_INPUTS @ SMALL_WEIGHTS + SMALL_BIASES
    assert (before < -1).all(axis=0).sum() == 1
    assert np.abs(before).min() > 0.05


def test_the_wide_network_has_units_up_and_down_and_none_at_its_kink() -> None:
    before = WIDE_WEIGHTS @ WIDE_POINT + WIDE_BIASES
    assert (before > 0).sum() == 9
    assert np.abs(before).min() > 0.05


def test_the_pullback_of_ones_is_the_sum_of_the_rows_of_the_jacobian() -> None:
    first, second, both = (
        expected(row).gradients[0] for row in TEXTBOOK["relu-3-16-2"]
    )
    assert first.shape == (3,)
    assert apart(first + second, both) < 1e-15


def test_the_jacobian_in_whole_fractions() -> None:
    exact = np.vectorize(lambda x: Fraction(x).limit_denominator(1000), otypes=[object])
    weights, readout = (
        exact(WIDE_WEIGHTS),
        exact(((7 * np.arange(2)[:, None] + 3 * np.arange(16)) % 11 - 5) / 10),
    )
    up = WIDE_WEIGHTS @ WIDE_POINT + WIDE_BIASES > 0
    jacobian = readout @ (weights * up[:, None])
    outputs = TEXTBOOK["relu-3-16-2"][: len(jacobian)]
    assert len(outputs) == 2
    for row, found in zip(jacobian, outputs, strict=True):
        written = [mp.mpf(x.numerator) / x.denominator for x in row]
        assert apart(expected(found).gradients[0], np.array(written)) < 1e-14
