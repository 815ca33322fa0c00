"""Conditions on operands: what holds, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradverify.expressions import ExpressionError
from gradverify.known import Condition, operand_names

# ruff: noqa: E501

NAN = float("nan")
TWOS = [np.full((2, 3), 2.0), np.full((3, 4), 2.0)]


# fmt: off
CONDITIONS = [
    ("softplus", "x > 20",            [25.0],               {},             True),
    ("softplus", "x > 20",            [20.0],               {},             False),
    ("softplus", "x > 20",            [[1.0, 21.0]],        {},             True),
    ("softplus", "all(x > 20)",       [[1.0, 21.0]],        {},             False),
    ("softplus", "",                  [1.0],                {},             True),
    ("softplus", "not x > 20",        [NAN],                {},             True),
    ("softplus", "x > 20",            [np.zeros(0)],        {},             False),
    ("maximum",  "a == b",            [[1.0, 2.0], 2.0],    {},             True),
    ("maximum",  "a == b",            [[1.0, 2.0], 3.0],    {},             False),
    ("maximum",  "a - b > 1 or 2*a < -b", [3.0, 1.0],       {},             True),
    ("power",    "n < 0 and x == 0",  [[0.0, 1.0]],         {"n": -1},      True),
    ("power",    "n < 0 and x == 0",  [[0.0, 1.0]],         {"n": 2},       False),
    ("where",    "mask and a == 0",   [[True, False], [1.0, 0.0], 0.0], {}, False),
    ("where",    "not mask and a == 0", [[True, False], [1.0, 0.0], 0.0], {}, True),
    ("gelu",     "x > 9 and approximate == 'tanh'", [10.0], {"approximate": "tanh"}, True),
    ("gelu",     "x > 9 and approximate == 'tanh'", [10.0], {"approximate": "none"}, False),
    ("gelu",     "approximate != 'tanh'", [10.0],           {"approximate": "none"}, True),
    ("sum",      "axis == -1",        [[1.0]],              {"axis": (-1,)}, True),
    ("sum",      "axis == -1",        [[1.0]],              {},             False),
    ("sum",      "size(axis) == 0",   [[1.0]],              {"axis": None}, True),
    ("sum",      "keepdims",          [[1.0]],              {"keepdims": True}, True),
    ("sum",      "size(x) == 0",      [np.zeros((0, 2))],   {},             True),
    ("sum",      "ndim(x) > 1",       [np.zeros((1, 2))],   {},             True),
    ("matmul",   "a > 1 and b > 1",   TWOS, {}, False),
    ("matmul",   "max(a) > 1 and min(b) > 1", TWOS, {}, True),
    ("exp",      "0 < abs(x) < 1e-300", [-1e-310],          {},             True),
    ("exp",      "1/x > 0",           [0.0],                {},             True),
    ("exp",      "1 < x < 2 < x + 1", [1.5],                {},             True),
    ("exp",      "1 < x < 2 < x",     [1.5],                {},             False),
    ("exp",      "x > 3 or x < 0 or x == 1", [1.0],         {},             True),
    ("exp",      "not " * 196 + "x > 1", [1.5],             {},             True),
]
# fmt: on


@pytest.mark.parametrize(("op", "text", "operands", "params", "holds"), CONDITIONS)
def test_conditions(
    op: str, text: str, operands: list[Any], params: dict[str, Any], holds: bool
) -> None:
    arrays = [np.asarray(x) for x in operands]
    assert Condition(op, text).holds(arrays, params) is holds


# fmt: off
REFUSED = [
    ("y > 20",                "column 1: y is no operand or param.*allowed: x"),
    ("x.real > 1",            "x.real is not understood"),
    ("__import__('os')",      "is not understood; allowed: names"),
    ("x ** 2 > 1",            "is not understood"),
    ("x > '1'",               "'1' is no number"),
    ("'1'",                   "'1' is not understood"),
    ("-'1' > x",              "'1' is no number"),
    ("x is None",             "is not understood"),
    ("max(x, 1) > 2",         "is not understood"),
    ("x >",                   "is no Python expression"),
    ("x > 1e999",             "outside the range of a float"),
    ("x > 1e-400",            "outside the range of a float"),
    ("x % 2 > 1",             "x % 2 is not understood; allowed: names"),
    ("x[0] > 1",              r"x\[0\] is not understood"),
    ("not " * 199 + "x > 1",  "nested too deeply"),
]
# fmt: on


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        Condition("exp", text)


def test_operands_are_named_by_their_number() -> None:
    assert operand_names("power") == ("x", "n", "ct")
    assert operand_names("add") == ("a", "b", "ct")
    assert operand_names("where") == ("mask", "a", "b", "ct")
