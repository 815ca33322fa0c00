"""Ops of PyTorch in the words of our op table: a row each, or why there is none.

The names are those of ATen, as they arrive below autograd: `mul` for all overloads of
`aten::mul`, `sum.dim_IntList` for one that has other arguments. An op without a row is
taken apart by the library's own decompositions. Operands are symbols, or arrays where
they depend on no input.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Program, Symbol
from gradverify.capture.absent import Absent
from gradverify.capture.moved_entries import reshaped, taken
from gradverify.capture.torch_functions.storages import places
from gradverify.capture.trace_notes import EQUAL
from gradverify.graph import Array

Row = Callable[..., Any]
CLOSE = 64.0  # units of roundoff within which a comparison may be turned


class Missing(Exception):
    """An op, or a use of one, that has no row; the text says which and why."""


@dataclass(frozen=True, eq=False)
class Context:
    """One application of an op: its tensors, and where what it means is written down.

    inside: whether it is part of an `autograd.Function` or a custom op, whose author
        says what the derivative is.
    """

    name: str
    func: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    result: Any
    program: Program
    seen: Any
    absent: Absent
    inside: bool
    tracer: Any

    def real(self, k: int = 0) -> Array:
        """The values of operand k."""
        value = self.args[k]
        if isinstance(value, torch.Tensor):
            return numpy_of(value)
        return np.asarray(value)

    def lift(self, x: Any) -> Any:
        """A symbol, whatever x is."""
        return x if isinstance(x, Symbol) else self.program.lift(np.asarray(x, float))


def numpy_of(tensor: Any) -> Array:
    """A copy of a tensor's values; complex ones as pairs of reals."""
    with torch.no_grad():
        plain = tensor.detach()
        if plain.is_complex():
            plain = torch.view_as_real(plain.resolve_conj())
        return np.array(plain.resolve_neg().cpu().numpy())


# ---- kinds of rows


def same(op: str) -> Row:
    """The op of one operand that has another name here, or the same."""

    def row(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
        del rest, options
        _refuse_absent(c, x)
        return m.table[op](c.lift(x))

    return row


def both(op: str) -> Row:
    """An elementwise op of two operands; Python numbers stay what they are."""

    def row(c: Context, a: Any, b: Any, **options: Any) -> Any:
        del options
        _refuse_absent(c, a, b)
        return c.program.apply(op, number(c, a, op), number(c, b, op))

    return row


def number(c: Context, x: Any, op: str) -> Any:
    """An operand: literals may meet operators only, so they are data elsewhere."""
    if isinstance(x, Symbol):
        return x
    if isinstance(x, np.ndarray):
        return x.astype(float)
    if isinstance(x, complex):
        raise Missing(
            f"{c.func.name()} of a complex number: it is looked at by differences"
        )
    if not math.isfinite(x):
        raise Missing(f"{c.func.name()} of the number {x}")
    return float(x) if op in OPERATORS else np.float64(x)


OPERATORS = ("add", "sub", "mul", "div", "pow")


def missing(why: str) -> Row:
    """An op that cannot be written down, and why."""

    def row(c: Context, *operands: Any, **options: Any) -> Any:
        del operands, options
        raise Missing(f"{c.func.name()}: {why}")

    return row


def moves(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """An op that only chooses entries of its first operand.

    The library runs it on the places of the entries, whatever its arguments mean.
    """
    del rest, options
    return moved(c, x, 0)


def moved(c: Context, x: Any, k: int) -> Any:
    """The result of an op whose operand k is the one that entries are chosen from."""
    symbol, real = c.lift(x), c.args[k]
    index = torch.arange(real.numel()).reshape(real.shape)
    args = [index if i == k else a for i, a in enumerate(c.args)]
    with torch.no_grad():
        found = c.func(*args, **c.kwargs)
    many = isinstance(found, tuple | list)
    chosen = [_chosen(c, symbol, numpy_of(i)) for i in (found if many else [found])]
    return chosen if many else chosen[0]


def _chosen(c: Context, x: Symbol, index: Array) -> Any:
    found = taken(x, index)
    mask = c.absent.of(x)
    if mask is not None:
        c.absent.mark(found, mask.ravel()[index])
    return found


def view(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """A view: reshaped, permuted or stretched where that is all, else chosen."""
    del rest, options
    base, result = c.args[0], c.result
    if isinstance(result, tuple | list):
        return [_viewed(c, x, base, r) for r in result]
    return _viewed(c, x, base, result)


def _viewed(c: Context, x: Any, base: Any, result: Any) -> Any:
    symbol = c.lift(x)
    found = _plainly_viewed(c, symbol, base, result)
    if found is None:
        at = {int(p): k for k, p in enumerate(places(base).ravel())}
        index = places(result)
        try:
            chosen = np.array([at[int(p)] for p in index.ravel()], np.int64)
        except KeyError:
            raise Missing(f"{c.func.name()} shows memory beside its operand") from None
        return _chosen(c, symbol, chosen.reshape(index.shape))
    mask = c.absent.of(symbol)
    if mask is not None:
        tensor = torch.from_numpy(np.array(mask))
        mask = numpy_of(c.func(tensor, *c.args[1:], **c.kwargs))
        c.absent.mark(found, mask)
    return found


def _plainly_viewed(c: Context, x: Symbol, base: Any, result: Any) -> Any:
    """The view as one op of ours; None if no single one says it."""
    old, new = tuple(base.shape), tuple(result.shape)
    if (
        base.numel() == result.numel()
        and base.is_contiguous()
        and result.is_contiguous()
    ):
        return (
            reshaped(x, new)
            if base.storage_offset() == result.storage_offset()
            else None
        )
    if sorted(zip(old, base.stride(), strict=True)) == sorted(
        zip(new, result.stride(), strict=True)
    ):
        axes = _permutation(base, result)
        if axes is not None:
            return (
                m.transpose(x, axes=axes)
                if axes != tuple(range(len(axes)))
                else reshaped(x, new)
            )
    if c.name == "slice.Tensor":
        return _sliced(c, x)
    if c.name == "select.int":
        axis, place = int(c.args[1]) % len(old), int(c.args[2])
        place %= old[axis]
        one = m.slice(x, axis=(axis,), start=place, stop=place + 1)
        return reshaped(one, new)
    if len(new) >= len(old) and base.numel() != result.numel():
        try:
            stretched = base.expand(new)
        except RuntimeError:
            return None
        if stretched.stride() == result.stride():
            return m.broadcast_to(x, shape=new)
    return None


def _sliced(c: Context, x: Symbol) -> Any:
    """A slice without steps."""
    given = [*c.args[1:], *(0, None, None, 1)[len(c.args) - 1 :]]
    axis, start, stop, step = given
    length = x.shape[axis]
    start, stop, step = slice(start, stop, step).indices(length)
    if step != 1:
        return None
    return m.slice(x, axis=(axis,), start=start, stop=max(start, stop))


def _permutation(base: Any, result: Any) -> tuple[int, ...] | None:
    """The axes of the base in the order of the result, where that is without doubt."""
    keys = list(zip(base.shape, base.stride(), strict=True))
    wanted = list(zip(result.shape, result.stride(), strict=True))
    if len(set(keys)) != len(keys):
        return None
    return tuple(keys.index(key) for key in wanted)


# ---- comparisons and other decisions


def decision(c: Context, *operands: Any, **options: Any) -> None:
    """A result that the values decide; it is what it was, and belongs to the branch."""
    del operands, options
    results = (
        [c.result] if isinstance(c.result, bool) else map(numpy_of, _each(c.result))
    )
    c.seen.decided.extend(map(np.array, results))


def comparison(c: Context, a: Any, b: Any, **options: Any) -> None:
    """A decision by the order of two operands, which rounding may turn."""
    one, other = map(_real, c.args[:2])
    decision(c)
    if c.args[0] is not c.args[1] and one is not None and other is not None:
        c.seen.note_close(one, other, _unit(c))  # not of x != x, nor of complex ones


def truth_value(c: Context, *operands: Any, **options: Any) -> None:
    """A decision by which entries are 0."""
    decision(c)
    if any(np.any(_real(x) == 0) for x in c.args if isinstance(x, torch.Tensor)):
        _tie(c, EQUAL)


def _unit(c: Context) -> float:
    return float(np.finfo(c.program.dtype).eps)


def _tie(c: Context, what: str) -> None:
    c.seen.ties[what] = None


def _each(result: Any) -> Sequence[Any]:
    found = result if isinstance(result, tuple | list) else (result,)
    return [r for r in found if isinstance(r, torch.Tensor)]


def _real(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        return numpy_of(x) if not x.is_complex() else None
    return x if isinstance(x, int | float) else None


def read_number(c: Context, x: Any, *rest: Any) -> None:
    """A number that was read from a tensor: `.item()`, `float()`, a branch."""
    del rest
    if not c.args[0].is_floating_point():
        c.seen.decided.append(numpy_of(c.args[0]))
    elif not c.inside:
        c.seen.read()


def constant_result(c: Context, *operands: Any, **options: Any) -> None:
    """A result that has no slope, such as a shape or zeros like an operand."""
    del operands, options


def in_steps(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """An op that is constant in pieces: its values are given, its slope is 0."""
    del rest, options
    value = numpy_of(c.result).astype(float)
    c.seen.decided.append(value)
    near = _near_a_step(c)
    if near:
        _tie(c, f"an operand of {c.name} lies at a step")
    if c.inside:
        c.seen.estimate(c.name, x)
    return c.program.lift(value)


def _near_a_step(c: Context) -> bool:
    real = c.real().astype(float)
    scaled = 2.0 * real if c.name.startswith("round") else real
    if c.name.startswith(("sign", "sgn", "heaviside")):
        return bool(np.any(real == 0))
    with np.errstate(all="ignore"):
        away = np.abs(scaled - np.round(scaled))
    return bool(np.any(away <= CLOSE * _unit(c) * np.maximum(1.0, np.abs(scaled))))


def where_row(c: Context, mask: Any, a: Any = None, b: Any = None) -> Any:
    """A choice by a mask, which is data."""
    if a is None:
        decision(c)
        return None
    chosen = np.asarray(
        c.args[0].cpu().numpy() if isinstance(mask, Symbol) else mask
    ).astype(bool)
    return _choose(c, chosen, a, b)


def _choose(c: Context, mask: Array, a: Any, b: Any) -> Any:
    """where(mask, a, b), with minus infinities kept beside."""
    shape = np.broadcast_shapes(mask.shape, np.shape(a), np.shape(b))
    hidden = np.zeros(shape, bool)
    sides = []
    for x, at in ((a, mask), (b, ~mask)):
        if isinstance(x, Symbol):
            lost = c.absent.of(x)
        else:
            array = np.asarray(x, float)
            odd = np.isnan(array) | np.isposinf(array)
            if np.any(np.broadcast_to(odd, shape) & np.broadcast_to(at, shape)):
                raise Missing(f"{c.func.name()} with {array.ravel()[0]} as a value")
            lost = np.isneginf(array)
            x = np.where(lost | odd, 0.0, array)  # what is odd is not chosen
        if lost is not None:
            hidden |= np.broadcast_to(at, shape) & np.broadcast_to(lost, shape)
        sides.append(x)
    found = c.program.apply("where", mask, *(_number_data(x) for x in sides))
    return c.absent.mark(found, hidden)


def _number_data(x: Any) -> Any:
    return x if isinstance(x, Symbol) else np.asarray(x, float)


def masked_fill(c: Context, x: Any, mask: Any, value: Any) -> Any:
    return _choose(c, np.asarray(mask).astype(bool), value, x)


def _refuse_absent(c: Context, *operands: Any) -> None:
    if any(c.absent.of(x) is not None for x in operands):
        raise Missing(f"minus infinity reaches {c.func.name()}")


# ---- arithmetic


def add(c: Context, a: Any, b: Any, *, alpha: Any = 1) -> Any:
    return _sum(c, "add", a, b, alpha)


def sub(c: Context, a: Any, b: Any, alpha: Any = 1) -> Any:
    return _sum(c, "sub", a, b, alpha, flips=True)


def rsub(c: Context, a: Any, b: Any, alpha: Any = 1) -> Any:
    return (
        _sum(c, "sub", b, a, 1, flips=True)
        if alpha == 1
        else _sum(c, "sub", b, m.mul(a, float(alpha)), 1, flips=True)
    )


def _sum(
    c: Context, op: str, a: Any, b: Any, alpha: Any, *, flips: bool = False
) -> Any:
    """A sum; where an operand is minus infinity, so is the result.

    flips: whether b is subtracted.
    """
    shape = np.broadcast_shapes(np.shape(a), np.shape(b))
    hidden = np.zeros(shape, bool)
    sides = []
    for x in (a, b):
        mask = c.absent.of(x)
        if mask is not None and x is b and flips:
            raise Missing(f"minus infinity is subtracted by {c.func.name()}")
        if mask is not None:
            hidden |= np.broadcast_to(mask, shape)
            x = x if isinstance(x, Symbol) else np.where(mask, 0.0, x)
        sides.append(number(c, x, op))
    if alpha != 1:
        sides[1] = m.mul(c.lift(sides[1]), float(alpha))
    return c.absent.mark(c.program.apply(op, *sides), hidden)


def mul(c: Context, a: Any, b: Any) -> Any:
    return _scaled(c, "mul", a, b)


def div(c: Context, a: Any, b: Any, *, rounding_mode: str | None = None) -> Any:
    if rounding_mode is not None:
        return in_steps(c, a)
    return _scaled(c, "div", a, b)


def _scaled(c: Context, op: str, a: Any, b: Any) -> Any:
    """A product or quotient; minus infinity stays so where the factor is positive."""
    mask = c.absent.of(a)
    if mask is not None and not isinstance(b, Symbol) and np.all(np.asarray(b) > 0):
        found = c.program.apply(op, number(c, a, op), number(c, b, op))
        return c.absent.mark(found, np.broadcast_to(mask, found.shape))
    return both(op)(c, a, b)


def power(c: Context, a: Any, b: Any) -> Any:
    if isinstance(b, int | float) and not isinstance(b, bool):
        _refuse_absent(c, a)
        return m.power(c.lift(a), n=b if isinstance(b, int) else float(b))
    return both("pow")(c, a, b)


def clamp(c: Context, x: Any, low: Any = None, high: Any = None, **named: Any) -> Any:
    low, high = named.get("min", low), named.get("max", high)
    x = c.lift(x)
    if low is not None:
        x = m.maximum(x, _number_data(low))
    if high is not None:
        x = m.minimum(x, _number_data(high))
    return x


def threshold(c: Context, x: Any, least: Any, value: Any) -> Any:
    """x above a number, another number below."""
    real = c.real()
    decision_of(c, real > least, real, np.asarray(float(least)))
    return c.program.apply("where", real > least, x, np.float64(value))


def decision_of(c: Context, chosen: Array, a: Array, b: Array) -> None:
    """A choice by values that an op makes within."""
    c.seen.decided.append(chosen)
    with np.errstate(all="ignore"):
        near = np.abs(a - b) <= CLOSE * _unit(c) * np.maximum(np.abs(a), np.abs(b))
    if np.any(near & np.isfinite(a) & np.isfinite(b)):
        _tie(c, f"an operand of {c.name} lies at its threshold")


def softplus(c: Context, x: Any, beta: Any = 1, threshold: Any = 20) -> Any:
    """log(1 + exp(beta x)) / beta; above the threshold the library returns x."""
    del threshold  # the two differ by less than a rounding there
    if beta == 1:
        return m.softplus(x)
    return m.softplus(x * float(beta)) / float(beta)


def leaky_relu(c: Context, x: Any, slope: Any = 0.01) -> Any:
    if 0 <= slope <= 1:
        return m.maximum(x, x * float(slope))
    return m.minimum(x, x * float(slope))


def elu(
    c: Context, x: Any, alpha: Any = 1, scale: Any = 1, input_scale: Any = 1
) -> Any:
    if alpha == scale == input_scale == 1:
        return m.elu(x)
    if scale == 1 and float(alpha) > 0 and math.isclose(input_scale, 1 / alpha):
        return m.celu(x, alpha=float(alpha))
    below = m.expm1(m.minimum(x, np.float64(0)) * float(input_scale)) * float(alpha)
    return (m.relu(x) + below) * float(scale)


def gelu(c: Context, x: Any, *, approximate: str = "none") -> Any:
    return m.gelu(x, approximate=approximate)


def hardtanh(c: Context, x: Any, low: Any = -1.0, high: Any = 1.0) -> Any:
    return m.clip(x, low=float(low), high=float(high))


def hardsigmoid(c: Context, x: Any) -> Any:
    return m.clip(x + 3.0, low=0.0, high=6.0) / 6.0


def log_sigmoid(c: Context, x: Any) -> Any:
    return m.log_sigmoid(x), None


def prelu(c: Context, x: Any, w: Any) -> Any:
    real = c.real()
    decision_of(c, real > 0, real, np.zeros(()))
    return c.program.apply("where", real > 0, x, m.mul(c.lift(x), c.lift(w)))


def absolute(c: Context, x: Any) -> Any:
    return m.abs(x)


# ---- reductions


def axes(c: Context, x: Any, dim: Any) -> tuple[int, ...] | None:
    """The reduced axes as ours are written; None for all of them."""
    if dim is None or (isinstance(dim, list | tuple) and not dim):
        return None
    return tuple(dim) if isinstance(dim, list | tuple) else (int(dim),)


def reduced(op: str) -> Row:
    """A reduction over some axes or all."""

    def row(
        c: Context, x: Any, dim: Any = None, keepdim: bool = False, **options: Any
    ) -> Any:
        del options
        _refuse_absent(c, x)
        if not np.shape(x):
            return reshaped(c.lift(x), ())
        return m.table[op](c.lift(x), axis=axes(c, x, dim), keepdims=bool(keepdim))

    return row


def extreme(op: str) -> Row:
    """The largest or smallest entries along an axis, and where they stand."""

    def row(c: Context, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        if dim is None:
            return reduced(op)(c, x)
        if not np.shape(x):
            return [c.lift(x), None]
        return [m.table[op](c.lift(x), axis=(int(dim),), keepdims=bool(keepdim)), None]

    return row


def spread(op: str) -> Row:
    """A variance or a deviation, by its correction."""

    def row(
        c: Context,
        x: Any,
        dim: Any = None,
        unbiased: Any = None,
        keepdim: bool = False,
        *,
        correction: Any = None,
    ) -> Any:
        if unbiased is not None and correction is None:
            correction = int(bool(unbiased))
        ddof = 1 if correction is None else int(correction)
        return m.table[op](
            c.lift(x), axis=axes(c, x, dim), keepdims=bool(keepdim), ddof=ddof
        )

    return row


def product(
    c: Context, x: Any, dim: Any = None, keepdim: bool = False, **options: Any
) -> Any:
    return reduced("prod")(c, x, dim, keepdim)


def softmax(c: Context, x: Any, dim: int, *rest: Any, **options: Any) -> Any:
    """exp(x) over its sum; masked entries have no weight."""
    del rest, options
    if not np.shape(x):
        return m.exp(c.lift(x) - c.lift(x))
    mask = c.absent.of(x)
    if mask is None:
        return m.softmax(c.lift(x), axis=(dim,))
    seen, e = _exponentials(c, x, mask, dim)
    del seen
    return e / m.sum(e, axis=(dim,), keepdims=True)


def _exponentials(c: Context, x: Symbol, mask: Array, dim: int) -> tuple[Array, Symbol]:
    """exp(x) shifted by the largest entry that is not masked; 0 where one is."""
    if np.any(mask.all(axis=dim)):
        raise Missing("all entries of a softmax are minus infinity")
    seen = ~mask
    least = -m.peak(-x, axis=(dim,), keepdims=True)
    top = m.peak(m.where(seen, x, least), axis=(dim,), keepdims=True)
    shifted = m.where(seen, x, top) - top
    return seen, m.where(seen, m.exp(shifted), np.float64(0))


def log_softmax(c: Context, x: Any, dim: int, *rest: Any) -> Any:
    del rest
    if c.absent.of(x) is None:
        return m.log_softmax(c.lift(x), axis=(dim,))
    y = x - logsumexp(c, x, [dim], True)
    return c.absent.mark(y, np.asarray(c.absent.of(x)))


def logsumexp(c: Context, x: Any, dim: Any, keepdim: bool = False) -> Any:
    mask = c.absent.of(x)
    if not np.shape(x):
        return c.lift(x)
    if mask is None:
        return m.logsumexp(c.lift(x), axis=axes(c, x, dim), keepdims=bool(keepdim))
    (along,) = axes(c, x, dim) or ()
    least = -m.peak(-x, axis=(along,), keepdims=True)
    top = m.peak(m.where(~mask, x, least), axis=(along,), keepdims=True)
    _, e = _exponentials(c, x, mask, along)
    total = m.log(m.sum(e, axis=(along,), keepdims=True)) + top
    shape = tuple(n for k, n in enumerate(total.shape) if k != along % len(total.shape))
    return total if keepdim else reshaped(total, shape)


def exponential(c: Context, x: Any) -> Any:
    mask = c.absent.of(x)
    y = m.exp(c.lift(x))
    return y if mask is None else c.program.apply("where", ~mask, y, np.float64(0))


def cumsum(c: Context, x: Any, dim: int, **options: Any) -> Any:
    del options
    return m.cumsum(c.lift(x), axis=(dim,))


def ordered(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """The entries of x in an order that its values decide: `sort`, `topk`, ..."""
    del rest, options
    values, index = c.result
    c.seen.decided.append(numpy_of(index))
    real = np.sort(c.real().astype(float), axis=None)
    if real.size > 1 and np.any(np.diff(real) <= CLOSE * _unit(c) * np.abs(real[1:])):
        _tie(c, f"two entries that {c.name} puts in order are equal")
    dim = _order_axis(c)
    whole = c.args[0]
    positions = torch.arange(whole.numel()).reshape(whole.shape)
    if whole.dim() == 0:
        return [c.lift(x), None]
    if index.dim() < whole.dim():
        found = torch.gather(positions, dim, index.unsqueeze(dim)).squeeze(dim)
    else:
        found = torch.gather(positions, dim, index)
    del values
    return [_chosen(c, c.lift(x), numpy_of(found)), None]


def _order_axis(c: Context) -> int:
    names = [a.name for a in c.func._schema.arguments]
    place = names.index("dim")
    if place < len(c.args):
        return int(c.args[place])
    return int(c.kwargs.get("dim", c.func._schema.arguments[place].default_value))


# ---- products of matrices


def mm(c: Context, a: Any, b: Any) -> Any:
    return (
        m.matmul(_number_data(a), _number_data(b))
        if isinstance(a, Symbol) or isinstance(b, Symbol)
        else c.lift(0)
    )


def bmm(c: Context, a: Any, b: Any) -> Any:
    """A stack of products; a single one is a product of matrices."""
    if np.shape(a)[0] == 1:
        left = reshaped(c.lift(a), tuple(np.shape(a)[1:]))
        right = reshaped(c.lift(b), tuple(np.shape(b)[1:]))
        y = m.matmul(left, right)
        return reshaped(y, (1, *y.shape))
    return m.einsum(c.lift(a), c.lift(b), subscripts="aij,ajk->aik")


def _plus(c: Context, x: Any, y: Symbol, beta: Any, alpha: Any) -> Any:
    """beta x + alpha y."""
    if alpha != 1:
        y = y * float(alpha)
    if beta == 0:
        return y
    x = c.lift(x)
    return (x if beta == 1 else x * float(beta)) + y


def addmm(
    c: Context, x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1, **rest: Any
) -> Any:
    return _plus(c, x, m.matmul(c.lift(a), c.lift(b)), beta, alpha)


def baddbmm(
    c: Context, x: Any, a: Any, b: Any, *, beta: Any = 1, alpha: Any = 1
) -> Any:
    return _plus(c, x, bmm(c, a, b), beta, alpha)


def vectors(c: Context, a: Any, b: Any) -> Any:
    return m.matmul(c.lift(a), c.lift(b))


def addcmul(c: Context, x: Any, a: Any, b: Any, *, value: Any = 1) -> Any:
    y = c.lift(a) * c.lift(b)
    return c.lift(x) + (y if value == 1 else y * float(value))


def addcdiv(c: Context, x: Any, a: Any, b: Any, *, value: Any = 1) -> Any:
    y = c.lift(a) / c.lift(b)
    return c.lift(x) + (y if value == 1 else y * float(value))


def lerp(c: Context, a: Any, b: Any, weight: Any) -> Any:
    w = weight if isinstance(weight, int | float) else c.lift(weight)
    return c.lift(a) + (c.lift(b) - c.lift(a)) * w


# ---- joining and placing


def cat(c: Context, parts: Sequence[Any], dim: int = 0) -> Any:
    found, mask = None, []
    for part, real in zip(parts, c.args[0], strict=True):
        if real.dim() == 1 and real.numel() == 0:
            continue
        lost = c.absent.of(part)
        plain = (
            part
            if isinstance(part, Symbol) or lost is None
            else np.where(lost, 0.0, part)
        )
        symbol = c.lift(plain)
        mask.append(np.zeros(symbol.shape, bool) if lost is None else lost)
        found = symbol if found is None else m.concatenate(found, symbol, axis=(dim,))
    if found is None:
        raise Missing(f"{c.func.name()} of nothing")
    return c.absent.mark(found, np.concatenate(mask, axis=dim))


def placed(c: Context, *operands: Any, **options: Any) -> Any:
    """An op that chooses entries of several operands, such as `scatter` or a pad.

    The library runs it on the places of the entries: of the first operand, then those
    of the next. A number is a place of its own.
    """
    del options
    wholes: list[Any] = []
    start = 0

    def numbered(value: Any) -> Any:
        nonlocal start
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            wholes.append(value)
            found = torch.arange(start, start + value.numel()).reshape(value.shape)
            start += value.numel()
            return found
        return value

    args = [numbered(a) for a in c.args]
    numbers = [a for a in c.args if isinstance(a, float)]
    if numbers:
        raise Missing(f"{c.func.name()} of a number")
    with torch.no_grad():
        index = numpy_of(c.func(*args, **c.kwargs))
    flat = None
    for operand, real in zip(operands, c.args, strict=False):
        if isinstance(real, torch.Tensor) and real.is_floating_point():
            part = reshaped(c.lift(operand), (real.numel(),))
            flat = part if flat is None else m.concatenate(flat, part, axis=(-1,))
    assert flat is not None
    return taken(flat, index)


def constant_pad(c: Context, x: Any, widths: Sequence[int], value: Any = 0) -> Any:
    """Entries of x with numbers around them."""
    real = c.args[0]
    index = torch.arange(1, real.numel() + 1).reshape(real.shape)
    where = numpy_of(torch.nn.functional.pad(index, list(widths)))
    chosen = taken(c.lift(x), np.maximum(where - 1, 0))
    return _choose(c, where > 0, chosen, float(value))


def tri(c: Context, x: Any, diagonal: int = 0) -> Any:
    """One side of a matrix; zeros on the other."""
    ones = torch.ones(c.args[0].shape, dtype=torch.bool)
    mask = numpy_of(c.func(ones, diagonal))
    return c.program.apply("where", mask, c.lift(x), np.float64(0))


def added_at(
    c: Context,
    x: Any,
    dim: int,
    index: Any,
    source: Any,
    *,
    alpha: Any = 1,
    **options: Any,
) -> Any:
    """x with entries of a source added at places along an axis: several may meet."""
    del options
    real, where = c.args[0], c.args[2]
    spots = torch.arange(real.numel()).reshape(real.shape)
    if c.name.startswith("index"):
        at = torch.index_select(spots, dim, where)
        given = c.lift(source)
    else:
        at = torch.gather(spots, dim, where)
        given = c.lift(source)
        cut = tuple(where.shape)
        if given.shape != cut:
            inside = torch.arange(int(np.prod(given.shape))).reshape(given.shape)
            given = taken(given, numpy_of(inside[tuple(slice(0, n) for n in cut)]))
    if alpha != 1:
        given = given * float(alpha)
    return _added(c, x, numpy_of(at), given)


def _added(c: Context, x: Any, at: Array, given: Symbol) -> Any:
    whole = c.lift(x)
    count = int(np.prod(whole.shape, dtype=int))
    flat = reshaped(given, (at.size,))
    put = m.put(flat, axis=(-1,), index=tuple(map(int, at.ravel())), length=count)
    return whole + reshaped(put, whole.shape)


def index_put(
    c: Context, x: Any, indices: Any, values: Any, accumulate: bool = False, *rest: Any
) -> Any:
    """x with entries at places that indices name replaced, or added to."""
    del rest
    real = c.args[0]
    spots = torch.arange(real.numel()).reshape(real.shape)
    at = numpy_of(torch.ops.aten.index.Tensor(spots, c.args[1]))
    given = c.lift(values)
    if given.shape != at.shape:
        given = m.broadcast_to(given, shape=at.shape)
    if accumulate:
        return _added(c, x, at, given)
    whole = c.lift(x)
    count = int(np.prod(whole.shape, dtype=int))
    index = np.arange(count)
    for k, place in enumerate(at.ravel()):
        index[place] = count + k
    both_ = m.concatenate(
        reshaped(whole, (count,)), reshaped(given, (at.size,)), axis=(-1,)
    )
    return taken(both_, index.reshape(whole.shape))


def embedding(c: Context, table: Any, index: Any, *rest: Any, **options: Any) -> Any:
    """Rows of a table."""
    del rest, options
    rows, width = np.shape(table)
    spots = np.arange(rows * width).reshape(rows, width)[np.asarray(index, np.int64)]
    return taken(c.lift(table), spots)


# ---- layers


def convolution(
    c: Context,
    x: Any,
    w: Any,
    b: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Any:
    """A convolution along up to three axes; a transposed one between zeros."""
    rank = np.ndim(x) - 2
    x, w = c.lift(x), c.lift(w)
    lengths = [
        list(v) if len(v) == rank else list(v) * rank
        for v in (stride, padding, dilation, output_padding)
    ]
    stride, padding, dilation, _ = lengths
    if transposed:
        x, w = _upsampled(x, w, lengths, groups)
        stride, padding, dilation = [1] * rank, [0] * rank, dilation
    bias = c.lift(np.zeros(w.shape[0])) if b is None else c.lift(b)
    return m.table[f"conv{rank}d"](
        x,
        w,
        bias,
        stride=tuple(stride),
        padding=tuple(padding),
        dilation=tuple(dilation),
        groups=groups,
    )


def _upsampled(
    x: Symbol, w: Symbol, lengths: Any, groups: int
) -> tuple[Symbol, Symbol]:
    """What a transposed convolution slides over: x between zeros, w turned round."""
    stride, padding, dilation, more = lengths
    rank = len(stride)
    space, kernel = x.shape[2:], w.shape[2:]
    around = [
        d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding, strict=True)
    ]
    wide = [
        (n - 1) * s + 1 + 2 * a + e
        for n, s, a, e in zip(space, stride, around, more, strict=True)
    ]
    entries = np.arange(1, math.prod(x.shape) + 1).reshape(x.shape)
    for k in range(rank):
        spots = around[k] + stride[k] * np.arange(space[k])
        inside = (spots >= 0) & (spots < wide[k])
        shape = (*entries.shape[: 2 + k], wide[k], *entries.shape[3 + k :])
        spread_out = np.zeros(shape, entries.dtype)
        lead = (slice(None),) * (2 + k)
        spread_out[(*lead, spots[inside])] = entries[(*lead, inside)]
        entries = spread_out
    put = m.where(entries > 0, taken(x, np.maximum(entries - 1, 0)), np.float64(0))
    per, outputs = w.shape[0] // groups, w.shape[1]
    order = np.arange(int(np.prod(w.shape))).reshape(groups, per, outputs, *kernel)
    order = np.flip(order, axis=tuple(range(3, 3 + rank))).swapaxes(1, 2)
    return put, taken(w, order.reshape(groups * outputs, per, *kernel))


def layer_norm(c: Context, x: Any, shape: Any, w: Any, b: Any, eps: float) -> Any:
    x = c.lift(x)
    last = tuple(shape)
    ones = np.ones(last) if w is None else w
    zeros = np.zeros(last) if b is None else b
    y = m.layer_norm(x, c.lift(ones), c.lift(zeros), eps=float(eps))
    axis = tuple(range(-len(last), 0))
    mean, rstd = _statistics(c, x, axis, eps)
    return [y, mean, rstd]


def _statistics(
    c: Context, x: Symbol, axis: tuple[int, ...], eps: float
) -> tuple[Any, Any]:
    """The mean and the inverse deviation that a norm returns beside its result."""
    mean = m.mean(x, axis=axis, keepdims=True)
    rstd = m.rsqrt(m.var(x, axis=axis, keepdims=True, ddof=0) + float(eps))
    shapes = [tuple(r.shape) for r in c.result[1:3]]
    return reshaped(mean, shapes[0]), reshaped(rstd, shapes[1])


def group_norm(
    c: Context,
    x: Any,
    w: Any,
    b: Any,
    n: int,
    channels: int,
    hxw: int,
    groups: int,
    eps: float,
) -> Any:
    x = c.lift(x)
    ones = np.ones(channels) if w is None else w
    zeros = np.zeros(channels) if b is None else b
    y = m.group_norm(x, c.lift(ones), c.lift(zeros), groups=int(groups), eps=float(eps))
    rows = reshaped(x, (n, groups, channels * hxw // groups))
    mean, rstd = _statistics(c, rows, (-1,), eps)
    return [y, mean, rstd]


def batch_norm(
    c: Context,
    x: Any,
    w: Any,
    b: Any,
    mean: Any,
    var: Any,
    training: bool,
    momentum: float,
    eps: float,
) -> Any:
    """A norm over the batch, or by the running statistics."""
    del momentum
    x = c.lift(x)
    channels = x.shape[1]
    by_channel = (channels, *(1,) * (len(x.shape) - 2))
    ones = np.ones(channels) if w is None else w
    zeros = np.zeros(channels) if b is None else b
    axis = tuple(a - len(x.shape) for a in range(len(x.shape)) if a != 1)
    if training:
        y = m.batch_norm(x, c.lift(ones), c.lift(zeros), eps=float(eps))
        mean_, rstd = _statistics(c, x, axis, eps)
        return [y, mean_, rstd]
    middle = reshaped(c.lift(mean), by_channel)
    deviation = m.sqrt(reshaped(c.lift(var), by_channel) + float(eps))
    normal = (x - middle) / deviation
    y = normal * reshaped(c.lift(ones), by_channel) + reshaped(
        c.lift(zeros), by_channel
    )
    return [y, None, None]


def batch_norm_updating(c: Context, *operands: Any, **options: Any) -> Any:
    x, w, b, mean, var, training, momentum, eps = operands
    return batch_norm(c, x, w, b, mean, var, training, momentum, eps)


def attention(
    c: Context,
    q: Any,
    k: Any,
    v: Any,
    p: float = 0.0,
    causal: bool = False,
    *,
    attn_mask: Any = None,
    scale: Any = None,
) -> Any:
    """softmax(q kᵀ times a scale) v, with a causal mask or one that is added."""
    if p:
        raise Missing("an attention that drops weights within its kernel")
    q, k, v = c.lift(q), c.lift(k), c.lift(v)
    length, width, keys = q.shape[-2], q.shape[-1], k.shape[-2]
    usual = scale is None or math.isclose(scale, 1 / math.sqrt(width), rel_tol=1e-12)
    if usual and attn_mask is None and q.shape[:-2] == k.shape[:-2]:
        return [
            m.scaled_dot_product_attention(
                q, k, v, mask="causal" if causal else "none"
            ),
            None,
        ]
    factor = 1 / math.sqrt(width) if scale is None else float(scale)
    *lead, _, _ = q.shape
    left = m.reshape(q, shape=(*lead, length, 1, width))
    right = m.reshape(k, shape=(*k.shape[:-2], 1, keys, width))
    scores = m.sum(left * right, axis=(-1,)) * factor
    if causal:
        scores = _choose(c, np.tri(length, keys, dtype=bool), scores, -math.inf)
    if attn_mask is not None:
        scores = _sum(c, "add", scores, attn_mask, 1)
    weights = softmax(c, scores, -1)
    wide = m.reshape(weights, shape=(*weights.shape, 1))
    values = m.reshape(v, shape=(*v.shape[:-2], 1, keys, v.shape[-1]))
    return [m.sum(wide * values, axis=(-2,)), None]


# ---- losses

REDUCTIONS = ("none", "mean", "sum")


def nll(
    c: Context, x: Any, target: Any, weight: Any, reduction: int, ignore: int
) -> Any:
    """Minus the log-probabilities of targets; ignored ones count for nothing."""
    target = np.asarray(target, np.int64)
    x = c.lift(x)
    classes = x.shape[1] if len(x.shape) > 1 else x.shape[0]
    counted = target != ignore
    safe = np.where(counted, target, 0)
    if len(x.shape) == 1:
        spots = safe
    else:
        rest = math.prod(x.shape[2:])
        n = np.arange(x.shape[0]).reshape((-1,) + (1,) * (target.ndim - 1))
        inner = (
            np.arange(rest).reshape((1, *target.shape[1:])) if target.ndim > 1 else 0
        )
        spots = (n * classes + safe) * rest + inner
    each = np.ones(classes) if weight is None else weight
    if isinstance(each, Symbol):
        raise Missing("class weights that are differentiated")
    sizes = np.where(counted, each[safe], 0.0)
    terms = -(taken(x, np.asarray(spots)) * c.lift(sizes))
    if reduction == 0:
        return [terms, None]
    total = m.sum(terms, axis=None)
    return [total / float(sizes.sum()) if reduction == 1 else total, None]


def mse(c: Context, x: Any, t: Any, reduction: int = 1) -> Any:
    return m.mse(c.lift(x), c.lift(t), reduction=REDUCTIONS[reduction])


def bce(c: Context, x: Any, t: Any, weight: Any = None, reduction: int = 1) -> Any:
    if weight is None:
        return m.bce(c.lift(x), c.lift(t), reduction=REDUCTIONS[reduction])
    terms = m.bce(c.lift(x), c.lift(t), reduction="none") * c.lift(weight)
    return _over(terms, reduction)


def _over(terms: Symbol, reduction: int) -> Any:
    if reduction == 0:
        return terms
    return m.mean(terms, axis=None) if reduction == 1 else m.sum(terms, axis=None)


def smooth_l1(c: Context, x: Any, t: Any, reduction: int = 1, beta: float = 1.0) -> Any:
    """Half a square up to beta, over beta; a modulus less half of beta beyond."""
    if beta == 0:
        return m.l1(c.lift(x), c.lift(t), reduction=REDUCTIONS[reduction])
    return m.huber(
        c.lift(x), c.lift(t), delta=float(beta), reduction=REDUCTIONS[reduction]
    ) / float(beta)


def huber(c: Context, x: Any, t: Any, reduction: int = 1, delta: float = 1.0) -> Any:
    return m.huber(
        c.lift(x), c.lift(t), delta=float(delta), reduction=REDUCTIONS[reduction]
    )


# ---- copies


def copied(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """The same numbers in another place."""
    del rest, options
    return c.lift(x)


def cast(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """Another format; whole numbers and truth values are decisions."""
    del rest, options
    if not c.result.is_floating_point():
        if c.result.is_complex():
            raise Missing("complex numbers")
        return in_steps(c, x) and None
    if c.result.dtype not in (torch.float32, torch.float64):
        raise Missing(f"a cast to {c.result.dtype}: half formats come later")
    if c.result.dtype == torch.float32 and c.args[0].dtype == torch.float64:
        c.seen.narrow = True
    return c.lift(x)


VIEWS = """view reshape _unsafe_view _reshape_alias expand permute transpose t select slice
squeeze unsqueeze diagonal unfold as_strided split split_with_sizes chunk unbind alias
narrow movedim swapaxes view_as unsafe_split lift_fresh"""
MOVES = """index gather index_select flip roll repeat take rot90 pixel_shuffle
pixel_unshuffle channel_shuffle masked_select repeat_interleave view_copy permute_copy
slice_copy select_copy expand_copy unfold_copy reflection_pad1d reflection_pad2d
replication_pad1d replication_pad2d"""
COMPARISONS = "gt lt ge le eq ne"
TRUTH_VALUES = """logical_and logical_or logical_not logical_xor any all is_nonzero
nonzero count_nonzero"""
DECISIONS = """equal isnan isinf isfinite isposinf isneginf argmax argmin argsort searchsorted
bucketize unique_consecutive _unique2 bincount allclose"""
CONSTANTS = """ones_like zeros_like empty_like full_like rand_like randn_like new_zeros
new_ones new_empty new_full new_empty_strided randint_like bernoulli is_same_size"""
ONE = """neg log sin cos tan tanh sqrt sigmoid relu square rsqrt reciprocal exp2 expm1
log2 log10 log1p asin acos atan sinh cosh asinh acosh atanh erf erfc lgamma digamma silu
mish abs relu6 hardswish"""
STEPS = "round floor ceil trunc sign sgn floor_divide heaviside"

# fmt: off
ROWS: Mapping[str, Row] = {
    **dict.fromkeys(VIEWS.split(), view),
    **dict.fromkeys(MOVES.split(), moves),
    **dict.fromkeys(COMPARISONS.split(), comparison),
    **dict.fromkeys(TRUTH_VALUES.split(), truth_value),
    **dict.fromkeys(DECISIONS.split(), decision),
    **dict.fromkeys(CONSTANTS.split(), constant_result),
    **{name: same(name) for name in ONE.split()},
    **dict.fromkeys(STEPS.split(), in_steps),
    "special_expit": same("sigmoid"), "special_erf": same("erf"), "special_digamma": same("digamma"),
    "arcsin": same("asin"), "arccos": same("acos"), "arctan": same("atan"), "absolute": same("abs"),
    # elementwise
    "exp": exponential, "add": add, "sub": sub, "rsub": rsub, "mul": mul, "div": div,
    "pow": power, "maximum": both("maximum"), "minimum": both("minimum"), "atan2": both("atan2"),
    "hypot": both("hypot"), "logaddexp": both("logaddexp"), "where": where_row, "masked_fill": masked_fill,
    "clamp": clamp, "clamp_min": clamp, "clamp_max": lambda c, x, high: clamp(c, x, None, high),
    "threshold": threshold, "softplus": softplus, "leaky_relu": leaky_relu, "elu": elu, "gelu": gelu,
    "hardtanh": hardtanh, "hardsigmoid": hardsigmoid, "log_sigmoid_forward": log_sigmoid,
    "_prelu_kernel": prelu, "addcmul": addcmul, "addcdiv": addcdiv, "lerp": lerp,
    # reductions
    "sum": reduced("sum"), "mean": reduced("mean"), "amax": reduced("max"), "amin": reduced("min"),
    "max": extreme("max"), "min": extreme("min"), "max.other": both("maximum"), "min.other": both("minimum"),
    "prod": product, "var": spread("var"), "std": spread("std"),
    "logsumexp": logsumexp, "_softmax": softmax, "_log_softmax": log_softmax, "cumsum": cumsum,
    "sort": ordered, "topk": ordered, "kthvalue": ordered, "median.dim": ordered, "mode": ordered,
    "cummax": ordered, "cummin": ordered,
    # matrices
    "mm": mm, "bmm": bmm, "addmm": addmm, "baddbmm": baddbmm, "mv": vectors, "dot": vectors, "vdot": vectors,
    # joining and placing
    "cat": cat, "scatter.src": placed, "slice_scatter": placed, "select_scatter": placed, "diagonal_scatter": placed,
    "constant_pad_nd": constant_pad, "triu": tri, "tril": tri, "scatter_add": added_at, "index_add": added_at,
    "index_put": index_put, "_unsafe_index_put": index_put, "embedding": embedding, "_unsafe_index": moves,
    # layers and losses
    "convolution": convolution,
    "native_layer_norm": layer_norm, "native_group_norm": group_norm, "native_batch_norm": batch_norm,
    "_native_batch_norm_legit": batch_norm, "_native_batch_norm_legit_functional": batch_norm,
    "_batch_norm_with_update": lambda c, x, w, b, mean, var, momentum, eps: batch_norm(c, x, w, b, mean, var, True, momentum, eps),
    "_native_batch_norm_legit_no_training": lambda c, x, w, b, mean, var, momentum, eps: batch_norm(c, x, w, b, mean, var, False, momentum, eps),
    "_scaled_dot_product_flash_attention_for_cpu": attention,
    "nll_loss_forward": nll, "nll_loss2d_forward": nll, "mse_loss": mse, "binary_cross_entropy": bce,
    "smooth_l1_loss": smooth_l1, "huber_loss": huber,
    # copies, casts and numbers that are read
    "clone": copied, "contiguous": copied, "_to_copy": cast, "detach": copied, "_local_scalar_dense": read_number,
    "item": read_number,
    # what has no row
    "bernoulli.p": missing("random numbers whose chances depend on an input"),
    "multinomial": missing("random numbers whose chances depend on an input"),
    "poisson": missing("random numbers whose chances depend on an input"),
    "normal": missing("random numbers whose chances depend on an input"),
}
# fmt: on
