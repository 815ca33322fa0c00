"""Constants of formulas and of code: fractions, exact for as long as they are small."""

from __future__ import annotations

import ast
import math
import operator
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from gradverify.claims.claim_limits import EXACT_BITS

LARGEST_FLOAT = Fraction(sys.float_info.max)


CONSTANTS = {"pi": Fraction(math.pi), "e": Fraction(math.e)}

# fmt: off
OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div",
    ast.Pow: "pow", ast.MatMult: "matmul",
}
"""The operators of Python that are ops of the table."""

EXACT: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul,
    "div": operator.truediv, "pow": operator.pow,
    "floordiv": operator.floordiv, "mod": operator.mod,
}
"""What is done to two constants at once."""
# fmt: on


def folded(op: str, a: Fraction, b: Fraction) -> Fraction | None:
    """An operator of `EXACT` on two constants.

    None for a power that is no fraction, or that has too many digits to be written
    down. Raises ZeroDivisionError.
    """
    if EXACT[op] is operator.pow:
        is_small = abs(a) in (0, 1) or abs(b) * bits(a) <= EXACT_BITS
        if b.denominator != 1 or not is_small:
            return None
    return Fraction(EXACT[op](a, b))


def bits(value: Fraction) -> int:
    """The size of a fraction, which grows with every operation on it."""
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def plain_number(value: Fraction) -> int | float | None:
    """The number as Python has it; None if no float equals it."""
    if abs(value) > LARGEST_FLOAT or Fraction(float(value)) != value:
        return None
    return int(value) if value.denominator == 1 else float(value)
