"""The rules of the op table's primitives, by their names: what every engine runs on."""

from __future__ import annotations

from collections.abc import Mapping

from gradverify.ops import OPS
from gradverify.ops.calculus import Rule

__all__ = ["RULES", "Rule", "rules_of"]

RULES: Mapping[str, tuple[Rule, ...]] = {
    op: OPS.calculus(op).rules for op in OPS.primitives()
}


def rules_of(op: str, arity: int) -> tuple[Rule, ...]:
    """One rule for each operand. A sum of many terms has one rule for all of them."""
    rules = RULES[op]
    return rules if OPS[op].arity else rules * arity
