"""What variables and duals have in common: Python's operators and NumPy's functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from gradverify.arithmetic.arithmetic import Arithmetic
from gradverify.autodiff.numpy_calls import FUNCTIONS, UFUNCS, canonical_axis, supported
from gradverify.ops import Shape


def _operator(op: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: self.table[op](self, other)


def _reflected(op: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: self.table[op](other, self)


def _comparison(name: str) -> Callable[[Any, Any], Any]:
    def compare(self: Any, other: Any) -> Any:
        return getattr(bare(self), name)(bare(other))

    return compare


def bare(value: Any) -> Any:
    """A value without what engines follow it by."""
    while isinstance(value, Traced):
        value = value.primal
    return value


class Traced:
    """A value that an engine follows: every op on it goes through the engine's table.

    `primal` is its value in the arithmetic. Comparisons look at primals alone. They
    give Boolean arrays, which `np.where` takes.

    arithmetic: what the engine runs over; algebra: the arithmetic of these values
    themselves. beneath: the classes of values of all engines that it runs over.
    """

    __slots__ = ()
    __array_priority__ = 1000.0

    table: ClassVar[Mapping[str, Callable[..., Any]]]
    arithmetic: ClassVar[Arithmetic]
    algebra: ClassVar[Arithmetic]
    beneath: ClassVar[frozenset[type]]
    primal: Any

    @property
    def dtype(self) -> Any:
        """The dtype of the primal, if it is NumPy's."""
        return bare(self).dtype

    @property
    def shape(self) -> Shape:
        """The shape of the primal."""
        return tuple(np.shape(self.primal))

    @property
    def ndim(self) -> int:
        """The rank of the primal."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.size(self.primal))

    @property
    def T(self) -> Self:
        """All axes reversed."""
        result: Self = self.table["transpose"](self)
        return result

    __add__, __radd__ = _operator("add"), _reflected("add")
    __sub__, __rsub__ = _operator("sub"), _reflected("sub")
    __mul__, __rmul__ = _operator("mul"), _reflected("mul")
    __truediv__, __rtruediv__ = _operator("div"), _reflected("div")
    __matmul__, __rmatmul__ = _operator("matmul"), _reflected("matmul")
    __rpow__ = _reflected("pow")
    __lt__, __le__ = _comparison("__lt__"), _comparison("__le__")
    __gt__, __ge__ = _comparison("__gt__"), _comparison("__ge__")

    def __neg__(self) -> Self:
        result: Self = self.table["neg"](self)
        return result

    def __abs__(self) -> Self:
        result: Self = self.table["abs"](self)
        return result

    def __pow__(self, other: Any) -> Self:
        result: Self
        if isinstance(other, int | float) and not isinstance(other, np.floating):
            result = self.table["power"](self, n=other)
        else:
            result = self.table["pow"](self, other)
        return result

    def sum(self, axis: Any = None, *, keepdims: bool = False) -> Self:
        """The sum along `axis`: an int, a tuple, or None for all."""
        axis = canonical_axis(axis)
        result: Self = self.table["sum"](self, axis=axis, keepdims=keepdims)
        return result

    def mean(self, axis: Any = None, *, keepdims: bool = False) -> Self:
        """The mean along `axis`: an int, a tuple, or None for all."""
        axis = canonical_axis(axis)
        result: Self = self.table["mean"](self, axis=axis, keepdims=keepdims)
        return result

    def reshape(self, *shape: Any) -> Self:
        """The same elements in another shape, given as numbers or as one tuple."""
        whole = shape[0] if len(shape) == 1 else shape
        result: Self = FUNCTIONS["reshape"](self.table, self, whole)
        return result

    def transpose(self, *axes: Any) -> Self:
        """The axes in another order, as numbers or one tuple; without it, reversed."""
        order = axes[0] if len(axes) == 1 else axes or None
        result: Self = FUNCTIONS["transpose"](self.table, self, order)
        return result

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        call = UFUNCS.get(ufunc.__name__)
        if call is None or method != "__call__" or kwargs:
            how = "" if method == "__call__" else f".{method}"
            extra = f" with {sorted(kwargs)}" if kwargs else ""
            raise TypeError(
                f"np.{ufunc.__name__}{how}{extra} has no derivative here; {supported()}"
            )
        return call(self.table, *inputs)

    def __array_function__(
        self, function: Any, types: Any, args: Any, kwargs: Any
    ) -> Any:
        del types
        call = FUNCTIONS.get(function.__name__)
        if call is None:
            raise TypeError(
                f"np.{function.__name__} has no derivative here; {supported()}"
            )
        return call(self.table, *args, **kwargs)


def confused(kind: str, value: Any) -> TypeError:
    """The error for an operand that belongs to another engine or arithmetic."""
    return TypeError(
        f"{value!r} cannot meet a {kind} of another arithmetic or engine; allowed are "
        f"{kind}s of the same arithmetic, numbers and arrays"
    )
