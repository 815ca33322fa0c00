"""Lecture notes in several styles and languages: every wrong step, nothing accused."""

from __future__ import annotations

import pytest

from .notes import read, truth

FILES = sorted(truth())
CLAIMS = [
    k for places in truth().values() for claims in places.values() for k in claims
]


def test_there_are_enough_of_both_kinds() -> None:
    wrong = sum(k.verdict == "wrong" for k in CLAIMS)
    assert len(FILES) >= 15
    assert len(CLAIMS) >= 120
    assert 30 <= wrong <= len(CLAIMS) - 30


@pytest.mark.parametrize("file", FILES)
def test_the_verdicts_are_the_true_ones(file: str) -> None:
    expected = {
        p: [(k.verdict, k.step) for k in known] for p, known in truth()[file].items()
    }
    found = {
        p: [(c.verdict, c.step) for c in claims] for p, claims in read(file).items()
    }
    assert found == expected


def test_at_least_nine_tenths_are_understood() -> None:
    found = [c for file in FILES for claims in read(file).values() for c in claims]
    understood = [c for c in found if c.verdict != "not understood"]
    assert len(understood) >= 0.9 * len(CLAIMS)


@pytest.mark.parametrize("file", FILES)
def test_every_wrong_claim_comes_with_a_cause(file: str) -> None:
    found = [c for claims in read(file).values() for c in claims]
    assert found
    assert [c for c in found if c.step is not None and not c.cause] == []
