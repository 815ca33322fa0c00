"""The matrices of linear maps with fixed coefficients, exactly.

A map is named by a tuple: its family, and what the family takes. Its coefficients are
the numbers `part * cos(pi * turn) / sqrt(root)`, which every arithmetic has in all its
digits. A new family is a function, and a row of `FAMILIES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from gradverify.ops.shapes import Shape

Map = tuple[Any, ...]
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Coefficient:
    """The number `part * cos(pi * turn) / sqrt(root)`."""

    part: Fraction
    turn: Fraction = Fraction(0)
    root: int = 1


Rows = list[list[Coefficient]]
ZERO = Coefficient(Fraction(0))
NORMS = ("backward", "ortho", "forward")
FOURIER = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")


def by_size(norm: str, inverse: bool, n: int) -> tuple[Fraction, int]:
    """By what a transform of n entries is multiplied: a fraction, over a root."""
    if norm == "ortho":
        return Fraction(1), n
    return (Fraction(1, n) if (norm == "forward") != inverse else Fraction(1)), 1


def fourier(kind: str, count: int, n: int, norm: str) -> Rows:
    """The discrete Fourier transform of n numbers, of which `count` are given.

    A complex number is two, its parts, one beside the other. Of a Hermitian sequence
    one half is given, or comes out. The parts of its first entry and of the middle one
    that are not real are not looked at.
    """
    part, root = by_size(norm, kind.startswith("i"), n)
    sign = 1 if kind in ("ifft", "irfft", "ihfft") else -1
    into_real, of_real = kind in ("irfft", "hfft"), kind in ("rfft", "ihfft")
    results = n // 2 + 1 if of_real else n
    rows: Rows = []
    for j in range(count):
        used = j < (n // 2 + 1 if into_real else n)
        twice = into_real and j not in (0, Fraction(n, 2))
        size = part * (2 if twice else 1) if used else Fraction(0)
        real: list[Coefficient] = []
        imaginary: list[Coefficient] = []
        for k in range(results):
            turn = sign * Fraction(2 * j * k, n)
            cos, sin, minus_sin = (
                Coefficient(size, t % 2, root) for t in (turn, turn - HALF, turn + HALF)
            )
            real += [cos] if into_real else [cos, sin]
            imaginary += [minus_sin] if into_real else [minus_sin, cos]
        rows += [real] if of_real else [real, imaginary]
    return rows


def cosine(kind: str, n: int, norm: str) -> Rows:
    """The discrete cosine transform of the second kind, and its inverse."""
    forth = kind == "dct"
    rows = [[ZERO] * n for _ in range(n)]
    for j in range(n):
        for k in range(n):
            place, wave = (j, k) if forth else (k, j)
            turn = Fraction(wave * (2 * place + 1), 2 * n)
            if norm == "ortho":
                coefficient = Coefficient(Fraction(1), turn, n if wave == 0 else 2 * n)
                if wave:
                    coefficient = Coefficient(Fraction(2), turn, 2 * n)
            else:
                size = Fraction(2) if forth else Fraction(1 if wave else HALF, n)
                coefficient = Coefficient(size, turn)
            rows[j][k] = coefficient
    return rows


FAMILIES: Mapping[str, Callable[..., Rows]] = {"fourier": fourier, "cosine": cosine}


@lru_cache(maxsize=256)
def coefficients_of(named: Map) -> Any:
    """The coefficients of a map, an array of shape (operands, results)."""
    family, *params = named
    rows = FAMILIES[family](*params)
    found = np.empty((len(rows), len(rows[0])), dtype=object)
    for i, row in enumerate(rows):
        found[i, :] = row
    return found


def shape_of(named: Map) -> Shape:
    """Operands and results of a map."""
    return tuple(coefficients_of(named).shape)


def coefficients(operand: Shape, *, of: Map) -> Shape:
    """The shape of the matrix of a linear map, one for each matrix of the operand."""
    return (*operand[:-2], *shape_of(of))


def largest_of(named: Map) -> float:
    """The largest size of a coefficient, to the digits of a double."""
    return max(
        abs(float(c.part) * math.cos(math.pi * c.turn)) / math.sqrt(c.root)
        for c in coefficients_of(named).flat
    )
