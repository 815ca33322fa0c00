"""An array that NumPy's functions run on, and that writes down what they compute.

It stands for entries of a cell. Views share the cell, so that a write in place is seen
by all of them: an array is a cell and the places in it that it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.capture.captured import NotCaptured
from gradverify.capture.moved_entries import reshaped, taken
from gradverify.capture.trace_notes import TraceNotes
from gradverify.capture.user_lines import running_line
from gradverify.graph import Array, input_leaf

LIBRARY = str(Path(np.__file__).parent)

COMPARISONS = [
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "equal",
    "not_equal",
    "isfinite",
    "isnan",
    "isinf",
    "logical_and",
    "logical_or",
    "logical_not",
    "signbit",
]
STEPS = [
    "sign",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "round",
    "around",
    "fix",
    "floor_divide",
    "heaviside",
]
MOVES = [
    "reshape",
    "ravel",
    "transpose",
    "swapaxes",
    "moveaxis",
    "rollaxis",
    "squeeze",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "roll",
    "rot90",
    "repeat",
    "tile",
    "take",
    "take_along_axis",
    "diagonal",
    "diag",
    "broadcast_to",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "split",
    "array_split",
    "hsplit",
    "vsplit",
    "resize",
    "copy",
]
LIKE = ["zeros_like", "ones_like", "empty_like", "full_like"]
JOINS = ["concatenate", "stack", "hstack", "vstack", "column_stack", "dstack", "append"]
PLACES = [
    "argmax",
    "argmin",
    "argsort",
    "nonzero",
    "flatnonzero",
    "argwhere",
    "searchsorted",
]
REDUCED = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}


class FollowTrace:
    """The program that arrays write down, and what was met besides.

    is_constant: whether a number that is read now is a constant to the library. Else it
        is a part of the function, and cannot be followed. rows, ufuncs: what functions
        and functions of entries are, by name. refusal: why the function
        cannot be written down, once that is known.
    """

    def __init__(
        self,
        dtype: str,
        is_constant: Callable[[], bool],
        rows: Mapping[str, Callable[..., Any]],
        ufuncs: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.is_constant = is_constant
        self.rows, self.ufuncs = rows, ufuncs
        self.refusal: NotCaptured | None = None
        self.program = Program(dtype)
        self.seen = TraceNotes()
        self.unit = float(np.finfo(dtype).eps)

    def input(self, value: Array) -> FollowedArray:
        """An array that is differentiated."""
        symbol = self.program.append(input_leaf(value.shape))
        return FollowedArray(self, ArrayCell(symbol, value), _numbered(value.shape))

    def made(self, symbol: Symbol, value: Any) -> FollowedArray:
        """A new array of its own. Its nodes get the user's line."""
        line = running_line(LIBRARY)
        if line is not None:
            for i in range(len(self.program.nodes) - 1, -1, -1):
                if i in self.seen.lines:
                    break
                self.seen.lines[i] = line
        value = np.array(value)
        return FollowedArray(self, ArrayCell(symbol, value), _numbered(value.shape))

    def lift(self, x: Any) -> Symbol:
        """The symbol of an array, or a number as it stands in a graph."""
        if isinstance(x, FollowedArray):
            return x.symbol
        return self.program.lift(np.asarray(x, float))

    def read(self) -> None:
        """A number is read. Raises `NotCaptured` if it is a part of the function."""
        if not self.is_constant():
            raise self.refuse(
                "a number is read from an array (float, item, a write into an array of "
                "zeros), and what is computed with it cannot be followed"
            )
        self.seen.read()

    def refuse(self, reason: str) -> NotCaptured:
        """Why the function cannot be written down, and at which line."""
        line = running_line(LIBRARY)
        text = f"{reason}, at {line}" if line is not None else reason
        self.refusal = NotCaptured(text)
        return self.refusal


class ArrayCell:
    """The values of an array and of its views: flat, and as a symbol."""

    def __init__(self, symbol: Symbol, value: Array) -> None:
        self.flat = reshaped(symbol, (value.size,))
        self.values = value.ravel().copy()


def _numbered(shape: tuple[int, ...]) -> Array:
    return np.arange(int(np.prod(shape, dtype=int))).reshape(shape)


class FollowedArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of NumPy for the user's function."""

    __array_priority__ = 1000.0

    def __init__(self, trace: FollowTrace, cell: ArrayCell, spots: Array) -> None:
        self.trace, self.cell, self.spots = trace, cell, spots

    @property
    def symbol(self) -> Symbol:
        """The symbol of what it shows now."""
        return taken(self.cell.flat, self.spots)

    @property
    def value(self) -> Array:
        """The numbers that it shows now."""
        found: Array = self.cell.values[self.spots]
        return found

    shape = property(lambda self: self.spots.shape)
    ndim = property(lambda self: self.spots.ndim)
    size = property(lambda self: self.spots.size)
    dtype = property(lambda self: self.cell.values.dtype)

    def __len__(self) -> int:
        return len(self.spots)

    def __iter__(self) -> Any:
        return (self[k] for k in range(len(self)))

    def _showing(self, spots: Any) -> FollowedArray:
        """Entries at some places: a view if NumPy gives one, a copy otherwise."""
        spots = np.asarray(spots)
        if np.may_share_memory(spots, self.spots):
            return FollowedArray(self.trace, self.cell, spots)
        symbol = taken(self.cell.flat, spots)
        return self.trace.made(symbol, self.cell.values[spots])

    def __getitem__(self, key: Any) -> FollowedArray:
        return self._showing(self.spots[plain(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._write(self.spots[plain(key)], value)

    def _write(self, spots: Any, value: Any) -> None:
        """New values of the entries at some places, in all views."""
        spots = np.asarray(spots)
        trace, flat = self.trace, self.cell.flat
        given, numbers = trace.lift(value), plain(value)
        if given.shape != spots.shape:
            given = m.broadcast_to(given, shape=spots.shape)
        index = np.arange(self.cell.values.size)
        index[spots.ravel()] = index.size + np.arange(spots.size)
        both = m.concatenate(flat, reshaped(given, (spots.size,)), axis=(-1,))
        self.cell.flat = taken(both, index)
        self.cell.values[spots] = numbers

    # ---- what NumPy's arrays can do besides

    def __bool__(self) -> bool:
        self.trace.seen.read()
        return bool(self.value)

    def __float__(self) -> float:
        self.trace.read()
        return float(self.value)

    def __int__(self) -> int:
        self.trace.seen.stepped(
            "trunc", np.trunc(self.value), self.value, self.trace.unit
        )
        return int(self.value)

    def item(self) -> float:
        """The number, as a constant."""
        return float(self)

    def __array__(self, *args: Any, **kwargs: Any) -> Array:
        raise self.trace.refuse(
            "an array is made of one that is followed (np.array, a write into an "
            "array of zeros); write np.zeros_like(x), np.stack or np.concatenate"
        )

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        out = kwargs.pop("out", None)
        kwargs.pop("dtype", None)
        name = ufunc.__name__
        if method == "reduce" and name in REDUCED:
            kwargs = {k: v for k, v in kwargs.items() if v is not None or k == "axis"}
            kwargs.setdefault("axis", 0)
            return _reduced(self.trace, REDUCED[name], *inputs, **kwargs)
        if method == "at" and name == "add":
            target, key, value = inputs
            return target._added_at(key, value)
        if method != "__call__" or kwargs:
            raise self.trace.refuse(f"np.{name}.{method} has no row")
        if name == "matmul":  # a function of arrays that NumPy calls one of entries
            found = self.trace.rows[name](self.trace, ufunc, *inputs)
        else:
            found = _ufunc(self.trace, ufunc, *inputs)
        if out is None:
            return found
        (target,) = out
        if not isinstance(target, FollowedArray):
            raise self.trace.refuse("a result is written into an array of constants")
        target._write(target.spots, found)
        return target

    def _added_at(self, key: Any, value: Any) -> None:
        """`np.add.at`: entries that are named twice get both."""
        spots = self.spots[plain(key)]
        given = self.trace.lift(value)
        if given.shape != spots.shape:
            given = m.broadcast_to(given, shape=spots.shape)
        at = tuple(int(i) for i in spots.ravel())
        length = self.cell.values.size
        put = m.put(reshaped(given, (spots.size,)), axis=(-1,), index=at, length=length)
        self.cell.flat = self.cell.flat + put
        np.add.at(self.cell.values, spots, plain(value))

    def __array_function__(
        self, function: Any, types: Any, args: Any, kwargs: Any
    ) -> Any:
        del types
        row = self.trace.rows.get(function.__name__)
        if row is None:
            raise self.trace.refuse(f"there is no row for np.{function.__name__}")
        try:
            return row(self.trace, function, *args, **kwargs)
        except (ValueError, TypeError) as error:
            raise self.trace.refuse(f"np.{function.__name__}: {error}") from None

    T = property(lambda self: self._showing(self.spots.T))

    def reshape(self, *shape: Any, **kwargs: Any) -> FollowedArray:
        """The same entries in another shape."""
        return self._showing(self.spots.reshape(*shape, **kwargs))

    def transpose(self, *axes: Any) -> FollowedArray:
        """The axes in another order."""
        return self._showing(self.spots.transpose(*axes))

    def ravel(self) -> FollowedArray:
        """All entries along one axis."""
        return self._showing(self.spots.ravel())

    def flatten(self) -> FollowedArray:
        """A copy of all entries along one axis."""
        return self._showing(self.spots.flatten())

    def copy(self) -> FollowedArray:
        """The same numbers in memory of its own."""
        return self._showing(self.spots.copy())

    def view(self, kind: Any = None) -> FollowedArray:
        """The same entries; of no other type, since there is none that is followed."""
        if kind not in (None, np.ndarray):
            raise self.trace.refuse("a view of another type")
        return self

    def squeeze(self, axis: Any = None) -> FollowedArray:
        """Without axes of length 1."""
        return self._showing(self.spots.squeeze(axis))

    def astype(self, dtype: Any, **options: Any) -> Any:
        """Another format; whole numbers and truth values are decisions."""
        del options
        value = self.value.astype(dtype)
        if value.dtype.kind in "iub":
            self.trace.seen.stepped("trunc", value, self.value, self.trace.unit)
            return value
        if value.dtype.name not in ("float32", "float64"):
            raise self.trace.refuse(f"a cast to {value.dtype}")
        if value.dtype.itemsize < self.dtype.itemsize:
            self.trace.seen.narrow = True
        return self.trace.made(self.symbol, value)


def _method(name: str) -> Callable[..., Any]:
    def method(self: FollowedArray, *args: Any, **kwargs: Any) -> Any:
        return getattr(np, name)(self, *args, **kwargs)

    return method


for _name in [
    "sum",
    "mean",
    "prod",
    "max",
    "min",
    "var",
    "std",
    "cumsum",
    "dot",
    "clip",
    "argmax",
    "argmin",
    "round",
]:
    setattr(FollowedArray, _name, _method(_name))


def plain(x: Any) -> Any:
    """Numbers, wherever they are followed."""
    if isinstance(x, FollowedArray):
        return x.value
    if isinstance(x, list | tuple):
        return type(x)(plain(v) for v in x)
    return x


def _operand(trace: FollowTrace, x: Any, op: str) -> Any:
    """An operand of an op: literals may meet operators only."""
    if isinstance(x, FollowedArray):
        return x.symbol
    array = np.asarray(x, float)
    if not np.all(np.isfinite(array)):
        raise trace.refuse(f"np.{op} of a number that is not finite")
    return float(array) if not array.shape and op in OPERATORS else array


OPERATORS = ("add", "subtract", "multiply", "divide", "power", "float_power")


def _ufunc(trace: FollowTrace, ufunc: np.ufunc, *inputs: Any) -> Any:
    """A function that is run entry by entry."""
    name, numbers = ufunc.__name__, [plain(x) for x in inputs]
    value = ufunc(*numbers)
    if name in COMPARISONS:
        same = len(inputs) == 2 and inputs[0] is inputs[1]  # x != x
        if len(numbers) == 2 and not same and not name.startswith("logical"):
            trace.seen.compared(value, numbers[0], numbers[1], trace.unit)
        else:
            trace.seen.decided.append(np.array(value))
        return value
    if name in STEPS:
        operand = numbers[0] if len(numbers) == 1 else numbers[0] / numbers[1]
        trace.seen.stepped(name, value, operand, trace.unit)
        return value
    if name in ("positive", "conjugate"):
        return inputs[0].copy()
    if name in ("power", "float_power"):
        return trace.made(_power(trace, *inputs), value)
    row = trace.ufuncs.get(name)
    if row is None:
        raise trace.refuse(f"there is no row for np.{name}")
    try:
        symbol = row(m.table, *(_operand(trace, x, name) for x in inputs))
    except ValueError as error:
        raise trace.refuse(f"np.{name}: {error}") from None
    return trace.made(symbol, value)


def _power(trace: FollowTrace, base: Any, exponent: Any) -> Symbol:
    plain = not isinstance(exponent, FollowedArray) and np.ndim(exponent) == 0
    if isinstance(base, FollowedArray) and plain:
        n = float(exponent)
        power: Symbol = m.power(base.symbol, n=int(n) if n.is_integer() else n)
        return power
    a, b = (_operand(trace, x, "power") for x in (base, exponent))
    return trace.program.apply("pow", a, b)


# ---- functions of NumPy: a row each


def _reduced(
    trace: FollowTrace, op: str, x: Any, axis: Any = None, **kwargs: Any
) -> Any:
    """A reduction over some axes or all."""
    if unknown := set(kwargs) - {"keepdims", "dtype", "out", "initial", "where"}:
        raise trace.refuse(f"np.{op} with {sorted(unknown)}")
    keepdims = kwargs.get("keepdims", False)
    keepdims = bool(keepdims) if isinstance(keepdims, bool | np.bool_) else False
    along = (axis,) if isinstance(axis, int | np.integer) else axis
    value = getattr(np, op)(x.value, axis=axis, keepdims=keepdims)
    return trace.made(m.table[op](x.symbol, axis=along, keepdims=keepdims), value)


def reduced(op: str) -> Callable[..., Any]:
    """The row of a reduction."""
    return lambda trace, f, x, axis=None, **kw: _reduced(trace, op, x, axis, **kw)


def spread(op: str) -> Callable[..., Any]:
    """The row of a variance or a deviation."""

    def row(
        trace: FollowTrace, f: Any, x: Any, axis: Any = None, *, ddof: int = 0,
        keepdims: Any = False, **kwargs: Any,
    ) -> Any:  # fmt: skip
        del kwargs
        kept = keepdims is True
        along = (axis,) if isinstance(axis, int) else axis
        value = f(x.value, axis=axis, ddof=ddof, keepdims=kept)
        symbol = m.table[op](x.symbol, axis=along, keepdims=kept, ddof=ddof)
        return trace.made(symbol, value)

    return row


def moves(trace: FollowTrace, f: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """A function that only chooses entries: it is run on their places."""
    if not isinstance(x, FollowedArray):
        raise trace.refuse(f"np.{f.__name__} at places that are followed")
    found = f(x.spots, *plain(args), **kwargs)
    if isinstance(found, list | tuple):
        return [x._showing(spots) for spots in found]
    if f.__name__ == "diag" and x.ndim == 1:
        ones = f(np.ones(x.shape, bool), *args, **kwargs)
        symbol = m.where(ones, taken(x.cell.flat, found), np.float64(0))
        return trace.made(symbol, f(x.value, *args, **kwargs))
    return x._showing(found)


def joins(trace: FollowTrace, f: Any, parts: Any, *args: Any, **kwargs: Any) -> Any:
    """A function that puts arrays together: it is run on places in all of them."""
    if f.__name__ == "append":
        parts, args = (parts, args[0]), args[1:]
    numbers, flat, start = [], None, 0
    for part in parts:
        value = np.asarray(plain(part), float)
        numbers.append(np.arange(start, start + value.size).reshape(value.shape))
        start += value.size
        one = reshaped(trace.lift(part), (value.size,))
        flat = one if flat is None else m.concatenate(flat, one, axis=(-1,))
    assert flat is not None
    call = f if f.__name__ != "append" else lambda p, *a, **k: f(*p, *a, **k)
    index = call(numbers, *args, **kwargs)
    value = call([plain(p) for p in parts], *args, **kwargs)
    return trace.made(taken(flat, index), value)


def like(trace: FollowTrace, f: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Constants in the shape of an array, into which may be written."""
    if f.__name__ == "empty_like":
        f = np.zeros_like
    value = f(plain(x), *plain(args), **kwargs)
    if value.dtype.kind != "f":
        return value
    return trace.made(trace.program.lift(value), value)


def decides(trace: FollowTrace, f: Any, *args: Any, **kwargs: Any) -> Any:
    """A function whose result is whole numbers or truth values."""
    value = f(*plain(args), **kwargs)
    trace.seen.decided.append(np.array(value))
    if f.__name__.startswith("arg"):
        ordered = np.sort(np.asarray(plain(args[0]), float), axis=None)
        if np.any(np.diff(ordered) == 0):
            trace.seen.ties[f"two entries that {f.__name__} tells apart are equal"] = (
                None
            )
    return value


def where(trace: FollowTrace, f: Any, mask: Any, a: Any = None, b: Any = None) -> Any:
    if a is None:
        return decides(trace, f, mask)
    mask = np.asarray(plain(mask)).astype(bool)
    symbol = m.where(mask, *(_operand(trace, x, "where") for x in (a, b)))
    return trace.made(symbol, f(mask, plain(a), plain(b)))


def product(trace: FollowTrace, f: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    """`dot` and its kin, for arrays of rank 0, 1 or 2."""
    del kwargs
    x, y = trace.lift(a), trace.lift(b)
    value = f(plain(a), plain(b))
    if not x.shape or not y.shape:
        return trace.made(x * y, value)
    if f.__name__ == "outer":
        left = reshaped(x, (int(np.prod(x.shape)), 1))
        return trace.made(left * reshaped(y, (1, int(np.prod(y.shape)))), value)
    if max(len(x.shape), len(y.shape)) > 2:
        raise trace.refuse(f"np.{f.__name__} of arrays of rank 3 or more")
    if f.__name__ == "inner" and len(y.shape) == 2:
        y = m.transpose(y, axes=(1, 0))
    return trace.made(m.matmul(x, y), value)


def einsum(trace: FollowTrace, f: Any, text: str, *parts: Any, **kwargs: Any) -> Any:
    del kwargs
    if len(parts) != 2:
        raise trace.refuse("np.einsum of other than two arrays")
    text = text.replace(" ", "")
    symbol = m.einsum(*(trace.lift(p) for p in parts), subscripts=text)
    return trace.made(symbol, f(text, *plain(parts)))


def clip(
    trace: FollowTrace, f: Any, x: Any, low: Any = None, high: Any = None, **named: Any
) -> Any:
    low = named.get("min", named.get("a_min", low))
    high = named.get("max", named.get("a_max", high))
    symbol = trace.lift(x)
    if low is not None:
        symbol = m.maximum(symbol, _operand(trace, low, "clip"))
    if high is not None:
        symbol = m.minimum(symbol, _operand(trace, high, "clip"))
    return trace.made(symbol, f(plain(x), plain(low), plain(high)))


def cumsum(trace: FollowTrace, f: Any, x: Any, axis: Any = None, **kwargs: Any) -> Any:
    del kwargs
    if axis is None:
        x, axis = x.ravel(), 0
    return trace.made(m.cumsum(x.symbol, axis=(axis,)), f(x.value, axis))


def matrices(trace: FollowTrace, f: Any, *operands: Any, **kwargs: Any) -> Any:
    """A function of linear algebra."""
    params = {"solve": {"left": True}, "cholesky": {"upper": False}}
    value = f(*plain(operands), **kwargs)
    try:
        symbol = m.table[f.__name__](
            *(trace.lift(x) for x in operands), **params.get(f.__name__, {}), **kwargs
        )
    except ValueError as error:
        raise trace.refuse(f"np.linalg.{f.__name__}: {error}") from None
    return trace.made(symbol, value)


def norm(
    trace: FollowTrace,
    f: Any,
    x: Any,
    ord: Any = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    if ord not in (None, 2) or (ord == 2 and x.ndim == 2 and axis is None):
        raise trace.refuse(f"np.linalg.norm of order {ord}")
    along = (axis,) if isinstance(axis, int) else axis
    symbol = m.norm(x.symbol, axis=along, keepdims=keepdims)
    return trace.made(symbol, f(x.value, axis=axis, keepdims=keepdims))


def asks(trace: FollowTrace, f: Any, x: Any, *args: Any) -> Any:
    """`shape`, `ndim`, `size`: they tell nothing of values."""
    return f(plain(x), *args)


def steps(trace: FollowTrace, f: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    value = f(plain(x), *args, **kwargs)
    trace.seen.stepped(f.__name__, value, plain(x), trace.unit)
    return value


ROWS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(MOVES, moves),
    **dict.fromkeys(JOINS, joins),
    **dict.fromkeys(LIKE, like),
    **dict.fromkeys(PLACES, decides),
    **dict.fromkeys(["any", "all", "allclose", "array_equal", "isclose"], decides),
    **dict.fromkeys(STEPS, steps),
    **dict.fromkeys(["inv", "det", "solve", "cholesky"], matrices),
    **{op: reduced(op) for op in ("sum", "mean", "prod", "max", "min")},
    **{"amax": reduced("max"), "amin": reduced("min")},
    **{op: spread(op) for op in ("var", "std")},
    **dict.fromkeys(["dot", "inner", "outer", "vdot", "matmul"], product),
    **dict.fromkeys(["shape", "ndim", "size", "iscomplexobj", "result_type"], asks),
    "where": where,
    "einsum": einsum,
    "clip": clip,
    "cumsum": cumsum,
    "norm": norm,
}
