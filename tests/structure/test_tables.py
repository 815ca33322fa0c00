"""Every table accounts for every op, and an absent row is named with its file."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.arithmetic.balls import BALLS
from gradverify.arithmetic.floats import EXTENDED, FLOATS
from gradverify.arithmetic.multiprecision import MULTIPRECISION
from gradverify.arithmetic.symbols import SYMBOLS
from gradverify.autodiff.rules import RULES
from gradverify.differentiators import load
from gradverify.differentiators.examples import EXAMPLES
from gradverify.ops import OPS, domains
from gradverify.ops.calculus import CALCULUS
from gradverify.ops.domains import Domain
from gradverify.ops.row import FORWARD, Op, Table
from gradverify.ops.shapes import elementwise
from gradverify.strategies import USUAL
from gradverify.strategies.leaves import shapes
from gradverify.strategies.own_shapes import OWN_SHAPES
from gradverify.strategies.params import legal_params

ARITHMETICS = (FLOATS, EXTENDED, MULTIPRECISION, BALLS, SYMBOLS)
NEW = Op("brand_new", 1, FORWARD, elementwise)


@pytest.mark.parametrize("arithmetic", ARITHMETICS, ids=lambda m: m.name)
def test_an_arithmetic_has_every_op(arithmetic: Arithmetic) -> None:
    missing = {row.name for row in OPS} - set(arithmetic.table)
    assert not missing, f"{arithmetic.name} has no rows for {sorted(missing)}"


def test_an_arithmetic_without_a_primitive_says_which() -> None:
    rows = {op: FLOATS.table[op] for op in OPS.primitives() if op != "erf"}
    with pytest.raises(LookupError, match=r"'my floats' has no row for .*\['erf'\]"):
        Arithmetic("my floats", rows, FLOATS.lift)


def test_a_primitive_without_a_calculus_is_named_with_the_file() -> None:
    with pytest.raises(LookupError, match=r"'brand_new' .*gradverify/ops/calculus\.py"):
        Table.of([*OPS, NEW])


def test_a_calculus_without_a_primitive_is_named_with_the_file() -> None:
    rows = [row for row in OPS if row.name != "erf"]
    with pytest.raises(LookupError, match=r"calculus\.py has rows \['erf'\]"):
        Table.of(rows)


def test_two_rows_of_one_name_are_refused() -> None:
    with pytest.raises(LookupError, match="two rows 'exp'"):
        Table.of([*OPS, OPS["exp"]])


def test_every_primitive_has_a_rule_an_operand() -> None:
    counts = {op: len(RULES[op]) for op in OPS.primitives()}
    assert counts == {op: OPS[op].arity or 1 for op in OPS.primitives()}


def test_the_calculus_is_in_the_order_of_the_op_table() -> None:
    assert list(CALCULUS) == list(OPS.primitives())


@pytest.mark.parametrize("op", OPS.public())
def test_an_op_has_shapes_to_be_drawn_in(op: str) -> None:
    plain = itertools.product(shapes(USUAL), repeat=OPS[op].arity)
    menu = OWN_SHAPES.get(op) or plain
    assert any(legal_params(op, *found) for found in menu), (
        f"{op} takes no plain shapes, and OWN_SHAPES has no row for it: add one to "
        "the file of its kind beside gradverify/strategies/own_shapes.py"
    )


@pytest.mark.parametrize("op", OPS.public())
def test_an_op_has_an_example_that_fits_it(op: str) -> None:
    row = OPS[op]
    found, params = EXAMPLES.get(op, (((),) * row.arity, {}))
    hint = f"gradverify/differentiators/examples.py: EXAMPLES has no row for {op!r}"
    assert set(params) == set(row.params), hint
    assert len(found) == row.arity, hint
    row.shape(*found, **params)


SIZES = (0.0, 1.0, 1e-300, 0.3, 40.0, 1e16, 1e300)


@pytest.mark.parametrize("op", OPS.public())
def test_a_domain_moves_any_numbers_inside(op: str) -> None:
    row = OPS[op]
    found, params = EXAMPLES.get(op, (((),) * row.arity, {}))
    for size in SIZES:
        for sign in (1.0, -1.0):
            given = [
                np.ones(s, bool) if i in row.masks else np.full(s, sign * size)
                for i, s in enumerate(found)
            ]
            moved = row.domain.moved(*given, **params)
            assert np.all(row.domain.contains(*moved, **params)), (size, sign)
            assert [np.shape(x) for x in moved] == list(found)
            again = row.domain.moved(*moved, **params)
            assert all(a is b for a, b in zip(moved, again, strict=True))


DOMAINS = {
    name: value for name, value in vars(domains).items() if isinstance(value, Domain)
}
PARAMS = {"POWER": {"n": 0.5}, "WEIGHTY": {"log_target": False},
          "ABOVE_HALVES": {"d": 3}, "OFF_LAMBD": {"lambd": 0.5},
          "OFF_THRESHOLD": {"threshold": 0.5}, "ABOVE_EPS": {"eps": 0.25},
          "OF_ORDER": {"p": 3.0}, "COUNTS": {"log_input": False, "full": True},
          "SAMPLES": {"mode": "bilinear", "outside": "zeros", "align_corners": False},
          }  # fmt: skip
OF_TWO = {
    "DIVISOR", "BASE", "OFF_CUT", "PROBABILITIES", "WEIGHTY", "POSITIVE_BY",
    "ABOVE_MINUS_1_BY", "BETWEEN_MULTIPLES", "POSITIVE_BOTH", "COUNTS", "SAMPLES",
    "NOT_LARGE",
}  # fmt: skip
OF_THREE = {"LAST_DIVISOR", "ABOVE_EPS"}


@pytest.mark.parametrize("name", DOMAINS)
def test_a_domain_keeps_numbers_apart(name: str) -> None:
    x = np.array([-3.0, -0.5, 0.0, 0.25, 2.0])
    given = (x,) * (3 if name in OF_THREE else 2 if name in OF_TWO else 1)
    moved = DOMAINS[name].into(*given, **PARAMS.get(name, {}))
    assert len(moved) == len(given)
    assert all(len(np.unique(m)) == x.size for m in moved)


@pytest.mark.parametrize("name", ["autograd", "torch-cpu", "jax"])
def test_an_engine_says_of_every_op_how_it_is_spelled(name: str) -> None:
    engine = load(name)
    if (reason := engine.available()) is not None:
        pytest.skip(reason)
    rows = engine.spelling(next(iter(engine.modes()))).rows
    missing = [
        op for op in OPS.public() if callable(engine.table.get(op)) and op not in rows
    ]
    assert rows
    assert not missing, (
        f"ROWS in spelling.py of {type(engine).__module__} has no rows for {missing}: "
        "spell them, or name them in its `through_the_engine`"
    )
