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
    reaches: as `contains`, for a larger set: with the edges at which all one-sided
        slopes are known (`reference/edges.py`).
    of_constants: as `contains`, where all operands but the first are constants.
    """

    contains: Callable[..., Any]
    into: Callable[..., Sequence[Any]]
    reaches: Callable[..., Any] | None = None
    of_constants: Callable[..., Any] | None = None

    def holds(
        self,
        *operands: Any,
        at_edges: bool = False,
        beside_constants: bool = False,
        **params: Any,
    ) -> bool:
        """Whether every element is inside, or in one of the larger sets asked for."""
        tests = [self.contains]
        tests += [self.reaches] if at_edges and self.reaches else []
        tests += [self.of_constants] if beside_constants and self.of_constants else []
        return any(bool(np.all(test(*operands, **params))) for test in tests)

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
    """Where x**n has a slope: a root needs x > 0, another fraction none that is < 0."""
    if n != int(n):
        return np.all(x >= 0) if n > 1 else np.all(x > 0)
    return n >= 0 or np.all(x != 0)


def _into_power(x: Any, *, n: float) -> Sequence[Any]:
    return (above(0.0)(x),)


def _reaches_power(x: Any, *, n: float) -> Any:
    """As `_power`, and also the roots of 0, whose slope is infinite."""
    return _power(x, n=n) or (n > 0 and np.all(x >= 0))


def _base(a: Any, b: Any) -> Any:
    """Where a**b has slopes by both: at a = 0 it is 0 for b > 0."""
    return np.all((a > 0) | ((a == 0) & (b >= 1)))


def _base_of_constants(a: Any, b: Any) -> Any:
    """As `_base`; a negative number may have a whole number for its exponent too."""
    whole = np.equal(b, np.round(b))
    return np.all((a > 0) | ((a == 0) & (b >= 1)) | ((a < 0) & whole))


LOWEST = -1e6
MOST = 256.0  # of a series that takes twice as many terms
WHOLE_NUMBERS = 2.0**53


def _off_lambd(x: Any, *, lambd: float) -> Any:
    """Off the two jumps of a hard shrinkage."""
    return np.all(np.abs(x) != lambd)


OFF_MIDDLE = 2.0**-12  # a nearest entry is told beyond roundings of a place


def _places(x: Any, grid: Any, align_corners: bool) -> Any:
    """Where samples lie among the entries of the last two axes, across and down."""
    n, at = np.array(np.shape(x)[:1:-1], float), np.asarray(grid, np.float64) + 1.0
    return at * (n - 1.0) / 2.0 if align_corners else (at * n - 1.0) / 2.0


def _samples(x: Any, grid: Any, *, mode: str, outside: str, align_corners: bool) -> Any:
    """No middle between two entries where the nearest is taken, which jumps there.

    Not farther off than one reflection, where places are folded, or curves go on beyond
    the ends.
    """
    goes_on = outside == "reflection" or (mode, outside) == ("bicubic", "border")
    if goes_on and not np.all(np.abs(grid) <= 3.0):
        return False
    if mode != "nearest":
        return True
    with np.errstate(all="ignore"):
        place = _places(x, grid, align_corners)
        off = np.abs(place - np.floor(place) - 0.5)
    return np.all(off > OFF_MIDDLE)  # False for what is infinite


def _into_samples(
    x: Any, grid: Any, *, mode: str, align_corners: bool, **_: Any
) -> Sequence[Any]:
    """Places within a quarter of the first entry, where the nearest is taken."""
    small = squeezed(grid)
    if mode != "nearest":
        return (x, small)
    n, place = np.array(np.shape(x)[:1:-1], float), 0.25 * small
    if align_corners:
        return (x, 2.0 * place / np.maximum(n - 1.0, 1.0) - 1.0)
    return (x, (2.0 * place + 1.0) / n - 1.0)


def _between_multiples(a: Any, b: Any) -> Any:
    """Where a is no whole multiple of b, and not so large a one that the whole number
    below it is no float.
    """
    with np.errstate(all="ignore"):
        is_near = np.abs(a) < WHOLE_NUMBERS * np.abs(b)
        return np.all(is_near & (np.fmod(a, b) != 0))


def _into_parts(a: Any, b: Any) -> Sequence[Any]:
    """a at a half of b, more or less."""
    return (apart(b) * (0.5 + 0.25 * squeezed(a)), apart(b))


def _floors(x: Any) -> Any:
    """Whole numbers near x that are not large."""
    return np.clip(np.floor(x), -8.0, 8.0)


def _off_poles(x: Any) -> Any:
    """Where gamma is finite: not at 0, -1, -2, ...

    Not below `LOWEST` either: SciPy, and so what is built on it, reaches the polygamma
    function of x in |x| steps, which would take hours at -1e12.
    """
    return np.all((x > 0) | ((x != np.round(x)) & (x >= LOWEST)))


def _probabilities(x: Any, t: Any, **_: Any) -> Any:
    """Where both logarithms are finite, for targets that are probabilities."""
    return np.all((x > 0) & (x < 1) & (t >= 0) & (t <= 1))


def _half(x: Any) -> Any:
    return 0.5 + 0.5 * squeezed(x)


def _weighty(x: Any, t: Any, *, log_target: bool, **_: Any) -> Any:
    """Where a divergence is smooth in its target: at 0 its slope is infinite."""
    return log_target or np.all(t > 0)


def _counts(x: Any, t: Any, *, log_input: bool, full: bool, **_: Any) -> Any:
    """Where a rate has a logarithm. The approximation of log(t!) begins above 1."""
    return np.all(log_input or x > 0) and np.all(not full or ((t >= 0) & (t != 1)))


def _of_order(x: Any, *, p: float, kernel: Any, stride: Any) -> Any:
    """Where the norms of all windows have slopes: odd ones see signs, but for the first."""
    if p != 2.0:
        return p == 1.0 or np.all(x > 0)
    axes = tuple(range(2, np.ndim(x)))
    window = np.lib.stride_tricks.sliding_window_view
    seen: Any = window(x != 0, tuple(kernel), axes)
    steps = tuple(slice(None, None, s) for s in stride)
    seen = seen[(slice(None), slice(None), *steps)]
    return np.all(seen.any(axis=tuple(range(-len(axes), 0))))


# fmt: off
EVERYWHERE    = Domain(lambda *x, **params: True,                     lambda *x, **params: x)
POSITIVE      = Domain(lambda x: np.all(x > 0),                       lambda x: (above(0.0)(x),))
ABOVE_1       = Domain(lambda x: np.all(x > 1),                       lambda x: (above(1.0)(x),))
ABOVE_MINUS_1 = Domain(lambda x: np.all(x > -1),                      lambda x: (above(-1.0)(x),))
INSIDE_1      = Domain(lambda x: np.all(np.abs(x) < 1),               lambda x: (squeezed(x),))
NONZERO       = Domain(lambda x: np.all(x != 0),                      lambda x: (apart(x),))
DIVISOR       = Domain(lambda a, b: np.all(b != 0),                   lambda a, b: (a, apart(b)))
BASE          = Domain(_base,                                         lambda a, b: (above(0.0)(a), b), lambda a, b: np.all((a > 0) | ((a == 0) & (b > 0))), _base_of_constants)
OFF_CUT       = Domain(lambda a, b: np.all((a != 0) | (b > 0)),       lambda a, b: (a, above(0.0)(b)))
POWER         = Domain(_power,                                        _into_power, _reaches_power)
OFF_POLES     = Domain(_off_poles,                                    lambda x: (above(0.0)(x),))
ROOT          = Domain(lambda x: np.all(x > 0),                       lambda x: (above(0.0)(x),), lambda x: np.all(x >= 0))
PROBABILITIES = Domain(_probabilities,                                lambda x, t, **_: (_half(x), _half(t)))
POSITIVE_BY   = Domain(lambda a, b: np.all(b > 0),                    lambda a, b: (a, above(0.0)(b)))
ABOVE_MINUS_1_BY = Domain(lambda a, b: np.all(b > -1),                lambda a, b: (a, above(-1.0)(b)))
INCOMPLETE    = Domain(lambda x, **_: np.all(x > 0),                  lambda x, **_: (above(0.0)(x),))
OF_GAMMA      = Domain(lambda x, **_: _off_poles(x),                  lambda x, **_: (above(0.0)(x),))
ABOVE_HALVES  = Domain(lambda x, d: np.all(x > (d - 1) / 2.0),        lambda x, d: (above((d - 1) / 2.0)(x),))
POSITIVE_BOTH = Domain(lambda a, b: np.all((a > 0) & (b > 0)),        lambda a, b: (above(0.0)(a), above(0.0)(b)))
NOT_LARGE     = Domain(lambda a, x: np.all((a > 0) & (x > 0) & (a <= MOST) & (x <= MOST)), lambda a, x: (above(0.0)(squeezed(a)), above(0.0)(squeezed(x))))
BETWEEN_0_AND_1 = Domain(lambda x, **_: np.all((x > 0) & (x < 1)),         lambda x, **_: (_half(x),))
OFF_ZERO      = Domain(lambda x, **_: np.all(x != 0),                 lambda x, **_: (apart(x),))
OFF_LAMBD     = Domain(_off_lambd,                                    lambda x, lambd: (x + np.where(x < 0, -1.0, 1.0) * (lambd + 1.0),))
OFF_THRESHOLD = Domain(lambda x, threshold, **_: np.all(x != threshold), lambda x, threshold, **_: (x + np.where(x < threshold, -1.0, 1.0),))
BETWEEN_WHOLE = Domain(lambda x: np.all(x != np.floor(x)),            lambda x: (_floors(x) + 0.5 + 0.25 * squeezed(x),))
BETWEEN_HALVES = Domain(lambda x: np.all(np.abs(x - np.round(x)) != 0.5), lambda x: (_floors(x) + 0.25 * squeezed(x),))
BETWEEN_MULTIPLES = Domain(_between_multiples,                        _into_parts)
LAST_DIVISOR  = Domain(lambda x, a, b, **_: np.all(b != 0),           lambda x, a, b, **_: (x, a, apart(b)))
OF_ORDER      = Domain(_of_order,                                     lambda x, **_: (above(0.0)(x),))
SAMPLES       = Domain(_samples,                                      _into_samples)
COUNTS        = Domain(_counts,                                       lambda x, t, **_: (above(0.0)(x), above(1.0)(t)))
ABOVE_EPS     = Domain(lambda x, t, v, *, eps, **_: np.all(v > eps),  lambda x, t, v, *, eps, **_: (x, t, above(eps)(v)))
WEIGHTY       = Domain(_weighty,                                      lambda x, t, **_: (x, above(0.0)(t)))
# fmt: on
