"""Further functions of NumPy and SciPy on arrays that are followed: a row each.

They are linear algebra, orders, triangles, pads and special functions. The rows of
plain arithmetic stand in `followed_array.py`.
"""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.autodiff.numpy_calls import UFUNCS
from gradverify.capture import factored
from gradverify.capture.moved_entries import reshaped, taken
from gradverify.capture.numpy_functions import followed_array
from gradverify.capture.numpy_functions.followed_array import (
    FollowTrace,
    plain,
)

Row = Callable[..., Any]


def _named(op: str, **params: Any) -> Row:
    """The op that a function means, with params of its own."""

    def row(trace: FollowTrace, f: Any, *operands: Any, **kwargs: Any) -> Any:
        value = f(*plain(operands), **kwargs)
        symbol = m.table[op](*(trace.lift(x) for x in operands), **params)
        return trace.made(symbol, value)

    return row


def triangle(trace: FollowTrace, f: Any, x: Any, k: int = 0) -> Any:
    """One side of a matrix."""
    keeps = np.broadcast_to(f(np.ones(x.shape[-2:], bool), k), x.shape)
    return trace.made(m.where(keeps, x.symbol, np.float64(0)), f(x.value, k))


def trace_of(trace: FollowTrace, f: Any, x: Any, offset: int = 0, **kwargs: Any) -> Any:
    if x.ndim != 2 or kwargs:
        raise trace.refuse("np.trace of other than one matrix")
    places = np.diagonal(np.arange(x.size).reshape(x.shape), offset)
    found = m.sum(taken(x.symbol, places), axis=None, keepdims=False)
    return trace.made(found, f(x.value, offset))


def ordered(trace: FollowTrace, f: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Entries in an order that the values decide, along one axis: `sort`, `partition`."""
    kwargs, rest, kth = dict(kwargs), list(args), None
    if f.__name__ == "partition":
        kth = kwargs.pop("kth") if "kth" in kwargs else rest.pop(0)
    axis = kwargs.pop("axis", rest[0] if rest else -1)
    if axis is None:
        x, axis = x.ravel(), 0
    if kth is not None:
        order = np.argpartition(x.value, kth, axis=axis)
    else:
        order = np.argsort(x.value, axis=axis, kind="stable")
    trace.seen.decided.append(order)
    keys = np.sort(x.value.astype(float), axis=axis)
    if keys.shape[axis] > 1:
        n = keys.shape[axis]
        below, above = (np.take(keys, range(k, n - 1 + k), axis=axis) for k in (0, 1))
        trace.seen.note_close(below, above, trace.unit)
    places = np.take_along_axis(np.arange(x.size).reshape(x.shape), order, axis)
    return trace.made(taken(x.symbol, places), np.take_along_axis(x.value, order, axis))


def padded(
    trace: FollowTrace,
    f: Any,
    x: Any,
    width: Any,
    mode: str = "constant",
    **kwargs: Any,
) -> Any:
    """Numbers around an array: constants, or its own entries."""
    if mode not in ("constant", "edge", "wrap", "reflect", "symmetric"):
        raise trace.refuse(f"np.pad with mode={mode!r}")
    numbers = np.arange(1, x.size + 1).reshape(x.shape)
    index = f(numbers, width, mode)
    value = f(x.value, width, mode, **kwargs)
    inner = taken(x.symbol, np.maximum(index - 1, 0))
    if not np.any(index == 0):
        return trace.made(inner, value)
    fill = np.where(index > 0, 0.0, value)
    return trace.made(m.where(index > 0, inner, fill), value)


def difference(trace: FollowTrace, f: Any, x: Any, n: int = 1, axis: int = -1) -> Any:
    """What `np.diff` gives, by differences of the entries at both sides."""
    value, symbol = f(x.value, n, axis), x.symbol
    for _ in range(n):
        length = symbol.shape[axis]
        above = m.slice(symbol, axis=(axis,), start=1, stop=length)
        symbol = above - m.slice(symbol, axis=(axis,), start=0, stop=length - 1)
    return trace.made(symbol, value)


def running_product(
    trace: FollowTrace, f: Any, x: Any, axis: Any = None, **kwargs: Any
) -> Any:
    del kwargs
    if axis is None:
        x, axis = x.ravel(), 0
    return trace.made(m.cumprod(x.symbol, axis=(axis,)), f(x.value, axis))


def numbers_for_odd_ones(
    trace: FollowTrace, f: Any, x: Any, *args: Any, **kw: Any
) -> Any:
    """`nan_to_num`: which entries are odd is a decision."""
    odd = ~np.isfinite(x.value)
    trace.seen.decided.append(odd)
    value = f(x.value, *args, **kw)
    symbol = m.where(odd, value, x.symbol) if np.any(odd) else x.symbol
    return trace.made(symbol, value)


# ---- products and matrices


def products(trace: FollowTrace, f: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    """A product of matrices, which may stand in stacks."""
    x, y = trace.lift(a), trace.lift(b)
    if max(x.ndim, y.ndim) < 3 or f.__name__ != "matmul":
        return followed_array.product(trace, f, a, b, **kwargs)
    value = f(plain(a), plain(b))
    wide = "abcdefgh"
    if min(x.ndim, y.ndim) < 2:
        vector = y if y.ndim < 2 else x
        kept = (*vector.shape, 1) if y.ndim < 2 else (1, *vector.shape)
        line = reshaped(vector, kept)
        x, y = (x, line) if y.ndim < 2 else (line, y)
    lead = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    sides = [
        s if s.shape[:-2] == lead else m.broadcast_to(s, shape=(*lead, *s.shape[-2:]))
        for s in (x, y)
    ]
    names = wide[: len(lead)]
    text = f"{names}ij,{names}jk->{names}ik"
    return trace.made(reshaped(m.einsum(*sides, subscripts=text), value.shape), value)


def einsum(trace: FollowTrace, f: Any, text: str, *parts: Any, **kwargs: Any) -> Any:
    """Sums of products, two operands at a time; what is summed goes at the end."""
    del kwargs
    text = text.replace(" ", "")
    if "->" not in text or "." in text:
        raise trace.refuse("np.einsum without an arrow, or with dots")
    if len(parts) == 2:
        return followed_array.einsum(trace, f, text, *parts)
    left, _, result = text.partition("->")
    names = left.split(",")
    if any(len(set(name)) != len(name) for name in names):
        raise trace.refuse("np.einsum along a diagonal")
    symbols = [trace.lift(p) for p in parts]
    known, found = names[0], symbols[0]
    for k in range(1, len(parts)):
        later = set("".join(names[k + 1 :])) | set(result)
        kept = "".join(c for c in dict.fromkeys(known + names[k]) if c in later)
        found = m.einsum(found, symbols[k], subscripts=f"{known},{names[k]}->{kept}")
        known = kept
    if len(parts) == 1:
        dropped = tuple(k for k, c in enumerate(known) if c not in result)
        if dropped:
            found = m.sum(found, axis=dropped, keepdims=False)
        known = "".join(c for c in known if c in result)
    if known != result:
        found = m.transpose(found, axes=tuple(known.index(c) for c in result))
    return trace.made(found, f(text, *plain(parts)))


def slogdet(trace: FollowTrace, f: Any, x: Any) -> Any:
    """The sign, which is a constant of the branch, and the logarithm."""
    sign, value = f(x.value)
    trace.seen.decided.append(np.array(sign))
    return sign, trace.made(m.slogdet(x.symbol), value)


def _one_triangle(x: Symbol, uplo: str) -> Symbol:
    """The symmetric matrix of the triangle that NumPy reads; so does its derivative."""
    n = x.shape[-1]
    places = np.arange(int(np.prod(x.shape))).reshape(x.shape)
    other = np.swapaxes(places, -1, -2)
    mask = (
        np.tri(n, dtype=bool) if uplo.upper() == "L" else ~np.tri(n, k=-1, dtype=bool)
    )
    return taken(x, np.where(mask, places, other))


def eigh(trace: FollowTrace, f: Any, x: Any, UPLO: str = "L") -> Any:
    """Eigenvalues, the smallest first, and eigenvectors, of one triangle."""
    values, vectors = f(x.value, UPLO)
    matrix = _one_triangle(x.symbol, UPLO)
    sides = factored.eigenvectors(matrix, vectors, trace.seen)
    return trace.made(m.eigvalsh(matrix), values), trace.made(sides, vectors)


def eigvalsh(trace: FollowTrace, f: Any, x: Any, UPLO: str = "L") -> Any:
    return trace.made(m.eigvalsh(_one_triangle(x.symbol, UPLO)), f(x.value, UPLO))


def svd(
    trace: FollowTrace,
    f: Any,
    x: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
) -> Any:
    """Singular values, the largest first, and vectors on both sides."""
    rows, columns = x.shape[-2:]
    if not compute_uv:
        return trace.made(m.svdvals(x.symbol), f(x.value, compute_uv=False))
    if full_matrices and rows != columns:
        raise trace.refuse("np.linalg.svd with vectors beyond the rank")
    u, s, v = f(x.value, full_matrices=full_matrices)
    left, right = factored.singular_vectors(x.symbol, u, min(rows, columns), trace.seen)
    return trace.made(left, u), trace.made(m.svdvals(x.symbol), s), trace.made(right, v)


def qr(trace: FollowTrace, f: Any, x: Any, mode: str = "reduced") -> Any:
    if mode != "reduced":
        raise trace.refuse(f"np.linalg.qr with mode={mode!r}")
    q, r = f(x.value)
    one, other = factored.orthogonal_factors(x.symbol, r, trace.seen)
    return trace.made(one, q), trace.made(other, r)


def pinv(trace: FollowTrace, f: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    return trace.made(m.pinv(x.symbol), f(x.value, *args, **kwargs))


def _angles(factor: float) -> Row:
    def row(table: Mapping[str, Any], x: Any) -> Any:
        return table["mul"](x, factor)

    return row


def _incomplete(op: str, *names: str) -> Row:
    """A special function whose orders are one constant each."""

    def row(table: Mapping[str, Any], *operands: Any) -> Any:
        *orders, x = operands
        found = {}
        for name, order in zip(names, orders, strict=True):
            if isinstance(order, Symbol) or np.ptp(np.asarray(order, float)) != 0:
                raise ValueError("of orders that are differentiated, or of several")
            found[name] = float(np.ravel(np.asarray(order, float))[0])
        return table[op](x, **found)

    return row


def _plain_op(op: str) -> Row:
    return lambda table, *operands: table[op](*operands)


def _scaled_bessel(table: Mapping[str, Any], order: Any, x: Any) -> Any:
    """`ive`, the modified Bessel function over exp(abs(x)), of order 0 or 1."""
    if isinstance(order, Symbol) or np.ptp(np.asarray(order, float)) != 0:
        raise ValueError("of orders that are differentiated, or of several")
    n = float(np.ravel(np.asarray(order, float))[0])
    if n not in (0.0, 1.0):
        raise ValueError(f"of order {n}; allowed are 0 and 1")
    return table["i1e" if n else "i0e"](x)


OF_ONE = "erfinv ndtr ndtri log_ndtr erfcx i0 i0e i1 i1e j0 j1 y0 y1 k0 k1 spence logit"
OF_TWO = "betaln beta fmod remainder xlogy xlog1py"

# fmt: off
MORE_UFUNCS: Mapping[str, Row] = {
    **UFUNCS,
    **{name: _plain_op(name) for name in (*OF_ONE.split(), *OF_TWO.split())},
    "mod": _plain_op("remainder"), "cbrt": _plain_op("cbrt"), "sinc": _plain_op("sinc"),
    "erfcinv": _plain_op("erfcinv"), "expit": _plain_op("sigmoid"), "log_expit": _plain_op("log_sigmoid"),
    "rad2deg": _angles(180.0 / np.pi), "degrees": _angles(180.0 / np.pi),
    "deg2rad": _angles(np.pi / 180.0), "radians": _angles(np.pi / 180.0),
    "gammainc": _incomplete("gammainc", "a"), "gammaincc": _incomplete("gammaincc", "a"),
    "betainc": _incomplete("betainc", "a", "b"), "ive": _scaled_bessel,
}

ROWS: Mapping[str, Row] = {
    **followed_array.ROWS,
    "tril": triangle, "triu": triangle, "trace": trace_of, "sort": ordered, "partition": ordered,
    "pad": padded, "diff": difference, "cumprod": running_product, "nan_to_num": numbers_for_odd_ones,
    "matmul": products, "dot": products, "einsum": einsum, "kron": _named("kron"), "slogdet": slogdet,
    "sinc": _named("sinc"), "i0": _named("i0"), "eigh": eigh, "eigvalsh": eigvalsh, "svd": svd, "qr": qr, "pinv": pinv,
}
# fmt: on
