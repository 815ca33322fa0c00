"""Expansions of array ops into primitives, each in its numerically stable form.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradverify.ops.calculus import at_zero, filled
from gradverify.ops.functions import minimum
from gradverify.ops.shapes import (
    axes_of,
    count_of,
    one_axis,
    reduction,
    subscripts_of,
)

Axis = Sequence[int] | None


def mean(m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over `axis` divided by the number of summands."""
    count = count_of(np.shape(x), axis)
    return m.sum(x, axis=axis, keepdims=keepdims) / float(count)


def logsumexp(m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))), shifted by the largest x so that exp cannot overflow.

    Any constant shift gives the same function, so that `peak` has no derivative. The
    usual derivative is exp(x - y) with a rounded y. An error of e in y makes it wrong
    by e times itself.
    """
    top = m.peak(x, axis=axis, keepdims=keepdims)
    shifted = x - m.peak(x, axis=axis, keepdims=True)
    total = m.sum(m.exp(shifted), axis=axis, keepdims=keepdims)
    return top + m.log(m.slack_back(total, top))


def softmax(m: Any, x: Any, *, axis: Axis) -> Any:
    """exp(x) over its sum, shifted by the largest x so that exp cannot overflow."""
    e = m.exp(x - m.peak(x, axis=axis, keepdims=True))
    return e / m.sum(e, axis=axis, keepdims=True)


def log_softmax(m: Any, x: Any, *, axis: Axis) -> Any:
    """x - logsumexp(x), shifted by the largest x.

    The usual derivative uses exp(y) with a rounded y. It is wrong by that rounding
    times itself.
    """
    shifted = x - m.peak(x, axis=axis, keepdims=True)
    e = m.exp(shifted)
    total = m.sum(m.slack(e, 2.0 * (e * shifted)), axis=axis, keepdims=True)
    return shifted - m.log(total)


def var(
    m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False, ddof: int = 0
) -> Any:
    """The mean square of x minus its mean, divided by count - ddof instead of count.

    The usual derivative has the rounded mean in x - mean and sends nothing back through
    it. Where that rounding is taken both ways it cancels, as for `std` of near numbers.
    """
    squares = m.deviation2(x, mean(m, x, axis=axis, keepdims=True))
    count = count_of(np.shape(x), axis) - ddof
    return m.sum(squares, axis=axis, keepdims=keepdims) / float(count)


def std(m: Any, x: Any, **params: Any) -> Any:
    """The square root of the variance.

    For equal numbers it is 0. Every slope in the unit ball is right there; this one is
    0.
    """
    square = var(m, x, **params)
    return m.sqrt(filled(m, square)) - at_zero(m, square)


def norm(m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The square root of the sum of squares, where no square overflows.

    With the largest element t, it is the geometric mean of t and the sum of x * (x/t).
    Only one factor is scaled. If both were, a second derivative would pass through
    1/t**2, though it is only as large as 1/t. For zeros the norm is 0. Every slope in
    the unit ball is right there; this one is 0.
    """
    top = m.peak(m.abs(x), axis=axis, keepdims=keepdims)
    y = x / filled(m, m.peak(m.abs(x), axis=axis, keepdims=True))
    return m.middle(m.sum(x * y, axis=axis, keepdims=keepdims), top)


# ---- reductions by halves


def folded(
    m: Any,
    combine: Callable[[Any, Any], Any],
    x: Any,
    axis: Axis,
    keepdims: bool,
) -> Any:
    """Combine all elements along `axis`, the lower half with the upper half, again and
    again.

    There is a reshape at the end even where nothing is folded, so that the result is a
    node of its own.
    """
    shape = np.shape(x)
    for a in axes_of(shape, axis):
        odd = None
        while (n := np.shape(x)[a]) > 1:
            if n % 2:
                last = m.slice(x, axis=(a,), start=n - 1, stop=n)
                odd = last if odd is None else combine(last, odd)
            half = n // 2
            low = m.slice(x, axis=(a,), start=0, stop=half)
            x = combine(low, m.slice(x, axis=(a,), start=half, stop=2 * half))
        x = x if odd is None else combine(x, odd)
    return m.reshape(x, shape=reduction(shape, axis=axis, keepdims=keepdims))


def prod(m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The product over `axis`; its derivative is the product of the others.

    The usual derivative is y/x. Differentiated by the same x again, it is two terms
    that cancel but for their rounding.
    """
    return folded(m, lambda a, b: a * b, m.factor(x), axis, keepdims)


def factor_error(m: Any, d: Any, y: Any) -> Any:
    """The roundings of two terms y/x**2 that cancel, for each unit of the slope y/x."""
    del d
    return 8.0 / filled(m, m.abs(y))


def largest(m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element over `axis`."""
    return folded(m, m.maximum, x, axis, keepdims)


def smallest(m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element over `axis`."""
    return folded(m, lambda a, b: minimum(m, a, b), x, axis, keepdims)


# ---- two arrays


def concatenate(m: Any, a: Any, b: Any, *, axis: Axis) -> Any:
    """b after a: both are padded with zeros to the full length and added."""
    (at,) = one_axis(np.shape(a), axis)
    before, after = np.shape(a)[at], np.shape(b)[at]
    left = m.pad(a, axis=(at,), before=0, after=after)
    return left + m.pad(b, axis=(at,), before=before, after=0)


def stack(m: Any, a: Any, b: Any, *, axis: Axis) -> Any:
    """a and b along a new axis."""
    (at,) = one_axis((1, *np.shape(a)), axis)
    place = np.ndim(a) + 1 + at
    shape = (*np.shape(a)[:place], 1, *np.shape(a)[place:])
    wide = (m.reshape(x, shape=shape) for x in (a, b))
    return concatenate(m, *wide, axis=(at,))


def einsum(m: Any, a: Any, b: Any, *, subscripts: str) -> Any:
    """Both operands multiplied over all indices, summed over those that the result
    lacks.
    """
    left, right, kept = subscripts_of(subscripts)
    letters = kept + "".join(i for i in left + right if i not in kept)
    letters = "".join(dict.fromkeys(letters))
    product = _spread(m, a, left, letters) * _spread(m, b, right, letters)
    gone = tuple(k - len(letters) for k in range(len(kept), len(letters)))
    return m.sum(product, axis=gone) if gone else product


def _spread(m: Any, x: Any, indices: str, letters: str) -> Any:
    """x with one axis for every letter; the axis has length 1 where x lacks that
    index.
    """
    order = tuple(indices.index(i) for i in letters if i in indices)
    if order != tuple(range(len(order))):
        x = m.transpose(x, axes=order)
    lengths = iter(np.shape(x))
    shape = tuple(next(lengths) if i in indices else 1 for i in letters)
    return x if shape == np.shape(x) else m.reshape(x, shape=shape)
