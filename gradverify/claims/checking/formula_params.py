"""The keywords of functions in a formula: what each may be, and what it is at first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

PARAMS = {"dim": "axis", "keepdim": "keepdims", "label_smoothing": "smoothing"}

# What a param is where the formula does not say; that of PyTorch.
DEFAULTS: Mapping[str, Any] = {
    "reduction": "mean",
    "delta": 1.0,
    "eps": 1e-5,
    "smoothing": 0.0,
    "log_target": False,
    "weight": None,
}


def _whole(value: Any) -> Any:
    """Whole numbers, as a tuple."""
    several = (value,) if isinstance(value, int) else value
    if isinstance(several, tuple | list) and all(type(n) is int for n in several):
        return tuple(several)
    raise ValueError


def _axis(value: Any) -> Any:
    return None if value is None else _whole(value)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return float(value)


def _one(value: Any) -> int:
    if type(value) is int:
        return value
    raise ValueError


def _weights(value: Any) -> Any:
    return None if value is None else tuple(_number(v) for v in value)


def _reduction(value: Any) -> str:
    if value in ("mean", "sum", "none"):
        return str(value)
    raise ValueError


def _text(value: Any) -> str:
    if isinstance(value, str) and len(value) < 100:
        return value.replace(" ", "")
    raise ValueError


WHOLE = "whole numbers, or tuples of them"

# What reads a param, and what is allowed.
READ: Mapping[str, tuple[Callable[[Any], Any], str]] = {
    "axis": (_axis, f"{WHOLE}, or None"),
    "axes": (_axis, f"{WHOLE}, or None"),
    "keepdims": (_flag, "True or False"),
    "log_target": (_flag, "True or False"),
    "count_include_pad": (_flag, "True or False"),
    "reduction": (_reduction, "'mean', 'sum' or 'none'"),
    "subscripts": (_text, "text such as 'ij,jk->ik'"),
    "ddof": (_one, "a whole number"),
    "groups": (_one, "a whole number"),
    "weight": (_weights, "numbers, or None"),
    **dict.fromkeys(
        ("delta", "eps", "smoothing", "alpha", "p", "low", "high", "n"),
        (_number, "a number"),
    ),
}


def read_param(name: str, value: Any) -> Any:
    """A param's value; `ValueError` says what is allowed."""
    read, allowed = READ.get(name, (_whole, WHOLE))
    try:
        return read(value)
    except (ValueError, TypeError):
        raise ValueError(allowed) from None
