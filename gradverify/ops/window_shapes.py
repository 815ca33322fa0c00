"""Shape rules of further convolutions and poolings, and of windows themselves.

Arrays are laid out as in PyTorch: batch, channels, then space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gradverify.ops.checks import check_indices, check_one_of, check_sizes, check_truth
from gradverify.ops.layer_shapes import checked_counts, conv, of_rank, pool
from gradverify.ops.shapes import Shape

Sizes = Sequence[int]
Rule = Callable[..., Shape]


def along(axes: int, rule: Rule) -> Rule:
    """The rule, for a first operand with as many axes of space."""

    def ranked(*shapes: Shape, **params: Any) -> Shape:
        return rule(*of_rank(2 + axes, shapes), **params)

    return ranked


def avg_pool(x: Shape, *, count_include_pad: bool, **params: Any) -> Shape:
    """As `pool`."""
    check_truth("count_include_pad", count_include_pad)
    return pool(x, **params)


def conv_transpose(
    x: Shape,
    w: Shape,
    b: Shape,
    *,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Shape:
    """(batch, channels, *space), (channels, outputs/groups, *kernel), (outputs,)."""
    fits = len(w) == len(x) and w[:1] == x[1:2] and len(b) == 1 and 0 not in (*x, *w)
    is_whole = type(groups) is int and groups >= 1
    if not fits or not is_whole or x[1] % groups or b[0] != w[1] * groups:
        raise ValueError(
            f"shapes {x}, {w} and {b} with groups={groups!r}; allowed are "
            "(batch, channels, *space), (channels, outputs / groups, *kernel) and "
            "(outputs,), none of them empty"
        )
    check_sizes("stride", stride, len(x) - 2)
    check_sizes("dilation", dilation, len(x) - 2)
    check_sizes("padding", padding, len(x) - 2, 0)
    check_sizes("output_padding", output_padding, len(x) - 2, 0)
    each = zip(output_padding, stride, dilation, strict=True)
    if any(more >= max(s, d) for more, s, d in each):
        raise ValueError(
            f"output_padding={output_padding!r} is not below stride or dilation"
        )
    whole = transposed_lengths(x[2:], w[2:], stride, output_padding, dilation)
    size = tuple(n - 2 * p for n, p in zip(whole, padding, strict=True))
    if min(size) < 1:
        raise ValueError(f"padding={padding!r} leaves nothing of {whole}")
    return (x[0], b[0], *size)


def transposed_lengths(
    space: Sizes, kernel: Sizes, stride: Sizes, more: Sizes, dilation: Sizes
) -> Shape:
    """What the kernels of all entries of a space cover, before padding is cut off."""
    parts = zip(space, kernel, stride, more, dilation, strict=True)
    return tuple((n - 1) * s + d * (k - 1) + 1 + m for n, k, s, m, d in parts)


def adaptive(x: Shape, *, size: Sizes) -> Shape:
    """(batch, channels, *space) to as many steps along each axis as `size` says."""
    if len(x) < 3 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (batch, channels, *space), not empty")
    check_sizes("size", size, len(x) - 2)
    return (*x[:2], *size)


def lp_pool(x: Shape, *, p: float, kernel: Sizes, stride: Sizes) -> Shape:
    """As `pool` without padding, for the norms of order 1, 2 and 3."""
    check_one_of("p", p, (1.0, 2.0, 3.0))
    return pool(x, kernel=kernel, stride=stride, padding=(0,) * (len(x) - 2))


def fractional(
    x: Shape, *, kernel: Sizes, size: Sizes, samples: Sequence[float]
) -> Shape:
    """(batch, channels, height, width), and two samples below 1 for each plane."""
    of_rank(4, (x,))
    check_sizes("kernel", kernel, 2)
    check_sizes("size", size, 2)
    if 0 in x or any(
        n < k + m - 1 for n, k, m in zip(x[2:], kernel, size, strict=True)
    ):
        raise ValueError(f"kernel={kernel!r} and size={size!r} do not fit into {x}")
    is_plain = isinstance(samples, tuple | list) and len(samples) == 2 * x[0] * x[1]
    if not is_plain or not all(type(u) is float and 0 <= u < 1 for u in samples):
        raise ValueError(
            f"samples={samples!r}; allowed are {2 * x[0] * x[1]} floats in [0, 1)"
        )
    return (*x[:2], *size)


def max_unpool(x: Shape, *, index: Sizes, kernel: Sizes, stride: Sizes) -> Shape:
    """(batch, channels, *space), and a place in the larger space for each entry.

    No two entries of a plane may have the same place.
    """
    if len(x) < 3 or 0 in x:
        raise ValueError(f"shape {x}; allowed is (batch, channels, *space), not empty")
    check_sizes("kernel", kernel, len(x) - 2)
    check_sizes("stride", stride, len(x) - 2)
    space = unpooled(x[2:], kernel, stride)
    check_indices(index, math.prod(space), "index")
    plane = math.prod(x[2:])
    planes = [index[k : k + plane] for k in range(0, len(index), plane)]
    if len(index) != math.prod(x) or any(len({*one}) < plane for one in planes):
        raise ValueError(f"index={index!r} is not one place for each entry of {x}")
    return (*x[:2], *space)


def unpooled(space: Sizes, kernel: Sizes, stride: Sizes) -> Shape:
    """The space of which a pooling without padding would leave another one."""
    parts = zip(space, kernel, stride, strict=True)
    return tuple((n - 1) * s + k for n, k, s in parts)


def unfold(
    x: Shape, *, kernel: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes
) -> Shape:
    """(batch, channels, height, width) to (batch, channels x kernel, steps)."""
    of_rank(4, (x,))
    if 0 in x:
        raise ValueError(f"shape {x} is empty")
    counts = checked_counts(x[2:], kernel, stride, padding, dilation)
    return (x[0], x[1] * math.prod(kernel), math.prod(counts))


def fold(
    x: Shape,
    *,
    size: Sizes,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
) -> Shape:
    """(batch, channels x kernel, steps) to (batch, channels, height, width)."""
    of_rank(3, (x,))
    check_sizes("size", size, 2)
    counts = checked_counts(size, kernel, stride, padding, dilation)
    places = math.prod(kernel)
    if 0 in x or x[1] % places or x[2] != math.prod(counts):
        raise ValueError(f"shape {x} has not {places} places in {math.prod(counts)}")
    return (x[0], x[1] // places, *size)


conv3d = along(3, conv)
conv_transpose1d, conv_transpose2d, conv_transpose3d = (
    along(n, conv_transpose) for n in (1, 2, 3)
)
max_pool3d, avg_pool3d = along(3, pool), along(3, avg_pool)
adaptive1d, adaptive2d, adaptive3d = (along(n, adaptive) for n in (1, 2, 3))
lp_pool1d, lp_pool2d = along(1, lp_pool), along(2, lp_pool)
max_unpool1d, max_unpool2d = along(1, max_unpool), along(2, max_unpool)
