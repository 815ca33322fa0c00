"""Every table accounts for every op."""

from __future__ import annotations

import pytest

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.floats import EXTENDED, FLOATS
from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.arithmetic.symbols import SYMBOLS
from gradverify.autodiff.rules import RULES
from gradverify.ops import OPS
from gradverify.reference.rounding import FORWARD_STABLE, SITES

ARITHMETICS = (FLOATS, EXTENDED, MULTIPRECISION, BALLS, SYMBOLS)
VARIADIC = {"accumulate"}


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda m: m.name)
def test_an_arithmetic_has_every_op(arithmetic: Arithmetic) -> None:
    missing = {row.name for row in OPS} - set(arithmetic.table)
    assert not missing, f"{arithmetic.name} has no rows for {sorted(missing)}"


def test_every_primitive_has_a_rule_an_operand() -> None:
    for row in OPS:
        if row.is_primitive and row.name not in VARIADIC:
            assert len(RULES[row.name]) == row.arity, row.name
    assert set(RULES) == set(OPS.primitives()) - VARIADIC


def test_every_primitive_has_a_noise_site() -> None:
    assert set(SITES) == set(OPS.primitives())


def test_forward_stable_ops_are_ops() -> None:
    assert set(OPS.public()) >= FORWARD_STABLE


def test_tables_are_in_the_order_of_the_op_table() -> None:
    assert list(RULES) == [n for n in OPS.primitives() if n in RULES]
    assert list(SITES) == list(OPS.primitives())
