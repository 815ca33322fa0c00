"""Shape rules of network layers: operand shapes and params in, result shape out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradverify.ops.checks import (
    check_eps,
    check_indices,
    check_numbers,
    check_sizes,
    check_truth,
)
from gradverify.ops.shapes import Shape, elementwise

Sizes = Sequence[int]


def linear(x: Shape, w: Shape, b: Shape) -> Shape:
    """(…, inputs), (outputs, inputs) and (outputs,) to (…, outputs)."""
    if len(w) != 2 or b != w[:1] or x[-1:] != w[1:] or 0 in (*x, *w):
        raise ValueError(
            f"shapes {x}, {w} and {b} make no layer; allowed are (…, inputs), "
            "(outputs, inputs) and (outputs,), none of them empty"
        )
    return (*x[:-1], w[0])


def embedding(table: Shape, *, index: Sizes) -> Shape:
    """A row of the table for every index."""
    if len(table) != 2:
        raise ValueError(f"shape {table} is no table; allowed is (rows, width)")
    check_indices(index, table[0], "index")
    return (len(index), table[1])


def take(operand: Shape, *, axis: Sizes, index: Sizes) -> Shape:
    """As many elements along one axis as there are indices."""
    return _replaced(operand, axis, len(index))


def put(operand: Shape, *, axis: Sizes, index: Sizes, length: int) -> Shape:
    """`length` elements along one axis."""
    del index
    return _replaced(operand, axis, length)


def _replaced(shape: Shape, axis: Sizes, length: int) -> Shape:
    place = axis[0] % len(shape)
    return (*shape[:place], length, *shape[place + 1 :])


def check_chance(p: Any) -> None:
    """Refuse what is no chance to drop an entry, or drops all of them."""
    if type(p) is not float or not 0 <= p < 1:
        raise ValueError(f"p={p!r} is no chance to drop; allowed is 0.0 <= p < 1.0")


def dropout(x: Shape, mask: Shape, *, p: float) -> Shape:
    """The shape of x, to which the mask broadcasts, for 0 <= p < 1."""
    check_chance(p)
    if elementwise(x, mask) != x:
        raise ValueError(f"a mask of shape {mask} does not broadcast to {x}")
    return x


# ---- windows


def window_counts(
    space: Sizes, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Shape:
    """How many steps a window makes along each axis."""
    parts = zip(space, kernel, stride, padding, dilation, strict=True)
    return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in parts)


def checked_counts(
    space: Sizes, kernel: Any, stride: Any, padding: Any, dilation: Any
) -> Shape:
    """As `window_counts`, once the params are seen to fit the space."""
    sizes = {"kernel": kernel, "stride": stride, "padding": padding}
    for name, value in {**sizes, "dilation": dilation}.items():
        check_sizes(name, value, len(space), 0 if name == "padding" else 1)
    counts = window_counts(space, kernel, stride, padding, dilation)
    if not counts or any(n < 1 for n in counts):
        raise ValueError(
            f"a kernel {tuple(kernel)} with dilation {tuple(dilation)} does not fit "
            f"into {tuple(space)} with padding {tuple(padding)}"
        )
    return counts


def conv(
    x: Shape,
    w: Shape,
    b: Shape,
    *,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Shape:
    """(batch, channels, *space), (outputs, channels/groups, *kernel), (outputs,)."""
    if len(x) < 3 or len(w) != len(x) or b != w[:1] or 0 in (*x, *w):
        raise ValueError(
            f"shapes {x}, {w} and {b}; allowed are (batch, channels, *space), "
            "(outputs, channels / groups, *kernel) and (outputs,), none of them empty"
        )
    if type(groups) is not int or groups < 1 or x[1] != w[1] * groups or w[0] % groups:
        raise ValueError(
            f"groups={groups!r} do not divide {x[1]} channels into parts of {w[1]}, "
            f"and {w[0]} outputs"
        )
    counts = checked_counts(x[2:], w[2:], stride, padding, dilation)
    return (x[0], w[0], *counts)


def conv1d(*shapes: Shape, **params: Any) -> Shape:
    """As `conv`, along one axis."""
    return conv(*of_rank(3, shapes), **params)


def conv2d(*shapes: Shape, **params: Any) -> Shape:
    """As `conv`, along two axes."""
    return conv(*of_rank(4, shapes), **params)


def of_rank(rank: int, shapes: Sequence[Shape]) -> Any:
    """The shapes themselves, if the first one has so many axes."""
    if len(shapes[0]) != rank:
        raise ValueError(f"shape {shapes[0]} has not {rank} axes")
    return shapes


def pool(
    x: Shape, *, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Any = None
) -> Shape:
    """(batch, channels, *space); every window must see at least one entry."""
    if len(x) < 3 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (batch, channels, *space), not empty")
    ones = (1,) * len(x[2:])
    counts = checked_counts(x[2:], kernel, stride, padding, dilation or ones)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise ValueError(
            f"padding={tuple(padding)} is more than half of kernel={tuple(kernel)}"
        )
    spread = zip(x[2:], padding, dilation or ones, strict=True)
    if any(p and d > n for n, p, d in spread):
        raise ValueError(
            f"dilation={tuple(dilation)} steps over all of {x[2:]}: a window would see "
            "padding alone"
        )
    return (*x[:2], *counts)


def max_pool1d(x: Shape, **params: Any) -> Shape:
    """As `pool`, along one axis."""
    return pool(*of_rank(3, (x,)), **params)


def max_pool2d(x: Shape, **params: Any) -> Shape:
    """As `pool`, along two axes."""
    return pool(*of_rank(4, (x,)), **params)


def avg_pool1d(x: Shape, *, count_include_pad: bool, **params: Any) -> Shape:
    """As `pool`, along one axis."""
    check_truth("count_include_pad", count_include_pad)
    return pool(*of_rank(3, (x,)), **params)


def avg_pool2d(x: Shape, *, count_include_pad: bool, **params: Any) -> Shape:
    """As `pool`, along two axes."""
    check_truth("count_include_pad", count_include_pad)
    return pool(*of_rank(4, (x,)), **params)


# ---- norms


def batch_norm(x: Shape, w: Shape, b: Shape, *, eps: float) -> Shape:
    """(batch, channels, …) and (channels,) twice; a channel needs two entries or
    more.
    """
    check_eps(eps)
    _check_channels(x, w, b)
    if math.prod(x) // x[1] < 2:
        raise ValueError(f"shape {x} has one entry a channel; needed: two")
    return x


def batch_norm_eval(
    x: Shape,
    w: Shape,
    b: Shape,
    *,
    mean: Sequence[float],
    var: Sequence[float],
    eps: float,
) -> Shape:
    """(batch, channels, …), (channels,) twice, and one given statistic per channel."""
    check_eps(eps)
    _check_channels(x, w, b)
    check_numbers("mean", mean, x[1], -math.inf)
    check_numbers("var", var, x[1], 0.0)
    return x


def _check_channels(x: Shape, w: Shape, b: Shape) -> None:
    if len(x) < 2 or 0 in x or w != x[1:2] or b != w:
        raise ValueError(
            f"shapes {x}, {w} and {b}; allowed are (batch, channels, …), not empty, "
            "and (channels,) twice"
        )


def layer_norm(x: Shape, w: Shape, b: Shape, *, eps: float) -> Shape:
    """(…, *axes), and two arrays of the shape of those axes."""
    if b != w:
        raise ValueError(f"shapes {w} and {b} of weights and bias differ")
    return rms_norm(x, w, eps=eps)


def rms_norm(x: Shape, w: Shape, *, eps: float) -> Shape:
    """(…, *axes), and one array of the shape of those axes."""
    check_eps(eps)
    if not w or 0 in x or x[-len(w) :] != w:
        raise ValueError(
            f"shape {w} is not the end of {x}; allowed are one of its last axes or more"
        )
    return x


def group_norm(x: Shape, w: Shape, b: Shape, *, groups: int, eps: float) -> Shape:
    """(batch, channels, …) and (channels,) twice; the groups must divide the
    channels.
    """
    check_eps(eps)
    _check_channels(x, w, b)
    if type(groups) is not int or groups < 1 or x[1] % groups:
        raise ValueError(f"groups={groups!r} do not divide {x[1]} channels")
    if math.prod(x[1:]) // groups < 2:
        raise ValueError(f"a group of {x} has one entry; needed: two")
    return x


# ---- attention


def attention(q: Shape, k: Shape, v: Shape, *, mask: str) -> Shape:
    """(…, length, width), (…, keys, width) and (…, keys, values)."""
    alike = len(q) == len(k) and q[:-2] == k[:-2] and q[-1:] == k[-1:]
    if len(q) < 2 or 0 in (*q, *k, *v) or not alike:
        raise ValueError(
            f"shapes {q} and {k}; allowed are (…, length, width) and (…, keys, width)"
        )
    if len(v) != len(k) or v[:-1] != k[:-1]:
        raise ValueError(f"shapes {k} and {v} of keys and values differ before the end")
    if mask not in (
        "none",
        "causal",
    ):  # the names above need no check as text, but the shapes may be large
        mask_of(mask, q[-2], k[-2])
    return (*q[:-1], v[-1])


def dropout_attention(
    q: Shape, k: Shape, v: Shape, *, mask: str, kept: str, p: float
) -> Shape:
    """As `attention`, with a row of 0 and 1 for every query: which weights are kept."""
    found = attention(q, k, v, mask=mask)
    check_chance(p)
    rows_of(kept, q[-2], k[-2], "kept")
    return found


def mask_of(mask: str, length: int, keys: int) -> Any:
    """Which keys every query sees, as a Boolean array.

    mask: "none", "causal" (keys up to the query's own place), or a row of 0 and 1 for
        every query, such as "10,11".

    Raises `ValueError` where a query would see no key.
    """
    if mask == "none":
        return np.ones((length, keys), bool)
    if mask == "causal":
        return np.tril(np.ones((length, keys), bool))
    seen = rows_of(mask, length, keys, "mask", "'none', 'causal', and ")
    if not seen.any(axis=1).all():
        raise ValueError(f"mask={mask!r}: a query sees no key; each row needs a 1")
    return seen


def rows_of(text: str, length: int, keys: int, name: str, others: str = "") -> Any:
    """A row of 0 and 1 for every query, such as "10,11", as a Boolean array.

    others: what else is allowed, for the `ValueError` that is raised where the text is
        not of this kind.
    """
    rows = str(text).split(",")
    fits = len(rows) == length and all(len(r) == keys and {*r} <= {*"01"} for r in rows)
    if not fits:
        raise ValueError(
            f"{name}={text!r}; allowed are {others}{length} rows of {keys} digits 0 "
            "and 1, such as '10,11'"
        )
    return np.array([[c == "1" for c in row] for row in rows])
