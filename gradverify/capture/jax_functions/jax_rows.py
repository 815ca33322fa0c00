"""Primitives of JAX in the words of our op table: a row each, or why there is none.

The names are those of `jax.lax`, as they stand in a jaxpr. Operands are symbols, or
arrays where they depend on no input.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.capture.absent import Absent
from gradverify.capture.moved_entries import reshaped, taken
from gradverify.capture.trace_notes import CLOSE, TraceNotes
from gradverify.graph import Array

Row = Callable[..., Any]
FLOATS = ("float32", "float64")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FOLDED = 64  # entries along an axis that a running product or maximum is folded over


class NoRow(Exception):
    """A primitive, or a use of one, that has no row; the text says which and why."""


@dataclass(frozen=True, eq=False)
class Use:
    """One equation: its numbers, and where what it means is written down.

    inside: whether it is part of a function with a derivative of its own, whose author
        says what the derivative is.
    """

    name: str
    eqn: Any
    reals: Sequence[Any]
    results: Sequence[Any]
    program: Program
    seen: TraceNotes
    absent: Absent
    inside: bool

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the primitive."""
        found: Mapping[str, Any] = self.eqn.params
        return found

    def real(self, k: int = 0) -> Array:
        """The values of operand k."""
        return np.asarray(self.reals[k])

    def result(self, k: int = 0) -> Array:
        """The values of result k."""
        return np.asarray(self.results[k])

    @property
    def unit(self) -> float:
        """The spacing of the floats at 1."""
        return float(np.finfo(self.program.dtype).eps)

    def lift(self, x: Any) -> Symbol:
        """A symbol, whatever x is."""
        if isinstance(x, Symbol):
            return x
        array = np.asarray(x, float)
        if not np.all(np.isfinite(array)):
            raise NoRow(f"{self.name} of a number that is not finite")
        return self.program.lift(array)

    def landing(self, shape: tuple[int, ...]) -> Array:
        """For every entry of scattered updates, its place in operand 0; -1 for none."""
        real = self.real()
        zeros = np.zeros(real.shape, real.dtype)

        def added(values: Any) -> Any:
            return jax.lax.scatter_add(
                zeros, self.reals[1], values, self.params["dimension_numbers"],
                indices_are_sorted=self.params["indices_are_sorted"],
                unique_indices=False, mode=self.params["mode"],
            )  # fmt: skip

        _, back = jax.vjp(added, np.zeros(shape, real.dtype))
        (landed,) = back(jax.numpy.asarray(positions(real, 1), real.dtype))
        return np.asarray(landed).astype(int).ravel() - 1

    def bind(self, *values: Any, **changed: Any) -> Any:
        """The primitive on other values."""
        return self.eqn.primitive.bind(*values, **{**self.params, **changed})


# ---- kinds of rows


def same(op: str) -> Row:
    """The op of one operand that has another name here, or the same."""

    def row(u: Use, x: Any) -> Any:
        refuse_absent(u, x)
        return m.table[op](x)

    return row


def both(op: str) -> Row:
    """An elementwise op of two operands."""

    def row(u: Use, a: Any, b: Any) -> Any:
        refuse_absent(u, a, b)
        return u.program.apply(op, number(u, a, op), number(u, b, op))

    return row


OPERATORS = ("add", "sub", "mul", "div", "pow")


def number(u: Use, x: Any, op: str) -> Any:
    """An operand: literals may meet operators only, so they are data elsewhere."""
    if isinstance(x, Symbol):
        return x
    if x.dtype.kind == "c":
        raise NoRow(f"{u.name} of a complex number")
    array = np.asarray(x, float)
    if not np.all(np.isfinite(array)):
        raise NoRow(f"{u.name} of a number that is not finite")
    return float(array) if not array.shape and op in OPERATORS else array


def missing(why: str) -> Row:
    """A primitive that cannot be written down, and why."""

    def row(u: Use, *operands: Any) -> Any:
        del operands
        raise NoRow(f"{u.name}: {why}")

    row.is_missing = True  # type: ignore[attr-defined]
    return row


def refuse_absent(u: Use, *operands: Any) -> None:
    """Minus infinities may reach few ops."""
    if any(u.absent.of(x) is not None for x in operands):
        raise NoRow(f"minus infinity reaches {u.name}")


def positions(real: Array, start: int = 0) -> Array:
    """A number for each entry of an array."""
    return np.arange(start, start + real.size, dtype=np.int32).reshape(real.shape)


def chosen(u: Use, x: Symbol, index: Array) -> Symbol:
    """Entries of a symbol, with what is minus infinity among them."""
    found = taken(x, np.asarray(index))
    mask = u.absent.of(x)
    return found if mask is None else u.absent.mark(found, mask.ravel()[index])


def moves(u: Use, x: Any, *rest: Any) -> Any:
    """A primitive that only chooses entries of its first operand.

    JAX runs it on the places of the entries, whatever its parameters mean.
    """
    if any(isinstance(r, Symbol) for r in rest):
        raise NoRow(f"{u.name} with a place that is differentiated")
    found = u.bind(positions(u.real()), *u.reals[1:])
    if u.eqn.primitive.multiple_results:
        return [chosen(u, x, np.asarray(i)) for i in found]
    return chosen(u, x, np.asarray(found))


def reshape(u: Use, x: Any, *rest: Any) -> Any:
    del rest
    if u.params.get("dimensions") is not None:
        return moves(u, x)
    found = reshaped(x, u.result().shape)
    mask = u.absent.of(x)
    return found if mask is None else u.absent.mark(found, mask.reshape(found.shape))


def broadcast_in_dim(u: Use, x: Any, *rest: Any) -> Any:
    """Axes put in, and stretched."""
    del rest
    shape, kept = u.params["shape"], u.params["broadcast_dimensions"]
    lined = [1] * len(shape)
    for axis, length in zip(kept, x.shape, strict=True):
        lined[axis] = length
    mask = u.absent.of(x)
    x = reshaped(x, tuple(lined))
    found = x if tuple(lined) == tuple(shape) else m.broadcast_to(x, shape=tuple(shape))
    if mask is None:
        return found
    return u.absent.mark(found, np.broadcast_to(mask.reshape(lined), shape))


def transpose(u: Use, x: Any) -> Any:
    order = tuple(u.params["permutation"])
    mask = u.absent.of(x)
    found = m.transpose(x, axes=order)
    return found if mask is None else u.absent.mark(found, mask.transpose(order))


def placed(u: Use, *operands: Any) -> Any:
    """A primitive that chooses entries of several operands, such as an update."""
    parts = [k for k, x in enumerate(u.reals) if np.asarray(x).dtype.kind == "f"]
    start, values = 0, list(u.reals)
    flat: Symbol | None = None
    masks = []
    for k in parts:
        real, x = u.real(k), operands[k]
        values[k] = positions(real, start)
        start += real.size
        if isinstance(x, Symbol):
            lost = u.absent.of(x)
            lost = np.zeros(real.shape, bool) if lost is None else lost
        else:  # room for results holds infinities that nobody reads; else a trial shows
            lost = ~np.isfinite(real)
            x = np.where(lost, 0.0, real)
        masks.append(lost.ravel())
        part = reshaped(u.lift(x), (real.size,))
        flat = part if flat is None else m.concatenate(flat, part, axis=(-1,))
    index = np.asarray(u.bind(*values))
    assert flat is not None
    return u.absent.mark(taken(flat, index), np.concatenate(masks)[index])


def scatter(u: Use, *operands: Any) -> Any:
    """x with some of its entries replaced."""
    return placed(u, *operands)


def scatter_sub(u: Use, x: Any, index: Any, updates: Any) -> Any:
    """x with entries subtracted at places."""
    return scatter_add(u, x, index, -u.lift(updates))


def scatter_add(u: Use, x: Any, index: Any, updates: Any) -> Any:
    """x with entries added at places; several may meet, and some are dropped."""
    del index
    real, given = u.real(), u.lift(updates)
    at = u.landing(given.shape) + 1
    count = real.size
    flat = reshaped(given, (at.size,))
    put = m.put(
        flat, axis=(-1,), length=count + 1, index=tuple(int(i) for i in at.ravel())
    )
    kept = m.slice(put, axis=(-1,), start=1, stop=count + 1)
    kept = reshaped(kept, real.shape)
    if not isinstance(x, Symbol) and not np.any(real):
        return kept
    return u.lift(x) + kept


def gather(u: Use, x: Any, index: Any) -> Any:
    """Entries at places; one beyond the end is NaN by default."""
    if isinstance(index, Symbol):
        raise NoRow("gather at a place that is differentiated")
    fills = {"fill_value": 0} if "fill_value" in u.params else {}
    found = np.asarray(u.bind(positions(u.real(), 1), u.reals[1], **fills))
    if np.any(found <= 0):
        raise NoRow("gather reads beyond the end of an array")
    return chosen(u, x, found - 1)


def pad(u: Use, x: Any, value: Any) -> Any:
    """Numbers around and between entries."""
    index = np.asarray(u.bind(positions(u.real(), 1), np.int32(0)))
    if not isinstance(x, Symbol):
        inner = np.asarray(u.bind(u.real(), u.reals[0].dtype.type(0)), float)
        return m.where(index > 0, inner, value)
    return choose(u, index > 0, taken(x, np.maximum(index - 1, 0)), value)


def concatenate(u: Use, *parts: Any) -> Any:
    axis = u.params["dimension"]
    found: Symbol | None = None
    masks = []
    for part in parts:
        symbol, lost = _without_infinities(u, part)
        masks.append(lost)
        found = symbol if found is None else m.concatenate(found, symbol, axis=(axis,))
    assert found is not None
    return u.absent.mark(found, np.concatenate(masks, axis=axis))


def stack(u: Use, *parts: Any) -> Any:
    """Arrays of one shape along a new axis."""
    axis = int(u.params["axis"])
    found: Symbol | None = None
    masks = []
    for part in parts:
        symbol, lost = _without_infinities(u, part)
        wide = (*symbol.shape[:axis], 1, *symbol.shape[axis:])
        masks.append(lost.reshape(wide))
        one = reshaped(symbol, wide)
        found = one if found is None else m.concatenate(found, one, axis=(axis,))
    assert found is not None
    return u.absent.mark(found, np.concatenate(masks, axis=axis))


def _without_infinities(u: Use, x: Any) -> tuple[Symbol, Array]:
    """A symbol, and which of its entries are minus infinity."""
    lost = u.absent.of(x)
    shape = x.shape
    if lost is None:
        return u.lift(x), np.zeros(shape, bool)
    return (x if isinstance(x, Symbol) else u.lift(np.where(lost, 0.0, x))), lost


# ---- decisions


def decision(u: Use, *operands: Any) -> Any:
    """A comparison: its result is what it was, and belongs to the branch."""
    same = len(u.eqn.invars) == 2 and u.eqn.invars[0] is u.eqn.invars[1]  # x != x
    if (
        len(operands) == 2
        and not same
        and all(np.asarray(x).dtype.kind in "fiu" for x in u.reals)
    ):
        u.seen.compared(u.result(), u.real(0), u.real(1), u.unit)
        return [None] * len(u.results)
    u.seen.decided.extend(np.array(y) for y in u.results)
    return [None] * len(u.results)


def place_of_extreme(u: Use, x: Any) -> Any:
    """The place of the largest entry, which a second one as large makes a tie."""
    del x
    u.seen.decided.append(np.array(u.result()))
    (axis,) = u.params["axes"]
    ordered = np.sort(u.real().astype(float), axis=axis)
    if ordered.shape[axis] > 1:
        ends = ordered if u.name == "argmax" else -np.flip(ordered, axis)
        last = np.take(ends, [-1, -2], axis=axis)
        a, b = np.moveaxis(last, axis, 0)
        u.seen.compared(u.result(), a, b, u.unit)
    return None


def in_steps(u: Use, x: Any, *rest: Any) -> Any:
    """A primitive that is constant in pieces: its slope is 0."""
    del rest
    value = u.result().astype(float)
    u.seen.stepped(u.name, value, u.real(), u.unit)
    if u.inside:
        u.seen.estimate(u.name, x)
    return u.program.lift(value)


def convert(u: Use, x: Any) -> Any:
    """Another format; whole numbers and truth values are decisions."""
    name = u.result().dtype.name
    if u.result().dtype.kind in "iub":
        value = u.result()
        u.seen.stepped(u.name, value, u.real(), u.unit)
        return None
    if name not in FLOATS:
        raise NoRow(f"a cast to {name}: half formats and complex numbers come later")
    if name == "float32" and u.real().dtype.name == "float64":
        u.seen.narrow = True
    return x


def select(u: Use, which: Any, *cases: Any) -> Any:
    """A choice by a mask or by a number, which is data."""
    mask = u.real()
    if len(cases) == 2:
        return choose(u, mask.astype(bool), cases[1], cases[0])
    found = cases[0]
    for k, case in enumerate(cases[1:], 1):
        found = choose(u, np.broadcast_to(mask == k, case.shape), case, found)
    return found


def choose(u: Use, mask: Array, a: Any, b: Any) -> Symbol:
    """where(mask, a, b), with minus infinities kept beside."""
    shape = np.broadcast_shapes(mask.shape, a.shape, b.shape)
    hidden = np.zeros(shape, bool)
    sides: list[Any] = []
    for x, at in ((a, mask), (b, ~mask)):
        lost = u.absent.of(x)
        if not isinstance(x, Symbol):
            array = np.asarray(x, float)
            unread = ~np.broadcast_to(at, shape)
            bad = np.isnan(array) | np.isposinf(array)
            if np.any(np.broadcast_to(bad, shape) & ~unread):
                raise NoRow(f"{u.name} with {array[bad].ravel()[0]} as a value")
            x = np.where(np.isfinite(array), array, 0.0)
        if lost is not None:
            hidden |= np.broadcast_to(at, shape) & np.broadcast_to(lost, shape)
        sides.append(x)
    if np.all(mask) and isinstance(sides[0], Symbol) and sides[0].shape == shape:
        return u.absent.mark(sides[0], hidden)
    return u.absent.mark(u.program.apply("where", mask, *sides), hidden)


# ---- arithmetic


def add(u: Use, a: Any, b: Any) -> Any:
    return _sum(u, "add", a, b)


def sub(u: Use, a: Any, b: Any) -> Any:
    return _sum(u, "sub", a, b, flips=True)


def _sum(u: Use, op: str, a: Any, b: Any, *, flips: bool = False) -> Any:
    """A sum; where an operand is minus infinity, so is the result.

    flips: whether b is subtracted.
    """
    shape = np.broadcast_shapes(a.shape, b.shape)
    hidden = np.zeros(shape, bool)
    sides = []
    for x in (a, b):
        lost = u.absent.of(x)
        if lost is not None:
            if x is b and flips:
                raise NoRow("minus infinity is subtracted")
            hidden |= np.broadcast_to(lost, shape)
            x = x if isinstance(x, Symbol) else np.where(lost, 0.0, x)
        sides.append(number(u, x, op))
    return u.absent.mark(u.program.apply(op, *sides), hidden)


def scaled(op: str) -> Row:
    """A product or quotient; minus infinity stays so where the factor is positive."""

    def row(u: Use, a: Any, b: Any) -> Any:
        mask = u.absent.of(a)
        if mask is not None and not isinstance(b, Symbol) and np.all(b > 0):
            found = u.program.apply(op, number(u, a, op), number(u, b, op))
            return u.absent.mark(found, np.broadcast_to(mask, found.shape))
        return both(op)(u, a, b)

    return row


def larger(u: Use, a: Any, b: Any) -> Any:
    """The larger one; minus infinity never is."""
    for x, other in ((a, b), (b, a)):
        if not isinstance(x, Symbol) and np.all(np.isneginf(x)):
            if other.shape == u.result().shape:
                return other
            return m.broadcast_to(other, shape=u.result().shape)
    if u.absent.of(a) is None and u.absent.of(b) is None:
        return both("maximum")(u, a, b)
    shape = u.result().shape
    sides = [_without_infinities(u, x) for x in (a, b)]
    (one, lost), (other, gone) = sides
    lost, gone = (np.broadcast_to(mask, shape) for mask in (lost, gone))
    inner = m.where(gone, one, m.maximum(one, other))
    return u.absent.mark(m.where(lost, other, inner), lost & gone)


def smaller(u: Use, a: Any, b: Any) -> Any:
    """The smaller one; infinity never is."""
    for x, other in ((a, b), (b, a)):
        if not isinstance(x, Symbol) and np.all(np.isposinf(x)):
            return other
    return both("minimum")(u, a, b)


def power(u: Use, a: Any, b: Any) -> Any:
    if isinstance(a, Symbol) and not isinstance(b, Symbol) and not b.shape:
        refuse_absent(u, a)
        n = float(b)
        return m.power(a, n=int(n) if n.is_integer() else n)
    return both("pow")(u, a, b)


def integer_pow(u: Use, x: Any) -> Any:
    refuse_absent(u, x)
    return m.power(x, n=int(u.params["y"]))


def clamp(u: Use, low: Any, x: Any, high: Any) -> Any:
    x = u.lift(x)
    sides = [s if isinstance(s, Symbol) else np.asarray(s, float) for s in (low, high)]
    if not isinstance(low, Symbol) and np.all(np.isneginf(low)):
        return m.minimum(x, sides[1])
    if not isinstance(high, Symbol) and np.all(np.isposinf(high)):
        return m.maximum(x, sides[0])
    return m.minimum(m.maximum(x, sides[0]), sides[1])


def cube_root(u: Use, x: Any) -> Any:
    """The root of the modulus, with the sign of x."""
    signs = np.sign(u.real().astype(float))
    u.seen.stepped("sign", signs, u.real(), u.unit)
    return m.power(m.abs(x), n=1.0 / 3.0) * u.program.lift(signs)


def remainder(u: Use, a: Any, b: Any) -> Any:
    """a less a whole multiple of b; the multiple is a decision."""
    whole = np.trunc(u.real(0).astype(float) / u.real(1).astype(float))
    u.seen.stepped("trunc", whole, u.real(0) / u.real(1), u.unit)
    return u.lift(a) - u.lift(b) * u.program.lift(whole)


def exponential(u: Use, x: Any) -> Any:
    mask = u.absent.of(x)
    y = m.exp(x)
    return y if mask is None else u.program.apply("where", ~mask, y, np.float64(0))


# ---- reductions


def reduced(op: str, *, skips: bool = False) -> Row:
    """A reduction over some axes. skips: whether minus infinities count for nothing."""

    def row(u: Use, x: Any) -> Any:
        axes = tuple(u.params["axes"])
        if not axes:
            return x
        mask = u.absent.of(x)
        if mask is not None and skips:
            if np.any(mask.all(axis=axes)):
                raise NoRow("all entries of a maximum are minus infinity")
            least = -m.peak(-x, axis=axes, keepdims=True)
            x = m.where(~mask, x, least)
        elif mask is not None:
            raise NoRow(f"minus infinity reaches {u.name}")
        return m.table[op](x, axis=axes, keepdims=False)

    return row


def cumsum(u: Use, x: Any) -> Any:
    refuse_absent(u, x)
    axis = u.params["axis"]
    if not u.params["reverse"]:
        return m.cumsum(x, axis=(axis,))
    turned = np.flip(positions(u.real()), axis)
    return taken(m.cumsum(taken(x, turned), axis=(axis,)), turned)


def folded(op: str) -> Row:
    """A running product or maximum, one entry after the other."""

    def row(u: Use, x: Any) -> Any:
        refuse_absent(u, x)
        axis, length = u.params["axis"], x.shape[u.params["axis"]]
        if length > FOLDED:
            raise NoRow(f"{u.name} over {length} entries; up to {FOLDED} are written")
        order = range(length)
        whole: Symbol | None = None
        running: Symbol | None = None
        for k in reversed(order) if u.params["reverse"] else order:
            one = m.slice(x, axis=(axis,), start=k, stop=k + 1)
            running = one if running is None else m.table[op](running, one)
            if whole is None:
                whole = running
            elif u.params["reverse"]:
                whole = m.concatenate(running, whole, axis=(axis,))
            else:
                whole = m.concatenate(whole, running, axis=(axis,))
        return whole

    return row


def windowed(op: str, *, skips: bool = False) -> Row:
    """A reduction over windows, by the places that each window shows.

    skips: whether what lies outside counts for nothing; else it is 0.
    """

    def row(u: Use, x: Any) -> Any:
        p = u.params
        if any(d != 1 for d in p["base_dilation"]):
            raise NoRow(f"{u.name} with a base dilation")
        real = u.real()
        wide = np.pad(positions(real, 1), p["padding"])
        steps, spread = p["window_strides"], p["window_dilation"]
        lengths = p["window_dimensions"]
        reach = [d * (n - 1) + 1 for n, d in zip(lengths, spread, strict=True)]
        views: Any = np.lib.stride_tricks.sliding_window_view(wide, reach)
        rank = real.ndim
        views = views[tuple(slice(None, None, s) for s in steps)]
        views = views[(..., *(slice(None, None, d) for d in spread))]
        index = views.reshape(*views.shape[:rank], math.prod(lengths))
        if skips and np.any(index == 0):
            first = np.max(index, axis=-1, keepdims=True)
            parts = taken(x, np.where(index == 0, first, index) - 1)
            least = -m.peak(-parts, axis=(-1,), keepdims=True)
            below = least - 1.0
            return m.max(m.where(index > 0, parts, below), axis=(-1,), keepdims=False)
        parts = taken(x, np.maximum(index - 1, 0))
        if np.any(index == 0):
            parts = m.where(index > 0, parts, np.float64(0))
        return m.table[op](parts, axis=(-1,), keepdims=False)

    return row


def window_min(u: Use, x: Any) -> Any:
    return -windowed("max", skips=True)(u, -x)


def ordered(u: Use, *operands: Any) -> Any:
    """Entries in an order that the values decide; other operands follow."""
    values = list(map(np.asarray, u.reals))
    *_, order = u.eqn.primitive.bind(*u.reals, positions(values[0]), **u.params)
    index = np.asarray(order)
    axis = u.params["dimension"]
    keys = np.sort(values[0].astype(float), axis=axis)
    if keys.shape[axis] > 1:
        n = keys.shape[axis]
        above = np.take(keys, range(1, n), axis=axis)
        below = np.take(keys, range(n - 1), axis=axis)
        u.seen.compared(index, below, above, u.unit)
    else:
        u.seen.decided.append(index)
    return [chosen(u, x, index) if isinstance(x, Symbol) else None for x in operands]


def largest(u: Use, x: Any) -> Any:
    """The k largest entries along the last axis, and where they stand."""
    real, index = u.real(), u.result(1)
    axis = int(u.params.get("axis", -1)) % real.ndim
    u.seen.decided.append(index)
    keys = np.sort(real.astype(float), axis=axis)
    if np.any(np.diff(keys, axis=axis) <= CLOSE * u.unit * np.abs(keys).max(initial=0)):
        u.seen.ties["two entries that top_k puts in order are equal"] = None
    spots = np.take_along_axis(positions(real), index, axis)
    return [chosen(u, x, spots), None]


# ---- products


def dot_general(u: Use, a: Any, b: Any) -> Any:
    """A product over some axes of both, batched over others."""
    (left, right), (left_batch, _) = u.params["dimension_numbers"]
    a, b = u.lift(a), u.lift(b)
    if not a.shape or not b.shape:
        return a * b
    ranks = len(a.shape), len(b.shape)
    if not left_batch and len(left) == 1:
        first, second = left[0], right[0]
        if first == ranks[0] - 1 and second == max(0, ranks[1] - 2) and max(ranks) < 3:
            return m.matmul(a, b)
    return m.einsum(a, b, subscripts=subscripts(u.params["dimension_numbers"], ranks))


def subscripts(dimension_numbers: Any, ranks: tuple[int, int]) -> str:
    """The product of `dot_general` as einsum writes it: batches first, then the rest."""
    (left, right), (left_batch, right_batch) = dimension_numbers
    letters = iter(LETTERS)
    one = {axis: next(letters) for axis in range(ranks[0])}
    two = {
        j: one[i]
        for i, j in zip([*left, *left_batch], [*right, *right_batch], strict=True)
    }
    for axis in range(ranks[1]):
        if axis not in two:
            two[axis] = next(letters)
    kept = [one[i] for i in left_batch]
    kept += [one[i] for i in range(ranks[0]) if i not in (*left, *left_batch)]
    kept += [two[j] for j in range(ranks[1]) if j not in (*right, *right_batch)]
    names = ["".join(s[i] for i in range(len(s))) for s in (one, two)]
    return f"{names[0]},{names[1]}->{''.join(kept)}"


def convolution(u: Use, x: Any, w: Any) -> Any:
    """A convolution along one axis or two, in whatever order the axes stand."""
    p = u.params
    numbers = p["dimension_numbers"]
    rank = len(numbers.lhs_spec) - 2
    if rank not in (1, 2, 3):
        raise NoRow(f"a convolution along {rank} axes; there are rows for 1 to 3")
    if p["batch_group_count"] != 1:
        raise NoRow("a convolution with batch groups")
    x = m.transpose(u.lift(x), axes=tuple(numbers.lhs_spec))
    w = m.transpose(u.lift(w), axes=tuple(numbers.rhs_spec))
    around = [(0, 0), (0, 0), *p["padding"]]
    between = [0, 0, *(d - 1 for d in p["lhs_dilation"])]
    padding = [low for low, _ in p["padding"]]
    if any(between) or any(a != b or a < 0 for a, b in p["padding"]):
        x, padding = _spread(x, around, between), [0] * rank
    y = m.table[f"conv{rank}d"](
        x, w, u.lift(np.zeros(w.shape[0])), stride=tuple(p["window_strides"]),
        padding=tuple(padding), dilation=tuple(p["rhs_dilation"]),
        groups=p["feature_group_count"],
    )  # fmt: skip
    back = tuple(int(i) for i in np.argsort(numbers.out_spec))
    return m.transpose(y, axes=back)


def _spread(x: Symbol, around: Any, between: Any) -> Symbol:
    """x with zeros around and between its entries."""
    numbers = np.arange(1, math.prod(x.shape) + 1, dtype=np.int32).reshape(x.shape)
    widths = [(a, b, i) for (a, b), i in zip(around, between, strict=True)]
    index = np.asarray(jax.lax.pad(numbers, np.int32(0), widths))
    found: Symbol = m.where(
        index > 0, taken(x, np.maximum(index - 1, 0)), np.float64(0)
    )
    return found


def copied(u: Use, x: Any, *rest: Any) -> Any:
    """The same numbers."""
    del rest
    return x


def several(u: Use, *operands: Any) -> Any:
    """The same numbers, of several operands."""
    return [x if isinstance(x, Symbol) else None for x in operands]


def polygamma(u: Use, n: Any, x: Any) -> Any:
    if isinstance(n, Symbol) or (np.ndim(n) and np.ptp(n)):
        raise NoRow("polygamma of several orders")
    return m.polygamma(x, n=int(np.ravel(n)[0]))


OUTSIDE = "it runs Python code outside JAX, which cannot be read"
SOLVED = "reflections and factors of this kind have no row"

ONE = """neg log sin cos tan tanh sqrt rsqrt square abs expm1 log1p exp2 asin acos atan
sinh cosh asinh acosh atanh erf erfc lgamma digamma"""
STEPS = "round floor ceil sign"
DECISIONS = """gt lt ge le eq ne is_finite and or xor not reduce_and reduce_or
is_nan shift_left shift_right_logical shift_right_arithmetic population_count clz mulhi
reduce_xor eq_to le_to lt_to bitcast_convert_type nextafter"""
MOVES = "squeeze expand_dims rev slice dynamic_slice split tile unstack"
CALLBACKS = "pure_callback io_callback python_callback ffi_call"
UNSOLVED = """geqrf geqp3 householder_product ormqr schur linear_solve hessenberg
tridiagonal tridiagonal_solve cholesky_update symmetric_product"""
DEVICES = """all_gather all_to_all psum pmax pmin ppermute reduce_scatter shard_map
all_gather_invariant psum_invariant pbroadcast"""
MEMORY = """pallas_call run_state new_ref get swap addupdate"""

# fmt: off
ROWS: Mapping[str, Row] = {
    **{name: same(name) for name in ONE.split()},
    **dict.fromkeys(STEPS.split(), in_steps),
    **dict.fromkeys(DECISIONS.split(), decision),
    **dict.fromkeys(MOVES.split(), moves),
    **dict.fromkeys(CALLBACKS.split(), missing(OUTSIDE)),
    **dict.fromkeys(UNSOLVED.split(), missing(SOLVED)),
    **dict.fromkeys(DEVICES.split(), missing("it runs on several devices")),
    **dict.fromkeys(MEMORY.split(), missing("a kernel whose memory is written in places")),
    # elementwise
    "logistic": same("sigmoid"), "exp": exponential, "cbrt": cube_root, "integer_pow": integer_pow,
    "add": add, "add_any": add, "sub": sub, "mul": scaled("mul"), "div": scaled("div"), "pow": power,
    "max": larger, "min": smaller, "atan2": both("atan2"), "clamp": clamp, "rem": remainder,
    "select_n": select, "polygamma": polygamma,
    # shapes and places
    "reshape": reshape, "broadcast_in_dim": broadcast_in_dim, "transpose": transpose,
    "concatenate": concatenate, "stack": stack, "pad": pad, "gather": gather, "dynamic_update_slice": placed,
    "scatter": scatter, "scatter-add": scatter_add, "scatter_add": scatter_add,
    "scatter-sub": scatter_sub, "scatter_sub": scatter_sub,
    # reductions
    "reduce_sum": reduced("sum"), "reduce_max": reduced("max", skips=True), "reduce_min": reduced("min"),
    "reduce_prod": reduced("prod"), "argmax": place_of_extreme, "argmin": place_of_extreme,
    "cumsum": cumsum, "cumprod": folded("mul"), "cummax": folded("maximum"), "cummin": folded("minimum"),
    "cumlogsumexp": folded("logaddexp"), "reduce_window_sum": windowed("sum"), "reduce_window_max": windowed("max", skips=True),
    "reduce_window_min": window_min,
    "sort": ordered, "top_k": largest, "approx_top_k": missing("entries that are nearly the largest"),
    # products
    "dot_general": dot_general, "conv_general_dilated": convolution,
    # copies
    "copy": copied, "copy_p": copied, "stop_gradient": copied, "convert_element_type": convert,
    "optimization_barrier": several, "sharding_constraint": copied, "device_put": several,
    "name": copied, "layout_constraint": copied,
    "debug_callback": lambda u, *operands: [],
    # what has no row
    "reduce_precision": missing("a rounding to another format"),
    "select_and_gather_add": missing("a choice within windows"), "select_and_scatter_add": missing("a choice within windows"),
    "reduce": missing("a reduction by a function of yours"), "reduce_window": missing("windows reduced by a function of yours"),
    "random_gamma": missing("random numbers whose distribution is differentiated"),
}
# fmt: on
