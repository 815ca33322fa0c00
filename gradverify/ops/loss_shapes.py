"""Shape rules of losses: operand shapes and params in, result shape out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from gradverify.ops.checks import (
    check_above,
    check_eps,
    check_indices,
    check_numbers,
    check_one_of,
    check_signs,
    check_truth,
)
from gradverify.ops.shapes import Shape

Sizes = Sequence[int]

REDUCTIONS = ("none", "mean", "sum")

IGNORED = -100
"""The target of a row that does not count: the default of PyTorch."""


def loss(x: Shape, t: Shape, *, reduction: str, **params: Any) -> Shape:
    """Two operands of one shape to one loss each, or to a number."""
    if x != t or 0 in x:
        raise ValueError(f"shapes {x} and {t}; allowed are two equal ones, not empty")
    check_truth("log_target", params.get("log_target", False))
    check_above("delta", params.get("delta", 1.0))
    return _reduced(x, reduction)


def _reduced(shape: Shape, reduction: str) -> Shape:
    check_one_of("reduction", reduction, REDUCTIONS)
    return shape if reduction == "none" else ()


def nll(x: Shape, *, target: Sizes, weight: Any, reduction: str) -> Shape:
    """(rows, classes), a target for each row, a weight for each class or None."""
    if len(x) != 2 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (rows, classes), not empty")
    _check_classes(target, x[1])
    if len(target) != x[0]:
        raise ValueError(f"target={target!r} does not name a class for {x[0]} rows")
    if weight is not None:
        check_numbers("weight", weight, x[1], 0.0)
    return _reduced(x[:1], reduction)


def _check_classes(target: Any, classes: int) -> None:
    """Each a class or `IGNORED`; one of them at least is a class."""
    are_many = isinstance(target, tuple | list)
    seen = [k for k in target if k != IGNORED or type(k) is not int] if are_many else []
    check_indices(seen if are_many else target, classes, "target")


def cross_entropy(x: Shape, *, smoothing: float, **params: Any) -> Shape:
    """As `nll`, for 0 <= smoothing <= 1."""
    if type(smoothing) is not float or not 0 <= smoothing <= 1:
        raise ValueError(f"smoothing={smoothing!r}; allowed is 0.0 to 1.0")
    return nll(x, **params)


# ---- numbers and targets of the same shape


def smooth_l1(x: Shape, t: Shape, *, beta: float, reduction: str) -> Shape:
    """As `loss`, for beta > 0."""
    check_above("beta", beta)
    return loss(x, t, reduction=reduction)


def signed(x: Shape, *, signs: Sizes, reduction: str, margin: float = 1.0) -> Shape:
    """A sign for each entry."""
    if 0 in x:
        raise ValueError(f"shape {x} is empty")
    check_signs(signs, math.prod(x))
    check_above("margin", margin, -math.inf)
    return _reduced(x, reduction)


def margin_ranking(x: Shape, y: Shape, **params: Any) -> Shape:
    """Two equal shapes, and a sign for each entry."""
    loss(x, y, reduction="none")
    return signed(x, **params)


def multilabel_soft_margin(x: Shape, t: Shape, *, weight: Any, reduction: str) -> Shape:
    """(rows, classes) twice, a weight for each class or None: a loss for each row."""
    loss(x, t, reduction=reduction)
    return _of_rows(x, weight, reduction)


def _of_rows(x: Shape, weight: Any, reduction: str) -> Shape:
    if len(x) != 2 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (rows, classes), not empty")
    if weight is not None:
        check_numbers("weight", weight, x[1], 0.0)
    return _reduced(x[:1], reduction)


def soft_cross_entropy(
    x: Shape, t: Shape, *, weight: Any, smoothing: float, reduction: str
) -> Shape:
    """(rows, classes) twice: logits, and the share of each class in a row's target."""
    cross_entropy(x, smoothing=smoothing, target=(0,) * x[0] if x else (),
                  weight=weight, reduction=reduction)  # fmt: skip
    return multilabel_soft_margin(x, t, weight=weight, reduction=reduction)


def poisson_nll(
    x: Shape, t: Shape, *, log_input: bool, full: bool, eps: float, reduction: str
) -> Shape:
    """As `loss`, for eps > 0."""
    check_truth("log_input", log_input)
    check_truth("full", full)
    check_eps(eps)
    return loss(x, t, reduction=reduction)


def gaussian_nll(
    x: Shape, t: Shape, var: Shape, *, full: bool, eps: float, reduction: str
) -> Shape:
    """Three equal shapes; the last may have one variance for each row."""
    check_truth("full", full)
    check_eps(eps)
    if not x or var not in (x, (*x[:-1], 1)):
        raise ValueError(f"shape {var} of the variances; allowed are {x} and one a row")
    return loss(x, t, reduction=reduction)


# ---- distances


def pairwise_distance(
    x: Shape, y: Shape, *, p: float, eps: float, keepdims: bool
) -> Shape:
    """(…, width) twice: a distance for each row."""
    check_truth("keepdims", keepdims)
    check_above("p", p)
    check_eps(eps)
    if not x or x != y or 0 in x:
        raise ValueError(f"shapes {x} and {y}; allowed are two equal ones, (…, width)")
    return (*x[:-1], 1) if keepdims else x[:-1]


def cosine_embedding(
    x: Shape, y: Shape, *, signs: Sizes, margin: float, reduction: str
) -> Shape:
    """(rows, width) twice, and a sign for each row."""
    if len(x) != 2 or x != y or 0 in x:
        raise ValueError(f"shapes {x} and {y}; allowed is (rows, width) twice")
    return signed(x[:1], signs=signs, margin=margin, reduction=reduction)


def triplet_margin(
    anchor: Shape,
    positive: Shape,
    negative: Shape,
    *,
    margin: float,
    swap: bool,
    reduction: str,
    **params: Any,
) -> Shape:
    """(rows, width) three times."""
    check_truth("swap", swap)
    check_above("margin", margin)
    if len(anchor) != 2 or not anchor == positive == negative:
        raise ValueError(
            f"shapes {anchor}, {positive} and {negative}; allowed is (rows, width) each"
        )
    return _reduced(_distances(anchor, positive, **params), reduction)


def _distances(x: Shape, y: Shape, *, p: float, eps: float) -> Shape:
    return pairwise_distance(x, y, p=p, eps=eps, keepdims=False)


# ---- classes


def multi_margin(
    x: Shape, *, target: Sizes, p: int, margin: float, weight: Any, reduction: str
) -> Shape:
    """As `nll`, for p = 1 or 2."""
    check_one_of("p", p, (1, 2))
    check_above("margin", margin, -math.inf)
    if isinstance(target, tuple | list) and IGNORED in target:
        raise ValueError(
            f"target={target!r}; {IGNORED}, an ignored row, is not allowed"
        )
    return nll(x, target=target, weight=weight, reduction=reduction)


def multilabel_margin(x: Shape, *, target: Sizes, reduction: str) -> Shape:
    """(rows, classes); as many targets, in each row the right classes, then -1."""
    found = _of_rows(x, None, reduction)
    if not isinstance(target, tuple | list) or len(target) != math.prod(x):
        raise ValueError(f"target={target!r}; allowed are {math.prod(x)} classes or -1")
    for k in range(x[0]):
        row = labels(target, x[1], k)
        if len({*row}) != len(row) or not all(
            type(c) is int and 0 <= c < x[1] for c in row
        ):
            raise ValueError(
                f"row {k} of target={target!r}; allowed are distinct classes below "
                f"{x[1]}, then -1"
            )
    return found


def labels(target: Sizes, classes: int, row: int) -> Sizes:
    """The right classes of a row: those before the first -1."""
    found = target[row * classes : (row + 1) * classes]
    return found[: found.index(-1)] if -1 in found else found


# ---- sequences


def ctc(
    x: Shape, *, target: Sizes, lengths: Sizes, steps: Sizes, blank: int, reduction: str
) -> Shape:
    """(steps, batch, classes); the targets one after the other, and their lengths.

    Every target must fit into the steps that its row has.
    """
    if len(x) != 3 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (steps, batch, classes), not empty")
    check_one_of("blank", blank, range(x[2]))
    for name, sizes, least in (("lengths", lengths, 0), ("steps", steps, 1)):
        is_plain = isinstance(sizes, tuple | list) and len(sizes) == x[1]
        if not is_plain or not all(type(n) is int and n >= least for n in sizes):
            raise ValueError(f"{name}={sizes!r}; allowed are {x[1]} whole numbers")
    if not isinstance(target, tuple | list):
        raise ValueError(f"target={target!r}; allowed is a list of classes")
    if target:
        check_indices(target, x[2], "target")
    if sum(lengths) != len(target) or blank in target or max(steps) > x[0]:
        raise ValueError(
            f"target={target!r} with lengths={lengths!r}, steps={steps!r} and "
            f"blank={blank!r} do not fit {x}"
        )
    for row, n in zip(parts(target, lengths), steps, strict=True):
        repeated = sum(a == b for a, b in itertools.pairwise(row))
        if len(row) + repeated > n:
            raise ValueError(f"target {row!r} does not fit into {n} steps")
    return _reduced(x[1:2], reduction)


def parts(target: Sizes, lengths: Sizes) -> list[Sizes]:
    """The target of each row."""
    ends = [sum(lengths[: k + 1]) for k in range(len(lengths))]
    return [target[end - n : end] for end, n in zip(ends, lengths, strict=True)]
