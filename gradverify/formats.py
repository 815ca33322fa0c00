"""Floating-point formats: all that is known of a format stands in its row.

A case may have a dtype if the row of that format says how cases in it are drawn. In the
other formats, hardware computes what a program asked for in a wider one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Drawn:
    """How cases in a dtype are drawn, and made wrong on purpose.

    growth: how many decades a product of partial derivatives along a path may span
        (`strategies/draft.py`). That is well within the format's range.
    largest: the largest modulus of a number at which a graph is looked at. Its square
        and its cube are within the format's range.
    wrong_constant: the relative error that the selftest plants into a constant. A
        mistyped digit may have such an error.
    extremes: numbers whose squares do not fit, though what one op makes of them may.
    """

    growth: float
    largest: float
    wrong_constant: float
    extremes: tuple[float, ...]


@dataclass(frozen=True)
class Format:
    """A binary format, in the terms of IEEE 754.

    precision: the bits of the significand, its leading bit included.
    emin, emax: the exponents of the smallest normal number and of the largest number.
        Significands are in [1, 2). Below are subnormal numbers.
    wider: the name of the next format that holds all of its numbers; None if there is
        no such format.
    drawn: how cases are drawn; None if no case is in this format.
    """

    name: str
    precision: int
    emin: int
    emax: int
    wider: str | None = None
    drawn: Drawn | None = None

    @cached_property
    def unit_roundoff(self) -> float:
        """The largest relative error of a rounding to the nearest normal number."""
        return 2.0**-self.precision

    @cached_property
    def spacing(self) -> float:
        """The distance from 1 to the next larger number."""
        return 2.0 ** (1 - self.precision)

    @cached_property
    def smallest(self) -> float:
        """The smallest positive number, a subnormal one."""
        return 2.0 ** (self.emin - self.precision + 1)

    @cached_property
    def normal(self) -> float:
        """The smallest positive normal number."""
        return 2.0**self.emin

    @cached_property
    def largest(self) -> float:
        """The largest finite number."""
        return (2.0 - self.spacing) * 2.0**self.emax


BEYOND_64 = (2e154, 1e200, 1e300, 1e-155, 1e-200, 1e-300, -1e200, 1023.5)
BEYOND_32 = (2e19, 1e25, 1e37, 1e-20, 1e-25, 1e-37, -1e25, 127.5)

DRAWN_64 = Drawn(250.0, 1e30, 1e-9, BEYOND_64)
DRAWN_32 = Drawn(30.0, 1e12, 1e-3, BEYOND_32)

# fmt: off
ROWS = (
    #      name     precision   emin   emax  wider      drawn
    Format("float64",      53, -1022,  1023, None,      DRAWN_64),
    Format("float32",      24,  -126,   127, "float64", DRAWN_32),
    Format("TF32",         11,  -126,   127, "float32"),
    Format("bfloat16",      8,  -126,   127, "float32"),
)
# fmt: on
"""Wider ones first: IEEE 754's, then those of NVIDIA's and Google's matrix units."""

FORMATS = {row.name: row for row in ROWS}
DTYPES = tuple(row.name for row in ROWS if row.drawn is not None)
"""The dtypes that a case may have."""


def format_of(name: str) -> Format:
    """The row of a format. Raises `ValueError` if there is none."""
    if name not in FORMATS:
        raise ValueError(
            f"format {name!r} is unknown; known are {', '.join(FORMATS)}: give one of "
            "them, or add a row to ROWS in gradverify/formats.py"
        )
    return FORMATS[name]


def drawn_in(dtype: str) -> Drawn:
    """How cases in a dtype are drawn. Raises `ValueError` if cases cannot have it."""
    drawn = format_of(dtype).drawn
    if drawn is None:
        raise ValueError(
            f"no case is drawn in {dtype}; dtypes of cases are {', '.join(DTYPES)}: "
            "give one of them, or fill its row in gradverify/formats.py"
        )
    return drawn


def check_dtype(dtype: object) -> None:
    """Raise `ValueError` if a case cannot have that dtype."""
    if dtype not in DTYPES:
        raise ValueError(f"dtype {dtype!r} is unknown; allowed are {DTYPES}")


def narrower_than(name: str) -> tuple[Format, ...]:
    """The formats whose numbers the given one holds, the wider ones first."""
    return tuple(row for row in ROWS if name in _names_of_wider(row))


def _names_of_wider(row: Format) -> Iterator[str]:
    while row.wider is not None:
        yield row.wider
        row = format_of(row.wider)


DOUBLE = format_of("float64")
"""What points and literals are written in, and most of our own arithmetic runs in."""
