"""Windows, bags, segments and special functions of PyTorch: a row each."""

# The rows of the table are wider than a page.
# ruff: noqa: E501

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from gradverify.arithmetic.symbols import SYMBOLS as m
from gradverify.arithmetic.symbols import Symbol
from gradverify.capture.moved_entries import reduced_at, reshaped, taken
from gradverify.capture.torch_functions.torch_rows import (
    REDUCTIONS,
    Context,
    Missing,
    Row,
    both,
    leaky_relu,
    numpy_of,
    same,
    truth_value,
)


def _sizes(v: Any, count: int) -> tuple[int, ...]:
    """Whole numbers, one for each axis."""
    given = list(v) if isinstance(v, list | tuple) else [v]
    return tuple(int(i) for i in (given * count if len(given) == 1 else given))


def max_pool(rank: int) -> Row:
    """The largest entries of windows; where they stand is for itself."""

    def row(
        c: Context, x: Any, kernel: Any, stride: Any = (), padding: Any = 0, dilation: Any = 1,
        ceil_mode: bool = False,
    ) -> Any:  # fmt: skip
        if ceil_mode:
            raise Missing("a pooling with ceil_mode")
        kernel, padding, dilation = (
            _sizes(v, rank) for v in (kernel, padding, dilation)
        )
        steps = _sizes(stride, rank) if stride not in ((), []) else kernel
        pool = m.table[f"max_pool{rank}d"]
        found = pool(
            _batched(x, rank),
            kernel=kernel,
            stride=steps,
            padding=padding,
            dilation=dilation,
        )
        return reshaped(found, tuple(c.result[0].shape)), None

    return row


def avg_pool(rank: int) -> Row:
    """The means of windows."""

    def row(
        c: Context, x: Any, kernel: Any, stride: Any = (), padding: Any = 0,
        ceil_mode: bool = False, count_include_pad: bool = True, divisor: Any = None,
    ) -> Any:  # fmt: skip
        if ceil_mode or divisor is not None:
            raise Missing("a pooling with ceil_mode or a divisor")
        kernel, padding = _sizes(kernel, rank), _sizes(padding, rank)
        steps = _sizes(stride, rank) if stride not in ((), []) else kernel
        found = m.table[f"avg_pool{rank}d"](
            _batched(x, rank), kernel=kernel, stride=steps, padding=padding,
            count_include_pad=bool(count_include_pad),
        )  # fmt: skip
        return reshaped(found, tuple(c.result.shape))

    return row


def adaptive(op: str, rank: int) -> Row:
    """A pooling to a given size."""

    def row(c: Context, x: Any, size: Any) -> Any:
        found = m.table[f"{op}{rank}d"](_batched(x, rank), size=_sizes(size, rank))
        result = c.result[0] if isinstance(c.result, tuple) else c.result
        found = reshaped(found, tuple(result.shape))
        return (found, None) if isinstance(c.result, tuple) else found

    return row


def _batched(x: Symbol, rank: int) -> Symbol:
    """x with a batch, which PyTorch does not ask for."""
    return x if x.ndim == rank + 2 else reshaped(x, (1, *x.shape))


def by_places(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """A pooling whose windows chance has drawn: where its entries stand is a decision."""
    del rest, options
    values, index = c.result
    rank = 2 if "2d" in c.name else 3
    at = numpy_of(index).astype(int)
    c.seen.decided.append(at)
    size = math.prod(x.shape[-rank:])
    start = size * np.arange(at.size // max(1, math.prod(at.shape[-rank:])))
    start = start.reshape(at.shape[:-rank] + (1,) * rank)
    del values
    return taken(x, start + at), None


def segments(c: Context, x: Any, reduce: str, **options: Any) -> Any:
    """A reduction of the parts of an axis, by their lengths."""
    lengths, offsets = options.get("lengths"), options.get("offsets")
    given = np.asarray(lengths) if lengths is not None else np.diff(np.asarray(offsets))
    if given.ndim != 1 or options.get("axis", 0) != 0 or np.any(given == 0):
        raise Missing("segments of other than the first axis, or empty ones")
    allowed = ("sum", "mean", "prod", "max", "min")
    if options.get("initial") is not None or reduce not in allowed:
        raise Missing(f"segments by {reduce} from an initial number")
    at = tuple(int(i) for i in np.repeat(np.arange(given.size), given))
    try:
        return m.segment_reduce(c.lift(x), segments=at, reduce=reduce)
    except ValueError as error:
        raise Missing(f"segments by {reduce}: {error}") from None


def scatter_reduce(
    c: Context,
    x: Any,
    dim: int,
    index: Any,
    source: Any,
    reduce: str,
    *,
    include_self: bool = True,
) -> Any:
    """Entries that meet at places, reduced; which of them count is fixed."""
    where = np.asarray(index).astype(int)
    given = c.lift(source)
    if given.shape != where.shape:
        inside = np.arange(math.prod(given.shape)).reshape(given.shape)
        given = taken(given, inside[tuple(slice(0, n) for n in where.shape)])
    if reduce in ("amax", "amin"):
        whole = c.lift(x)
        spots = torch.arange(c.args[0].numel()).reshape(c.args[0].shape)
        at = numpy_of(torch.gather(spots, int(dim), c.args[2]))
        op = "maximum" if reduce == "amax" else "minimum"
        flat = reshaped(whole, (math.prod(whole.shape),))
        found = reduced_at(flat, given, at, op, counts_itself=bool(include_self))
        return reshaped(found, whole.shape)
    return m.scatter_reduce(
        c.lift(x), given, axis=(int(dim) % max(1, where.ndim),),
        index=tuple(int(i) for i in where.ravel()), reduce=reduce, include_self=bool(include_self),
    )  # fmt: skip


def embedding_bag(
    c: Context, table: Any, index: Any, offsets: Any, scaled: bool = False, mode: int = 0,
    sparse: bool = False, weights: Any = None, includes_last: bool = False, padding: int = -1,
) -> Any:  # fmt: skip
    """Sums, means or maxima of rows of a table."""
    del scaled, sparse
    at = [int(i) for i in np.ravel(np.asarray(index))]
    starts = [int(i) for i in np.ravel(np.asarray(offsets))]
    ends = starts[1:] if includes_last else [*starts[1:], len(at)]
    rows = c.lift(table)
    width = rows.shape[1]
    flat = np.arange(math.prod(rows.shape)).reshape(rows.shape)
    given = None if weights is None else c.lift(weights)
    found: Any = None
    for start, end in zip(starts, ends, strict=False):
        places = [k for k in range(start, end) if at[k] != padding]
        if not places:
            one = c.program.lift(np.zeros((1, width)))
        else:
            part = taken(rows, flat[[at[k] for k in places]])
            if given is not None:
                part = m.mul(
                    part, reshaped(taken(given, np.array(places)), (len(places), 1))
                )
            one = m.table[("sum", "mean", "max")[mode]](part, axis=(0,), keepdims=True)
        found = one if found is None else m.concatenate(found, one, axis=(0,))
    return found, None, None, None


def ctc(
    c: Context,
    logs: Any,
    targets: Any,
    steps: Any,
    lengths: Any,
    blank: int = 0,
    infinite: bool = False,
) -> Any:
    """The loss of every sequence. The library takes a log_softmax before it for granted.

    Its derivative is that by the logits of such a softmax. One more of them changes no
    value, and makes the program what the library differentiates.
    """
    if infinite:
        raise Missing("a CTC loss that makes zeros of infinities")
    sizes = [int(i) for i in np.ravel(np.asarray(lengths))]
    given = np.asarray(targets).astype(int)
    if given.ndim == 2:
        given = np.concatenate([row[:n] for row, n in zip(given, sizes, strict=True)])
    total = np.log(np.sum(np.exp(c.real().astype(float)), axis=-1))
    if np.any(np.abs(total) > 1e-6):
        raise Missing("a CTC loss of numbers that are no log_softmax")
    x = c.lift(logs)
    if x.ndim == 2:
        x = reshaped(x, (x.shape[0], 1, x.shape[1]))
    found = m.ctc(
        x, target=tuple(int(i) for i in given.ravel()), lengths=tuple(sizes),
        steps=tuple(int(i) for i in np.ravel(np.asarray(steps))), blank=int(blank), reduction="none",
    )  # fmt: skip
    return reshaped(found, tuple(c.result[0].shape)), None


def multilabel_margin(c: Context, x: Any, target: Any, reduction: int) -> Any:
    """By a row of its own: PyTorch's decomposition (2.13) counts what no label names."""
    symbol = c.lift(x)
    if symbol.ndim == 1:
        symbol = reshaped(symbol, (1, *symbol.shape))
    found = m.multilabel_margin(
        symbol, target=tuple(int(i) for i in np.ravel(np.asarray(target))),
        reduction=REDUCTIONS[reduction],
    )  # fmt: skip
    return reshaped(found, tuple(c.result[0].shape)), None


def rrelu(
    c: Context,
    x: Any,
    noise: Any,
    low: Any = 1 / 8,
    high: Any = 1 / 3,
    training: bool = False,
    *rest: Any,
) -> Any:
    """A leaky unit; in training its slopes are drawn, and stand in the noise."""
    del noise, rest
    if not training:
        return leaky_relu(c, x, (float(low) + float(high)) / 2.0)
    slopes = numpy_of(c.args[1]).astype(float)
    return m.where(c.real() > 0, x, m.mul(x, slopes))


def of_order(op: str, name: str) -> Row:
    """A special function whose order is one constant: `igamma(a, x)`."""

    def row(c: Context, a: Any, x: Any) -> Any:
        if isinstance(a, Symbol) or np.ptp(np.asarray(a, float)) != 0:
            raise Missing(
                f"{c.func.name()} of orders that are differentiated, or of several"
            )
        order = float(np.ravel(np.asarray(a, float))[0])
        symbol = c.lift(x)
        if symbol.shape != tuple(c.result.shape):
            symbol = m.broadcast_to(symbol, shape=tuple(c.result.shape))
        return m.table[op](symbol, **{name: order})

    return row


def polygamma(c: Context, n: int, x: Any) -> Any:
    return m.digamma(c.lift(x)) if n == 0 else m.polygamma(c.lift(x), n=int(n))


def cumulated(op: str) -> Row:
    """A running product, or a running logsumexp."""

    def row(c: Context, x: Any, dim: int, **options: Any) -> Any:
        del options
        symbol = c.lift(x)
        return m.table[op](symbol, axis=(int(dim),)) if symbol.shape else symbol

    return row


def norm_of_weight(c: Context, v: Any, g: Any, dim: int = 0) -> Any:
    """v over its norm along all axes but one, times g."""
    x = c.lift(v)
    rest = tuple(k for k in range(x.ndim) if k != dim % x.ndim)
    size = m.sqrt(m.sum(m.square(x), axis=rest, keepdims=True))
    return m.mul(x, m.div(c.lift(g), size)), size


def windows_of(c: Context, x: Any, *rest: Any, **options: Any) -> Any:
    """`im2col`, which runs on floats only: the places of entries are such."""
    del rest, options
    real = c.args[0]
    index = torch.arange(1, real.numel() + 1, dtype=torch.float64).reshape(real.shape)
    with torch.no_grad():
        at = numpy_of(c.func(index, *c.args[1:], **c.kwargs)).astype(int)
    found = taken(c.lift(x), np.maximum(at - 1, 0))
    return m.where(at > 0, found, np.float64(0)) if np.any(at == 0) else found


SAME: Mapping[str, str] = {
    "erfcx": "erfcx", "erf_inv": "erfinv", "erfinv": "erfinv", "ndtri": "ndtri",
    "log_ndtr": "log_ndtr", "i0": "i0", "bessel_i0": "i0", "bessel_i0e": "i0e",
    "bessel_i1": "i1", "bessel_i1e": "i1e", "i0e": "i0e", "i1": "i1", "i1e": "i1e",
    "bessel_j0": "j0", "bessel_j1": "j1", "bessel_y0": "y0", "bessel_y1": "y1",
    "modified_bessel_i0": "i0", "modified_bessel_i1": "i1",
    "modified_bessel_k0": "k0", "modified_bessel_k1": "k1",
}  # fmt: skip
"""Special functions under PyTorch's names; `torch.special` puts its own before them."""

SIZED: Sequence[int] = (2, 3)

# fmt: off
WINDOWS: Mapping[str, Row] = {
    **{name: same(op) for name, op in SAME.items()},
    **{f"special_{name}": same(op) for name, op in SAME.items()},
    "fmod": both("fmod"), "remainder": both("remainder"), "signbit": truth_value,
    "polygamma": polygamma, "special_polygamma": polygamma, "sinc": same("sinc"), "special_sinc": same("sinc"),
    "igamma": of_order("gammainc", "a"), "igammac": of_order("gammaincc", "a"),
    "special_gammainc": of_order("gammainc", "a"), "special_gammaincc": of_order("gammaincc", "a"),
    "zeta": of_order("zeta", "s"), "special_zeta": of_order("zeta", "s"),
    "rrelu_with_noise": rrelu, "rrelu_with_noise_functional": rrelu,
    "cumprod": cumulated("cumprod"), "logcumsumexp": cumulated("logcumsumexp"), "_logcumsumexp": cumulated("logcumsumexp"),
    "scatter_reduce": scatter_reduce, "segment_reduce": segments, "_ctc_loss": ctc,
    "multilabel_margin_loss_forward": multilabel_margin,
    "_embedding_bag": embedding_bag, "_embedding_bag_forward_only": embedding_bag,
    "max_pool2d_with_indices": max_pool(2), "max_pool3d_with_indices": max_pool(3),
    "avg_pool2d": avg_pool(2), "avg_pool3d": avg_pool(3),
    "_adaptive_avg_pool3d": adaptive("adaptive_avg_pool", 3),
    **{f"adaptive_max_pool{n}d": adaptive("adaptive_max_pool", n) for n in SIZED},
    **{f"fractional_max_pool{n}d": by_places for n in SIZED},
    "_weight_norm_interface": norm_of_weight, "im2col": windows_of,
}
# fmt: on
