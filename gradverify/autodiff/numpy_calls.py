"""NumPy's functions as ops: which op a call means, and with which params."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

Ops = Mapping[str, Callable[..., Any]]


def canonical_axis(axis: Any) -> tuple[int, ...] | None:
    """An axis as the op table has it: a tuple, or None for all."""
    if axis is None:
        return None
    return tuple(axis) if isinstance(axis, Sequence) else (int(axis),)


def _same(op: str, table: Ops, *operands: Any) -> Any:
    return table[op](*operands)


def _power(table: Ops, base: Any, exponent: Any) -> Any:
    if type(exponent) in (int, float):
        return table["power"](base, n=exponent)
    return table["pow"](base, exponent)


def _compare(name: str, table: Ops, a: Any, b: Any) -> Any:
    del table
    a, b = (getattr(x, "primal", x) for x in (a, b))
    return getattr(operator, name)(a, b)


# Ufuncs of NumPy with the same name as the op.
SAME = (
    "sign square reciprocal exp2 expm1 log2 log10 log1p tan sinh cosh minimum hypot "
    "logaddexp"
)

# Ufuncs of scipy.special.
SPECIAL = {
    "expit": "sigmoid",
    "erf": "erf",
    "erfc": "erfc",
    "gammaln": "lgamma",
    "psi": "digamma",
}

# fmt: off
UFUNCS: Mapping[str, Callable[..., Any]] = {
    "negative":      partial(_same, "neg"),
    "exp":           partial(_same, "exp"),
    "log":           partial(_same, "log"),
    "sin":           partial(_same, "sin"),
    "cos":           partial(_same, "cos"),
    "tanh":          partial(_same, "tanh"),
    "sqrt":          partial(_same, "sqrt"),
    "absolute":      partial(_same, "abs"),
    **{name: partial(_same, name) for name in SAME.split()},
    **{name: partial(_same, op) for name, op in SPECIAL.items()},
    "arcsin":        partial(_same, "asin"),
    "arccos":        partial(_same, "acos"),
    "arctan":        partial(_same, "atan"),
    "arcsinh":       partial(_same, "asinh"),
    "arccosh":       partial(_same, "acosh"),
    "arctanh":       partial(_same, "atanh"),
    "arctan2":       partial(_same, "atan2"),
    "add":           partial(_same, "add"),
    "subtract":      partial(_same, "sub"),
    "multiply":      partial(_same, "mul"),
    "divide":        partial(_same, "div"),
    "power":         _power,
    "maximum":       partial(_same, "maximum"),
    "matmul":        partial(_same, "matmul"),
    "less":          partial(_compare, "lt"),
    "less_equal":    partial(_compare, "le"),
    "greater":       partial(_compare, "gt"),
    "greater_equal": partial(_compare, "ge"),
}
# fmt: on


def _reduce(
    op: str, table: Ops, a: Any, axis: Any = None, *, keepdims: bool = False
) -> Any:
    return table[op](a, axis=canonical_axis(axis), keepdims=keepdims)


def _whole_shape(size: int, shape: Any) -> tuple[int, ...]:
    """A shape whose -1, if it has one, is replaced by the length it stands for."""
    whole = canonical_axis(shape) or ()
    rest = size // max(-math.prod(whole), 1)
    return tuple(rest if n == -1 else n for n in whole)


def _reshape(table: Ops, a: Any, shape: Any) -> Any:
    return table["reshape"](a, shape=_whole_shape(np.size(a), shape))


def _transpose(table: Ops, a: Any, axes: Any = None) -> Any:
    if axes is not None:
        axes = tuple(x % np.ndim(a) for x in canonical_axis(axes) or ())
    return table["transpose"](a, axes=axes)


def _broadcast_to(table: Ops, array: Any, shape: Any) -> Any:
    return table["broadcast_to"](array, shape=canonical_axis(shape))


def _where(table: Ops, condition: Any, x: Any, y: Any) -> Any:
    return table["where"](condition, x, y)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{op: partial(_reduce, op) for op in ("sum", "mean", "prod", "max", "min")},
    "where": _where,
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "shape": lambda table, a: a.shape,
    "ndim": lambda table, a: a.ndim,
    "size": lambda table, a: a.size,
}


def supported() -> str:
    """The functions that may be called, for an error message."""
    names = sorted(({*UFUNCS} - {*SPECIAL}) | {*FUNCTIONS})
    special = ", ".join(f"scipy.special.{name}" for name in SPECIAL)
    return f"supported are {special} and np." + ", np.".join(names)
