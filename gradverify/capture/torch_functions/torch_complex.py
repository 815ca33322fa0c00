"""Ops of PyTorch on complex numbers, in the words of our op table: a row each.

A complex tensor is its two parts along a last axis, in symbols and in constants. A row
here is asked where an operand is complex, or where an op makes complex numbers.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.capture import complex_parts as z
from gradverify.capture.torch_functions.torch_rows import (
    COMPARISONS,
    CONSTANTS,
    MOVES,
    TRUTH_VALUES,
    VIEWS,
    Context,
    Missing,
    Row,
    axes,
    constant_result,
    decision,
    numpy_of,
)


def is_complex(value: Any) -> bool:
    """Whether an operand is complex: a tensor, a number, or one of several."""
    if isinstance(value, torch.Tensor):
        return bool(value.is_complex())
    if isinstance(value, list | tuple):
        return any(map(is_complex, value))
    return isinstance(value, complex)


def makes_complex(kwargs: Mapping[str, Any]) -> bool:
    """Whether an op is asked for complex numbers."""
    dtype = kwargs.get("dtype")
    return isinstance(dtype, torch.dtype) and dtype.is_complex


def operand(c: Context, x: Any, k: int) -> Any:
    """Operand k as parts: a symbol, or an array of constants."""
    real = c.args[k] if k < len(c.args) else x
    if isinstance(real, torch.Tensor) and real.is_complex():
        return x
    if isinstance(x, Symbol):
        return z.of_real(x)
    return z.parts_of(x)


def of_one(name: str) -> Row:
    """A function of one complex number."""

    def row(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
        del rest, options
        return z.ONE[name](c.lift(x))

    return row


def of_two(name: str) -> Row:
    """An elementwise op of two operands, of which one at least is complex."""

    def row(c: Context, a: Any, b: Any, *, alpha: Any = 1, **options: Any) -> Any:
        if options.get("rounding_mode") is not None:
            raise Missing(f"{c.func.name()} that rounds")
        left, right = operand(c, a, 0), operand(c, b, 1)
        if alpha != 1 and isinstance(right, Symbol):
            right = z.multiplied(right, z.parts_of(alpha))
        elif alpha != 1:
            right = z.parts_of((right[..., 0] + 1j * right[..., 1]) * alpha)
        return z.TWO[name](left, right)

    return row


def power(c: Context, a: Any, b: Any) -> Any:
    """A power; a small whole one is a product."""
    n = complex(b) if isinstance(b, int | float | complex) else None
    if n is not None and n.imag == 0 and n.real.is_integer() and abs(n.real) <= 16:
        return z.whole_power(operand(c, a, 0), int(n.real))
    if n is not None and n == 0.5:
        return z.root(operand(c, a, 0))
    return z.power(operand(c, a, 0), operand(c, b, 1))


def sign(c: Context, x: Any) -> Any:
    """z over its modulus."""
    x = c.lift(x)
    if np.any(np.all(c.real() == 0, axis=-1)):
        raise Missing(f"{c.func.name()} of a complex 0")
    size = z.modulus(x)
    return m.div(x, m.reshape(size, shape=(*size.shape, 1)))


def shown(c: Context, *operands: Any, **options: Any) -> None:
    """A view of the same memory, which is read by its places."""
    del c, operands, options


def moves(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """An op that only chooses entries: the library runs it on their places."""
    del rest, options
    real = c.args[0]
    index = torch.arange(real.numel()).reshape(real.shape)
    with torch.no_grad():
        found = c.func(index, *c.args[1:], **c.kwargs)
    if isinstance(found, tuple | list):
        return [z.chosen(c.lift(x), numpy_of(i)) for i in found]
    return z.chosen(c.lift(x), numpy_of(found))


def copied(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """The same numbers elsewhere, or another format of them."""
    del rest, options
    real = c.args[0]
    if not c.result.is_complex():
        if real.is_complex():
            raise Missing("complex numbers that become real ones")
        return c.lift(x)
    return c.lift(operand(c, x, 0))


def conjugated(c: Context, x: Any) -> Any:
    return z.conjugated(c.lift(x))


def of_parts(c: Context, real: Any, imaginary: Any) -> Any:
    return z.joined(real, imaginary)


def polar(c: Context, size: Any, angle: Any) -> Any:
    return z.polar(size, angle)


def total(
    c: Context, x: Any, dim: Any = None, keepdim: bool = False, **more: Any
) -> Any:
    """A sum over some axes of the numbers."""
    del more
    x = c.lift(x)
    rank = x.ndim - 1
    along = axes(c, x, dim)
    places = tuple(range(rank)) if along is None else tuple(a % rank for a in along)
    if not places:
        return x
    return m.sum(x, axis=places, keepdims=bool(keepdim) and dim is not None)


def mean(
    c: Context, x: Any, dim: Any = None, keepdim: bool = False, **more: Any
) -> Any:
    found = total(c, x, dim, keepdim)
    return found / float(c.args[0].numel() / max(1, c.result.numel()))


def product(subscripts: str, *, conjugates: bool = False) -> Row:
    """A product of matrices or vectors."""

    def row(c: Context, a: Any, b: Any) -> Any:
        left, right = operand(c, a, 0), operand(c, b, 1)
        if conjugates:
            left = z.conjugated(c.lift(left))

        def multiplied(p: Any, q: Any) -> Any:
            return m.einsum(c.lift(p), c.lift(q), subscripts=subscripts)

        return z.matrix_product(multiplied, left, right)

    return row


def joined(c: Context, parts: Any, dim: int = 0) -> Any:
    """Tensors put together along an axis of the numbers."""
    found: Any = None
    rank = c.result.dim()
    for part, real in zip(parts, c.args[0], strict=True):
        if real.numel() == 0:
            continue
        given = part if real.is_complex() else z.of_real(c.lift(part))
        symbol = c.lift(given)
        place = dim % rank
        found = symbol if found is None else m.concatenate(found, symbol, axis=(place,))
    return found


def where_row(c: Context, mask: Any, a: Any = None, b: Any = None) -> Any:
    """A choice by a mask, which is data."""
    chosen = numpy_of(c.args[0]).astype(bool)
    shape = tuple(c.result.shape)
    sides = [z.stretched(operand(c, x, k), shape) for k, x in ((1, a), (2, b))]
    both = np.broadcast_to(np.broadcast_to(chosen, shape)[..., None], (*shape, 2))
    return c.program.apply("where", both, *sides)


def masked_fill(c: Context, x: Any, mask: Any, value: Any) -> Any:
    chosen = np.broadcast_to(np.asarray(mask).astype(bool), c.result.shape)
    both = np.broadcast_to(chosen[..., None], (*chosen.shape, 2))
    fill = z.stretched(operand(c, value, 2), chosen.shape)
    return c.program.apply("where", both, fill, z.stretched(x, chosen.shape))


def constant_pad(c: Context, x: Any, widths: Any, value: Any = 0) -> Any:
    """Numbers with constants around them."""
    real = c.args[0]
    index = torch.arange(1, real.numel() + 1).reshape(real.shape)
    where = numpy_of(torch.nn.functional.pad(index, list(widths)))
    inner = z.chosen(c.lift(x), np.maximum(where - 1, 0))
    both = np.broadcast_to((where > 0)[..., None], inner.shape)
    fill = np.broadcast_to(z.parts_of(value), inner.shape)
    return c.program.apply("where", both, inner, fill)


# ---- Fourier transforms


def _checked(c: Context, dims: Any) -> tuple[int, ...]:
    rank = c.args[0].dim()
    return tuple(int(d) % rank for d in dims)


def real_transform(c: Context, x: Any, dims: Any, norm: int, onesided: bool) -> Any:
    return z.transformed_real(
        c.lift(x), _checked(c, dims), z.FORWARD[norm], half=bool(onesided)
    )


def complex_transform(c: Context, x: Any, dims: Any, norm: int, forward: bool) -> Any:
    names = z.FORWARD if forward else z.BACKWARD
    return z.transformed(c.lift(x), _checked(c, dims), names[norm], inverse=not forward)


def transform_back(c: Context, x: Any, dims: Any, norm: int, length: int) -> Any:
    return z.transformed_back(
        c.lift(x), _checked(c, dims), z.BACKWARD[norm], int(length)
    )


MAKERS = ("complex", "polar", "view_as_complex", "_fft_r2c")
"""Ops that make complex numbers of real ones."""

# fmt: off
COMPLEX_ROWS: Mapping[str, Row] = {
    **dict.fromkeys(VIEWS.split(), shown),
    **dict.fromkeys(MOVES.split(), moves),
    **dict.fromkeys(COMPARISONS.split(), decision),
    **dict.fromkeys(TRUTH_VALUES.split(), decision),
    **dict.fromkeys(CONSTANTS.split(), constant_result),
    **{name: of_one(name) for name in z.ONE},
    **{name: of_two(name) for name in z.TWO},
    "pow": power, "sgn": sign, "rsub": lambda c, a, b: z.subtracted(operand(c, b, 1), operand(c, a, 0)),
    "complex": of_parts, "polar": polar,
    "view_as_complex": shown, "view_as_real": shown, "_conj": shown, "_neg_view": shown,
    "_conj_physical": conjugated, "conj_physical": conjugated, "clone": copied, "contiguous": copied, "_to_copy": copied,
    "detach": copied, "sum": total, "mean": mean,
    "mm": product("ij,jk->ik"), "mv": product("ij,j->i"), "bmm": product("aij,ajk->aik"),
    "dot": product("i,i->"), "vdot": product("i,i->", conjugates=True),
    "cat": joined, "constant_pad_nd": constant_pad, "where": where_row, "masked_fill": masked_fill,
    "_fft_r2c": real_transform, "_fft_c2c": complex_transform, "_fft_c2r": transform_back,
    "isnan": decision, "isinf": decision, "isfinite": decision,
}
# fmt: on
