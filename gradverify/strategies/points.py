"""Points: arrays whose values are plain, ordinary, or tend to break rules.

A value is drawn as an integer below 100, which is an index into one table. So it
shrinks towards plain numbers.

Only such integers are drawn in this room. Hypothesis mixes constants of the user's
modules into all wider draws, which would then depend on which modules are imported.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from gradverify.formats import check_dtype, drawn_in
from gradverify.graph import Array, Case
from gradverify.ops import Shape

CHOICE = st.integers(0, 99)
"""The widest range there is: in a wider one Hypothesis puts numbers that stand in the
modules it takes for the user's, so that a sample would hang on what is imported."""


def one_of_many(count: int) -> st.SearchStrategy[int]:
    """A number below `count`, drawn from ranges no wider than `CHOICE`.

    0 is the simplest.
    """
    if count <= 100:
        return st.integers(0, count - 1)
    hundreds = st.integers(0, (count - 1) // 100)
    return st.tuples(hundreds, CHOICE).map(lambda ab: (100 * ab[0] + ab[1]) % count)


PLAIN = (1.0, 2.0, 3.0, 0.5, -1.0, -2.0, 4.0, -0.5, 5.0, 1.5, -3.0, 0.25, 10.0)
DECIMAL = (0.1, 0.7, -0.3, 1.2, -1.7, 2.5, 3.14, -4.6, 0.01, 6.3, -7.25, 9.9)
SATURATED = (20.0, 30.0, 40.0, -40.0, -20.0, 88.0, 100.0, 25.0, 700.0, 709.0, -700.0)
HUGE = (1000.0, 1e4, -1000.0, 1e8, -1e8, 1e12, 1e30, -1e30)
TINY = (1e-3, 1e-8, -1e-8, 1e-12, 1e-16, 1e-30, -1e-30)

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


class Values(NamedTuple):
    """The choices behind one array. Its entries take them in turn, over and over.

    spread: which of the values with many digits are meant. From 50 on, all entries are
        positive.
    """

    spread: int
    entries: Sequence[int]


# The choices behind one array, as a plain tuple.
VALUES = st.tuples(CHOICE, st.lists(CHOICE, min_size=1, max_size=6))


def _digits(place: int, spread: int) -> float:
    """A number in [-10, 10] with many digits; neighbouring choices are far apart."""
    return 20.0 * math.fmod((100 * place + spread + 1) * GOLDEN, 1.0) - 10.0


# What makes the value of an entry. It takes the place of the choice within its kind,
# the spread, the same entry of the array before (1.0 for the first array), and the
# dtype. A row of the table below is a name, how many of the 100 choices mean it, and
# such a function.
Entry = Callable[[int, int, float, Any], float]


@np.errstate(all="ignore")  # nextafter warns of subnormal numbers
def _beside_zero(place: int, spread: int, other: float, dtype: Any) -> float:
    del spread, other
    return float(np.nextafter(dtype(0), dtype(1 - 2 * (place % 2))))


@np.errstate(all="ignore")
def _beside_other(place: int, spread: int, other: float, dtype: Any) -> float:
    del spread
    return float(np.nextafter(dtype(other), dtype((-1) ** place * np.inf)))


def _extreme(place: int, spread: int, other: float, dtype: Any) -> float:
    del spread, other
    return drawn_in(dtype.__name__).extremes[place]


# fmt: off
KINDS: tuple[tuple[str, int, Entry], ...] = (
    ("plain",       len(PLAIN),     lambda k, s, other, t: PLAIN[k]),
    ("zero",        6,              lambda k, s, other, t: 0.0),
    ("decimal",     len(DECIMAL),   lambda k, s, other, t: DECIMAL[k]),
    ("digits",      23,             lambda k, s, other, t: _digits(k, s)),
    ("tie",          4,             lambda k, s, other, t: other),
    ("beside a tie", 4,             _beside_other),
    ("beside zero", 2,              _beside_zero),
    ("edge",        2,              lambda k, s, other, t: float(
                                        np.nextafter(t(1), t(2 * k)))),
    ("saturated",   len(SATURATED), lambda k, s, other, t: SATURATED[k]),
    ("huge",        len(HUGE),      lambda k, s, other, t: HUGE[k]),
    ("tiny",        len(TINY),      lambda k, s, other, t: TINY[k]),
    ("extreme",      8,             _extreme),
)
# fmt: on

ENTRIES = tuple((entry, k) for _, count, entry in KINDS for k in range(count))


# ---- arrays that make formulas lose digits


def _squashed(x: Array) -> Array:
    return x / (1.0 + np.abs(x))


def _near(x: Array, k: int, digits: int) -> Array:
    """Numbers that differ in a few of their digits."""
    size = 2.0 ** -(digits * (1 + k) // 5)
    return (1.0 + np.abs(_squashed(x[:1]))) * (1.0 + size * _squashed(x))


def _offset(x: Array, k: int, digits: int) -> Array:
    """Numbers of size 1 about a large mean."""
    return _squashed(x) + 10.0 ** (1 + k)


def _logits(x: Array, k: int, digits: int) -> Array:
    """Numbers that saturate a softmax."""
    return _squashed(x) * (30.0, 300.0)[k]


def _cancelling(x: Array, k: int, digits: int) -> Array:
    """Numbers whose sum is nearly zero."""
    y = 10.0 * _squashed(x)
    rest = 2.0 ** -(digits // (2 - k)) * _squashed(x[-1:])
    return np.concatenate([y[:-1], rest - y[:-1].sum()])


# Which of the choices for the spread mean such an array, of two entries or more.
# fmt: off
LOSING: tuple[tuple[range, Callable[[Array, int, int], Array]], ...] = (
    (range(86, 90), _near),
    (range(90, 94), _offset),
    (range(94, 96), _logits),
    (range(96, 98), _cancelling),
)
# fmt: on


@np.errstate(all="ignore")
def _losing(x: Array, spread: int, dtype: str) -> Array | None:
    """The entries made to lose digits; None if the spread does not mean that."""
    digits = np.finfo(dtype).nmant
    for choices, make in LOSING:
        if spread in choices and x.size > 1:
            return make(np.clip(x, -1e6, 1e6), spread - choices.start, digits)
    return None


def array_of(
    choices: Values,
    shape: Shape,
    before: Array | None = None,
    dtype: str = "float64",
    *,
    widest: bool = False,
) -> Array:
    """The array that these choices mean; ties are made with entries of `before`.

    widest: whether its entries may be of any size, not only of one whose cubes fit.
    """
    others = [1.0] if before is None or not before.size else before.ravel().tolist()
    kind = np.dtype(dtype).type
    most = drawn_in(dtype).largest
    result = []
    for i in range(math.prod(shape)):
        choice = choices.entries[i % len(choices.entries)]
        entry, place = ENTRIES[choice % len(ENTRIES)]
        value = entry(place, choices.spread, others[i % len(others)], kind)
        if not widest:
            value = math.copysign(min(abs(value), most), value)
            if 1e-40 < abs(value) < 1 / most:
                value = math.copysign(1 / most, value)
        result.append(abs(value) if choices.spread >= 50 else value)
    lost = _losing(np.array(result), choices.spread, dtype)
    return np.array(result if lost is None else lost, dtype).reshape(shape)


def points(
    shapes: Sequence[Shape], *, dtype: str = "float64"
) -> st.SearchStrategy[tuple[Array, ...]]:
    """Points of the given shapes, with plain values and with some that break rules.

    Among them are zeros, ties between arrays and within one, values an ulp beside
    either, edges of domains, and tiny, huge and saturated values. A point shrinks to
    ones.

    shapes: one for each input. dtype: "float64" or "float32". What is drawn is a tuple
    with an array of each shape.
    """

    def arrays(drawn: Sequence[Any]) -> tuple[Array, ...]:
        result: list[Array] = []
        for choices, shape in zip(drawn, shapes, strict=True):
            before = result[-1] if result else None
            result.append(array_of(Values(*choices), tuple(shape), before, dtype))
        return tuple(result)

    return st.tuples(*(VALUES for _ in shapes)).map(arrays)


def arrays(
    shape: Sequence[int] | int, *, dtype: str = "float64"
) -> st.SearchStrategy[Array]:
    """NumPy arrays of one shape, with values as those of `points`.

    They are for `@given(x=gradverify.arrays((3, 4)))` with `gradverify.check` inside.
    Among the values are zeros, ties, and tiny, huge and saturated ones. An array
    shrinks to ones. PyTorch takes it by `torch.from_numpy`.

    Raises `ValueError` for a shape with an axis of negative length, or another dtype.
    """
    whole = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(type(n) is int and n >= 0 for n in whole):
        raise ValueError(f"shape={shape!r}; write whole numbers from 0 up, as (3, 4)")
    check_dtype(dtype)
    return points((whole,), dtype=dtype).map(lambda point: point[0].copy())


# ---- what a point has met


def regimes(case: Case) -> frozenset[str]:
    """The kinds of values in a case's point, by the names of `REGIMES`."""
    flat = np.concatenate([[], *(x.ravel() for x in case.point)]).astype(case.dtype)
    return frozenset(name for name, holds in REGIMES.items() if bool(holds(flat)))


def _has_neighbours(x: Array) -> bool:
    ordered = np.sort(x)
    following = np.nextafter(ordered[:-1], x.dtype.type(np.inf))
    return bool(np.any((ordered[1:] == following) & (ordered[1:] != ordered[:-1])))


def _between(low: float, high: float) -> Callable[[Array], Any]:
    return lambda x: np.any((np.abs(x) >= low) & (np.abs(x) < high))


def _is_extreme(x: Array) -> Array:
    """Entries whose squares the format does not hold, or holds with fewer digits."""
    form = np.finfo(x.dtype)
    size = np.abs(x)
    above, below = np.sqrt(form.max), np.sqrt(form.tiny)
    found: Array = (size > above) | ((size < below) & (size >= form.tiny))
    return found


REGIMES: dict[str, Callable[[Array], Any]] = {
    "zero": lambda x: np.any(x == 0),
    "tie": lambda x: len(np.unique(x)) < len(x),
    "beside a tie": _has_neighbours,
    "beside zero": lambda x: np.any((x != 0) & (np.abs(x) < 1e-40)),
    "edge": lambda x: np.any((x != 1) & (np.abs(x - 1) < 1e-6)),
    "tiny": _between(1e-31, 1e-2),
    "ordinary": _between(1e-2, 15.0),
    "saturated": _between(15.0, 999.0),
    "huge": _between(999.0, np.inf),
    "extreme": lambda x: np.any(_is_extreme(x)),
}

# The choices that mean a value of a regime.
CHOICES_OF: dict[str, range] = {
    name: range(end - count, end)
    for (name, count, _), end in zip(
        KINDS, itertools.accumulate(count for _, count, _ in KINDS), strict=True
    )
    if name in REGIMES
}
