"""autograd's functions that put entries in order; what it lacks is composed of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

from gradverify.differentiators.composed.numpy_indexing import Sizes


def sort(np: Any, x: Any, axis: Sizes, descending: bool) -> Any:
    return -np.sort(-x, axis[0]) if descending else np.sort(x, axis[0])


def topk(np: Any, x: Any, k: int, axis: Sizes, largest: bool) -> Any:
    y = sort(np, x, axis, largest)
    return y[(*(slice(None),) * (axis[0] % x.ndim), slice(k))]


def kthvalue(np: Any, x: Any, k: int, axis: Sizes, keepdims: bool) -> Any:
    place = axis[0] % x.ndim
    at = slice(k - 1, k) if keepdims else k - 1
    return np.partition(x, k - 1, axis[0])[(*(slice(None),) * place, at)]


def median(np: Any, x: Any, axis: Sizes, keepdims: bool) -> Any:
    return kthvalue(np, x, (x.shape[axis[0]] + 1) // 2, axis, keepdims)


def running(np: Any, x: Any, axis: Sizes, larger: Callable[..., Any]) -> Any:
    before = (slice(None),) * (axis[0] % x.ndim)
    found = [x[(*before, slice(0, 1))]]
    for k in range(1, x.shape[axis[0]]):
        found.append(larger(found[-1], x[(*before, slice(k, k + 1))]))
    return np.concatenate(found, axis[0])


def cummax(np: Any, x: Any, axis: Sizes) -> Any:
    return running(np, x, axis, np.maximum)


def cummin(np: Any, x: Any, axis: Sizes) -> Any:
    return running(np, x, axis, np.minimum)


def interp(np: Any, x: Any, table: Any, knots: Sequence[float]) -> Any:
    from autograd.tracer import getval

    ends = numpy.array(knots, table.dtype)
    if isinstance(x, float):  # a number that is not differentiated widens no table
        x = numpy.asarray(x, table.dtype)
    inside = np.minimum(np.maximum(x, ends[0]), ends[-1])
    plain = inside
    while plain is not getval(plain):  # a derivative of a derivative has two boxes
        plain = getval(plain)
    at = numpy.searchsorted(ends, plain, side="right") - 1
    at = numpy.clip(at, 0, len(knots) - 2)
    way = (inside - ends[at]) / (ends[at + 1] - ends[at])
    return table[at] * (1.0 - way) + table[at + 1] * way


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f for f in (sort, topk, kthvalue, median, cummax, cummin, interp)
}
