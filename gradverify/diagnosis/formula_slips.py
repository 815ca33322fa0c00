"""Slips in the formula of one op: another formula, a number added to a divisor, an index.

As in `operand_slips`, each function takes an application of an op and a key, and gives
the bars that the application passes on if it is made with that slip, or None if the slip
does not apply.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradverify.arithmetic.floats import EXTENDED
from gradverify.diagnosis.operand_slips import Key, spread
from gradverify.diagnosis.right_sweep import Application, Bars, value_of

# ---- a formula that people write, and that is wrong


@dataclass(frozen=True)
class WrongFormula:
    """A wrong formula for the derivative of an op with respect to one operand.

    says: the formula in y, the result, and x, or a and b, the operands.
    partial: takes the result, the operands and the params.
    position: of the operand.
    """

    says: str
    partial: Callable[..., Any]
    position: int = 0


W = WrongFormula
m = EXTENDED

# fmt: off
WRONG_FORMULAS: Mapping[str, Sequence[WrongFormula]] = {
    "exp":        (W("x", lambda y, x: x),),
    "log":        (W("x", lambda y, x: x), W("1/y", lambda y, x: 1 / y)),
    "tanh":       (W("1 - y", lambda y, x: 1 - y), W("1 + y*y", lambda y, x: 1 + y * y), W("1 - x*x", lambda y, x: 1 - x * x)),
    "sigmoid":    (W("y*(1 + y)", lambda y, x: y * (1 + y)), W("1 - y", lambda y, x: 1 - y), W("x*(1 - x)", lambda y, x: x * (1 - x)), W("1 - y*y", lambda y, x: 1 - y * y)),
    "sqrt":       (W("1/(2*x)", lambda y, x: 0.5 / x), W("y/2", lambda y, x: y / 2), W("2*y", lambda y, x: 2 * y)),
    "rsqrt":      (W("-y/2", lambda y, x: -y / 2), W("-y*y/2", lambda y, x: -y * y / 2)),
    "reciprocal": (W("-1/x", lambda y, x: -y), W("-x*x", lambda y, x: -x * x), W("x", lambda y, x: x)),
    "square":     (W("2*y", lambda y, x: 2 * y),),
    "softplus":   (W("exp(x)", lambda y, x: m.exp(x)), W("1 - sigmoid(x)", lambda y, x: m.sigmoid(-x))),
    "log_sigmoid": (W("sigmoid(x)", lambda y, x: m.sigmoid(x)), W("exp(y)", lambda y, x: m.exp(y))),
    "silu":       (W("sigmoid(x)", lambda y, x: m.sigmoid(x)), W("y*(1 - y)", lambda y, x: y * (1 - y))),
    "atan":       (W("1/(1 - x*x)", lambda y, x: 1 / (1 - x * x)), W("1/(1 + x)", lambda y, x: 1 / (1 + x))),
    "atanh":      (W("1/(1 + x*x)", lambda y, x: 1 / (1 + x * x)),),
    "asin":       (W("1/sqrt(1 + x*x)", lambda y, x: 1 / m.sqrt(1 + x * x)), W("1/(1 - x*x)", lambda y, x: 1 / (1 - x * x))),
    "asinh":      (W("1/sqrt(x*x - 1)", lambda y, x: 1 / m.sqrt(x * x - 1)),),
    "tan":        (W("1 - y*y", lambda y, x: 1 - y * y), W("1/cos(x)", lambda y, x: 1 / m.cos(x)), W("y*y", lambda y, x: y * y)),
    "erf":        (W("2/sqrt(pi)*exp(-x)", lambda y, x: m.scale(m.exp(-x), by="2/sqrt(pi)")),),
    "softsign":   (W("1/(1 + |x|)", lambda y, x: 1 / (1 + np.abs(x))), W("1/(1 + x)**2", lambda y, x: 1 / (1 + x) ** 2)),
    "cbrt":       (W("y/3", lambda y, x: y / 3), W("1/(3*y)", lambda y, x: 1 / (3 * y))),
    "logit":      (W("1/(x*(1 + x))", lambda y, x: 1 / (x * (1 + x))), W("x*(1 - x)", lambda y, x: x * (1 - x))),
    "entr":       (W("-log(x)", lambda y, x: -m.log(x)), W("1 - log(x)", lambda y, x: 1 - m.log(x))),
    "tanhshrink": (W("y*y", lambda y, x: y * y), W("1 - tanh(x)**2", lambda y, x: 1 - m.tanh(x) ** 2)),
    "erfcx":      (W("2*x*y", lambda y, x: 2 * x * y), W("-2/sqrt(pi)", lambda y, x: -m.scale(1 + 0 * x, by="2/sqrt(pi)"))),
    "erfinv":     (W("sqrt(pi)/2*exp(x*x)", lambda y, x: m.scale(m.exp(x * x), by="sqrt(pi)/2")),),
    "ndtri":      (W("sqrt(2*pi)*exp(x*x/2)", lambda y, x: np.sqrt(8 * np.arctan(np.longdouble(1))) * m.exp(x * x / 2)),),
    "i0e":        (W("i1e(x)", lambda y, x: m.i1e(x)),),
    "i1":         (W("i0(x)", lambda y, x: m.i0(x)),),
    "i1e":        (W("i0e(x)", lambda y, x: m.i0e(x)),),
    "j1":         (W("j0(x)", lambda y, x: m.j0(x)),),
    "y1":         (W("y0(x)", lambda y, x: m.y0(x)),),
    "k1":         (W("-k0(x)", lambda y, x: -m.k0(x)),),
    "digamma":    (W("polygamma(1, x + 1)", lambda y, x: m.polygamma(x + 1, n=1)),),
    "sinc":       (W("cos(pi*x)", lambda y, x: m.cos(4 * np.arctan(np.longdouble(1)) * x)),),
    "div":        (W("b", lambda y, a, b: b), W("-a/b", lambda y, a, b: -y, 1), W("-1/b**2", lambda y, a, b: -1 / (b * b), 1)),
    "pow":        (W("a**(b - 1)", lambda y, a, b: y / a), W("b*y", lambda y, a, b: b * y), W("y*log(b)", lambda y, a, b: y * m.log(b), 1), W("log(a)", lambda y, a, b: m.log(a), 1)),
    "power":      (W("x**(n - 1)", lambda y, x, n: y / x), W("n*y", lambda y, x, n: n * y)),
    "hypot":      (W("a", lambda y, a, b: a), W("b", lambda y, a, b: b, 1), W("a/y**2", lambda y, a, b: a / (y * y)), W("b/y**2", lambda y, a, b: b / (y * y), 1)),
    "logaddexp":  (W("exp(a)", lambda y, a, b: m.exp(a)), W("exp(b)", lambda y, a, b: m.exp(b), 1), W("exp(b - y)", lambda y, a, b: m.exp(b - y))),
}
# fmt: on


def formulas(a: Application) -> list[Key]:
    """The wrong formulas that are known for the op."""
    return list(WRONG_FORMULAS.get(a.node.op, ()))


def by_formula(a: Application, key: WrongFormula) -> Bars | None:
    """The bars if one operand gets its derivative by a wrong formula."""
    partials = a.partials()
    partials[key.position] = np.broadcast_to(
        key.partial(a.y, *a.xs, **a.node.params), a.node.shape
    )
    return a.through(partials)


# ---- a small number that keeps a divisor from zero

EPSILONS = tuple(f"1e-{k}" for k in range(3, 17))

# By what the derivative of an op divides: from its result and its operands.
DIVISORS: Mapping[str, Callable[[Any, Sequence[Any]], Any]] = {
    **dict.fromkeys(("norm", "std", "sqrt", "hypot"), lambda y, xs: y),
    "rsqrt": lambda y, xs: 1 / y,
    **dict.fromkeys(
        ("log", "log2", "log10", "reciprocal", "div"), lambda y, xs: xs[-1]
    ),
    "log1p": lambda y, xs: 1 + xs[0],
    **dict.fromkeys(("bce", "logit"), lambda y, xs: xs[0] * (1 - xs[0])),
}
# Of which operands; of all where nothing is said.
DIVIDED: Mapping[str, tuple[int, ...]] = {"bce": (0,)}


def epsilons(a: Application) -> list[Key]:
    """The usual small numbers, added to the divisor or to its square."""
    if a.node.op not in DIVISORS:
        return []
    return [(e, way) for e in EPSILONS for way in ("divisor", "square")]


def with_epsilon(a: Application, key: Key) -> Bars | None:
    """The bars if a small number is added to what they are divided by."""
    text, way = key
    small = np.longdouble(text)
    divisor = DIVISORS[a.node.op](a.y, a.xs)
    larger = np.sqrt(divisor**2 + small) if way == "square" else divisor + small
    ratio = divisor / larger
    if a.is_elementwise:
        return a.through([p * ratio for p in a.partials()])
    wide = spread(a, ratio, 0)
    if wide is None:
        return None
    divided = DIVIDED.get(a.node.op, range(len(a.xs)))
    return [b if b is None or k not in divided else b * wide
            for k, b in enumerate(a.bars)]  # fmt: skip


# ---- the result in the place of its exponential


LOGARITHMS: Mapping[str, Sequence[str]] = {
    "log_softmax": ("y for exp(y)", "softmax of y"),
}


def logarithms(a: Application) -> list[Key]:
    """What is taken for the exponential of a result."""
    return list(LOGARITHMS.get(a.node.op, ()))


def by_result(a: Application, key: Key) -> Bars | None:
    """The bars of log_softmax if its result y is taken for that of a softmax."""
    axis = a.node.params["axis"][0]
    if key == "y for exp(y)":
        return [a.ct - a.y * np.sum(a.ct, axis=axis, keepdims=True)]
    return [a.y * (a.ct - np.sum(a.ct * a.y, axis=axis, keepdims=True))]


# ---- an index that occurs more than once


# The ops whose entries are entries of their operand, some of them more than once.
CHOOSING = (
    "embedding", "gather", "take_along_axis", "index_select", "repeat", "tile",
    "unfold", "broadcast_to",
)  # fmt: skip


def repeats(a: Application) -> list[Key]:
    """What becomes of several cotangents that belong to the same entry."""
    if a.node.op not in CHOOSING:
        return []
    places = _places(a)
    return [] if len(np.unique(places)) == places.size else [*KEPT]


KEPT: Mapping[str, str] = {
    "the last": "the last alone counts, which overwrites the others",
    "the first": "the first alone counts, and the others are left out",
    "the mean": "the mean is taken",
}


def _places(a: Application) -> Any:
    """From which entry of its operand each entry of the result comes, from 1 on.

    An entry that comes from none, as in a padding, is 0.
    """
    (x,) = a.xs
    numbers = np.arange(1, np.size(x) + 1, dtype=np.longdouble).reshape(np.shape(x))
    return np.ravel(value_of(a.node.op, a.node.params, (numbers,))).astype(int)


def indexed(a: Application, key: Key) -> Bars | None:
    """The bars if entries are written over one another where they must be added up."""
    places, lead = _places(a), np.shape(a.ct)[: np.ndim(a.ct) - len(a.node.shape)]
    ct = np.reshape(a.ct, (*lead, places.size))
    found = np.zeros((*lead, np.size(a.xs[0]) + 1), np.longdouble)
    if key == "the mean":
        for k, place in enumerate(places):
            found[..., place] += ct[..., k] / np.count_nonzero(places == place)
    else:
        order = range(places.size)
        for k in order if key == "the last" else reversed(order):
            found[..., places[k]] = ct[..., k]
    return [found[..., 1:].reshape((*lead, *np.shape(a.xs[0])))]
