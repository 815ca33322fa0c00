"""Unit tangents of a large array, many at once, without all their zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Units(NDArrayOperatorsMixin):
    """A stack of tangents, of which some have a single one and the others nothing.

    shape: `(count, *x.shape)`. A matrix product with a stack of matrices picks rows or
    columns; every other function gets the stack written out.
    """

    def __init__(
        self, shape: Sequence[int], rows: Any, entries: Any, dtype: Any
    ) -> None:
        """Tangent `rows[k]` is one at the flat index `entries[k]` of x."""
        self.shape = tuple(shape)
        self.rows, self.entries, self.dtype = rows, entries, np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """The rank of the stack."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        del copy
        whole = np.zeros((len(self), int(np.prod(self.shape[1:]))), dtype or self.dtype)
        whole[self.rows, self.entries] = 1
        return whole.reshape(self.shape)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        if ufunc is np.matmul and method == "__call__" and not kwargs:
            a, b = inputs
            if b is self and np.ndim(a) == 2 and self.ndim == 3:
                return self._after(a)
            if a is self and np.ndim(b) == 2 and self.ndim == 3:
                return self._before(b)
        whole = (np.asarray(x) if isinstance(x, Units) else x for x in inputs)
        return getattr(ufunc, method)(*whole, **kwargs)

    def _after(self, a: Any) -> Any:
        """a @ unit: column i of a, in the place of column j."""
        i, j = np.divmod(self.entries, self.shape[2])
        result = np.zeros((len(self), len(a), self.shape[2]), a.dtype)
        result[self.rows, :, j] = a[:, i].T
        return result

    def _before(self, b: Any) -> Any:
        """unit @ b: row j of b, in the place of row i."""
        i, j = np.divmod(self.entries, self.shape[2])
        result = np.zeros((len(self), self.shape[1], b.shape[1]), b.dtype)
        result[self.rows, i, :] = b[j]
        return result
