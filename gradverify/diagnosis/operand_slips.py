"""Slips with the factors and the operands of an op.

Each function takes an application of an op and a key. It returns the bars (the
derivatives with respect to the operands) that the application passes on if it is made
with that slip. It returns None if the slip does not apply. The function above it lists
its keys.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradverify.diagnosis.right_sweep import Application, Bars
from gradverify.ops.shapes import reduction

Key = Any
FIT = "fitted"  # the key of a factor that is read off the numbers
# Reductions with the same slope for every operand: a dropped one is a wrong factor.
COUNTING = ("sum", "mean")


# ---- factors


def dropped(a: Application, key: Key) -> Bars | None:
    if a.is_elementwise:
        return a.through([np.longdouble(1.0)] * len(a.xs))
    same = a.node.shape in map(np.shape, a.xs)  # that is `passed_on`
    if a.has_axis and a.node.op not in COUNTING and not same:
        return [spread(a, a.ct, k) for k in range(len(a.xs))]
    return None


def together(a: Application, key: Key) -> Bars | None:
    """The bar of an operand that is used twice, with its two paths taken for one."""
    if not a.is_elementwise or len(set(a.node.operands)) == len(a.xs):
        return None
    return a.through([np.longdouble(1.0) / len(a.xs)] * len(a.xs))


def spread(a: Application, ct: Any, position: int) -> Any:
    """A cotangent repeated over the axes that were reduced, in the operand's shape."""
    shape = np.shape(a.xs[position])
    if np.shape(ct) == shape:
        return ct
    lead = np.shape(ct)[: np.ndim(ct) - len(a.node.shape)]
    try:
        kept = reduction(shape, axis=a.node.params.get("axis"), keepdims=True)
        return np.broadcast_to(np.reshape(ct, lead + kept), lead + shape)
    except ValueError:
        return None


def without(a: Application, key: Key) -> Bars | None:
    return [None] * len(a.xs) if len(a.xs) > 1 else None


def zero(a: Application, key: Key) -> Bars | None:
    is_path = len(a.moved) == 1 < len(a.xs)  # that is `without`
    return None if is_path else [None] * len(a.xs)


def negated(a: Application, key: Key) -> Bars:
    return [None if b is None else -b for b in a.bars]


def times(a: Application, key: Key) -> Bars:
    factor = CONSTANTS[key] if isinstance(key, str) else np.longdouble(key)
    return [None if b is None else b * factor for b in a.bars]


# fmt: off
CONSTANTS: Mapping[str, Any] = {name: np.longdouble(value) for name, value in {
    "2":       2.0,
    "1/2":     0.5,
    "ln 2":    np.log(np.longdouble(2)),
    "1/ln 2":  1 / np.log(np.longdouble(2)),
    "ln 10":   np.log(np.longdouble(10)),
    "1/ln 10": 1 / np.log(np.longdouble(10)),
    "π/180":   np.longdouble("3.14159265358979323846264") / 180,
    "180/π":   180 / np.longdouble("3.14159265358979323846264"),
    "π":       np.longdouble("3.14159265358979323846264"),
    "1/π":     1 / np.longdouble("3.14159265358979323846264"),
    "2/√π":    2 / np.sqrt(np.longdouble("3.14159265358979323846264")),
    "√π/2":    np.sqrt(np.longdouble("3.14159265358979323846264")) / 2,
    "√2":      np.sqrt(np.longdouble(2)),
    "1/√2":    1 / np.sqrt(np.longdouble(2)),
    "3":       3.0,
    "1/3":     np.longdouble(1) / 3,
    "4":       4.0,
    "1/4":     0.25,
    "10":      10.0,
    "1/10":    np.longdouble(1) / 10,
    "-2":     -2.0,
    "-1/2":   -0.5,
}.items()}
# fmt: on


def factors(a: Application) -> list[Key]:
    return [*CONSTANTS, FIT]


def counts(a: Application) -> list[Key]:
    n = count_of(a)
    return [] if n < 2 else ["n", "1/n", "n/(n-1)", "(n-1)/n"]


def count_of(a: Application) -> int:
    """How many elements of the operand a reduction combines into one."""
    if not a.has_axis or len(a.xs) != 1:
        return 1
    size = math.prod(np.shape(a.xs[0]))
    return int(size // max(1, math.prod(a.node.shape)))


def by_count(a: Application, key: Key) -> Bars | None:
    n = np.longdouble(count_of(a))
    found = {"n": n, "1/n": 1 / n, "n/(n-1)": n / (n - 1), "(n-1)/n": (n - 1) / n}
    return times(a, found[key])


# ---- operands


def swapped(a: Application, key: Key) -> Bars | None:
    if a.is_elementwise and len(a.xs) == 2:  # one of them may be a number
        partials = a.partials()
        return a.through(partials[::-1])
    if len(a.moved) != 2:
        return None
    i, j = a.moved
    bars = list(a.bars)
    if bars[i] is None or bars[j] is None or np.shape(bars[i]) != np.shape(bars[j]):
        return None
    bars[i], bars[j] = bars[j], bars[i]
    return bars


TRANSPOSES: Mapping[str, tuple[Key, ...]] = {
    "matmul": ("the other operand", "the result"),
    "transpose": ("the axes' order",),
    **dict.fromkeys(
        (
            "det",
            "slogdet",
            "inv",
            "solve",
            "solve_triangular",
            "matrix_power",
            "matrix_exp",
            "cholesky",
            "pinv",
            "lstsq",
        ),
        ("what goes back",),
    ),
}


def transposes(a: Application) -> list[Key]:
    return list(TRANSPOSES.get(a.node.op, ()))


def transposed(a: Application, key: Key) -> Bars | None:
    if key == "the axes' order":
        lead = np.ndim(a.ct) - len(a.node.shape)
        axes = a.node.params.get("axes") or range(len(a.node.shape))
        order = (*range(lead), *(lead + k for k in axes))
        found = np.transpose(a.ct, order)
        return [found] if _has_shape(found, a.xs[0]) else None
    if key in ("the result", "what goes back"):
        turned = [_turned(b, x) for b, x in zip(a.bars, a.xs, strict=True)]
        return None if all(t is None for t in turned) else _filled(a, turned)
    left, right = a.xs
    if np.ndim(left) != 2 or np.ndim(right) != 2 or np.ndim(a.ct) < 2:
        return None
    return _filled(a, [_product(a.ct, right, left), _product(left, a.ct, right)])


def _has_shape(found: Any, x: Any) -> bool:
    return bool(np.shape(found)[np.ndim(found) - np.ndim(x) :] == np.shape(x))


SPREAD = ("sum", "mean")
"""Reductions that send one number back to all that they reduced."""


def reduced(a: Application) -> list[Key]:
    """One key for a reduction of a square matrix along an axis."""
    axis = a.node.params.get("axis")
    is_square = np.ndim(a.xs[0]) == 2 and len(set(np.shape(a.xs[0]))) == 1
    return [None] if a.node.op in SPREAD and axis and is_square else []


def along_another(a: Application, key: Key) -> Bars | None:
    """The cotangent of a reduction, spread along the other axis of a square matrix."""
    del key
    return [_turned(a.bars[0], a.xs[0])]


def _turned(bar: Any, x: Any) -> Any:
    if bar is None or np.ndim(x) < 2 or len(set(np.shape(x)[-2:])) != 1:
        return None
    return np.swapaxes(bar, -1, -2)


def axes_around(a: Application) -> list[Key]:
    """The axes of an operand of an array op, counted from the end; the two last ones
    together stand for a plane.
    """
    if a.is_elementwise:
        return []
    ranks = [np.ndim(a.xs[k]) for k in a.moved]
    most = max(ranks, default=0)
    return [*((-k,) for k in range(1, most + 1)), *([(-1, -2)] if most > 1 else [])]


def turned_around(a: Application, key: Key) -> Bars | None:
    """The bars, each the other way around along these axes."""
    return [
        b if b is None or np.ndim(x) < -min(key) else np.flip(b, key)
        for b, x in zip(a.bars, a.xs, strict=True)
    ]


def passed_on(a: Application, key: Key) -> Bars | None:
    """The cotangent as it came, by an op that is not elementwise and keeps a shape."""
    if a.is_elementwise:
        return None
    return [a.ct if np.shape(x) == a.node.shape else b
            for b, x in zip(a.bars, a.xs, strict=True)]  # fmt: skip


def _product(a: Any, b: Any, x: Any) -> Any:
    try:
        found = np.matmul(a, b)
    except ValueError:
        return None
    return found if _has_shape(found, x) else None


def _filled(a: Application, bars: Bars) -> Bars:
    """The given bars, with the right bar wherever one is missing."""
    return [r if b is None else b for b, r in zip(bars, a.bars, strict=True)]


def widenings(a: Application) -> list[Key]:
    if not (a.is_elementwise or a.node.op == "broadcast_to"):
        return []
    narrow = any(np.shape(a.xs[k]) != a.node.shape for k in a.moved)
    return ["the first entry", "the last entry", "the mean"] if narrow else []


def unsummed(a: Application, key: Key) -> Bars | None:
    if a.node.op == "broadcast_to":
        terms: list[Any] = [a.ct]
    else:
        terms = [a.ct * p for p in a.partials()]
    return [
        _narrowed(term, np.shape(x), len(a.node.shape), key) if f else None
        for term, x, f in zip(terms, a.xs, a.follows, strict=True)
    ]


def _narrowed(term: Any, shape: tuple[int, ...], rank: int, how: str) -> Any:
    """A term in the operand's shape, from one of its entries or from their mean."""
    lead = np.ndim(term) - rank
    padded = (1,) * (rank - len(shape)) + shape
    for k, n in enumerate(padded):
        if n == 1 and np.shape(term)[lead + k] != 1:
            along = lead + k
            if how == "the mean":
                term = np.mean(term, axis=along, keepdims=True)
            else:
                term = np.take(term, [0 if "first" in how else -1], axis=along)
    return np.reshape(term, np.shape(term)[:lead] + shape)
