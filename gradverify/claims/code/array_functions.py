"""Functions of libraries that are written by several ops of the table."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import Symbol
from gradverify.claims.claim_limits import RANGE_NUMBERS, WHOLE
from gradverify.claims.computation.bindings import (
    AxisLength,
    Counted,
    Value,
    known,
    numbers,
    symbol,
)
from gradverify.claims.computation.constants import EXACT, plain_number
from gradverify.claims.computation.file_program import FileProgram, NotUnderstood


def axes(value: Value) -> Any:
    """A keyword that names axes, as a tuple of ints; None for all."""
    if value is None:
        return None
    entries = value if isinstance(value, tuple) else (value,)
    return tuple(whole(v) for v in entries)


def whole(value: Value) -> int:
    """A whole number, else `NotUnderstood`."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Fraction) and value.denominator == 1 and abs(value) < WHOLE:
        return int(value)
    known(value)
    raise NotUnderstood("a whole number is needed that the file states")


def shape_of(program: FileProgram, operands: tuple[Value, ...]) -> tuple[int, ...]:
    """The shape that is given as numbers or as one tuple of them."""
    if len(operands) == 1 and isinstance(operands[0], tuple):
        operands = operands[0]
    return tuple(whole(stated(program, v)) for v in operands)


def stated(program: FileProgram, value: Value) -> Value:
    """The number that a name stands for, where the file states it.

    So is `T - 1`, where T is stated.
    """
    if not isinstance(value, Symbol) or value.shape != ():
        return value
    found = _stated_node(program, value.index, STEPS_TO_NUMBERS)
    return value if found is None else found


STEPS_TO_NUMBERS = 4  # from a size to what is computed from it


def _stated_node(program: FileProgram, at: int, steps: int) -> Fraction | None:
    node = program.record.nodes[at]
    if at in program.leaves:
        found = program.leaves[at].value
        return None if found is None else Fraction(found.item())
    if node.op in ("data", "literal") and np.isfinite(node.value):
        return Fraction(float(node.value))
    if node.op not in FOLDED or not steps:
        return None
    parts = [_stated_node(program, i, steps - 1) for i in node.operands]
    if None in parts:
        return None
    try:
        return Fraction(FOLDED[node.op](*parts))
    except ZeroDivisionError:
        return None


FOLDED: Mapping[str, Callable[..., Fraction]] = {
    "neg": operator.neg,
    **{op: EXACT[op] for op in ("add", "sub", "mul", "div")},
}


REDUCTIONS = ("mean", "sum", "none")


def _reduction(how: Value) -> str:
    if how not in REDUCTIONS:
        raise NotUnderstood(f"reduction {how!r} is not known")
    return str(how)


def stated_array(program: FileProgram, value: Value) -> Any:
    """The numbers that a value stands for, where the file states them."""
    if isinstance(known(value), Symbol):
        leaf = program.leaves.get(value.index)
        value = None if leaf is None else leaf.value
    found = None if value is None else numbers(value)
    if found is None:
        raise NotUnderstood("an index is not stated as numbers")
    return found


def length(program: FileProgram, x: Value) -> Fraction:
    """`len(x)`."""
    if isinstance(x, tuple | dict):
        return AxisLength(len(x))
    shape = np.shape(x) if isinstance(x, np.ndarray) else symbol(program, x).shape
    if not shape:
        raise NotUnderstood("a number has no length")
    return AxisLength(shape[0])


def ranged(program: FileProgram, *ends: Value) -> tuple[Fraction, ...]:
    """`range(…)` of whole numbers."""
    found = range(*(whole(stated(program, end)) for end in ends))
    if len(found) > RANGE_NUMBERS:
        raise NotUnderstood(f"a range of more than {RANGE_NUMBERS} numbers")
    return tuple(Counted(n) for n in found)


def arange(program: FileProgram, *ends: Value) -> Any:
    """`np.arange(…)`, of stated numbers."""
    first, *rest = (stated(program, end) for end in ends)
    if not all(isinstance(n, Fraction) for n in (first, *rest)):
        raise NotUnderstood("a range whose ends are not stated")
    low, high = (Fraction(0), first) if not rest else (first, rest[0])
    step = rest[1] if len(rest) > 1 else Fraction(1)
    count = max(0, math.ceil((high - low) / step)) if step else RANGE_NUMBERS + 1
    return _row(low, step, count)


def linspace(
    program: FileProgram, low: Value, high: Value, num: Value = Fraction(50)
) -> Any:
    """`np.linspace(…)`, of stated numbers."""
    low, high = stated(program, low), stated(program, high)
    count = whole(stated(program, num))
    if not isinstance(low, Fraction) or not isinstance(high, Fraction) or count < 2:
        raise NotUnderstood("a range whose ends are not stated")
    return _row(low, (high - low) / (count - 1), count)


def _row(low: Fraction, step: Fraction, count: int) -> Any:
    if count > RANGE_NUMBERS:
        raise NotUnderstood(f"a range of more than {RANGE_NUMBERS} numbers")
    result = np.empty(count, dtype=object)
    result[:] = [low + k * step for k in range(count)]
    return result


def einsum(program: FileProgram, subscripts: Value, *operands: Value) -> Symbol:
    """A sum over products, of one array or two."""
    nodes = [symbol(program, x) for x in operands]
    if not isinstance(subscripts, str) or len(nodes) != 2:
        raise NotUnderstood("einsum is read of two arrays")
    return program.apply("einsum", *nodes, subscripts=subscripts.replace(" ", ""))


def loss(op: str) -> Callable[..., Symbol]:
    """A loss of two arrays, as the op table has it."""

    def applied(
        program: FileProgram, a: Value, b: Value, *, reduction: Value = "mean"
    ) -> Symbol:
        operands = symbol(program, a), symbol(program, b)
        return program.apply(op, *operands, reduction=_reduction(reduction))

    return applied


def cross_entropy(
    program: FileProgram, z: Value, t: Value, *, reduction: Value = "mean"
) -> Symbol:
    """That of rows of scores, or of one row; t whole numbers that are stated."""
    z = symbol(program, z)
    leaf = program.leaves.get(t.index) if isinstance(t, Symbol) else None
    classes = leaf.value if leaf is not None else numbers(t)
    if classes is None:
        raise NotUnderstood("the classes of cross_entropy are not stated as numbers")
    if not 1 <= len(z.shape) <= 2 or classes.shape != z.shape[:-1]:
        raise NotUnderstood("cross_entropy is read of rows of scores, a class each")
    target = tuple(whole(c) for c in classes.reshape(-1))
    for c in target:
        if not 0 <= c < z.shape[-1]:
            raise NotUnderstood(f"class {c} is none of the {z.shape[-1]}")
    how = _reduction(reduction)
    rows = program.apply("reshape", z, shape=(len(target), z.shape[-1]))
    params = {"target": target, "weight": None, "smoothing": 0.0, "reduction": how}
    result = program.apply("cross_entropy", rows, **params)
    shape = classes.shape if how == "none" else ()
    return program.apply("reshape", result, shape=shape)


def linear(program: FileProgram, x: Value, w: Value, b: Value = None) -> Symbol:
    """x @ w.T + b."""
    x, w = symbol(program, x), symbol(program, w)
    y = program.apply("matmul", x, program.apply("transpose", w, axes=None))
    return y if b is None else program.apply("add", y, symbol(program, b))


def dot(program: FileProgram, a: Value, b: Value) -> Symbol:
    """A product of matrices and vectors; of numbers, where one is a number."""
    a, b = symbol(program, a), symbol(program, b)
    return program.apply("mul" if () in (a.shape, b.shape) else "matmul", a, b)


def inner(program: FileProgram, a: Value, b: Value) -> Symbol:
    """A product of vectors; that of matrices is along the last axis of both."""
    a, b = symbol(program, a), symbol(program, b)
    if max(len(a.shape), len(b.shape)) > 1:
        raise NotUnderstood("inner is read of vectors alone")
    return dot(program, a, b)


def is_euler(program: FileProgram, value: Value) -> bool:
    """Whether it is the node of exp(1), which `np.e` is read as."""
    nodes = program.record.nodes
    if not isinstance(value, Symbol) or nodes[value.index].op != "exp":
        return False
    below = nodes[nodes[value.index].operands[0]]
    return below.op in ("data", "literal") and bool(np.all(below.value == 1.0))


def _is_above_zero(value: Value) -> bool:
    return isinstance(value, Fraction) and value > 0


def power(program: FileProgram, a: Value, b: Value) -> Symbol:
    """a**b; a stated exponent is a param, since 0**2 is fine and a logarithm is not.

    Of a number above 0, as in 2**x, the exponent is what moves.
    """
    if isinstance(b, Symbol) and (is_euler(program, a) or _is_above_zero(a)):
        if is_euler(program, a):
            return program.apply("exp", b)
        scale = program.apply("log", symbol(program, a))
        return program.apply("exp", program.apply("mul", b, scale))
    n = stated(program, b)
    plain = plain_number(n) if isinstance(n, Fraction) else None
    if plain is not None:
        return program.apply("power", symbol(program, a), n=plain)
    return program.apply("pow", symbol(program, a), symbol(program, b))


def clip(
    program: FileProgram, x: Value, low: Value = None, high: Value = None
) -> Symbol:
    """x within two numbers."""
    result = symbol(program, x)
    if low is not None:
        result = program.apply("maximum", result, symbol(program, low))
    return (
        result
        if high is None
        else program.apply("minimum", result, symbol(program, high))
    )


def outer(program: FileProgram, a: Value, b: Value) -> Symbol:
    """The products of every entry of a with every entry of b."""
    a, b = symbol(program, a), symbol(program, b)
    tall = program.apply("reshape", a, shape=(int(np.prod(a.shape)), 1))
    return program.apply(
        "mul", tall, program.apply("reshape", b, shape=(1, int(np.prod(b.shape))))
    )


def entry(apply: Callable[..., Symbol], x: Symbol, axis: int, at: int) -> Symbol:
    """One entry along an axis, which goes.

    apply: what applies an op, such as `program.apply`. at: counted from the start.
    """
    one = apply("slice", x, axis=(axis - len(x.shape),), start=at, stop=at + 1)
    return apply("reshape", one, shape=(*x.shape[:axis], *x.shape[axis + 1 :]))


def place(program: FileProgram, axis: Value, count: int) -> int:
    """An axis of so many, counted from the start."""
    at = whole(stated(program, axis))
    if isinstance(axis, bool) or not -count <= at < count:
        raise NotUnderstood(f"axis {axis} is none of the {count}")
    return at % count


def transposed(
    program: FileProgram, x: Value, *rest: Value, axes: Value = None
) -> Symbol:
    """The axes turned round, or two of them swapped, or all in the order given."""
    x = symbol(program, x)
    if len(rest) == 2 and axes is None:
        return swapped(program, x, *rest)
    order = rest if axes is None else (axes, *rest)
    return permuted(program, x, *order) if order else program.apply("transpose", x)


def swapped(program: FileProgram, x: Value, one: Value, other: Value) -> Symbol:
    """Two axes in each other's place, as in PyTorch's `transpose`."""
    x = symbol(program, x)
    i, j = (place(program, axis, len(x.shape)) for axis in (one, other))
    order = [*range(len(x.shape))]
    order[i], order[j] = j, i
    return program.apply("transpose", x, axes=tuple(order))


def permuted(program: FileProgram, x: Value, *axes: Value) -> Symbol:
    """All axes in another order."""
    x = symbol(program, x)
    if len(axes) == 1 and isinstance(axes[0], tuple):
        axes = axes[0]
    order = tuple(place(program, axis, len(x.shape)) for axis in axes)
    return program.apply("transpose", x, axes=order)


def reshaped(program: FileProgram, x: Value, *shape: Value) -> Symbol:
    """Another shape, with one -1 at most."""
    x, wanted = symbol(program, x), shape_of(program, shape)
    size = int(np.prod(x.shape))
    if -1 in wanted:
        rest = -int(np.prod(wanted))
        wanted = tuple(size // rest if n == -1 and rest else n for n in wanted)
    return program.apply("reshape", x, shape=wanted)


def flattened(program: FileProgram, x: Value) -> Symbol:
    """One axis."""
    return reshaped(program, x, Fraction(-1))


def squeezed(program: FileProgram, x: Value, axis: Value = None) -> Symbol:
    """Without all axes of length 1, or without those named."""
    x = symbol(program, x)
    if axis is None:
        return program.apply("reshape", x, shape=tuple(n for n in x.shape if n != 1))
    several = axis if isinstance(axis, tuple) else (axis,)
    gone = {place(program, a, len(x.shape)) for a in several}
    if any(x.shape[a] != 1 for a in gone):
        raise NotUnderstood(f"squeeze of an axis of {x.shape} that is longer than 1")
    kept = tuple(n for a, n in enumerate(x.shape) if a not in gone)
    return program.apply("reshape", x, shape=kept)


def unsqueezed(program: FileProgram, x: Value, axis: Value) -> Symbol:
    """With an axis of length 1."""
    x = symbol(program, x)
    at = place(program, axis, len(x.shape) + 1)
    return program.apply("reshape", x, shape=(*x.shape[:at], 1, *x.shape[at:]))


def where(program: FileProgram, mask: Value, a: Value, b: Value) -> Symbol:
    """a where the mask is 1, b where it is 0."""
    mask = symbol(program, mask)
    one = program.constant(Fraction(1))
    left = program.apply("mul", mask, symbol(program, a))
    right = program.apply("mul", program.apply("sub", one, mask), symbol(program, b))
    return program.apply("add", left, right)


def full(program: FileProgram, value: int, operands: tuple[Value, ...]) -> Any:
    """An array of one number."""
    shape = shape_of(program, operands)
    if int(np.prod(shape, dtype=object)) > 10_000:
        raise NotUnderstood("an array of more than 10000 numbers")
    return np.full(shape, Fraction(value), dtype=object)


def filled(program: FileProgram, shape: Value, value: Value) -> Symbol:
    """`np.full(shape, value)`."""
    parts = shape if isinstance(shape, tuple) else (shape,)
    wanted = shape_of(program, parts)
    return program.apply("broadcast_to", symbol(program, value), shape=wanted)


def diagonal(program: FileProgram, x: Value) -> Symbol:
    """`np.diag(x)` of a list of numbers: a matrix with these on its diagonal.

    Of a matrix it is the numbers on its diagonal.
    """
    x = symbol(program, x)
    flat = flattened(program, x)
    if len(x.shape) == 2:
        index = tuple(k * (x.shape[1] + 1) for k in range(min(x.shape)))
        return program.apply("take", flat, axis=(-1,), index=index)
    return spread_diagonal(program, flat)


def spread_diagonal(program: FileProgram, x: Value) -> Symbol:
    """`np.diagflat(x)`: a matrix with all numbers of x on its diagonal."""
    flat = flattened(program, symbol(program, x))
    size = flat.shape[0]
    if size > 100:
        raise NotUnderstood("an array of more than 10000 numbers")
    identity = program.number(eye(program, Fraction(size)), is_constant=True)
    return program.apply("mul", flat, identity)


def eye(program: FileProgram, n: Value) -> Any:
    """The identity matrix."""
    size = whole(stated(program, n))
    if size > 100:
        raise NotUnderstood("an array of more than 10000 numbers")
    return np.vectorize(Fraction, otypes=[object])(np.eye(size, dtype=int))


def shape(program: FileProgram, x: Value) -> Value:
    """`np.shape(x)`."""
    return tuple(AxisLength(n) for n in symbol(program, x).shape)


def size(program: FileProgram, x: Value, axis: Value = None) -> Value:
    """`np.size(x)`, or the length of an axis."""
    found = symbol(program, x).shape
    if axis is None:
        return AxisLength(int(np.prod(found)))
    return AxisLength(found[place(program, axis, len(found))])


def size_of_tensor(program: FileProgram, x: Value, axis: Value = None) -> Value:
    """PyTorch's method `size`: the shape, or the length of an axis."""
    return shape(program, x) if axis is None else size(program, x, axis)


def square(program: FileProgram, x: Value) -> Symbol:
    """x²."""
    return program.apply("power", symbol(program, x), n=2)


def _joined(program: FileProgram, parts: list[Symbol], axis: int) -> Symbol:
    """Arrays one after the other along an axis, counted from the start."""
    result = parts[0]
    for part in parts[1:]:
        if len(part.shape) != len(result.shape):
            raise NotUnderstood("concatenate does not fit: other numbers of axes")
        back = axis - len(result.shape)
        result = program.apply("concatenate", result, part, axis=(back,))
    return result


def _parts(program: FileProgram, several: Value) -> list[Symbol]:
    if not isinstance(several, tuple) or not several:
        raise NotUnderstood("a list of arrays is needed")
    return [symbol(program, x) for x in several]


def joined(program: FileProgram, several: Value, axis: Value = Fraction(0)) -> Symbol:
    """`np.concatenate`."""
    parts = _parts(program, several)
    at = place(program, axis, len(parts[0].shape))
    return _joined(program, parts, at)


def stacked(program: FileProgram, several: Value, axis: Value = Fraction(0)) -> Symbol:
    """`np.stack`: along a new axis."""
    parts = [unsqueezed(program, x, axis) for x in _parts(program, several)]
    return _joined(program, parts, place(program, axis, len(parts[0].shape)))


def rows_below(program: FileProgram, several: Value) -> Symbol:
    """`np.vstack`; a vector is a row."""
    parts = _parts(program, several)
    rows = [
        x if len(x.shape) > 1 else unsqueezed(program, x, Fraction(0)) for x in parts
    ]
    return _joined(program, rows, 0)


def side_by_side(program: FileProgram, several: Value) -> Symbol:
    """`np.hstack`; vectors are joined to a longer one."""
    parts = _parts(program, several)
    return _joined(program, parts, min(1, len(parts[0].shape) - 1))


def split(
    program: FileProgram, x: Value, sections: Value, axis: Value = Fraction(0)
) -> tuple[Value, ...]:
    """`np.split`: into so many equal parts, or at the places of a list."""
    found = symbol(program, x)
    at = place(program, axis, len(found.shape))
    count = found.shape[at]
    given = stated(program, sections)
    if isinstance(given, tuple | np.ndarray):
        ends = [whole(n) for n in given]
    else:
        parts = whole(given)
        if parts < 1 or count % parts:
            raise NotUnderstood(f"split does not fit: {count} entries, {parts} parts")
        ends = [count // parts * k for k in range(1, parts)]
    bounds = [0, *ends, count]
    if bounds != sorted(bounds):
        raise NotUnderstood("split does not fit: its places are in no order")
    back = (at - len(found.shape),)
    return tuple(
        program.apply("slice", found, axis=back, start=low, stop=high)
        for low, high in itertools.pairwise(bounds)
    )


def split_across(program: FileProgram, x: Value, sections: Value) -> tuple[Value, ...]:
    """`np.hsplit`: along the second axis, or the only one."""
    axis = min(1, len(symbol(program, x).shape) - 1)
    return split(program, x, sections, Fraction(axis))


def split_below(program: FileProgram, x: Value, sections: Value) -> tuple[Value, ...]:
    """`np.vsplit`: along the first axis."""
    return split(program, x, sections)


def split_in_lengths(
    program: FileProgram, x: Value, lengths: Value, axis: Value = Fraction(0)
) -> tuple[Value, ...]:
    """PyTorch's `split`: into parts that are so long."""
    found = symbol(program, x)
    at = place(program, axis, len(found.shape))
    long = whole(stated(program, lengths))
    if long < 1:
        raise NotUnderstood("split does not fit: its parts have no length")
    ends = tuple(Fraction(n) for n in range(long, found.shape[at], long))
    return split(program, x, ends, axis)


def moved(program: FileProgram, x: Value, one: Value, other: Value) -> Symbol:
    """`np.moveaxis` of one axis."""
    found = symbol(program, x)
    count = len(found.shape)
    start, end = (place(program, axis, count) for axis in (one, other))
    order = [k for k in range(count) if k != start]
    order.insert(end, start)
    return permuted(program, found, *map(Fraction, order))


def padded(
    program: FileProgram,
    x: Value,
    widths: Value,
    mode: Value = "constant",
    *,
    constant_values: Value = Fraction(0),
) -> Symbol:
    """`np.pad` with zeros, so many before and after each axis."""
    result: Symbol = symbol(program, x)
    if mode != "constant" or np.any(numbers(constant_values) != 0):
        raise NotUnderstood("pad is read with zeros alone")
    pairs = widths if isinstance(widths, tuple) else (widths,) * len(result.shape)
    if len(pairs) == 2 and not isinstance(pairs[0], tuple):
        pairs = (pairs,) * len(result.shape)
    if len(pairs) != len(result.shape):
        raise NotUnderstood("pad does not fit: other numbers of axes")
    for axis, pair in enumerate(pairs):
        both = pair if isinstance(pair, tuple) else (pair, pair)
        if len(both) == 1:
            both = both * 2
        for n, is_before in zip(both, (True, False), strict=True):
            count = whole(stated(program, n))
            if count:
                shape = (*result.shape[:axis], count, *result.shape[axis + 1 :])
                zeros = program.number(np.full(shape, Fraction(0)), is_constant=True)
                result = _joined(
                    program, [zeros, result] if is_before else [result, zeros], axis
                )
    return result


def padded_from_last(
    program: FileProgram,
    x: Value,
    widths: Value,
    mode: Value = "constant",
    value: Value = Fraction(0),
) -> Symbol:
    """PyTorch's `pad` with zeros: pairs of widths, that of the last axis first."""
    x = symbol(program, x)
    if not isinstance(widths, tuple) or len(widths) % 2:
        raise NotUnderstood("pad is read with a pair of widths for each axis")
    pairs = [tuple(widths[k : k + 2]) for k in range(0, len(widths), 2)][::-1]
    rest = len(x.shape) - len(pairs)
    if rest < 0:
        raise NotUnderstood("pad does not fit: other numbers of axes")
    none = (Fraction(0), Fraction(0))
    every = (*(none for _ in range(rest)), *pairs)
    return padded(program, x, every, mode, constant_values=value)


def tiled(program: FileProgram, x: Value, *times: Value) -> Symbol:
    """PyTorch's method `repeat`: the whole array so many times along each axis."""
    x = symbol(program, x)
    counts = shape_of(program, times)
    rest = len(counts) - len(x.shape)
    if rest < 0 or min(counts, default=1) < 1:
        raise NotUnderstood("repeat does not fit: other numbers of axes")
    before = (*(1 for _ in range(rest)), *x.shape)
    tall = tuple(n * k for n, k in zip(before, counts, strict=True))
    split = tuple(n for size in before for n in (1, size))
    wide = tuple(n for pair in zip(counts, before, strict=True) for n in pair)
    apart = program.apply("reshape", x, shape=split)
    spread = program.apply("broadcast_to", apart, shape=wide)
    return program.apply("reshape", spread, shape=tall)


def repeated(
    program: FileProgram, x: Value, repeats: Value, axis: Value = None
) -> Symbol:
    """`np.repeat`: every entry so many times, one after the other."""
    x, times = symbol(program, x), whole(stated(program, repeats))
    if axis is None:
        x, axis = flattened(program, x), Fraction(0)
    at = place(program, axis, len(x.shape))
    wide = (*x.shape[: at + 1], times, *x.shape[at + 1 :])
    tall = (*x.shape[:at], x.shape[at] * times, *x.shape[at + 1 :])
    spread: Symbol = program.apply(
        "broadcast_to", unsqueezed(program, x, Fraction(at + 1)), shape=wide
    )
    return program.apply("reshape", spread, shape=tall)
