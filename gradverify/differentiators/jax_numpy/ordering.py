"""JAX's functions that put entries in order, and those that look numbers up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradverify.differentiators.composed.numpy_indexing import Sizes


def sort(np: Any, x: Any, axis: Sizes, descending: bool) -> Any:
    return np.sort(x, axis=axis[0], descending=descending)


def topk(np: Any, x: Any, k: int, axis: Sizes, largest: bool) -> Any:
    import jax

    last = np.moveaxis(x, axis[0], -1)
    found = jax.lax.top_k(last, k)[0] if largest else -jax.lax.top_k(-last, k)[0]
    return np.moveaxis(found, -1, axis[0])


def kthvalue(np: Any, x: Any, k: int, axis: Sizes, keepdims: bool) -> Any:
    found = np.take(np.sort(x, axis=axis[0]), k - 1, axis=axis[0])
    return np.expand_dims(found, axis[0]) if keepdims else found


def median(np: Any, x: Any, axis: Sizes, keepdims: bool) -> Any:
    return np.quantile(x, 0.5, axis=axis[0], method="lower", keepdims=keepdims)


def cummax(np: Any, x: Any, axis: Sizes) -> Any:
    import jax

    return jax.lax.cummax(x, axis[0] % x.ndim)


def cummin(np: Any, x: Any, axis: Sizes) -> Any:
    import jax

    return jax.lax.cummin(x, axis[0] % x.ndim)


def interp(np: Any, x: Any, table: Any, knots: Sequence[float]) -> Any:
    return np.interp(x, np.array(knots, table.dtype), table)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f for f in (sort, topk, kthvalue, median, cummax, cummin, interp)
}
