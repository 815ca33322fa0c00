"""JAX's functions that choose, put and move entries, and what JAX lacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy

from gradverify.differentiators.composed import numpy_indexing as composed
from gradverify.differentiators.composed.numpy_indexing import Sizes, lines, places


def gather(np: Any, x: Any, axis: Sizes, index: Sizes) -> Any:
    return x[places(lines(x, axis[0], index), axis[0], index)]


def take_along_axis(np: Any, x: Any, axis: Sizes, index: Sizes) -> Any:
    found = numpy.reshape(index, lines(x, axis[0], index))
    return np.take_along_axis(x, found, axis[0])


def scatter(np: Any, x: Any, src: Any, axis: Sizes, index: Sizes) -> Any:
    return x.at[places(src.shape, axis[0], index)].set(src)


def scatter_add(np: Any, x: Any, src: Any, axis: Sizes, index: Sizes) -> Any:
    return x.at[places(src.shape, axis[0], index)].add(src)


def scatter_reduce(
    np: Any,
    x: Any,
    src: Any,
    axis: Sizes,
    index: Sizes,
    reduce: str,
    include_self: bool,
) -> Any:
    """JAX has a method for each reduction, in which x always takes part."""
    if reduce == "mean" or not include_self:
        raise NotImplementedError("JAX reduces with x, and to no mean")
    method = {"prod": "multiply", "amax": "max", "amin": "min"}[reduce]
    return getattr(x.at[places(src.shape, axis[0], index)], method)(src)


def index_select(np: Any, x: Any, axis: Sizes, index: Sizes) -> Any:
    return np.take(x, numpy.array(index), axis=axis[0])


def index_add(
    np: Any, x: Any, src: Any, axis: Sizes, index: Sizes, alpha: float
) -> Any:
    place = axis[0] % x.ndim
    where = (*(slice(None),) * place, numpy.array(index))
    return x.at[where].add(alpha * src)


def index_put(np: Any, x: Any, src: Any, index: Sizes, accumulate: bool) -> Any:
    rows = x.at[numpy.array(index)]
    return rows.add(src) if accumulate else rows.set(src)


def masked_fill(np: Any, x: Any, mask: Any, value: float) -> Any:
    return np.where(mask, value, x)


def segment_reduce(np: Any, x: Any, segments: Sizes, reduce: str) -> Any:
    import jax

    where, count = numpy.array(segments), segments[-1] + 1
    if reduce != "mean":
        return getattr(jax.ops, f"segment_{reduce}")(x, where, count)
    sizes = numpy.bincount(where).astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1))
    return jax.ops.segment_sum(x, where, count) / sizes


def cumprod(np: Any, x: Any, axis: Sizes) -> Any:
    return np.cumprod(x, axis[0])


def logcumsumexp(np: Any, x: Any, axis: Sizes) -> Any:
    import jax

    return jax.lax.cumlogsumexp(x, axis[0] % x.ndim)


def flip(np: Any, x: Any, axis: Any) -> Any:
    return np.flip(x, axis)


def pad_axis(np: Any, x: Any, before: int, after: int, mode: str, value: float) -> Any:
    widths = [(0, 0)] * (x.ndim - 1) + [(before, after)]
    if mode == "constant":
        return np.pad(x, widths, constant_values=value)
    return np.pad(x, widths, mode=mode)


FUNCTIONS: Mapping[str, Callable[..., object] | str] = {
    **composed.FUNCTIONS,
    **{
        f.__name__: f
        for f in (
            gather, take_along_axis, scatter, scatter_add, scatter_reduce, index_select,
            index_add, index_put, masked_fill, segment_reduce, cumprod, logcumsumexp,
            flip, pad_axis,
        )
    },
}  # fmt: skip
