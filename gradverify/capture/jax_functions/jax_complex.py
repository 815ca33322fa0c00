"""Primitives of JAX on complex numbers, in the words of our op table: a row each.

A complex array is its two parts along a last axis, in symbols and in constants. A row
here is asked where an operand or a result is complex.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.capture import complex_parts as z
from gradverify.capture.jax_functions.jax_rows import (
    DECISIONS,
    MOVES,
    NoRow,
    Row,
    Use,
    copied,
    decision,
    positions,
    several,
    subscripts,
)


def is_complex(value: Any) -> bool:
    """Whether an array holds complex numbers."""
    return bool(np.issubdtype(getattr(value, "dtype", float), np.complexfloating))


def operand(u: Use, x: Any, k: int) -> Any:
    """Operand k as parts: a symbol, or an array of constants."""
    if isinstance(x, Symbol):
        return x if is_complex(u.reals[k]) else z.of_real(x)
    return z.parts_of(x)


def of_one(name: str) -> Row:
    """A function of one complex number."""
    return lambda u, x: z.ONE[name](x)


def of_two(name: str) -> Row:
    """An elementwise primitive of two operands."""
    return lambda u, a, b: z.TWO[name](operand(u, a, 0), operand(u, b, 1))


def integer_power(u: Use, x: Any) -> Any:
    return z.whole_power(x, int(u.params["y"]))


def part(k: int) -> Row:
    """The real or the imaginary part."""
    return lambda u, x: z.halves(x)[k]


def moves(u: Use, x: Any, *rest: Any) -> Any:
    """A primitive that only chooses entries: JAX runs it on their places."""
    if any(isinstance(r, Symbol) for r in rest):
        raise NoRow(f"{u.name} with a place that is differentiated")
    changed = {"fill_value": 0} if "fill_value" in u.params else {}
    start = 1 if changed else 0
    found = u.bind(positions(u.real(), start), *u.reals[1:], **changed)
    several_ = u.eqn.primitive.multiple_results
    indices = [np.asarray(i) - start for i in (found if several_ else [found])]
    if any(np.any(i < 0) for i in indices):
        raise NoRow(f"{u.name} reads beyond the end of an array")
    chosen = [z.chosen(x, i) for i in indices]
    return chosen if several_ else chosen[0]


def convert(u: Use, x: Any) -> Any:
    """Real numbers as complex ones, or another format of them."""
    if not is_complex(u.result()):
        raise NoRow("complex numbers that become real ones by a cast")
    return x if is_complex(u.real()) else z.of_real(x)


def total(u: Use, x: Any) -> Any:
    axes = tuple(u.params["axes"])
    return m.sum(x, axis=axes, keepdims=False) if axes else x


def select(u: Use, which: Any, *cases: Any) -> Any:
    """A choice by a mask or by a number, which is data."""
    del which
    shape = u.result().shape
    found = z.stretched(operand(u, cases[0], 1), shape)
    for k, case in enumerate(cases[1:], 1):
        mask = np.broadcast_to(np.asarray(u.real()) == k, shape)
        both = np.broadcast_to(mask[..., None], (*shape, 2))
        found = u.program.apply(
            "where", both, z.stretched(operand(u, case, k + 1), shape), found
        )
    return found


def concatenate(u: Use, *parts: Any) -> Any:
    axis = int(u.params["dimension"])
    found: Any = None
    for k, x in enumerate(parts):
        given = operand(u, x, k)
        symbol = given if isinstance(given, Symbol) else u.program.lift(given)
        found = symbol if found is None else m.concatenate(found, symbol, axis=(axis,))
    return found


def stack(u: Use, *parts: Any) -> Any:
    """Arrays of one shape along a new axis of the numbers."""
    axis = int(u.params["axis"])
    found: Any = None
    for k, x in enumerate(parts):
        symbol = _lifted(u, operand(u, x, k))
        wide = (*symbol.shape[:axis], 1, *symbol.shape[axis:])
        one = m.reshape(symbol, shape=wide)
        found = one if found is None else m.concatenate(found, one, axis=(axis,))
    return found


def pad(u: Use, x: Any, value: Any) -> Any:
    """Numbers around and between entries."""
    if isinstance(value, Symbol):
        raise NoRow("pad with a number that is differentiated")
    index = np.asarray(u.bind(positions(u.real(), 1), np.int32(0)))
    inner = z.chosen(x, np.maximum(index - 1, 0))
    both = np.broadcast_to((index > 0)[..., None], inner.shape)
    return u.program.apply(
        "where", both, inner, np.broadcast_to(z.parts_of(value), inner.shape)
    )


def dot_general(u: Use, a: Any, b: Any) -> Any:
    """A product over some axes of both, by four products of parts."""
    p, q = operand(u, a, 0), operand(u, b, 1)
    ranks = np.ndim(p) - 1, np.ndim(q) - 1
    text = subscripts(u.params["dimension_numbers"], ranks)

    def product(x: Any, y: Any) -> Any:
        return m.einsum(_lifted(u, x), _lifted(u, y), subscripts=text)

    return z.matrix_product(product, p, q)


def _lifted(u: Use, x: Any) -> Symbol:
    return x if isinstance(x, Symbol) else u.program.lift(np.asarray(x, float))


def transform(u: Use, x: Any) -> Any:
    """A Fourier transform along the last axes; the inverse is divided by their size."""
    name, lengths = u.params["fft_type"].name, u.params["fft_lengths"]
    axes = tuple(range(u.real().ndim - len(lengths), u.real().ndim))
    if name == "RFFT":
        return z.transformed_real(x, axes, "backward")
    if name == "IRFFT":
        return z.transformed_back(x, axes, "backward", int(lengths[-1]))
    return z.transformed(x, axes, "backward", inverse=name == "IFFT")


CHOOSING = f"""{MOVES} reshape broadcast_in_dim transpose gather squeeze rev"""

# fmt: off
COMPLEX_ROWS: Mapping[str, Row] = {
    **{name: of_one(name) for name in z.ONE},
    **{name: of_two(name) for name in z.TWO},
    **dict.fromkeys(DECISIONS.split(), decision),
    **dict.fromkeys(CHOOSING.split(), moves),
    "add_any": of_two("add"), "integer_pow": integer_power, "real": part(0), "imag": part(1),
    "conj": lambda u, x: z.conjugated(operand(u, x, 0)), "complex": lambda u, a, b: z.joined(a, b),
    "convert_element_type": convert, "reduce_sum": total, "select_n": select, "concatenate": concatenate, "stack": stack,
    "pad": pad, "dot_general": dot_general, "fft": transform,
    "copy": copied, "copy_p": copied, "stop_gradient": copied, "optimization_barrier": several, "device_put": several,
}
# fmt: on
