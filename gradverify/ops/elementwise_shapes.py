"""Shape rules of further elementwise ops; they check params of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradverify.ops.shapes import Shape, along, elementwise, one_axis

MOST_DOUBLINGS = 30


def _check_number(name: str, value: Any, *, least: float = -math.inf) -> None:
    if type(value) is not float or not least <= value < math.inf:
        allowed = "a finite float" if least == -math.inf else f"a float from {least} up"
        raise ValueError(f"{name}={value!r}; allowed is {allowed}")


def shrunk(operand: Shape, *, lambd: float) -> Shape:
    """The operand's shape, for a lambd of 0 or more."""
    _check_number("lambd", lambd, least=0.0)
    return operand


def thresholded(operand: Shape, *, threshold: float, value: float) -> Shape:
    """The operand's shape, for two numbers."""
    _check_number("threshold", threshold)
    _check_number("value", value)
    return operand


def valued(*operands: Shape, value: float) -> Shape:
    """The broadcast shape of all operands, for a number."""
    _check_number("value", value)
    return elementwise(*operands)


def sloped(operand: Shape, *, least: float, most: float) -> Shape:
    """The operand's shape, for two slopes of which the first is not above the other."""
    _check_number("least", least)
    _check_number("most", most)
    if least > most:
        raise ValueError(f"least={least!r} is above most={most!r}")
    return operand


def prelu(x: Shape, w: Shape) -> Shape:
    """(batch, channels, …) or (entries,), and weights, one for each channel or all."""
    channels = x[1] if len(x) > 1 else 1
    if len(w) != 1 or w[0] not in (1, channels) or 0 in x:
        raise ValueError(
            f"shapes {x} and {w}; allowed are (batch, channels, …), not empty, and "
            f"(1,) or ({channels},)"
        )
    return x


def halved(operand: Shape, *, axis: Sequence[int] | None) -> Shape:
    """Half as many elements along one axis, whose length must be even."""
    along(operand, axis=axis)
    (a,) = one_axis(operand, axis)
    if operand[a] % 2:
        raise ValueError(f"shape {operand} has no two halves along axis={axis}")
    place = len(operand) + a
    return (*operand[:place], operand[a] // 2, *operand[place + 1 :])


def doubled(operand: Shape, *, exponent: int) -> Shape:
    """The operand's shape, for a whole number."""
    if type(exponent) is not int or abs(exponent) > MOST_DOUBLINGS:
        raise ValueError(
            f"exponent={exponent!r}; allowed are whole numbers from "
            f"{-MOST_DOUBLINGS} to {MOST_DOUBLINGS}"
        )
    return operand
