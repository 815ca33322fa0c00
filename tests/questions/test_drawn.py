"""Cotangents and tangents hide nothing, and are the same again."""

from __future__ import annotations

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as s
from gradverify.arithmetic.symbols import trace
from gradverify.graph import Graph
from gradverify.questions import tangents_of, weights


def graphs() -> list[Graph]:
    """Many graphs of two inputs that differ in a number alone."""
    return [
        trace(lambda x, y, k=k: s.sum(s.exp(x * float(k)) * y), (4,), (3, 4))
        for k in range(2, 130)
    ]


def test_no_number_hides_what_it_is_multiplied_with() -> None:
    drawn = [v for g in graphs() for v in tangents_of(g, "float64") if v is not None]
    entries = np.concatenate([v.reshape(-1) for v in drawn])
    sizes = np.abs(entries[entries != 0])
    assert not np.any(sizes == 1.0)
    assert sizes.max() > 1e3
    assert sizes.min() < 2e-3
    assert 0.05 < np.mean(entries == 0) < 0.2
    assert 0.4 < np.mean(entries[entries != 0] > 0) < 0.6
    np.testing.assert_array_equal(entries, entries.astype(np.float32))


def test_an_input_may_have_no_tangent_and_never_all() -> None:
    drawn = [tangents_of(g, "float64") for g in graphs()]
    absent = [sum(v is None for v in tangents) for tangents in drawn]
    assert set(absent) == {0, 1}
    assert 0.1 < np.mean(absent) < 0.4


def test_the_same_graph_is_asked_the_same() -> None:
    first, again = graphs()[:2], graphs()[:2]
    for a, b in zip(first, again, strict=True):
        for v, w in zip(
            tangents_of(a, "float64"), tangents_of(b, "float64"), strict=True
        ):
            np.testing.assert_array_equal(np.asarray(v), np.asarray(w))
    assert not np.array_equal(
        weights(first[0], "float64", (3,)), weights(first[1], "float64", (3,))
    )
