"""JAX's own functions that choose, put and move entries, a function an op.

The table calls them, and scripts have their source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy

Sizes = Sequence[int]


def _at(shape: Any, axis: int, index: Sizes) -> Any:
    where = list(numpy.indices(shape))
    where[axis] = numpy.reshape(index, shape)
    return tuple(where)


def gather(x: Any, axis: Sizes, index: Sizes) -> Any:
    import jax.numpy as jnp

    shape = list(x.shape)
    shape[axis[0]] = len(index) * shape[axis[0]] // x.size
    return jnp.take_along_axis(x, numpy.reshape(index, shape), axis[0])


def scatter(x: Any, src: Any, axis: Sizes, index: Sizes) -> Any:
    return x.at[_at(src.shape, axis[0], index)].set(src)


def scatter_add(x: Any, src: Any, axis: Sizes, index: Sizes) -> Any:
    return x.at[_at(src.shape, axis[0], index)].add(src)


def index_select(x: Any, axis: Sizes, index: Sizes) -> Any:
    import jax.numpy as jnp

    return jnp.take(x, numpy.array(index), axis=axis[0])


def index_add(x: Any, src: Any, axis: Sizes, index: Sizes, alpha: float) -> Any:
    place = axis[0] % x.ndim
    where = (*(slice(None),) * place, numpy.array(index))
    return x.at[where].add(alpha * src)


def index_put(x: Any, src: Any, index: Sizes, accumulate: bool) -> Any:
    rows = x.at[numpy.array(index)]
    return rows.add(src) if accumulate else rows.set(src)


def masked_fill(x: Any, mask: Any, value: float) -> Any:
    import jax.numpy as jnp

    return jnp.where(mask, value, x)


def masked_select(x: Any, chosen: Sizes) -> Any:
    return x[numpy.reshape(chosen, x.shape) == 1]


def segment_reduce(x: Any, segments: Sizes, reduce: str) -> Any:
    import jax

    where, count = numpy.array(segments), segments[-1] + 1
    if reduce != "mean":
        return getattr(jax.ops, f"segment_{reduce}")(x, where, count)
    sizes = numpy.bincount(where).astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1))
    return jax.ops.segment_sum(x, where, count) / sizes


def cumprod(x: Any, axis: Sizes) -> Any:
    import jax.numpy as jnp

    return jnp.cumprod(x, axis[0])


def logcumsumexp(x: Any, axis: Sizes) -> Any:
    import jax

    return jax.lax.cumlogsumexp(x, axis[0] % x.ndim)


def diff(x: Any, n: int, axis: Sizes) -> Any:
    import jax.numpy as jnp

    return jnp.diff(x, n, axis[0])


def flip(x: Any, axis: Any) -> Any:
    import jax.numpy as jnp

    return jnp.flip(x, axis)


def roll(x: Any, shift: int, axis: Sizes) -> Any:
    import jax.numpy as jnp

    return jnp.roll(x, shift, axis[0])


def rot90(x: Any, k: int) -> Any:
    import jax.numpy as jnp

    return jnp.rot90(x, k)


def repeat(x: Any, repeats: int, axis: Sizes) -> Any:
    import jax.numpy as jnp

    return jnp.repeat(x, repeats, axis[0])


def tile(x: Any, reps: Sizes) -> Any:
    import jax.numpy as jnp

    return jnp.tile(x, tuple(reps))


def pad_axis(x: Any, before: int, after: int, mode: str, value: float) -> Any:
    import jax.numpy as jnp

    widths = [(0, 0)] * (x.ndim - 1) + [(before, after)]
    if mode == "constant":
        return jnp.pad(x, widths, constant_values=value)
    return jnp.pad(x, widths, mode=mode)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        gather, scatter, scatter_add, index_select, index_add, index_put, masked_fill,
        masked_select, segment_reduce,
        cumprod, logcumsumexp, diff, flip, roll, rot90, repeat,
        tile, pad_axis,
    )
}  # fmt: skip

ABSENT: Mapping[str, str] = {
    "scatter_reduce": "JAX reduces what comes to a place by one method each, with x"
}
