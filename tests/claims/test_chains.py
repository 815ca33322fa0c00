"""Chains one by one: what is right, what is wrong and where, what has two readings."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradverify.claims.judgement.claim_record import Claim
from gradverify.claims.reading.reader import read_claims

CODE = """
a = 2.0
b = 3.0
c = a + b
d = a * b
e = c * d
x = 0.5
x1 = 1.5
y = 1 / (1 + np.exp(-x))
g = x1 * a * x
w = torch.randn(3)
L = (w ** 2).sum()
s = a ** 2 / 4
"""


def verdict(folder: Path, line: str, code: str = CODE) -> Claim:
    path = folder / "a.py"
    path.write_text(f"{code}\n# {line}\n", encoding="utf-8")
    (found,) = read_claims(path)
    return found


# A chain, and the first wrong equality ("right", "?" for one that is not understood,
# "unsure" for one that fails without a witness).
# fmt: off
CHAINS = (
    # every = by itself
    ("∂e/∂a = d + c = 6 + 5 = 11",                              0),
    ("∂e/∂a = d + cb = 6 + 5*3 = 20",                           2),
    ("∂e/∂a = d + cb = 6 + 5*2 = 16",                           1),
    ("∂e/∂a = d + cb = 6 + 5*3 = 21",                           "right"),
    ("∂e/∂a = ∂e/∂c ∂c/∂a + ∂e/∂d ∂d/∂a = 6·1 + 5·3 = 21",      "right"),
    ("∂e/∂a = 16",                                              0),
    # names split by what is known
    ("∂g/∂x = x1a = 3",                                         "right"),
    ("∂g/∂x1 = ax = 1",                                         "right"),
    ("∂e/∂a = 2ab + b^2",                                       "right"),
    ("∂e/∂a = 2ab + b",                                         0),
    # spellings
    (r"\frac{\partial e}{\partial a} = 21",                     "right"),
    ("de/da = 21",                                              "right"),
    ("d e / d a = 21",                                          "right"),
    ("e'(a) = 21",                                              "?"),
    ("a.grad = 21",                                             "?"),
    ("grad of e wrt a: 21",                                     "right"),
    ("the derivative of e with respect to a is 20",             0),  # c·b + c
    ("die Ableitung von e nach a ist 21",                       "right"),
    ("la dérivée de e par rapport à a vaut 21",                 "right"),
    ("la derivada de e respecto a a es 21",                     "right"),
    # written numbers are rounded
    ("dy/dx = 0.235",                                           "right"),
    ("dy/dx = 0.23501",                                         0),
    ("dy/dx = 0.24",                                            "right"),
    ("dy/dx ≈ 0.25",                                            "right"),
    ("dy/dx = 0.25",                                            0),
    ("dy/dx = 0,235",                                           "right"),
    ("dy/dx = 1/4",                                             "unsure"),
    ("dy/dx = y(1-y)",                                          "right"),
    ("dy/dx = 0.2350…",                                         "right"),
    ("de/da = 2,100",                                           "?"),
    # two readings
    ("dy/dx = 1/2x",                                            "unsure"),
    ("ds/da = 1/2a",                                            "?"),
    ("ds/da = 1/2 (a + a) / 2",                                 "?"),
    (r"ds/da = \frac12 a",                                      "right"),
    # identities hold everywhere, not at the stated point alone
    ("dd/da = b",                                               "right"),
    ("dd/da = a + 1",                                           "unsure"),
    ("d^2e/da^2 = 2b = 6",                                      "right"),
    # what the file does not say
    ("dL/dw = 2w",                                              "right"),
    ("dL/dw = 3w",                                              0),
    ("dL/dw = [1, 2, 3]",                                       "?"),
    ("dq/da = 1",                                               "?"),
    # nothing is dropped
    ("∂e/∂a = d plus cb",                                       "?"),
    ("∂e/∂a = d + cb (by the chain rule)",                      "right"),
    ("∂e/∂a = d + c§b",                                         "?"),
    ("∂e/∂a = d + cb, as we saw",                               "right"),
    ("at a = 1: ∂e/∂a = 2ab + b^2 = 15",                        "right"),
    ("at a = 1: ∂e/∂a = 21",                                    0),
)
# fmt: on


@pytest.mark.parametrize(("line", "expected"), CHAINS)
def test_a_chain(tmp_path: Path, line: str, expected: int | str) -> None:
    found = verdict(tmp_path, line)
    if isinstance(expected, int):
        assert (found.verdict, found.step) == ("wrong", expected), found
    else:
        word = "not understood" if expected == "?" else expected
        assert found.verdict == word, found


def test_a_splitting_with_two_readings_is_said(tmp_path: Path) -> None:
    code = "a = 1.0\nab = 2.0\nbc = 3.0\nc = 4.0\ny = ab * c\n"
    found = verdict(tmp_path, "dy/dab = abc/ab", code)
    assert found.verdict == "not understood"
    assert "two readings" in found.reason


def test_a_random_value_is_named(tmp_path: Path) -> None:
    assert verdict(tmp_path, "dL/dw = w = 3").reason == "w is random"


def test_an_exercise_is_no_claim(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(f"{CODE}\n# ∂e/∂a = ?\n# ∂e/∂b =\n", encoding="utf-8")
    assert read_claims(path) == []


def test_any_slope_between_is_right_at_a_kink(tmp_path: Path) -> None:
    code = "x = 0.0\ny = max(0, x)\n"
    assert verdict(tmp_path, "dy/dx = 0.3", code).verdict == "right"
    assert verdict(tmp_path, "dy/dx = 1.5", code).verdict == "unsure"


# A wrong chain, and words of the cause that is found.
CAUSES = (
    ("∂e/∂a = 16", "this is the derivative by b"),
    ("∂e/∂a = -21", "the sign is wrong"),
    ("∂e/∂a = 42", "a factor 2 too much"),
    ("∂e/∂a = d + cb = 6 + 15 = 22", "arithmetic: 6 + 15 is 21"),
    ("∂e/∂a = d + c = 11", "at d = a * b: a factor of the chain rule is dropped"),
    ("dy/dx = 0.234", "0.235004 rounds to 0.235"),
)


@pytest.mark.parametrize(("line", "words"), CAUSES)
def test_a_cause_is_named(tmp_path: Path, line: str, words: str) -> None:
    assert words in verdict(tmp_path, line).cause


def test_the_corrected_chain_ends_in_the_exact_number(tmp_path: Path) -> None:
    found = verdict(tmp_path, "∂e/∂a = d + c = 6 + 5 = 11")
    assert found.exact == "21"
    assert found.corrected == "∂e/∂a = c·b + d = 5·3 + 6 = 21"
