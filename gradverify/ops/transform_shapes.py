"""Shape rules of Fourier and cosine transforms.

A complex number is two real ones, its parts, along a last axis of length 2, which is no
axis to transform along.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gradverify.ops.checks import check_one_of
from gradverify.ops.fixed_weights import NORMS
from gradverify.ops.indexing_shapes import check_whole
from gradverify.ops.shapes import Shape

Sizes = Sequence[int]

REAL_IN, REAL_OUT = ("rfft", "ihfft"), ("irfft", "hfft")
HALF_IN, HALF_OUT = REAL_OUT, REAL_IN
LONGEST = 64


def whole_length(kind: str, given: int, length: int | None) -> int:
    """How long the transformed sequence is, of which one half may be given."""
    if length is not None:
        return length
    return 2 * (given - 1) if kind in HALF_IN else given


def result_length(kind: str, given: int, length: int | None) -> int:
    """How many numbers come out."""
    n = whole_length(kind, given, length)
    if length is not None:
        check_whole("length", length, 1, LONGEST)
    if n < 1 or given < 1:
        raise ValueError(f"{kind} of {given} numbers is one of {n}; needed is more")
    return n // 2 + 1 if kind in HALF_OUT else n


def _numbers(x: Shape, kind: str) -> Shape:
    """The shape without the axis of the parts."""
    if kind in REAL_IN:
        return x
    if len(x) < 2 or x[-1] != 2:
        raise ValueError(f"shape {x} has no parts; needed: a last axis of length 2")
    return x[:-1]


def _with_parts(x: Shape, kind: str) -> Shape:
    return x if kind in REAL_OUT else (*x, 2)


def _replaced(x: Shape, axis: int, length: int) -> Shape:
    place = axis % len(x)
    return (*x[:place], length, *x[place + 1 :])


def _check_axes(axes: Sizes | None, rank: int, count: int) -> None:
    fits = isinstance(axes, tuple | list) and len(axes) == count
    if (
        not fits
        or axes is None
        or not all(type(a) is int and -rank <= a < rank for a in axes)
        or len({a % rank for a in axes}) != count
    ):
        raise ValueError(f"axes {axes!r}; allowed are {count} different ones of {rank}")


def one_axis(kind: str) -> Callable[..., Shape]:
    """The rule of a Fourier transform of a kind along one axis."""

    def shape(x: Shape, *, length: int | None, axis: Sizes | None, norm: str) -> Shape:
        check_one_of("norm", norm, NORMS)
        numbers = _numbers(x, kind)
        _check_axes(axis, len(numbers), 1)
        (a,) = axis or ()
        found = result_length(kind, numbers[a], length)
        return _with_parts(_replaced(numbers, a, found), kind)

    return shape


def two_axes(first: str, second: str) -> Callable[..., Shape]:
    """The rule of one along two axes, of a kind each."""

    def shape(
        x: Shape, *, lengths: Sizes | None, axes: Sizes | None, norm: str
    ) -> Shape:
        check_one_of("norm", norm, NORMS)
        found = _numbers(x, second)
        _check_axes(axes, len(found), 2)
        is_pair = isinstance(lengths, tuple | list) and len(lengths) == 2
        if lengths is not None and not is_pair:
            raise ValueError(f"lengths={lengths!r}; allowed are None and two numbers")
        for kind, a, n in zip(
            (first, second), axes or (), lengths or (None, None), strict=True
        ):
            found = _replaced(found, a, result_length(kind, found[a], n))
        return _with_parts(found, second)

    return shape


def cosine(x: Shape, *, axis: Sizes | None, norm: str) -> Shape:
    """The operand's shape."""
    check_one_of("norm", norm, NORMS[:2])
    _check_axes(axis, len(x), 1)
    if 0 in x:
        raise ValueError(f"shape {x} has nothing to transform")
    return x
