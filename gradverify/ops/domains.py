"""Domains: where an op is smooth or has a kink, and how to get there.

A domain says whether operands lie inside, and moves operands that do not. So whoever
needs a point inside the domain of an op asks its row, and nobody keeps a list of tricks.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Domain:
    """An open set of operand values, for given params.

    contains: operand values (NumPy arrays) and params to truth: is every element
        inside?
    into: any finite operand values and params to as many arrays of the same shapes
        that lie inside. Distinct numbers of ordinary size stay distinct.
    """

    contains: Callable[..., Any]
    into: Callable[..., Sequence[Any]]

    def moved(self, *operands: Any, **params: Any) -> tuple[Any, ...]:
        """The operands themselves where they lie inside, else others that do."""
        if np.all(self.contains(*operands, **params)):
            return operands
        return tuple(self.into(*operands, **params))


# ---- numbers moved into an interval, in their order


def squeezed(x: Any) -> Any:
    """Any finite numbers within (-1, 1), and not beside its ends."""
    return 0.96875 * x / (1.0 + np.abs(x))


def apart(x: Any) -> Any:
    """Any numbers, none of them zero: at least 1 away from it."""
    return x + np.where(x < 0, -1.0, 1.0)


def above(least: float) -> Callable[[Any], Any]:
    """Numbers within 2 above `least`."""
    return lambda x: least + 1.0 + squeezed(x)


# ---- sets that depend on params


def _power(x: Any, *, n: float) -> Any:
    """Where x**n is smooth: fractional n needs x > 0, negative n needs x != 0."""
    if n != int(n):
        return np.all(x > 0)
    return n >= 0 or np.all(x != 0)


def _axes(axis: Any) -> tuple[int, ...] | None:
    return None if axis is None else tuple(axis)


def _uneven(x: Any, *, axis: Any = None, ddof: int = 0, **_: Any) -> Any:
    """Where a standard deviation is smooth: no slice along `axis` is constant."""
    return np.all(np.ptp(x, axis=_axes(axis)) > 0)


def _into_uneven(x: Any, **_: Any) -> Sequence[Any]:
    """Steps of 2, moved by less than 1 each: no two entries are equal."""
    return (2.0 * np.arange(np.size(x)).reshape(np.shape(x)) + squeezed(x),)


def _not_null(x: Any, *, axis: Any = None, **_: Any) -> Any:
    """Where a norm is smooth: no slice along `axis` is zero."""
    return np.all(np.any(x != 0, axis=_axes(axis)))


def _probabilities(x: Any, t: Any, **_: Any) -> Any:
    """Where both logarithms are finite, for targets that are probabilities."""
    return np.all((x > 0) & (x < 1) & (t >= 0) & (t <= 1))


def _half(x: Any) -> Any:
    return 0.5 + 0.5 * squeezed(x)


def _weighty(x: Any, t: Any, *, log_target: bool, **_: Any) -> Any:
    """Where a divergence is smooth in its target: at 0 its slope is infinite."""
    return log_target or np.all(t > 0)


# fmt: off
EVERYWHERE    = Domain(lambda *x, **params: True,                     lambda *x, **params: x)
POSITIVE      = Domain(lambda x: np.all(x > 0),                       lambda x: (above(0.0)(x),))
ABOVE_1       = Domain(lambda x: np.all(x > 1),                       lambda x: (above(1.0)(x),))
ABOVE_MINUS_1 = Domain(lambda x: np.all(x > -1),                      lambda x: (above(-1.0)(x),))
INSIDE_1      = Domain(lambda x: np.all(np.abs(x) < 1),               lambda x: (squeezed(x),))
NONZERO       = Domain(lambda x: np.all(x != 0),                      lambda x: (apart(x),))
DIVISOR       = Domain(lambda a, b: np.all(b != 0),                   lambda a, b: (a, apart(b)))
BASE          = Domain(lambda a, b: np.all(a > 0),                    lambda a, b: (above(0.0)(a), b))
OFF_ORIGIN    = Domain(lambda a, b: np.all((a != 0) | (b != 0)),      lambda a, b: (a, apart(b)))
OFF_CUT       = Domain(lambda a, b: np.all((a != 0) | (b > 0)),       lambda a, b: (a, above(0.0)(b)))
POWER         = Domain(_power,                                        lambda x, n: (above(0.0)(x),))
UNEVEN        = Domain(_uneven,                                       _into_uneven)
NOT_NULL      = Domain(_not_null,                                     lambda x, **_: (apart(x),))
PROBABILITIES = Domain(_probabilities,                                lambda x, t, **_: (_half(x), _half(t)))
WEIGHTY       = Domain(_weighty,                                      lambda x, t, **_: (x, above(0.0)(t)))
# fmt: on
