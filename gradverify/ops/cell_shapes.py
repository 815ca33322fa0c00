"""Shape rules of recurrent cells, attention of several heads, norms and bags."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradverify.ops.checks import (
    check_above,
    check_eps,
    check_indices,
    check_one_of,
    check_sizes,
    check_truth,
)
from gradverify.ops.layer_shapes import attention, batch_norm_eval
from gradverify.ops.shapes import Shape

Sizes = Sequence[int]


def _cell(gates: int, x: Shape, h: Shape, *rest: Shape) -> Shape:
    """(batch, inputs), (batch, width); weights and biases for each gate."""
    if len(x) != 2 or len(h) != 2 or x[:1] != h[:1] or 0 in (*x, *h):
        raise ValueError(f"shapes {x} and {h}; allowed are (batch, inputs), (batch, n)")
    most = gates * h[1]
    needed = ((most, x[1]), (most, h[1]), (most,), (most,))
    if rest != needed:
        raise ValueError(f"weights and biases {rest}; needed are {needed}")
    return h


def rnn_cell(
    x: Shape, h: Shape, w: Shape, u: Shape, b: Shape, d: Shape, *, nonlinearity: str
) -> Shape:
    """(batch, inputs), (batch, n), (n, inputs), (n, n), (n,), (n,) to (batch, n)."""
    check_one_of("nonlinearity", nonlinearity, ("tanh", "relu"))
    return _cell(1, x, h, w, u, b, d)


def gru_cell(x: Shape, h: Shape, w: Shape, u: Shape, b: Shape, d: Shape) -> Shape:
    """As `rnn_cell`, with weights and biases of three gates."""
    return _cell(3, x, h, w, u, b, d)


def lstm_cell(
    x: Shape, h: Shape, c: Shape, w: Shape, u: Shape, b: Shape, d: Shape
) -> Shape:
    """As `rnn_cell`, with two states and four gates; both new states, side by side."""
    if h != c:
        raise ValueError(f"shapes {h} and {c} of both states differ")
    batch, width = _cell(4, x, h, w, u, b, d)
    return (batch, 2 * width)


def bilinear(x: Shape, y: Shape, w: Shape, b: Shape) -> Shape:
    """(…, m), (…, n), (outputs, m, n) and (outputs,) to (…, outputs)."""
    fits = x[:-1] == y[:-1] and len(w) == 3 and w[1:] == (*x[-1:], *y[-1:])
    if not fits or b != w[:1] or 0 in (*x, *y, *w):
        raise ValueError(
            f"shapes {x}, {y}, {w} and {b}; allowed are (…, m), (…, n), "
            "(outputs, m, n) and (outputs,), none of them empty"
        )
    return (*x[:-1], w[0])


def multi_head_attention(
    q: Shape,
    k: Shape,
    v: Shape,
    w: Shape,
    b: Shape,
    out: Shape,
    c: Shape,
    *,
    heads: int,
    mask: str,
    need_weights: bool,
) -> Shape:
    """(batch, length, n), (batch, keys, n) twice; (3n, n), (3n,), (n, n) and (n,).

    The heads must divide n.
    """
    check_truth("need_weights", need_weights)
    check_sizes("heads", (heads,), 1)
    if len(q) != 3 or k != v or (w, b, out, c) != projections(q[-1]):
        raise ValueError(
            f"shapes {q}, {k}, {v}, {w}, {b}, {out} and {c}; allowed are (batch, "
            "length, n), (batch, keys, n) twice, (3n, n), (3n,), (n, n) and (n,)"
        )
    if q[-1] % heads:
        raise ValueError(f"heads={heads!r} do not divide {q[-1]}")
    return attention(q, k, v, mask=mask)


def projections(width: int) -> tuple[Shape, ...]:
    """The shapes of weights and biases before and behind an attention."""
    return ((3 * width, width), (3 * width,), (width, width), (width,))


def instance_norm(x: Shape, w: Shape, b: Shape, *, eps: float) -> Shape:
    """(batch, channels, *space) and (channels,) twice; the space has two entries or
    more.
    """
    check_eps(eps)
    if len(x) < 3 or math.prod(x[2:]) < 2:
        raise ValueError(f"shape {x} has fewer than two entries in a channel")
    ones = (1.0,) * x[1]
    return batch_norm_eval(x, w, b, mean=ones, var=ones, eps=eps)


def local_response_norm(
    x: Shape, *, n: int, alpha: float, beta: float, base: float
) -> Shape:
    """(batch, channels, *space)."""
    check_sizes("n", (n,), 1)
    for name, value in {"alpha": alpha, "beta": beta, "base": base}.items():
        check_above(name, value)
    if len(x) < 3 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (batch, channels, *space), not empty")
    return x


def embedding_bag(table: Shape, *, index: Sizes, offsets: Sizes, mode: str) -> Shape:
    """(rows, width), and where each bag begins among the indices."""
    check_one_of("mode", mode, ("sum", "mean", "max"))
    if len(table) != 2 or 0 in table:
        raise ValueError(f"shape {table} is no table; allowed is (rows, width)")
    check_indices(index, table[0], "index")
    check_indices(offsets, len(index) + 1, "offsets")
    if offsets[0] or list(offsets) != sorted(offsets):
        raise ValueError(
            f"offsets={offsets!r}; allowed are numbers from 0 up, in order"
        )
    return (len(offsets), table[1])


def weighted_embedding_bag(
    table: Shape, weights: Shape, *, index: Sizes, offsets: Sizes
) -> Shape:
    """As `embedding_bag`, with a weight for each index."""
    found = embedding_bag(table, index=index, offsets=offsets, mode="sum")
    if weights != (len(index),):
        raise ValueError(f"shape {weights} is not one weight for {len(index)} indices")
    return found
