"""Tangents of a large array with one entry each, many at once, kept without zeros."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Units(NDArrayOperatorsMixin):
    """A stack of tangents, each with at most one entry that is not zero.

    Its shape is `(count, *x.shape)`. Three functions give such a stack again: a product
    with an array of x's shape or smaller, a sum with other units that leaves one entry
    in each tangent, and a matrix product of which one row or column is left. Other
    matrix products and whole sums pick entries from their operand. Every other function
    gets the stack with its zeros written out. A zero stays zero, also beside an
    infinity.
    """

    def __init__(
        self, shape: Sequence[int], rows: Any, entries: Any, values: Any
    ) -> None:
        """Tangent `rows[k]` is `values[k]` at the flat index `entries[k]` of x."""
        self.shape = tuple(shape)
        self.rows, self.entries, self.values = rows, entries, values

    @property
    def dtype(self) -> Any:
        """The dtype of the entries."""
        return self.values.dtype

    @property
    def ndim(self) -> int:
        """The rank of the stack."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        del copy
        whole = np.zeros((len(self), math.prod(self.shape[1:])), dtype or self.dtype)
        whole[self.rows, self.entries] = self.values
        return whole.reshape(self.shape)

    def __getitem__(self, index: Any) -> Any:
        return self if index == () else np.asarray(self)[index]

    def reshape(self, shape: Any, order: Any = "C") -> Any:
        """The tangents in another shape; if it differs, the stack is written out."""
        same = shape[:1] == self.shape[:1] and math.prod(shape) == math.prod(self.shape)
        if same and order == "C":
            return Units(shape, self.rows, self.entries, self.values)
        return np.reshape(np.asarray(self), shape, order=order)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        rule = RULES.get((ufunc, method))
        said = {k: v for k, v in kwargs.items() if v is not None and v is not False}
        if rule is not None and set(said) <= {"axis"}:
            found = rule(*inputs, **said)
            if found is not NotImplemented:
                return found
        whole = (np.asarray(x) if isinstance(x, Units) else x for x in inputs)
        return getattr(ufunc, method)(*whole, **kwargs)

    def _with(self, values: Any) -> Units:
        return Units(self.shape, self.rows, self.entries, values)


# ---- functions on units; NotImplemented where the stack must be written out


def _product(a: Any, b: Any) -> Any:
    """Every entry times the factor at its place."""
    units, x = (a, b) if isinstance(a, Units) else (b, a)
    shape = units.shape[1:]
    if isinstance(x, Units) or np.ndim(x) >= units.ndim:
        return NotImplemented
    if np.shape(x) == ():
        return units._with(units.values * x)
    if np.broadcast_shapes(np.shape(x), shape) != shape:
        return NotImplemented
    return units._with(units.values * np.broadcast_to(x, shape).flat[units.entries])


def _sum(a: Any, b: Any) -> Any:
    """The sum of units that have the same entries, or that belong to other tangents."""
    if not isinstance(a, Units) or not isinstance(b, Units) or a.shape != b.shape:
        return NotImplemented
    if a.entries is b.entries and a.rows is b.rows:
        return a._with(a.values + b.values)
    if np.intersect1d(a.rows, b.rows).size:
        return NotImplemented
    parts = ((a.rows, b.rows), (a.entries, b.entries), (a.values, b.values))
    return Units(a.shape, *map(np.concatenate, parts))


def _matmul(a: Any, b: Any) -> Any:
    if isinstance(b, Units):
        fits = np.ndim(a) == 2 and b.ndim == 3 and not isinstance(a, Units)
        return _after(a, b) if fits else NotImplemented
    return _before(a, b) if np.ndim(b) == 2 and 1 < a.ndim < 4 else NotImplemented


def _after(a: Any, units: Units) -> Any:
    """`a @ units`: a multiple of column i of a stands in the place of column j."""
    i, j = np.divmod(units.entries, units.shape[2])
    shape = (len(units), len(a), units.shape[2])
    if len(a) == 1:
        return Units(shape, units.rows, j, units.values * a[0, i])
    result = np.zeros(shape, np.result_type(a, units.dtype))
    result[units.rows, :, j] = (a[:, i] * units.values).T
    return result


def _before(units: Units, b: Any) -> Any:
    """`units @ b`: a multiple of row j of b stands in the place of row i."""
    i, j = np.divmod(units.entries, units.shape[-1])
    shape = (*units.shape[:-1], b.shape[1])
    if b.shape[1] == 1:
        return Units(shape, units.rows, i, units.values * b[j, 0])
    result = np.zeros(shape, np.result_type(b, units.dtype))
    place = (units.rows, i) if units.ndim == 3 else (units.rows,)
    result[place] = units.values[:, None] * b[j]
    return result


def _whole_sum(units: Units, axis: Any = 0) -> Any:
    """The sum of each tangent, which is its entry."""
    axes = {a % units.ndim for a in axis} if isinstance(axis, tuple) else {axis}
    if axes != {*range(1, units.ndim)}:
        return NotImplemented
    result = np.zeros(len(units), units.dtype)
    result[units.rows] = units.values
    return result


RULES: Mapping[tuple[np.ufunc, str], Callable[..., Any]] = {
    (np.multiply, "__call__"): _product,
    (np.add, "__call__"): _sum,
    (np.matmul, "__call__"): _matmul,
    (np.add, "reduce"): _whole_sum,
}
