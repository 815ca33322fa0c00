"""Every operator meets literals on either side, and every op of two equal inputs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import pytest

from gradverify.differentiators import Differentiator, Lowered, Pulled, load, mode
from gradverify.ops import OPS
from gradverify.strategies import first_cases
from gradverify.strategies.draft import is_sound
from gradverify.suites.blocks import Asked, blocks
from gradverify.verdict import Verdict
from gradverify.verify import Budget, verify_item

OPERATORS = [row.name for row in OPS if row.operator and row.arity == 2]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", OPERATORS)
def test_literals_stand_on_either_side(op: str, dtype: str) -> None:
    found = first_cases(op, dtype)
    sides = {
        node.operands.index(j)
        for case in found
        for node in case.graph.nodes
        for j in node.operands
        if case.graph.nodes[j].op == "literal"
    }
    assert sides == {0, 1}
    assert all(is_sound(case) for case in found)


@pytest.mark.parametrize("op", [*OPERATORS, "hypot", "maximum", "atan2"])
def test_two_inputs_hold_one_value(op: str) -> None:
    pairs = [case.point for case in first_cases(op, "float64") if len(case.point) == 2]
    assert {a.shape for a, _ in pairs} == {(), (2,)}
    assert all(np.array_equal(a, b) and a is not b for a, b in pairs)


def test_a_block_begins_with_them() -> None:
    (block,) = blocks(Asked(suites=("ops",), ops=("mul",), dtypes=("float64",)))
    first = first_cases("mul", "float64")
    assert [case for _, case in islice(block.cases(), len(first))] == [*first]


class Sharing(Differentiator):
    """Our tape, in which two equal numbers have one gradient: that of both together."""

    name = "sharing"
    table = load("own-tape").table

    @mode("gradient")
    def reverse(self, function: Lowered, point: Sequence[Any]) -> Pulled:
        """The right gradient, with equal numbers added up."""
        found = load("own-tape").reverse(function, point)  # type: ignore[attr-defined]
        if len({float(x) for x in point if np.ndim(x) == 0}) == 1 < len(point):
            both = found.cotangents[0] + found.cotangents[1]
            return Pulled(found.value, [both, both])
        return found  # type: ignore[no-any-return]


def test_an_engine_that_shares_gradients_is_found_in_the_first_cases() -> None:
    (block,) = blocks(Asked(suites=("ops",), ops=("mul",), dtypes=("float64",)))
    item = verify_item(block, Sharing(), "reverse", budget=Budget(cases=2, least=2))
    assert item.counts[Verdict.WRONG] == 1
