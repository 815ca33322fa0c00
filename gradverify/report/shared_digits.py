"""Two numbers side by side: the digits that they share, and enough of those that
differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

PLAIN = range(-5, 17)  # decimal exponents that are written without an exponent
MORE = 3  # digits that are shown behind the first one that tells two numbers apart
APART = 20  # numbers further apart than so many powers of ten are not aligned


@dataclass(frozen=True)
class Compared:
    """A number that was got and the exact one, in the same notation.

    same: the leading characters that both have.
    got, exact: the rest of each, with as many digits as tell them apart; "…" stands for
        more.
    suffix: the exponent that both share.
    """

    same: str
    got: str
    exact: str
    suffix: str = ""


def decimal(text: str) -> Decimal | None:
    """The finite number that a text stands for; None if there is none."""
    try:
        number = Decimal(text)
    except (InvalidOperation, ValueError):
        return None
    return number if number.is_finite() else None


def compared(got: str, exact: str) -> Compared | None:
    """Both numbers with their digits aligned; None if either is not a finite number."""
    left, right = decimal(got), decimal(exact)
    if left is None or right is None:
        return None
    scale = (right or left).adjusted()
    if left and right and abs(left.adjusted() - right.adjusted()) > APART:
        return Compared("", got, exact)
    power = 0 if scale in PLAIN else scale
    if power and not (left and right):  # no exponent stands behind a zero
        mantissa = _cut("", _plain(left or right, power), 0)
        return Compared(
            "", *(f"{mantissa}e{power}" if x else "0" for x in (left, right))
        )
    texts = _plain(left, power), _plain(right, power)
    suffix = f"e{power}" if power else ""
    same = _shared(*texts)
    rest = texts[0][len(same) :], texts[1][len(same) :]
    return Compared(same, *_telling(same, *rest), suffix)


def _plain(number: Decimal, power: int) -> str:
    """The number over 10**power, without an exponent and without trailing zeros."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    text = format(Decimal((sign, digits, exponent - power)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _telling(same: str, left: str, right: str) -> tuple[str, str]:
    """Both ends, cut a few digits behind the first one that differs.

    The shorter number is filled up with zeros. No digit before the point is cut off. A
    small number keeps as many significant digits as a large one.
    """
    size = max(len(left), len(right)) + 1
    ends = (x if "." in same + x else f"{x}." for x in (left, right))
    pairs = zip(*(x.ljust(size, "0") for x in ends), strict=True)
    apart = next((i for i, (a, b) in enumerate(pairs) if a != b), size)
    return _cut(same, left, apart), _cut(same, right, apart)


def _cut(same: str, text: str, least: int) -> str:
    if "." not in same:
        point = text.find(".")
        if point < 0:
            return text  # a whole number
        least = max(least, point)
    if not same.strip("-0."):
        least = max(least, len(text) - len(text.lstrip("-0.")))
    end = least + 1 + MORE
    return text if len(text) <= end + 1 else f"{text[:end]}…"


def _shared(left: str, right: str) -> str:
    """The leading characters that agree, if the decimal points are in the same
    place.
    """
    if len(left.partition(".")[0]) != len(right.partition(".")[0]):
        return ""
    for i, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return left[:i]
    return min(left, right, key=len)
