"""Shape rules of losses: operand shapes and params in, result shape out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from gradverify.ops.checks import check_indices, check_numbers, check_truth
from gradverify.ops.shapes import Shape

Sizes = Sequence[int]

REDUCTIONS = ("none", "mean", "sum")


def loss(x: Shape, t: Shape, *, reduction: str, **params: Any) -> Shape:
    """Two operands of one shape to one loss each, or to a number."""
    if x != t or 0 in x:
        raise ValueError(f"shapes {x} and {t}; allowed are two equal ones, not empty")
    check_truth("log_target", params.get("log_target", False))
    delta = params.get("delta", 1.0)
    if type(delta) is not float or not 0 < delta < math.inf:
        raise ValueError(f"delta={delta!r}; allowed is a float above 0")
    return _reduced(x, reduction)


def _reduced(shape: Shape, reduction: str) -> Shape:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction={reduction!r}; allowed are {REDUCTIONS}")
    return shape if reduction == "none" else ()


def nll(x: Shape, *, target: Sizes, weight: Any, reduction: str) -> Shape:
    """(rows, classes), a target for each row, a weight for each class or None."""
    if len(x) != 2 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (rows, classes), not empty")
    check_indices(target, x[1], "target")
    if len(target) != x[0]:
        raise ValueError(f"target={target!r} does not name a class for {x[0]} rows")
    if weight is not None:
        check_numbers("weight", weight, x[1], 0.0)
    return _reduced(x[:1], reduction)


def cross_entropy(x: Shape, *, smoothing: float, **params: Any) -> Shape:
    """As `nll`, for 0 <= smoothing <= 1."""
    if type(smoothing) is not float or not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing={smoothing!r}; allowed is 0.0 to 1.0")
    return nll(x, **params)
