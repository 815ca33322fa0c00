"""Claims: right ones are accepted, wrong ones are told apart, by exact numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradverify.claims import check_claim

ELEVEN = "(a + b) * (a * b)"
AT = {"a": 2, "b": 3}


def test_eleven_and_eleven_are_refused_with_the_exact_numbers() -> None:
    result = check_claim(ELEVEN, at=AT, claims={"a": 11, "b": 11})
    assert not result
    assert str(result).splitlines() == [
        "∂/∂a: claimed 11, exact 21 - wrong",
        "∂/∂b: claimed 11, exact 16 - wrong",
        "at d = a * b: a factor of the chain rule is dropped: ∂d/∂a and ∂d/∂b taken as "
        "1 (they are b = 3 and a = 2)",
        "∂e/∂a = d·1 + c·b = 6 + 5·3 = 21; the claim took ∂d/∂a as 1 (it is b = 3): "
        "6 + 5 = 11",
        "the same slip gives 11 for b",
        "where c = a + b, d = a * b, e = c * d",
    ]


def test_twenty_one_and_sixteen_are_accepted() -> None:
    result = check_claim(ELEVEN, at=AT, claims={"a": 21, "b": 16.0})
    assert result
    assert [claim.exact for claim in result.claims] == ["21", "16"]
    assert str(result).endswith("∂/∂b: claimed 16, exact 16 - right")


def test_one_wrong_claim_of_two_makes_the_result_false() -> None:
    result = check_claim(ELEVEN, at=AT, claims={"a": 21, "b": 11})
    assert [claim.right for claim in result.claims] == [True, False]
    assert not result


# fmt: off
DECIMALS = [
    ("0.0452", True), ("0.0453", False), ("0.04518", True), ("4.52e-2", True),
    (0.0452, False), (0.04517665973091, False), (0.04517665973091214, True),
    (0.045176659730912144, True), (Decimal("0.0452"), True),
    (np.float64(0.0452), False),
    ("0.05", True), ("0", False), ("nan", False), (float("inf"), False), (1, False),
]
# fmt: on


@pytest.mark.parametrize(("claimed", "right"), DECIMALS)
def test_a_decimal_as_text_stands_for_all_that_rounds_to_it(
    claimed: Any, right: bool
) -> None:
    result = check_claim("1/(1 + exp(-x))", at={"x": 3}, claims={"x": claimed})
    assert bool(result) is right


@pytest.mark.parametrize("claimed", ["1/3", Fraction(1, 3), 1 / 3, "0.333"])
def test_a_third_can_be_written_in_many_ways(claimed: Any) -> None:
    assert check_claim("x / 3", at={"x": "0.1"}, claims={"x": claimed})


def test_a_float_that_is_a_rounded_decimal_gets_advice() -> None:
    result = check_claim("sin(x)", at={"x": 1}, claims={"x": 0.5403})
    assert "give it as text" in str(result)


def test_a_wrong_last_digit_is_shown() -> None:
    result = check_claim("x / 3", at={"x": 1}, claims={"x": "0.333333333333333"})
    assert result
    result = check_claim("x / 3", at={"x": 1}, claims={"x": 0.333333333333333})
    assert "exact 0.33333333333333333333 - wrong" in str(result)


def test_arrays_are_compared_entry_by_entry() -> None:
    at = {"W": [[1, 2], [3, 4]], "x": [5, 6]}
    claims = {"x": [4, 6], "W": [[5, 6], [5, "7"]]}
    x, w = check_claim("sum(W @ x)", at=at, claims=claims).claims
    assert x.right
    assert str(w) == (
        "∂/∂W: claimed [[5, 6], [5, 7]], exact [[5, 6], [5, 6]] - wrong "
        "(wrong at [1, 1])"
    )


def test_at_a_kink_every_slope_in_the_range_is_right() -> None:
    for slope in (-1, -0.25, 0, 1):
        assert check_claim("abs(x)", at={"x": 0}, claims={"x": slope})
    result = check_claim("abs(x)", at={"x": 0}, claims={"x": 2})
    assert not result
    assert "claimed 2, exact [-1, 1] - wrong" in str(result)


def test_at_a_tie_the_slopes_must_be_possible_together() -> None:
    tie = {"a": 2, "b": 2}
    assert check_claim("max(a, b)", at=tie, claims={"a": 1, "b": 0})
    assert check_claim("max(a, b)", at=tie, claims={"a": 0.5, "b": 0.5})
    assert check_claim("max(a, b)", at=tie, claims={"b": 1})
    result = check_claim("max(a, b)", at=tie, claims={"a": 1, "b": 1})
    assert "not all of them together" in str(result)


# fmt: off
UNJUDGED = [
    ("sqrt(x)",             0,     "exact no derivative - not judged"),
    ("log(x)",              -1,    "no finite value at this point"),
    ("exp(x)",              1000,  "not judged"),
    ("exp(exp(exp(x)))",    1000,  "a value on the way is too large"),
]
# fmt: on


@pytest.mark.parametrize(("expression", "x", "text"), UNJUDGED)
def test_what_cannot_be_judged_says_so_and_is_not_right(
    expression: str, x: float, text: str
) -> None:
    result = check_claim(expression, at={"x": x}, claims={"x": 1})
    assert not result
    assert not result.claims[0].judged
    assert text in str(result)


@pytest.mark.parametrize("x", [6.5, 9.3, 10.7, 700])
def test_hostile_sizes_answer_and_raise_nothing(x: float) -> None:
    for expression in ("exp(-exp(exp(x)))", "exp(exp(x)) * 9.0**-(9**9)", "x**9**9"):
        assert not check_claim(expression, at={"x": x}, claims={"x": 1})


def test_at_the_edge_of_a_domain_the_one_sided_slope_counts() -> None:
    assert check_claim("x**1.5", at={"x": 0}, claims={"x": 0})


# fmt: off
SENSELESS = [
    (AT,                   {"c": 1},         "about 'c', which has no value.*a, b"),
    (AT,                   {"a": [1]},       r"shape \(1,\).*shape of a in at, \(\)"),
    (AT,                   {},               "no claims are given"),
    (AT,                   {"a": True},      "a .in claims. is True"),
    (AT,                   {"a": "eleven"},  "a .in claims. is 'eleven'"),
    (AT,                   {"a": "1e9999"},  "a .in claims. is '1e9999'"),
    (AT,                   {"a": "1/0"},     "a .in claims. is '1/0'"),
    (AT,                   {"a": "0.0e999999999"}, "a .in claims. is '0.0e999999999'"),
    (AT,                   {"a": None},      "a .in claims. is None"),
    ({"a": 1, "b": "inf"}, {"a": 1},         "b .in at. is Infinity|b .in at. is inf"),
    ({"a": 1},             {"a": 1},         "column 6: b is a name without a value"),
    ({"a": [1], "b": [2]}, {"a": [1]},       r"the expression has shape \(1,\)"),
    ({"a": [[1], [2, 3]], "b": 1}, {"b": 1}, r"a .in at. is ragged"),
]
# fmt: on


@pytest.mark.parametrize(("at", "claims", "message"), SENSELESS)
def test_senseless_input_is_an_error_that_says_what_is_allowed(
    at: dict[str, Any], claims: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_claim(ELEVEN, at=at, claims=claims)
