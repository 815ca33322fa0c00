"""Shape rules of special functions; they check params of their own."""

from __future__ import annotations

from typing import Any

from gradverify.ops.shapes import Shape, elementwise

MOST_ORDER = 6
MOST_DEGREES = 1e3


def _check_above(name: str, value: Any, least: float) -> None:
    if type(value) is not float or not least < value <= MOST_DEGREES:
        raise ValueError(
            f"{name}={value!r}; allowed is a float above {least}, up to {MOST_DEGREES}"
        )


def of_order(operand: Shape, *, n: int) -> Shape:
    """The operand's shape, for a whole number from 0 up."""
    if type(n) is not int or not 0 <= n <= MOST_ORDER:
        raise ValueError(f"n={n!r}; allowed are whole numbers from 0 to {MOST_ORDER}")
    return operand


def of_dimensions(operand: Shape, *, d: int) -> Shape:
    """The operand's shape, for a whole number from 1 up."""
    if type(d) is not int or not 1 <= d <= MOST_ORDER:
        raise ValueError(f"d={d!r}; allowed are whole numbers from 1 to {MOST_ORDER}")
    return operand


def hurwitz(operand: Shape, *, s: float) -> Shape:
    """The operand's shape, for an s above 1, where the series converges."""
    _check_above("s", s, 1.0)
    return operand


def incomplete(operand: Shape, **degrees: float) -> Shape:
    """The operand's shape, for degrees above 0."""
    for name, value in degrees.items():
        _check_above(name, value, 0.0)
    return operand


def of_two(a: Shape, b: Shape, **params: object) -> Shape:
    """The broadcast shape of both operands; internal, so that no param is checked."""
    del params
    return elementwise(a, b)
