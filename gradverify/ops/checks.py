"""Checks of params that several layers share; each raises `ValueError`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def check_indices(index: Any, count: int, name: str) -> None:
    """Refuse what is not a list of places below `count`."""
    are_ints = isinstance(index, tuple | list) and all(type(k) is int for k in index)
    if not are_ints or not index or not all(0 <= k < count for k in index):
        raise ValueError(
            f"{name}={index!r}; allowed are one or more whole numbers below {count}"
        )


def check_truth(name: str, value: Any) -> None:
    """Refuse what is neither True nor False."""
    if type(value) is not bool:
        raise ValueError(f"{name}={value!r}; allowed are True and False")


def check_above(name: str, value: Any, least: float = 0) -> None:
    """Refuse what is not a finite float above a given number."""
    if type(value) is not float or not least < value < math.inf:
        raise ValueError(f"{name}={value!r}; allowed is a float above {least}")


def check_one_of(name: str, value: Any, allowed: Sequence[Any]) -> None:
    """Refuse what is none of a few values, or of another type."""
    if not any(type(value) is type(one) and value == one for one in allowed):
        raise ValueError(
            f"{name}={value!r}; allowed are {', '.join(map(repr, allowed))}"
        )


def check_signs(signs: Any, count: int) -> None:
    """Refuse what is not a 1 or a -1 for each of `count` places."""
    is_plain = isinstance(signs, tuple | list) and len(signs) == count
    if not is_plain or not all(type(v) is int and abs(v) == 1 for v in signs):
        raise ValueError(f"signs={signs!r}; allowed are {count} numbers 1 and -1")


def check_eps(eps: Any) -> None:
    """Refuse what is not a finite float above 0."""
    check_above("eps", eps)


def check_sizes(name: str, sizes: Any, rank: int, least: int = 1) -> None:
    """Refuse what is not a whole number for each axis."""
    is_plain = isinstance(sizes, tuple | list) and len(sizes) == rank
    if not is_plain or not all(type(n) is int and n >= least for n in sizes):
        raise ValueError(
            f"{name}={sizes!r}; allowed are {rank} whole numbers from {least} up"
        )


def check_numbers(name: str, values: Any, count: int, above: float) -> None:
    """Refuse what is not a list of `count` finite floats above a given number."""
    is_plain = isinstance(values, tuple | list) and len(values) == count
    if not is_plain or not all(
        type(v) is float and above < v < math.inf for v in values
    ):
        raise ValueError(f"{name}={values!r}; allowed are {count} floats above {above}")
