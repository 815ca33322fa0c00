"""Numbers as texts write them: what rounds to them, and what a text sets."""

from __future__ import annotations

import re
from fractions import Fraction

from gradverify.claims.computation.file_program import NotUnderstood

LONGEST = 60  # characters of a number


def interval(text: str, approximate: bool = False) -> tuple[Fraction, Fraction]:
    """The number and how far it may be off: half a unit of the last decimal."""
    if len(text) > LONGEST:
        raise NotUnderstood("a number has too many digits")
    plain = decimal_point(text)
    mantissa, _, exponent = plain.lower().partition("e")
    if exponent and abs(int(exponent)) > 300:
        raise NotUnderstood("a number is too large, or too small")
    decimals = len(mantissa.partition(".")[2])
    unit = Fraction(10) ** (int(exponent or 0) - decimals)
    rounded = "." in mantissa or bool(exponent)
    half = (unit / 2 if rounded else Fraction(0)) + (unit if approximate else 0)
    return Fraction(plain), half


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


def assignments(text: str) -> list[tuple[str, str]]:
    """`x=2, y=-1` as pairs."""
    found = re.findall(r"([A-Za-z]\w*)\s*=\s*(-?\s*\d[\d.,]*\d|-?\s*\d)", text)
    return [(name, number.replace(" ", "")) for name, number in found]
