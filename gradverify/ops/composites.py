"""Expansions of composite ops into primitives, each in its numerically stable form.

Every function takes an arithmetic `m` first and works on that arithmetic's values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.ops.shapes import axes_of

Axis = Sequence[int] | None


def relu(m: Any, x: Any) -> Any:
    """max(x, 0)."""
    return m.maximum(x, m.lift(np.float64(0.0)))


def mean(m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """The sum over `axis` divided by the number of summands."""
    shape = np.shape(x)
    count = math.prod(shape[a] for a in axes_of(shape, axis))
    return m.sum(x, axis=axis, keepdims=keepdims) / float(count)


def logsumexp(m: Any, x: Any, *, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))), shifted by the largest x so that exp cannot overflow.

    Any constant shift gives the same function, so that `peak` has no derivative. The
    usual derivative, exp(x - y), sees y rounded: as if the sum were off by as much.
    """
    top = m.peak(x, axis=axis, keepdims=keepdims)
    shifted = x - m.peak(x, axis=axis, keepdims=True)
    total = m.sum(m.exp(shifted), axis=axis, keepdims=keepdims)
    return top + m.log(m.slack(total, total * top))
