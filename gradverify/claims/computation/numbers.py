"""Numbers as people and libraries write them, and plain text back.

A number is exact where it is whole; a decimal is everything that rounds to it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

import numpy as np
from mpmath import mp

from gradverify.claims.claim_limits import (
    DECIMAL_EXPONENT,
    NUMBER_CHARACTERS,
    TEXT_EXPONENT,
)
from gradverify.claims.computation.constants import LARGEST_FLOAT
from gradverify.claims.computation.file_program import NotUnderstood
from gradverify.expressions import shortened
from gradverify.graph import Array

ALLOWED = "ints, floats, fractions, text such as '0.0452' or '1/3', and lists of these"


@dataclass(frozen=True)
class Stated:
    """A number that somebody wrote: its text, its value, and how it was rounded.

    value: None for NaN and the infinities, which no derivative equals.
    half_unit: half a unit of the last digit of a decimal given as text, else 0.
    """

    text: str
    value: Fraction | None
    half_unit: Fraction = Fraction(0)


def stated(what: str, value: Any) -> Array:
    """An object array of `Stated`, of the shape of nested lists of numbers."""
    try:
        array = np.asarray(value, dtype=object)
    except ValueError:
        array = np.empty((), dtype=object)
    if array.ndim and any(isinstance(row, list | tuple) for row in array.flat):
        raise ValueError(_ragged(what, value))
    if not array.ndim and isinstance(value, list | tuple):
        raise ValueError(_ragged(what, value))
    result = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        result[index] = _number(what, array[index])
    return result


def _ragged(what: str, value: Any) -> str:
    sizes = dict.fromkeys(
        str(len(row)) if isinstance(row, list | tuple) else "no" for row in value
    )
    return (
        f"{what} is ragged: its rows have {', '.join(sizes)} entries; allowed: rows of "
        "one length"
    )


def floats(what: str, value: Any) -> Array:
    """A float array from nested lists of finite numbers."""
    found = stated(what, value)
    for number in found.flat:
        if number.value is None or abs(number.value) > LARGEST_FLOAT:
            raise ValueError(
                f"{what} is {number.text}; allowed: finite numbers that a float holds"
            )
    return np.array([float(n.value) for n in found.flat]).reshape(found.shape)


def _number(what: str, value: Any) -> Stated:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return _from_text(what, value.strip())
    if isinstance(value, Decimal):
        return _from_text(what, str(value))
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        raise ValueError(f"{what} is {shortened(repr(value))}; allowed: {ALLOWED}")
    if not math.isfinite(value):
        return Stated(str(value), None)
    exact = Fraction(value)
    is_whole = isinstance(value, float) and exact.denominator == 1 and abs(exact) < 1e15
    return Stated(str(int(value)) if is_whole else str(value), exact)


def _from_text(what: str, text: str) -> Stated:
    problem = ValueError(f"{what} is {shortened(repr(text))}; allowed: {ALLOWED}")
    if len(text) > NUMBER_CHARACTERS:
        raise problem
    try:
        if "/" in text:
            return Stated(text, Fraction(text))
        decimal = Decimal(text)
    except (ValueError, ZeroDivisionError, InvalidOperation):
        raise problem from None
    if not decimal.is_finite():
        return Stated(text, None)
    if abs(decimal.adjusted()) > DECIMAL_EXPONENT:  # of 0e999999999 as well
        raise problem
    last = int(decimal.as_tuple().exponent)
    is_rounded = "." in text or last < 0
    half = Fraction(10) ** last / 2 if is_rounded else Fraction(0)
    return Stated(text, Fraction(decimal), half)


# ---- within texts: a number, and how far it may be off


def interval(text: str, approximate: bool = False) -> tuple[Fraction, Fraction]:
    """The number and how far it may be off: half a unit of the last decimal."""
    if len(text) > NUMBER_CHARACTERS:
        allowed = f"allowed: up to {NUMBER_CHARACTERS}"
        raise NotUnderstood(f"a number has too many digits; {allowed}")
    try:
        decimal = Decimal(decimal_point(text))
    except InvalidOperation:  # an exponent that Decimal does not hold
        decimal = Decimal("inf")
    if not decimal.is_finite() or abs(decimal.adjusted()) > TEXT_EXPONENT:
        problem = f"{shortened(text)} is too large, or too small"
        raise NotUnderstood(f"{problem}; allowed: within 1e±{TEXT_EXPONENT}")
    unit = Fraction(10) ** int(decimal.as_tuple().exponent)
    is_rounded = any(mark in text.lower() for mark in ".,e")
    half = unit / 2 if is_rounded else Fraction(0)
    if approximate:  # ≈ 0 is no claim about 1, which rounds to 1
        half += unit if is_rounded else unit / 2
    return Fraction(decimal), half


def decimal_point(text: str) -> str:
    """A number with a decimal comma, as Python writes it.

    `NotUnderstood` where commas may part thousands as well.
    """
    if text.count(",") + text.count(".") > 1:
        raise NotUnderstood(f"{text} has two readings: decimals or thousands")
    if re.fullmatch(r"[1-9]\d{0,2},\d{3}", text):
        raise NotUnderstood(f"{text} has two readings: decimals or thousands")
    text = text.replace(",", ".")
    return f"0{text}" if text.startswith(".") else text


def printed_interval(text: str) -> tuple[Fraction, Fraction]:
    """A number that a library printed: `21.` is whole, `0.0452` is rounded."""
    return interval(re.sub(r"\.(?=e|$)", "", text.lower()) or "0")


# ---- back to text


def plain(value: Any, digits: int = 15) -> str:
    """An mpf as a decimal without empty digits: 21, 0.125, 1.5e-30."""
    text: str = mp.nstr(value, digits)
    mantissa, e, exponent = text.partition("e")
    if mantissa.endswith(".0"):
        mantissa = mantissa[:-2]
    return "0" if mantissa in ("0", "-0") else mantissa + e + exponent


def nested(texts: Array) -> str:
    """An array of texts as brackets within brackets; rank 0 bare."""
    if texts.ndim == 0:
        return str(texts.item())
    return "[" + ", ".join(nested(row) for row in _rows(texts)) + "]"


def _rows(texts: Array) -> list[Array]:
    return [np.asarray(texts[i], dtype=object) for i in range(len(texts))]
